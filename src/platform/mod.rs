//! Plumbing, without a business word: database, web, jobs, mail, lists, documents, tabular files, files given by people,
//! measures.

pub mod attachments;
pub mod bounded;
pub mod db;
pub mod documents;
pub mod error;
pub mod files;
pub mod jobs;
pub mod mail;
pub mod page;
pub mod papers;
pub mod retention;
pub mod tabular;
pub mod telemetry;
pub mod web;

pub use db::{Database, Tx};
pub use error::{Error, Falsified, Outcome, each, on_unique};

/// What each day asks of the plumbing.
pub const DAILY: &[jobs::Daily] =
    &[jobs::Daily::new("platform.idempotency", |tx, _| db::idempotency::purge(tx).map(|_| ()))];
