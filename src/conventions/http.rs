//! Routes of conventions.

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions::{self, TransitionRequest};
use super::convention::{Convention, ConventionAction, ConventionState};
use super::jobs;
use super::store::{self, ConventionFilter};
use super::views::{self, ConventionView};
use crate::access::{Can, Read, RecordSignatures};
use crate::campaigns;
use crate::kernel::ids::ConventionId;
use crate::kernel::{Departement, Instant, Role, SchoolYear, Siret};
use crate::path_keys;
use crate::platform::documents::Renderer;
use crate::platform::web::docs::{ReadRefusals, WriteRefusals};
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Problem, Reply, State};

path_keys!(ConventionId => "id");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list).service(document).service(transitions).service(transition).service(one);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    campaign: Option<SchoolYear>,
    /// SIRET, présent ou passé, du payeur.
    collectivite: Option<Siret>,
    /// Département du payeur.
    departement: Option<Departement>,
    status: Option<ConventionState>,
    number: Option<String>,
    /// Nom du payeur ou partie du numéro.
    q: Option<String>,
    updated_since: Option<Instant>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les conventions
#[utoipa::path(
    operation_id = "list_conventions", tag = "Conventions", params(ListQuery),
    responses((status = 200, body = PageView<ConventionView>, description = "Une page, par numéro"), ReadRefusals),
    security(("bearer" = []))
)]
#[get("/conventions")]
async fn list(state: State, _can: Can<Read>, Params(query): Params<ListQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), "number", 1)?;
    let reply = state
        .read(move |tx| {
            let campaign = query.campaign.map(|year| campaigns::find(tx, &year)).transpose()?;
            let filter = ConventionFilter {
                campaign: campaign.map(|c| c.id),
                collectivite: query.collectivite,
                departement: query.departement,
                status: query.status,
                number: query.number,
                q: query.q,
                updated_since: query.updated_since,
            };
            let rows = store::list(tx, &filter, &page)?;
            let cut = page.finish(rows, "number", |c: &Convention| vec![c.number.clone()], |c| c);
            Reply::ok(&PageView { data: views::views(tx, cut.data)?, meta: cut.meta })
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire une convention
#[utoipa::path(
    operation_id = "get_convention", tag = "Conventions", params(("id" = ConventionId, Path)),
    responses((status = 200, body = ConventionView, description = "La convention et ses constats"), ReadRefusals),
    security(("bearer" = []))
)]
#[get("/conventions/{id}")]
async fn one(state: State, _can: Can<Read>, Key(id): Key<ConventionId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = actions::find(tx, id)?;
            let version = found.version;
            Reply::versioned(&views::detail(tx, found)?, version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Télécharger la convention (PDF/A-3a, PDF/UA-1)
///
/// Les octets sont produits une fois et ne changent plus.
#[utoipa::path(
    operation_id = "get_convention_document", tag = "Conventions", params(("id" = ConventionId, Path)),
    responses(
        (status = 200, content_type = "application/pdf", body = Vec<u8>, description = "Le document"),
        (status = 409, body = crate::platform::web::ProblemView, content_type = "application/problem+json", description = "Modèle défaillant"),
        ReadRefusals
    ),
    security(("bearer" = []))
)]
#[get("/conventions/{id}/document")]
async fn document(state: State, _can: Can<Read>, renderer: web::Data<Renderer>, Key(id): Key<ConventionId>) -> Answer {
    let db = state.db.clone();
    let made = web::block(move || jobs::document(&db, &renderer, id))
        .await
        .map_err(|_| Problem::from(crate::platform::Error::Incident("blocking thread lost".into())))??;
    Ok(Reply::file("application/pdf", &format!("{}.pdf", made.number), &made.sha256, made.bytes))
}

/// Une action et si l'appelant peut la faire maintenant.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConventionTransitionView)]
struct TransitionView {
    action: ConventionAction,
    allowed: bool,
    /// Pourquoi pas, sinon.
    reason: Option<String>,
}

/// Actions possibles depuis l'état présent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConventionTransitionsView)]
struct TransitionsView {
    current_state: ConventionState,
    actions: Vec<TransitionView>,
}

/// Lister les actions possibles, et pourquoi les autres ne le sont pas
#[utoipa::path(
    operation_id = "list_convention_transitions", tag = "Conventions", params(("id" = ConventionId, Path)),
    responses((status = 200, body = TransitionsView, description = "Les actions"), ReadRefusals),
    security(("bearer" = []))
)]
#[get("/conventions/{id}/transitions")]
async fn transitions(state: State, can: Can<Read>, Key(id): Key<ConventionId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = actions::find(tx, id)?;
            let titled = store::has_title(tx, id)?;
            let actions = ConventionAction::ALL
                .iter()
                .map(|action| {
                    let reason = if can.actor.role != Role::Gestionnaire {
                        Some("Réservé au rôle gestionnaire.".to_owned())
                    } else if !found.allowed().contains(action) {
                        Some(format!("Impossible dans l'état « {} ».", found.state()))
                    } else if *action == ConventionAction::Cancel && titled {
                        Some("Un titre existe pour cette convention : le retirer d'abord.".to_owned())
                    } else {
                        None
                    };
                    TransitionView { action: *action, allowed: reason.is_none(), reason }
                })
                .collect();
            Reply::ok(&TransitionsView { current_state: found.state(), actions })
        })
        .await?;
    Ok(reply.into_response())
}

/// Signer, contresigner ou annuler une convention
#[utoipa::path(
    operation_id = "transition_convention", tag = "Conventions", params(("id" = ConventionId, Path)),
    request_body = TransitionRequest,
    responses((status = 200, body = ConventionView, description = "La convention après l'action"), WriteRefusals),
    security(("bearer" = []))
)]
#[post("/conventions/{id}/transitions")]
async fn transition(
    state: State,
    can: Can<RecordSignatures>,
    Key(id): Key<ConventionId>,
    call: CallContext,
    body: Body<TransitionRequest>,
) -> Answer {
    let version = call.optional_version()?;
    let actor = can.actor;
    state
        .post(actor.user, call, body.sha256, move |tx| {
            let next = actions::transition(tx, &actor, id, version, &body.value)?;
            let version = next.version;
            Reply::versioned(&views::detail(tx, next)?, version)
        })
        .await
}
