//! What happens when something frozen is found falsified: it is counted, and journalled by itself, since the transaction
//! that found it is undone.
//!
//! ```text
//!   use case ──Error::Falsified──▶ undone ──▶ log (error) ──▶ ent_integrity_faults_total ──▶ journal `integrity.fault`, task
//! ```
//! A row that is no value of the program ends the same way: `db::unreadable` looks for it in the rows each room names.
//!
//! Who asks again and again for the same paper does not fill the journal, which nothing may empty: each fault is noted
//! once an hour by each process; the counter counts them all.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::reasons::INTEGRITY_FAULT;
use crate::audit::{self, Act, SubjectKind, Told};
use crate::conventions;
use crate::kernel::{Actor, Instant};
use crate::platform::db::DatabaseFault;
use crate::platform::db::unreadable::Rows;
use crate::platform::telemetry::Metrics;
use crate::platform::{Database, Falsified};
use crate::tasks::{self, NewTask};

/// What the checks of integrity found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum IntegrityEvent {
    #[serde(rename = "integrity.fault")]
    Fault { fault: String },
}

impl Told for IntegrityEvent {
    const ACTS: &'static [Act] = &[("integrity.fault", "Contenu altéré")];

    fn sentence(&self) -> String {
        match self {
            Self::Fault { fault } => format!("Contenu altéré : {fault}."),
        }
    }
}

/// Faults remembered; when there are more, all are noted again.
const REMEMBERED: usize = 1000;

#[derive(Default)]
struct Noted(Mutex<HashMap<String, Instant>>);

impl Noted {
    /// Whether a fault is to be noted now.
    fn is_new(&self, found: &Falsified, now: Instant) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = now.plus(Duration::hours(-1));
        if noted.len() >= REMEMBERED {
            noted.clear();
        }
        let last = noted.insert(format!("{} {found}", found.kind), now);
        last.is_none_or(|last| last <= old || last > now)
    }
}

/// Tells the database where a row that cannot be read is looked for, and who is to be told.
pub fn set(db: &Database, metrics: Metrics, rows: Vec<Rows>) {
    db.on_unreadable(rows);
    let noted = Noted::default();
    db.on_falsified(move |db, found| {
        metrics.falsified(found.kind);
        if !noted.is_new(found, db.clock().now()) {
            return;
        }
        let actor = Actor::program("contrôle d'intégrité");
        let event = IntegrityEvent::Fault { fault: found.fault.clone() };
        let kind = SubjectKind::parse(found.kind).unwrap_or(SubjectKind::StoredFile);
        let told = db.write(|tx| {
            let subject = audit::subject_called(tx, kind, &found.key)?;
            audit::record(tx, &actor, subject.clone(), event)?;
            let why = format!("Contenu altéré : {}. À comparer avec une sauvegarde.", found.fault);
            tasks::open(tx, &actor, NewTask { kind: INTEGRITY_FAULT, subject, why, due_on: None })
        });
        if let Err(cause) = told {
            tracing::error!(%cause, "the falsification could not be journalled");
        }
    });
}

/// What was issued before seals were kept is sealed once, before anybody is served.
pub fn seal_what_is_older(db: &Database) -> Result<(), DatabaseFault> {
    let sealed = conventions::seal_what_is_older(db).map_err(|cause| {
        DatabaseFault::new(
            format!("Les conventions d'avant les sceaux n'ont pu être scellées : {cause}"),
            "Relancer la commande ; si le refus demeure, comparer la base avec une sauvegarde.",
        )
    })?;
    if sealed > 0 {
        tracing::warn!(sealed, "conventions issued before seals were kept: sealed as they are");
    }
    Ok(())
}
