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
    /// Something that cannot be: a row that is no domain value, a template that no longer compiles. Logged.
    #[error("incident: {0}")]
    Incident(String),
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
    /// A stored value that its newtype refuses: names where it stands.
    pub fn inconsistent(table: &str, key: impl std::fmt::Display, fault: &FieldFault) -> Self {
        Self::Incident(format!("table {table}, row {key}: {}", fault.message))
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

/// Turns every row that can be read into what it means, for work that one damaged row must not stop; each of the others
/// leaves a trace.
pub fn readable<T, U>(rows: Vec<T>, mut read: impl FnMut(T) -> Outcome<U>) -> Outcome<Vec<U>> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        match read(row) {
            Ok(value) => all.push(value),
            Err(Error::Incident(cause)) => tracing::error!(%cause, "a row that cannot be read is left out"),
            Err(other) => return Err(other),
        }
    }
    Ok(all)
}

/// Turns a broken unique constraint into the sentence the code has for it; other errors pass.
pub fn on_unique<T>(result: diesel::QueryResult<T>, refusal: impl FnOnce() -> Refused) -> Outcome<T> {
    match result {
        Err(diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _)) => {
            Err(refusal().into())
        }
        other => Ok(other?),
    }
}

impl From<super::web::Problem> for Error {
    fn from(problem: super::web::Problem) -> Self {
        Self::Refused(Box::new(problem.refused))
    }
}
