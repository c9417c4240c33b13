//! Use cases: an act asked for, cancelled, read by its author.

use super::act::{ActState, LongAct};
use super::codes::JOB_STATE;
use super::run::RunAct;
use super::store::{self, Act, Asked, Ending};
use crate::kernel::ids::ActId;
use crate::kernel::{Actor, Principal, Refused, Role};
use crate::platform::jobs::{self, Daily};
use crate::platform::retention::ACTS_DAYS;
use crate::platform::{Error, Outcome, Tx};
use chrono::Duration;

/// Jobs that ended are kept for so long.
const KEPT: Duration = Duration::days(ACTS_DAYS);

/// What each day asks of this room.
pub const DAILY: &[Daily] = &[Daily::new("acts.purge", |tx, _| {
    let before = tx.now().plus(-KEPT);
    store::purge(tx, before)
})];

/// Writes down what is asked and queues it, in the caller's transaction.
pub(super) fn ask<A: LongAct>(tx: &mut Tx<'_>, actor: &Actor, asked: &A) -> Outcome<Act> {
    let author = actor.user().ok_or_else(|| Error::Incident("an act asked for by nobody".into()))?;
    let id = ActId::new(tx.uuid());
    let request = serde_json::to_string(asked)?;
    store::insert(
        tx,
        Asked { id, operation: A::OPERATION, author, request_id: actor.request_id.as_deref(), request: &request },
    )?;
    jobs::enqueue(tx, &RunAct::<A> { act_id: id, act: std::marker::PhantomData })?;
    found(tx, id)
}

fn found(tx: &mut Tx<'_>, id: ActId) -> Outcome<Act> {
    Ok(store::find(tx, id)?.ok_or_else(|| Refused::not_found("Travail", id))?)
}

/// A job as its author sees it, and an administrator, who has no power over money but answers for the service. To
/// anybody else it does not exist.
pub(super) fn seen_by(tx: &mut Tx<'_>, actor: &Actor, id: ActId) -> Outcome<Act> {
    let act = found(tx, id)?;
    if actor.user() == Some(act.author) || matches!(actor.principal, Principal::Staff { role: Role::Admin, .. }) {
        return Ok(act);
    }
    Err(Refused::not_found("Travail", id).into())
}

/// Cancels a job that has not begun.
pub(super) fn cancel(tx: &mut Tx<'_>, actor: &Actor, id: ActId) -> Outcome<Act> {
    let act = seen_by(tx, actor, id)?;
    if !store::step(tx, id, ActState::Waiting, ActState::Cancelled)? {
        let now = found(tx, id)?.state;
        let none: [&str; 0] = [];
        let detail =
            "Le travail a commencé ou s'est terminé : il se fait en entier ou pas du tout, et ne s'annule plus.";
        return Err(Refused::state(&JOB_STATE, detail, now, none).into());
    }
    found(tx, act.id)
}

/// The whole answer of a job that is done.
pub(super) fn result(tx: &mut Tx<'_>, actor: &Actor, id: ActId) -> Outcome<String> {
    let act = seen_by(tx, actor, id)?;
    match store::result(tx, id)? {
        Some(result) => Ok(result),
        None => {
            let none: [&str; 0] = [];
            Err(Refused::state(&JOB_STATE, "Le travail n'a pas de résultat.", act.state, none).into())
        }
    }
}

/// Its job was given up: it is not done, and will not be.
///
/// # Errors
/// Those of the database.
pub fn give_up(tx: &mut Tx<'_>, id: ActId) -> Outcome<()> {
    store::end(tx, id, Ending::Failed)
}
