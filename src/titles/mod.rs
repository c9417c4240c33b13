//! The claim: liquidation, approval by a second person, gap-free reference, frozen content, and the paper.
//!
//! ```text
//!   convention in effect ──prepare──▶ prepared ──approve──▶ approved ──seal──▶ transmitted ──▶ (Chorus)
//!                          small claims policy │ reference,        by accounting
//!                                 ◀──resubmit── ▼ content frozen
//!                                           returned
//! ```
//! Below the threshold a claim may be left untitled, by a named act with its paper (`decision`); a line whose school
//! has closed waits for a person's word (`lines`). The executory title is edited and numbered by Chorus; ours is the
//! liquidation and the demand. Correcting is never an edit: it is another, linked title.

mod approve;
mod claim;
mod codes;
mod decision;
pub mod decision_paper;
pub mod document;
mod events;
mod http;
mod http_lines;
mod http_participations;
mod http_small_claims;
mod jobs;
mod line_actions;
mod lines;
mod liquidation;
mod noes;
mod owing;
mod paper;
mod prepare;
mod returns;
mod settlement;
mod small_claims;
mod store;
mod store_decisions;
mod store_returns;
mod title;
mod views;

pub use approve::{APPROVE_OUTCOMES, ApproveRequest, Making, TitleSelection, approve};
pub use codes::CODES;
pub use events::TitleEvent;
pub use jobs::{document as render, handlers};
pub use line_actions::LINE_OUTCOMES;
pub use prepare::{PREPARE_OUTCOMES, PrepareRequest, PrepareView, prepare};
pub use settlement::Settlement;
pub use small_claims::DECIDE_OUTCOMES;
pub use title::{Debtor, Ground, Reference, Stage, Title, TitleLine, TitleState};

use std::collections::{BTreeSet, HashMap};

use crate::audit::{self, Entry};
use crate::kernel::ids::{BatchId, CampaignId, TitleId};
use crate::kernel::{Actor, french};
use crate::platform::documents::Template;
use crate::platform::{Error, Outcome, Tx};

/// The templates in force: those of the program, or the rectorat's own.
#[derive(Debug, Clone)]
pub struct Templates {
    pub title: Template,
    pub decision: Template,
}

/// Mounts the routes.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    http::routes(cfg);
    http_lines::routes(cfg);
    http_participations::routes(cfg);
    http_small_claims::routes(cfg);
}

/// What was approved of one title, and the digest of the content that says so.
#[derive(Debug, Clone)]
pub struct Approved {
    pub title_id: TitleId,
    pub settlement: Settlement,
    pub content_sha256: String,
}

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

fn falsified(title: &Title, what: &str) -> Error {
    Error::falsified("perception_title", title.key(), what)
}

/// What was approved of some titles, once it agrees with everything that says so.
fn verified(tx: &mut Tx<'_>, titles: &[Title]) -> Outcome<Vec<Approved>> {
    let ids: Vec<TitleId> = titles.iter().map(|t| t.id).collect();
    let mut lines: HashMap<TitleId, Vec<TitleLine>> = HashMap::new();
    for (id, line) in store::lines(tx, &ids)? {
        lines.entry(id).or_default().push(line);
    }
    let mut approvals: HashMap<TitleId, _> = store::approvals(tx, &ids)?.into_iter().map(|a| (a.title_id, a)).collect();
    titles
        .iter()
        .map(|title| {
            let approval =
                approvals.remove(&title.id).ok_or_else(|| falsified(title, "le titre n'a pas d'approbation"))?;
            let own = lines.remove(&title.id).unwrap_or_default();
            let settlement = settlement::verified(approval.stored(), title, &own).map_err(|w| falsified(title, w))?;
            Ok(Approved { title_id: title.id, settlement, content_sha256: approval.content_sha256 })
        })
        .collect()
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
