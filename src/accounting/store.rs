//! The tables of batches: frozen content, files, and what moves beside them.

use diesel::prelude::*;

use super::batch::{
    Batch, BatchEffect, BatchFile, BatchNature, BatchNumber, BatchSignature, BatchStage, BatchState, FileFormat,
};
use super::store_signatures as signatures;
use crate::kernel::ids::{BatchId, CampaignId, TitleId, UserId};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::{Line, Note};
use crate::kernel::{Actor, Instant, Money, Refused};
use crate::platform::db::schema::{
    accounting_batch_files as files, accounting_batch_progress as progress, accounting_batch_signatures,
    accounting_batch_titles as members, accounting_batches as batches, perception_titles as titles, title_approvals,
};
use crate::platform::db::unreadable::Rows;
use crate::platform::page::{Page, PageView};
use crate::platform::{Error, Outcome, Tx};
use crate::{insert_batches, keyset, rows};

/// Writes a sealed batch, its titles and its files.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    batch: &Batch,
    sealer: UserId,
    titles: &[TitleId],
    written: &[BatchFile],
) -> Outcome<()> {
    diesel::insert_into(batches::table)
        .values((
            batches::id.eq(batch.id),
            batches::number.eq(&batch.number),
            batches::number_rank.eq(batch.rank),
            batches::campaign_id.eq(batch.campaign_id),
            batches::exercice.eq(batch.exercice),
            batches::nature.eq(batch.nature),
            batches::comptable.eq(&batch.comptable),
            batches::title_count.eq(batch.count),
            batches::total_cents.eq(batch.total),
            batches::content_sha256.eq(&batch.content_sha256),
            batches::sealed_by.eq(sealer),
            batches::sealed_by_label.eq(&batch.sealed_by_label),
            batches::sealed_at.eq(batch.sealed_at),
        ))
        .execute(tx.conn())?;
    diesel::insert_into(progress::table)
        .values((
            progress::batch_id.eq(batch.id),
            progress::state.eq(batch.state()),
            progress::version.eq(batch.version),
            progress::updated_at.eq(batch.sealed_at),
        ))
        .execute(tx.conn())?;
    let member_rows: Vec<_> = (1_i64..)
        .zip(titles)
        .map(|(position, title)| {
            (members::batch_id.eq(batch.id), members::position.eq(position), members::title_id.eq(*title))
        })
        .collect();
    insert_batches!(tx, members::table, member_rows);
    for file in written {
        diesel::insert_into(files::table)
            .values((
                files::batch_id.eq(batch.id),
                files::format.eq(file.format),
                files::sha256.eq(&file.sha256),
                files::length.eq(file.length),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

type SealedRow = (BatchId, BatchNumber, BatchNature, Money, Instant);

/// Where a row that cannot be read is looked for.
pub(super) const ROWS: &[Rows] = &[
    rows!("accounting_batches": batches as SealedRow, "accounting_batch",
        "SELECT id, number AS key FROM accounting_batches ORDER BY id", batches::id,
        (batches::id, batches::number, batches::nature, batches::total_cents, batches::sealed_at)),
    rows!("accounting_batch_progress": progress as (BatchState, Instant), "accounting_batch",
        "SELECT id, number AS key FROM accounting_batches ORDER BY id", progress::batch_id,
        (progress::state, progress::updated_at)),
    rows!("accounting_batch_signatures": accounting_batch_signatures as (Line, Line, Option<Note>), "accounting_batch",
        "SELECT id, number AS key FROM accounting_batches ORDER BY id", accounting_batch_signatures::batch_id,
        (accounting_batch_signatures::name, accounting_batch_signatures::title, accounting_batch_signatures::evidence)),
    rows!("accounting_batch_files": files as FileFormat, "accounting_batch",
        "SELECT id, number AS key FROM accounting_batches ORDER BY id", files::batch_id, files::format),
];

type BatchRow = (
    (BatchId, BatchNumber, i64, CampaignId, i64, BatchNature, String, i64, Money, String),
    (String, Instant, BatchState, i64, Instant),
);

macro_rules! batch_columns {
    () => {
        (
            (
                batches::id,
                batches::number,
                batches::number_rank,
                batches::campaign_id,
                batches::exercice,
                batches::nature,
                batches::comptable,
                batches::title_count,
                batches::total_cents,
                batches::content_sha256,
            ),
            (batches::sealed_by_label, batches::sealed_at, progress::state, progress::version, progress::updated_at),
        )
    };
}

/// A state without what it rests on is no batch of ours.
fn batch(row: BatchRow, signature: Option<BatchSignature>) -> Outcome<Batch> {
    let ((id, number, rank, campaign_id, exercice, nature, comptable, count, total, content_sha256), rest) = row;
    let (sealed_by_label, sealed_at, state, version, updated_at) = rest;
    let stage = match (state, signature) {
        (BatchState::Sealed, None) => BatchStage::Sealed,
        (BatchState::Signed, Some(signature)) => BatchStage::Signed(signature),
        (state, _) => {
            let what = format!("l'état « {state} » du bordereau ne va pas avec ses signatures");
            return Err(Error::falsified("accounting_batch", &number, what));
        }
    };
    Ok(Batch {
        id,
        number,
        rank,
        campaign_id,
        exercice,
        nature,
        comptable,
        count,
        total,
        content_sha256,
        sealed_by_label,
        sealed_at,
        stage,
        version,
        updated_at,
    })
}

fn load(tx: &mut Tx<'_>, rows: Vec<BatchRow>) -> Outcome<Vec<Batch>> {
    let ids: Vec<BatchId> = rows.iter().map(|((id, ..), _)| *id).collect();
    let mut last = signatures::last(tx, &ids)?;
    rows.into_iter()
        .map(|row| {
            let signature = last.remove(&row.0.0);
            batch(row, signature)
        })
        .collect()
}

/// Writes what an act changed of a batch, if nobody changed it meanwhile.
pub(super) fn save(tx: &mut Tx<'_>, batch: &mut Batch, effect: &BatchEffect, actor: &Actor) -> Outcome<()> {
    let BatchEffect::Signed { signature, reason } = effect;
    signatures::insert(tx, batch.id, signature, reason.as_ref(), actor)?;
    let read = batch.version;
    batch.version += 1;
    batch.updated_at = tx.now();
    let done = diesel::update(progress::table.find(batch.id).filter(progress::version.eq(read)))
        .set((
            progress::state.eq(batch.state()),
            progress::version.eq(batch.version),
            progress::updated_at.eq(batch.updated_at),
        ))
        .execute(tx.conn())?;
    if done == 1 {
        Ok(())
    } else {
        Err(Refused::new(&CONCURRENT_CHANGE, "Le bordereau a été modifié entre-temps.").into())
    }
}

pub(super) fn find(tx: &mut Tx<'_>, number: &BatchNumber) -> Outcome<Option<Batch>> {
    let row: Option<BatchRow> = batches::table
        .inner_join(progress::table.on(progress::batch_id.eq(batches::id)))
        .filter(batches::number.eq(number))
        .select(batch_columns!())
        .first(tx.conn())
        .optional()?;
    Ok(load(tx, row.into_iter().collect())?.pop())
}

/// Which batches a list shows.
#[derive(Debug, Clone, Default)]
pub struct BatchFilter {
    pub campaign: Option<CampaignId>,
    pub exercice: Option<i64>,
    pub status: Option<BatchState>,
    pub updated_since: Option<Instant>,
}

crate::sort_keys!(BatchSort, BatchOrder of "accounting_batches" { Number => "number", Amount => "amount", Updated => "updated_at" });

/// A page of batches.
pub(super) fn list(tx: &mut Tx<'_>, filter: &BatchFilter, page: &Page<BatchSort>) -> Outcome<PageView<Batch>> {
    let mut query = batches::table
        .inner_join(progress::table.on(progress::batch_id.eq(batches::id)))
        .select(batch_columns!())
        .into_boxed();
    if let Some(campaign) = filter.campaign {
        query = query.filter(batches::campaign_id.eq(campaign));
    }
    if let Some(exercice) = filter.exercice {
        query = query.filter(batches::exercice.eq(exercice));
    }
    if let Some(status) = filter.status {
        query = query.filter(progress::state.eq(status));
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(progress::updated_at.ge(since));
    }
    keyset!(query, page, batches::number, {
        BatchSort::Number => batches::number, String;
        BatchSort::Amount => batches::total_cents, i64;
        BatchSort::Updated => progress::updated_at, Instant;
    });
    let rows: Vec<BatchRow> = query.load(tx.conn())?;
    let place = |by, b: &Batch| {
        let value = match by {
            BatchSort::Number => b.number.to_string(),
            BatchSort::Amount => b.total.cents().to_string(),
            BatchSort::Updated => b.updated_at.to_string(),
        };
        (value, b.number.to_string())
    };
    let found = load(tx, rows)?;
    Ok(page.cut(found, tx.now(), place))
}

/// A title of a batch: its reference and the digest of its frozen content, as approved, and its amount.
pub(super) type Member = (String, String, Money);

/// The titles of a batch, in order.
pub(super) fn members(tx: &mut Tx<'_>, id: BatchId) -> Outcome<Vec<Member>> {
    Ok(members::table
        .inner_join(title_approvals::table.on(title_approvals::title_id.eq(members::title_id)))
        .inner_join(titles::table.on(titles::id.eq(members::title_id)))
        .filter(members::batch_id.eq(id))
        .order(members::position.asc())
        .select((title_approvals::reference, title_approvals::content_sha256, titles::amount_cents))
        .load(tx.conn())?)
}

pub(super) fn files_of(tx: &mut Tx<'_>, id: BatchId) -> Outcome<Vec<BatchFile>> {
    let rows: Vec<(FileFormat, String, i64)> = files::table
        .filter(files::batch_id.eq(id))
        .order(files::format.asc())
        .select((files::format, files::sha256, files::length))
        .load(tx.conn())?;
    Ok(rows.into_iter().map(|(format, sha256, length)| BatchFile { format, sha256, length }).collect())
}
