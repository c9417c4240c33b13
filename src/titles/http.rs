//! Routes of perception titles.

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::approve::{self, ApproveRequest, Making};
use super::prepare::{self, PrepareRequest, PrepareView};
use super::store::{self, TitleFilter};
use super::title::{Title, TitleAction, TitleState};
use super::views::{self, TitleView};
use super::{Templates, jobs};
use crate::access::{ApproveTitles, Can, PrepareTitles, ReadTitles};
use crate::campaigns::bulk::BulkView;
use crate::campaigns::{self, Defaults};
use crate::kernel::ids::{ConventionId, TitleId};
use crate::kernel::text::Note;
use crate::kernel::{Departement, FieldFault, Instant, Refused, Role, SchoolYear, Siret};
use crate::path_keys;
use crate::platform::documents::Renderer;
use crate::platform::web::docs::{ReadRefusals, WriteRefusals};
use crate::platform::web::{
    Answer, Body, CallContext, Key, Page, PageView, Params, Problem, ProblemView, Reply, State,
};

path_keys!(TitleId => "id");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(prepare_all)
        .service(approve_all)
        .service(list)
        .service(document)
        .service(transitions)
        .service(transition)
        .service(one);
}

/// Préparer les titres en nombre
///
/// Pour les conventions qui ont pris effet ; relançable : seul ce qui n'a jamais été titré l'est. Issues : `prepared`, `flagged`, `not_issued`, `already_prepared`, `nothing_due`, `refused`.
#[utoipa::path(
    operation_id = "prepare_titles", tag = "Titres", params(("school_year" = SchoolYear, Path)), request_body = PrepareRequest,
    responses((status = 200, body = PrepareView, description = "Une issue par payeur, et les petites créances"), WriteRefusals),
    security(("bearer" = []))
)]
#[post("/campaigns/{school_year}/perception-titles")]
async fn prepare_all(
    state: State,
    can: Can<PrepareTitles>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    templates: web::Data<Templates>,
    call: CallContext,
    body: Body<PrepareRequest>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.user, call, body.sha256, move |tx| {
            Reply::ok(&prepare::prepare(tx, &actor, &year, body.value, &defaults, &templates)?)
        })
        .await
}

/// Approuver des titres en nombre
///
/// Par `filter` ou par `keys` (identifiants) ; jamais par qui les a préparés. Par filtre, les titres signalés sont laissés. Issues : `approved`, `already_approved`, `skipped_flagged`, `refused`.
#[utoipa::path(
    operation_id = "approve_titles", tag = "Titres", request_body = ApproveRequest,
    responses((status = 200, body = BulkView, description = "Une issue par titre"), WriteRefusals),
    security(("bearer" = []))
)]
#[post("/perception-titles/approvals")]
async fn approve_all(
    state: State,
    can: Can<ApproveTitles>,
    defaults: web::Data<Defaults>,
    templates: web::Data<Templates>,
    call: CallContext,
    body: Body<ApproveRequest>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.user, call, body.sha256, move |tx| {
            let making = Making { defaults: &defaults, templates: &templates };
            Reply::ok(&approve::approve(tx, &actor, body.value, &making)?)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    campaign: Option<SchoolYear>,
    /// SIRET du débiteur.
    collectivite: Option<Siret>,
    /// Département du débiteur.
    departement: Option<Departement>,
    status: Option<TitleState>,
    reference: Option<String>,
    convention: Option<ConventionId>,
    updated_since: Option<Instant>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les titres
#[utoipa::path(
    operation_id = "list_titles", tag = "Titres", params(ListQuery),
    responses((status = 200, body = PageView<TitleView>, description = "Une page"), ReadRefusals),
    security(("bearer" = []))
)]
#[get("/perception-titles")]
async fn list(state: State, _can: Can<ReadTitles>, Params(query): Params<ListQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), "id", 1)?;
    let reply = state
        .read(move |tx| {
            let campaign = query.campaign.map(|year| campaigns::find(tx, &year)).transpose()?;
            let filter = TitleFilter {
                campaign: campaign.map(|c| c.id),
                collectivite: query.collectivite,
                departement: query.departement,
                status: query.status,
                reference: query.reference,
                convention: query.convention,
                updated_since: query.updated_since,
            };
            let rows = store::list(tx, &filter, &page)?;
            let cut = page.finish(rows, "id", |t: &Title| vec![t.id.to_string()], |t| t);
            Reply::ok(&PageView { data: views::views(tx, cut.data)?, meta: cut.meta })
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire un titre
#[utoipa::path(
    operation_id = "get_title", tag = "Titres", params(("id" = TitleId, Path)),
    responses((status = 200, body = TitleView, description = "Le titre"), ReadRefusals),
    security(("bearer" = []))
)]
#[get("/perception-titles/{id}")]
async fn one(state: State, _can: Can<ReadTitles>, Key(id): Key<TitleId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = approve::find(tx, id)?;
            let version = found.version;
            Reply::versioned(&views::detail(tx, found)?, version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Télécharger la demande d'émission (PDF/A-3a, PDF/UA-1)
///
/// Document préparatoire, sans force exécutoire : le titre est édité et numéroté par Chorus.
#[utoipa::path(
    operation_id = "get_title_document", tag = "Titres", params(("id" = TitleId, Path)),
    responses(
        (status = 200, content_type = "application/pdf", body = Vec<u8>, description = "Le document"),
        (status = 409, body = ProblemView, content_type = "application/problem+json", description = "Pas encore approuvé"),
        ReadRefusals
    ),
    security(("bearer" = []))
)]
#[get("/perception-titles/{id}/document")]
async fn document(state: State, _can: Can<ReadTitles>, renderer: web::Data<Renderer>, Key(id): Key<TitleId>) -> Answer {
    let db = state.db.clone();
    let made = web::block(move || jobs::document(&db, &renderer, id))
        .await
        .map_err(|_| Problem::from(crate::platform::Error::Incident("blocking thread lost".into())))??;
    Ok(Reply::file("application/pdf", &format!("{}.pdf", made.reference), &made.sha256, made.bytes))
}

