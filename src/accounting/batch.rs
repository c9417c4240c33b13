//! A sealed set of titles handed to the accountant. Pure.
//!
//! One campaign, one exercice, one nature, one accountant. Its content never changes; what moves (signed, sent,
//! acknowledged) lives beside it.

use serde::{Deserialize, Serialize};

use crate::kernel::ids::{BatchId, CampaignId};
use crate::kernel::{FieldFault, Instant, Money};
use crate::{string_newtype, text_enum};

text_enum!(
    /// Où en est un bordereau.
    BatchState { Sealed => "sealed" }
);

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
    pub state: BatchState,
    pub version: i64,
    pub updated_at: Instant,
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
