//! Campaigns, as answered.

use serde::Serialize;

use super::campaign::{Campaign, CampaignState};
use super::http_requests::CampaignRequest;
use crate::kernel::Instant;
use crate::kernel::ids::CampaignId;

/// Une campagne.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CampaignView {
    pub id: CampaignId,
    #[serde(flatten)]
    pub said: CampaignRequest,
    pub state: CampaignState,
    #[schema(example = "EUR")]
    pub currency: &'static str,
    pub opened_at: Option<Instant>,
    pub closed_at: Option<Instant>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl From<Campaign> for CampaignView {
    fn from(c: Campaign) -> Self {
        Self {
            id: c.id,
            said: c.said.into(),
            state: c.state,
            currency: "EUR",
            opened_at: c.opened_at,
            closed_at: c.closed_at,
            version: c.version,
            created_at: c.created_at,
            updated_at: c.updated_at,
        }
    }
}
