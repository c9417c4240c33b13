//! What happens to a convention, as the journal tells it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::convention::{Acknowledgement, Convention, ConventionAction, Signature};
use crate::audit::{Act, Personal, Subject, SubjectKind, Told};
use crate::kernel::{Money, Siret, Uai, french};

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    pub name: String,
    pub title: String,
}

/// A signature as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    pub signed_on: NaiveDate,
    pub signatory: Personal<Signer>,
    pub evidence: Personal<Option<String>>,
}

impl From<&Signature> for Signed {
    fn from(signature: &Signature) -> Self {
        let signer = Signer { name: signature.name.to_string(), title: signature.title.to_string() };
        Self {
            signed_on: signature.on,
            signatory: signer.into(),
            evidence: signature.evidence.as_ref().map(ToString::to_string).into(),
        }
    }
}

/// A finding acknowledged with the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifted {
    pub code: String,
    pub reason: Personal<String>,
}

impl From<&Acknowledgement> for Lifted {
    fn from(a: &Acknowledgement) -> Self {
        Self { code: a.code.clone(), reason: a.reason.to_string().into() }
    }
}

/// Both signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signatures {
    pub payer: Option<Signed>,
    pub issuer: Option<Signed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum ConventionEvent {
    #[serde(rename = "convention.issued")]
    Issued { siret: Siret, schools: Vec<Uai>, total: Money },
    #[serde(rename = "convention.signed")]
    Signed { signature: Signed, acknowledged: Vec<Lifted> },
    #[serde(rename = "convention.countersigned")]
    Countersigned { signature: Signed, acknowledged: Vec<Lifted> },
    #[serde(rename = "convention.signature_corrected")]
    SignatureCorrected {
        signed_by: String,
        before: Box<Signatures>,
        after: Box<Signatures>,
        acknowledged: Vec<Lifted>,
        reason: Personal<String>,
    },
    #[serde(rename = "convention.declined")]
    Declined {
        declined_on: NaiveDate,
        declined_by: Personal<String>,
        reason: Personal<String>,
        /// Not in entries of before refusals had findings.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        acknowledged: Vec<Lifted>,
    },
    #[serde(rename = "convention.reopened")]
    Reopened { reason: Personal<String> },
    #[serde(rename = "convention.cancelled")]
    Cancelled { reason: Personal<String> },
    #[serde(rename = "convention.expired")]
    Expired { ends_on: NaiveDate },
}

/// The verb an action is journaled under.
#[must_use]
pub const fn verb(action: ConventionAction) -> &'static str {
    match action {
        ConventionAction::Sign => "convention.signed",
        ConventionAction::Countersign => "convention.countersigned",
        ConventionAction::CorrectSignature => "convention.signature_corrected",
        ConventionAction::Decline => "convention.declined",
        ConventionAction::Reopen => "convention.reopened",
        ConventionAction::Cancel => "convention.cancelled",
    }
}

/// A convention as a subject.
#[must_use]
pub fn of(convention: &Convention) -> Subject {
    Subject::new(SubjectKind::Convention, convention.id, &convention.number)
        .of_campaign(convention.campaign_id)
        .of_payer(convention.collectivite_id)
}

fn by(signed: &Signed) -> String {
    match &signed.signatory.0 {
        Some(signer) => format!("le {} par {}, {}", french::date_long(signed.signed_on), signer.name, signer.title),
        None => format!("le {}", french::date_long(signed.signed_on)),
    }
}

impl Told for ConventionEvent {
    const ACTS: &'static [Act] = &[
        ("convention.issued", "Convention émise"),
        ("convention.signed", "Convention signée par la collectivité"),
        ("convention.countersigned", "Convention signée par la région académique"),
        ("convention.signature_corrected", "Signature corrigée"),
        ("convention.declined", "Convention refusée par la collectivité"),
        ("convention.reopened", "Refus levé"),
        ("convention.cancelled", "Convention annulée"),
        ("convention.expired", "Convention arrivée à son terme"),
    ];

    fn sentence(&self) -> String {
        match self {
            Self::Issued { siret, schools, total } => {
                let schools = french::count(schools.len(), "école");
                format!("Convention émise pour {siret} : {schools}, {}.", french::euros(total.cents()))
            }
            Self::Signed { signature, .. } => format!("Convention signée par la collectivité {}.", by(signature)),
            Self::Countersigned { signature, .. } => {
                format!("Convention signée par la région académique {}.", by(signature))
            }
            Self::SignatureCorrected { reason, .. } => format!("Signature corrigée : {reason}"),
            Self::Declined { declined_on, declined_by, reason, .. } => {
                format!("Convention refusée le {} ({declined_by}) : {reason}", french::date_long(*declined_on))
            }
            Self::Reopened { reason } => format!("Refus levé : {reason}"),
            Self::Cancelled { reason } => format!("Convention annulée : {reason}"),
            Self::Expired { ends_on } => {
                format!("Convention arrivée à son terme le {}.", french::date_long(*ends_on))
            }
        }
    }
}
