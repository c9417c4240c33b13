//! What happens to a title, as the journal tells it.

use serde::{Deserialize, Serialize};

use super::approved::Approved;
use super::title::Title;
use crate::audit::{Act, Entry, Personal, Subject, SubjectKind, Told};
use crate::kernel::ids::CampaignId;
use crate::kernel::{Money, Siret, french};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum TitleEvent {
    #[serde(rename = "title.prepared")]
    Prepared { convention: String, siret: Siret, amount: Money },
    /// A returned title, replaced by one prepared anew.
    #[serde(rename = "title.superseded")]
    Superseded { convention: String },
    #[serde(rename = "title.approved")]
    Approved { reference: String, siret: Siret, amount: Money, sha256: String },
    #[serde(rename = "title.returned")]
    Returned { convention: String, reason: Personal<String> },
    #[serde(rename = "title.resubmitted")]
    Resubmitted { convention: String, reason: Personal<String> },
    #[serde(rename = "title.withdrawn")]
    Withdrawn { convention: String, reason: Personal<String> },
    #[serde(rename = "title.transmitted")]
    Transmitted { batch: String },
}

/// A title as a subject: by its reference once it has one.
pub(super) fn of(title: &Title) -> Subject {
    Subject::new(SubjectKind::PerceptionTitle, title.id, title.key())
        .of_campaign(title.campaign_id)
        .of_payer(title.debtor_id)
        .of_convention(title.convention_id)
}

/// A title prepared.
pub(super) fn prepared(title: &Title) -> Entry<TitleEvent> {
    let (convention, siret) = (title.ground.convention_number.clone(), title.debtor.siret.clone());
    Entry::new(of(title), TitleEvent::Prepared { convention, siret, amount: title.amount })
}

/// A returned title that gives way.
pub(super) fn superseded(title: &Title) -> Entry<TitleEvent> {
    Entry::new(of(title), TitleEvent::Superseded { convention: title.ground.convention_number.clone() })
}

/// The same, of a title as it was approved.
pub(super) fn of_approved(approved: &Approved, campaign: CampaignId) -> Subject {
    let settled = &approved.settlement;
    Subject::new(SubjectKind::PerceptionTitle, approved.title_id, &settled.reference)
        .of_campaign(campaign)
        .of_payer(settled.debtor_id)
        .of_convention(settled.convention_id)
}

impl Told for TitleEvent {
    const ACTS: &'static [Act] = &[
        ("title.prepared", "Titre préparé"),
        ("title.superseded", "Titre rendu, remplacé par un autre"),
        ("title.approved", "Titre approuvé"),
        ("title.returned", "Titre rendu au préparateur"),
        ("title.resubmitted", "Titre présenté de nouveau"),
        ("title.withdrawn", "Titre retiré"),
        ("title.transmitted", "Titre transmis"),
    ];

    fn sentence(&self) -> String {
        let euros = |amount: &Money| french::euros(amount.cents());
        match self {
            Self::Prepared { convention, siret, amount } => {
                format!("Titre de {} préparé pour {siret} (convention {convention}).", euros(amount))
            }
            Self::Superseded { convention } => {
                format!("Titre rendu, remplacé par un titre préparé de nouveau (convention {convention}).")
            }
            Self::Approved { reference, siret, amount, .. } => {
                format!("Titre {reference} de {} approuvé pour {siret}.", euros(amount))
            }
            Self::Returned { reason, .. } => format!("Titre rendu au préparateur : {reason}"),
            Self::Resubmitted { reason, .. } => format!("Titre présenté de nouveau : {reason}"),
            Self::Withdrawn { reason, .. } => format!("Titre retiré : {reason}"),
            Self::Transmitted { batch } => format!("Titre transmis dans le bordereau {batch}."),
        }
    }
}
