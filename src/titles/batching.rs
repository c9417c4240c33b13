//! What accounting asks of titles: which wait for a batch, and their going into one; what titles have against acts of
//! the left.

use std::collections::BTreeSet;

use super::approved::{Approved, verified};
use super::events::{self, TitleEvent};
use super::store;
use super::title::TitleState;
use crate::audit::{self, Entry, Subject};
use crate::kernel::ids::{BatchId, CampaignId, ConventionId, TitleId};
use crate::kernel::{Actor, french};
use crate::platform::{Error, Outcome, Tx};

/// What was approved of a campaign and exercice and no batch holds, by reference; each compared again with its title.
pub fn awaiting_batch(tx: &mut Tx<'_>, campaign: CampaignId, exercice: i64) -> Outcome<Vec<Approved>> {
    let filter = store::TitleFilter {
        campaign: Some(campaign),
        status: Some(TitleState::Approved),
        ..store::TitleFilter::default()
    };
    let mut titles = store::select(tx, &filter)?;
    titles.retain(|t| t.reference().is_some_and(|r| r.exercice == exercice));
    let mut approved = verified(tx, &titles)?;
    approved.sort_by(|a, b| a.settlement.reference.cmp(&b.settlement.reference));
    Ok(approved)
}

/// The exercices of a campaign's approved titles that no batch holds.
pub fn exercices_awaiting_batch(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<BTreeSet<i64>> {
    Ok(store::exercices(tx, campaign, TitleState::Approved)?.into_iter().collect())
}

/// What titles have against the closing of their campaign: what is left half way.
pub(super) fn half_way(tx: &mut Tx<'_>, campaign: &Subject) -> Outcome<Option<String>> {
    let campaign = CampaignId::parse(&campaign.id).map_err(|e| Error::Incident(e.message))?;
    let prepared = store::count(tx, campaign, TitleState::Prepared)?;
    let approved = store::count(tx, campaign, TitleState::Approved)?;
    Ok((prepared + approved > 0).then(|| {
        format!(
            "Des titres sont à mi-chemin : {} à approuver ou retirer, {} à mettre en bordereau.",
            french::count(prepared, "préparé"),
            french::count(approved, "approuvé")
        )
    }))
}

/// What titles have against taking back the signatures of their convention: a living one states them.
pub(super) fn stated(tx: &mut Tx<'_>, convention: &Subject) -> Outcome<Option<String>> {
    let id = ConventionId::parse(&convention.id).map_err(|e| Error::Incident(e.message))?;
    let told = "Un titre existe pour cette convention, dont il énonce les signatures : le retirer d'abord.";
    Ok(store::is_titled(tx, id)?.then(|| told.to_owned()))
}

/// Moves the titles of a batch already written; an error when one was no longer approved.
pub fn transmit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    campaign: CampaignId,
    (batch, number): (BatchId, &str),
    titles: &[Approved],
) -> Outcome<()> {
    let ids: Vec<TitleId> = titles.iter().map(|title| title.title_id).collect();
    store::transmit(tx, batch, number, &ids)?;
    let transmitted = |title: &Approved| {
        Entry::new(events::of_approved(title, campaign), TitleEvent::Transmitted { batch: number.to_owned() })
    };
    audit::record_all(tx, actor, &titles.iter().map(transmitted).collect::<Vec<_>>())
}
