//! Sessions: log-in, renewal, log-out.
//!
//! ```text
//!   log-in ──▶ token 1 ──refresh──▶ token 2 ──refresh──▶ token 3 …      one family, one token alive
//!                 └──presented again──▶ the whole family is revoked
//! ```
//! Refusals here must be committed (a failure counted, a family revoked): outcomes are values, not errors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;

use super::events::{self, AccessEvent};
use super::passwords::PasswordHash;
use super::store;
use super::store_sessions::{self, NewSession};
use super::tokens::Bearer;
use super::user::User;
use crate::audit;
use crate::kernel::contact::EmailAddress;
use crate::kernel::{Actor, Instant, ids::UserId};
use crate::platform::db::blobs::digest;
use crate::platform::{Outcome, Tx};

/// The brake on failed log-ins, and the life of a refresh token.
#[derive(Debug, Clone, Copy)]
pub struct SessionRules {
    pub refresh_token_days: u32,
    pub session_days: u32,
    pub failed_login_limit: u32,
    pub failed_login_window_minutes: u32,
    pub lockout_minutes: u32,
}

/// From where a session is opened, and by which request.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub address: Option<std::net::IpAddr>,
    pub request_id: Option<String>,
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
    Opened(Session),
    /// Unknown address, wrong password or inactive account: nobody is told which.
    Denied,
    Locked {
        seconds: i64,
    },
}

/// What a renewal comes to.
#[derive(Debug)]
pub enum Renewal {
    Renewed(Session),
    Invalid,
    /// Used a second time: its family is revoked.
    Reused,
}

/// What is verified outside the transaction, before [`log_in`].
#[derive(Debug, Clone)]
pub enum Attempt {
    Verify(Option<PasswordHash>),
    Locked { seconds: i64 },
}

fn seconds_until(end: Option<Instant>, now: Instant) -> Option<i64> {
    end.filter(|end| *end > now).map(|end| (end.timestamp() - now.timestamp()).max(1))
}

/// The hash to verify the password with; none for an unknown address.
pub fn attempt(tx: &mut Tx<'_>, email: &EmailAddress) -> Outcome<Attempt> {
    let now = tx.now();
    let row = store::find_login(tx, email)?;
    if let Some(seconds) = row.as_ref().and_then(|row| seconds_until(row.locked_until, now)) {
        return Ok(Attempt::Locked { seconds });
    }
    Ok(Attempt::Verify(row.filter(|row| row.active).map(|row| row.password_hash)))
}

/// Opens a session, or counts a failure. `right` was judged against `seen` outside the transaction.
pub fn log_in(
    tx: &mut Tx<'_>,
    rules: SessionRules,
    email: &EmailAddress,
    right: bool,
    seen: Option<&PasswordHash>,
    origin: Origin,
) -> Outcome<Login> {
    let (address, request_id) = (origin.address, origin.request_id.clone());
    let now = tx.now();
    // Attempts on one account are judged one after the other.
    crate::platform::db::counters::lock(tx, "log-in")?;
    let Some(row) = store::find_login(tx, email)? else { return Ok(Login::Denied) };
    // Other attempts may have locked the account while this one was hashing.
    if let Some(seconds) = seconds_until(row.locked_until, now) {
        return Ok(Login::Locked { seconds });
    }
    if !row.active {
        return Ok(Login::Denied);
    }
    if right && seen == Some(&row.password_hash) {
        store::save_failures(tx, row.id, 0, None, None)?;
        let Some(user) = store::find(tx, row.id)? else { return Ok(Login::Denied) };
        store_sessions::forget_expired(tx, user.id)?;
        let session = open(tx, rules, &user, origin)?;
        let actor = Actor { user: Some(user.id), role: user.role, label: user.full_name(), request_id };
        let event = AccessEvent::SessionOpened {
            session: session.bearer.session.to_string(),
            address: address.map(|address| address.to_string()).into(),
        };
        audit::record(tx, &actor, events::of(user.id), event)?;
        return Ok(Login::Opened(session));
    }
    let window = Duration::minutes(i64::from(rules.failed_login_window_minutes));
    let (count, since) = match row.failing_since {
        Some(since) if since.plus(window) > now => (row.failed_logins.saturating_add(1), since),
        _ => (1, now),
    };
    if count < i64::from(rules.failed_login_limit) {
        store::save_failures(tx, row.id, count, Some(since), None)?;
        return Ok(Login::Denied);
    }
    let until = now.plus(Duration::minutes(i64::from(rules.lockout_minutes)));
    store::save_failures(tx, row.id, 0, None, Some(until))?;
    let program = Actor::program("connexion");
    audit::record(tx, &program, events::of(row.id), AccessEvent::AccountLocked { until })?;
    Ok(Login::Locked { seconds: seconds_until(Some(until), now).unwrap_or(1) })
}

/// Opens a session of a person whose password was right.
///
/// # Errors
/// The database's own.
pub fn open(tx: &mut Tx<'_>, rules: SessionRules, user: &User, origin: Origin) -> Outcome<Session> {
    let (family, opened_at) = (tx.uuid().to_string(), tx.now());
    let ends_at = opened_at.plus(Duration::days(i64::from(rules.session_days)));
    let address = origin.address.map(|address| address.to_string());
    let new = NewSession { id: &family, user_id: user.id, opened_at, ends_at, address, request_id: origin.request_id };
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

/// Exchanges a refresh token for the next one of its family.
pub fn renew(tx: &mut Tx<'_>, rules: SessionRules, token: &str) -> Outcome<Renewal> {
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
    store_sessions::revoke_family(tx, family)?;
    let program = Actor::program("connexion");
    let session = family.to_owned();
    audit::record(tx, &program, events::of(user), AccessEvent::ReuseDetected { session })?;
    Ok(Renewal::Reused)
}

/// Ends a session: its refresh tokens serve no more.
pub fn log_out(tx: &mut Tx<'_>, actor: &Actor, session: &str) -> Outcome<()> {
    store_sessions::revoke_family(tx, session)?;
    let Some(user) = actor.user else { return Ok(()) };
    audit::record(tx, actor, events::of(user), AccessEvent::SessionClosed { session: session.to_owned() })
}
