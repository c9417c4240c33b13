//! Who may do what: the permission stands in a handler's signature, as `Can<ApproveTitles>`.
//!
//! A handler that does not ask for one cannot know who calls; one that does is never entered without it. The token
//! alone opens the door of the handler; the transaction behind it begins by reading account and session again, so a
//! log-out, a deactivation or a change of role counts at once.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, web};

use super::problems::{FORBIDDEN, TOKEN_EXPIRED, UNAUTHENTICATED};
use super::store_sessions::{self, Hold};
use super::tokens::{TokenFault, Tokens};
use crate::kernel::{Actor, Refused, Role, ids::UserId};
use crate::platform::db::counters;
use crate::platform::web::Problem;
use crate::platform::web::problem::{self, current};
use crate::platform::web::warrant::{Warrant, Warrants};
use crate::platform::{Outcome, Tx};

/// Something a role may do.
pub trait Permission: Send + Sync + 'static {
    /// As the journal calls it.
    const NAME: &'static str;
    /// Roles that hold it.
    const ROLES: &'static [Role];
    /// Its acts change accounts: two of them at once would wait for each other for ever if they shared their own.
    const ON_ACCOUNTS: bool = false;
}

/// Declares the permissions of a room: `permissions! { /// What it lets do. SealBatches: Ordonnateur; }`.
#[macro_export]
macro_rules! permissions {
    ($($(#[$meta:meta])* $name:ident: $($role:ident)|+ $(, on accounts $on:literal)?;)+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;
        impl $crate::access::Permission for $name {
            const NAME: &'static str = stringify!($name);
            const ROLES: &'static [$crate::kernel::Role] = &[$($crate::kernel::Role::$role),+];
            $(const ON_ACCOUNTS: bool = $on;)?
        }
    )+};
}

permissions! {
    /// Whoever is known: one's own account, log-out.
    Any: Lecteur | Gestionnaire | Ordonnateur | Comptable | Admin, on accounts true;
    /// Read registry, campaigns, conventions, participations.
    Read: Lecteur | Gestionnaire | Ordonnateur | Admin;
    /// Read titles and batches.
    ReadTitles: Lecteur | Gestionnaire | Ordonnateur | Comptable | Admin;
    /// Write collectivités, schools, payers; import.
    ManageRegistry: Gestionnaire;
    /// Create, open and close campaigns; enrol.
    ManageCampaigns: Gestionnaire;
    /// Issue and cancel conventions.
    IssueConventions: Gestionnaire;
    /// Record the signatures of both parties.
    RecordSignatures: Gestionnaire;
    /// Prepare titles.
    PrepareTitles: Gestionnaire;
    /// Leave small claims untitled, and come back on it: the ordonnateur's word (décret 2012-1246, art. 114). Who prepares
    /// only carries out the policy of the campaign, whose paper the ordonnateur signs.
    DecideSmallClaims: Ordonnateur;
    /// Approve and withdraw titles.
    ApproveTitles: Ordonnateur;
    /// Move one title: who approves returns or withdraws it, who prepares hands it in again.
    MoveTitles: Gestionnaire | Ordonnateur;
    /// Read what waits for a person.
    ReadTasks: Lecteur | Gestionnaire | Ordonnateur | Comptable | Admin;
    /// Take, give, close and reopen tasks.
    WorkOnTasks: Gestionnaire | Ordonnateur | Comptable | Admin;
    /// Follow and cancel the acts one asked for without waiting.
    FollowJobs: Lecteur | Gestionnaire | Ordonnateur | Comptable | Admin;
    /// Seal accounting batches.
    SealBatches: Ordonnateur;
    /// Download the files of a batch: what [`ReadTitles`] shows already, title by title.
    DownloadBatches: Lecteur | Gestionnaire | Ordonnateur | Comptable | Admin;
    /// Users, journal, configuration; no power over money.
    Administer: Admin, on accounts true;
}

/// Proof that the caller holds a permission.
#[derive(Debug)]
pub struct Can<P> {
    pub actor: Actor,
    pub user: UserId,
    pub role: Role,
    /// The session (family of refresh tokens) the access token came from.
    pub session: String,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for Can<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(admit(request))
    }
}

/// Why a role does not hold a permission, when it does not.
#[must_use]
pub fn refusal<P: Permission>(role: Role) -> Option<Refused> {
    if P::ROLES.contains(&role) {
        return None;
    }
    let admitted: Vec<&str> = P::ROLES.iter().map(|role| role.as_str()).collect();
    let detail = format!("Votre rôle est « {role} » ; rôles admis ici : {}.", admitted.join(", "));
    Some(Refused::new(&FORBIDDEN, detail))
}

/// Who asked for what; left with the request, for the journal of what was refused.
#[derive(Debug, Clone)]
pub struct Asked {
    pub actor: Actor,
    pub role: Role,
    pub permission: &'static str,
}

fn admit<P: Permission>(request: &HttpRequest) -> Result<Can<P>, Problem> {
    let tokens = request
        .app_data::<web::Data<Tokens>>()
        .ok_or_else(|| Problem::new(&problem::INTERNAL_ERROR, "Le service n'est pas configuré."))?;
    let bearer = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| {
            Problem::new(&UNAUTHENTICATED, "Envoyer l'en-tête « Authorization: Bearer … » reçu de POST /auth/login.")
        })?;
    let claims = tokens.verify(bearer).map_err(|fault| match fault {
        TokenFault::Expired => {
            Problem::new(&TOKEN_EXPIRED, "Le jeton d'accès a expiré : le renouveler par POST /auth/refresh.")
        }
        TokenFault::Invalid => Problem::new(&UNAUTHENTICATED, "Le jeton d'accès n'est pas valable."),
    })?;
    let (user, role) = (claims.sub, claims.role);
    let actor = Actor::staff(user, role, claims.name, current::get());
    request.extensions_mut().insert(Asked { actor: actor.clone(), role, permission: P::NAME });
    if let Some(refused) = refusal::<P>(role) {
        return Err(refused.into());
    }
    let warrant = Standing { user, role, session: claims.sid.clone(), permission: PhantomData::<P> };
    Warrants::give(request, Arc::new(warrant));
    Ok(Can { actor, user, role, session: claims.sid, permission: PhantomData })
}

/// What the token said, to be confirmed.
struct Standing<P> {
    user: UserId,
    role: Role,
    session: String,
    permission: PhantomData<P>,
}

impl<P: Permission> Warrant for Standing<P> {
    fn confirm(&self, tx: &mut Tx<'_>, acting: bool) -> Outcome<()> {
        let hold = match (acting, P::ON_ACCOUNTS) {
            (false, _) => Hold::Look,
            (true, false) => Hold::Share,
            (true, true) => Hold::Alone,
        };
        if hold == Hold::Alone {
            // Two administrators who change each other's account at once come one after the other.
            counters::lock(tx, "administrators")?;
        }
        let now = tx.now();
        let worth = store_sessions::standing(tx, self.user, &self.session, hold)?
            .filter(|found| found.active && found.revoked_at.is_none() && found.ends_at > now);
        let Some(found) = worth else {
            let detail = "La session est close ou le compte désactivé : se connecter de nouveau.";
            return Err(Refused::new(&UNAUTHENTICATED, detail).into());
        };
        if let Some(refused) = refusal::<P>(found.role) {
            return Err(refused.into());
        }
        if found.role != self.role {
            // The journal would name a role that the person no longer has.
            let detail = "Le rôle du compte a changé : renouveler le jeton par POST /auth/refresh.";
            return Err(Refused::new(&TOKEN_EXPIRED, detail).into());
        }
        Ok(())
    }
}
