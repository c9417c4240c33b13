//! The tables of sessions and of refresh tokens (their digests only).

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text, Timestamp};

use crate::kernel::{
    Instant, Role,
    ids::{SessionId, UserId},
};
use crate::keyset;
use crate::platform::db::AnyConnection;
use crate::platform::db::schema::{refresh_tokens as tokens, sessions};
use crate::platform::page::{Page, PageView};
use crate::platform::{Outcome, Tx};

/// How a standing is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// As it is now.
    Look,
    /// Nobody changes account or session before this transaction ends; others may act on them as well.
    Share,
    /// Alone: the transaction may change its own account.
    Alone,
}

/// Whether an account and one of its sessions are worth something now.
#[derive(QueryableByName)]
pub(super) struct Standing {
    #[diesel(sql_type = Bool)]
    pub active: bool,
    #[diesel(sql_type = Text)]
    pub role: Role,
    #[diesel(sql_type = Timestamp)]
    pub ends_at: Instant,
    #[diesel(sql_type = Nullable<Timestamp>)]
    pub revoked_at: Option<Instant>,
}

/// Account and session, by their keys, in one statement; none when there is no such session of this person.
///
/// PostgreSQL holds both rows, so that a dismissal or a log-out comes wholly before or wholly after the act; SQLite has
/// one writer.
pub(super) fn standing(tx: &mut Tx<'_>, user: UserId, session: &str, hold: Hold) -> Outcome<Option<Standing>> {
    let lock = match (tx.conn(), hold) {
        (AnyConnection::Sqlite(_), _) | (_, Hold::Look) => "",
        (AnyConnection::Postgresql(_), Hold::Share) => " FOR SHARE",
        (AnyConnection::Postgresql(_), Hold::Alone) => " FOR NO KEY UPDATE",
    };
    let query = diesel::sql_query(format!(
        "SELECT u.active, u.role, s.ends_at, s.revoked_at FROM users u JOIN sessions s ON s.user_id = u.id \
         WHERE u.id = $1 AND s.id = $2{lock}"
    ));
    Ok(query.bind::<Text, _>(user).bind::<Text, _>(session).get_result(tx.conn()).optional()?)
}

/// A session as opened.
#[derive(Insertable)]
#[diesel(table_name = sessions)]
pub(super) struct NewSession<'a> {
    pub id: &'a str,
    pub user_id: UserId,
    pub opened_at: Instant,
    pub ends_at: Instant,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub user_agent: Option<String>,
}

pub(super) fn open(tx: &mut Tx<'_>, new: &NewSession<'_>) -> Outcome<()> {
    diesel::insert_into(sessions::table).values(new).execute(tx.conn())?;
    Ok(())
}

/// The end of a session that is not revoked.
pub(super) fn end_of(tx: &mut Tx<'_>, id: &str) -> Outcome<Option<Instant>> {
    Ok(sessions::table
        .find(id)
        .filter(sessions::revoked_at.is_null())
        .select(sessions::ends_at)
        .first(tx.conn())
        .optional()?)
}

/// A refresh token as kept.
#[derive(Queryable)]
pub(super) struct TokenRow {
    pub family: String,
    pub user_id: UserId,
    pub expires_at: Instant,
    pub used_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
}

