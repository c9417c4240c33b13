//! Plumbing, without a business word: database, web, jobs, documents, tabular files.

pub mod db;
pub mod documents;
pub mod error;
pub mod jobs;
pub mod tabular;
pub mod web;

pub use db::{Database, Tx};
pub use error::{Error, Outcome, each, on_unique};
