//! Which base this is, and whether it is still the one the program started on.
//!
//! ```text
//!   start       empty base, and none may be made ─▶ refused      another id than database.expected_id ─▶ refused
//!   each write  SQLite's file removed or replaced ─▶ 503: what is written to it would be lost with it
//!   readiness   the same, and the id read again: the address may lead elsewhere since
//! ```
//! The id is a row made by a migration; copies and restored backups keep it, another base never has it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::connection::AnyConnection;
use super::schema::base_identity;
use crate::platform::files::folder_of;

/// What the program knows of its base.
pub(super) struct Identity {
    file: Option<(PathBuf, Inode)>,
    /// The id at start.
    pub(super) id: OnceLock<String>,
}

/// Device and number of a file: its name may lead to another one later.
type Inode = (u64, u64);

#[cfg(unix)]
fn inode(path: &Path) -> std::io::Result<Inode> {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata().map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn inode(path: &Path) -> std::io::Result<Inode> {
    path.metadata().map(|_| (0, 0))
}

impl Identity {
    /// Remembers the file as it is now.
    pub(super) fn of(file: Option<&Path>) -> Self {
        let file = file.and_then(|path| Some((path.to_owned(), inode(path).ok()?)));
        Self { file, id: OnceLock::new() }
    }

    /// Whether the name of the base still leads to the file that is open.
    pub(super) fn file_is_there(&self) -> Result<(), String> {
        let Some((path, opened)) = &self.file else { return Ok(()) };
        match inode(path) {
            Ok(now) if now == *opened => Ok(()),
            Ok(_) => Err(format!("{} was replaced by another file", path.display())),
            Err(cause) => Err(format!("{} is gone: {cause}", path.display())),
        }
    }

    /// The folder of the file, for what else is written there.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| folder_of(path))
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Whether a table is there, in words that fail on neither database.
pub(super) fn has_table(conn: &mut AnyConnection, name: &str) -> QueryResult<bool> {
    let question = match conn {
        AnyConnection::Postgresql(_) => "SELECT count(*) AS n FROM pg_class WHERE oid = to_regclass($1)",
        AnyConnection::Sqlite(_) => "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = $1",
    };
    let found: Count = diesel::sql_query(question).bind::<Text, _>(name).get_result(conn)?;
    Ok(found.n == 1)
}

/// The id of a base; none before the migration that gives it.
pub(super) fn read(conn: &mut AnyConnection) -> QueryResult<Option<String>> {
    if !has_table(conn, "base_identity")? {
        return Ok(None);
    }
    base_identity::table.select(base_identity::id).first(conn).optional()
}
