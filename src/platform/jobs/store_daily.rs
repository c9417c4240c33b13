//! The days on which each daily work ran.

use chrono::{Days, NaiveDate};
use diesel::prelude::*;

use crate::on_backend;
use crate::platform::db::Tx;
use crate::platform::db::schema::daily_runs;
use crate::platform::error::Outcome;

/// Runs are remembered for so long.
const REMEMBERED: Days = Days::new(2 * 366);

/// The last day before this one on which it ran.
pub(super) fn last_before(tx: &mut Tx<'_>, name: &str, day: NaiveDate) -> Outcome<Option<NaiveDate>> {
    let before = daily_runs::table.filter(daily_runs::name.eq(name).and(daily_runs::day.lt(day)));
    Ok(before.select(diesel::dsl::max(daily_runs::day)).first(tx.conn())?)
}

pub(super) fn ran(tx: &mut Tx<'_>, name: &str, day: NaiveDate) -> Outcome<bool> {
    Ok(diesel::select(diesel::dsl::exists(daily_runs::table.find((name, day)))).get_result(tx.conn())?)
}

/// Takes a day for this transaction; false when it is taken. Another instance that wants the same waits to know.
pub(super) fn claim(tx: &mut Tx<'_>, name: &str, day: NaiveDate) -> Outcome<bool> {
    let now = tx.now();
    let row = (daily_runs::name.eq(name), daily_runs::day.eq(day), daily_runs::ran_at.eq(now));
    let claimed = on_backend!(tx.conn(), |c| diesel::insert_into(daily_runs::table)
        .values(row)
        .on_conflict((daily_runs::name, daily_runs::day))
        .do_nothing()
        .execute(c))?;
    if let Some(old) = day.checked_sub_days(REMEMBERED) {
        diesel::delete(daily_runs::table.filter(daily_runs::name.eq(name).and(daily_runs::day.lt(old))))
            .execute(tx.conn())?;
    }
    Ok(claimed == 1)
}
