//! What happens to a batch, as the journal tells it.

use serde::{Deserialize, Serialize};

use super::batch::Batch;
use crate::audit::{Act, Subject, SubjectKind, Told};
use crate::kernel::{Money, french};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum BatchEvent {
    #[serde(rename = "batch.sealed")]
    Sealed { count: usize, total: Money, sha256: String },
}

/// A batch as a subject.
pub(super) fn of(batch: &Batch) -> Subject {
    Subject::new(SubjectKind::AccountingBatch, batch.id, &batch.number).of_campaign(batch.campaign_id)
}

impl Told for BatchEvent {
    const ACTS: &'static [Act] = &[("batch.sealed", "Bordereau scellé")];

    fn sentence(&self) -> String {
        match self {
            Self::Sealed { count, total, .. } => {
                format!("Bordereau scellé : {}, {}.", french::count(*count, "titre"), french::euros(total.cents()))
            }
        }
    }
}
