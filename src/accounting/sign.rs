//! Use case of a batch that its ordonnateur signed, on paper or in another tool: what was signed is recorded.

use super::batch::{Batch, BatchAct, BatchNumber, BatchSignature};
use super::events::{self, BatchEvent};
use super::{sealed, store};
use crate::audit;
use crate::kernel::{Actor, Version};
use crate::platform::db::counters;
use crate::platform::{Outcome, Tx};

/// Does an act on one batch. Who comes second waits before reading anything of it, and so reads what became of it; what is
/// signed is what was sealed.
///
/// # Errors
/// `clock_behind`; `not_found`; a batch that is not what was sealed; `precondition_failed`; those of [`Batch::apply`];
/// `concurrent_change`.
pub fn act(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: &BatchNumber,
    read: Option<&Version>,
    act: BatchAct,
) -> Outcome<Batch> {
    counters::lock(tx, &format!("batch:{}", number.exercice()))?;
    let batch = sealed::verified(tx, number)?;
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
