//! `/health/live` and `/health/ready`: for whoever restarts or routes to the program.
//!
//! ```text
//!   live    the process answers                                        no  ─▶ restart it
//!   ready   the database answers, its migrations are all there,
//!           it is the base of the start, a row can be written          no  ─▶ 503: send it no request
//!           the queue moves, the clock is where it is expected         no  ─▶ 200, "degraded": wake somebody
//! ```
//! A stuck queue keeps nobody from reading, signing or approving, and every instance sees the same queue: taking them
//! out of rotation for it would turn late documents into a whole outage. It is said here, measured in `/metrics`, and
//! left to a person. For the same reason a writer busy with a long act does not make an instance unready.

use std::time::Duration;

use actix_web::{HttpResponse, ResponseError, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::openapi::Described;
use crate::platform::db::Database;
use crate::platform::db::clock_watch::{self, Sight};
use crate::platform::db::probe::Writing;
use crate::platform::jobs::{self, Backlog, JobState};
use crate::platform::web::docs::Answers;
use crate::platform::web::problem::UNAVAILABLE;
use crate::platform::web::{Problem, ProblemView, State};

/// A probe that gets no answer within this time counts as failed: better to say so.
const PATIENCE: Duration = Duration::from_secs(5);

/// Age of the oldest due job from which the queue is late; from the configuration.
#[derive(Debug, Clone, Copy)]
pub struct LateAfter(pub i64);

pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.route("/health/live", web::get().to(live)).route("/health/ready", web::get().to(ready));
}

/// The refusal of `/health/ready`, which also tells its checks.
const UNREADY: &str = "UnreadyProblemView";

/// Both addresses, for the OpenAPI document.
pub fn described() -> [Described; 2] {
    let live = "Pour qui le relance : ne regarde pas la base.";
    let ready = "Pour qui lui adresse du trafic : la base répond, ses migrations sont faites, c'est toujours celle du \
        démarrage, et une ligne peut y être écrite.";
    let states = |names: &[&str]| json!({ "type": "string", "enum": names });
    let count = |text: &str| json!({ "type": "integer", "format": "int64", "minimum": 0, "description": text });
    let detail = |text: &str| json!({ "type": "string", "description": text });
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let check = || reference("HealthCheck");
    let live_view = json!({ "type": "object", "properties": { "status": states(&["ok"]) }, "required": ["status"] });
    let ready_view = json!({
        "type": "object", "required": ["status", "checks"],
        "properties": {
            "status": states(&["ok", "degraded"]), "checks": reference("HealthChecks")
        }
    });
    let health_check = json!({
        "type": "object", "required": ["status"],
        "properties": {
            "status": states(&["ok", "busy", "failed", "unknown"]),
            "detail": detail("Ce qui manque, et le remède.")
        }
    });
    let health_checks = json!({
        "type": "object", "description": "Ce qui a été regardé.",
        "properties": {
            "database": check(), "migrations": check(), "base": check(), "writes": check(),
            "jobs": reference("QueueCheck"), "clock": reference("ClockCheck")
        }
    });
    let clock_check = json!({
        "type": "object", "required": ["status"],
        "description": "L'horloge, au regard de la dernière heure vue : loin après (`ahead`), ou avant (`behind`).",
        "properties": {
            "status": states(&["ok", "ahead", "behind", "unknown"]),
            "detail": detail("Les deux heures, et ce qui attend.")
        }
    });
    let queue_check = json!({
        "type": "object", "description": "Les travaux de fond.",
        "properties": {
            "status": states(&["ok", "late", "unknown"]),
            "oldest_due_seconds": count("Âge du plus ancien travail à faire."),
            "late_after_seconds": count("Âge à partir duquel la file est en retard."),
            "queued": count("Travaux en attente."), "running": count("Travaux en cours."),
            "failed": count("Travaux abandonnés, qu'une personne doit regarder.")
        },
        "required": ["status"]
    });
    let mut unready = json!(<ProblemView as PartialSchema>::schema());
    if let Some(fields) = unready.get_mut("properties").and_then(Value::as_object_mut) {
        fields.insert("checks".to_owned(), reference("HealthChecks"));
    }
    let unready_sometimes = [ProblemView::SOMETIMES, &["checks"]].concat();
    [
        Described::get("/health/live", "get_liveness", "Le programme répond-il ?", live, "LiveView")
            .of("LiveView", live_view),
        Described::get("/health/ready", "get_readiness", "Le programme peut-il servir ?", ready, "ReadyView")
            .answers(&Answers::refuse(&[&UNAVAILABLE]))
            .refused_as(503, UNREADY)
            .of("ReadyView", ready_view)
            .of("HealthCheck", health_check)
            .sometimes("HealthCheck", &["detail"])
            .of("HealthChecks", health_checks)
            .sometimes("HealthChecks", &["database", "migrations", "jobs", "clock"])
            .of("ClockCheck", clock_check)
            .sometimes("ClockCheck", &["detail"])
            .of("QueueCheck", queue_check)
            .sometimes("QueueCheck", &["oldest_due_seconds", "late_after_seconds", "queued", "running", "failed"])
            .of(UNREADY, unready)
            .sometimes(UNREADY, &unready_sometimes),
    ]
}

