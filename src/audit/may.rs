//! What may be done by whom has no account.
//!
//! Of staff, roles say it: the permission stands in a handler's signature. Of who holds an invitation link, this table
//! says it, whole: an act that is not named here cannot be journaled as a commune's, and what cannot be journaled is not
//! done. So a use case wired to a commune's page by mistake undoes itself.

use crate::kernel::refused::FORBIDDEN;
use crate::kernel::{Principal, Refused};

/// Verbs of the journal a commune may be the author of.
const BY_COMMUNE: &[&str] = &["convention.signed", "convention.declined"];

/// The acts of the table, for who wants to hold them against those of the rooms.
#[must_use]
pub const fn by_commune() -> &'static [&'static str] {
    BY_COMMUNE
}

/// Whether a principal may do an act, named by its verb in the journal.
///
/// # Errors
/// `forbidden`.
pub fn may(principal: &Principal, verb: &str) -> Result<(), Refused> {
    match principal {
        Principal::Staff { .. } | Principal::Program => Ok(()),
        Principal::Commune(_) if BY_COMMUNE.contains(&verb) => Ok(()),
        Principal::Commune(_) => {
            let detail = format!(
                "Un lien d'invitation n'admet pas l'acte « {verb} » ; actes admis : {}.",
                BY_COMMUNE.join(", ")
            );
            Err(Refused::new(&FORBIDDEN, detail))
        }
    }
}
