//! What an entry answers for.
//!
//! `digest = SHA-256(JSON array of the entry's facts, the commitment last)` and
//! `commitment = SHA-256(salt ‖ persons)`: both texts as stored, so that nothing depends on how they are written again.
//! An elimination removes persons and salt together: the commitment stays, and without the salt no guess can be tried
//! against it. A chain over the journal takes the digests as its links.

use crate::kernel::Instant;
use crate::platform::Outcome;
use crate::platform::db::blobs;

/// First item of what is digested: another way of digesting gets another name.
const METHOD: &str = "ent-journal-1";

/// An entry as its digest sees it.
pub(super) struct Facts<'e> {
    pub id: &'e str,
    pub at: Instant,
    pub actor: Option<&'e str>,
    pub request: Option<&'e str>,
    pub action: &'e str,
    pub version: i64,
    /// Kind, id, key; campaign, payer, convention.
    pub subject: [Option<&'e str>; 6],
    pub data: &'e str,
    pub commitment: &'e str,
}

/// Hides who is named while holding to it.
pub(super) fn commitment(salt: &str, persons: &str) -> String {
    blobs::digest([salt, persons].concat().as_bytes())
}

impl Facts<'_> {
    pub(super) fn digest(&self) -> Outcome<String> {
        let at = self.at.to_string();
        let head = (METHOD, self.id, &at, self.actor, self.request, self.action, self.version);
        Ok(blobs::digest(&serde_json::to_vec(&(head, self.subject, self.data, self.commitment))?))
    }
}
