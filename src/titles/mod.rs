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
pub use small_claims::DECIDE_OUTCOMES;
pub use store::Approval;
pub use title::{Debtor, Ground, Reference, Stage, Title, TitleLine, TitleState};

use std::collections::BTreeSet;

use crate::audit::{self, Entry};
use crate::kernel::Actor;
use crate::kernel::ids::{BatchId, CampaignId, TitleId};
use crate::platform::documents::Template;
use crate::platform::{Outcome, Tx};

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

/// Approved titles of a campaign that no batch holds, by reference, with lines and approvals.
pub fn awaiting_batch(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<Title>> {
    let filter = store::TitleFilter {
        campaign: Some(campaign),
        status: Some(TitleState::Approved),
        ..store::TitleFilter::default()
    };
    let mut titles = store::select(tx, &filter)?;
    titles.sort_by_cached_key(|t| t.reference().map(|r| r.text.clone()));
    Ok(titles)
}

/// The exercices of a campaign's approved titles that no batch holds.
pub fn exercices_awaiting_batch(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<BTreeSet<i64>> {
    Ok(store::exercices(tx, campaign, TitleState::Approved)?.into_iter().collect())
}

/// Lines of some titles, in order.
pub fn lines(tx: &mut Tx<'_>, ids: &[TitleId]) -> Outcome<Vec<(TitleId, TitleLine)>> {
    store::lines(tx, ids)
}

/// The frozen approvals of some titles.
pub fn approvals(tx: &mut Tx<'_>, ids: &[TitleId]) -> Outcome<Vec<Approval>> {
    store::approvals_in_short(tx, ids)
}

/// The veto of titles on the closing of their campaign: what is left half way.
pub fn half_way(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Option<String>> {
    let prepared = store::count(tx, campaign, TitleState::Prepared)?;
    let approved = store::count(tx, campaign, TitleState::Approved)?;
    Ok((prepared + approved > 0).then(|| {
        format!(
            "Des titres sont à mi-chemin : {prepared} préparé(s) à approuver ou retirer, {approved} approuvé(s) à \
             mettre en bordereau."
        )
    }))
}

/// Moves the titles of a batch already written; an error when one was no longer approved.
pub fn transmit(tx: &mut Tx<'_>, actor: &Actor, batch: BatchId, number: &str, titles: &[&Title]) -> Outcome<()> {
    store::transmit(tx, batch, number, titles.len())?;
    let told = |title: &&Title| Entry::new(events::of(title), TitleEvent::Transmitted { batch: number.to_owned() });
    audit::record_all(tx, actor, &titles.iter().map(told).collect::<Vec<_>>())
}
