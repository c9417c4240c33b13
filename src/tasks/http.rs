//! Routes of tasks.

use std::collections::HashMap;

use actix_web::{get, post};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions::{self, Asked};
use super::codes::{TASK_OPEN_ALREADY, TASK_STATE};
use super::store::{self, Filter, TaskOrder};
use super::task::{Standing, Task, TaskAction, TaskState};
use crate::access::{self, Can, ReadTasks, WorkOnTasks, refusal};
use crate::audit::SubjectKind;
use crate::kernel::Instant;
use crate::kernel::ids::{TaskId, UserId};
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::Note;
use crate::path_keys;
use crate::platform::page::{Page, PageView};
use crate::platform::web::docs::Answers;
use crate::platform::web::transitions::TransitionsView;
use crate::platform::web::{Answer, Body, CallContext, Key, Params, Reply, State};
use crate::platform::{Error, Outcome, Tx};

path_keys!(TaskId => "id");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list).service(transitions).service(transition).service(one);
}

/// Une personne, par son compte.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct PersonView {
    id: UserId,
    #[schema(example = "Camille Le Gestionnaire")]
    name: String,
}

/// Ce sur quoi porte la tâche.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TaskSubjectView {
    kind: SubjectKind,
    id: String,
    /// Clé imprimée : SIRET, UAI, numéro, référence.
    #[schema(example = "ENT-C-2025-2026-00001")]
    key: String,
}

/// Comment la tâche a été close.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ClosingView {
    at: Instant,
    /// Nul : le programme, parce que la raison est passée.
    by: Option<PersonView>,
    word: String,
}

/// Quelque chose à faire par une personne.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TaskView {
    id: TaskId,
    /// Genre, stable, en anglais.
    #[schema(example = "integrity.fault")]
    kind: String,
    subject: TaskSubjectView,
    /// La raison, en une phrase.
    why: String,
    since: Instant,
    due_on: Option<NaiveDate>,
    status: TaskState,
    assignee: Option<PersonView>,
    closed: Option<ClosingView>,
    updated_at: Instant,
}

fn views(tx: &mut Tx<'_>, tasks: Vec<Task>) -> Outcome<Vec<TaskView>> {
    let closer = |task: &Task| match &task.standing {
        Standing::Open => None,
        Standing::Closed(closing) => closing.by,
    };
    let ids: Vec<UserId> = tasks.iter().flat_map(|task| [task.assignee, closer(task)]).flatten().collect();
    let names = access::names(tx, &ids)?;
    Ok(tasks.into_iter().map(|task| view(task, &names)).collect())
}

fn view(task: Task, names: &HashMap<UserId, String>) -> TaskView {
    let person = |id: UserId| PersonView { id, name: names.get(&id).cloned().unwrap_or_default() };
    TaskView {
        status: task.state(),
        id: task.id,
        kind: task.kind,
        subject: TaskSubjectView { kind: task.subject.kind, id: task.subject.id, key: task.subject.key },
        why: task.why,
        since: task.since,
        due_on: task.due_on,
        assignee: task.assignee.map(person),
        closed: match task.standing {
            Standing::Open => None,
            Standing::Closed(c) => Some(ClosingView { at: c.at, by: c.by.map(person), word: c.word }),
        },
        updated_at: task.updated_at,
    }
}

fn detail(tx: &mut Tx<'_>, task: Task) -> Outcome<Reply> {
    let version = task.version;
    let view = views(tx, vec![task])?.pop();
    Reply::versioned(&view, version)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TasksQuery {
    #[param(inline)]
    status: Option<TaskState>,
    /// Genre exact : `integrity.fault`, `job.given_up`.
    kind: Option<String>,
    /// Identifiant ou clé imprimée de ce sur quoi porte la tâche.
    subject: Option<String>,
    /// `true` : les tâches confiées à qui appelle.
    mine: Option<bool>,
    /// Modifiées depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<TaskOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les tâches
///
/// Ce qui attend une personne : un contenu altéré, un travail abandonné… La plus ancienne d'abord.
#[utoipa::path(
    operation_id = "list_tasks", tag = "Tâches", params(TasksQuery),
    responses((status = 200, body = PageView<TaskView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::usual()))),
    security(("bearer" = []))
)]
#[get("/tasks")]
async fn list(state: State, can: Can<ReadTasks>, Params(query): Params<TasksQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let me = can.actor.user();
    let reply = state
        .read(move |tx| {
            let filter = Filter {
                state: query.status,
                kind: query.kind,
                subject: query.subject,
                assignee: me.filter(|_| query.mine == Some(true)),
                updated_since: tx.changed_since(query.updated_since)?,
            };
            let page = store::list(tx, &filter, &page)?;
            Reply::ok(&page.map_all(|found| views(tx, found))?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire une tâche
#[utoipa::path(
    operation_id = "get_task", tag = "Tâches", params(("id" = TaskId, Path)),
    responses((status = 200, body = TaskView, description = "La tâche")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]).versioned()))),
    security(("bearer" = []))
)]
#[get("/tasks/{id}")]
async fn one(state: State, _can: Can<ReadTasks>, Key(id): Key<TaskId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = actions::find(tx, id)?;
            detail(tx, found)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lister les actions possibles, et pourquoi les autres ne le sont pas
#[utoipa::path(
    operation_id = "list_task_transitions", tag = "Tâches", params(("id" = TaskId, Path)),
    responses((status = 200, body = TransitionsView<TaskState, TaskAction>, description = "Les actions")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/tasks/{id}/transitions")]
async fn transitions(state: State, can: Can<ReadTasks>, Key(id): Key<TaskId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = actions::find(tx, id)?;
            let by_role = refusal::<WorkOnTasks>(can.role);
            let refused = |action| Ok::<_, Error>(by_role.clone().or_else(|| found.refusal(action)));
            Reply::ok(&TransitionsView::of(found.state(), TaskAction::ALL, refused)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Une action sur une tâche.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TaskTransitionRequest)]
struct TransitionRequest {
    action: TaskAction,
    /// Compte à qui la confier, pour `assign` ; absent : qui appelle.
    #[serde(default)]
    assignee: Option<UserId>,
    /// Ce qui a été fait, ou pourquoi y revenir ; pour `close` et `reopen`.
    #[serde(default)]
    word: Option<Note>,
}

/// Confier, reprendre, clore ou rouvrir une tâche
///
/// Le programme clôt lui-même une tâche dont la raison est passée.
#[utoipa::path(
    operation_id = "transition_task", tag = "Tâches", params(("id" = TaskId, Path)), request_body = TransitionRequest,
    responses((status = 200, body = TaskView, description = "La tâche après l'action")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &TASK_STATE, &TASK_OPEN_ALREADY, &CONCURRENT_CHANGE]).versioned().version_optional()
    ))),
    security(("bearer" = []))
)]
#[post("/tasks/{id}/transitions")]
async fn transition(
    state: State,
    can: Can<WorkOnTasks>,
    Key(id): Key<TaskId>,
    mut call: CallContext,
    body: Body<TransitionRequest>,
) -> Answer {
    let version = call.optional_version()?;
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let TransitionRequest { action, assignee, word } = body.value;
            let next = actions::transition(tx, &actor, id, version.as_ref(), Asked { action, assignee, word })?;
            detail(tx, next)
        })
        .await
}
