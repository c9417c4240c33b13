//! What an entry is about, and what that belongs to.

use std::fmt::Display;

use crate::kernel::ids::{CampaignId, CollectiviteId, ConventionId};
use crate::text_enum;

text_enum!(
    /// Genre d'objet du journal.
    SubjectKind {
        User => "user",
        Registry => "registry",
        Collectivite => "collectivite",
        School => "school",
        Campaign => "campaign",
        Enrolment => "enrolment",
        Convention => "convention",
        PerceptionTitle => "perception_title",
        SmallClaimAct => "small_claim_act",
        SmallClaimDecision => "small_claim_decision",
        AccountingBatch => "accounting_batch",
        StoredFile => "stored_file",
        Clock => "clock",
        Route => "route",
        Job => "job",
        Retention => "retention",
        Email => "email",
        MailTemplate => "mail_template",
        MailAddress => "mail_address",
    }
);

/// The thing an act was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub kind: SubjectKind,
    /// Never changes: an internal id, a UAI.
    pub id: String,
    /// As printed at the moment: a SIRET, a number, a reference. Never a person's name or address.
    pub key: String,
    pub campaign: Option<CampaignId>,
    pub payer: Option<CollectiviteId>,
    pub convention: Option<ConventionId>,
}

impl Subject {
    #[must_use]
    pub fn new(kind: SubjectKind, id: impl Display, key: impl Display) -> Self {
        Self { kind, id: id.to_string(), key: key.to_string(), campaign: None, payer: None, convention: None }
    }

    /// Something whose id is the key people know it by.
    #[must_use]
    pub fn known_by(kind: SubjectKind, key: impl Display) -> Self {
        let key = key.to_string();
        Self { kind, id: key.clone(), key, campaign: None, payer: None, convention: None }
    }

    #[must_use]
    pub fn of_campaign(self, campaign: CampaignId) -> Self {
        Self { campaign: Some(campaign), ..self }
    }

    #[must_use]
    pub fn of_payer(self, payer: CollectiviteId) -> Self {
        Self { payer: Some(payer), ..self }
    }

    #[must_use]
    pub fn of_convention(self, convention: ConventionId) -> Self {
        Self { convention: Some(convention), ..self }
    }
}
