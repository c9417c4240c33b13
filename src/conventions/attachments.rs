//! What may be attached to a convention: the signed paper, scanned or photographed; the letter of a refusal.
//!
//! Evidence may come before the act it shows is recorded, or long after: it is taken in every state.

use super::{actions, events};
use crate::access::{Read, RecordSignatures};
use crate::attachment_routes;
use crate::attachments::{Purpose, Room};
use crate::kernel::ids::ConventionId;

const ROOM: Room<ConventionId> = Room {
    subject: |tx, id| actions::find(tx, id).map(|convention| events::of(&convention)),
    purposes: &[Purpose { code: "signature", label: "convention signée" }, Purpose { code: "refusal", label: "refus" }],
};

attachment_routes! {
    mod of_conventions, tag "Conventions", key ConventionId, room ROOM, read Read, write RecordSignatures,
        admits "`purpose` : `signature`, la convention signée ; `refusal`, la lettre de refus ou ce qui en tient lieu";
    "attach_to_convention", "list_convention_attachments" at "/conventions/{id}/attachments";
    "get_convention_attachment" at "/conventions/{id}/attachments/{attachment_id}";
    "get_convention_attachment_content" at "/conventions/{id}/attachments/{attachment_id}/content";
    "get_convention_attachment_source" at "/conventions/{id}/attachments/{attachment_id}/sources/{position}";
    "list_convention_attachment_transitions", "transition_convention_attachment"
        at "/conventions/{id}/attachments/{attachment_id}/transitions";
}

pub use of_conventions::routes;
