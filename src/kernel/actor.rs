//! Who acts.

use super::ids::UserId;
use crate::text_enum;

text_enum!(
    /// Un rôle par compte. L'administration ne donne aucun pouvoir sur l'argent.
    Role {
        Lecteur => "lecteur",
        Gestionnaire => "gestionnaire",
        Ordonnateur => "ordonnateur",
        Comptable => "comptable",
        Admin => "admin",
    }
);

/// The person (or the program) on whose behalf a use case runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// None for the program itself (jobs, command line).
    pub user: Option<UserId>,
    pub role: Role,
    /// Name for the journal.
    pub label: String,
    /// The request that caused the act, for the journal and the logs.
    pub request_id: Option<String>,
}

impl Actor {
    /// The program acting by itself: a job, a command of the administrator.
    #[must_use]
    pub fn program(label: &str) -> Self {
        Self { user: None, role: Role::Admin, label: label.to_owned(), request_id: None }
    }
}
