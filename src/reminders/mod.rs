//! Courtesy reminders to those who have not answered: what a campaign decides of them, and what follows for each.
//!
//! ```text
//!   a convention issued on 5 June, an answer wished for by 15 October, nobody answers
//!
//!   5 June      7 July       14 July ······ 25 Aug  26 Aug    2 Sept    30 Sept     10 Oct    15 Oct
//!   ──┼───────────┼────────────[░░░░ quiet ░░░░]──────┼─────────┼─────────┼───────────┼─────────┼───▶
//!   issued    issued_30                           issued_60   letter    wished_15   wished_3
//!            (the 5th is                         (4 August is  to do     before      before
//!             a Saturday)                         quiet)                         (the 12th is a Sunday)
//! ```
//! The answer ends the plan, whichever way it came; so do a refusal, a cancellation and an exclusion. A council date told
//! takes the place of what was to leave before it; an executory deliberation, of all that asked for one.
//!
//! `policy` is the campaign's data and `subject` what is known of one convention; `plan` draws the one from the other and
//! `reason` says why nothing leaves. All of it is pure: whoever runs the daily tick gives the day.

pub mod plan;
pub mod policy;
pub mod reason;
pub mod subject;

use crate::capability::Capability;

pub use plan::{Foreseen, Plan, Today};
pub use policy::{Anchor, Hours, MonthDay, QuietPeriod, ReminderPolicy, ReminderStep, StepKey};
pub use reason::Reason;
pub use subject::{AddressState, AnswerState, Delivery, History, Mail, Subject, Suspension};

/// What this room gives the program: its rules; nobody runs them yet.
#[must_use]
pub fn capability() -> Capability {
    Capability::named("reminders")
}
