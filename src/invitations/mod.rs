//! Links: how a payer, who has no account, reaches its dossier of one campaign.
//!
//! ```text
//!   invite (in number, or one) ──▶ mail queued ──its time──▶ link minted, in that mail only ──▶ opened … entered … acts
//!   show ───────────────────────▶ link minted, shown once to the agent who asks
//!   lost link (SIRET or UAI) ───▶ mail queued to the address on file, and nowhere else
//! ```
//! **A link** is 256 bits that nobody keeps: only their digest is stored. It is bound to a payer and a campaign, expires, may
//! be revoked, and belongs to the life of the base it was made in.
//!
//! **Opening it changes nothing**: mail scanners open links, some press buttons. GET and HEAD show a name and a button; the
//! button starts a session, which by itself records nothing; each act asks who acts. However often a link is opened, it
//! serves.
//!
//! A link is never in a log, a referrer, a cache or an error: its path is struck out wherever a request is told of.

mod actions;
mod bulk;
mod codes;
mod context;
mod events;
mod http;
mod http_bulk;
mod http_links;
mod lost;
mod mails;
mod pages;
mod secret;
mod sessions;
mod standing;
mod store;
mod store_board;
mod store_lost;
mod store_retention;
mod store_sessions;

pub use actions::show;
pub use bulk::{INVITE_OUTCOMES, Invite, invite};
pub use codes::{CODES, NOTHING_TO_OPEN};
pub use context::{DossierContext, MailContext, Reason, dossiers, mail as mail_context};
pub use events::InvitationEvent;
pub use http_links::DossierLinks;
pub use mails::{FRESH_LINK, INVITATION, Payload, compose, sample, settled};
pub use secret::Secret;
pub use standing::Standing;
pub use store::adopt;

use crate::audit::Tellers;
use crate::capability::Capability;

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tags: &[(
            "Invitations",
            "Liens par lesquels une collectivité rejoint son dossier, sans compte ni mot de passe.",
        )],
        routes,
        pages: pages::routes,
        codes: CODES,
        tells: Tellers::with::<InvitationEvent>,
        mails: MAILS,
        daily: store_sessions::DAILY,
        rows: store::ROWS,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("invitations")
    }
}

/// Its kinds of mail.
static MAILS: &[&crate::platform::mail::Kind] = &[&INVITATION, &FRESH_LINK];

/// Mounts the routes.
fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    http_bulk::routes(cfg);
    http::routes(cfg);
}
