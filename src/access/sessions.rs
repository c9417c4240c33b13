//! Sessions: log-in, renewal, log-out.
//!
//! ```text
//!   log-in ──▶ token 1 ──refresh──▶ token 2 ──refresh──▶ token 3 …      one family, one token alive
//!                 └──presented again──▶ the whole family is revoked
//! ```
//! A log-in is three steps, for argon2 has no place in a transaction:
//!
//! ```text
//!   attempt (reading) ──▶ argon2, in its turn ──▶ log_in (writing): the password judged is still the account's?
//!    └─ 429 while a brake holds
//! ```
//! Failures are counted by account *and* source, by source, and by account (`brake.rs`). The first two hold
//! everybody alike. The third, for guesses spread over many sources, never holds a source at which the person logged in
//! lately. Nothing that is answered, and no time it takes, tells whether an account exists: an unknown address is counted,
//! hashed for and refused as a known one.
//!
//! Refusals here must be committed (a failure counted, a family revoked): outcomes are values, not errors.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;

use super::brake::Rule;
use super::events::{self, AccessEvent};
pub use super::origin::Origin;
use super::passwords::PasswordHash;
use super::refusals::{Refusals, Secret, Wrong};
use super::store::{self, LoginHold};
use super::store_brakes::{self, Counter};
use super::store_sessions::{self, NewSession};
use super::tokens::Bearer;
use super::user::User;
use crate::audit;
use crate::kernel::contact::EmailAddress;
use crate::kernel::{
    Actor, Instant, Refused,
    ids::{SessionId, UserId},
};
use crate::platform::db::blobs::digest;
use crate::platform::{Outcome, Tx};

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub struct SessionRules {
    pub refresh_token_days: u32,
    pub session_days: u32,
}

/// What slows down those who fail.
#[derive(Debug, Clone, Copy)]
pub struct Brakes {
    /// One account from one source.
    pub pair: Rule,
    /// One source, whatever is tried from it.
    pub source: Rule,
    /// One account, from all the sources it is not known at.
    pub account: Rule,
}

impl Brakes {
    /// Longest wait of everybody behind one address: an office may share it.
    const LONGEST_OF_SOURCE: Duration = Duration::minutes(2);
    /// Longest wait of an account under a distributed guess: its owner may be travelling.
    const LONGEST_OF_ACCOUNT: Duration = Duration::minutes(1);

    /// Failures admitted before the first wait, for each; the window in which they are counted, and the longest wait.
    #[must_use]
    pub fn new(pair: u32, source: u32, account: u32, window: Duration, longest: Duration) -> Self {
        let rule = |free, most: Duration| Rule { free, longest: longest.min(most), window };
        Self {
            pair: rule(pair, longest),
            source: rule(source, Self::LONGEST_OF_SOURCE),
            account: rule(account, Self::LONGEST_OF_ACCOUNT),
        }
    }
}

/// A session opened or renewed.
#[derive(Debug)]
pub struct Session {
    pub bearer: Bearer,
    /// Given once, kept nowhere.
    pub refresh_token: String,
}

/// What a log-in comes to.
#[derive(Debug)]
pub enum Login {
    /// `before`: the account as it was, with the log-in before this one.
    Opened { session: Session, before: Box<User> },
    /// Unknown address, wrong password or inactive account: nobody is told which.
    Denied,
    /// Too many failures.
    Wait { seconds: i64 },
}

/// What a renewal comes to.
#[derive(Debug)]
pub enum Renewal {
    Renewed(Session),
    Invalid,
    /// Used a second time: its family is revoked.
    Reused,
    /// Too many tokens that are none came from this source.
    Wait {
        seconds: i64,
    },
}

/// What is verified outside the transaction, before [`log_in`].
#[derive(Debug, Clone)]
pub enum Attempt {
    Verify(Verification),
    Wait { seconds: i64 },
}

/// One password to be judged.
#[derive(Debug, Clone)]
pub struct Verification {
    /// None for an unknown address, or for an account that nobody may open now: the time is spent all the same.
    pub hash: Option<PasswordHash>,
    /// The account is under a distributed guess: whatever is wrong is told to wait, known account or not.
    guessed_for: Option<i64>,
}

