//! Answers kept under an `Idempotency-Key`, in the transaction of the rows they speak of.

use chrono::Duration;
use diesel::prelude::*;

use super::Tx;
use super::schema::idempotency_keys as keys;
use crate::kernel::{Instant, ProblemCode, Refused, ids::UserId};
use crate::on_backend;
use crate::platform::error::{Error, Outcome};

/// Same key, other request.
pub const KEY_REUSED: ProblemCode = ProblemCode {
    code: "idempotency_key_reused",
    status: 422,
    title: "Clé d'idempotence déjà utilisée",
    meaning: "La même `Idempotency-Key` a servi à un autre contenu dans les 24 heures : en choisir une nouvelle.",
};

/// A POST as its key sees it.
#[derive(Debug, Clone)]
pub struct Call {
    pub user: UserId,
    pub route: String,
    pub key: String,
    pub body_sha256: String,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub status: u16,
    /// JSON object of the headers worth repeating (Location, ETag).
    pub headers: String,
    pub body: String,
}

/// Claims the key. `None`: go on and [`keep`] the answer; `Some`: this was answered already.
///
/// Two calls in flight with one key cannot both act: the second waits for the first one's transaction.
pub fn claim(tx: &mut Tx<'_>, call: &Call) -> Outcome<Option<Stored>> {
    let now = tx.now();
    let oldest: Instant = now.plus(Duration::hours(-24));
    diesel::delete(keys::table.filter(keys::created_at.lt(oldest))).execute(tx.conn())?;
    let claimed = on_backend!(tx.conn(), |c| diesel::insert_into(keys::table)
        .values((
            keys::user_id.eq(call.user),
            keys::route.eq(&call.route),
            keys::key.eq(&call.key),
            keys::body_sha256.eq(&call.body_sha256),
            keys::created_at.eq(now),
        ))
        .on_conflict((keys::user_id, keys::route, keys::key))
        .do_nothing()
        .execute(c))?;
    if claimed == 1 {
        return Ok(None);
    }
    let (sha256, status, headers, body): (String, Option<i64>, Option<String>, Option<String>) = keys::table
        .find((call.user, &call.route, &call.key))
        .select((keys::body_sha256, keys::status, keys::headers, keys::body))
        .first(tx.conn())?;
    if sha256 != call.body_sha256 {
        return Err(Refused::new(&KEY_REUSED, "Cette Idempotency-Key a déjà servi à une autre demande.").into());
    }
    match (status.and_then(|s| u16::try_from(s).ok()), headers, body) {
        (Some(status), Some(headers), Some(body)) => Ok(Some(Stored { status, headers, body })),
        // A claim is only ever committed together with its answer.
        _ => Err(Error::Incident(format!("idempotency key {} without its answer", call.key))),
    }
}

/// Stores the answer of a claimed key.
pub fn keep(tx: &mut Tx<'_>, call: &Call, answer: &Stored) -> Outcome<()> {
    diesel::update(keys::table.find((call.user, &call.route, &call.key)))
        .set((
            keys::status.eq(i64::from(answer.status)),
            keys::headers.eq(&answer.headers),
            keys::body.eq(&answer.body),
        ))
        .execute(tx.conn())?;
    Ok(())
}
