//! Mails taken to be sent, and what became of them; paces and holds are looked at where they are taken.

use std::collections::HashMap;

use chrono::Duration;
use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamp};

use super::kind::Posted;
use super::pace::Allowance;
use super::rules::Rules;
use super::state::{AttemptOutcome, EmailState, Stage};
use crate::insert_batches;
use crate::kernel::Instant;
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::EmailId;
use crate::platform::db::schema::{email_attempts, emails, mail_blocks, mail_gate};
use crate::platform::db::{AnyConnection, Backend, Tx, lives, placeholders};
use crate::platform::error::Outcome;

/// Longest words kept with a mail.
const WORDS: usize = 1000;

/// Why nothing may be taken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gate {
    Open {
        failures: i64,
    },
    /// The server was not reached: not before then.
    ClosedUntil(Instant),
    /// The base was restored, and nobody has looked yet.
    Restored,
}

/// Holds the gate until the end of the transaction: programs on one base take mails one after the other.
pub(super) fn hold_gate(tx: &mut Tx<'_>) -> Outcome<Gate> {
    let row = mail_gate::table.find(1).select((mail_gate::closed_until, mail_gate::failures));
    let (closed, failures): (Option<Instant>, i64) = match tx.conn() {
        AnyConnection::Postgresql(c) => row.for_no_key_update().first(c)?,
        conn @ AnyConnection::Sqlite(_) => row.first(conn)?,
    };
    if !lives::current(tx)?.released {
        return Ok(Gate::Restored);
    }
    let now = tx.now();
    // One beyond the longest wait was written by a clock that went back since.
    Ok(match closed.filter(|until| *until > now && *until <= now.plus(Duration::seconds(300))) {
        Some(until) => Gate::ClosedUntil(until),
        None => Gate::Open { failures },
    })
}

