//! `/health/live` and `/health/ready`: for whoever restarts or routes to the program.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::platform::web::problem::UNAVAILABLE;
use crate::platform::web::{Answer, Problem, State};

pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.route("/health/live", web::get().to(live)).route("/health/ready", web::get().to(ready));
}

/// The process answers.
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// The database answers and has every migration.
async fn ready(state: State) -> Answer {
    let db = state.db.clone();
    match web::block(move || db.has_pending_migrations()).await {
        Ok(Ok(false)) => Ok(HttpResponse::Ok().json(json!({"status": "ok", "database": "ok", "migrations": "ok"}))),
        Ok(Ok(true)) => {
            Err(Problem::new(&UNAVAILABLE, "Des migrations attendent : lancer « ent-backoffice migrate »."))
        }
        Ok(Err(cause)) => {
            tracing::error!(%cause, "not ready");
            Err(Problem::new(&UNAVAILABLE, "La base de données ne répond pas."))
        }
        Err(_) => Err(Problem::new(&UNAVAILABLE, "Le service s'arrête.")),
    }
}
