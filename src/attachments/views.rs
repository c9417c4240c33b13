//! Attachments as answered, and what is sent of them.

use serde::{Deserialize, Serialize};

use super::attachment::{Attachment, AttachmentAction, AttachmentId, AttachmentState, Source};
use crate::kernel::Instant;
use crate::kernel::text::{Line, Note};
use crate::platform::attachments::{MediaType, Scan};

/// Une photo telle qu'elle a été envoyée.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AttachmentSourceView {
    /// Rang de la page, à partir de 1.
    #[schema(minimum = 1, maximum = 40)]
    pub position: i64,
    pub media_type: MediaType,
    /// Nom donné par la personne ; un texte, rien de plus.
    pub file_name: Option<Line>,
    #[schema(pattern = "^[0-9a-f]{64}$", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
    /// Octets.
    #[schema(minimum = 1)]
    pub length: i64,
}

/// Qui a détaché la pièce, et pourquoi.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DetachmentView {
    pub reason: Note,
    #[schema(example = "Zoé Martin")]
    pub by: String,
    pub at: Instant,
}

/// Une pièce jointe.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AttachmentView {
    pub id: AttachmentId,
    /// Ce que la pièce montre ; les valeurs admises sont celles de l'objet.
    #[schema(example = "signature")]
    pub purpose: String,
    pub status: AttachmentState,
    /// Type reconnu au contenu.
    pub media_type: MediaType,
    /// Nom donné par la personne ; un texte, rien de plus. Nul pour un PDF réuni ici.
    pub file_name: Option<Line>,
    /// Empreinte du contenu, qui est aussi son `ETag`.
    #[schema(pattern = "^[0-9a-f]{64}$", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
    /// Octets.
    #[schema(minimum = 1)]
    pub length: i64,
    pub scan: Scan,
    /// Les photos réunies dans le PDF, telles qu'envoyées ; vide quand le contenu est ce qui a été envoyé.
    pub sources: Vec<AttachmentSourceView>,
    #[schema(example = "Zoé Martin")]
    pub attached_by: String,
    pub attached_at: Instant,
    /// Nul tant que la pièce est jointe.
    pub detached: Option<DetachmentView>,
}

impl AttachmentView {
    pub(super) fn of(attachment: Attachment, sources: Vec<Source>) -> Self {
        Self {
            status: attachment.state(),
            id: attachment.id,
            purpose: attachment.purpose,
            media_type: attachment.media_type,
            file_name: attachment.file_name,
            sha256: attachment.sha256,
            length: attachment.length,
            scan: attachment.scan,
            sources: sources
                .into_iter()
                .map(|s| AttachmentSourceView {
                    position: s.position,
                    media_type: s.media_type,
                    file_name: s.file_name,
                    sha256: s.sha256,
                    length: s.length,
                })
                .collect(),
            attached_by: attachment.attached_by,
            attached_at: attachment.attached_at,
            detached: attachment.detached.map(|d| DetachmentView { reason: d.reason, by: d.by, at: d.at }),
        }
    }
}

/// Une pièce à joindre : un PDF ou une photo, ou plusieurs photos dans l'ordre des pages.
#[derive(Debug, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachmentForm {
    /// Ce que la pièce montre ; les valeurs admises sont celles de l'objet.
    #[schema(example = "signature")]
    pub purpose: String,
    /// Un fichier PDF, JPEG ou PNG de 20 Mio au plus ; le champ répété, des photos, réunies en un PDF.
    #[schema(value_type = Vec<String>, format = Binary, min_items = 1, max_items = 40)]
    pub file: Vec<String>,
}

/// Une action sur une pièce : `detach`, quand elle n'est pas de cet objet ; le motif reste au journal.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachmentTransitionRequest {
    pub action: AttachmentAction,
    pub reason: Note,
}
