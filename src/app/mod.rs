//! The composition root: opens what the program needs, mounts every capability, serves. Nobody imports it but `main`,
//! the command line and the tests.
//!
//! ```text
//!   Config ──▶ App::build ──▶ App::prepare_database ──▶ App::serve ──┬─▶ HTTP threads ──▶ edge ──▶ capabilities
//!              (keys, pools)    (migrate, or refuse)                 └─▶ job threads
//! ```
//! To add a capability: its routes in [`capabilities`], its problem codes in [`catalogue`], its jobs in [`handlers`],
//! and what its handlers share in [`App::shared`].

mod edge;
mod health;
mod openapi;
mod problems;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_multipart::form::MultipartFormConfig;
use actix_web::dev::ServerHandle;
use actix_web::middleware::Compress;
use actix_web::{HttpServer, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::access::{LoginService, SessionRules, TokenRules, Tokens};
use crate::config::{Config, ConfigFault};
use crate::kernel::{Clock, Ids, ProblemCode};
use crate::platform::db::{Database, DatabaseFault, DatabaseSettings};
use crate::platform::jobs::Handlers;
use crate::platform::web::State;
use crate::{access, kernel, platform};

/// Mounts the capabilities under `/api/v1`, in their import order.
pub fn capabilities(cfg: &mut ServiceConfig<'_>) {
    access::routes(cfg);
}

/// Every problem code the program may answer with, published at `/problems`.
#[must_use]
pub fn catalogue() -> Vec<&'static ProblemCode> {
    [
        kernel::refused::CODES,
        platform::web::problem::CODES,
        &[&platform::db::idempotency::KEY_REUSED],
        access::CODES,
        edge::CODES,
    ]
    .concat()
}

/// Which function runs which kind of job.
fn handlers(_config: &Config) -> Handlers {
    Handlers::default()
}

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Config(Vec<ConfigFault>),
    #[error("{0}")]
    Database(#[from] DatabaseFault),
    #[error("La base attend des migrations.\n  → Lancer « ent-backoffice migrate », ou « serve --migrate ».")]
    PendingMigrations,
    #[error("{problem}\n  → {remedy}")]
    Listen { problem: String, remedy: String },
}

/// The program, ready to serve.
pub struct App {
    pub db: Database,
    pub config: Config,
    pub handlers: Handlers,
    pub tokens: web::Data<Tokens>,
    login: LoginService,
}

/// How [`App::serve`] runs.
pub struct Serving {
    /// Threads that run jobs; none when jobs run elsewhere.
    pub job_threads: usize,
    /// Threads that answer requests; 0 = one per core.
    pub http_threads: usize,
    /// Stop on SIGTERM and SIGINT, after the requests under way.
    pub on_signals: bool,
}

impl App {
    /// Reads the keys and opens the database; changes nothing in it.
    ///
    /// # Errors
    /// What is wrong and how to mend it.
    pub fn build(config: Config, clock: Clock, ids: Ids) -> Result<Self, StartFault> {
        config.startable().map_err(StartFault::Config)?;
        let keys = config
            .signing_keys(&mut |bytes| bytes.iter_mut().zip(ids.secret()).for_each(|(to, from)| *to = from))
            .map_err(StartFault::Config)?;
        let url = config.database_url().map_err(|fault| StartFault::Config(vec![fault]))?;
        let database = &config.database;
        let sqlite = url.starts_with("sqlite:");
        let settings = DatabaseSettings {
            url,
            connections: if sqlite { database.sqlite_readers } else { database.postgres_connections },
            wait: Duration::from_secs(database.pool_timeout_seconds),
        };
        let db = Database::open(&settings, clock.clone(), ids)?;
        let rules = TokenRules {
            issuer: config.access.issuer.clone(),
            audience: config.access.audience.clone(),
            lifetime_minutes: config.access.access_token_minutes,
        };
        let tokens = web::Data::new(Tokens::new(keys.iter().map(|key| key.as_bytes()), rules, clock));
        let login = LoginService::new(SessionRules {
            refresh_token_days: config.access.refresh_token_days,
            failed_login_limit: config.access.failed_login_limit,
            failed_login_window_minutes: config.access.failed_login_window_minutes,
            lockout_minutes: config.access.lockout_minutes,
        });
        let handlers = handlers(&config);
        Ok(Self { db, config, handlers, tokens, login })
    }

