//! Gap-free numbers: a counter moves in the transaction that uses its value, so a rollback gives the value back.

use diesel::prelude::*;

use super::Tx;
use super::schema::counters;
use crate::on_backend;
use crate::platform::error::{Error, Outcome};

/// Takes `count` consecutive numbers and returns the first.
///
/// The row stays locked until the transaction ends: those who come after wait, and see what was committed.
pub fn take(tx: &mut Tx<'_>, name: &str, count: i64) -> Outcome<i64> {
    if let Some(last) = advance(tx, name, count)? {
        return Ok(last - count + 1);
    }
    // The first of its series; another transaction may be as early.
    on_backend!(tx.conn(), |c| diesel::insert_into(counters::table)
        .values((counters::name.eq(name), counters::value.eq(0)))
        .on_conflict(counters::name)
        .do_nothing()
        .execute(c))?;
    let last =
        advance(tx, name, count)?.ok_or_else(|| Error::Incident(format!("table counters: {name} is missing")))?;
    Ok(last - count + 1)
}

fn advance(tx: &mut Tx<'_>, name: &str, count: i64) -> Outcome<Option<i64>> {
    Ok(diesel::update(counters::table.find(name))
        .set(counters::value.eq(counters::value + count))
        .returning(counters::value)
        .get_result(tx.conn())
        .optional()?)
}

/// Waits for, and holds until the end of the transaction, the right to use a counter (or any named lock).
pub fn lock(tx: &mut Tx<'_>, name: &str) -> Outcome<()> {
    take(tx, name, 0).map(|_| ())
}

/// The last number taken; zero when none was.
pub fn value(tx: &mut Tx<'_>, name: &str) -> Outcome<i64> {
    let last: Option<i64> = counters::table.find(name).select(counters::value).first(tx.conn()).optional()?;
    Ok(last.unwrap_or(0))
}
