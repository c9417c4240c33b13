//! The journal: who did what to what, when. Append-only (the tables refuse every UPDATE and DELETE), written in the
//! transaction of the act, so that an act without its trace cannot exist.

mod store;

use serde_json::Value;

use crate::kernel::Actor;
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
