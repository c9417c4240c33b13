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
    Database(#[from] diesel::result::Error),
    /// Something that cannot be: a row that is no domain value, a template that no longer compiles. Logged.
    #[error("incident: {0}")]
    Incident(String),
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
