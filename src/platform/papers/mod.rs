//! Papers, once: what one is made of is frozen by the act that causes it; the first bytes made are kept and served ever
//! after.
//!
//! ```text
//!   act ──freeze──▶ pending ──job, or the first who asks──▶ ready (bytes, digest, made by) ──▶ served, checked
//!                      │                                       │
//!                      └── does not compose ──▶ failed ──▶ …    └── is not what the input makes ──▶ falsified, for good
//! ```
//! What is no longer what it says (withdrawn, cancelled, revoked) is made from the same input with a stamp over each page,
//! when it is asked, and not kept; the original stays, for who asks for it by name.
//!
//! A room declares a [`Kind`]: its template, what it checks before a paper is shown, what moves when one is made. It gives
//! an input per subject to [`freeze`]; the rest is done here. The job makes each paper again when somebody else stored it
//! first, and compares: another program that writes bytes of its own in the place of a pending paper is found out.

mod freezing;
mod http;
mod kind;
mod making;
mod store;
mod templates;

pub use freezing::{freeze, keep_template};
pub use http::{OriginalQuery, answer};
pub use kind::{DocumentStatus, Kind, NewPaper, Sheet, subject_id};
pub use making::{Press, RenderPaper, Served, handlers, serve};
pub use store::{Frozen, State, frozen, states};
pub use templates::Templates;
