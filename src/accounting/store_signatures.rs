//! The table of batches' signatures: facts that nobody changes; the last one recorded counts.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::batch::BatchSignature;
use crate::kernel::Actor;
use crate::kernel::ids::BatchId;
use crate::kernel::text::{Line, Note};
use crate::platform::db::schema::accounting_batch_signatures as signatures;
use crate::platform::{Outcome, Tx};

type Row = (BatchId, NaiveDate, Line, Line, Option<Note>);

/// The signature of each batch given, as last recorded.
pub(super) fn last(tx: &mut Tx<'_>, ids: &[BatchId]) -> Outcome<HashMap<BatchId, BatchSignature>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(5000) {
        let rows: Vec<Row> = signatures::table
            .filter(signatures::batch_id.eq_any(chunk))
            .order((signatures::batch_id.asc(), signatures::position.asc()))
            .select((
                signatures::batch_id,
                signatures::signed_on,
                signatures::name,
                signatures::title,
                signatures::evidence,
            ))
            .load(tx.conn())?;
        found.extend(
            rows.into_iter().map(|(id, on, name, title, evidence)| (id, BatchSignature { on, name, title, evidence })),
        );
    }
    Ok(found)
}

/// Records a signature after those there are; `reason` when one is recorded anew.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    batch: BatchId,
    signature: &BatchSignature,
    reason: Option<&Note>,
    actor: &Actor,
) -> Outcome<()> {
    let before: Option<i64> = signatures::table
        .filter(signatures::batch_id.eq(batch))
        .select(diesel::dsl::max(signatures::position))
        .first(tx.conn())?;
    diesel::insert_into(signatures::table)
        .values((
            signatures::batch_id.eq(batch),
            signatures::position.eq(before.unwrap_or(0) + 1),
            signatures::signed_on.eq(signature.on),
            signatures::name.eq(&signature.name),
            signatures::title.eq(&signature.title),
            signatures::evidence.eq(&signature.evidence),
            signatures::reason.eq(reason),
            signatures::recorded_by.eq(actor.user()),
            signatures::recorded_by_label.eq(&actor.label),
            signatures::recorded_at.eq(tx.now()),
        ))
        .execute(tx.conn())?;
    Ok(())
}
