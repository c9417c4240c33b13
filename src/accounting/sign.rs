//! Use case of a batch that its ordonnateur signed, on paper or in another tool: what was signed is recorded.

use super::batch::{Batch, BatchAct, BatchNumber, BatchSignature};
use super::events::{self, BatchEvent};
use super::store;
use crate::audit;
use crate::kernel::Version;
use crate::kernel::{Actor, Refused};
use crate::platform::db::counters;
use crate::platform::{Outcome, Tx};

/// Waits for whoever is at the batches of the same exercice: who comes second reads what became of its batch. Before
/// anything of the batch is read.
///
/// # Errors
/// `clock_behind`.
pub fn hold(tx: &mut Tx<'_>, number: &BatchNumber) -> Outcome<()> {
    counters::lock(tx, &format!("batch:{}", number.exercice()))
}

/// Does an act on one batch, once it is held.
///
/// # Errors
/// `not_found`; a version that is no longer the one read; those of [`Batch::apply`]; `concurrent_change`.
pub fn act(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: &BatchNumber,
    read: Option<&Version>,
    act: BatchAct,
) -> Outcome<Batch> {
    let batch = store::find(tx, number)?.ok_or_else(|| Refused::not_found("Bordereau", number))?;
    read.map_or(Ok(()), |read| read.admits(batch.version))?;
    let event = told(batch.signature(), &act);
    let today = tx.today();
    let (mut next, effect) = batch.apply(act, today)?;
    store::save(tx, &mut next, &effect, actor)?;
    audit::record(tx, actor, events::of(&next), event)?;
    Ok(next)
}

fn told(before: Option<&BatchSignature>, act: &BatchAct) -> BatchEvent {
    match (act, before) {
        (BatchAct::CorrectSignature { signature, reason }, Some(before)) => BatchEvent::SignatureCorrected {
            before: before.into(),
            after: signature.into(),
            reason: reason.to_string().into(),
        },
        (BatchAct::Sign(signature) | BatchAct::CorrectSignature { signature, .. }, _) => {
            BatchEvent::Signed { signature: signature.into() }
        }
    }
}
