//! The table of the journal.

use diesel::prelude::*;

use super::{Entry, Event, EventSort, Filter};
use crate::kernel::bare::bare;
use crate::kernel::{
    Actor, Instant,
    ids::{AuditEventId, UserId},
};
use crate::platform::db::schema::audit_events;
use crate::platform::web::{Page, PageView};
use crate::platform::{Outcome, Tx};
use crate::{insert_batches, keyset};

#[derive(Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
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

type EventRow = (AuditEventId, Instant, Option<UserId>, String, Option<String>, String, String, String, String);

pub(super) fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page<EventSort>) -> Outcome<PageView<Event>> {
    let mut query = audit_events::table
        .select((
            audit_events::id,
            audit_events::at,
            audit_events::actor_id,
            audit_events::actor_label,
            audit_events::request_id,
            audit_events::action,
            audit_events::subject_kind,
            audit_events::subject_key,
            audit_events::data,
        ))
        .into_boxed();
    if let Some(kind) = &filter.subject_kind {
        query = query.filter(audit_events::subject_kind.eq(kind));
    }
    if let Some(key) = &filter.subject_key {
        // A SIRET or a UAI as people write it; ids and school years stand as they are.
        query = query.filter(audit_events::subject_key.eq_any([key.clone(), bare(key).into_owned()]));
    }
    if let Some(action) = &filter.action {
        query = query.filter(audit_events::action.eq(action));
    }
    if let Some(actor) = filter.actor {
        query = query.filter(audit_events::actor_id.eq(actor));
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(audit_events::at.ge(since));
    }
    keyset!(query, page, audit_events::id, { EventSort::At => audit_events::id, String; });
    let rows: Vec<EventRow> = query.load(tx.conn())?;
    let events = rows
        .into_iter()
        .map(|(id, at, actor_id, actor_label, request_id, action, subject_kind, subject_key, data)| {
            let data = serde_json::from_str(&data)?;
            Ok(Event { id, at, actor_id, actor_label, request_id, action, subject_kind, subject_key, data })
        })
        .collect::<Outcome<Vec<_>>>()?;
    Ok(page.cut(events, tx.now(), |EventSort::At, event| (event.id.to_string(), event.id.to_string())))
}
