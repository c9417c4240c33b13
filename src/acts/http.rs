//! Routes of acts that nobody waits for.

use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::act::ActState;
use super::actions;
use super::codes::JOB_STATE;
use super::store::{self, Act, ItemOrder};
use crate::access::{Can, FollowJobs};
use crate::kernel::Instant;
use crate::kernel::ids::{ActId, UserId};
use crate::kernel::refused::NOT_FOUND;
use crate::path_keys;
use crate::platform::db::blobs::digest;
use crate::platform::page::{Page, PageView};
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, CallContext, Key, Params, ProblemView, Reply, State};

path_keys!(ActId => "id");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(items).service(result).service(cancel).service(one);
}

/// Un travail demandé par `Prefer: respond-async`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct JobView {
    id: ActId,
    /// L'opération demandée.
    #[schema(example = "approve_titles")]
    operation: String,
    /// Le compte qui l'a demandé.
    author_id: UserId,
    /// `waiting`, `running`, puis `done` (fait), `refused` (une règle l'a refusé : `problem`), `failed` (abandonné après
    /// plusieurs essais) ou `cancelled`.
    status: ActState,
    /// Objets traités : l'acte s'écrit en entier ou pas du tout, le compte passe donc de zéro à `total`.
    done: i64,
    /// Objets en tout ; nul tant que l'acte n'est pas fait.
    total: Option<i64>,
    asked_at: Instant,
    begun_at: Option<Instant>,
    ended_at: Option<Instant>,
    /// Ce que l'appel aurait refusé ; nul sinon.
    #[schema(value_type = Option<ProblemView>)]
    problem: Option<Value>,
    /// Adresse de ce que l'appel aurait répondu ; nulle tant qu'il n'est pas fait.
    result: Option<String>,
    /// Adresse des issues, page par page ; nulle tant qu'il n'est pas fait.
    items: Option<String>,
}

impl From<Act> for JobView {
    fn from(act: Act) -> Self {
        let below = |what: &str| (act.state == ActState::Done).then(|| format!("/api/v1/jobs/{}/{what}", act.id));
        Self {
            result: below("result"),
            items: below("items"),
            id: act.id,
            operation: act.operation,
            author_id: act.author,
            status: act.state,
            done: act.done,
            total: act.total,
            asked_at: act.asked_at,
            begun_at: act.begun_at,
            ended_at: act.ended_at,
            problem: act.problem.and_then(|problem| serde_json::from_str(&problem).ok()),
        }
    }
}

/// Suivre un travail
///
/// Visible de son auteur et des administrateurs ; gardé trente jours après sa fin.
#[utoipa::path(
    operation_id = "get_job", tag = "Travaux", params(("id" = ActId, Path)),
    responses((status = 200, body = JobView, description = "Où il en est")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/jobs/{id}")]
async fn one(state: State, can: Can<FollowJobs>, Key(id): Key<ActId>) -> Answer {
    let reply = state.read(move |tx| Reply::ok(&JobView::from(actions::seen_by(tx, &can.actor, id)?))).await?;
    Ok(reply.into_response())
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ItemsQuery {
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<ItemOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Une issue d'un travail.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct JobItemView {
    /// Rang dans le résultat, à partir de 1.
    rank: i64,
    /// L'issue, telle que l'acte la donne dans `items`.
    #[schema(value_type = Object)]
    item: Value,
}

/// Lister les issues d'un travail
///
/// Une par objet, dans l'ordre du résultat ; vide tant que le travail n'est pas fait.
#[utoipa::path(
    operation_id = "list_job_items", tag = "Travaux", params(("id" = ActId, Path), ItemsQuery),
    responses((status = 200, body = PageView<JobItemView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/jobs/{id}/items")]
async fn items(state: State, can: Can<FollowJobs>, Key(id): Key<ActId>, Params(query): Params<ItemsQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let act = actions::seen_by(tx, &can.actor, id)?;
            let page = store::items(tx, act.id, &page)?;
            Reply::ok(&page.map(|item| JobItemView { rank: item.rank, item: item.item }))
        })
        .await?;
    Ok(reply.into_response())
}

/// Ce que l'acte aurait répondu.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(value_type = Object)]
struct JobResultView(Value);

/// Lire le résultat d'un travail
///
/// Exactement ce que l'appel aurait répondu sans `Prefer`.
#[utoipa::path(
    operation_id = "get_job_result", tag = "Travaux", params(("id" = ActId, Path)),
    responses((status = 200, body = JobResultView, description = "La réponse de l'acte")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &JOB_STATE])))),
    security(("bearer" = []))
)]
#[get("/jobs/{id}/result")]
async fn result(state: State, can: Can<FollowJobs>, Key(id): Key<ActId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let result = actions::result(tx, &can.actor, id)?;
            Reply::ok(&JobResultView(serde_json::from_str(&result)?))
        })
        .await?;
    Ok(reply.into_response())
}

/// Annuler un travail qui attend
///
/// Les actes en nombre se font en entier ou pas du tout : un travail s'annule tant qu'il n'a pas commencé, et plus ensuite (409 `job_state`).
#[utoipa::path(
    operation_id = "cancel_job", tag = "Travaux", params(("id" = ActId, Path)),
    responses((status = 200, body = JobView, description = "Le travail annulé")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &JOB_STATE])))),
    security(("bearer" = []))
)]
#[post("/jobs/{id}/cancel")]
async fn cancel(state: State, can: Can<FollowJobs>, Key(id): Key<ActId>, call: CallContext) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, digest(b""), move |tx| Reply::ok(&JobView::from(actions::cancel(tx, &actor, id)?)))
        .await
}
