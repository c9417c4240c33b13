//! Whose password it is: a person sets it alone, by a one-time code or by the one before it.
//!
//! ```text
//!   invite ──▶ code ──┐                        ┌── change_own (knows the present one; ends the other sessions)
//!                     ├──set_by_code──▶ password
//!   reset  ──▶ code ──┘                        └── reset: no password, no session any more
//! ```
//! Whoever issues a code could use it. That cannot be prevented as long as codes pass through an administrator's hands,
//! so it is shown: the journal names who issued it and from where it was used, the account says who invited the person
//! and since when the password is what it is, and so does the person's next log-in.

use std::net::IpAddr;

use chrono::Duration;

use super::codes::PasswordCode;
use super::events::{self, AccessEvent};
use super::passwords::{Owner, PasswordHash};
use super::problems::ACCOUNT_INACTIVE;
use super::refusals::{Secret, Wrong};
use super::sessions::{Origin, Watch};
use super::store_brakes::{self, Counter};
use super::user::{NewUser, User};
use super::{actions, store, store_codes, store_sessions};
use crate::audit;
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::{Actor, Instant, Refused, french, ids::UserId};
use crate::platform::{Outcome, Tx};

/// A code, shown once.
#[derive(Debug)]
pub struct IssuedCode {
    pub code: PasswordCode,
    pub expires_at: Instant,
}

/// Makes an account whose person sets the password.
///
/// # Errors
/// `email_taken`; a delegation that cannot be.
pub fn invite(tx: &mut Tx<'_>, actor: &Actor, new: NewUser, life: Duration) -> Outcome<(User, IssuedCode)> {
    let user = actions::create_user(tx, actor, NewUser { password_hash: None, ..new })?;
    store::invited(tx, user.id, &actor.label)?;
    let issued = issue(tx, actor, user.id, life)?;
    audit::record(tx, actor, events::of(user.id), AccessEvent::UserInvited { expires_at: issued.expires_at })?;
    Ok((actions::find_user(tx, user.id)?, issued))
}

/// Takes a password away, ends every session, and issues a code for the next one.
///
/// # Errors
/// `not_found`, `account_inactive`, `last_admin` (but from the command line), `concurrent_change`.
pub fn reset(tx: &mut Tx<'_>, actor: &Actor, id: UserId, life: Duration) -> Outcome<(User, IssuedCode)> {
    let before = actions::find_user(tx, id)?;
    if !before.active {
        let detail = format!("Le compte {} est désactivé : le réactiver d'abord.", french::de(&before.full_name()));
        return Err(Refused::new(&ACCOUNT_INACTIVE, detail).into());
    }
    // Who owns the machine can always help themselves; an administrator would shut everybody out.
    if actor.user().is_some() && before.password_set_at.is_some() {
        actions::another_admin_remains(tx, &before)?;
    }
    // A log-in under way holds the row until its session is there to be ended, or finds no password any more.
    store::take_password(tx, &before, &actor.label)?;
    store_sessions::revoke_user(tx, id)?;
    store_brakes::forget_sources(tx, id)?;
    let issued = issue(tx, actor, id, life)?;
    let event = AccessEvent::PasswordReset { expires_at: issued.expires_at, password_of: before.password_set_at };
    audit::record(tx, actor, events::of(id), event)?;
    Ok((actions::find_user(tx, id)?, issued))
}

fn issue(tx: &mut Tx<'_>, actor: &Actor, user: UserId, life: Duration) -> Outcome<IssuedCode> {
    issue_for(tx, user, life, (actor.user(), &actor.label))
}

/// Makes a code in somebody's name; the one before is worth nothing.
pub(super) fn issue_for(
    tx: &mut Tx<'_>,
    user: UserId,
    life: Duration,
    by: (Option<UserId>, &str),
) -> Outcome<IssuedCode> {
    let issued = IssuedCode { code: PasswordCode::new(tx.secret()), expires_at: tx.now().plus(life) };
    store_codes::replace(tx, user, &issued.code, issued.expires_at, by)?;
    Ok(issued)
}

/// What a code is worth, before a password is hashed for it.
#[derive(Debug)]
pub enum CodeLook {
    /// Of this account.
    Good(Box<User>),
    /// Unknown, used, replaced, too old, or of an account that is inactive: nobody is told which.
    Bad,
    /// Too many codes that are none came from this source.
    Wait { seconds: i64 },
}

