//! Why the program cannot start, and what to do.

use crate::config::ConfigFault;
use crate::platform::db::DatabaseFault;

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Config(Vec<ConfigFault>),
    #[error("{0}")]
    Database(#[from] DatabaseFault),
    #[error("La base attend des migrations.\n  → Lancer « ent-backoffice migrate », ou « serve --migrate ».")]
    PendingMigrations,
    #[error(
        "La base est vide, alors qu'elle est attendue ici ({0}).\n  → Vérifier database.url (DATABASE_URL) et le volume, \
         ou restaurer une sauvegarde. Pour une toute première base : « ent-backoffice migrate --create »."
    )]
    EmptyBase(&'static str),
    #[error("{problem}\n  → {remedy}")]
    Papers { problem: String, remedy: String },
    #[error("{problem}\n  → {remedy}")]
    Listen { problem: String, remedy: String },
}
