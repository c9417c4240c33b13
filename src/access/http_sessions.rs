//! Sessions, seen and ended by their person, or ended by an administrator.

use actix_web::{HttpResponse, delete, get};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::http_permission::{Administer, Any, Can};
use super::sessions;
use super::store_sessions::{self, OpenSession, SessionOrder};
use crate::kernel::Instant;
use crate::kernel::ids::{SessionId, UserId};
use crate::kernel::refused::NOT_FOUND;
use crate::path_keys;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Key, Page, PageView, Params, Reply, State};

path_keys!(SessionId => "id");

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_sessions).service(end_other_sessions).service(end_session).service(end_user_sessions);
}

/// Une session ouverte.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OpenSessionView {
    id: SessionId,
    created_at: Instant,
    /// Connexion, ou dernier renouvellement.
    last_used_at: Instant,
    /// Fin, si la session n'est pas renouvelée d'ici là.
    expires_at: Instant,
    /// Adresse IP de la connexion.
    #[schema(example = "203.0.113.5")]
    source: Option<String>,
    /// Ce que le programme de la personne disait être.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
    user_agent: Option<String>,
    /// La session de cet appel.
    current: bool,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SessionsQuery {
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<SessionOrder>,
    /// Nombre de lignes, 200 au plus.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` de la page précédente.
    cursor: Option<String>,
}

/// Lister mes sessions
///
/// Les sessions ouvertes de la personne connectée, de la plus récente à la plus ancienne.
#[utoipa::path(
    operation_id = "list_sessions", tag = "Sessions", params(SessionsQuery),
    responses((status = 200, description = "Une page de sessions", body = PageView<OpenSessionView>)),
    extensions(("x-answers" = json!(Answers::usual())))
)]
#[get("/auth/sessions")]
async fn list_sessions(can: Can<Any>, state: State, query: Params<SessionsQuery>) -> Answer {
    let SessionsQuery { sort, limit, cursor } = query.0;
    let (id, page) = (can.user, Page::read(limit, cursor.as_deref(), sort)?);
    let view = move |session: OpenSession| OpenSessionView {
        current: session.id.as_str() == can.session,
        id: session.id,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
        source: session.address,
        user_agent: session.user_agent,
    };
    let reply = state.read(move |tx| Reply::ok(&store_sessions::list(tx, id, &page)?.map(view))).await?;
    Ok(reply.into_response())
}

/// Clore mes autres sessions
///
/// Toutes, sauf celle de cet appel.
#[utoipa::path(
    operation_id = "end_other_sessions", tag = "Sessions",
    responses((status = 204, description = "Sessions closes")),
    extensions(("x-answers" = json!(Answers::usual())))
)]
#[delete("/auth/sessions")]
async fn end_other_sessions(can: Can<Any>, state: State) -> Answer {
    let id = can.user;
    state.write(move |tx| sessions::end_others(tx, &can.actor, id, &can.session)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Clore une de mes sessions
#[utoipa::path(
    operation_id = "end_session", tag = "Sessions",
    params(("id" = SessionId, Path, description = "Identifiant de la session")),
    responses((status = 204, description = "Session close")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]))))
)]
#[delete("/auth/sessions/{id}")]
async fn end_session(can: Can<Any>, state: State, id: Key<SessionId>) -> Answer {
    let user = can.user;
    state.write(move |tx| sessions::end_one(tx, &can.actor, user, id.0)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Clore les sessions d'un compte
///
/// Toutes : la personne se connecte de nouveau.
#[utoipa::path(
    operation_id = "end_user_sessions", tag = "Comptes",
    params(("id" = UserId, Path, description = "Identifiant du compte")),
    responses((status = 204, description = "Sessions closes")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]))))
)]
#[delete("/users/{id}/sessions")]
async fn end_user_sessions(can: Can<Administer>, state: State, id: Key<UserId>) -> Answer {
    state.write(move |tx| sessions::end_all(tx, &can.actor, id.0)).await?;
    Ok(HttpResponse::NoContent().finish())
}
