//! `/metrics`: what the program measures, for Prometheus.
//!
//! ```text
//!   metrics.listen = "IP:port"   there, with /health, and nowhere else
//!   metrics.listen = ""          on the main address, asked directly by this machine, and only while public_url is
//!                                an address of this machine: a program that is public shows no measure to the public;
//!                                a request that any relay marked, or that was addressed to another name, is not direct
//! ```
//! Anybody else gets the 404 of an address where there is nothing.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::openapi::Described;
use crate::config::Config;
use crate::kernel::refused::NOT_FOUND;
use crate::platform::telemetry::Metrics;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Problem, State, caller};
use crate::platform::{jobs, mail};

/// Who may read the measures at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Whoever reaches this address: it was made for them.
    Anybody,
    /// Programs of this machine that ask directly.
    ThisMachine,
    Nobody,
}

impl Readers {
    /// On the main address.
    pub fn on_main_address(config: &Config) -> Self {
        if config.metrics.listen.is_none() && config.server.is_local() { Self::ThisMachine } else { Self::Nobody }
    }

    fn admit(self, request: &HttpRequest) -> bool {
        match self {
            Self::Anybody => true,
            Self::ThisMachine => {
                request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback())
                    && !caller::is_relayed(request.headers())
                    && caller::names_this_machine(request.headers())
            }
            Self::Nobody => false,
        }
    }
}

/// `/metrics`, for the OpenAPI document.
pub fn described() -> Described {
    let text = "Format d'exposition de Prometheus ; ouvert aux programmes de la même machine, ou à l'adresse \
        `metrics.listen` de la configuration : ailleurs, 404.";
    Described::get("/metrics", "get_metrics", "Lire les mesures", text, "")
        .only("text/plain", json!({ "type": "string" }))
        .answers(&Answers::refuse(&[&NOT_FOUND]))
}

/// Mounts `/metrics` for its readers.
pub fn routes(cfg: &mut web::ServiceConfig, readers: Readers) {
    let answer =
        move |request: HttpRequest, state: State, metrics: web::Data<Metrics>| scrape(request, state, metrics, readers);
    cfg.route("/metrics", web::get().to(answer));
}

async fn scrape(request: HttpRequest, state: State, metrics: web::Data<Metrics>, readers: Readers) -> Answer {
    if !readers.admit(&request) {
        return Err(Problem::new(&NOT_FOUND, "Aucune ressource à l'adresse /metrics."));
    }
    let db = state.machinery().clone();
    let text = web::block(move || {
        let waiting = db.read(|tx| Ok((jobs::overview(tx)?, mail::overview(tx)?)));
        let waiting = waiting.inspect_err(|cause| tracing::error!(%cause, "metrics of the queues")).ok();
        metrics.render(&db.pools(), waiting.as_ref().map(|(jobs, mails)| (jobs, mails)))
    });
    let text =
        text.await.map_err(|_| Problem::new(&crate::platform::web::problem::UNAVAILABLE, "Le service s'arrête."))?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