/// Une action et si l'appelant peut la faire maintenant.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TitleTransitionView)]
struct TransitionView {
    action: TitleAction,
    allowed: bool,
    /// Pourquoi pas, sinon.
    reason: Option<String>,
}

/// Actions possibles depuis l'état présent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TitleTransitionsView)]
struct TransitionsView {
    current_state: TitleState,
    actions: Vec<TransitionView>,
}

/// Lister les actions possibles, et pourquoi les autres ne le sont pas
#[utoipa::path(
    operation_id = "list_title_transitions", tag = "Titres", params(("id" = TitleId, Path)),
    responses((status = 200, body = TransitionsView, description = "Les actions"), ReadRefusals),
    security(("bearer" = []))
)]
#[get("/perception-titles/{id}/transitions")]
async fn transitions(state: State, can: Can<ReadTitles>, Key(id): Key<TitleId>) -> Answer {
    let actor = can.actor;
    let reply = state
        .read(move |tx| {
            let found = approve::find(tx, id)?;
            let actions = TitleAction::ALL
                .iter()
                .map(|action| {
                    let own = actor.user.is_some_and(|u| found.may_be_approved_by(u).is_err());
                    let reason = if actor.role != Role::Ordonnateur {
                        Some("Réservé au rôle ordonnateur.".to_owned())
                    } else if !found.allowed().contains(action) {
                        Some(format!("Impossible dans l'état « {} ».", found.state()))
                    } else if *action == TitleAction::Approve && own {
                        Some("Qui prépare un titre ne l'approuve pas.".to_owned())
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

/// Une action sur un titre : `approve`, ou `withdraw` avec `reason`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TitleTransitionRequest)]
struct TransitionRequest {
    action: TitleAction,
    /// Motif ; pour `withdraw`.
    #[serde(default)]
    reason: Option<Note>,
}

/// Approuver ou retirer un titre
#[utoipa::path(
    operation_id = "transition_title", tag = "Titres", params(("id" = TitleId, Path)), request_body = TransitionRequest,
    responses((status = 200, body = TitleView, description = "Le titre après l'action"), WriteRefusals),
    security(("bearer" = []))
)]
#[post("/perception-titles/{id}/transitions")]
async fn transition(
    state: State,
    can: Can<ApproveTitles>,
    Key(id): Key<TitleId>,
    defaults: web::Data<Defaults>,
    templates: web::Data<Templates>,
    call: CallContext,
    body: Body<TransitionRequest>,
) -> Answer {
    let version = call.optional_version()?;
    let actor = can.actor;
    state
        .post(actor.user, call, body.sha256, move |tx| {
            let next = match (body.value.action, body.value.reason) {
                (TitleAction::Approve, None) => {
                    let making = Making { defaults: &defaults, templates: &templates };
                    approve::approve_one(tx, &actor, id, version, &making)?
                }
                (TitleAction::Withdraw, Some(reason)) => approve::withdraw(tx, &actor, id, version, reason)?,
                (TitleAction::Approve, Some(_)) => {
                    let fault = FieldFault::new("field_not_for_action", "Champ sans objet pour l'action « approve ».");
                    return Err(Refused::field("/reason", &fault, None).into());
                }
                (TitleAction::Withdraw, None) => {
                    let fault = FieldFault::new("missing_field", "Un retrait a un motif.");
                    return Err(Refused::field("/reason", &fault, None).into());
                }
            };
            let version = next.version;
            Reply::versioned(&views::detail(tx, next)?, version)
        })
        .await
}
