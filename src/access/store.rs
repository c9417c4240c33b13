//! The table of accounts.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::passwords::PasswordHash;
use super::problems::EMAIL_TAKEN;
use super::user::{Delegation, NewUser, User, UserChange};
use crate::kernel::contact::EmailAddress;
use crate::kernel::text::{Line, SearchText};
use crate::kernel::{Instant, Refused, Role, ids::UserId, refused::CONCURRENT_CHANGE};
use crate::keyset;
use crate::platform::db::AnyConnection;
use crate::platform::db::schema::users;
use crate::platform::db::search;
use crate::platform::page::{Page, PageView};
use crate::platform::{Error, Outcome, Tx, on_unique};

#[derive(Queryable)]
struct UserRow {
    id: UserId,
    email: EmailAddress,
    role: Role,
    first_name: Line,
    last_name: Line,
    capacity: Option<String>,
    delegation_reference: Option<Line>,
    delegation_published_on: Option<NaiveDate>,
    delegation_ends_on: Option<NaiveDate>,
    active: bool,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    password_set_at: Option<Instant>,
    last_login_at: Option<Instant>,
    invited_by: Option<String>,
}

type Columns = (
    users::id,
    users::email,
    users::role,
    users::first_name,
    users::last_name,
    users::capacity,
    users::delegation_reference,
    users::delegation_published_on,
    users::delegation_ends_on,
    users::active,
    users::version,
    users::created_at,
    users::updated_at,
    users::password_set_at,
    users::last_login_at,
    users::invited_by,
);
const COLUMNS: Columns = (
    users::id,
    users::email,
    users::role,
    users::first_name,
    users::last_name,
    users::capacity,
    users::delegation_reference,
    users::delegation_published_on,
    users::delegation_ends_on,
    users::active,
    users::version,
    users::created_at,
    users::updated_at,
    users::password_set_at,
    users::last_login_at,
    users::invited_by,
);

impl UserRow {
    fn into_user(self) -> Outcome<User> {
        let delegation = match (self.delegation_reference, self.delegation_published_on) {
            (Some(reference), Some(published_on)) => {
                Some(Delegation { reference, published_on, ends_on: self.delegation_ends_on })
            }
            (None, None) => None,
            _ => return Err(Error::falsified("user", self.id, "il ne reste que la moitié d'une délégation")),
        };
        Ok(User {
            id: self.id,
            email: self.email,
            role: self.role,
            first_name: self.first_name,
            last_name: self.last_name,
            capacity: self.capacity,
            delegation,
            active: self.active,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            password_set_at: self.password_set_at,
            last_login_at: self.last_login_at,
            invited_by: self.invited_by,
        })
    }
}

pub(super) fn find(tx: &mut Tx<'_>, id: UserId) -> Outcome<Option<User>> {
    let row: Option<UserRow> = users::table.find(id).select(COLUMNS).first(tx.conn()).optional()?;
    row.map(UserRow::into_user).transpose()
}

/// What stands in the place of a hash while nobody has set a password.
const NO_PASSWORD: &str = "none";

/// What is needed to judge a log-in.
pub(super) struct LoginRow {
    pub id: UserId,
    pub active: bool,
    /// None while nobody has set one.
    pub password_hash: Option<PasswordHash>,
}

/// How an account is read for a log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoginHold {
    Look,
    /// Its password and its activity stay as they are until the end of the transaction: a reset comes wholly before the
    /// session, or finds it and ends it. (SQLite has one writer.)
    Share,
}

pub(super) fn id_of(tx: &mut Tx<'_>, email: &EmailAddress) -> Outcome<Option<UserId>> {
    Ok(users::table.filter(users::email.eq(email)).select(users::id).first(tx.conn()).optional()?)
}

pub(super) fn find_login(tx: &mut Tx<'_>, email: &EmailAddress, hold: LoginHold) -> Outcome<Option<LoginRow>> {
    type Row = (UserId, bool, String, Option<Instant>);
    let query = users::table.filter(users::email.eq(email)).select((
        users::id,
        users::active,
        users::password_hash,
        users::password_set_at,
    ));
    let found: Option<Row> = match (tx.conn(), hold) {
        (AnyConnection::Postgresql(c), LoginHold::Share) => query.for_no_key_update().first(c).optional()?,
        (conn, _) => query.first(conn).optional()?,
    };
    Ok(found.map(|(id, active, hash, set_at)| LoginRow {
        id,
        active,
        password_hash: set_at.map(|_| PasswordHash::from_phc(hash)),
    }))
}

/// Notes a log-in; no part of the account's version.
pub(super) fn logged_in(tx: &mut Tx<'_>, id: UserId) -> Outcome<()> {
    let now = tx.now();
    diesel::update(users::table.find(id)).set(users::last_login_at.eq(now)).execute(tx.conn())?;
    Ok(())
}

