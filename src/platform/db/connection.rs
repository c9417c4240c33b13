//! A connection, to whichever of the two databases.

use diesel::prelude::*;

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Postgresql(PgConnection),
    Sqlite(SqliteConnection),
}

/// The common back end, for boxed queries.
pub type Backend = <AnyConnection as Connection>::Backend;

/// Writes one query text for both databases, where the enum itself cannot run it (batch insert, ON CONFLICT).
#[macro_export]
macro_rules! on_backend {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::platform::db::AnyConnection::Postgresql($c) => $body,
            $crate::platform::db::AnyConnection::Sqlite($c) => $body,
        }
    };
}
