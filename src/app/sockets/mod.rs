//! The connections: how many there may be, how long each may wait for its caller, and who leaves when there is no room.
//!
//! ```text
//!   accepted ──▶ Room::enter ──▶ Seat ──▶ Watched (the stream) ──▶ HTTP/1 ──▶ edge
//!                   │ full: the one that has waited longest for its caller leaves
//!                   └─ sweep, twice a second: who waits for too long leaves
//! ```
//! The HTTP layer bounds the head of a first request, and an idle connection; it neither bounds a second head, nor a body,
//! nor an answer that nobody reads, and a process has few descriptors. So each connection has a seat which says what it
//! waits for; nobody loses theirs while the program works for them.
//!
//! The listener is served as the web framework does it itself, but for the stream it is given. Where the HTTP layer refuses
//! by itself (no request could be read), the stream puts the program's words in the place of its empty answer.

mod descriptors;
mod room;
mod spoken;
mod stream;

use std::fmt;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_http::body::MessageBody;
use actix_http::error::DispatchError;
use actix_http::{Extensions, HttpService, KeepAlive, Protocol, Request, Response};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;

pub use descriptors::{Needs, places};
pub use room::{Phase, Room, Rules, Seat};
pub use spoken::Spoken;
use stream::Watched;
pub use stream::Words;

/// How long a connection without a request is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long a caller who sends a body that was refused is listened to, so that it reads why.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often the room is looked through.
const SWEEP: Duration = Duration::from_millis(500);

/// What the connections of one listener share.
#[derive(Clone)]
pub struct Doorway {
    pub room: Room,
    /// How long the head of a request may take.
    pub head: Duration,
    pub words: Words,
}

impl Doorway {
    /// How long a connection may be without a request: kept for one, then its head.
    #[must_use]
    pub fn idle(head: Duration) -> Duration {
        KEEP_ALIVE + head + FAREWELL
    }

    /// Serves a listener, each connection in its seat.
    ///
    /// # Errors
    /// The listener is refused by the system.
    pub fn listen<F, I, S, B>(
        self,
        server: ServerBuilder,
        listener: TcpListener,
        factory: F,
    ) -> std::io::Result<ServerBuilder>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<actix_web::Error> + 'static,
        S::InitError: fmt::Debug,
        S::Response: Into<Response<B>> + 'static,
        <S::Service as Service<Request>>::Future: 'static,
        S::Service: 'static,
        B: MessageBody + 'static,
    {
        let stopping = server.graceful_shutdown_signal();
        server.listen("http", listener, move || {
            let (room, words, stopping) = (self.room.clone(), self.words.clone(), stopping.clone());
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
                .client_request_timeout(self.head)
                .client_disconnect_timeout(FAREWELL)
                .on_connect_ext(|io: &Watched, data: &mut Extensions| _ = data.insert(io.seat()));
            let app = factory().into_factory().map_err(|error| error.into().error_response());
            let http = http.finish(map_config(app, |()| AppConfig::default()));
            fn_service(move |io: TcpStream| {
                let peer = io.peer_addr().ok();
                let watched =
                    Watched::new(io, room.enter(peer.map(|peer| peer.ip()), Instant::now()), Arc::clone(&words));
                async move { Ok::<_, DispatchError>((watched, Protocol::Http1, peer)) }
            })
            .and_then(http)
        })
    }

    /// Looks through the room for as long as the runtime lives.
    pub fn keep(&self) {
        let room = self.room.clone();
        actix_web::rt::spawn(async move {
            loop {
                actix_web::rt::time::sleep(SWEEP).await;
                room.sweep(Instant::now());
            }
        });
    }
}