/// Notes that the server was not reached; nothing is taken for a while, longer each time up to five minutes.
pub(super) fn close_gate(tx: &mut Tx<'_>, cause: &str) -> Outcome<()> {
    let failures: i64 = mail_gate::table.find(1).select(mail_gate::failures).first(tx.conn())?;
    let doublings = u32::try_from(failures.clamp(0, 6)).unwrap_or(6);
    let until = tx.now().plus(Duration::seconds(5_i64.saturating_mul(2_i64.saturating_pow(doublings)).min(300)));
    diesel::update(mail_gate::table.find(1))
        .set((
            mail_gate::closed_until.eq(until),
            mail_gate::failures.eq(failures + 1),
            mail_gate::cause.eq(short(cause)),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Notes that the server was reached again.
pub(super) fn open_gate(tx: &mut Tx<'_>) -> Outcome<()> {
    diesel::update(mail_gate::table.find(1).filter(mail_gate::failures.gt(0)))
        .set((
            mail_gate::closed_until.eq(None::<Instant>),
            mail_gate::failures.eq(0_i64),
            mail_gate::cause.eq(None::<String>),
        ))
        .execute(tx.conn())?;
    Ok(())
}

fn short(words: &str) -> String {
    words.chars().take(WORDS).collect()
}

/// Mails whose worker fell silent while it sent them: nobody knows whether they left.
pub(super) fn abandoned(tx: &mut Tx<'_>) -> Outcome<Vec<(EmailId, i64, String)>> {
    let now = tx.now();
    let silent = sql::<Bool>("state = 'sending'").and(emails::lease_until.lt(now).assume_not_null());
    Ok(emails::table.filter(silent).select((emails::id, emails::attempts, emails::kind)).load(tx.conn())?)
}

/// A mail that may be taken.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Due {
    pub id: EmailId,
    pub kind: String,
    pub payload: String,
    pub address: EmailAddress,
    pub domain: String,
    pub attempts: i64,
    pub queued_at: Instant,
}

impl Due {
    pub(super) fn posted(&self) -> Posted {
        Posted { id: self.id, attempt: self.attempts + 1, to: self.address.clone(), payload: self.payload.clone() }
    }
}

/// What was begun in the minute that ends now, by domain.
fn minute(tx: &mut Tx<'_>) -> Outcome<HashMap<String, i64>> {
    let since = tx.now().plus(Duration::seconds(-60));
    let counted = email_attempts::table
        .filter(email_attempts::begun_at.gt(since))
        .filter(
            email_attempts::outcome
                .is_null()
                .or(email_attempts::outcome.ne(AttemptOutcome::Unreachable).assume_not_null()),
        )
        .group_by(email_attempts::domain)
        .select((email_attempts::domain, count_star()));
    Ok(counted.load::<(String, i64)>(tx.conn())?.into_iter().collect())
}

/// The oldest mails due, as many as the rules let leave now.
pub(super) fn due(tx: &mut Tx<'_>, rules: &Rules, kinds: &[&str], most: usize) -> Outcome<Vec<Due>> {
    let counted = if rules.per_minute == 0 && rules.per_domain_per_minute == 0 { HashMap::new() } else { minute(tx)? };
    let mut allowance = Allowance::new(rules, counted, most);
    let now = tx.now();
    let mut query = emails::table
        .filter(sql::<Bool>("state IN ('queued', 'deferred')"))
        .filter(emails::due_at.le(now).and(emails::kind.eq_any(kinds)))
        .filter(emails::domain.ne_all(allowance.full()))
        .order((emails::due_at.asc(), emails::id.asc()))
        .limit(allowance.window())
        .select((
            emails::id,
            emails::kind,
            emails::payload,
            emails::address,
            emails::domain,
            emails::attempts,
            emails::queued_at,
        ))
        .into_boxed();
    if let Some(trial) = &rules.trial {
        query = query.filter(emails::address.eq_any(trial));
    }
    let rows: Vec<Due> = query.load(tx.conn())?;
    Ok(rows.into_iter().filter(|row| allowance.takes(&row.domain)).collect())
}

/// Those of some addresses that are written to no more.
pub(super) fn blocked(tx: &mut Tx<'_>, addresses: &[&EmailAddress]) -> Outcome<Vec<EmailAddress>> {
    Ok(mail_blocks::table
        .filter(mail_blocks::address.eq_any(addresses))
        .select(mail_blocks::address)
        .load(tx.conn())?)
}

/// One try about to be made.
#[derive(Insertable)]
#[diesel(table_name = email_attempts)]
pub(super) struct Begun {
    pub email_id: EmailId,
    pub number: i64,
    pub message_id: String,
    pub domain: String,
    pub sender: EmailAddress,
    pub subject: String,
    pub body: String,
    pub html: String,
    pub files: String,
    pub begun_at: Instant,
}

/// Writes the tries and takes their mails, until an instant.
pub(super) fn begin(tx: &mut Tx<'_>, tries: &[Begun], until: Instant) -> Outcome<()> {
    let now = tx.now();
    insert_batches!(tx, email_attempts::table, tries);
    let ids: Vec<EmailId> = tries.iter().map(|begun| begun.email_id).collect();
    diesel::update(emails::table.filter(emails::id.eq_any(&ids)))
        .set((
            emails::state.eq(EmailState::Sending),
            emails::attempts.eq(emails::attempts + 1),
            emails::lease_until.eq(until),
            emails::updated_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// A mail that is not to be sent any more, and why.
pub(super) fn close(tx: &mut Tx<'_>, id: EmailId, state: EmailState, why: &str) -> Outcome<()> {
    let now = tx.now();
    diesel::update(emails::table.find(id))
        .set((
            emails::state.eq(state),
            emails::cause.eq(short(why)),
            emails::ended_at.eq(now),
            emails::updated_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// A mail that could not be composed: it waits.
pub(super) fn postpone(tx: &mut Tx<'_>, id: EmailId, until: Instant, cause: &str) -> Outcome<()> {
    let now = tx.now();
    diesel::update(emails::table.find(id))
        .set((
            emails::state.eq(EmailState::Deferred),
            emails::due_at.eq(until),
            emails::cause.eq(short(cause)),
            emails::updated_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// A try that was never made: its mail is as it was.
pub(super) fn release(tx: &mut Tx<'_>, id: EmailId, number: i64) -> Outcome<()> {
    let now = tx.now();
    let mine = emails::table.find(id).filter(emails::state.eq(EmailState::Sending).and(emails::attempts.eq(number)));
    let put_back = (
        emails::state.eq(EmailState::Queued),
        emails::attempts.eq(number - 1),
        emails::lease_until.eq(None::<Instant>),
        emails::updated_at.eq(now),
    );
    if diesel::update(mine).set(put_back).execute(tx.conn())? == 1 {
        diesel::delete(email_attempts::table.find((id, number))).execute(tx.conn())?;
    }
    Ok(())
}

/// A mail that a worker holds, as it is judged when it was refused for now.
pub(super) fn standing(tx: &mut Tx<'_>, id: EmailId) -> Outcome<(i64, Instant)> {
    Ok(emails::table.find(id).select((emails::refusals, emails::queued_at)).first(tx.conn())?)
}

/// What became of a mail after a try.
pub(super) struct Ending<'a> {
    pub id: EmailId,
    pub number: i64,
    pub outcome: AttemptOutcome,
    pub stage: Option<Stage>,
    pub words: &'a str,
    pub state: EmailState,
    /// When it is tried again, if it is.
    pub due_at: Option<Instant>,
}

/// Records the end of one try; false when the mail is no longer this worker's, nor one of which nobody knew.
pub(super) fn end(tx: &mut Tx<'_>, ending: &Ending<'_>) -> Outcome<bool> {
    let now = tx.now();
    let Ending { id, number, outcome, stage, words, state, due_at } = ending;
    let mine = emails::table
        .find(id)
        .filter(emails::state.eq_any([EmailState::Sending, EmailState::Uncertain]).and(emails::attempts.eq(number)));
    let moved = diesel::update(mine)
        .set((
            emails::state.eq(state),
            emails::cause.eq((*state != EmailState::Sent).then(|| short(words))),
            emails::lease_until.eq(None::<Instant>),
            emails::ended_at.eq(state.is_over().then_some(now)),
            emails::updated_at.eq(now),
        ))
        .execute(tx.conn())?;
    if moved == 0 {
        return Ok(false);
    }
    if let Some(due_at) = due_at {
        let counted = i64::from(*outcome == AttemptOutcome::Deferred);
        diesel::update(emails::table.find(id))
            .set((emails::due_at.eq(due_at), emails::refusals.eq(emails::refusals + counted)))
            .execute(tx.conn())?;
    }
    diesel::update(email_attempts::table.find((id, number)))
        .set((
            email_attempts::outcome.eq(outcome),
            email_attempts::stage.eq(stage),
            email_attempts::answer.eq(short(words)),
            email_attempts::ended_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(true)
}

/// Records tries that a server accepted, all at once: as [`end`] does one.
pub(super) fn accept(tx: &mut Tx<'_>, all: &[(EmailId, i64, String)]) -> Outcome<()> {
    if all.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let mut told = diesel::sql_query(format!(
        "UPDATE email_attempts SET outcome = 'accepted', stage = 'end', answer = v.column3, ended_at = $1 \
         FROM (VALUES {}) AS v WHERE email_id = v.column1 AND number = v.column2",
        placeholders(2, all.len(), 3)
    ))
    .into_boxed::<Backend>()
    .bind::<Timestamp, _>(now);
    for (id, number, words) in all {
        told = told.bind::<Text, _>(*id).bind::<BigInt, _>(*number).bind::<Text, _>(short(words));
    }
    told.execute(tx.conn())?;
    let ids: Vec<EmailId> = all.iter().map(|(id, ..)| *id).collect();
    let held = emails::state.eq_any([EmailState::Sending, EmailState::Uncertain]);
    diesel::update(emails::table.filter(emails::id.eq_any(&ids).and(held)))
        .set((
            emails::state.eq(EmailState::Sent),
            emails::cause.eq(None::<String>),
            emails::lease_until.eq(None::<Instant>),
            emails::ended_at.eq(now),
            emails::updated_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}
