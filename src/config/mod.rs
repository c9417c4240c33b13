//! The only reader of files and environment variables among the settings.
//!
//! ```text
//!  defaults ──▶ file (--config, or ENT_CONFIG) ──▶ ENT__SECTION__KEY ──▶ DATABASE_URL ──▶ Config
//! ```
//!
//! Later wins. [`Config::load`] reads and refuses what it does not know, naming the nearest known
//! setting. [`Config::check`] then judges the whole, in French, for `check-config` and at start-up;
//! it is apart because the command line may still change the listen address in between.
//! Secrets never stand in the configuration file: they come from the environment or from files of
//! their own ([`secrets`]).

mod checks;
mod faults;
pub mod mail;
pub mod masked;
mod reading;
pub mod secrets;
mod sections;

pub use faults::{ConfigFault, FaultLevel};
pub use mail::MailConfig;
pub use reading::{Environment, own_program, process_environment};
pub use secrets::{SigningKey, ensure_signing_key};
pub use sections::{
    AccessConfig, AttachmentsConfig, Config, DatabaseConfig, DocumentsConfig, ImportsConfig, JobsConfig, MetricsConfig,
    ServerConfig, SmallClaimsConfig, Threshold, WorkersConfig,
};
