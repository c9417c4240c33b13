//! What a use case may end with besides success: a refusal the caller can act on, or an incident that is ours.

use crate::kernel::{FieldFault, Refused};

/// The one error of actions and stores.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule said no; shown to the caller.
    #[error("{0}")]
    Refused(Box<Refused>),
    /// The database failed; logged, never shown.
    #[error("database: {0}")]
    Database(diesel::result::Error),
    /// A lock, a connection or SQLite's writer was not had in time; nothing was done, later it will do.
    #[error("the database is busy")]
    Busy,
    /// Something frozen is no longer what it was: never served, never sealed. An alarm is raised (see `db`).
    #[error("{0}")]
    Falsified(Box<Falsified>),
    /// Something that cannot be: a row that is no domain value, a template that no longer compiles. Logged.
    #[error("incident: {0}")]
    Incident(String),
}

/// What was found falsified: whose it is, and what of it no longer holds together. Never the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Falsified {
    /// The kind of thing, as the journal names it.
    pub kind: &'static str,
    /// Its public key: number, reference, or digest.
    pub key: String,
    /// In French, for who is to look at it.
    pub fault: String,
}

impl std::fmt::Display for Falsified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "contenu altéré, {} : {}", self.key, self.fault)
    }
}

impl From<diesel::result::Error> for Error {
    fn from(cause: diesel::result::Error) -> Self {
        if super::db::is_busy(&cause) {
            tracing::warn!(%cause, "the database is busy");
            return Self::Busy;
        }
        Self::Database(cause)
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Incident(format!("JSON stored or produced by the program: {error}"))
    }
}

impl Error {
    /// Something frozen that no longer holds together.
    pub fn falsified(kind: &'static str, key: impl std::fmt::Display, fault: impl Into<String>) -> Self {
        Self::Falsified(Box::new(Falsified { kind, key: key.to_string(), fault: fault.into() }))
    }

    /// Says whose the stored bytes are that were found falsified; other errors pass.
    #[must_use]
    pub fn about(self, kind: &'static str, key: &str) -> Self {
        match self {
            Self::Falsified(found) => Self::falsified(kind, key, found.fault),
            other => other,
        }
    }

    /// Whether something that stands in the base is the cause: trying again meets it again.
    #[must_use]
    pub fn is_of_data(&self) -> bool {
        match self {
            Self::Falsified(_) | Self::Refused(_) | Self::Incident(_) => true,
            Self::Database(cause) => matches!(cause, diesel::result::Error::DeserializationError(_)),
            Self::Busy => false,
        }
    }

    /// The disk that holds files without a name refused one.
    #[must_use]
    pub fn temporary_file(cause: &std::io::Error) -> Self {
        Self::Incident(format!("temporary file: {cause}"))
    }

    /// A stored value that its newtype refuses: names where it stands.
    pub fn inconsistent(kind: &'static str, table: &str, key: impl std::fmt::Display, fault: &FieldFault) -> Self {
        Self::falsified(kind, key, format!("la ligne de la table « {table} » ne se lit plus : {}", fault.message))
    }
}

/// Result of actions and stores.
pub type Outcome<T> = Result<T, Error>;

/// Turns every row into what it means, or stops at the first that means nothing. Room is made once: rows are wide.
pub fn each<T, U>(rows: Vec<T>, mut read: impl FnMut(T) -> Outcome<U>) -> Outcome<Vec<U>> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(read(row)?);
    }
    Ok(all)
}

/// Turns a broken unique constraint into the sentence the code has for it; other errors pass.
pub fn on_unique<T>(result: diesel::QueryResult<T>, refusal: impl FnOnce() -> Refused) -> Outcome<T> {
    match result {
        Err(diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _)) => {
            Err(refusal().into())
        }
        // On SQLite the guard of a frozen table speaks before the constraint does.
        Err(diesel::result::Error::DatabaseError(_, told)) if told.message().ends_with(" refuses REPLACE") => {
            Err(refusal().into())
        }
        other => Ok(other?),
    }
}
