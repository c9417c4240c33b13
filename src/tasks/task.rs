//! A task, its states, and the one function that moves it.

use chrono::NaiveDate;

use super::codes::TASK_STATE;
use crate::audit::Subject;
use crate::kernel::ids::{TaskId, UserId};
use crate::kernel::{Instant, Refused};
use crate::text_enum;

text_enum!(
    /// État d'une tâche.
    TaskState { Open => "open", Closed => "closed" }
);

text_enum!(
    /// Action sur une tâche.
    TaskAction { Assign => "assign", Unassign => "unassign", Close => "close", Reopen => "reopen" }
);

/// A kind of task: `room.reason`, declared where it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskKind(pub &'static str);

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    pub at: Instant,
    /// None: the program, because the reason passed.
    pub by: Option<UserId>,
    pub word: String,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Open,
    Closed(Closing),
}

/// Something for a person to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub id: TaskId,
    pub kind: String,
    pub subject: Subject,
    /// In French, one sentence.
    pub why: String,
    pub since: Instant,
    pub due_on: Option<NaiveDate>,
    pub assignee: Option<UserId>,
    pub standing: Standing,
    pub version: i64,
    pub updated_at: Instant,
}

/// An action with what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskAct {
    Assign(UserId),
    Unassign,
    Close(Closing),
    Reopen,
}

impl TaskAct {
    #[must_use]
    pub const fn action(&self) -> TaskAction {
        match self {
            Self::Assign(_) => TaskAction::Assign,
            Self::Unassign => TaskAction::Unassign,
            Self::Close(_) => TaskAction::Close,
            Self::Reopen => TaskAction::Reopen,
        }
    }
}

impl Task {
    #[must_use]
    pub const fn state(&self) -> TaskState {
        match self.standing {
            Standing::Open => TaskState::Open,
            Standing::Closed(_) => TaskState::Closed,
        }
    }

    /// What its state lets a person do.
    #[must_use]
    pub fn allowed(&self) -> Vec<TaskAction> {
        TaskAction::ALL.iter().copied().filter(|action| self.in_state_for(*action).is_ok()).collect()
    }

    /// The one table of the lifecycle: why the state does not bear an action.
    const fn in_state_for(&self, action: TaskAction) -> Result<(), &'static str> {
        use TaskAction::{Assign, Close, Reopen, Unassign};
        match (&self.standing, self.assignee, action) {
            (Standing::Open, _, Assign | Close)
            | (Standing::Open, Some(_), Unassign)
            | (Standing::Closed(_), _, Reopen) => Ok(()),
            (Standing::Open, None, Unassign) => Err("La tâche n'est confiée à personne."),
            (Standing::Open, _, Reopen) => Err("Seule une tâche close peut être rouverte."),
            (Standing::Closed(_), _, Assign | Unassign | Close) => Err("La tâche est close : la rouvrir d'abord."),
        }
    }

    /// Why an action would be refused now.
    #[must_use]
    pub fn refusal(&self, action: TaskAction) -> Option<Refused> {
        let refused = |detail| Refused::state(&TASK_STATE, detail, self.state(), self.allowed());
        self.in_state_for(action).err().map(refused)
    }

    /// The task after an action.
    ///
    /// # Errors
    /// `task_state`, with what is allowed.
    pub fn apply(self, act: TaskAct) -> Result<Self, Refused> {
        self.refusal(act.action()).map_or(Ok(()), Err)?;
        Ok(match act {
            TaskAct::Assign(to) => Self { assignee: Some(to), ..self },
            TaskAct::Unassign => Self { assignee: None, ..self },
            TaskAct::Close(closing) => Self { standing: Standing::Closed(closing), ..self },
            TaskAct::Reopen => Self { standing: Standing::Open, ..self },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::SubjectKind;

    fn task() -> Task {
        let at = Instant::parse("2025-06-05T08:00:00Z").unwrap();
        Task {
            id: TaskId::new(uuid::Uuid::nil()),
            kind: "test.kind".into(),
            subject: Subject::known_by(SubjectKind::School, "0301023Z"),
            why: "L'école a fermé.".into(),
            since: at,
            due_on: None,
            assignee: None,
            standing: Standing::Open,
            version: 1,
            updated_at: at,
        }
    }

    fn acts() -> [TaskAct; 4] {
        let closing = Closing { at: task().since, by: None, word: "rouverte".into() };
        [TaskAct::Assign(UserId::new(uuid::Uuid::max())), TaskAct::Unassign, TaskAct::Close(closing), TaskAct::Reopen]
    }

    #[test]
    fn what_is_allowed_is_what_is_not_refused_in_every_state() {
        let [assign, _, close, _] = acts();
        let assigned = task().apply(assign).unwrap();
        let closed = assigned.clone().apply(close).unwrap();
        let all = [(task(), "assign close"), (assigned, "assign unassign close"), (closed, "reopen")];
        for (task, allowed) in all {
            let names: Vec<_> = task.allowed().into_iter().map(TaskAction::as_str).collect();
            assert_eq!(names.join(" "), allowed);
            for act in acts() {
                let action = act.action();
                match task.clone().apply(act) {
                    Ok(_) => assert!(task.allowed().contains(&action)),
                    Err(refused) => {
                        assert!(!task.allowed().contains(&action));
                        assert_eq!(refused.allowed_actions.unwrap().join(" "), allowed);
                    }
                }
            }
        }
    }

    #[test]
    fn who_had_it_has_it_again_once_reopened() {
        let [assign, _, close, reopen] = acts();
        let again = task().apply(assign).unwrap().apply(close).unwrap().apply(reopen).unwrap();
        assert_eq!((again.state(), again.assignee), (TaskState::Open, Some(UserId::new(uuid::Uuid::max()))));
    }
}