pub(super) fn insert(tx: &mut Tx<'_>, sha256: &str, family: &str, user: UserId, expires_at: Instant) -> Outcome<()> {
    let now = tx.now();
    diesel::insert_into(tokens::table)
        .values((
            tokens::token_sha256.eq(sha256),
            tokens::family.eq(family),
            tokens::user_id.eq(user),
            tokens::created_at.eq(now),
            tokens::expires_at.eq(expires_at),
        ))
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn find(tx: &mut Tx<'_>, sha256: &str) -> Outcome<Option<TokenRow>> {
    Ok(tokens::table
        .find(sha256)
        .select((tokens::family, tokens::user_id, tokens::expires_at, tokens::used_at, tokens::revoked_at))
        .first(tx.conn())
        .optional()?)
}

/// Uses a token up; false when somebody used or revoked it meanwhile.
pub(super) fn use_up(tx: &mut Tx<'_>, sha256: &str) -> Outcome<bool> {
    let now = tx.now();
    let free = tokens::token_sha256.eq(sha256).and(tokens::used_at.is_null()).and(tokens::revoked_at.is_null());
    let used = diesel::update(tokens::table.filter(free)).set(tokens::used_at.eq(now)).execute(tx.conn())?;
    Ok(used == 1)
}

/// Ends a session; false when it had ended already.
pub(super) fn revoke_family(tx: &mut Tx<'_>, family: &str) -> Outcome<bool> {
    let now = tx.now();
    let ended = diesel::update(sessions::table.filter(sessions::id.eq(family).and(sessions::revoked_at.is_null())))
        .set(sessions::revoked_at.eq(now))
        .execute(tx.conn())?;
    diesel::update(tokens::table.filter(tokens::family.eq(family).and(tokens::revoked_at.is_null())))
        .set(tokens::revoked_at.eq(now))
        .execute(tx.conn())?;
    Ok(ended == 1)
}

/// Ends every session of a person; returns how many.
pub(super) fn revoke_user(tx: &mut Tx<'_>, user: UserId) -> Outcome<usize> {
    // No session has an empty name.
    revoke_others(tx, user, "")
}

/// Ends every session of a person but one; returns how many.
pub(super) fn revoke_others(tx: &mut Tx<'_>, user: UserId, kept: &str) -> Outcome<usize> {
    let now = tx.now();
    let others = sessions::user_id.eq(user).and(sessions::id.ne(kept)).and(sessions::revoked_at.is_null());
    let live = others.and(sessions::ends_at.gt(now));
    let ended = diesel::update(sessions::table.filter(live)).set(sessions::revoked_at.eq(now)).execute(tx.conn())?;
    let others = tokens::user_id.eq(user).and(tokens::family.ne(kept)).and(tokens::revoked_at.is_null());
    diesel::update(tokens::table.filter(others)).set(tokens::revoked_at.eq(now)).execute(tx.conn())?;
    Ok(ended)
}

/// Whether a session is a person's, and not over.
pub(super) fn is_open(tx: &mut Tx<'_>, user: UserId, id: SessionId) -> Outcome<bool> {
    let now = tx.now();
    let own = sessions::table
        .find(id.as_str())
        .filter(sessions::user_id.eq(user).and(sessions::revoked_at.is_null()).and(sessions::ends_at.gt(now)));
    Ok(diesel::select(diesel::dsl::exists(own)).get_result(tx.conn())?)
}

/// A session that can still be renewed.
#[derive(Debug, Queryable)]
pub(super) struct OpenSession {
    pub id: SessionId,
    pub created_at: Instant,
    /// Of its last token: handed out at log-in, and at each renewal.
    pub last_used_at: Instant,
    pub expires_at: Instant,
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

crate::sort_keys!(SessionSort, SessionOrder of "sessions", descending { Created => "created_at" });

/// A page of a person's sessions, by their ids, which sort by their beginning.
pub(super) fn list(tx: &mut Tx<'_>, user: UserId, page: &Page<SessionSort>) -> Outcome<PageView<OpenSession>> {
    let now = tx.now();
    let alive = tokens::used_at.is_null().and(tokens::revoked_at.is_null()).and(tokens::expires_at.gt(now));
    let mut query = sessions::table
        .inner_join(tokens::table.on(tokens::family.eq(sessions::id).and(alive)))
        .filter(sessions::user_id.eq(user).and(sessions::revoked_at.is_null()).and(sessions::ends_at.gt(now)))
        .select((
            sessions::id,
            sessions::opened_at,
            tokens::created_at,
            tokens::expires_at,
            sessions::address,
            sessions::user_agent,
        ))
        .into_boxed();
    keyset!(query, page, sessions::id, { SessionSort::Created => sessions::id, String; });
    let rows: Vec<OpenSession> = query.load(tx.conn())?;
    Ok(page.cut(rows, now, |SessionSort::Created, row| (row.id.to_string(), row.id.to_string())))
}

/// Forgets sessions and tokens that can no longer serve, nor reveal anything.
pub(super) fn forget_expired(tx: &mut Tx<'_>, user: UserId) -> Outcome<()> {
    let now = tx.now();
    diesel::delete(sessions::table.filter(sessions::user_id.eq(user).and(sessions::ends_at.lt(now))))
        .execute(tx.conn())?;
    diesel::delete(tokens::table.filter(tokens::user_id.eq(user).and(tokens::expires_at.lt(now))))
        .execute(tx.conn())?;
    Ok(())
}
