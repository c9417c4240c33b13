//! `/users`: accounts, for administrators.

use actix_web::{get, patch, post, web};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::http::LoginService;
use super::http_permission::{Administer, Can};
use super::password_actions::{self, IssuedCode};
use super::problems::{ACCOUNT_INACTIVE, EMAIL_TAKEN, LAST_ADMIN, PASSWORD_SET};
use super::store::{self, UserFilter, UserOrder};
use super::user::{Delegation, NewUser, User, UserChange};
use super::views::UserView;
use super::{actions, mails};
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::{EmailId, UserId};
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::{Line, SearchText};
use crate::kernel::{Instant, Role};
use crate::path_keys;
use crate::platform::Outcome;
use crate::platform::db::blobs::digest;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State};

path_keys!(UserId => "id");

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_users)
        .service(create_user)
        .service(get_user)
        .service(change_user)
        .service(reset_password)
        .service(mail_password_code);
}

/// Le code qui permet à la personne de choisir son mot de passe, par `POST /auth/password`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PasswordCodeView {
    /// Montré cette seule fois, à remettre à la personne et à elle seule ; `null` quand l'appel est répété sous sa clé
    /// d'idempotence : émettre alors un nouveau code, qui remplace celui-ci.
    #[schema(example = "7K3QF-9TZ2M-4HXVC-0PB8D-RN6WG")]
    code: Option<String>,
    expires_at: Instant,
}

/// Un compte, et son code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InvitedUserView {
    #[serde(flatten)]
    user: UserView,
    password_code: PasswordCodeView,
}

impl InvitedUserView {
    fn of(user: &User, issued: &IssuedCode, code: Option<String>) -> Self {
        Self { user: user.into(), password_code: PasswordCodeView { code, expires_at: issued.expires_at } }
    }

    /// With its code for the caller, and without it for whatever keeps the answer.
    fn once(user: &User, issued: &IssuedCode, answer: impl FnOnce(&Self) -> Outcome<Reply>) -> Outcome<Reply> {
        answer(&Self::of(user, issued, Some(issued.code.to_string())))?.keeping(&Self::of(user, issued, None))
    }
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "anne.durand@exemple.invalid", "role": "ordonnateur", "first_name": "Anne",
    "last_name": "Durand", "capacity": "Secrétaire générale de région académique", "delegation": {"reference":
    "Arrêté R76-2025-03-14-00002, RAA du 14 mars 2025", "published_on": "2025-03-14"}}))]
struct NewUserRequest {
    email: EmailAddress,
    role: Role,
    first_name: Line,
    last_name: Line,
    #[schema(value_type = Option<String>)]
    capacity: Option<Line>,
    delegation: Option<Delegation>,
}

/// Un champ absent ne change pas ; `null` efface `capacity` ou `delegation`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "gestionnaire", "capacity": null}))]
struct UserChangeRequest {
    email: Option<EmailAddress>,
    role: Option<Role>,
    first_name: Option<Line>,
    last_name: Option<Line>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    capacity: Option<Option<Line>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Delegation>)]
    delegation: Option<Option<Delegation>>,
    active: Option<bool>,
}

/// Tells `null` (clear) from absent (leave).
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UsersQuery {
    /// Comptes de ce rôle seulement.
    #[param(inline)]
    role: Option<Role>,
    /// Comptes actifs (`true`) ou désactivés (`false`) seulement.
    active: Option<bool>,
    /// Partie de l'adresse de courriel.
    q: Option<SearchText>,
    /// Modifiés depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<UserOrder>,
    /// Nombre de lignes, 200 au plus.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` de la page précédente.
    cursor: Option<String>,
}

/// Lister les comptes
///
/// Dans l'ordre des adresses de courriel.
#[utoipa::path(
    operation_id = "list_users", tag = "Comptes", params(UsersQuery),
    responses((status = 200, description = "Une page de comptes", body = PageView<UserView>)),
    extensions(("x-answers" = json!(Answers::usual())))
)]
#[get("/users")]
async fn list_users(_can: Can<Administer>, state: State, query: Params<UsersQuery>) -> Answer {
    let UsersQuery { role, active, q, updated_since, sort, limit, cursor } = query.0;
    let page = Page::read(limit, cursor.as_deref(), sort)?;
    let reply = state
        .read(move |tx| {
            let filter = UserFilter { role, active, q, updated_since: tx.changed_since(updated_since)? };
            Reply::ok(&store::list(tx, &filter, &page)?.map(|user| UserView::from(&user)))
        })
        .await?;
    Ok(reply.into_response())
}

