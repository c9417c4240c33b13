//! What was written to whom, what came of it, and the texts of mails.
//!
//! ```text
//!   rooms ──post──▶ outbox (platform::mail) ──▶ GET /emails, whole messages, resent by a person
//!                       │ refused, uncertain                       address flagged: written to no more
//!                       └──▶ task for a person                     texts: program ◀ folder ◀ edited (versions)
//! ```
//! Nobody resends by themselves what may have arrived: a mail whose answer was lost waits for a person. A text is judged
//! before it is kept, against every name its kind gives.

mod actions;
mod after;
mod codes;
mod events;
mod http_blocks;
mod http_emails;
mod http_templates;
mod store_retention;

pub use after::after;
pub use codes::CODES;
pub use events::MailEvent;

use crate::audit::Tellers;
use crate::capability::Capability;

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tags: &[("Courriels", "Ce qui a été écrit, à qui, ce qu'il en est advenu ; textes des courriels.")],
        routes,
        codes: CODES,
        tells: Tellers::with::<MailEvent>,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("mailroom")
    }
}

/// Mounts the routes.
fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    http_emails::routes(cfg);
    http_templates::routes(cfg);
    http_blocks::routes(cfg);
}
