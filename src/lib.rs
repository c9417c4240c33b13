//! Back office of the ENT-école: conventions, participations and perception titles of a région académique.
//!
//! Folders are business capabilities; `platform` holds the plumbing, `app` puts everything together:
//!
//! ```text
//! kernel ◀ platform ◀ audit ◀ access ◀ tasks ◀ acts ◀ attachments ◀ registry ◀ campaigns ◀ conventions ◀ claims ◀ titles
//!        ◀ accounting ◀ reminders
//! ```
//! ```text
//! kernel      money, dates, identifiers, refusals        conventions  issued, signed, what they make due
//! platform    database, web, jobs, papers, files         claims       what is owed today and what was decided of it
//! audit       the journal        access  who may         titles       prepared, approved, printed
//! tasks       what waits for a person                    acts         what was asked for without waiting
//! registry    collectivités and schools                  accounting   sealed batches and their files
//! campaigns   a year: tariff, texts, enrolments           attachments  what people give as proof
//! reminders   who is written to again, when, why not
//! ```
//! `app`, `cli`, `config` and `demo` may see everything.
//! What stands to the left never imports what stands to its right; a test reads the `use` lines and says so.

/// The system's allocator keeps what the documents used, in an arena per thread; this one gives it back, and is faster
/// at the many small values of the acts in number.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod access;
pub mod accounting;
pub mod acts;
pub mod app;
pub mod attachments;
pub mod audit;
pub mod campaigns;
pub mod capability;
pub mod claims;
pub mod cli;
pub mod config;
pub mod conventions;
pub mod demo;
pub mod invitations;
pub mod kernel;
pub mod mailroom;
pub mod oversight;
pub mod platform;
pub mod registry;
pub mod reminders;
pub mod tasks;
pub mod titles;
