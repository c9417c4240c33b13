//! Back office of the ENT-école: conventions, participations and perception titles of a région académique.
//!
//! Folders are business capabilities; `platform` holds the plumbing, `app` puts everything together:
//!
//! ```text
//! kernel ◀ platform ◀ audit ◀ access ◀ registry ◀ campaigns ◀ …      app, cli, config: may see everything
//! ```
//! What stands to the left never imports what stands to its right; a test reads the `use` lines and says so.
pub mod access;
pub mod accounting;
pub mod app;
pub mod audit;
pub mod campaigns;
pub mod cli;
pub mod config;
pub mod conventions;
pub mod kernel;
pub mod platform;
pub mod registry;
pub mod titles;
