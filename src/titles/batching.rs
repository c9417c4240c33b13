//! What accounting asks of titles: which wait for a batch, and their going into one.

use std::collections::BTreeSet;

use super::approved::{Approved, verified};
use super::events::{self, TitleEvent};
use super::store;
use super::title::TitleState;
use crate::audit::{self, Entry};
use crate::kernel::ids::{BatchId, CampaignId};
use crate::kernel::{Actor, french};
use crate::platform::{Outcome, Tx};

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

/// The veto of titles on the closing of their campaign: what is left half way.
pub fn half_way(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Option<String>> {
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

/// Moves the titles of a batch already written; an error when one was no longer approved.
pub fn transmit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    campaign: CampaignId,
    (batch, number): (BatchId, &str),
    titles: &[Approved],
) -> Outcome<()> {
    store::transmit(tx, batch, number, titles.len())?;
    let transmitted = |title: &Approved| {
        Entry::new(events::of_approved(title, campaign), TitleEvent::Transmitted { batch: number.to_owned() })
    };
    audit::record_all(tx, actor, &titles.iter().map(transmitted).collect::<Vec<_>>())
}