/// An account, held until the end of the transaction.
pub(super) fn hold(tx: &mut Tx<'_>, id: UserId) -> Outcome<Option<User>> {
    let query = users::table.find(id).select(COLUMNS);
    let row: Option<UserRow> = match tx.conn() {
        AnyConnection::Postgresql(c) => query.for_no_key_update().first(c).optional()?,
        conn @ AnyConnection::Sqlite(_) => query.first(conn).optional()?,
    };
    row.map(UserRow::into_user).transpose()
}

/// An active account, which nobody changes before the end of the transaction; others may act for it as well.
pub(super) fn held_active(tx: &mut Tx<'_>, id: UserId) -> Outcome<Option<User>> {
    let query = users::table.find(id).filter(users::active.eq(true)).select(COLUMNS);
    let row: Option<UserRow> = match tx.conn() {
        AnyConnection::Postgresql(c) => query.for_share().first(c).optional()?,
        conn @ AnyConnection::Sqlite(_) => query.first(conn).optional()?,
    };
    row.map(UserRow::into_user).transpose()
}

/// « Prénom Nom » of each account.
pub(super) fn names(tx: &mut Tx<'_>, ids: &[UserId]) -> Outcome<HashMap<UserId, String>> {
    let rows: Vec<(UserId, String, String)> = users::table
        .filter(users::id.eq_any(ids))
        .select((users::id, users::first_name, users::last_name))
        .load(tx.conn())?;
    Ok(rows.into_iter().map(|(id, first, last)| (id, format!("{first} {last}"))).collect())
}

/// What the password of an account is verified with.
pub(super) fn password_hash(tx: &mut Tx<'_>, id: UserId) -> Outcome<Option<PasswordHash>> {
    let own = users::table.find(id).filter(users::password_set_at.is_not_null());
    let hash: Option<String> = own.select(users::password_hash).first(tx.conn()).optional()?;
    Ok(hash.map(PasswordHash::from_phc))
}

/// Notes who invited a person.
pub(super) fn invited(tx: &mut Tx<'_>, id: UserId, by: &str) -> Outcome<()> {
    diesel::update(users::table.find(id)).set(users::invited_by.eq(by)).execute(tx.conn())?;
    Ok(())
}

