//! A stored row that is no value of the program: which one it is. Somebody wrote it who is not the program.
//!
//! ```text
//!   use case ──a column that cannot be read──▶ undone ──▶ each kind of row read again ──▶ the row: falsified, alarm
//! ```
//! What rests on a row that nobody can read stops whole, in number too: what the base says of the others was open to the
//! same hand. The alarm names the row, so that it can be put back.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::tx::Tx;
use crate::platform::error::Falsified;

/// How the rows of a table are looked through.
#[derive(Clone, Copy)]
pub struct Rows {
    pub table: &'static str,
    /// Kind of the thing a row belongs to, as the journal names it.
    pub kind: &'static str,
    /// `SELECT` of `id` and `key`, as text: what a row is read by, and what people know it by.
    pub keys: &'static str,
    /// Reads the rows of an id as the program does; every row without one.
    pub read: fn(&mut Tx<'_>, Option<&str>) -> QueryResult<()>,
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    key: String,
}

/// Whether a statement went well, but for a column that is no value of the program.
pub(super) fn is_unreadable(cause: &diesel::result::Error) -> bool {
    matches!(cause, diesel::result::Error::DeserializationError(_))
}

/// What is said of a row that cannot be read.
#[must_use]
pub fn fault(table: &str) -> String {
    format!("la ligne de la table « {table} » ne se lit plus")
}

/// The first row that cannot be read; none when the fault was in what was undone, or stands elsewhere.
pub(super) fn find(tx: &mut Tx<'_>, all: &[Rows]) -> QueryResult<Option<Falsified>> {
    for rows in all {
        match (rows.read)(tx, None) {
            Err(cause) if is_unreadable(&cause) => {}
            Err(other) => return Err(other),
            Ok(()) => continue,
        }
        let known: Vec<Known> = diesel::sql_query(rows.keys).load(tx.conn())?;
        for row in known {
            match (rows.read)(tx, Some(&row.id)) {
                Err(cause) if is_unreadable(&cause) => {
                    tracing::error!(table = rows.table, key = %row.key, %cause, "a row cannot be read");
                    return Ok(Some(Falsified { kind: rows.kind, key: row.key, fault: fault(rows.table) }));
                }
                Err(other) => return Err(other),
                Ok(()) => {}
            }
        }
    }
    Ok(None)
}

/// The rows of a table under one id, or all: read, and let go.
#[macro_export]
macro_rules! rows {
    ($name:literal: $table:ident as $row:ty, $kind:literal, $keys:literal, $id:expr $(, $select:expr)?) => {
        $crate::platform::db::unreadable::Rows {
            table: $name,
            kind: $kind,
            keys: $keys,
            read: |tx, id| {
                let all = $table::table$(.select($select))?;
                let found: diesel::QueryResult<Vec<$row>> = match id {
                    Some(id) => all.filter($id.eq(id)).load(tx.conn()),
                    None => all.load(tx.conn()),
                };
                found.map(drop)
            },
        }
    };
}
