//! Entries of the journal: as a room writes them, as they are kept, and which of them to read.

use serde_json::Value;

use super::subject::{Subject, SubjectKind};
use crate::kernel::ids::{AuditEventId, CollectiviteId, InvitationId, UserId};
use crate::kernel::{Instant, PrincipalKind};

/// One act and what it was done to.
#[derive(Debug, Clone)]
pub struct Entry<E> {
    pub subject: Subject,
    pub event: E,
}

impl<E> Entry<E> {
    pub const fn new(subject: Subject, event: E) -> Self {
        Self { subject, event }
    }
}

/// One entry as kept.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: AuditEventId,
    pub at: Instant,
    pub by: PrincipalKind,
    pub actor_id: Option<UserId>,
    /// The link of who acted for a commune, and its payer.
    pub invitation: Option<(InvitationId, CollectiviteId)>,
    /// Name of who acted; absent once eliminated.
    pub actor_label: Option<String>,
    pub request_id: Option<String>,
    /// Stable verb, e.g. `convention.issued`.
    pub action: String,
    /// Shape of `data`: 0 before events were typed.
    pub version: i64,
    pub subject: Subject,
    /// Facts and persons together.
    pub data: Value,
    /// The same, persons marked: what the room's event reads.
    pub(super) marked: Value,
    /// SHA-256 of the entry; absent of entries older than digests.
    pub digest: Option<String>,
    /// Whether the entry, and what it still holds of persons, answers to its digest; absent with it.
    pub intact: Option<bool>,
}

/// Which entries to read.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The whole story of a thing, by id or by any key it ever had: its own entries and those of what belongs to it.
    pub subject: Option<String>,
    /// What the word of `subject` means in the rooms, see [`Tellers::ids`](super::Tellers::ids).
    pub meant: Vec<String>,
    pub subject_kind: Option<SubjectKind>,
    pub subject_key: Option<String>,
    pub action: Option<String>,
    pub actor: Option<UserId>,
    pub updated_since: Option<Instant>,
}

crate::sort_keys!(EventSort, EventOrder of "audit_events", descending { At => "at" });
