//! The counters of failed attempts, and the sources each person is known at.
//!
//! A counter is named by what is tried; an address of mail only by its digest, for it may be anything somebody typed.

use std::net::IpAddr;

use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use super::brake::{Brake, Rule};
use crate::kernel::contact::EmailAddress;
use crate::kernel::{Instant, ids::UserId};
use crate::on_backend;
use crate::platform::db::blobs::digest;
use crate::platform::db::schema::{brakes, known_sources};
use crate::platform::{Outcome, Tx};

/// How long a source is known after the last log-in from it.
const KNOWN_FOR: Duration = Duration::days(90);

/// What is tried, and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counter(String);

impl Counter {
    /// Passwords of one account from one source.
    pub(super) fn pair(email: &EmailAddress, source: IpAddr) -> Self {
        Self(format!("pair:{}", digest(format!("{email} {source}").as_bytes())))
    }

    /// Passwords of one account, wherever they are tried from.
    pub(super) fn account(email: &EmailAddress) -> Self {
        Self(format!("account:{}", digest(email.as_str().as_bytes())))
    }

    /// Passwords from one source, of whatever account.
    pub(super) fn source(source: IpAddr) -> Self {
        Self(format!("source:{source}"))
    }

    /// One-time codes from one source.
    pub(super) fn code(source: IpAddr) -> Self {
        Self(format!("code:{source}"))
    }

    /// Refresh tokens from one source.
    pub(super) fn refresh(source: IpAddr) -> Self {
        Self(format!("refresh:{source}"))
    }
}

/// Seconds to wait before each of these may be tried; none for those that may be at once.
pub(super) fn waits<const N: usize>(tx: &mut Tx<'_>, counters: [&Counter; N]) -> Outcome<[Option<i64>; N]> {
    let now = tx.now();
    let found: Vec<(String, Instant)> = brakes::table
        .filter(brakes::key.eq_any(counters.map(|counter| counter.0.as_str())).and(brakes::free_at.gt(now)))
        .select((brakes::key, brakes::free_at))
        .load(tx.conn())?;
    Ok(counters.map(|counter| {
        let own = found.iter().find(|(key, _)| *key == counter.0);
        own.and_then(|(_, free_at)| Brake { failures: 0, free_at: *free_at, forget_at: *free_at }.seconds(now))
    }))
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    failures: i64,
}

/// Counts a failure. Transactions that count several take them in one order: account and source, source, account.
pub(super) fn count_failure(tx: &mut Tx<'_>, counter: &Counter, rule: Rule) -> Outcome<()> {
    let now = tx.now();
    let counted = diesel::sql_query(
        "INSERT INTO brakes (key, failures, free_at, forget_at) VALUES ($1, 1, $2, $2) ON CONFLICT (key) DO UPDATE \
         SET failures = CASE WHEN brakes.forget_at <= $2 THEN 1 ELSE brakes.failures + 1 END RETURNING failures",
    )
    .bind::<Text, _>(&counter.0)
    .bind::<Timestamp, _>(now);
    let Count { failures } = counted.get_result(tx.conn())?;
    let brake = rule.after(failures, now);
    diesel::update(brakes::table.find(&counter.0))
        .set((brakes::free_at.eq(brake.free_at), brakes::forget_at.eq(brake.forget_at)))
        .execute(tx.conn())?;
    Ok(())
}

/// Forgets the failures of one counter.
pub(super) fn release(tx: &mut Tx<'_>, counter: &Counter) -> Outcome<()> {
    diesel::delete(brakes::table.find(&counter.0)).execute(tx.conn())?;
    Ok(())
}

/// Whether the person logged in from this source lately.
pub(super) fn is_known(tx: &mut Tx<'_>, user: UserId, source: IpAddr) -> Outcome<bool> {
    let since = tx.now().plus(-KNOWN_FOR);
    let known = known_sources::table.find((user, source.to_string())).filter(known_sources::last_success_at.ge(since));
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(tx.conn())?)
}

/// Notes a log-in from a source.
pub(super) fn know(tx: &mut Tx<'_>, user: UserId, source: IpAddr) -> Outcome<()> {
    let now = tx.now();
    let source = source.to_string();
    on_backend!(tx.conn(), |c| diesel::insert_into(known_sources::table)
        .values((
            known_sources::user_id.eq(user),
            known_sources::source.eq(&source),
            known_sources::last_success_at.eq(now),
        ))
        .on_conflict((known_sources::user_id, known_sources::source))
        .do_update()
        .set(known_sources::last_success_at.eq(now))
        .execute(c))?;
    Ok(())
}

/// Forgets the sources of a person: what was known at them is over with the password.
pub(super) fn forget_sources(tx: &mut Tx<'_>, user: UserId) -> Outcome<()> {
    diesel::delete(known_sources::table.filter(known_sources::user_id.eq(user))).execute(tx.conn())?;
    Ok(())
}

/// Removes counters and sources that say nothing any more; returns how many.
pub(super) fn purge(tx: &mut Tx<'_>) -> Outcome<usize> {
    let now = tx.now();
    let counters = diesel::delete(brakes::table.filter(brakes::forget_at.le(now))).execute(tx.conn())?;
    let oldest = now.plus(-KNOWN_FOR);
    let sources = diesel::delete(known_sources::table.filter(known_sources::last_success_at.lt(oldest)));
    Ok(counters + sources.execute(tx.conn())?)
}
