//! Accounts: made and changed by administrators, never deleted (the journal and the papers name them).

use std::collections::HashMap;

use super::events::{self, AccessEvent};
use super::http_permission::{Permission, refusal};
use super::problems::{FORBIDDEN, LAST_ADMIN};
use super::user::{NewUser, User, UserChange};
use super::{store, store_codes, store_sessions};
use crate::audit::{self, Changes};
use crate::kernel::contact::EmailAddress;
use crate::kernel::{Actor, Refused, Role, Version, ids::UserId};
use crate::platform::db::counters;
use crate::platform::{Outcome, Tx};

/// Makes an active account.
///
/// # Errors
/// `email_taken`.
pub fn create_user(tx: &mut Tx<'_>, actor: &Actor, new: NewUser) -> Outcome<User> {
    new.delegation.as_ref().map_or(Ok(()), |delegation| delegation.check(tx.today()))?;
    let id = store::insert(tx, &new)?;
    let user = find_user(tx, id)?;
    let (_, person) = audit::parted(&events::state(&user), events::PERSONAL)?;
    let event = AccessEvent::UserCreated { role: user.role, person };
    audit::record(tx, actor, events::of(id), event)?;
    Ok(user)
}

/// One account.
///
/// # Errors
/// `not_found`.
pub fn find_user(tx: &mut Tx<'_>, id: UserId) -> Outcome<User> {
    store::find(tx, id)?.ok_or_else(|| Refused::not_found("Compte", id).into())
}

/// One account, if there is one.
///
/// # Errors
/// Those of the database.
pub fn find_account(tx: &mut Tx<'_>, id: UserId) -> Outcome<Option<User>> {
    store::find(tx, id)
}

/// What the holders of some accounts are called.
///
/// # Errors
/// Those of the database.
pub fn names(tx: &mut Tx<'_>, ids: &[UserId]) -> Outcome<HashMap<UserId, String>> {
    store::names(tx, ids)
}

/// The person for whom a job acts, if they still may do what they asked for: account and role are read again, and held
/// until the end of the transaction.
///
/// # Errors
/// `forbidden`.
pub fn still<P: Permission>(tx: &mut Tx<'_>, id: UserId, request_id: Option<String>) -> Outcome<Actor> {
    let user = store::held_active(tx, id)?.ok_or_else(|| {
        Refused::new(&FORBIDDEN, "Le compte qui a demandé ce travail a été désactivé : rien n'a été fait.")
    })?;
    refusal::<P>(user.role).map_or(Ok(()), Err)?;
    Ok(Actor::staff(id, user.role, user.full_name(), request_id))
}

/// The account a word means: journaled under its id, known to people by its address.
pub(super) fn called(tx: &mut Tx<'_>, word: &str) -> Outcome<Vec<String>> {
    let Ok(email) = EmailAddress::parse(word) else { return Ok(Vec::new()) };
    Ok(store::id_of(tx, &email)?.map(|id| id.to_string()).into_iter().collect())
}

/// The account of an address.
///
/// # Errors
/// `not_found`.
pub fn find_by_email(tx: &mut Tx<'_>, email: &EmailAddress) -> Outcome<User> {
    let row = store::find_login(tx, email, store::LoginHold::Look)?;
    let id = row.map(|row| row.id).ok_or_else(|| Refused::not_found("Compte", email))?;
    find_user(tx, id)
}

/// Whether nobody can log in yet.
pub fn no_user_yet(tx: &mut Tx<'_>) -> Outcome<bool> {
    Ok(store::count(tx)? == 0)
}

/// Whether somebody can still administer when this account no longer can: one who waits for a password cannot.
///
/// # Errors
/// `last_admin`.
pub(super) fn another_admin_remains(tx: &mut Tx<'_>, leaving: &User) -> Outcome<()> {
    if leaving.role != Role::Admin || !leaving.active {
        return Ok(());
    }
    // Two administrators who dismiss each other at once must not both succeed.
    counters::lock(tx, "administrators")?;
    if store::others_active(tx, Role::Admin, leaving.id)? > 0 {
        return Ok(());
    }
    let detail = format!("{} est le dernier administrateur actif.", leaving.full_name());
    Err(Refused::new(&LAST_ADMIN, detail).into())
}

/// Changes an account whose version the caller has read. A change of role or a deactivation ends every session of
/// the person; passwords are their own business ([`super::password_actions`]).
///
/// # Errors
/// `not_found`, `precondition_failed`, `email_taken`, `last_admin`, `concurrent_change`.
pub fn change_user(tx: &mut Tx<'_>, actor: &Actor, id: UserId, read: &Version, change: &UserChange) -> Outcome<User> {
    let before = find_user(tx, id)?;
    read.admits(before.version)?;
    // A delegation kept as it was is not judged again.
    let said = change.delegation.as_ref().and_then(Option::as_ref).filter(|d| before.delegation.as_ref() != Some(d));
    said.map_or(Ok(()), |delegation| delegation.check(tx.today()))?;
    let stays_admin = change.active != Some(false) && change.role.is_none_or(|role| role == Role::Admin);
    if !stays_admin {
        another_admin_remains(tx, &before)?;
    }
    store::update(tx, &before, change)?;
    let after = find_user(tx, id)?;
    if after.role != before.role || !after.active {
        store_sessions::revoke_user(tx, id)?;
    }
    if !after.active {
        // Made active again, the person asks for a new code.
        store_codes::remove(tx, id)?;
    }
    let changes = Changes::between(&events::state(&before), &events::state(&after), events::PERSONAL)?;
    audit::record(tx, actor, events::of(id), AccessEvent::UserChanged { changes })?;
    Ok(after)
}
