//! `/health/live` and `/health/ready`: for whoever restarts or routes to the program.
//!
//! ```text
//!   live    the process answers                                        no  ─▶ restart it
//!   ready   the database answers, its migrations are all there         no  ─▶ 503: send it no request
//!           the queue moves                                            no  ─▶ 200, "degraded": wake somebody
//! ```
//! A stuck queue keeps nobody from reading, signing or approving, and every instance sees the same queue: taking them
//! out of rotation for it would turn late documents into a whole outage. It is said here, measured in `/metrics`, and
//! left to a person. For the same reason a writer busy with a long act does not make an instance unready.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::kernel::FieldError;
use crate::platform::db::Database;
use crate::platform::jobs::{self, Backlog, JobState};
use crate::platform::web::problem::UNAVAILABLE;
use crate::platform::web::{Answer, Problem, State};

/// A probe that gets no answer within this time counts as failed: better to say so.
const PATIENCE: Duration = Duration::from_secs(5);

/// Age of the oldest due job from which the queue is late; from the configuration.
#[derive(Debug, Clone, Copy)]
pub struct LateAfter(pub i64);

pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.route("/health/live", web::get().to(live)).route("/health/ready", web::get().to(ready));
}

/// The process answers.
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// A check that failed: its name, and what to say of it.
type Failed = (&'static str, &'static str);

const SILENT: Failed = ("database", "La base de données ne répond pas.");

/// What was found; or which check failed.
fn look(db: &Database) -> Result<Backlog, Failed> {
    let unheard = |cause: &dyn std::fmt::Display| {
        tracing::error!(%cause, "not ready");
        SILENT
    };
    if db.has_pending_migrations().map_err(|cause| unheard(&cause))? {
        return Err(("migrations", "Des migrations attendent : lancer « ent-backoffice migrate »."));
    }
    db.read(jobs::overview).map_err(|cause| unheard(&cause))
}

/// Whether requests may be sent here, and each thing that was looked at.
async fn ready(state: State, late_after: web::Data<LateAfter>) -> Answer {
    let db = state.db.clone();
    let looked = actix_web::rt::time::timeout(PATIENCE, web::block(move || look(&db))).await;
    let backlog = match looked {
        Ok(Ok(Ok(backlog))) => backlog,
        Ok(Ok(Err(failed))) => return Err(unready(failed)),
        Ok(Err(_)) => return Err(unready(("program", "Le service s'arrête."))),
        Err(_) => return Err(unready(("database", "La base de données tarde à répondre."))),
    };
    let age = backlog.oldest_due_seconds.unwrap_or(0);
    let late = age > late_after.0;
    let view = json!({
        "status": if late { "degraded" } else { "ok" },
        "checks": {
            "database": { "status": "ok" },
            "migrations": { "status": "ok" },
            "jobs": {
                "status": if late { "late" } else { "ok" },
                "oldest_due_seconds": age,
                "late_after_seconds": late_after.0,
                "queued": backlog.count(JobState::Queued),
                "running": backlog.count(JobState::Running),
                "failed": backlog.count(JobState::Failed),
            },
        },
    });
    Ok(HttpResponse::Ok().json(view))
}

/// The problem document that names the check at fault.
fn unready((check, detail): Failed) -> Problem {
    let pointer = format!("checks/{check}");
    let error = FieldError { pointer, code: "failed".to_owned(), message: detail.to_owned(), value: None };
    Problem::field(&UNAVAILABLE, detail, error)
}
