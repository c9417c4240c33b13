//! Serving: HTTP threads, the side address, job threads, and how all of them stop.
//!
//! ```text
//!   SIGTERM, SIGINT ──▶ no new connection ──▶ requests under way end ──▶ jobs under way end ──▶ exit 0
//!                                             (shutdown_timeout_seconds)   no other is taken, no lease is left
//! ```

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle, Service as _};
use actix_web::middleware::Compress;

use super::sockets::{Doorway, Needs, Room, Rules, places};
use super::{App, background, edge, health, metrics, misread, openapi, parameters, refused, slices};
/// Connections at once on the side address.
const SIDE_PLACES: usize = 32;

/// How [`App::serve`] runs.
pub struct Serving {
    /// Whether jobs run here; not when they run elsewhere.
    pub jobs: bool,
    /// Threads that answer requests; 0 = one per core.
    pub http_threads: usize,
    /// Stop on SIGTERM and SIGINT, after the requests under way.
    pub on_signals: bool,
}

impl App {
    /// Serves until stopped; `started` receives what stops it. Requests and jobs under way end first.
    ///
    /// # Errors
    /// The listener cannot be served.
    pub fn serve(
        self,
        listener: TcpListener,
        how: &Serving,
        started: impl FnOnce(ServerHandle),
    ) -> std::io::Result<()> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        let document = openapi::document();
        let router = self.router(&document);
        let edge = edge::Edge::new(&self.config.server, self.metrics.clone(), &document);
        drop(document);
        let side = self.side_listener()?;
        let (doorway, places, threads_of_http) = self.doorway(how.http_threads);
        let served = actix_web::rt::System::new().block_on(async {
            doorway.keep();
            let server = Server::build()
                .disable_signals()
                .workers(threads_of_http)
                // Whoever comes when all are taken takes a place from another; the rest is left for that moment.
                .max_concurrent_connections((places + places / 8).div_ceil(threads_of_http) + 1)
                .shutdown_timeout(self.config.server.shutdown_timeout_seconds);
            let server = doorway.listen(server, listener, move || {
                let (router, edge) = (router.clone(), edge.clone());
                actix_web::App::new()
                    .configure(router)
                    .wrap_fn(parameters::check)
                    .wrap_fn(refused::journal)
                    .wrap_fn(|request, next| {
                        let answer = next.call(request);
                        async move { answer.await.map(edge::leave_compressed).map(slices::cut) }
                    })
                    .wrap(Compress::default())
                    .wrap_fn(move |request, next| edge::around(request, next, &edge))
            });
            let server = server?.run();
            if how.on_signals {
                stop_on_signals(&server.handle())?;
            }
            // Only once signals are listened to: a stop that comes at once must not leave a lease behind.
            if how.jobs {
                threads = background::start(&self, &stop)?;
            }
            let side = side.map(|listener| self.side_server(listener)).transpose()?;
            let side_handle = side.as_ref().map(Server::handle);
            if let Some(side) = side {
                actix_web::rt::spawn(side);
            }
            started(server.handle());
            let ended = server.await;
            // The measures can be read while the requests under way end.
            if let Some(side) = side_handle {
                side.stop(false).await;
            }
            ended
        });
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            // A job that panicked is taken again when its lease runs out.
            let _ = thread.join();
        }
        served
    }

    /// Where the connections of the main address sit, how many places there are, and the threads that serve them.
    fn doorway(&self, http_threads: usize) -> (Doorway, usize, usize) {
        let config = &self.config;
        let threads = match http_threads {
            0 => std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get),
            some => some,
        };
        let database =
            if self.db.is_sqlite() { 1 + config.database.sqlite_readers } else { config.database.postgres_connections };
        let (places, said) = places(Needs {
            asked: config.server.connections,
            http_threads: threads,
            database: usize::try_from(database).unwrap_or(usize::MAX),
        });
        match said {
            Some(said) => tracing::warn!(connections = places, "{said}"),
            None => tracing::info!(connections = places, "places for callers"),
        }
        (self.doorway_of(places), places, threads)
    }

    fn doorway_of(&self, places: usize) -> Doorway {
        let head = Duration::from_secs(self.config.server.header_timeout_seconds);
        let rules = Rules { places, idle: Doorway::idle(head), pace: edge::pace(&self.config.server) };
        let words = misread::words(self.db.clone(), edge::hsts(&self.config.server));
        Doorway { room: Room::new(rules, self.metrics.clone()), head, words }
    }

    /// The address of the measures, if they have one of their own.
    fn side_listener(&self) -> std::io::Result<Option<TcpListener>> {
        let Some(address) = self.config.metrics.listen else { return Ok(None) };
        let bound = TcpListener::bind(address).map_err(|e| {
            std::io::Error::new(
                e.kind(),
                format!(
                    "metrics.listen : l'adresse {address} ne peut être écoutée : {}",
                    crate::kernel::system::said(&e)
                ),
            )
        })?;
        tracing::info!(address = %bound.local_addr()?, "metrics");
        Ok(Some(bound))
    }

    /// Measures and health, on an address of their own.
    fn side_server(&self, listener: TcpListener) -> std::io::Result<Server> {
        let shared = self.shared();
        let edge = edge::Edge::new(&self.config.server, self.metrics.clone(), &serde_json::Value::Null);
        // The collector and the supervisor: a handful.
        let doorway = self.doorway_of(SIDE_PLACES);
        doorway.keep();
        let server = Server::build().disable_signals().workers(1).max_concurrent_connections(SIDE_PLACES * 2);
        let server = doorway.listen(server, listener, move || {
            let edge = edge.clone();
            actix_web::App::new()
                .configure(shared.clone())
                .configure(|cfg| {
                    health::routes(cfg);
                    metrics::routes(cfg, metrics::Readers::Anybody);
                })
                .wrap_fn(move |request, next| edge::around(request, next, &edge))
        });
        Ok(server?.run())
    }

    /// Runs jobs only, until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// Signals or threads are refused by the system.
    pub fn work(&self) -> std::io::Result<()> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        let side = self.side_listener()?;
        let waited = actix_web::rt::System::new().block_on(async {
            let mut signals = signals()?;
            threads = background::start(self, &stop)?;
            let side = side.map(|listener| self.side_server(listener)).transpose()?;
            let handle = side.as_ref().map(Server::handle);
            if let Some(side) = side {
                actix_web::rt::spawn(side);
            }
            next_signal(&mut signals).await;
            tracing::info!("stopping after the jobs under way");
            if let Some(handle) = handle {
                handle.stop(false).await;
            }
            Ok(())
        });
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            let _ = thread.join();
        }
        waited
    }
}

type Signals = [actix_web::rt::signal::unix::Signal; 2];

fn signals() -> std::io::Result<Signals> {
    use actix_web::rt::signal::unix::{SignalKind, signal};
    Ok([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?])
}

async fn next_signal(signals: &mut Signals) {
    std::future::poll_fn(|cx| {
        let ready = signals.iter_mut().any(|signal| signal.poll_recv(cx).is_ready());
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

fn stop_on_signals(server: &ServerHandle) -> std::io::Result<()> {
    let mut signals = signals()?;
    let server = server.clone();
    actix_web::rt::spawn(async move {
        next_signal(&mut signals).await;
        tracing::info!("stopping after the requests under way");
        server.stop(true).await;
    });
    Ok(())
}
