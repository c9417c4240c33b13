//! The claim: what each convention makes due today, who owes it, and what was decided of it.
//!
//! ```text
//!   participation (frozen) ──lines looked at again──▶ due − titled ──liquidate──┬─▶ to title: the room to the right
//!                                a person's word                  policy, word  ├─▶ left untitled, by a named act
//!                                                                               └─▶ nothing, already titled
//! ```
//! Below the threshold a claim may be left untitled, by a named act with its paper (`decision`); a line whose school has
//! closed waits for a person's word (`lines`). What titles call already is asked of the right through [`Called`].

mod claim;
mod codes;
mod decision;
pub mod decision_paper;
mod events;
mod http_lines;
mod http_small_claims;
mod line_actions;
mod lines;
mod liquidation;
mod owing;
mod printing;
mod scene;
mod small_claims;
mod standing;
mod store;
mod store_retention;

pub use claim::{Claim, Ground, small_claim};
pub use codes::{CODES, PREPARER_UNKNOWN};
pub use decision::{Decision, Origin};
pub use events::ClaimEvent;
pub use line_actions::LINE_OUTCOMES;
pub use liquidation::{Liquidation, Word, liquidate};
pub use owing::{Debtor, Owing, Registry, owing, substitution};
pub use printing::PAPER;
pub use scene::{Called, Scene, Small, repriced};
pub use small_claims::{DECIDE_OUTCOMES, act_numbers, outlive, record, verify};
pub use standing::{Facts, Standing, Titling, titling};

use crate::audit::Tellers;
use crate::capability::Capability;

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        routes,
        codes: CODES,
        tells: Tellers::with::<ClaimEvent>,
        papers: &[&PAPER],
        rows: store::ROWS,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("claims")
    }
}

/// Mounts the routes.
fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    http_lines::routes(cfg);
    http_small_claims::routes(cfg);
}
