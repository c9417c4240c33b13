//! What every command begins with, and how it may end.

use std::io::Write as _;

use crate::app::{App, StartFault};
use crate::config::Config;
use crate::kernel::{Clock, FieldFault, Ids};
use crate::platform::Error;

/// Why a command failed, and with which exit code.
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
}

impl From<StartFault> for Failure {
    fn from(fault: StartFault) -> Self {
        let code = match &fault {
            StartFault::Config(_) | StartFault::Papers { .. } => 78,
            StartFault::Database(_)
            | StartFault::PendingMigrations
            | StartFault::EmptyBase(_)
            | StartFault::Listen { .. } => 69,
        };
        Self { code, message: fault.to_string() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refused) => Self { code: 1, message: refused.detail },
            Error::Busy => {
                let message = "D'autres opérations occupent la base ; rien n'a été enregistré.\n  → Recommencer.";
                Self { code: 69, message: message.to_owned() }
            }
            Error::Falsified(found) => Self { code: 70, message: format!("{found}.") },
            other => {
                let message = "Incident interne : la commande n'a pas abouti, rien n'a été enregistré.\n  → Signaler ce défaut \
                               avec la cause";
                Self { code: 70, message: format!("{message} « {other} ».") }
            }
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // What is made here to be shown is in French already; the system's own words are not.
        let why = if error.get_ref().is_some() { error.to_string() } else { crate::kernel::system::said(&error) };
        Self { code: 70, message: format!("Le système a refusé : {why}.") }
    }
}

pub(super) fn refused_value(option: &str, fault: &FieldFault) -> Failure {
    Failure { code: 2, message: format!("{option} : {}", fault.message) }
}

/// One line for the person at the terminal; standard output is kept for what a command produces.
pub(super) fn say(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

pub(super) fn build(config: Config) -> Result<App, StartFault> {
    App::build(config, Clock::system(), Ids::default())
}

/// One for which a new base may be made, whatever the program listens on.
pub(super) fn build_creating(config: Config) -> Result<App, StartFault> {
    App::build_with(config, Clock::system(), Ids::default(), true)
}
