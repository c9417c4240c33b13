//! What happens to a campaign and its enrolments, as the journal tells it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::campaign::Campaign;
use super::enrolment::Enrolment;
use super::terms::CampaignTerms;
use crate::audit::{Act, Changes, Entry, Personal, Subject, SubjectKind, Told, listed};
use crate::kernel::french;
use crate::platform::Outcome;

/// The texts name the region's signatory and its contacts.
pub(super) const PERSONAL: &[&str] = &["texts"];
/// Who asked for an enrolment may be named.
pub(super) const ENROLMENT_PERSONAL: &[&str] = &["requester"];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum CampaignEvent {
    #[serde(rename = "campaign.created")]
    Created { terms: Value, texts: Personal<Value> },
    #[serde(rename = "campaign.changed")]
    Changed { changes: Changes, reason: Personal<Option<String>> },
    #[serde(rename = "campaign.opened")]
    Opened {},
    #[serde(rename = "campaign.unopened")]
    Unopened { reason: Personal<String> },
    #[serde(rename = "campaign.closed")]
    Closed {},
    #[serde(rename = "campaign.reopened")]
    Reopened { reason: Personal<String> },
    #[serde(rename = "campaign.deleted")]
    Deleted { state: String, enrolments: usize, terms: Value, texts: Personal<Value> },
    #[serde(rename = "campaign.schools_enrolled")]
    SchoolsEnrolled { enrolled: usize, origin: String },
    #[serde(rename = "campaign.school_enrolled")]
    SchoolEnrolled { origin: String },
    #[serde(rename = "campaign.enrolment_changed")]
    EnrolmentChanged { changes: Changes },
    #[serde(rename = "campaign.school_withdrawn")]
    SchoolWithdrawn {},
    #[serde(rename = "campaign.enrolments_imported")]
    EnrolmentsImported { created: usize, unchanged: usize, rejected: usize },
}

/// The terms of a campaign, and its texts apart.
pub(super) fn terms(said: &CampaignTerms) -> Outcome<(Value, Personal<Value>)> {
    let mut terms = serde_json::to_value(said)?;
    let texts = terms.as_object_mut().and_then(|fields| fields.remove("texts"));
    Ok((terms, Personal(texts)))
}

/// A campaign as a subject.
pub(super) fn of(campaign: &Campaign) -> Subject {
    Subject::new(SubjectKind::Campaign, campaign.id, &campaign.said.school_year)
}

/// An enrolment as a subject: known by its school, it belongs to its campaign.
pub(super) fn of_enrolment(enrolment: &Enrolment) -> Subject {
    Subject::new(SubjectKind::Enrolment, enrolment.id, &enrolment.uai).of_campaign(enrolment.campaign_id)
}

/// An enrolment that was just made.
pub(super) fn enrolled(new: &Enrolment) -> Entry<CampaignEvent> {
    Entry::new(of_enrolment(new), CampaignEvent::SchoolEnrolled { origin: new.origin.to_string() })
}

/// How an enrolment was asked for, to be compared.
pub(super) fn asked(enrolment: &Enrolment) -> Value {
    json!({ "origin": enrolment.origin, "requester": enrolment.requester, "requested_on": enrolment.requested_on })
}

impl Told for CampaignEvent {
    const ACTS: &'static [Act] = &[
        ("campaign.created", "Campagne créée"),
        ("campaign.changed", "Campagne modifiée"),
        ("campaign.opened", "Campagne ouverte"),
        ("campaign.unopened", "Campagne remise en préparation"),
        ("campaign.closed", "Campagne close"),
        ("campaign.reopened", "Campagne rouverte"),
        ("campaign.deleted", "Campagne supprimée"),
        ("campaign.schools_enrolled", "Écoles inscrites"),
        ("campaign.school_enrolled", "École inscrite"),
        ("campaign.enrolment_changed", "Inscription modifiée"),
        ("campaign.school_withdrawn", "École désinscrite"),
        ("campaign.enrolments_imported", "Inscriptions importées"),
    ];

    fn sentence(&self) -> String {
        match self {
            Self::Created { .. } => "Campagne créée.".into(),
            Self::Changed { changes, reason: Personal(Some(Some(reason))) } => {
                format!("Campagne modifiée ({}) : {reason}", listed(changes.names()))
            }
            Self::Changed { changes, .. } => format!("Campagne modifiée ({}).", listed(changes.names())),
            Self::Opened {} => "Campagne ouverte.".into(),
            Self::Unopened { reason } => format!("Campagne remise en préparation : {reason}"),
            Self::Closed {} => "Campagne close.".into(),
            Self::Reopened { reason } => format!("Campagne rouverte : {reason}"),
            Self::Deleted { enrolments, .. } => {
                format!("Campagne supprimée, avec {}.", french::count(*enrolments, "inscription"))
            }
            Self::SchoolsEnrolled { enrolled, origin } => {
                format!("{} (origine : {origin}).", french::count(*enrolled, "école inscrite"))
            }
            Self::SchoolEnrolled { origin } => format!("École inscrite (origine : {origin})."),
            Self::EnrolmentChanged { changes } => format!("Inscription modifiée ({}).", listed(changes.names())),
            Self::SchoolWithdrawn {} => "École désinscrite.".into(),
            Self::EnrolmentsImported { created, unchanged, rejected } => format!(
                "Inscriptions importées : {}, {}, {}.",
                french::count(*created, "nouvelle"),
                french::count(*unchanged, "inchangée"),
                french::count(*rejected, "ligne rejetée")
            ),
        }
    }
}
