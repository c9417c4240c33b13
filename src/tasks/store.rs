//! The table of tasks.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::codes::TASK_OPEN_ALREADY;
use super::task::{Closing, Standing, Task, TaskKind, TaskState};
use crate::audit::{Subject, SubjectKind};
use crate::kernel::ids::{CampaignId, CollectiviteId, ConventionId, TaskId, UserId};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::{Instant, Refused};
use crate::platform::db::AnyConnection;
use crate::platform::db::schema::tasks;
use crate::platform::db::unreadable::Rows;
use crate::platform::page::{Page, PageView};
use crate::platform::{Error, Outcome, Tx, each, on_unique};
use crate::{keyset, on_backend, rows};

crate::sort_keys!(TaskSort, TaskOrder of "tasks" { Since => "since", UpdatedAt => "updated_at" });

/// Which tasks to read.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub state: Option<TaskState>,
    pub kind: Option<String>,
    /// Id or printed key of what it is about.
    pub subject: Option<String>,
    pub assignee: Option<UserId>,
    pub updated_since: Option<Instant>,
}

/// Where a row that cannot be read is looked for.
pub(super) const ROWS: &[Rows] = &[rows!("tasks": tasks as TaskRow, "task",
    "SELECT id, subject_key AS key FROM tasks ORDER BY id", tasks::id)];

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = tasks, treat_none_as_default_value = false)]
struct TaskRow {
    id: TaskId,
    kind: String,
    subject_kind: SubjectKind,
    subject_id: String,
    subject_key: String,
    campaign_id: Option<CampaignId>,
    payer_id: Option<CollectiviteId>,
    convention_id: Option<ConventionId>,
    why: String,
    since: Instant,
    due_on: Option<NaiveDate>,
    state: TaskState,
    assignee_id: Option<UserId>,
    closed_at: Option<Instant>,
    closed_by: Option<UserId>,
    closing_word: Option<String>,
    version: i64,
    updated_at: Instant,
}

impl TaskRow {
    fn of(task: &Task) -> Self {
        let subject = task.subject.clone();
        let closing = match &task.standing {
            Standing::Open => None,
            Standing::Closed(closing) => Some(closing.clone()),
        };
        Self {
            id: task.id,
            kind: task.kind.clone(),
            subject_kind: subject.kind,
            subject_id: subject.id,
            subject_key: subject.key,
            campaign_id: subject.campaign,
            payer_id: subject.payer,
            convention_id: subject.convention,
            why: task.why.clone(),
            since: task.since,
            due_on: task.due_on,
            state: task.state(),
            assignee_id: task.assignee,
            closed_at: closing.as_ref().map(|c| c.at),
            closed_by: closing.as_ref().and_then(|c| c.by),
            closing_word: closing.map(|c| c.word),
            version: task.version,
            updated_at: task.updated_at,
        }
    }

    fn task(self) -> Outcome<Task> {
        let standing = match (self.state, self.closed_at, self.closing_word) {
            (TaskState::Open, None, None) => Standing::Open,
            (TaskState::Closed, Some(at), Some(word)) => Standing::Closed(Closing { at, by: self.closed_by, word }),
            _ => return Err(Error::falsified("task", self.id, "la tâche n'est ni ouverte ni close")),
        };
        Ok(Task {
            id: self.id,
            kind: self.kind,
            subject: Subject {
                kind: self.subject_kind,
                id: self.subject_id,
                key: self.subject_key,
                campaign: self.campaign_id,
                payer: self.payer_id,
                convention: self.convention_id,
            },
            why: self.why,
            since: self.since,
            due_on: self.due_on,
            assignee: self.assignee_id,
            standing,
            version: self.version,
            updated_at: self.updated_at,
        })
    }
}

/// Writes a new task; false when one of this kind is open about this thing.
pub(super) fn insert(tx: &mut Tx<'_>, task: &Task) -> Outcome<bool> {
    let row = TaskRow::of(task);
    let written =
        on_backend!(tx.conn(), |c| diesel::insert_into(tasks::table).values(&row).on_conflict_do_nothing().execute(c))?;
    Ok(written == 1)
}

