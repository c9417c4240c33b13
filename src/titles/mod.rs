//! The title's life: prepared, approved by a second person, numbered without a gap, frozen, printed.
//!
//! ```text
//!   claim to title ──prepare──▶ prepared ──approve──▶ approved ──seal──▶ transmitted ──▶ (Chorus)
//!                                  │ reference,        by accounting
//!                     ◀──resubmit── ▼ content frozen
//!                               returned
//! ```
//! What is owed, and what was decided of it, is the room to the left (`claims`). The executory title is edited and
//! numbered by Chorus; ours is the liquidation and the demand. Correcting is never an edit: it is another, linked title.

mod approve;
mod approved;
mod batching;
mod codes;
pub mod document;
mod events;
mod http;
mod http_participations;
mod later;
mod noes;
mod paper;
mod participations;
mod prepare;
mod prepared;
mod printing;
mod returns;
mod settlement;
mod store;
mod store_retention;
mod store_returns;
mod title;
mod views;

pub use approve::{APPROVE_OUTCOMES, Approve, Making, TitleSelection, approve};
pub use approved::Approved;
pub use batching::{awaiting_batch, exercices_awaiting_batch, transmit};
pub use codes::CODES;
pub use events::TitleEvent;
pub use later::{ApproveAct, PrepareAct};
pub use prepare::{CALLED, PREPARE_OUTCOMES, Prepare, PrepareView, prepare};
pub use printing::PAPER;
pub use settlement::Settlement;
pub use title::{Reference, Stage, Title, TitleLine, TitleState};

use crate::audit::{Moment, Tellers, Veto};
use crate::campaigns::{self, CampaignAction};
use crate::capability::Capability;
use crate::conventions::{self, ConventionAction};

/// What this room has against acts of those to its left.
const VETOES: &[(Moment, Veto)] = &[
    (campaigns::moment(CampaignAction::Close), batching::half_way),
    (conventions::moment(ConventionAction::Cancel), batching::stated),
    (conventions::moment(ConventionAction::CorrectSignature), batching::stated),
];

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tags: &[("Titres", "Liquidation, approbation par une autre personne, demandes d'émission.")],
        routes,
        codes: CODES,
        tells: Tellers::with::<TitleEvent>,
        papers: &[&PAPER],
        vetoes: VETOES,
        rows: store::ROWS,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("titles")
    }
}

/// Mounts the routes.
fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    http::routes(cfg);
    http_participations::routes(cfg);
}
