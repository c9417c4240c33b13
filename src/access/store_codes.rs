//! The table of one-time codes: one per account at most, by its digest.

use diesel::prelude::*;

use super::codes::PasswordCode;
use crate::kernel::{Instant, ids::UserId};
use crate::platform::db::schema::password_codes as codes;
use crate::platform::{Outcome, Tx};

/// A code that may be used.
#[derive(Debug, Queryable)]
pub(super) struct CodeRow {
    pub user_id: UserId,
    pub issued_at: Instant,
    pub issued_by_label: String,
}

/// Keeps a code in the place of the former one. The account's row is held by the caller.
pub(super) fn replace(
    tx: &mut Tx<'_>,
    user: UserId,
    code: &PasswordCode,
    expires_at: Instant,
    issuer: (Option<UserId>, &str),
) -> Outcome<()> {
    remove(tx, user)?;
    let now = tx.now();
    diesel::insert_into(codes::table)
        .values((
            codes::user_id.eq(user),
            codes::code_sha256.eq(code.sha256()),
            codes::issued_at.eq(now),
            codes::expires_at.eq(expires_at),
            codes::issued_by.eq(issuer.0),
            codes::issued_by_label.eq(issuer.1),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The code, if it is one and its time is not over.
pub(super) fn find(tx: &mut Tx<'_>, code: &PasswordCode) -> Outcome<Option<CodeRow>> {
    let now = tx.now();
    Ok(codes::table
        .filter(codes::code_sha256.eq(code.sha256()).and(codes::expires_at.gt(now)))
        .select((codes::user_id, codes::issued_at, codes::issued_by_label))
        .first(tx.conn())
        .optional()?)
}

/// Uses a code up; false when somebody used or replaced it meanwhile.
pub(super) fn use_up(tx: &mut Tx<'_>, code: &PasswordCode) -> Outcome<bool> {
    Ok(diesel::delete(codes::table.filter(codes::code_sha256.eq(code.sha256()))).execute(tx.conn())? == 1)
}

/// Takes the code of an account away.
pub(super) fn remove(tx: &mut Tx<'_>, user: UserId) -> Outcome<()> {
    diesel::delete(codes::table.filter(codes::user_id.eq(user))).execute(tx.conn())?;
    Ok(())
}
