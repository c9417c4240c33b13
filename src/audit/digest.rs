//! What an entry answers for.
//!
//! `digest = SHA-256(JSON array of the entry's facts, the commitment last)` and
//! `commitment = SHA-256(salt ‖ persons)`: both texts as stored, so that nothing depends on how they are written again.
//! An elimination removes persons and salt together: the commitment stays, and without the salt no guess can be tried
//! against it. A chain over the journal takes the digests as its links.
//!
//! An entry is digested by the method of its day: those that know which kind of principal acted by the second.

use crate::kernel::{Instant, PrincipalKind};
use crate::platform::Outcome;
use crate::platform::db::blobs;

/// First item of what is digested: another way of digesting gets another name.
const FIRST: &str = "ent-journal-1";
const SECOND: &str = "ent-journal-2";

/// Who acted, as an entry holds it.
#[derive(Clone, Copy)]
pub(super) struct By<'e> {
    /// Absent of entries older than kinds.
    pub kind: Option<PrincipalKind>,
    pub user: Option<&'e str>,
    pub invitation: Option<&'e str>,
    pub payer: Option<&'e str>,
}

/// An entry as its digest sees it.
pub(super) struct Facts<'e> {
    pub id: &'e str,
    pub at: Instant,
    pub by: By<'e>,
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
        let (at, by) = (self.at.to_string(), &self.by);
        let rest = (self.subject, self.data, self.commitment);
        let text = match by.kind {
            None => {
                let head = (FIRST, self.id, &at, by.user, self.request, self.action, self.version);
                serde_json::to_vec(&(head, rest.0, rest.1, rest.2))?
            }
            Some(kind) => {
                let by = (kind.as_str(), by.user, by.invitation, by.payer);
                let head = (SECOND, self.id, &at, by, self.request, self.action, self.version);
                serde_json::to_vec(&(head, rest.0, rest.1, rest.2))?
            }
        };
        Ok(blobs::digest(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: fn() -> Facts<'static> = || Facts {
        id: "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e",
        at: Instant::parse("2025-06-05T08:00:00Z").unwrap(),
        by: By { kind: None, user: Some("u"), invitation: None, payer: None },
        request: None,
        action: "convention.signed",
        version: 1,
        subject: [Some("convention"), Some("c"), Some("ENT-C-2025-2026-00001"), None, None, None],
        data: "{}",
        commitment: "k",
    };

    /// What was digested before kinds existed: never recomputed here.
    #[test]
    fn entries_of_before_keep_their_digest() {
        let text = r#"[["ent-journal-1","019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e","2025-06-05T08:00:00Z","u",null,"convention.signed",1],["convention","c","ENT-C-2025-2026-00001",null,null,null],"{}","k"]"#;
        assert_eq!(FACTS().digest().unwrap(), blobs::digest(text.as_bytes()));
    }

    #[test]
    fn who_acted_is_digested() {
        let by = |kind, user, invitation, payer| {
            Facts { by: By { kind: Some(kind), user, invitation, payer }, ..FACTS() }.digest().unwrap()
        };
        let text = r#"[["ent-journal-2","019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e","2025-06-05T08:00:00Z",["commune",null,"i","p"],null,"convention.signed",1],["convention","c","ENT-C-2025-2026-00001",null,null,null],"{}","k"]"#;
        let commune = by(PrincipalKind::Commune, None, Some("i"), Some("p"));
        assert_eq!(commune, blobs::digest(text.as_bytes()));
        let others = [
            by(PrincipalKind::Commune, None, Some("i"), Some("q")),
            by(PrincipalKind::Commune, None, Some("j"), Some("p")),
            by(PrincipalKind::Program, None, None, None),
            by(PrincipalKind::Staff, Some("u"), None, None),
            FACTS().digest().unwrap(),
        ];
        assert!(others.iter().all(|other| *other != commune));
        assert_ne!(others[3], others[4]);
    }
}