/// Whether a password may be tried from a source, and the hash to verify it with.
pub fn attempt(tx: &mut Tx<'_>, email: &EmailAddress, source: IpAddr) -> Outcome<Attempt> {
    let (pair, of_source, account) = (Counter::pair(email, source), Counter::source(source), Counter::account(email));
    let [pair, of_source, guessed_for] = store_brakes::waits(tx, [&pair, &of_source, &account])?;
    if let Some(seconds) = pair.max(of_source) {
        return Ok(Attempt::Wait { seconds });
    }
    let row = store::find_login(tx, email, LoginHold::Look)?.filter(|row| row.active);
    let hash = match row {
        Some(row) if guessed_for.is_some() && !store_brakes::is_known(tx, row.id, source)? => None,
        Some(row) => row.password_hash,
        None => None,
    };
    Ok(Attempt::Verify(Verification { hash, guessed_for }))
}

/// What is done with those who fail: they are slowed down, and told in the journal.
#[derive(Clone)]
pub struct Watch {
    pub brakes: Brakes,
    pub refusals: Refusals,
}

impl Watch {
    /// Counts a wrong password.
    pub(super) fn wrong(
        &self,
        tx: &mut Tx<'_>,
        email: &EmailAddress,
        wrong: &Wrong<'_>,
        origin: &Origin,
    ) -> Outcome<()> {
        let source = origin.source();
        store_brakes::count_failure(tx, &Counter::pair(email, source), self.brakes.pair)?;
        store_brakes::count_failure(tx, &Counter::source(source), self.brakes.source)?;
        self.refusals.wrong(tx, wrong, origin)
    }
}

/// Opens a session, or counts a failure. `right` was judged of `seen` outside the transaction.
pub fn log_in(
    tx: &mut Tx<'_>,
    (rules, watch): (SessionRules, &Watch),
    email: &EmailAddress,
    right: bool,
    seen: &Verification,
    origin: Origin,
) -> Outcome<Login> {
    let source = origin.source();
    // The password may have been changed, or the account dismissed, while this one was hashing.
    let row = store::find_login(tx, email, LoginHold::Share)?;
    let account = row.as_ref().map(|row| row.id);
    let row = row.filter(|row| right && row.active && row.password_hash.is_some() && row.password_hash == seen.hash);
    let before = match row {
        Some(row) => store::find(tx, row.id)?,
        None => None,
    };
    let Some(before) = before else {
        watch.wrong(tx, email, &Wrong { what: Secret::LogIn, email: Some(email), account }, &origin)?;
        return match seen.guessed_for {
            // What was not judged says nothing of a guess.
            Some(seconds) => Ok(Login::Wait { seconds }),
            None => {
                store_brakes::count_failure(tx, &Counter::account(email), watch.brakes.account)?;
                Ok(Login::Denied)
            }
        };
    };
    store_brakes::release(tx, &Counter::pair(email, source))?;
    store_brakes::know(tx, before.id, source)?;
    store::logged_in(tx, before.id)?;
    store_sessions::forget_expired(tx, before.id)?;
    let (address, request_id) = (origin.caller.to_string(), origin.request_id.clone());
    let session = open(tx, rules, &before, origin)?;
    let actor = Actor::staff(before.id, before.role, before.full_name(), request_id);
    let session_id = session.bearer.session.to_string();
    let event = AccessEvent::SessionOpened { session: session_id, address: address.into() };
    audit::record(tx, &actor, events::of(before.id), event)?;
    Ok(Login::Opened { session, before: Box::new(before) })
}

/// Opens a session of a person whose password was right.
///
/// # Errors
/// The database's own.
pub fn open(tx: &mut Tx<'_>, rules: SessionRules, user: &User, origin: Origin) -> Outcome<Session> {
    let (family, opened_at) = (tx.uuid().to_string(), tx.now());
    let ends_at = opened_at.plus(Duration::days(i64::from(rules.session_days)));
    let Origin { caller, request_id, user_agent } = origin;
    let address = Some(caller.to_string());
    let new = NewSession { id: &family, user_id: user.id, opened_at, ends_at, address, request_id, user_agent };
    store_sessions::open(tx, &new)?;
    hand_out(tx, rules, user, family, ends_at)
}

/// The next tokens of a session; none outlives it.
fn hand_out(tx: &mut Tx<'_>, rules: SessionRules, user: &User, family: String, ends_at: Instant) -> Outcome<Session> {
    let refresh_token = URL_SAFE_NO_PAD.encode(tx.secret());
    let expires_at = tx.now().plus(Duration::days(i64::from(rules.refresh_token_days))).min(ends_at);
    store_sessions::insert(tx, &digest(refresh_token.as_bytes()), &family, user.id, expires_at)?;
    let bearer = Bearer { user: user.id, role: user.role, name: user.full_name(), session: family };
    Ok(Session { bearer, refresh_token })
}

