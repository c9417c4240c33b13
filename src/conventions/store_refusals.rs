//! The tables of refusals and of what took them back: facts that nobody changes.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::kernel::ids::{ConventionId, RefusalId};
use crate::kernel::text::{Line, Note};
use crate::kernel::{Actor, Instant};
use crate::platform::db::schema::{convention_refusals as refusals, convention_reopenings as reopenings};
use crate::platform::{Error, Outcome, Tx};

/// A refusal about to be kept.
pub(super) struct NewRefusal {
    pub id: RefusalId,
    pub convention: ConventionId,
    pub on: NaiveDate,
    /// Who said no for the collectivité.
    pub by: Line,
    pub reason: Note,
}

/// A refusal that stands.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Refusal {
    pub id: RefusalId,
    pub convention: ConventionId,
    pub on: NaiveDate,
    pub by: Line,
    pub reason: Note,
    pub recorded_by: String,
    pub recorded_at: Instant,
}

pub(super) fn insert(tx: &mut Tx<'_>, actor: &Actor, new: &NewRefusal) -> Outcome<()> {
    let now = tx.now();
    diesel::insert_into(refusals::table)
        .values((
            refusals::id.eq(new.id),
            refusals::convention_id.eq(new.convention),
            refusals::declined_on.eq(new.on),
            refusals::declined_by.eq(&new.by),
            refusals::reason.eq(&new.reason),
            refusals::recorded_by.eq(actor.user()),
            refusals::recorded_by_label.eq(&actor.label),
            refusals::recorded_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The refusal that stands of each convention given.
pub(super) fn standing(tx: &mut Tx<'_>, ids: &[ConventionId]) -> Outcome<HashMap<ConventionId, Refusal>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(5000) {
        let rows: Vec<Refusal> = refusals::table
            .left_join(reopenings::table.on(reopenings::refusal_id.eq(refusals::id)))
            .filter(refusals::convention_id.eq_any(chunk))
            .filter(reopenings::refusal_id.nullable().is_null())
            .order(refusals::id.asc())
            .select((
                refusals::id,
                refusals::convention_id,
                refusals::declined_on,
                refusals::declined_by,
                refusals::reason,
                refusals::recorded_by_label,
                refusals::recorded_at,
            ))
            .load(tx.conn())?;
        found.extend(rows.into_iter().map(|r| (r.convention, r)));
    }
    Ok(found)
}

/// Writes what takes the refusal of a convention back.
pub(super) fn reopen(tx: &mut Tx<'_>, actor: &Actor, convention: ConventionId, reason: &Note) -> Outcome<()> {
    let refusal = standing(tx, &[convention])?.remove(&convention).ok_or_else(|| {
        Error::falsified("convention", convention, "elle est refusée, et son refus n'est plus là ou a été levé")
    })?;
    let now = tx.now();
    diesel::insert_into(reopenings::table)
        .values((
            reopenings::refusal_id.eq(refusal.id),
            reopenings::reason.eq(reason),
            reopenings::reopened_by.eq(actor.user()),
            reopenings::reopened_by_label.eq(&actor.label),
            reopenings::reopened_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}
