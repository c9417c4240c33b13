//! A sealed set of titles handed to the accountant. Pure.
//!
//! ```text
//!   sealed ──sign──▶ signed ──┐
//!                      ▲      │ correct_signature, with a reason
//!                      └──────┘
//! ```
//! One campaign, one exercice, one nature, one accountant. Its content never changes; what moves lives beside it. The
//! ordonnateur signs the paper of the batch; who did, when and what shows it are recorded here, and a signature that was
//! recorded wrong is recorded again: both stay.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::codes::BATCH_STATE;
use crate::kernel::dates::{Bounds, refuse};
use crate::kernel::ids::{BatchId, CampaignId};
use crate::kernel::text::{Line, Note};
use crate::kernel::{FieldFault, Instant, Money, Refused};
use crate::{string_newtype, text_enum};

text_enum!(
    /// Où en est un bordereau.
    BatchState {
        Sealed => "sealed",
        /// L'ordonnateur (ou son délégué) l'a signé.
        Signed => "signed",
    }
);

text_enum!(
    /// Ce qui peut être fait d'un bordereau.
    BatchAction { Sign => "sign", CorrectSignature => "correct_signature" }
);

/// Who signed the paper of a batch, in what capacity, when, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchSignature {
    pub on: NaiveDate,
    pub name: Line,
    pub title: Line,
    pub evidence: Option<Note>,
}

/// The state, with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchStage {
    Sealed,
    Signed(BatchSignature),
}

/// What is done to a batch, with all that the act brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchAct {
    Sign(BatchSignature),
    /// The signature as it should have been recorded, and why it is not the one that was.
    CorrectSignature {
        signature: BatchSignature,
        reason: Note,
    },
}

impl BatchAct {
    #[must_use]
    pub const fn action(&self) -> BatchAction {
        match self {
            Self::Sign(_) => BatchAction::Sign,
            Self::CorrectSignature { .. } => BatchAction::CorrectSignature,
        }
    }
}

/// What an act leaves to be written beside the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchEffect {
    /// The signature recorded, and why anew if it is.
    Signed { signature: BatchSignature, reason: Option<Note> },
}

text_enum!(
    /// Ce que font les titres d'un bordereau.
    BatchNature { Issue => "issue" }
);

text_enum!(
    /// Fichiers d'un bordereau.
    FileFormat { Csv => "csv", Json => "json" }
);

impl FileFormat {
    /// Media type of the download.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

string_newtype!(
    /// Numéro d'un bordereau : `ENT-B-2026-0001`, sans trou par exercice.
    BatchNumber, example: "ENT-B-2026-0001", pattern: "^ENT-B-20[0-9]{2}-[0-9]{4,}$"
);

impl BatchNumber {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let parts: Vec<&str> = raw.split('-').collect();
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        match parts.as_slice() {
            ["ENT", "B", year, rank] if year.len() == 4 && digits(year) && rank.len() >= 4 && digits(rank) => {
                Ok(raw.to_owned())
            }
            _ => Err(FieldFault::new("batch_number_format", "Numéro de bordereau attendu comme « ENT-B-2026-0001 ».")),
        }
    }

    /// The budget year it belongs to.
    #[must_use]
    pub fn exercice(&self) -> &str {
        self.as_str().split('-').nth(2).unwrap_or_default()
    }

    /// The number of a rank in a budget year.
    #[must_use]
    pub fn of(exercice: i64, rank: i64) -> Self {
        Self(format!("ENT-B-{exercice}-{rank:04}"))
    }
}

/// A sealed batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub id: BatchId,
    pub number: BatchNumber,
    pub rank: i64,
    pub campaign_id: CampaignId,
    pub exercice: i64,
    pub nature: BatchNature,
    pub comptable: String,
    pub count: i64,
    pub total: Money,
    /// SHA-256 over the references and content digests of its titles, in order.
    pub content_sha256: String,
    pub sealed_by_label: String,
    pub sealed_at: Instant,
    pub stage: BatchStage,
    pub version: i64,
    pub updated_at: Instant,
}

impl Batch {
    #[must_use]
    pub const fn state(&self) -> BatchState {
        match self.stage {
            BatchStage::Sealed => BatchState::Sealed,
            BatchStage::Signed(_) => BatchState::Signed,
        }
    }

    /// The signature last recorded.
    #[must_use]
    pub const fn signature(&self) -> Option<&BatchSignature> {
        match &self.stage {
            BatchStage::Sealed => None,
            BatchStage::Signed(signature) => Some(signature),
        }
    }

    /// What may be done now.
    #[must_use]
    pub fn allowed(&self) -> Vec<BatchAction> {
        BatchAction::ALL.iter().copied().filter(|action| self.in_state_for(*action).is_ok()).collect()
    }

    /// The one table of the lifecycle: why the state does not bear an action.
    const fn in_state_for(&self, action: BatchAction) -> Result<(), &'static str> {
        match (self.state(), action) {
            (BatchState::Sealed, BatchAction::Sign) | (BatchState::Signed, BatchAction::CorrectSignature) => Ok(()),
            (BatchState::Signed, BatchAction::Sign) => {
                Err("Le bordereau est déjà signé : une signature mal relevée se corrige par « correct_signature ».")
            }
            (BatchState::Sealed, BatchAction::CorrectSignature) => Err("Le bordereau n'est pas encore signé."),
        }
    }

    /// Whether an action may be done now.
    ///
    /// # Errors
    /// `batch_state`.
    pub fn admits(&self, action: BatchAction) -> Result<(), Refused> {
        self.in_state_for(action).map_err(|detail| Refused::state(&BATCH_STATE, detail, self.state(), self.allowed()))
    }

    /// Does it. A batch is signed between the day it was sealed and today: its digest stands on what is signed.
    ///
    /// # Errors
    /// Those of [`Self::admits`]; `invalid_value` (`date_too_early`, `date_too_late`) on `/signed_on`.
    pub fn apply(mut self, act: BatchAct, today: NaiveDate) -> Result<(Self, BatchEffect), Refused> {
        self.admits(act.action())?;
        let (signature, reason) = match act {
            BatchAct::Sign(signature) => (signature, None),
            BatchAct::CorrectSignature { signature, reason } => (signature, Some(reason)),
        };
        let bounds = Bounds::happened(self.sealed_at.day(), today);
        refuse(bounds.error("/signed_on", signature.on).into_iter().collect())?;
        self.stage = BatchStage::Signed(signature.clone());
        Ok((self, BatchEffect::Signed { signature, reason }))
    }
}

/// Un fichier d'un bordereau.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BatchFile {
    pub format: FileFormat,
    pub sha256: String,
    /// Bytes.
    pub length: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back() {
        let number = BatchNumber::of(2026, 1);
        assert_eq!(number.as_str(), "ENT-B-2026-0001");
        assert_eq!(BatchNumber::parse(number.as_str()).unwrap(), number);
        for bad in ["ENT-B-2026-1", "ENT-T-2026-0001", "ENT-B-26-0001", "ENT-B-2026-0001-2", ""] {
            assert!(BatchNumber::parse(bad).is_err(), "{bad}");
        }
    }
}
