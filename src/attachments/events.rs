//! What happens to attachments, as the journal tells it: under the thing they are tied to.

use serde::{Deserialize, Serialize};

use super::attachment::AttachmentId;
use crate::audit::{Act, Personal, Told};
use crate::platform::attachments::{MediaType, Scan};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum AttachmentEvent {
    #[serde(rename = "attachment.attached")]
    Attached {
        attachment: AttachmentId,
        purpose: String,
        /// What it shows, in French.
        shows: String,
        media_type: MediaType,
        sha256: String,
        length: i64,
        file_name: Personal<Option<String>>,
        /// Digests of the photos that were made one PDF.
        sources: Vec<String>,
        scan: Scan,
    },
    #[serde(rename = "attachment.detached")]
    Detached { attachment: AttachmentId, purpose: String, shows: String, sha256: String, reason: Personal<String> },
    #[serde(rename = "attachment.infected")]
    Infected { purpose: String, shows: String, sha256: String, file_name: Personal<Option<String>>, scanner: String },
}

impl Told for AttachmentEvent {
    const ACTS: &'static [Act] = &[
        ("attachment.attached", "Pièce jointe"),
        ("attachment.detached", "Pièce détachée"),
        ("attachment.infected", "Fichier refusé par l'antivirus"),
    ];

    fn sentence(&self) -> String {
        match self {
            Self::Attached { shows, sha256, sources, .. } if sources.is_empty() => {
                format!("Pièce jointe ({shows}), empreinte {sha256}.")
            }
            Self::Attached { shows, sha256, sources, .. } => {
                format!("Pièce jointe ({shows}) : {} photos réunies en un PDF, empreinte {sha256}.", sources.len())
            }
            Self::Detached { shows, sha256, reason, .. } => {
                format!("Pièce détachée ({shows}), empreinte {sha256} : {reason}")
            }
            Self::Infected { shows, sha256, scanner, .. } => {
                format!("Fichier refusé par l'antivirus ({shows}), empreinte {sha256} : {scanner}")
            }
        }
    }
}