/// Exchanges a refresh token for the next one of its family. A token that is one is never held up: whoever has it need
/// not guess. Those that are none are counted by source.
pub fn renew(
    tx: &mut Tx<'_>,
    (rules, brakes): (SessionRules, Brakes),
    token: &str,
    source: IpAddr,
) -> Outcome<Renewal> {
    let renewal = renew_known(tx, rules, token)?;
    if !matches!(renewal, Renewal::Invalid) {
        return Ok(renewal);
    }
    let counter = Counter::refresh(source);
    let [wait] = store_brakes::waits(tx, [&counter])?;
    if let Some(seconds) = wait {
        return Ok(Renewal::Wait { seconds });
    }
    store_brakes::count_failure(tx, &counter, brakes.source)?;
    Ok(Renewal::Invalid)
}

/// Seconds to wait before a token that is none may be tried from a source: asked in a reading, so that a flood of them
/// does not take the database's writer.
pub fn renewal_wait(tx: &mut Tx<'_>, token: &str, source: IpAddr) -> Outcome<Option<i64>> {
    if store_sessions::find(tx, &digest(token.as_bytes()))?.is_some() {
        return Ok(None);
    }
    let [wait] = store_brakes::waits(tx, [&Counter::refresh(source)])?;
    Ok(wait)
}

fn renew_known(tx: &mut Tx<'_>, rules: SessionRules, token: &str) -> Outcome<Renewal> {
    let sha256 = digest(token.as_bytes());
    let Some(row) = store_sessions::find(tx, &sha256)? else { return Ok(Renewal::Invalid) };
    if row.used_at.is_some() {
        return reused(tx, row.user_id, &row.family);
    }
    if row.revoked_at.is_some() || row.expires_at <= tx.now() {
        return Ok(Renewal::Invalid);
    }
    let Some(user) = store::find(tx, row.user_id)?.filter(|user| user.active) else {
        store_sessions::revoke_family(tx, &row.family)?;
        return Ok(Renewal::Invalid);
    };
    // Two renewals at once with one token are a reuse, too; asked first, for the other may have ended the session since.
    if !store_sessions::use_up(tx, &sha256)? {
        return reused(tx, row.user_id, &row.family);
    }
    let Some(ends_at) = store_sessions::end_of(tx, &row.family)?.filter(|end| *end > tx.now()) else {
        return Ok(Renewal::Invalid);
    };
    Ok(Renewal::Renewed(hand_out(tx, rules, &user, row.family, ends_at)?))
}

fn reused(tx: &mut Tx<'_>, user: UserId, family: &str) -> Outcome<Renewal> {
    // Told once: whoever repeats an old token for ever fills no journal.
    if store_sessions::revoke_family(tx, family)? {
        let program = Actor::program("connexion");
        let session = family.to_owned();
        audit::record(tx, &program, events::of(user), AccessEvent::ReuseDetected { session })?;
    }
    Ok(Renewal::Reused)
}

/// Ends a session: its refresh tokens serve no more.
pub fn log_out(tx: &mut Tx<'_>, actor: &Actor, session: &str) -> Outcome<()> {
    store_sessions::revoke_family(tx, session)?;
    let Some(user) = actor.user() else { return Ok(()) };
    audit::record(tx, actor, events::of(user), AccessEvent::SessionClosed { session: session.to_owned() })
}

/// Ends one session of a person's own.
///
/// # Errors
/// `not_found`: no session of this name, of this person, is open.
pub fn end_one(tx: &mut Tx<'_>, actor: &Actor, user: UserId, id: SessionId) -> Outcome<()> {
    if !store_sessions::is_open(tx, user, id)? || !store_sessions::revoke_family(tx, id.as_str())? {
        return Err(Refused::not_found("Session", id).into());
    }
    audit::record(tx, actor, events::of(user), AccessEvent::SessionEnded { session: id.to_string() })
}

/// Ends every session of a person but the present one.
pub fn end_others(tx: &mut Tx<'_>, actor: &Actor, user: UserId, kept: &str) -> Outcome<()> {
    let ended = store_sessions::revoke_others(tx, user, kept)?;
    audit::record(tx, actor, events::of(user), AccessEvent::OthersEnded { ended })
}

/// Ends every session of a person, for an administrator.
///
/// # Errors
/// `not_found`.
pub fn end_all(tx: &mut Tx<'_>, actor: &Actor, user: UserId) -> Outcome<()> {
    super::find_user(tx, user)?;
    let ended = store_sessions::revoke_user(tx, user)?;
    audit::record(tx, actor, events::of(user), AccessEvent::AllEnded { ended })
}

/// Removes what is counted and known no longer; returns how many. Daily work, and now and then between.
pub fn purge(tx: &mut Tx<'_>) -> Outcome<usize> {
    store_brakes::purge(tx)
}
