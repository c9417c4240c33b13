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
mod printing;
mod returns;
mod settlement;
mod store;
mod store_returns;
mod title;
mod views;

pub use approve::{APPROVE_OUTCOMES, ApproveRequest, Making, TitleSelection, approve};
pub use approved::Approved;
pub use batching::{awaiting_batch, exercices_awaiting_batch, half_way, transmit};
pub use codes::CODES;
pub use events::TitleEvent;
pub use later::{ActWorld, ApproveAct, PrepareAct};
pub use prepare::{CALLED, PREPARE_OUTCOMES, PrepareRequest, PrepareView, prepare};
pub use printing::PAPER;
pub use settlement::Settlement;
pub use title::{Reference, Stage, Title, TitleLine, TitleState};

/// Mounts the routes.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    http::routes(cfg);
    http_participations::routes(cfg);
}
