//! What happens to a batch, as the journal tells it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::batch::{Batch, BatchSignature};
use crate::audit::{Act, Personal, Subject, SubjectKind, Told};
use crate::kernel::{Money, french};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum BatchEvent {
    #[serde(rename = "batch.sealed")]
    Sealed { count: usize, total: Money, sha256: String },
    #[serde(rename = "batch.signed")]
    Signed { signature: Signed },
    #[serde(rename = "batch.signature_corrected")]
    SignatureCorrected { before: Signed, after: Signed, reason: Personal<String> },
}

/// A signature as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    pub signed_on: NaiveDate,
    pub name: Personal<String>,
    pub title: Personal<String>,
    pub evidence: Personal<Option<String>>,
}

impl From<&BatchSignature> for Signed {
    fn from(signature: &BatchSignature) -> Self {
        Self {
            signed_on: signature.on,
            name: signature.name.to_string().into(),
            title: signature.title.to_string().into(),
            evidence: signature.evidence.as_ref().map(ToString::to_string).into(),
        }
    }
}

/// A batch as a subject.
pub(super) fn of(batch: &Batch) -> Subject {
    Subject::new(SubjectKind::AccountingBatch, batch.id, &batch.number).of_campaign(batch.campaign_id)
}

impl Told for BatchEvent {
    const ACTS: &'static [Act] = &[
        ("batch.sealed", "Bordereau scellé"),
        ("batch.signed", "Bordereau signé"),
        ("batch.signature_corrected", "Signature du bordereau corrigée"),
    ];

    fn sentence(&self) -> String {
        match self {
            Self::Sealed { count, total, .. } => {
                format!("Bordereau scellé : {}, {}.", french::count(*count, "titre"), french::euros(total.cents()))
            }
            Self::Signed { signature } => {
                format!("Bordereau signé le {}.", french::date_short(signature.signed_on))
            }
            Self::SignatureCorrected { before, after, .. } => format!(
                "Signature du bordereau corrigée : {} au lieu de {}.",
                french::date_short(after.signed_on),
                french::date_short(before.signed_on)
            ),
        }
    }
}
