//! The table of refresh tokens: their digests only.

use diesel::prelude::*;

use crate::kernel::{Instant, ids::UserId};
use crate::platform::db::schema::refresh_tokens as tokens;
use crate::platform::{Outcome, Tx};

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

pub(super) fn revoke_family(tx: &mut Tx<'_>, family: &str) -> Outcome<()> {
    let now = tx.now();
    diesel::update(tokens::table.filter(tokens::family.eq(family).and(tokens::revoked_at.is_null())))
        .set(tokens::revoked_at.eq(now))
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn revoke_user(tx: &mut Tx<'_>, user: UserId) -> Outcome<()> {
    let now = tx.now();
    diesel::update(tokens::table.filter(tokens::user_id.eq(user).and(tokens::revoked_at.is_null())))
        .set(tokens::revoked_at.eq(now))
        .execute(tx.conn())?;
    Ok(())
}

/// Forgets tokens that can no longer serve, nor reveal anything.
pub(super) fn forget_expired(tx: &mut Tx<'_>, user: UserId) -> Outcome<()> {
    let now = tx.now();
    diesel::delete(tokens::table.filter(tokens::user_id.eq(user).and(tokens::expires_at.lt(now))))
        .execute(tx.conn())?;
    Ok(())
}
