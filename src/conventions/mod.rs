//! The annual convention: issued in number, signed by both parties, and what it makes due.
//!
//! ```text
//!   enrolments ──issue──▶ issued ──sign──▶ signed ──countersign──▶ active ──▶ expired      (declined, cancelled)
//!                           └── participation v1 (lines, total, steps): frozen
//!                           └── paper: see `platform::papers`
//! ```
//! Issuing seals and copies everything the paper says (party, schools, tariff, texts): later changes of the registry show as
//! findings, never as another paper. How much of a participation is titled is known further right, and told there.

mod actions;
mod attachments;
mod codes;
mod convention;
pub mod document;
mod events;
mod http;
mod http_campaign;
mod issue;
mod jobs;
mod later;
mod paper;
mod participation;
pub mod payers;
mod printing;
mod request;
mod signature;
mod specimen;
mod store;
mod store_refusals;
mod store_retention;
mod store_seals;
mod views;

pub use actions::{expire_due, find, moment, transition};
pub use codes::CODES;
pub use convention::{Convention, ConventionAction, ConventionState, Party};
pub use events::{ConventionEvent, of as subject};
pub use issue::{ISSUE_OUTCOMES, Issue, IssueView, issue};
pub use jobs::enqueue_expiry;
pub use later::{ActWorld, IssueAct};
pub use paper::{designation, legal_name, town};
pub use participation::{ListedSchool, Participation, ParticipationLine, reprice};
pub use payers::{PayerSelection, Payers};
pub use printing::PAPER;
pub use request::{ConventionTransition, WhoSigned};
pub use store::{
    ConventionFilter, ConventionOrder, ConventionSort, Reach, StoredParticipation, Sum, list, place, select, sums,
};
pub use views::{ConventionView, LineView, ParticipationView};

use utoipa::ToSchema;

use crate::audit::Tellers;
use crate::capability::Capability;
use crate::kernel::ids::{CampaignId, CollectiviteId, ConventionId, ParticipationId};
use crate::platform::{Database, Outcome, Tx};

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tags: &[("Conventions", "Émission, signatures, documents, participations et leur calcul.")],
        routes,
        codes: CODES,
        tells: Tellers::with::<ConventionEvent>,
        omits: &[(<ConventionView as ToSchema>::name, ConventionView::SOMETIMES)],
        jobs: jobs::handlers,
        daily: jobs::DAILY,
        papers: &[&PAPER],
        rows: store::ROWS,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("conventions")
    }
}

/// Mounts the routes.
fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    http::routes(cfg);
    http_campaign::routes(cfg);
    attachments::routes(cfg);
}

/// Whether some conventions are still what was issued; an alarm when one is not.
pub fn verify(tx: &mut Tx<'_>, ids: &[ConventionId]) -> Outcome<()> {
    store_seals::verify(tx, ids)
}

/// Seals what was issued before seals were kept; returns how many. To be asked right after a migration.
pub fn seal_what_is_older(db: &Database) -> Outcome<usize> {
    if db.read(store_seals::any_unsealed)? { db.write(store_seals::seal_unsealed) } else { Ok(0) }
}

/// Some conventions.
pub fn by_ids(tx: &mut Tx<'_>, ids: &[ConventionId]) -> Outcome<Vec<Convention>> {
    store::by_ids(tx, ids)
}

/// Some participations, whatever their versions.
pub fn participations_by_ids(tx: &mut Tx<'_>, ids: &[ParticipationId]) -> Outcome<Vec<StoredParticipation>> {
    store::participations_by_ids(tx, ids)
}

/// Every convention of a campaign, in the order of numbers.
pub fn of_campaign(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<Convention>> {
    store::of_campaign(tx, campaign)
}

/// The conventions of some payers in a campaign, in the order of numbers.
pub fn of_payers(tx: &mut Tx<'_>, campaign: CampaignId, payers: &[CollectiviteId]) -> Outcome<Vec<Convention>> {
    store::of_payers(tx, campaign, payers)
}

/// The latest participation of each convention.
pub fn participations(tx: &mut Tx<'_>, reach: Reach<'_>) -> Outcome<Vec<StoredParticipation>> {
    store::latest_participations(tx, reach)
}

/// Lines of some participations, in order.
pub fn participation_lines(
    tx: &mut Tx<'_>,
    ids: &[ParticipationId],
) -> Outcome<Vec<(ParticipationId, ParticipationLine)>> {
    store::lines(tx, ids)
}
