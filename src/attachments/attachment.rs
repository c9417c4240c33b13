//! An attachment and its life. Pure.

use super::codes::ATTACHMENT_STATE;
use crate::audit::SubjectKind;
use crate::kernel::text::{Line, Note};
use crate::kernel::{FieldFault, Instant, Refused};
use crate::platform::attachments::{MediaType, Scan};
use crate::{entity_id, text_enum};

entity_id!(
    /// Une pièce jointe.
    AttachmentId
);

text_enum!(
    /// Où en est une pièce.
    AttachmentState { Attached => "attached", Detached => "detached" }
);

text_enum!(
    /// Ce qu'une personne peut faire d'une pièce.
    AttachmentAction { Detach => "detach" }
);

/// What an attachment shows of its subject: a word of the API, and one of French for the name of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose {
    pub code: &'static str,
    pub label: &'static str,
}

impl Purpose {
    /// What one among those of a room shows, in French.
    #[must_use]
    pub fn label(room: &[Self], code: &str) -> &'static str {
        room.iter().find(|purpose| purpose.code == code).map_or("pièce", |purpose| purpose.label)
    }

    /// One of those a room admits.
    ///
    /// # Errors
    /// `unknown_value`, listing the values accepted; `missing_field`.
    pub fn parse(admitted: &'static [Self], raw: Option<&str>) -> Result<Self, FieldFault> {
        let codes = || admitted.iter().map(|purpose| purpose.code).collect::<Vec<_>>().join(", ");
        match raw {
            None => {
                let message = format!("Dire ce que montre la pièce ; valeurs admises : {}.", codes());
                Err(FieldFault::new("missing_field", message))
            }
            Some(raw) => admitted.iter().find(|purpose| purpose.code == raw).copied().ok_or_else(|| {
                FieldFault::new("unknown_value", format!("Valeur inconnue ; valeurs admises : {}.", codes()))
            }),
        }
    }
}

/// A photo that was made part of a PDF, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// From 1.
    pub position: i64,
    pub media_type: MediaType,
    pub sha256: String,
    pub length: i64,
    pub file_name: Option<Line>,
}

/// Who untied it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detachment {
    pub reason: Note,
    pub by: String,
    pub at: Instant,
}

/// A file tied to a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub id: AttachmentId,
    pub subject_kind: SubjectKind,
    pub subject_id: String,
    /// What the room calls it.
    pub purpose: String,
    pub media_type: MediaType,
    pub sha256: String,
    pub length: i64,
    /// What the person calls it; none for a PDF made here.
    pub file_name: Option<Line>,
    /// Of what was given.
    pub given_sha256: String,
    pub scan: Scan,
    pub attached_by: String,
    pub attached_at: Instant,
    pub detached: Option<Detachment>,
}

impl Attachment {
    #[must_use]
    pub fn state(&self) -> AttachmentState {
        if self.detached.is_some() { AttachmentState::Detached } else { AttachmentState::Attached }
    }

    /// 1 while attached, 2 after.
    #[must_use]
    pub fn version(&self) -> i64 {
        if self.detached.is_some() { 2 } else { 1 }
    }

    /// Whether an action would go through now.
    ///
    /// # Errors
    /// `attachment_state`.
    pub fn admits(&self, action: AttachmentAction) -> Result<(), Refused> {
        match (action, self.state()) {
            (AttachmentAction::Detach, AttachmentState::Attached) => Ok(()),
            (AttachmentAction::Detach, AttachmentState::Detached) => {
                let none: [AttachmentAction; 0] = [];
                let detail = "La pièce est déjà détachée.";
                Err(Refused::state(&ATTACHMENT_STATE, detail, self.state(), none))
            }
        }
    }

    /// Unties it.
    ///
    /// # Errors
    /// `attachment_state`.
    pub fn detach(self, detachment: Detachment) -> Result<Self, Refused> {
        self.admits(AttachmentAction::Detach)?;
        Ok(Self { detached: Some(detachment), ..self })
    }
}
