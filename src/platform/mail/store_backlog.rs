//! What waits to leave, for who watches over it.

use diesel::dsl::{count_star, min, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::state::EmailState;
use crate::kernel::Instant;
use crate::platform::db::Tx;
use crate::platform::db::schema::emails;
use crate::platform::error::Outcome;

/// What waits to leave, and what a person should look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailBacklog {
    /// Mails by state, but those that were sent or cancelled.
    pub waiting: Vec<(EmailState, i64)>,
    pub oldest_due_seconds: Option<i64>,
}

/// Sends nothing of what waits; how many mails that is. For a base that was restored: its mails may have left already.
///
/// # Errors
/// Those of the database.
pub fn cancel_waiting(tx: &mut Tx<'_>, why: &str) -> Outcome<usize> {
    let now = tx.now();
    let waiting = emails::table.filter(sql::<Bool>("state IN ('queued', 'deferred')"));
    let over = (
        emails::state.eq(EmailState::Cancelled),
        emails::cause.eq(why),
        emails::ended_at.eq(now),
        emails::updated_at.eq(now),
    );
    Ok(diesel::update(waiting).set(over).execute(tx.conn())?)
}

/// Reads it as it stands.
///
/// # Errors
/// Those of the database.
pub fn overview(tx: &mut Tx<'_>) -> Outcome<MailBacklog> {
    let waiting = emails::table
        .filter(emails::state.ne_all([EmailState::Sent, EmailState::Cancelled]))
        .group_by(emails::state)
        .order(emails::state.asc())
        .select((emails::state, count_star()))
        .load(tx.conn())?;
    let now = tx.now();
    let due = emails::table.filter(sql::<Bool>("state IN ('queued', 'deferred')")).filter(emails::due_at.le(now));
    let oldest: Option<Instant> = due.select(min(emails::due_at)).first(tx.conn())?;
    let oldest_due_seconds = oldest.map(|since| (now.timestamp() - since.timestamp()).max(0));
    Ok(MailBacklog { waiting, oldest_due_seconds })
}
