//! Whether a prepared title is still what its convention made due when it was prepared. Pure.
//!
//! What changed since in the registry (a school closed, an address, a successor) is no matter here: a title is held to
//! what was frozen, the participation and the signatures, and to a debtor who signed or succeeds.

use std::collections::{HashMap, HashSet};

use super::title::{Title, TitleLine};
use crate::conventions::{self, Convention, ParticipationLine, StoredParticipation};
use crate::kernel::ids::CollectiviteId;
use crate::registry::Succession;

/// What a title was prepared on, as it is frozen.
pub(super) struct Base<'b> {
    pub convention: &'b Convention,
    pub participation: &'b StoredParticipation,
    pub lines: &'b [ParticipationLine],
    pub successions: &'b HashMap<CollectiviteId, Succession>,
}

/// Holds a prepared title to what it was prepared on.
///
/// # Errors
/// What disagrees, in French.
pub(super) fn holds(title: &Title, lines: &[TitleLine], base: &Base<'_>) -> Result<(), &'static str> {
    let (convention, participation) = (base.convention, base.participation);
    let same = (title.campaign_id, title.convention_rank, participation.convention_id)
        == (convention.campaign_id, convention.rank, title.convention_id);
    let ground = &title.ground;
    if !same || ground.convention_number != convention.number {
        return Err("le titre préparé n'est plus celui de sa convention");
    }
    let effect = convention.effect().ok_or("la convention du titre préparé n'a pas pris effet")?;
    if (ground.payer_signed_on, ground.issuer_signed_on, ground.took_effect_on)
        != (effect.signed.on, effect.countersigned.on, effect.took_effect_on)
    {
        return Err("les signatures que le titre préparé énonce ne sont plus celles de sa convention");
    }
    if !succeeds(convention.collectivite_id, title.debtor_id, base.successions) {
        return Err("le débiteur du titre préparé n'est ni le signataire, ni son successeur");
    }
    // A line left out is stated with the decision that left it out; the others are priced without it.
    let kept: Vec<ParticipationLine> =
        base.lines.iter().filter(|l| lines.iter().any(|t| t.uai == l.school.uai)).cloned().collect();
    let (due, expected, same_steps) = if ground.left_out.is_empty() {
        (participation.total, base.lines.to_vec(), ground.steps == participation.steps)
    } else {
        let again = conventions::reprice(&participation.tariff, &kept)
            .ok_or("les lignes du titre préparé ne sont plus celles de sa convention")?;
        // The words of a computation are those of the version of the program that made it.
        let same = ground.steps.iter().map(|s| s.amount).eq(again.steps.iter().map(|s| s.amount));
        (again.total, again.lines, same)
    };
    let expected: Vec<TitleLine> = expected.iter().map(TitleLine::from).collect();
    if expected != lines || lines.len() + ground.left_out.len() != base.lines.len() {
        return Err("les lignes du titre préparé ne sont plus celles de sa convention");
    }
    if title.amount != due || !same_steps {
        return Err("le montant du titre préparé n'est plus celui de sa convention");
    }
    Ok(())
}

/// Whether a collectivité signed, or succeeds to who did, however many times.
fn succeeds(signed: CollectiviteId, owes: CollectiviteId, successions: &HashMap<CollectiviteId, Succession>) -> bool {
    let (mut at, mut seen) = (signed, HashSet::new());
    while at != owes && seen.insert(at) {
        match successions.get(&at) {
            Some(link) => at = link.successor_id,
            None => return false,
        }
    }
    at == owes
}
