//! Mail, written in the transaction that causes it, and sent after it, at most once without saying so.
//!
//! ```text
//!   act ──post──▶ queued ──claim: still owed? composed, Message-ID kept──▶ sending ──┬─▶ sent       the server took it
//!                   ▲  ▲      └─ no longer owed ──▶ cancelled                          ├─▶ refused    for good, or given up
//!                   │  └── not reached: nothing was said of this mail ─────────────────┤
//!                   └───── deferred: refused for now, tried again later ◀──────────────┤
//!                                       its answer was lost, or its worker died ───────┴─▶ uncertain  a person decides
//! ```
//! **A mail** is a kind, ids and an address. What it says is composed when it leaves ([`Kind::compose`]), from what is true
//! then; a secret in it (a link) is made at that moment, one per attempt, and stands nowhere: the copy that is kept has it
//! struck out.
//!
//! **What became of it** follows from how far the server was led ([`Sent`]): before the end of the message it certainly did
//! not take it; after it, only its answer tells. A lost answer is never answered by a second copy.
//!
//! **Some at a time**: a worker claims as many as it sends in a quarter of a second, in one transaction, and records what
//! became of them in another. Pace (per minute, per domain of the recipients), the kill switch and the trial list are looked
//! at where mails are claimed, so that several programs on one base keep them together. A base that was restored sends
//! nothing until somebody has looked (`mail resume`): what had left since the backup would leave again.

mod claiming;
mod dossier;
mod folder;
mod kind;
mod letter;
mod markup;
mod memory;
mod pace;
mod postman;
mod rules;
mod secrets;
mod smtp;
mod state;
mod store;
mod store_backlog;
mod store_blocks;
mod store_claims;
mod store_retention;
mod store_templates;
mod templates;
mod transport;

pub use dossier::Dossier;
pub use folder::Folder;
pub use kind::{Composed, Draft, File, Kind, Posted, Preview, Settled, Source};
pub use letter::{Letter, Outgoing};
pub use memory::{Memory, Script};
pub use pace::Handful;
pub use postman::{Ended, Postman, Step};
pub use rules::{Letterhead, Letterheads, Rules};
pub use smtp::{Security, Smtp, SmtpSettings};
pub use state::{AttemptOutcome, EmailState, Stage};
pub use store::{
    Attempt, Email, EmailFilter, EmailOrder, EmailSort, NewMail, Post, SentFile, attempts, dossiers, find, last_queued,
    leave_out, list, post, post_all,
};
pub use store_backlog::{MailBacklog, cancel_waiting, overview};
pub use store_blocks::{Block, BlockOrder, block, blocked_addresses, blocks, unblock};
pub use store_retention::DECLARED;
pub use store_templates::{TemplateVersion, add_version, latest, versions};
pub use templates::{BadFile, Faulty, Templates, Words, check, preview};
pub use transport::{Sent, Session, Transport};
