//! The table of the journal.

use diesel::prelude::*;

use super::Entry;
use crate::insert_batches;
use crate::kernel::{Actor, Instant, ids::{AuditEventId, UserId}};
use crate::platform::db::schema::audit_events;
use crate::platform::{Outcome, Tx};

#[derive(Insertable)]
#[diesel(table_name = audit_events)]
struct NewEvent<'a> {
    id: AuditEventId,
    at: Instant,
    actor_id: Option<UserId>,
    actor_label: &'a str,
    request_id: Option<&'a str>,
    action: &'a str,
    subject_kind: &'a str,
    subject_key: &'a str,
    data: String,
}

pub(super) fn insert(tx: &mut Tx<'_>, actor: &Actor, entries: &[Entry]) -> Outcome<()> {
    let rows: Vec<NewEvent<'_>> = entries
        .iter()
        .map(|entry| NewEvent {
            id: AuditEventId::new(tx.uuid()),
            at: tx.now(),
            actor_id: actor.user,
            actor_label: &actor.label,
            request_id: actor.request_id.as_deref(),
            action: entry.action,
            subject_kind: entry.subject_kind,
            subject_key: &entry.subject_key,
            data: entry.data.to_string(),
        })
        .collect();
    insert_batches!(tx, audit_events::table, rows);
    Ok(())
}
