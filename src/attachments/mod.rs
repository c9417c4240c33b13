//! Attachments: what people give as proof, tied to the thing it is about, and untied from a wrong one with a trace.
//!
//! ```text
//!   a form ──▶ platform::attachments (what is it? is it clean?) ──attach──▶ attached ──detach, with a reason──▶ detached
//!                                                                             │                                    │
//!                                                                             └ read by who reads the thing        └ by who may
//!                                                                                                                    look into it
//! ```
//! An attachment is a fact: nothing of it ever changes. Detaching writes another fact beside it; the file stays, since what
//! was relied upon for a while must be explainable. Whoever reads the thing sees that it was there, who took it away, when
//! and why; its content, which may be another payer's, is then for [`ReadDetached`].
//!
//! The same files cannot be attached twice to one thing for one purpose: a form sent again is a slip.
//!
//! A room that takes attachments says whose they are (its journal subject), what they may show ([`Purpose`]) and who may
//! read and write, and mounts [`crate::attachment_routes!`]: nothing else. The bytes are the platform's.

mod actions;
mod attachment;
pub mod codes;
mod events;
mod http;
mod http_routes;
mod store;
mod store_retention;
mod views;

pub use actions::{attach, detach, find};
pub use attachment::{Attachment, AttachmentAction, AttachmentId, AttachmentState, Purpose, Source};
pub use codes::CODES;
pub use events::AttachmentEvent;
pub use http::{
    ListQuery, Position, ReadDetached, Room, attaching, content, listed, one, source, transition, transitions,
};
pub use views::{AttachmentForm, AttachmentTransitionRequest, AttachmentView};

use crate::audit::Tellers;
use crate::capability::Capability;

/// What this room gives the program; its routes are mounted by the rooms that take attachments.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        codes: CODES,
        tells: Tellers::with::<AttachmentEvent>,
        rows: store::ROWS,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("attachments")
    }
}
