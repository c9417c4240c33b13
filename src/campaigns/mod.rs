//! The year: tariff, dates, texts, policies, and the schools that take part.
//!
//! ```text
//!   preparing ──open──▶ open ──close──▶ closed        enrolment: school × campaign, pinned to the convention
//!        ◀─unopen (nothing issued)   ◀─reopen──
//! ```
//! The campaign keeps its own copy of the texts from the day it opens; a convention copies tariff and texts again
//! when it is issued. What conventions need of enrolments (pin, unpin) is offered here and called from there.

mod actions;
pub mod bulk;
mod calendar;
mod campaign;
pub mod codes;
mod corrections;
mod defaults;
mod enrolment;
pub mod enrolment_import;
mod events;
mod http;
mod http_enrolments;
mod http_requests;
mod http_transitions;
mod http_views;
mod pricing;
mod small_claims;
mod store;
mod store_retention;
mod store_withdrawals;
mod tariff;
mod terms;
pub mod texts;
mod thresholds;
mod transitions;
mod withdrawal;
mod withdrawals;

pub use actions::{ENROL_OUTCOMES, create, enrol, find, find_and_hold, import_enrolments, read_enrolments};
pub use campaign::{Campaign, CampaignAction, CampaignState};
pub use codes::{CAMPAIGN_STATE, CODES};
pub use corrections::{delete, issued};
pub use defaults::Defaults;
pub use enrolment::{Enrol, Enrolment, EnrolmentOrigin, SchoolSelection};
pub use events::CampaignEvent;
pub use http_requests::CampaignRequest;
pub use http_views::CampaignView;
pub use pricing::{Charge, LineAmount, Priced, Step, price};
pub use small_claims::{PolicyForecast, SmallClaimsForecast, is_small};
pub use tariff::{Exemption, Tariff, TariffUnit};
pub use terms::{CampaignTerms, CountersignPolicy, SmallClaims, SmallClaimsPolicy};
pub use thresholds::Thresholds;
pub use transitions::{Rests, moment, transition};

use utoipa::ToSchema;

use crate::audit::Tellers;
use crate::capability::Capability;
use crate::kernel::Uai;
use crate::kernel::ids::{CampaignId, ConventionId};
use crate::platform::tabular::Layout;
use crate::platform::{Outcome, Tx};

/// The sorts of file this room reads.
static LAYOUTS: &[&Layout] = &[&enrolment_import::LAYOUT];

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tags: &[("Campagnes", "L'année : tarif, dates, textes, politiques, écoles inscrites.")],
        routes,
        codes: CODES,
        tells: Tellers::with::<CampaignEvent>,
        omits: &[(<bulk::BulkItem as ToSchema>::name, bulk::BulkItem::SOMETIMES)],
        layouts: LAYOUTS,
        rows: store::ROWS,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("campaigns")
    }
}

/// Mounts the routes.
fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    http::routes(cfg);
    http_transitions::routes(cfg);
    http_enrolments::routes(cfg);
}

/// Every enrolment of a campaign, by UAI.
pub fn enrolments(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<Enrolment>> {
    store::enrolments(tx, campaign)
}

/// A campaign by its id.
pub fn by_id(tx: &mut Tx<'_>, id: CampaignId) -> Outcome<Campaign> {
    actions::by_id(tx, id)
}

/// The campaigns in a state, the last year first.
pub fn in_state(tx: &mut Tx<'_>, state: CampaignState) -> Outcome<Vec<Campaign>> {
    store::in_state(tx, state)
}

/// The school year of a campaign: most readings need no more of it.
pub fn school_year(tx: &mut Tx<'_>, id: CampaignId) -> Outcome<crate::kernel::SchoolYear> {
    Ok(store::school_year(tx, id)?.ok_or_else(|| crate::kernel::Refused::not_found("Campagne", id))?)
}

/// Pins uncovered enrolments to the convention that covers each school; returns how many.
pub fn pin(tx: &mut Tx<'_>, campaign: CampaignId, covered: &[(Uai, ConventionId)]) -> Outcome<usize> {
    store::pin(tx, campaign, covered)
}

/// Frees the enrolments of a convention that leaves.
pub fn unpin(tx: &mut Tx<'_>, convention: ConventionId) -> Outcome<usize> {
    store::unpin(tx, convention)
}
