//! The journal: who did what to what, when. Append-only (the tables refuse every UPDATE and DELETE), written in the
//! transaction of the act, so that an act without its trace cannot exist.

mod clock;
mod store;

pub use clock::look_at_clock;

use serde_json::Value;

use crate::kernel::ids::{AuditEventId, UserId};
use crate::kernel::{Actor, Instant};
use crate::platform::web::{Page, PageView};
use crate::platform::{Outcome, Tx};

/// One line of the journal.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Stable verb, e.g. `convention.issued`.
    pub action: &'static str,
    pub subject_kind: &'static str,
    /// The subject's public key: SIRET, UAI, number, reference or id.
    pub subject_key: String,
    pub data: Value,
}

impl Entry {
    pub fn new(action: &'static str, subject_kind: &'static str, subject_key: impl ToString, data: Value) -> Self {
        Self { action, subject_kind, subject_key: subject_key.to_string(), data }
    }
}

/// Writes one line.
pub fn record(tx: &mut Tx<'_>, actor: &Actor, entry: Entry) -> Outcome<()> {
    record_all(tx, actor, &[entry])
}

/// Writes many lines of one act.
pub fn record_all(tx: &mut Tx<'_>, actor: &Actor, entries: &[Entry]) -> Outcome<()> {
    store::insert(tx, actor, entries)
}

/// One line as kept.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: AuditEventId,
    pub at: Instant,
    pub actor_id: Option<UserId>,
    pub actor_label: String,
    pub request_id: Option<String>,
    pub action: String,
    pub subject_kind: String,
    pub subject_key: String,
    pub data: Value,
}

/// Which lines to read.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub subject_kind: Option<String>,
    pub subject_key: Option<String>,
    pub action: Option<String>,
    pub actor: Option<UserId>,
    pub updated_since: Option<Instant>,
}

crate::sort_keys!(EventSort, EventOrder of "audit_events", descending { At => "at" });

/// Reads lines, newest first unless asked otherwise: their ids sort by the instant of the act.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page<EventSort>) -> Outcome<PageView<Event>> {
    store::list(tx, filter, page)
}
