//! The caller's address, as a handler is told it.

use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, web};

use super::*;
use crate::kernel::Instant as Moment;
use crate::platform::web::CallerAddress;

async fn told(config: ServerConfig, peer: &str, headers: &[(&'static str, &'static str)]) -> String {
    let metrics = Metrics::new("sqlite", Moment::parse("2025-06-05T08:00:00Z").unwrap()).unwrap();
    let edge = Edge::new(&config, metrics, &serde_json::Value::Null);
    let app = App::new()
        .route("/who", web::get().to(|caller: CallerAddress| async move { caller.to_string() }))
        .wrap_fn(move |request, next| around(request, next, &edge));
    let app = init_service(app).await;
    let mut request = TestRequest::get().uri("/who").peer_addr(peer.parse().unwrap());
    for header in headers {
        request = request.append_header(*header);
    }
    let answer = call_service(&app, request.to_request()).await;
    String::from_utf8(read_body(answer).await.to_vec()).unwrap()
}

#[actix_web::test]
async fn only_a_trusted_proxy_names_the_caller() {
    let said = [("x-forwarded-for", "1.1.1.1, 198.51.100.9"), ("forwarded", "for=2.2.2.2"), ("x-real-ip", "3.3.3.3")];
    // Nobody is trusted unless somebody wrote so.
    assert_eq!(told(ServerConfig::default(), "127.0.0.1:9", &said).await, "127.0.0.1");
    let trusting = || ServerConfig { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..ServerConfig::default() };
    assert_eq!(told(trusting(), "127.0.0.1:9", &said).await, "127.0.0.1");
    assert_eq!(told(trusting(), "10.0.0.1:9", &said).await, "198.51.100.9");
    assert_eq!(told(trusting(), "[::ffff:10.0.0.1]:9", &said).await, "198.51.100.9");
    assert_eq!(told(trusting(), "10.0.0.1:9", &[]).await, "10.0.0.1");
}
