//! Accounts, sessions, roles: who calls, and what that person may do.
//!
//! ```text
//!   POST /auth/login ──▶ access token (JWT, minutes) ──▶ Can<P> in a handler's signature
//!                   └──▶ refresh token (opaque, days, used once) ──▶ POST /auth/refresh
//! ```
//! Who has no account comes by an invitation link, proven by [`Invited`]; links are another room's ([`Links`]).
//! An account also carries what gives a signature its force (capacity, delegation): [`User::signatory_on`].
//! The route of the journal stands here because it asks for a permission, and `audit` stands to the left of access.

pub mod actions;
mod brake;
mod codes;
mod events;
mod gate;
mod hs256;
mod http;
mod http_invited;
mod http_journal;
mod http_passwords;
mod http_permission;
mod http_sessions;
mod http_users;
mod mails;
mod origin;
pub mod password_actions;
pub mod passwords;
pub mod problems;
pub mod refusals;
pub mod sessions;
mod store;
mod store_brakes;
mod store_codes;
mod store_retention;
mod store_sessions;
pub mod tokens;
mod user;
mod views;

pub use actions::{find_account, find_user, names, still};
pub use codes::PasswordCode;
pub use events::AccessEvent;
pub use gate::Gate;
pub use http::{LoginRules, LoginService};
pub use http_invited::{Invited, Links, Presented};
pub use http_permission::{
    Administer, Any, ApproveTitles, Asked, Can, DecideSmallClaims, DownloadBatches, FollowJobs, IssueConventions,
    ManageCampaigns, ManageRegistry, MoveTitles, Permission, PrepareTitles, Read, ReadTasks, ReadTitles,
    RecordSignatures, SealBatches, WorkOnTasks, refusal,
};
pub use passwords::{NewPassword, PasswordHash};
pub use problems::CODES;
pub use sessions::{Brakes, SessionRules};
pub use tokens::{TokenRules, Tokens};
pub use user::{AccountState, Delegation, NewUser, Signatory, SignatoryFault, User, UserChange};

use utoipa_actix_web::service_config::ServiceConfig;

use crate::capability::Capability;
use crate::platform::jobs::Daily;

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tags: &[
            ("Sessions", "Connexion et compte de la personne connectée."),
            ("Comptes", "Comptes, rôles, qualités et délégations de signature ; réservé aux administrateurs."),
        ],
        routes,
        codes: CODES,
        tells: |tellers| tellers.with::<AccessEvent>().naming(actions::called),
        daily: DAILY,
        mails: MAILS,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("access")
    }
}

/// The routes of accounts, sessions and the journal, under `/api/v1`.
fn routes(cfg: &mut ServiceConfig<'_>) {
    http::routes(cfg);
    http_passwords::routes(cfg);
    http_sessions::routes(cfg);
    http_users::routes(cfg);
    http_journal::routes(cfg);
}

/// Its kinds of mail.
static MAILS: &[&crate::platform::mail::Kind] = &[&mails::PASSWORD_CODE];

/// What each day asks of this room.
const DAILY: &[Daily] = &[Daily::new("access.sessions", |tx, _| sessions::purge(tx).map(|_| ()))];
