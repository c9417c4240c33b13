//! What mails are about.

use crate::kernel::ids::{CampaignId, CollectiviteId};

/// Whose dossier, of which campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dossier {
    pub payer: CollectiviteId,
    pub campaign: CampaignId,
}
