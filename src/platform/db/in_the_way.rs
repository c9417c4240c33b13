//! A row that stands where the program was about to write, and that no use case has a word for: somebody else put it there.
//!
//! What may happen to two honest callers at once has its sentence where it is written (`on_unique`). What is left is a
//! reference already given, an approval before its title, a paper before its thing: it names its table and rule, so that
//! the row can be found and taken out, and the act can be done again.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as Cause};

use super::unreadable::Rows;
use crate::platform::error::Falsified;

/// What the guards of the tables begin with.
const GUARD: &str = "frozen: ";
/// What SQLite says of a constraint, before `table.column`.
const SQLITE: &str = "UNIQUE constraint failed: ";

/// The table a refusal of the database speaks of, and the rule.
fn told(kind: &DatabaseErrorKind, said: &dyn DatabaseErrorInformation) -> Option<(String, String)> {
    let first = |text: &str| text.split([' ', '.', ',']).next().unwrap_or_default().to_owned();
    if let Some(rest) = said.message().strip_prefix(GUARD) {
        return Some((first(rest), said.message().to_owned()));
    }
    if !matches!(kind, DatabaseErrorKind::UniqueViolation) {
        return None;
    }
    match said.message().strip_prefix(SQLITE) {
        Some(columns) => Some((first(columns), columns.to_owned())),
        None => Some((said.table_name()?.to_owned(), said.constraint_name()?.to_owned())),
    }
}

/// What is found in the way, when that is how a statement ended.
pub(super) fn found(cause: &Cause, rows: &[Rows]) -> Option<Falsified> {
    let Cause::DatabaseError(kind, said) = cause else { return None };
    let (table, rule) = told(kind, said.as_ref())?;
    let kind = rows.iter().find(|rows| rows.table == table).map_or("stored_file", |rows| rows.kind);
    let fault =
        format!("une ligne de la table « {table} », que le programme n'a pas écrite, l'empêche d'écrire ({rule})");
    Some(Falsified { kind, key: table, fault })
}
