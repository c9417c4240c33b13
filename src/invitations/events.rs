//! What happens to links, as the journal tells it: under the payer and the campaign they open.

use serde::{Deserialize, Serialize};

use crate::audit::{Act, Personal, Subject, SubjectKind, Told};
use crate::kernel::ids::{CampaignId, CollectiviteId, InvitationId};
use crate::kernel::{Instant, Siret, french};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum InvitationEvent {
    /// Mails were queued for many.
    #[serde(rename = "invitations.queued")]
    Queued { payers: usize, mails: usize },
    /// A mail was queued for one.
    #[serde(rename = "invitation.queued")]
    OneQueued { siret: Siret },
    /// The secret of a link was shown to an agent.
    #[serde(rename = "invitation.shown")]
    LinkShown { invitation: InvitationId, siret: Siret, expires_at: Instant },
    #[serde(rename = "invitation.revoked")]
    Revoked { invitation: InvitationId, siret: Siret, reason: Personal<String> },
}

/// A payer's links of a campaign.
pub(super) fn of(id: CollectiviteId, siret: &Siret, campaign: CampaignId) -> Subject {
    Subject::new(SubjectKind::Collectivite, id, siret).of_campaign(campaign).of_payer(id)
}

impl Told for InvitationEvent {
    const ACTS: &'static [Act] = &[
        ("invitations.queued", "Invitations en nombre"),
        ("invitation.queued", "Invitation à envoyer"),
        ("invitation.shown", "Lien montré à un agent"),
        ("invitation.revoked", "Lien retiré"),
    ];

    fn sentence(&self) -> String {
        match self {
            Self::Queued { payers, mails } => format!(
                "{}, par {}.",
                french::count(*payers, "collectivité invitée"),
                french::count(*mails, "courriel")
            ),
            Self::OneQueued { siret } => format!("Invitation de {siret} mise à l'envoi."),
            Self::LinkShown { siret, expires_at, .. } => {
                format!("Lien de {siret} montré à un agent, valable jusqu'au {}.", expires_at.french())
            }
            Self::Revoked { siret, reason, .. } => format!("Lien de {siret} retiré : {reason}"),
        }
    }
}
