//! One address has one form, a head a reasonable size, a body no packing; and an answer is kept by nobody.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::operations::{Body, FORM, Operation, document, form, operations};
use crate::support::year::{open_campaign, register_seed};
use crate::support::{Client, Response, TestApp, raw};

/// Sends bytes as they are: clients tidy addresses up.
fn as_written(app: &TestApp, method: &str, path: &str, token: Option<&str>, more: &str) -> (u16, String) {
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{token}{more}\r\n");
    let answer = raw(&app.url, &[(request.as_bytes(), Duration::ZERO)]);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("{path}: {answer}")), answer)
}

fn code(answer: &str) -> String {
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    let json: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}"));
    json["code"].as_str().unwrap_or_default().to_owned()
}

/// Other ways to write a path.
fn respelled(path: &str) -> Vec<String> {
    let escaped = |at: usize| format!("{}%{:02x}{}", &path[..at], path.as_bytes()[at], &path[at + 1..]);
    let last = path.rfind('/').unwrap();
    vec![
        escaped(1),
        escaped(path.len() - 1),
        escaped(last + 1),
        format!("/{path}"),
        format!("{}/{}", &path[..last], &path[last..]),
        format!("/.{path}"),
        format!("{}/.{}", &path[..last], &path[last..]),
        format!("{}/../{}", path, &path[last + 1..]),
        format!("{}%2F{}", &path[..last], &path[last + 1..]),
        format!("{}%5c{}", &path[..last], &path[last + 1..]),
        format!("{path}%"),
        format!("{path}%zz"),
        format!("{path}%ff"),
        format!("{path}%2561"),
    ]
}

