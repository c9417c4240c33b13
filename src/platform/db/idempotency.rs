//! Answers kept under an `Idempotency-Key`, in the transaction of the rows they speak of.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::schema::idempotency_keys as keys;
use super::{AnyConnection, Tx};
use crate::kernel::{ProblemCode, Refused};
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
    /// Whose key it is (see [`crate::kernel::Principal::scope`]): the same word under another is another key.
    pub scope: String,
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

/// The same key, and its answer is not there yet.
pub const IN_FLIGHT: ProblemCode = ProblemCode {
    code: "idempotency_key_in_flight",
    status: 409,
    title: "Demande en cours de traitement",
    meaning: "La même `Idempotency-Key` est en cours de traitement : refaire l'appel, à l'identique, après `Retry-After` \
              secondes pour en obtenir la réponse.",
};

/// The codes of idempotency.
pub const CODES: &[&ProblemCode] = &[&KEY_REUSED, &IN_FLIGHT];

fn refuse_in_flight() -> Refused {
    Refused::new(&IN_FLIGHT, "Une demande portant cette Idempotency-Key est en cours : elle n'est pas répétée.")
}

/// How long an answer is kept.
const KEPT: Duration = Duration::hours(24);

type Place = (String, String, String);

/// The keyed calls this process is answering: the second of two is told at once instead of waiting for the first.
///
/// Another process is told by the database (see [`claim`]); a process that dies takes its list with it, and its
/// transaction with its claim.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<Place>>>);

impl InFlight {
    /// Takes the place of a call until the guard is dropped.
    ///
    /// # Errors
    /// [`IN_FLIGHT`].
    pub fn enter(&self, call: &Call) -> Result<Guard, Refused> {
        let place = (call.scope.clone(), call.route.clone(), call.key.clone());
        if self.places().insert(place.clone()) {
            Ok(Guard { all: self.clone(), place })
        } else {
            Err(refuse_in_flight())
        }
    }

    fn places(&self) -> MutexGuard<'_, HashSet<Place>> {
        // A set of names is whole whatever happened to the thread that held it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call being answered.
pub struct Guard {
    all: InFlight,
    place: Place,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.all.places().remove(&self.place);
    }
}

/// Claims the key. `None`: go on and [`keep`] the answer; `Some`: this was answered already.
///
/// Two calls in flight with one key cannot both act. SQLite has one writer: whoever is here is alone. On PostgreSQL
/// the key is locked until the transaction ends, and who does not get it is refused.
pub fn claim(tx: &mut Tx<'_>, call: &Call) -> Outcome<Option<Stored>> {
    if let AnyConnection::Postgresql(c) = tx.conn() {
        let name = format!("{}\n{}\n{}", call.scope, call.route, call.key);
        let free: bool = diesel::select(
            diesel::dsl::sql::<Bool>("pg_try_advisory_xact_lock(hashtextextended(").bind::<Text, _>(name).sql(", 0))"),
        )
        .get_result(c)?;
        if !free {
            return Err(refuse_in_flight().into());
        }
    }
    let now = tx.now();
    // What the daily purge has not yet removed no longer counts.
    let own = keys::table.find((&call.scope, &call.route, &call.key));
    diesel::delete(own.filter(keys::created_at.lt(now.plus(-KEPT)))).execute(tx.conn())?;
    let claimed = on_backend!(tx.conn(), |c| diesel::insert_into(keys::table)
        .values((
            keys::scope.eq(&call.scope),
            keys::route.eq(&call.route),
            keys::key.eq(&call.key),
            keys::body_sha256.eq(&call.body_sha256),
            keys::created_at.eq(now),
        ))
        .on_conflict((keys::scope, keys::route, keys::key))
        .do_nothing()
        .execute(c))?;
    if claimed == 1 {
        return Ok(None);
    }
    let (sha256, status, headers, body): (String, Option<i64>, Option<String>, Option<String>) = keys::table
        .find((&call.scope, &call.route, &call.key))
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
    diesel::update(keys::table.find((&call.scope, &call.route, &call.key)))
        .set((
            keys::status.eq(i64::from(answer.status)),
            keys::headers.eq(&answer.headers),
            keys::body.eq(&answer.body),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Removes the answers nobody can ask for any more; returns how many. Daily work.
pub fn purge(tx: &mut Tx<'_>) -> Outcome<usize> {
    let oldest = tx.now().plus(-KEPT);
    Ok(diesel::delete(keys::table.filter(keys::created_at.lt(oldest))).execute(tx.conn())?)
}