/// Leaves an account without a password, unless it changed since it was read.
pub(super) fn take_password(tx: &mut Tx<'_>, read: &User, by: &str) -> Outcome<()> {
    let now = tx.now();
    let same = users::table.filter(users::id.eq(read.id).and(users::version.eq(read.version)));
    let taken = diesel::update(same)
        .set((
            users::password_hash.eq(NO_PASSWORD),
            users::password_set_at.eq(None::<Instant>),
            users::invited_by.eq(by),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .execute(tx.conn())?;
    if taken == 1 { Ok(()) } else { Err(Refused::new(&CONCURRENT_CHANGE, "Le compte a changé entre-temps.").into()) }
}

/// Gives an account its password.
pub(super) fn set_password(tx: &mut Tx<'_>, id: UserId, hash: &PasswordHash) -> Outcome<()> {
    let now = tx.now();
    diesel::update(users::table.find(id))
        .set((
            users::password_hash.eq(hash.as_str()),
            users::password_set_at.eq(now),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The same in the place of the password that was verified; false when it is another meanwhile.
pub(super) fn replace_password(tx: &mut Tx<'_>, id: UserId, seen: &PasswordHash, hash: &PasswordHash) -> Outcome<bool> {
    let now = tx.now();
    let same = users::password_hash.eq(seen.as_str()).and(users::password_set_at.is_not_null());
    let replaced = diesel::update(users::table.find(id).filter(same))
        .set((
            users::password_hash.eq(hash.as_str()),
            users::password_set_at.eq(now),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(replaced == 1)
}

fn email_taken(email: &EmailAddress) -> Refused {
    Refused::new(&EMAIL_TAKEN, format!("Un compte porte déjà l'adresse « {email} »."))
}

pub(super) fn insert(tx: &mut Tx<'_>, new: &NewUser) -> Outcome<UserId> {
    let (id, now) = (UserId::new(tx.uuid()), tx.now());
    let delegation = new.delegation.as_ref();
    let inserted = diesel::insert_into(users::table)
        .values((
            users::id.eq(id),
            users::email.eq(&new.email),
            users::role.eq(new.role),
            users::first_name.eq(&new.first_name),
            users::last_name.eq(&new.last_name),
            users::capacity.eq(new.capacity.as_ref().map(Line::as_str)),
            users::delegation_reference.eq(delegation.map(|d| &d.reference)),
            users::delegation_published_on.eq(delegation.map(|d| d.published_on)),
            users::delegation_ends_on.eq(delegation.and_then(|d| d.ends_on)),
            users::password_hash.eq(new.password_hash.as_ref().map_or(NO_PASSWORD, PasswordHash::as_str)),
            users::password_set_at.eq(new.password_hash.as_ref().map(|_| now)),
            users::active.eq(true),
            users::version.eq(1_i64),
            users::created_at.eq(now),
            users::updated_at.eq(now),
        ))
        .execute(tx.conn());
    on_unique(inserted, || email_taken(&new.email))?;
    Ok(id)
}

#[derive(AsChangeset)]
#[diesel(table_name = users)]
struct Changes<'a> {
    email: Option<&'a EmailAddress>,
    role: Option<Role>,
    first_name: Option<&'a Line>,
    last_name: Option<&'a Line>,
    capacity: Option<Option<&'a str>>,
    delegation_reference: Option<Option<&'a Line>>,
    delegation_published_on: Option<Option<NaiveDate>>,
    delegation_ends_on: Option<Option<NaiveDate>>,
    active: Option<bool>,
    version: i64,
    updated_at: Instant,
}

/// Changes the account whose version is still the one read.
pub(super) fn update(tx: &mut Tx<'_>, read: &User, change: &UserChange) -> Outcome<()> {
    let delegation = change.delegation.as_ref().map(Option::as_ref);
    let changes = Changes {
        email: change.email.as_ref(),
        role: change.role,
        first_name: change.first_name.as_ref(),
        last_name: change.last_name.as_ref(),
        capacity: change.capacity.as_ref().map(|c| c.as_ref().map(Line::as_str)),
        delegation_reference: delegation.map(|d| d.map(|d| &d.reference)),
        delegation_published_on: delegation.map(|d| d.map(|d| d.published_on)),
        delegation_ends_on: delegation.map(|d| d.and_then(|d| d.ends_on)),
        active: change.active,
        version: read.version.saturating_add(1),
        updated_at: tx.now(),
    };
    let updated = diesel::update(users::table.filter(users::id.eq(read.id).and(users::version.eq(read.version))))
        .set(changes)
        .execute(tx.conn());
    let email = change.email.as_ref().unwrap_or(&read.email);
    match on_unique(updated, || email_taken(email))? {
        0 => Err(Refused::new(&CONCURRENT_CHANGE, "Le compte a changé entre-temps.").into()),
        _ => Ok(()),
    }
}

/// Accounts of a role that can log in, one account left out: who never set a password helps nobody.
pub(super) fn others_active(tx: &mut Tx<'_>, role: Role, except: UserId) -> Outcome<i64> {
    let able = users::active.eq(true).and(users::password_set_at.is_not_null());
    Ok(users::table.filter(users::role.eq(role).and(able).and(users::id.ne(except))).count().get_result(tx.conn())?)
}

pub(super) fn count(tx: &mut Tx<'_>) -> Outcome<i64> {
    Ok(users::table.count().get_result(tx.conn())?)
}

/// Which accounts a list shows.
#[derive(Debug, Clone, Default)]
pub(super) struct UserFilter {
    pub role: Option<Role>,
    pub active: Option<bool>,
    pub q: Option<SearchText>,
    pub updated_since: Option<Instant>,
}

crate::sort_keys!(UserSort, UserOrder of "users" { Email => "email", Updated => "updated_at" });

/// A page of accounts.
pub(super) fn list(tx: &mut Tx<'_>, filter: &UserFilter, page: &Page<UserSort>) -> Outcome<PageView<User>> {
    let mut query = users::table.select(COLUMNS).into_boxed();
    if let Some(role) = filter.role {
        query = query.filter(users::role.eq(role));
    }
    if let Some(active) = filter.active {
        query = query.filter(users::active.eq(active));
    }
    if let Some(q) = &filter.q {
        query = query.filter(users::email.like(search::address(q.as_str())).escape(search::ESCAPE));
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(users::updated_at.ge(since));
    }
    keyset!(query, page, users::email, {
        UserSort::Email => users::email, String;
        UserSort::Updated => users::updated_at, Instant;
    });
    let rows: Vec<UserRow> = query.load(tx.conn())?;
    let found = rows.into_iter().map(UserRow::into_user).collect::<Outcome<Vec<_>>>()?;
    let place = |by, user: &User| match by {
        UserSort::Email => (user.email.to_string(), user.email.to_string()),
        UserSort::Updated => (user.updated_at.to_string(), user.email.to_string()),
    };
    Ok(page.cut(found, tx.now(), place))
}