    /// SQLite migrates by itself; PostgreSQL, shared between instances, only when asked.
    ///
    /// # Errors
    /// [`StartFault::PendingMigrations`], or the database's own words.
    pub fn prepare_database(&self, migrate: bool) -> Result<(), StartFault> {
        if migrate || self.db.is_sqlite() {
            let ran = self.db.migrate()?;
            if ran > 0 {
                tracing::info!(ran, "migrations");
            }
            Ok(())
        } else if self.db.has_pending_migrations()? {
            Err(StartFault::PendingMigrations)
        } else {
            Ok(())
        }
    }

    /// What handlers share, per HTTP thread.
    fn shared(&self) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + use<> {
        let state = web::Data::new(State { db: self.db.clone() });
        let tokens = self.tokens.clone();
        let login = web::Data::new(self.login.clone());
        let json = web::PayloadConfig::new(self.config.server.json_limit_bytes);
        let import_limit = self.config.server.import_limit_bytes;
        move |cfg| {
            let import = MultipartFormConfig::default()
                .total_limit(import_limit)
                .memory_limit(import_limit)
                .error_handler(|error, _| edge::multipart_problem(&error).into());
            cfg.app_data(state.clone())
                .app_data(tokens.clone())
                .app_data(login.clone())
                .app_data(json.clone())
                .app_data(import);
        }
    }

    /// Mounts everything on an actix application; the edge (request id, timeout…) is wrapped around it by [`App::serve`].
    fn router(&self) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + use<> {
        let shared = self.shared();
        let document = openapi::document();
        let allowed = edge::AllowedMethods::new(&document);
        move |cfg| {
            shared(cfg);
            ServiceConfig::new(cfg).service(utoipa_actix_web::scope("/api/v1").configure(capabilities));
            health::routes(cfg);
            problems::routes(cfg);
            openapi::routes(cfg, &document);
            cfg.app_data(web::Data::new(allowed.clone()));
            cfg.default_service(web::to(edge::nothing_here));
        }
    }

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
        let threads = self.spawn_job_threads(how.job_threads, &stop)?;
        let router = self.router();
        let timeout = Duration::from_secs(self.config.server.request_timeout_seconds);
        let served = actix_web::rt::System::new().block_on(async move {
            let mut server = HttpServer::new(move || {
                let router = router.clone();
                actix_web::App::new()
                    .configure(router)
                    .wrap(Compress::default())
                    .wrap_fn(move |request, next| edge::around(request, next, timeout))
            })
            .disable_signals()
            .shutdown_timeout(30);
            if how.http_threads > 0 {
                server = server.workers(how.http_threads);
            }
            let server = server.listen(listener)?.run();
            if how.on_signals {
                stop_on_signals(&server.handle())?;
            }
            started(server.handle());
            server.await
        });
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            // A job that panicked is taken again when its lease runs out.
            let _ = thread.join();
        }
        served
    }

    fn spawn_job_threads(
        &self,
        count: usize,
        stop: &Arc<AtomicBool>,
    ) -> std::io::Result<Vec<std::thread::JoinHandle<()>>> {
        let poll = Duration::from_millis(self.config.jobs.poll_milliseconds);
        (0..count)
            .map(|rank| {
                let (handlers, db, stop) = (self.handlers.clone(), self.db.clone(), Arc::clone(stop));
                std::thread::Builder::new().name(format!("job-{rank}")).spawn(move || handlers.work(&db, &stop, poll))
            })
            .collect()
    }

    /// Runs jobs only, until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// Signals or threads are refused by the system.
    pub fn work(&self) -> std::io::Result<()> {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = self.spawn_job_threads(self.config.jobs.workers, &stop)?;
        let waited = actix_web::rt::System::new().block_on(async {
            let mut signals = signals()?;
            next_signal(&mut signals).await;
            Ok(())
        });
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            let _ = thread.join();
        }
        waited
    }
}

/// The OpenAPI document of everything mounted.
#[must_use]
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    openapi::document()
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