on_both_databases! {
    fn every_other_way_to_write_an_address_is_refused(app: &TestApp) {
        let token = app.token(ent_backoffice::kernel::Role::Gestionnaire);
        let mut count = 0_u32;
        for operation in operations(&document(app)) {
            let path = operation.unknown_path();
            for other in respelled(&path) {
                for method in [operation.method.as_str(), "GET"] {
                    let (status, answer) = as_written(app, method, &other, Some(&token), "");
                    assert_eq!((status, code(&answer).as_str()), (400, "malformed_path"), "{method} {other}: {answer}");
                    let lower = answer.to_lowercase();
                    assert!(lower.contains("cache-control: no-store"), "{answer}");
                    assert!(lower.contains("x-request-id: "), "{answer}");
                    count += 1;
                }
            }
            // No route ends with a slash, nor is written in capitals.
            for other in [format!("{path}/"), path.replacen("/api", "/API", 1)] {
                let (status, answer) = as_written(app, &operation.method, &other, Some(&token), "");
                assert_eq!(status, 404, "{other}: {answer}");
                assert!(answer.to_lowercase().contains("cache-control: no-store"), "{answer}");
            }
        }
        assert!(count > 1_000, "{count}");
        for other in ["/%68ealth/live", "/health/%6Cive", "//metrics", "/metric%73", "/api/docs/../v1/me", "/api/docs/%2e%2e/v1/me", "/problem%73"] {
            let (status, answer) = as_written(app, "GET", other, None, "");
            assert_eq!((status, code(&answer).as_str()), (400, "malformed_path"), "{other}: {answer}");
        }
        // The examples by which it was found.
        let (status, _) = as_written(app, "GET", "/%61pi/v1/me", Some(&token), "");
        assert_eq!(status, 400);
        let (status, _) = as_written(app, "GET", "/api/v1/%6de?x=1", Some(&token), "");
        assert_eq!(status, 400);
        let (status, answer) = as_written(app, "GET", "/api/v1/me?x=1", Some(&token), "");
        assert_eq!((status, code(&answer).as_str()), (400, "unknown_parameter"));
    }

    fn a_key_acts_once_however_its_address_is_written(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        let post = |siret: &str| {
            let path = format!("/collectivites/{siret}/sirets");
            g.json("POST", &path, &[("idempotency-key", "siret-1")], &json!({"siret": "21300278500029", "from": "2025-01-01"}))
        };
        let first = post("21300278500011").expect(201);
        for spelled in ["213%20002%20785%2000011", "21300278500011", "213%C2%A0002785%2000011", "213%c2%a0002785%2000011"] {
            assert_eq!(post(spelled).expect(201).bytes, first.bytes, "{spelled}");
        }
        let events = app.admin().get("/audit-events?subject_kind=collectivite").expect(200).json;
        let acts = events["data"].as_array().unwrap().iter().filter(|event| event["action"].as_str().unwrap().contains("siret")).count();
        assert_eq!(acts, 1, "{events}");
        // The address of another object is another demand.
        g.json("POST", "/collectivites/21300189400012/sirets", &[("idempotency-key", "siret-1")], &json!({"siret": "21300278500029", "from": "2025-01-01"})).problem(404, "not_found");
    }

    fn a_packed_body_is_refused_on_every_route_before_anything_else(app: &TestApp) {
        register_seed(app);
        let known = [Some(app.gestionnaire()), Some(app.admin()), None];
        let before = crate::support::databases::text_rows(&app.db, "SELECT CAST(count(*) AS TEXT) AS line FROM audit_events");
        for operation in operations(&document(app)) {
            let path = operation.unknown_path();
            let (kind, body) = match operation.body {
                Body::Json => ("application/json", b"{}".to_vec()),
                Body::Form => (FORM, form("file", "c.csv", b"insee;siret;nom\n")),
                Body::None => ("application/octet-stream", Vec::new()),
            };
            for client in &known {
                let client = client.clone().unwrap_or_else(|| app.anonymous());
                for encoding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "GZIP", "x-gzip", "aws-chunked"] {
                    let headers = [("content-type", kind), ("content-encoding", encoding)];
                    let answer = send(&client, &operation, &path, &headers, &body);
                    let answer = answer.problem(415, "unsupported_content_encoding");
                    assert_eq!(answer.header("accept-encoding"), "identity");
                }
            }
        }
        app.gestionnaire().send("GET", "/api/v1/me", &[("content-encoding", "identity")], Vec::new()).expect(200);
        app.anonymous().json("POST", "/auth/refresh", &[("content-encoding", "Identity")], &json!({"refresh_token": "x"})).problem(401, "refresh_token_invalid");
        for path in ["/health/live", "/health/ready", "/metrics", "/problems", "/api/docs/", "/api/openapi.json", "/nowhere"] {
            app.anonymous().send("GET", path, &[("content-encoding", "gzip")], Vec::new()).problem(415, "unsupported_content_encoding");
        }
        let after = crate::support::databases::text_rows(&app.db, "SELECT CAST(count(*) AS TEXT) AS line FROM audit_events");
        assert_eq!(after, before);
    }

    fn a_head_has_a_reasonable_size(app: &TestApp) {
        let token = app.token(ent_backoffice::kernel::Role::Gestionnaire);
        let long = format!("/api/v1/schools?q={}", "x".repeat(8_200));
        let (status, answer) = as_written(app, "GET", &long, Some(&token), "");
        assert_eq!((status, code(&answer).as_str()), (414, "uri_too_long"));
        let (status, answer) = as_written(app, "GET", &format!("/api/v1/schools/{}", "x".repeat(8_200)), Some(&token), "");
        assert_eq!((status, code(&answer).as_str()), (414, "uri_too_long"));
        let cookies = format!("Cookie: a={}\r\n", "x".repeat(33_000));
        let (status, answer) = as_written(app, "GET", "/api/v1/me", Some(&token), &cookies);
        assert_eq!((status, code(&answer).as_str()), (431, "headers_too_large"));
        let many: String = (0..90).map(|n| format!("X-Header-{n}: {}\r\n", "y".repeat(400))).collect();
        let (status, answer) = as_written(app, "GET", "/api/v1/me", Some(&token), &many);
        assert_eq!((status, code(&answer).as_str()), (431, "headers_too_large"));
        let (status, _) = as_written(app, "GET", "/api/v1/me", Some(&token), &format!("Cookie: a={}\r\n", "x".repeat(30_000)));
        assert_eq!(status, 200);
        let g = app.gestionnaire();
        let tag = "\"1\",".repeat(300);
        let refused = g.json("PATCH", "/campaigns/2025-2026", &[("if-match", &tag)], &json!({})).problem(422, "invalid_value");
        assert!(refused.text().len() < 1_000, "what was sent is not sent back whole: {}", refused.text());
        g.get(&format!("/schools?cursor={}", "x".repeat(7_000))).problem(400, "bad_cursor");
    }

    fn a_body_is_measured_before_it_is_held(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let g = app.gestionnaire();
        // Each value costs more than it takes to write.
        let values = format!("{{\"keys\":[{}\"x\"]}}", "0,".repeat(150_000));
        g.send("POST", "/api/v1/campaigns/2025-2026/enrolments", &[("content-type", "application/json")], values.into_bytes()).problem(413, "payload_too_large");
        // A stranger has nothing long to say, on any route that asks for no token.
        let long = json!({"email": "a@b.fr", "password": "x".repeat(20_000)});
        app.anonymous().post("/auth/login", long).problem(413, "payload_too_large");
        app.anonymous().post("/auth/refresh", json!({"refresh_token": "x".repeat(20_000)})).problem(413, "payload_too_large");
        app.anonymous().post("/auth/refresh", json!({"refresh_token": "x".repeat(15_000)})).problem(401, "refresh_token_invalid");
        // Sent in pieces of no announced length, it ends where the limit is.
        let chunked = format!("POST /api/v1/auth/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{}", "400\r\n".to_owned() + &"x".repeat(1_024) + "\r\n");
        let more = "400\r\n".to_owned() + &"x".repeat(1_024) + "\r\n";
        let pieces: Vec<(&[u8], Duration)> = std::iter::once((chunked.as_bytes(), Duration::ZERO)).chain((0..20).map(|_| (more.as_bytes(), Duration::ZERO))).collect();
        let answer = raw(&app.url, &pieces);
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("payload_too_large"), "{answer}");
    }

    fn a_form_is_bounded_in_each_of_its_lines(app: &TestApp) {
        let g = app.gestionnaire();
        let send = |body: Vec<u8>| g.send("POST", "/api/v1/collectivites/imports?dry_run=true", &[("content-type", FORM)], body);
        let long = "x".repeat(200_000);
        let headers: String = (0..60).map(|n| format!("X-{n}: y\r\n")).collect();
        for (what, body) in [
            ("a line that never ends", format!("--limite\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{long}")),
            ("a header too long", format!("--limite\r\nX: {long}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\na\r\n--limite--\r\n")),
            ("too many headers", format!("--limite\r\n{headers}Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\na\r\n--limite--\r\n")),
            ("a long name", format!("--limite\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\na\r\n--limite--\r\n", "x".repeat(50_000))),
            ("many parts", "--limite\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\na\r\n".repeat(5_000) + "--limite--\r\n"),
        ] {
            let refused = send(body.into_bytes()).problem(400, "bad_form");
            assert!(refused.text().len() < 1_000, "{what}: {}", refused.text());
        }
    }

    fn what_is_answered_is_kept_by_nobody(app: &TestApp) {
        let g = app.gestionnaire();
        for operation in operations(&document(app)) {
            let path = operation.unknown_path();
            let answer = send(&g, &operation, &path, &[], &[]);
            assert_eq!(answer.header("cache-control"), "no-store", "{} {path}", operation.method);
        }
        for (path, kept) in [("/nowhere", "no-store"), ("/api/v1/nowhere", "no-store"), ("/api/docs/", "no-cache"), ("/api/openapi.json", "no-cache"),
            ("/problems", "no-cache"), ("/health/live", "no-store"), ("/health/ready", "no-store"), ("/metrics", "no-store")] {
            assert_eq!(g.send("GET", path, &[], Vec::new()).header("cache-control"), kept, "{path}");
        }
    }
}

#[test]
fn a_form_ends_where_the_limit_is_whatever_it_consists_of() {
    let app = TestApp::with(crate::support::Base::sqlite(), |config| config.server.import_limit_bytes = 10_000);
    let token = app.token(ent_backoffice::kernel::Role::Gestionnaire);
    // Lines before the form begins, of no announced length.
    let head = format!(
        "POST /api/v1/collectivites/imports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let line = format!("400\r\n{}\r\n\r\n", "x".repeat(1_022));
    let mut pieces: Vec<(&[u8], Duration)> = vec![(head.as_bytes(), Duration::ZERO)];
    pieces.extend((0..90).map(|_| (line.as_bytes(), Duration::ZERO)));
    let answer = raw(&app.url, &pieces);
    assert!(answer.starts_with("HTTP/1.1 413") && code(&answer) == "payload_too_large", "{answer}");
}

fn send(client: &Client, operation: &Operation, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    client.send(&operation.method, path, headers, body.to_vec())
}
