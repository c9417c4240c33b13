//! Work to do: something for a person, about a thing, with the reason why.
//!
//! ```text
//!            ┌─assign, unassign─┐
//!   open ────┴──────────────────┴──close (a person, with a word; the program, when the reason passed)──▶ closed
//!     ▲                                                                                                    │
//!     └──────────────────────────────────────── reopen ────────────────────────────────────────────────────┘
//! ```
//! A room to the right of here opens a task where it finds the reason ([`open`]), in the same transaction, and closes it
//! when the reason has passed ([`settle`]). What kinds there are is theirs to say: a kind is a stable text that this room
//! only stores. Of one kind about one thing, at most one task is open: a reason found again opens nothing more.

mod actions;
mod codes;
mod events;
mod http;
mod store;
mod store_retention;
mod task;

pub use actions::{NewTask, Opened, open, open_subjects, settle};
use codes::CODES;
pub use events::TaskEvent;
pub use task::{Task, TaskAction, TaskKind, TaskState};

use crate::audit::Tellers;
use crate::capability::Capability;

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tags: &[("Tâches", "Ce qui attend une personne, et pourquoi.")],
        routes: http::routes,
        codes: CODES,
        tells: Tellers::with::<TaskEvent>,
        rows: store::ROWS,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("tasks")
    }
}
