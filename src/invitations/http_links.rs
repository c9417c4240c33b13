//! The door of who comes by a link: the session's cookie, judged again in each transaction.

use actix_web::HttpRequest;

use super::secret::Secret;
use super::sessions;
use crate::access::{Links, Presented};
use crate::kernel::Invitation;
use crate::platform::{Outcome, Tx};

/// Name of the session's cookie.
pub(super) const COOKIE: &str = "ent_dossier";

/// Sessions begun by links.
#[derive(Debug, Clone, Copy, Default)]
pub struct DossierLinks;

impl Links for DossierLinks {
    fn presented(&self, request: &HttpRequest) -> Option<Presented> {
        let secret = request.cookie(COOKIE)?.value().to_owned();
        Some(Presented { secret, name: None })
    }

    fn admit(&self, tx: &mut Tx<'_>, secret: &str, acting: bool) -> Outcome<Invitation> {
        let secret = Secret::parse(secret).ok_or_else(|| sessions::gone(None))?;
        sessions::entered(tx, &secret, acting).map(|link| link.opens())
    }
}