/// Looks at a code. One that is good is never held up: whoever has it need not guess.
pub fn look_at_code(tx: &mut Tx<'_>, code: &PasswordCode, source: IpAddr) -> Outcome<CodeLook> {
    if let Some(row) = store_codes::find(tx, code)?
        && let Some(user) = store::find(tx, row.user_id)?.filter(|user| user.active)
    {
        return Ok(CodeLook::Good(Box::new(user)));
    }
    let [wait] = store_brakes::waits(tx, [&Counter::code(source)])?;
    Ok(wait.map_or(CodeLook::Bad, |seconds| CodeLook::Wait { seconds }))
}

/// Counts a code that was none.
pub fn count_bad_code(tx: &mut Tx<'_>, watch: &Watch, origin: &Origin) -> Outcome<()> {
    store_brakes::count_failure(tx, &Counter::code(origin.source()), watch.brakes.source)?;
    watch.refusals.wrong(tx, &Wrong { what: Secret::Code, email: None, account: None }, origin)
}

/// Sets the password a code was issued for; false when the code is worth nothing any more.
pub fn set_by_code(tx: &mut Tx<'_>, code: &PasswordCode, hash: &PasswordHash, origin: &Origin) -> Outcome<bool> {
    let Some(row) = store_codes::find(tx, code)? else { return Ok(false) };
    // The account first, as every act on it: a reset under way replaces the code, or comes after.
    let Some(user) = store::hold(tx, row.user_id)?.filter(|user| user.active) else { return Ok(false) };
    // Of ten who use it at once, one does.
    if !store_codes::use_up(tx, code)? {
        return Ok(false);
    }
    store::set_password(tx, user.id, hash)?;
    store_sessions::revoke_user(tx, user.id)?;
    store_brakes::release(tx, &Counter::pair(&user.email, origin.source()))?;
    // Who holds the code is the person: what strangers try elsewhere does not keep them out of their first log-in.
    store_brakes::know(tx, user.id, origin.source())?;
    let request_id = origin.request_id.clone();
    let actor = Actor::staff(user.id, user.role, user.full_name(), request_id);
    let event = AccessEvent::PasswordSet {
        by: "code".into(),
        issued_by: Some(row.issued_by_label.into()),
        issued_at: Some(row.issued_at),
        sessions_ended: None,
        address: origin.caller.to_string().into(),
    };
    audit::record(tx, &actor, events::of(user.id), event)?;
    Ok(true)
}

/// Whether a person may try their present password, and what it is verified with.
#[derive(Debug)]
pub enum OwnPassword {
    Verify { user: Box<User>, hash: Option<PasswordHash> },
    Wait { seconds: i64 },
}

/// The password of somebody who is logged in: held by the same counters as a log-in, for a session may be stolen.
pub fn own_password(tx: &mut Tx<'_>, id: UserId, source: IpAddr) -> Outcome<OwnPassword> {
    let user = actions::find_user(tx, id)?;
    let (pair, of_source) = (Counter::pair(&user.email, source), Counter::source(source));
    let [pair, of_source] = store_brakes::waits(tx, [&pair, &of_source])?;
    if let Some(seconds) = pair.max(of_source) {
        return Ok(OwnPassword::Wait { seconds });
    }
    let hash = store::password_hash(tx, id)?;
    Ok(OwnPassword::Verify { user: Box::new(user), hash })
}

/// Counts a wrong present password.
pub fn count_wrong_own(tx: &mut Tx<'_>, watch: &Watch, user: &User, origin: &Origin) -> Outcome<()> {
    let wrong = Wrong { what: Secret::Password, email: Some(&user.email), account: Some(user.id) };
    watch.wrong(tx, &user.email, &wrong, origin)
}

/// Changes one's own password, and ends the other sessions.
///
/// # Errors
/// `concurrent_change`: the password judged is not the account's any more.
pub fn change_own(
    tx: &mut Tx<'_>,
    actor: &Actor,
    session: &str,
    user: &User,
    (seen, hash): (&PasswordHash, &PasswordHash),
    origin: &Origin,
) -> Outcome<()> {
    if !store::replace_password(tx, user.id, seen, hash)? {
        return Err(Refused::new(&CONCURRENT_CHANGE, "Le mot de passe a changé entre-temps.").into());
    }
    let ended = store_sessions::revoke_others(tx, user.id, session)?;
    store_brakes::release(tx, &Counter::pair(&user.email, origin.source()))?;
    let event = AccessEvent::PasswordSet {
        by: "password".into(),
        issued_by: None,
        issued_at: None,
        sessions_ended: Some(ended),
        address: origin.caller.to_string().into(),
    };
    audit::record(tx, actor, events::of(user.id), event)
}

/// The words a password of this person must not be made of.
#[must_use]
pub fn owner(user: &User) -> Owner<'_> {
    Owner { email: &user.email, first_name: &user.first_name, last_name: &user.last_name }
}