/// The open task of a kind about a thing, held until the end of the transaction.
pub(super) fn open_about(
    tx: &mut Tx<'_>,
    kind: TaskKind,
    (subject_kind, subject_id): (SubjectKind, &str),
) -> Outcome<Option<Task>> {
    let query = tasks::table
        .filter(tasks::kind.eq(kind.0).and(tasks::state.eq(TaskState::Open)))
        .filter(tasks::subject_kind.eq(subject_kind).and(tasks::subject_id.eq(subject_id)));
    let row: Option<TaskRow> = match tx.conn() {
        AnyConnection::Postgresql(c) => query.select(TaskRow::as_select()).for_no_key_update().first(c).optional()?,
        conn @ AnyConnection::Sqlite(_) => query.select(TaskRow::as_select()).first(conn).optional()?,
    };
    row.map(TaskRow::task).transpose()
}

/// The ids of the things of one kind that have an open task of a kind.
pub(super) fn open_subjects(tx: &mut Tx<'_>, kind: TaskKind, subject: SubjectKind) -> Outcome<Vec<String>> {
    let open = tasks::kind.eq(kind.0).and(tasks::state.eq(TaskState::Open)).and(tasks::subject_kind.eq(subject));
    Ok(tasks::table.filter(open).select(tasks::subject_id).load(tx.conn())?)
}

pub(super) fn find(tx: &mut Tx<'_>, id: TaskId) -> Outcome<Option<Task>> {
    let row: Option<TaskRow> = tasks::table.find(id).select(TaskRow::as_select()).first(tx.conn()).optional()?;
    row.map(TaskRow::task).transpose()
}

/// Writes what moved, unless somebody else moved it meanwhile; the task has its next version then.
pub(super) fn save(tx: &mut Tx<'_>, task: &mut Task) -> Outcome<()> {
    let read = task.version;
    task.version += 1;
    task.updated_at = tx.now();
    let row = TaskRow::of(task);
    let moved = diesel::update(tasks::table.find(task.id).filter(tasks::version.eq(read)))
        .set((
            tasks::state.eq(row.state),
            tasks::assignee_id.eq(row.assignee_id),
            tasks::closed_at.eq(row.closed_at),
            tasks::closed_by.eq(row.closed_by),
            tasks::closing_word.eq(row.closing_word),
            tasks::version.eq(row.version),
            tasks::updated_at.eq(row.updated_at),
        ))
        .execute(tx.conn());
    let already = || Refused::new(&TASK_OPEN_ALREADY, "Une autre tâche est ouverte pour la même raison.");
    if on_unique(moved, already)? == 0 {
        return Err(Refused::new(&CONCURRENT_CHANGE, "La tâche a changé entre-temps : la relire.").into());
    }
    Ok(())
}

pub(super) fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page<TaskSort>) -> Outcome<PageView<Task>> {
    let mut query = tasks::table.select(TaskRow::as_select()).into_boxed();
    if let Some(state) = filter.state {
        query = query.filter(tasks::state.eq(state));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(tasks::kind.eq(kind));
    }
    if let Some(subject) = &filter.subject {
        query = query.filter(tasks::subject_id.eq(subject).or(tasks::subject_key.eq(subject)));
    }
    if let Some(assignee) = filter.assignee {
        query = query.filter(tasks::assignee_id.assume_not_null().eq(assignee));
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(tasks::updated_at.ge(since));
    }
    keyset!(query, page, tasks::id, {
        TaskSort::Since => tasks::since, Instant;
        TaskSort::UpdatedAt => tasks::updated_at, Instant;
    });
    let rows: Vec<TaskRow> = query.load(tx.conn())?;
    let found = each(rows, TaskRow::task)?;
    Ok(page.cut(found, tx.now(), |sort, task| {
        let at = match sort {
            TaskSort::Since => task.since,
            TaskSort::UpdatedAt => task.updated_at,
        };
        (at.to_string(), task.id.to_string())
    }))
}
