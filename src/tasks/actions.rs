//! Use cases: a task opened, moved by a person, closed by the program.

use chrono::NaiveDate;

use super::events::TaskEvent;
use super::store;
use super::task::{Closing, Standing, Task, TaskAct, TaskAction, TaskKind};
use crate::access::{self, User};
use crate::audit::{self, Subject, SubjectKind};
use crate::kernel::ids::{TaskId, UserId};
use crate::kernel::text::Note;
use crate::kernel::{Actor, FieldFault, Refused, Role, Version};
use crate::platform::{Outcome, Tx};

/// A reason for which a person has to do something.
#[derive(Debug, Clone)]
pub struct NewTask {
    pub kind: TaskKind,
    pub subject: Subject,
    /// One French sentence.
    pub why: String,
    pub due_on: Option<NaiveDate>,
}

/// What became of a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    New(TaskId),
    /// A task of this kind is open about this thing.
    Already,
}

/// Opens a task, unless one of its kind is open about the same thing.
///
/// # Errors
/// Those of the database.
pub fn open(tx: &mut Tx<'_>, actor: &Actor, new: NewTask) -> Outcome<Opened> {
    let now = tx.now();
    let task = Task {
        id: TaskId::new(tx.uuid()),
        kind: new.kind.0.to_owned(),
        subject: new.subject,
        why: new.why,
        since: now,
        due_on: new.due_on,
        assignee: None,
        standing: Standing::Open,
        version: 1,
        updated_at: now,
    };
    if !store::insert(tx, &task)? {
        return Ok(Opened::Already);
    }
    let event = TaskEvent::Opened { task: task.id, kind: task.kind, why: task.why };
    audit::record(tx, actor, task.subject, event)?;
    Ok(Opened::New(task.id))
}

/// Closes the open task of a kind about a thing, if there is one: its reason has passed.
///
/// # Errors
/// Those of the database.
pub fn settle(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: TaskKind,
    subject: (SubjectKind, &str),
    word: &str,
) -> Outcome<bool> {
    let Some(task) = store::open_about(tx, kind, subject)? else { return Ok(false) };
    let closing = Closing { at: tx.now(), by: actor.user(), word: word.to_owned() };
    moved(tx, actor, task, TaskAct::Close(closing), None)?;
    Ok(true)
}

/// The ids of the things of a kind about which a task of some kind is open.
///
/// # Errors
/// Those of the database.
pub fn open_subjects(tx: &mut Tx<'_>, kind: TaskKind, subject: SubjectKind) -> Outcome<Vec<String>> {
    store::open_subjects(tx, kind, subject)
}

/// What a person asks of a task.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub action: TaskAction,
    pub assignee: Option<UserId>,
    pub word: Option<Note>,
}

/// Moves a task.
///
/// # Errors
/// `not_found`, `precondition_failed`, `missing_field` or `field_not_for_action`, an assignee who cannot have it;
/// those of [`Task::apply`].
pub(super) fn transition(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: TaskId,
    read: Option<&Version>,
    asked: Asked,
) -> Outcome<Task> {
    let task = find(tx, id)?;
    read.map_or(Ok(()), |read| read.admits(task.version))?;
    task.refusal(asked.action).map_or(Ok(()), Err)?;
    let needless = |pointer: &str| Refused::not_for(asked.action, pointer);
    if asked.assignee.is_some() && asked.action != TaskAction::Assign {
        return Err(needless("/assignee").into());
    }
    let (act, said) = match (asked.action, asked.word) {
        (TaskAction::Assign | TaskAction::Unassign, Some(_)) => return Err(needless("/word").into()),
        (TaskAction::Close | TaskAction::Reopen, None) => {
            return Err(Refused::missing_for(asked.action, ["/word"]).into());
        }
        (TaskAction::Assign, None) => {
            let user = assignee(tx, actor, asked.assignee)?;
            (TaskAct::Assign(user.id), Some(user.full_name()))
        }
        (TaskAction::Unassign, None) => (TaskAct::Unassign, None),
        (TaskAction::Close, Some(word)) => {
            let closing = Closing { at: tx.now(), by: actor.user(), word: word.to_string() };
            (TaskAct::Close(closing), None)
        }
        (TaskAction::Reopen, Some(word)) => (TaskAct::Reopen, Some(word.to_string())),
    };
    moved(tx, actor, task, act, said)
}

/// Who is to have it: the person named, oneself otherwise; somebody who can still act on it.
fn assignee(tx: &mut Tx<'_>, actor: &Actor, named: Option<UserId>) -> Outcome<User> {
    let id = named.or(actor.user());
    let refused = |message: &str| {
        let fault = FieldFault::new("assignee", message);
        Refused::field("/assignee", &fault, id.map(|id| id.to_string()))
    };
    let Some(id) = id else { return Err(refused("Nommer le compte à qui confier la tâche.").into()) };
    match access::find_account(tx, id)? {
        None => Err(refused("Compte inconnu.").into()),
        Some(user) if !user.active => Err(refused("Ce compte est désactivé.").into()),
        Some(user) if user.role == Role::Lecteur => Err(refused("Un lecteur ne peut agir sur une tâche.").into()),
        Some(user) => Ok(user),
    }
}

/// `said`: who is to have it, by name; why it is open again.
fn moved(tx: &mut Tx<'_>, actor: &Actor, found: Task, act: TaskAct, said: Option<String>) -> Outcome<Task> {
    let (task, kind, why) = (found.id, found.kind.clone(), found.why.clone());
    let said = said.unwrap_or_default().into();
    let event = match &act {
        TaskAct::Assign(to) => TaskEvent::Assigned { task, kind, why, to: *to, name: said },
        TaskAct::Unassign => TaskEvent::Unassigned { task, kind, why },
        TaskAct::Close(closing) => TaskEvent::Closed { task, kind, why, word: closing.word.clone().into() },
        TaskAct::Reopen => TaskEvent::Reopened { task, kind, why, word: said },
    };
    let mut next = found.apply(act)?;
    store::save(tx, &mut next)?;
    audit::record(tx, actor, next.subject.clone(), event)?;
    Ok(next)
}

pub(super) fn find(tx: &mut Tx<'_>, id: TaskId) -> Outcome<Task> {
    Ok(store::find(tx, id)?.ok_or_else(|| Refused::not_found("Tâche", id))?)
}
