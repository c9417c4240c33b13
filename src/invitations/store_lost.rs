//! Requests for lost links, counted in a window of time.

use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::platform::db::schema::lost_links;
use crate::platform::db::{AnyConnection, Tx};
use crate::platform::error::Outcome;
use crate::text_enum;

text_enum!(
    /// What requests are counted by.
    Scope { Caller => "caller", Dossier => "dossier", Address => "address" }
);

impl Scope {
    /// How many are granted, in how long.
    const fn limit(self) -> (i64, Duration) {
        match self {
            // A whole town hall stands behind one address.
            Self::Caller => (20, Duration::hours(1)),
            Self::Dossier => (3, Duration::hours(24)),
            // One mailbox may serve several communes.
            Self::Address => (10, Duration::hours(24)),
        }
    }
}

/// Counts a request; false when there were too many of its kind.
pub(super) fn grant(tx: &mut Tx<'_>, scope: Scope, key: &str) -> Outcome<bool> {
    let (limit, window) = scope.limit();
    if let AnyConnection::Postgresql(c) = tx.conn() {
        // Of a hundred at once each waits for the one before; SQLite has one writer.
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind::<Text, _>(format!("lost_links {scope} {key}"))
            .execute(c)?;
    }
    let now = tx.now();
    let since = now.plus(-window);
    let counted: i64 = lost_links::table
        .filter(lost_links::scope.eq(scope).and(lost_links::key.eq(key)).and(lost_links::at.gt(since)))
        .count()
        .get_result(tx.conn())?;
    if counted >= limit {
        return Ok(false);
    }
    diesel::insert_into(lost_links::table)
        .values((
            lost_links::id.eq(tx.uuid().to_string()),
            lost_links::at.eq(now),
            lost_links::scope.eq(scope),
            lost_links::key.eq(key),
        ))
        .execute(tx.conn())?;
    Ok(true)
}

/// Removes what no window reaches any more.
pub(super) fn purge(tx: &mut Tx<'_>) -> Outcome<()> {
    let before = tx.now().plus(-Duration::hours(25));
    diesel::delete(lost_links::table.filter(lost_links::at.lt(before))).execute(tx.conn())?;
    Ok(())
}
