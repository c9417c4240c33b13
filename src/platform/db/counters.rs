//! Gap-free numbers: a counter moves in the transaction that uses its value, so a rollback gives the value back.
//!
//! ```text
//!   take ──▶ the counter's row, locked ──▶ the instant, taken now ──▶ before the last of the series? refused
//! ```
//! Numbers and instants have one order, over any number of processes: whoever waited for the lock acts after the one who
//! held it, and says so. A clock that went back gives no number before the last one; clocks of several machines, which
//! differ by a little, do not show.

use chrono::Duration;
use diesel::prelude::*;

use super::Tx;
use super::schema::counters;
use crate::kernel::{Instant, Refused};
use crate::on_backend;
use crate::platform::error::{Error, Outcome};

/// How far behind the last number of a series a clock may be and only be one of several machines'.
const SKEW: Duration = Duration::seconds(1);

crate::problem_codes! {
    CLOCK_BEHIND = "clock_behind", 503, "Horloge en retard",
        "L'heure du serveur est antérieure au dernier numéro donné dans la série (référence, décision, bordereau, convention) : \
         aucun numéro n'est donné avant lui. Remettre le serveur à l'heure, ou attendre qu'il la rattrape ; rien n'a été \
         enregistré.";
}

/// Takes `count` consecutive numbers and returns the first.
///
/// The row stays locked until the transaction ends: those who come after wait, and see what was committed. The instant of
/// the transaction is taken once it is had.
///
/// # Errors
/// `clock_behind`: the last number was given after now.
pub fn take(tx: &mut Tx<'_>, name: &str, count: i64) -> Outcome<i64> {
    if let Some(moved) = advance(tx, name, count)? {
        return given(tx, name, count, moved);
    }
    // The first of its series; another transaction may be as early.
    on_backend!(tx.conn(), |c| diesel::insert_into(counters::table)
        .values((counters::name.eq(name), counters::value.eq(0)))
        .on_conflict(counters::name)
        .do_nothing()
        .execute(c))?;
    let moved =
        advance(tx, name, count)?.ok_or_else(|| Error::Incident(format!("table counters: {name} is missing")))?;
    given(tx, name, count, moved)
}

/// The first of the numbers just taken, at an instant that follows those of the numbers before.
fn given(tx: &mut Tx<'_>, name: &str, count: i64, (last, last_at): (i64, Option<Instant>)) -> Outcome<i64> {
    tx.holds(name);
    if count == 0 {
        return Ok(last + 1);
    }
    if let Some(last_at) = last_at
        && !tx.follows(last_at, SKEW)
    {
        let detail = format!(
            "L'horloge du serveur marque {}, avant le dernier numéro de la série « {name} », donné le {last_at} : aucun \
             numéro n'est donné avant lui.",
            tx.now()
        );
        return Err(Refused::new(&CLOCK_BEHIND, detail).into());
    }
    let now = tx.now();
    diesel::update(counters::table.find(name)).set(counters::last_at.eq(now)).execute(tx.conn())?;
    Ok(last - count + 1)
}

fn advance(tx: &mut Tx<'_>, name: &str, count: i64) -> Outcome<Option<(i64, Option<Instant>)>> {
    Ok(diesel::update(counters::table.find(name))
        .set(counters::value.eq(counters::value + count))
        .returning((counters::value, counters::last_at))
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
