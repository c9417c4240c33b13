//! What was eliminated, as the journal tells it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::audit::{Act, Personal, Told};
use crate::kernel::french;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum RetentionEvent {
    /// Rows of one entry of the register, past their time.
    #[serde(rename = "retention.eliminated")]
    Eliminated {
        /// The signed list.
        elimination: String,
        entry: String,
        /// The duration that was in force.
        term: String,
        rows: usize,
        /// Rows past their time that accounting needs.
        withheld: usize,
        oldest: NaiveDate,
        /// SHA-256 of the opaque keys, one a line; absent where keys would name somebody.
        rows_sha256: Option<String>,
        signed_by: Personal<String>,
        reason: Personal<String>,
    },
}

impl Told for RetentionEvent {
    const ACTS: &'static [Act] = &[("retention.eliminated", "Données personnelles éliminées")];

    fn sentence(&self) -> String {
        let Self::Eliminated { entry, rows, oldest, signed_by, .. } = self;
        format!(
            "Données personnelles éliminées ({entry}) : {}, la plus ancienne du {} ; liste signée par {signed_by}.",
            french::count(*rows, "ligne"),
            french::date_long(*oldest)
        )
    }
}
