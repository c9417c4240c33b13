//! Files given by people: a scan, photos of its pages. Bytes only; what they prove, and of what, is said by rooms.
//!
//! ```text
//!   multipart ──▶ Given ──────────▶ Desk::examine ────────────────────────────▶ Examined ──▶ db::files, in 1 MiB parts
//!               (one spool file,     │ inspect-files: a process apart, bounded       │
//!                hashed as it comes) │   what is it? by content; is it whole?        └─▶ served inert: a type we found,
//!                                    │   several photos ──▶ one upright PDF               a name of ours, sandboxed
//!                                    └ scan_command: the house's antivirus, if any
//! ```
//! **PDF, JPEG and PNG**, recognised by their content, never by a name or an announced type. Anything else is refused with
//! a sentence that says what to do ([`kinds`]). A file is what its first bytes say: one that is also something else at
//! its end is harmless as long as it is served as what we found, which is what we do.
//!
//! **What runs is refused, what is inert is taken.** A PDF that is encrypted (nobody will open it in ten years, no
//! antivirus sees through it), that holds JavaScript, starts a program or carries one is refused: a scan never needs to,
//! and printing it anew is a way out. Attached data, forms, signatures, links and a first view are taken: conventions
//! signed in an electronic signature book have them. This is hygiene, no antivirus: see `pdf.rs`.
//!
//! **Several photos** become one PDF of A4 pages in the order given, turned upright, at 200 dots per inch, without the
//! place and time that telephones write in them. It is a reading copy: the originals stay beside it, byte for byte,
//! since they are what was given.
//!
//! The program that serves never holds more than one part of a file: what comes in is spooled to a file without a name,
//! stored and read back part by part, and sent from such a file again.

mod child;
mod codes;
mod compose;
mod desk;
mod given;
mod http_given;
mod http_serve;
mod inspect;
mod jpeg;
pub mod kinds;
mod pdf;
mod png;
mod scan;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use child::run as run_child;
pub use codes::{ATTACHMENT_INFECTED, ATTACHMENT_READER_BUSY, CODES, SCAN_FAILED};
pub use desk::{Desk, DeskRules, Examined, Found, Piece};
pub use given::{Given, GivenFile};
pub use http_given::{UploadRules, examine};
pub use http_serve::served;
pub use kinds::MediaType;
pub use scan::{Scan, Scanner};

/// Largest single file, whatever the settings: 20 MiB.
pub const MAX_FILE_BYTES: u64 = 20 * 1024 * 1024;
/// Most photos of one attachment.
pub const MAX_PHOTOS: usize = 40;
