//! What a secret opens now: the one judgement of pages, acts and the API.

use super::codes::LINK_GONE;
use super::secret::Secret;
use super::standing::Standing;
use super::store::{self, Link};
use super::store_sessions;
use crate::kernel::Refused;
use crate::platform::db::{Tx, lives};
use crate::platform::error::Outcome;

/// Why a link opens nothing, and what to do: the same word for who guesses and for who lost theirs.
pub(super) fn gone(standing: Option<Standing>) -> Refused {
    let why = match standing {
        Some(Standing::Expired) => "Ce lien est trop ancien.",
        Some(Standing::Revoked) => "Ce lien a été retiré.",
        Some(Standing::Restored) => "Ce lien date d'avant une remise en service.",
        Some(Standing::Live) | None => "Ce lien n'est pas connu.",
    };
    Refused::new(&LINK_GONE, format!("{why} Demandez un nouveau lien."))
}

fn judged(tx: &mut Tx<'_>, link: Option<Link>) -> Outcome<Link> {
    let Some(link) = link else { return Err(gone(None).into()) };
    let life = lives::current(tx)?;
    match link.standing(&life.id, tx.now()) {
        // Nothing opens in a base that was just restored: what was revoked since the backup is not known to it.
        Standing::Live if life.released => Ok(link),
        Standing::Live => Err(gone(Some(Standing::Restored)).into()),
        other => Err(gone(Some(other)).into()),
    }
}

/// The link of a secret, if it opens.
///
/// # Errors
/// `link_gone`.
pub(super) fn opened(tx: &mut Tx<'_>, secret: &Secret) -> Outcome<Link> {
    let link = store::by_secret(tx, secret)?;
    judged(tx, link)
}

/// The link of a session, if it still opens.
///
/// # Errors
/// `link_gone`.
pub(super) fn entered(tx: &mut Tx<'_>, session: &Secret, held: bool) -> Outcome<Link> {
    let link = store_sessions::link_of(tx, session, held)?;
    judged(tx, link)
}