/// Créer un compte
///
/// Un rôle par compte. La qualité et la délégation de signature sont nécessaires à qui approuve des titres. La personne
/// choisit elle-même son mot de passe, par le code à usage unique de la réponse.
#[utoipa::path(
    operation_id = "create_user", tag = "Comptes", request_body = NewUserRequest,
    responses(
        (status = 201, description = "Compte créé, avec le code à remettre à la personne ; `Location` et `ETag`", body = InvitedUserView)
    ),
    extensions(("x-answers" = json!(Answers::refuse(&[&EMAIL_TAKEN]))))
)]
#[post("/users")]
async fn create_user(
    can: Can<Administer>,
    state: State,
    service: web::Data<LoginService>,
    call: CallContext,
    body: Body<NewUserRequest>,
) -> Answer {
    let (request, life) = (body.value, service.code_life());
    let new = NewUser {
        email: request.email,
        role: request.role,
        first_name: request.first_name,
        last_name: request.last_name,
        capacity: request.capacity,
        delegation: request.delegation,
        password_hash: None,
    };
    state
        .post(can.actor.principal, call, body.sha256, move |tx| {
            let (user, issued) = password_actions::invite(tx, &can.actor, new, life)?;
            let place = format!("/api/v1/users/{}", user.id);
            InvitedUserView::once(&user, &issued, |view| Reply::created(place, view, user.version))
        })
        .await
}

/// Remettre à zéro un mot de passe
///
/// Le mot de passe ne vaut plus rien, les sessions de la personne sont closes, et un nouveau code à usage unique remplace
/// celui d'avant. Personne ne choisit un mot de passe à la place d'un autre.
#[utoipa::path(
    operation_id = "reset_password", tag = "Comptes",
    params(("id" = UserId, Path, description = "Identifiant du compte")),
    responses((status = 200, description = "Le compte, et le code à remettre à la personne", body = InvitedUserView)),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &ACCOUNT_INACTIVE, &LAST_ADMIN, &CONCURRENT_CHANGE]).versioned()
    )))
)]
#[post("/users/{id}/password-reset")]
async fn reset_password(
    can: Can<Administer>,
    state: State,
    service: web::Data<LoginService>,
    id: Key<UserId>,
    call: CallContext,
) -> Answer {
    let life = service.code_life();
    state
        .post(can.actor.principal, call, digest(b""), move |tx| {
            let (user, issued) = password_actions::reset(tx, &can.actor, id.0, life)?;
            InvitedUserView::once(&user, &issued, |view| Reply::versioned(view, user.version))
        })
        .await
}

/// Le courriel mis à l'envoi.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CodeMailView {
    email_id: EmailId,
}

/// Envoyer par courriel un code pour choisir son mot de passe
///
/// À qui n'en a pas encore, ou plus. Le code est fait au départ du courriel, et remplace celui d'avant : personne d'autre ne
/// le lit.
#[utoipa::path(
    operation_id = "mail_password_code", tag = "Comptes",
    params(("id" = UserId, Path, description = "Identifiant du compte")),
    responses((status = 200, description = "Le courriel mis à l'envoi", body = CodeMailView)),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &ACCOUNT_INACTIVE, &PASSWORD_SET]))))
)]
#[post("/users/{id}/password-code-mails")]
async fn mail_password_code(
    can: Can<Administer>,
    state: State,
    service: web::Data<LoginService>,
    id: Key<UserId>,
    call: CallContext,
) -> Answer {
    let life = service.code_life();
    state
        .post(can.actor.principal, call, digest(b""), move |tx| {
            Reply::ok(&CodeMailView { email_id: mails::post(tx, &can.actor, id.0, life)? })
        })
        .await
}

/// Lire un compte
#[utoipa::path(
    operation_id = "get_user", tag = "Comptes", params(("id" = UserId, Path, description = "Identifiant du compte")),
    responses((status = 200, description = "Le compte, avec sa version dans `ETag`", body = UserView)),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]).versioned())))
)]
#[get("/users/{id}")]
async fn get_user(_can: Can<Administer>, state: State, id: Key<UserId>) -> Answer {
    let user = state.read(move |tx| actions::find_user(tx, id.0)).await?;
    Ok(Reply::versioned(&UserView::from(&user), user.version)?.into_response())
}

/// Modifier un compte
///
/// Annoncer la version lue dans `If-Match`. Changer le rôle, ou désactiver, révoque les sessions de la
/// personne : ses jetons d'accès ne valent plus rien.
#[utoipa::path(
    operation_id = "change_user", tag = "Comptes", request_body = UserChangeRequest,
    params(
        ("id" = UserId, Path, description = "Identifiant du compte"),
        ("If-Match" = String, Header, description = "`ETag` de la version lue", example = "\"1\""),
    ),
    responses((status = 200, description = "Le compte modifié", body = UserView)),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &EMAIL_TAKEN, &LAST_ADMIN, &CONCURRENT_CHANGE]).versioned()
    )))
)]
#[patch("/users/{id}")]
async fn change_user(
    can: Can<Administer>,
    state: State,
    id: Key<UserId>,
    mut call: CallContext,
    body: Body<UserChangeRequest>,
) -> Answer {
    let version = call.expected_version()?;
    let request = body.value;
    let change = UserChange {
        email: request.email,
        role: request.role,
        first_name: request.first_name,
        last_name: request.last_name,
        capacity: request.capacity,
        delegation: request.delegation,
        active: request.active,
    };
    let user = state.write(move |tx| actions::change_user(tx, &can.actor, id.0, &version, &change)).await?;
    Ok(Reply::versioned(&UserView::from(&user), user.version)?.into_response())
}
