//! The HTTP edge, without a business word: what comes in is parsed or refused, what goes out has one shape.
//!
//! ```text
//!   Body<T>, Params<T>, Key<T> ──▶ handler ──▶ State::post / State::read ──▶ Reply ──▶ HTTP
//!          └──────────────── Problem (RFC 9457) ◀── Refused, Error ────────────┘
//! ```

mod body;
pub mod caller;
pub mod docs;
mod json;
pub mod precondition;
pub mod problem;
pub mod query;
mod refusing;
mod reply;
mod state;
pub mod transitions;
pub(in crate::platform) mod upload;
pub mod warrant;

pub use body::{Body, BodyLimit, Key, PathKey, merged};
pub use problem::{Answer, Problem, ProblemView};
pub use query::Params;
pub use reply::Reply;
pub(in crate::platform) use state::hop;
pub use state::{CallContext, State};
pub use transitions::TransitionsView;
pub use upload::{Upload, UploadLimit};

pub use super::page::{Meta, Page, PageView};
pub use crate::kernel::CallerAddress;
