//! The proof of who comes by an invitation link: [`Invited`] in a handler's signature, as `Can<P>` for an account.
//!
//! ```text
//!   request ──Links::presented──▶ secret ──Links::admit──▶ Invited { actor } ──▶ the handler
//!                                             └─ asked again, first thing in each of its transactions (the warrant)
//! ```
//! Links themselves are another room's: it gives the application its [`Links`]. What is proven is the link; the name is what
//! the person says. Which acts are theirs, [`crate::audit::may`] says, and on whose conventions,
//! [`crate::kernel::Principal::reaches`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};

use super::problems::UNAUTHENTICATED;
use crate::kernel::text::Line;
use crate::kernel::{Actor, Invitation, Refused};
use crate::platform::web::problem::{self, current};
use crate::platform::web::warrant::{Warrant, Warrants};
use crate::platform::web::{Problem, State};
use crate::platform::{Outcome, Tx};

/// What a request presents.
pub struct Presented {
    /// The secret of the link.
    pub secret: String,
    /// Who its sender says to be.
    pub name: Option<Line>,
}

/// Who knows links.
pub trait Links: Send + Sync + 'static {
    /// What a request presents; none when it comes by no link.
    fn presented(&self, request: &HttpRequest) -> Option<Presented>;

    /// What a secret opens at the instant of the transaction; `acting` holds it until its end.
    ///
    /// # Errors
    /// The refusal of a link that is unknown, expired or revoked; those of the database.
    fn admit(&self, tx: &mut Tx<'_>, secret: &str, acting: bool) -> Outcome<Invitation>;
}

/// Proof that the caller holds an invitation link.
#[derive(Debug)]
pub struct Invited {
    pub actor: Actor,
    pub invitation: Invitation,
}

impl FromRequest for Invited {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { admit(&request).await })
    }
}

async fn admit(request: &HttpRequest) -> Result<Invited, Problem> {
    let (Some(links), Some(state)) =
        (request.app_data::<web::Data<dyn Links>>(), request.app_data::<web::Data<State>>())
    else {
        return Err(Problem::new(&problem::INTERNAL_ERROR, "Le service n'est pas configuré."));
    };
    let Some(Presented { secret, name }) = links.presented(request) else {
        return Err(Problem::new(&UNAUTHENTICATED, "Ouvrir le lien d'invitation reçu par courriel."));
    };
    let (asked, links) = (secret.clone(), Arc::clone(links));
    let looked = Arc::clone(&links);
    let state = state.get_ref().clone().open_to_all();
    let invitation = state.read(move |tx| looked.admit(tx, &asked, false)).await?;
    Warrants::give(request, Arc::new(Held { links, secret, invitation }));
    Ok(Invited { actor: Actor::commune(invitation, name.as_ref(), current::get()), invitation })
}

/// A link, to be confirmed.
struct Held {
    links: Arc<dyn Links>,
    secret: String,
    invitation: Invitation,
}

impl Warrant for Held {
    fn confirm(&self, tx: &mut Tx<'_>, acting: bool) -> Outcome<()> {
        if self.links.admit(tx, &self.secret, acting)? == self.invitation {
            return Ok(());
        }
        Err(Refused::new(&UNAUTHENTICATED, "Le lien d'invitation a changé : l'ouvrir de nouveau.").into())
    }
}
