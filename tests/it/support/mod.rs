//! What every test stands on.
//!
//! ```text
//!   on_both_databases! ──▶ TestApp ──┬─▶ Base        a database of its own, copied from a migrated template
//!                                    ├─▶ Clock       fixed, moved by the test
//!                                    ├─▶ server      real HTTP on 127.0.0.1, no worker
//!                                    └─▶ Client      one per role, whose tokens are made, not asked for
//!   year: the verbs that bring conventions and titles to a state, by the doors people use
//!   snapshot: whole answers beside their literal copies
//!   papers: each PDF fetched, or made by a job, is read back and proofread
//!   Program: the same as a process of its own, where signals, logs and two instances matter
//! ```

mod client;
pub mod contract;
pub mod databases;
#[path = "../../../src/platform/attachments/samples.rs"]
pub mod samples;
#[macro_use]
pub mod jobs;
pub mod letters;
pub mod operations;
pub mod papers;
mod program;
mod shape;
pub mod smtp;
pub mod snapshot;
pub mod sources;
mod test_app;
pub mod year;

pub use client::{Client, Response};
pub use databases::Base;
pub use operations::{DOORS, two_at_once};
pub use program::{Program, raw};
pub use sources::sources;
pub use test_app::{MORNING, PASSWORD, TestApp, at, cheap_hash, texts, texts_file};

/// Makes each test two: `name::sqlite` and `name::postgres`.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* fn $name:ident($app:ident: &$kind:ident) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn body($app: &$kind) $body
            $(#[$meta])*
            #[test]
            fn sqlite() {
                let app = $crate::support::TestApp::new($crate::support::Base::sqlite());
                body(&app);
            }
            $(#[$meta])*
            #[test]
            fn postgres() {
                let app = $crate::support::TestApp::new($crate::support::Base::postgres());
                body(&app);
            }
        }
    )+};
}
