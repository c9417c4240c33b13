//! What happens to tasks, as the journal tells it: each line stands in the story of the thing the task is about.

use serde::{Deserialize, Serialize};

use crate::audit::{Act, Personal, Told};
use crate::kernel::ids::{TaskId, UserId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum TaskEvent {
    #[serde(rename = "task.opened")]
    Opened { task: TaskId, kind: String, why: String },
    #[serde(rename = "task.assigned")]
    Assigned { task: TaskId, kind: String, why: String, to: UserId, name: Personal<String> },
    #[serde(rename = "task.unassigned")]
    Unassigned { task: TaskId, kind: String, why: String },
    #[serde(rename = "task.closed")]
    Closed { task: TaskId, kind: String, why: String, word: Personal<String> },
    #[serde(rename = "task.reopened")]
    Reopened { task: TaskId, kind: String, why: String, word: Personal<String> },
}

impl Told for TaskEvent {
    const ACTS: &'static [Act] = &[
        ("task.opened", "Tâche ouverte"),
        ("task.assigned", "Tâche confiée"),
        ("task.unassigned", "Tâche reprise à qui l'avait"),
        ("task.closed", "Tâche close"),
        ("task.reopened", "Tâche rouverte"),
    ];

    fn sentence(&self) -> String {
        match self {
            Self::Opened { why, .. } => format!("Tâche ouverte : {why}"),
            Self::Assigned { why, name, .. } => format!("Tâche confiée à {name} : {why}"),
            Self::Unassigned { why, .. } => format!("Tâche reprise à qui l'avait : {why}"),
            Self::Closed { why, word, .. } => format!("Tâche close ({word}) : {why}"),
            Self::Reopened { why, word, .. } => format!("Tâche rouverte ({word}) : {why}"),
        }
    }
}
