//! The tables of acts that nobody waits for: what was asked, and one row per outcome.

use diesel::prelude::*;
use serde_json::Value;

use super::act::ActState;
use crate::insert_batches;
use crate::kernel::Instant;
use crate::kernel::ids::{ActId, UserId};
use crate::keyset;
use crate::platform::db::AnyConnection;
use crate::platform::db::schema::{act_items, acts};
use crate::platform::page::{Page, PageView};
use crate::platform::{Outcome, Tx};

crate::sort_keys!(ItemSort, ItemOrder of "act_items" { Rank => "rank" });

/// An act as kept, but its result.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = acts)]
pub(super) struct Act {
    pub id: ActId,
    pub operation: String,
    #[diesel(column_name = author_id)]
    pub author: UserId,
    pub request_id: Option<String>,
    pub request: String,
    pub state: ActState,
    pub done: i64,
    pub total: Option<i64>,
    pub problem: Option<String>,
    pub asked_at: Instant,
    pub begun_at: Option<Instant>,
    pub ended_at: Option<Instant>,
}

/// What is asked.
pub(super) struct Asked<'a> {
    pub id: ActId,
    pub operation: &'a str,
    pub author: UserId,
    pub request_id: Option<&'a str>,
    pub request: &'a str,
}

pub(super) fn insert(tx: &mut Tx<'_>, asked: Asked<'_>) -> Outcome<()> {
    let now = tx.now();
    diesel::insert_into(acts::table)
        .values((
            acts::id.eq(asked.id),
            acts::operation.eq(asked.operation),
            acts::author_id.eq(asked.author),
            acts::request_id.eq(asked.request_id),
            acts::request.eq(asked.request),
            acts::state.eq(ActState::Waiting),
            acts::done.eq(0_i64),
            acts::asked_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn find(tx: &mut Tx<'_>, id: ActId) -> Outcome<Option<Act>> {
    Ok(acts::table.find(id).select(Act::as_select()).first(tx.conn()).optional()?)
}

/// An act that runs, held until the end of the transaction.
pub(super) fn hold_running(tx: &mut Tx<'_>, id: ActId) -> Outcome<Option<Act>> {
    let running = acts::table.find(id).filter(acts::state.eq(ActState::Running));
    Ok(match tx.conn() {
        AnyConnection::Postgresql(c) => running.select(Act::as_select()).for_no_key_update().first(c).optional()?,
        conn @ AnyConnection::Sqlite(_) => running.select(Act::as_select()).first(conn).optional()?,
    })
}

/// Moves an act from one state to another; false when it was in none such.
pub(super) fn step(tx: &mut Tx<'_>, id: ActId, from: ActState, to: ActState) -> Outcome<bool> {
    let now = tx.now();
    let own = acts::table.find(id).filter(acts::state.eq(from));
    let moved = if to == ActState::Running {
        diesel::update(own).set((acts::state.eq(to), acts::begun_at.eq(now))).execute(tx.conn())?
    } else {
        diesel::update(own).set((acts::state.eq(to), acts::ended_at.eq(now))).execute(tx.conn())?
    };
    Ok(moved == 1)
}

/// A try that came to nothing: the act waits for the next one, and may be cancelled meanwhile.
pub(super) fn wait_again(tx: &mut Tx<'_>, id: ActId) -> Outcome<()> {
    let own = acts::table.find(id).filter(acts::state.eq(ActState::Running));
    diesel::update(own)
        .set((acts::state.eq(ActState::Waiting), acts::begun_at.eq(None::<Instant>)))
        .execute(tx.conn())?;
    Ok(())
}

/// How an act ended.
pub(super) enum Ending<'a> {
    Done(&'a Value),
    Refused(&'a Value),
    Failed,
}

#[derive(Insertable)]
#[diesel(table_name = act_items, treat_none_as_default_value = false)]
struct ItemRow {
    act_id: ActId,
    rank: i64,
    item: String,
}

/// Writes how a running act ended, and each outcome; nothing when it has ended already.
pub(super) fn end(tx: &mut Tx<'_>, id: ActId, ending: Ending<'_>) -> Outcome<()> {
    let now = tx.now();
    let own = acts::table.find(id).filter(acts::state.eq_any([ActState::Running, ActState::Waiting]));
    match ending {
        Ending::Done(view) => {
            let items = view.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let rows: Vec<ItemRow> =
                (1..).zip(items).map(|(rank, item)| ItemRow { act_id: id, rank, item: item.to_string() }).collect();
            let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            let ended = (acts::state.eq(ActState::Done), acts::ended_at.eq(now), acts::done.eq(total));
            let told = (acts::total.eq(total), acts::result.eq(view.to_string()));
            if diesel::update(own).set((ended, told)).execute(tx.conn())? == 1 {
                insert_batches!(tx, act_items::table, rows);
            }
        }
        Ending::Refused(problem) => {
            let ended = (acts::state.eq(ActState::Refused), acts::ended_at.eq(now));
            diesel::update(own).set((ended, acts::problem.eq(problem.to_string()))).execute(tx.conn())?;
        }
        Ending::Failed => {
            diesel::update(own).set((acts::state.eq(ActState::Failed), acts::ended_at.eq(now))).execute(tx.conn())?;
        }
    }
    Ok(())
}

/// What the act answered; none while it is not done.
pub(super) fn result(tx: &mut Tx<'_>, id: ActId) -> Outcome<Option<String>> {
    Ok(acts::table.find(id).select(acts::result).first(tx.conn())?)
}

/// One outcome of an act, in its order.
pub(super) struct Item {
    pub rank: i64,
    pub item: Value,
}

pub(super) fn items(tx: &mut Tx<'_>, id: ActId, page: &Page<ItemSort>) -> Outcome<PageView<Item>> {
    let mut query =
        act_items::table.filter(act_items::act_id.eq(id)).select((act_items::rank, act_items::item)).into_boxed();
    // Ranks are each other's key.
    keyset!(query, page, act_items::act_id, { ItemSort::Rank => act_items::rank, i64; });
    let rows: Vec<(i64, String)> = query.load(tx.conn())?;
    let found = rows
        .into_iter()
        .map(|(rank, item)| Ok(Item { rank, item: serde_json::from_str(&item)? }))
        .collect::<Outcome<Vec<_>>>()?;
    Ok(page.cut(found, tx.now(), |ItemSort::Rank, item| (item.rank.to_string(), id.to_string())))
}

/// Removes what ended before an instant.
pub(super) fn purge(tx: &mut Tx<'_>, before: Instant) -> Outcome<()> {
    let old = acts::table.filter(acts::ended_at.lt(before).assume_not_null()).select(acts::id);
    let ids: Vec<ActId> = old.load(tx.conn())?;
    for ids in ids.chunks(crate::platform::db::BATCH) {
        diesel::delete(acts::table.filter(acts::id.eq_any(ids))).execute(tx.conn())?;
    }
    Ok(())
}
