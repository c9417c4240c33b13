//! What the configuration gives campaigns.

use super::texts::CampaignTexts;
use super::thresholds::Thresholds;

/// What the configuration gives campaigns.
#[derive(Debug, Clone)]
pub struct Defaults {
    pub texts: CampaignTexts,
    pub thresholds: Thresholds,
    /// Papers carry « SPÉCIMEN » (demonstration).
    pub specimen: bool,
}