/// The process answers.
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// The state of one thing the program needs.
#[derive(Debug, Serialize)]
struct Check {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
}

const OK: Check = Check { status: "ok", detail: None };

const fn failed(detail: &'static str) -> Check {
    Check { status: "failed", detail: Some(detail) }
}

const UNKNOWN: Check = Check { status: "unknown", detail: None };
/// A long act holds the writer: nothing is known of writing, and nothing is wrong.
const BUSY: Check = Check { status: "busy", detail: None };
const SILENT: &str = "La base de données ne répond pas.";
const UNWRITABLE: &str = "La base ne peut plus être écrite : disque plein, fichier ou serveur en lecture seule.";

fn queue(backlog: &Backlog, late_after: i64) -> Value {
    let age = backlog.oldest_due_seconds().unwrap_or(0);
    json!({
        "status": if age > late_after { "late" } else { "ok" },
        "oldest_due_seconds": age,
        "late_after_seconds": late_after,
        "queued": backlog.count(JobState::Queued),
        "running": backlog.count(JobState::Running),
        "failed": backlog.count(JobState::Failed),
    })
}

fn clock(sight: Sight) -> Value {
    let status = match sight {
        Sight::Sound => return json!(OK),
        Sight::Ahead { .. } => "ahead",
        Sight::Behind { .. } => "behind",
    };
    json!({"status": status, "detail": sight.told()})
}

/// What was found, and what makes it unready.
fn look(db: &Database, late_after: i64) -> (Value, Option<&'static str>) {
    let (database, migrations, reason) = match db.has_pending_migrations() {
        Ok(false) => (OK, OK, None),
        Ok(true) => {
            let reason = "Des migrations attendent : lancer « ent-backoffice migrate ».";
            (OK, failed(reason), Some(reason))
        }
        Err(cause) => {
            tracing::error!(%cause, "not ready");
            (failed(SILENT), UNKNOWN, Some(SILENT))
        }
    };
    // Before its migrations the base has no id, and no row to write.
    let (base, writes, reason) = if reason.is_none() { trust(db) } else { (UNKNOWN, UNKNOWN, reason) };
    // Before its migrations the queue has no table to look at.
    let backlog = if reason.is_none() { db.read(jobs::overview).map(Some) } else { Ok(None) };
    let (jobs, reason) = match backlog {
        Ok(Some(backlog)) => (queue(&backlog, late_after), reason),
        Ok(None) => (json!(UNKNOWN), reason),
        Err(cause) => {
            tracing::error!(%cause, "not ready");
            (json!(UNKNOWN), Some(SILENT))
        }
    };
    let seen = if reason.is_none() { db.read(clock_watch::sight).map(Some) } else { Ok(None) };
    let (clock, reason) = match seen {
        Ok(Some(sight)) => (clock(sight), reason),
        Ok(None) => (json!(UNKNOWN), reason),
        Err(cause) => {
            tracing::error!(%cause, "not ready");
            (json!(UNKNOWN), Some(SILENT))
        }
    };
    let checks = json!({"database": database, "migrations": migrations, "base": base, "writes": writes, "jobs": jobs,
                        "clock": clock});
    (checks, reason)
}

/// Is it the base of the start, and can it be written?
fn trust(db: &Database) -> (Check, Check, Option<&'static str>) {
    match db.is_the_same() {
        Ok(Ok(())) => match db.try_write() {
            Writing::Works => (OK, OK, None),
            Writing::Busy => (OK, BUSY, None),
            Writing::Fails => (OK, failed(UNWRITABLE), Some(UNWRITABLE)),
        },
        Ok(Err(reason)) => (failed(reason), UNKNOWN, Some(reason)),
        Err(cause) => {
            tracing::error!(%cause, "not ready");
            (failed(SILENT), UNKNOWN, Some(SILENT))
        }
    }
}

/// Whether requests may be sent here, and each thing that was looked at.
async fn ready(state: State, late_after: web::Data<LateAfter>) -> HttpResponse {
    let (db, late_after) = (state.machinery().clone(), late_after.0);
    let looked = actix_web::rt::time::timeout(PATIENCE, web::block(move || look(&db, late_after))).await;
    match looked {
        Ok(Ok((checks, None))) => {
            let is = |place: &str, bad: &[&str]| {
                checks.pointer(place).and_then(Value::as_str).is_some_and(|status| bad.contains(&status))
            };
            let degraded = is("/jobs/status", &["late"]) || is("/clock/status", &["ahead", "behind"]);
            HttpResponse::Ok().json(json!({"status": if degraded { "degraded" } else { "ok" }, "checks": checks}))
        }
        Ok(Ok((checks, Some(reason)))) => unready(reason, &checks),
        Ok(Err(_)) => unready("Le service s'arrête.", &json!({})),
        Err(_) => unready("La base de données tarde à répondre.", &json!({"database": failed("délai dépassé")})),
    }
}

/// A problem document that also holds the checks.
fn unready(reason: &str, checks: &Value) -> HttpResponse {
    let problem = Problem::new(&UNAVAILABLE, reason);
    let mut view = json!(problem.view());
    if let Value::Object(members) = &mut view {
        members.insert("checks".to_owned(), checks.clone());
    }
    let mut response = HttpResponse::build(problem.status_code());
    response.content_type("application/problem+json").json(view)
}
