//! What is decided of a claim, as the journal tells it.

use serde::{Deserialize, Serialize};

use super::decision::Decision;
use super::lines::LineChoice;
use crate::audit::{Act, Personal, Subject, SubjectKind, Told};
use crate::kernel::ids::{CampaignId, SmallClaimActId};
use crate::kernel::{Money, Uai, french};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum ClaimEvent {
    /// A small claim left without a title.
    #[serde(rename = "title.not_issued")]
    NotIssued { act: String, convention: String, siret: String, amount: Money },
    #[serde(rename = "small_claims.decided")]
    SmallClaimsDecided { count: usize, total: Money, threshold: Money, origin: String },
    #[serde(rename = "small_claims.revoked")]
    SmallClaimRevoked { amount: Money, origin: String, reason: Personal<String> },
    #[serde(rename = "line.decided")]
    LineDecided { uai: Uai, choice: LineChoice, reason: Personal<String> },
}

/// The act that holds decisions taken together.
pub(super) fn of_act(id: SmallClaimActId, number: &str, campaign: CampaignId) -> Subject {
    Subject::new(SubjectKind::SmallClaimAct, id, number).of_campaign(campaign)
}

/// A decision on one small claim: known by its act.
pub(super) fn of_decision(decision: &Decision, act: Option<&str>, campaign: CampaignId) -> Subject {
    let id = decision.id;
    Subject::new(SubjectKind::SmallClaimDecision, id, act.map_or_else(|| id.to_string(), str::to_owned))
        .of_campaign(campaign)
        .of_convention(decision.convention_id)
}

impl Told for ClaimEvent {
    const ACTS: &'static [Act] = &[
        ("title.not_issued", "Petite créance laissée sans titre"),
        ("small_claims.decided", "Petites créances laissées sans titre"),
        ("small_claims.revoked", "Décision de ne pas émettre rapportée"),
        ("line.decided", "Sort d'une ligne décidé"),
    ];

    fn sentence(&self) -> String {
        let euros = |amount: &Money| french::euros(amount.cents());
        match self {
            Self::NotIssued { act, convention, amount, .. } => {
                format!("Créance de {} laissée sans titre par l'acte {act} (convention {convention}).", euros(amount))
            }
            Self::SmallClaimsDecided { count, total, threshold, .. } => format!(
                "{} sans titre, {} en tout, sous le seuil de {}.",
                french::count(*count, "petite créance laissée"),
                euros(total),
                euros(threshold)
            ),
            Self::SmallClaimRevoked { amount, reason, .. } => {
                format!("Décision de ne pas émettre {} rapportée : {reason}", euros(amount))
            }
            Self::LineDecided { uai, choice, reason } => {
                format!("Ligne de l'école {uai} {} : {reason}", choice.french())
            }
        }
    }
}
