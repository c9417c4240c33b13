//! Acts in number that nobody waits for: asked with `Prefer: respond-async` (RFC 7240), answered 202, followed at
//! `/jobs/{id}`.
//!
//! ```text
//!   POST + Prefer ──▶ waiting ──worker──▶ running ──▶ done      its result is what the act would have answered at once
//!                       │                    ├──────▶ refused   by a rule, or because its author may no longer do it
//!                       └──cancel──▶ cancelled  └───▶ failed    given up: a task says so
//! ```
//! **One command** ([`LongAct::act`]) serves both forms: at once in the request's transaction, or later in the worker's.
//! These acts are all or none, so the later form is cancelled before it begins, and not after: while it runs nothing of it
//! is written yet, and once it is written all of it is.
//!
//! **Authority is asked twice**: when the act is asked for, and again in the transaction that does it; the account is held
//! meanwhile. The act is written together with its result, so that a worker that dies in the middle does it again from
//! nothing, and one that dies after does it no more.

mod act;
mod actions;
mod codes;
mod http;
mod http_later;
mod http_problem;
mod run;
mod store;
mod store_retention;

pub use act::LongAct;
pub use actions::{DAILY, give_up};
use codes::CODES;
pub use http::JobView;
pub use http_later::answer;
pub use run::RunAct;

use crate::capability::Capability;

/// What this room gives the program. Its jobs are registered where the acts' worlds are made.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tags: &[("Travaux", "Les actes en nombre demandés sans attendre leur réponse (`Prefer: respond-async`).")],
        routes: http::routes,
        codes: CODES,
        daily: DAILY,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("acts")
    }
}
