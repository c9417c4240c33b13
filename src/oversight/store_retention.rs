//! The lists of eliminations, and the rows they name: texts of the rooms' registers, made into statements here.
//!
//! Nothing a caller says is written into a statement: instants, numbers and ids of the program only.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::insert_batches;
use crate::kernel::Instant;
use crate::platform::db::schema::{elimination_rows, eliminations};
use crate::platform::retention::{Declared, EVIDENCE, End, Entry, Named, Rows, Term, Terms};
use crate::platform::{Error, Outcome, Tx};

pub const DECLARED: Declared = Declared {
    room: "oversight",
    personal: &[Entry {
        key: "eliminations",
        what: "Qui a signé une liste d'élimination, pourquoi",
        places: &["eliminations.signed_by", "eliminations.capacity", "eliminations.reason"],
        purpose: "Répondre de ce qui a été éliminé ; la liste est gardée aussi longtemps que la base",
        basis: EVIDENCE,
        term: Term::Accounting,
        from: "de la fin de la convention",
        end: End::With("files"),
    }],
    impersonal: &[
        ("eliminations", &["id", "entry", "term", "rows_sha256"]),
        ("elimination_rows", &["elimination_id", "table_name", "row_key"]),
    ],
    named: &[
        Named { field: "signed_by", what: "qui a signé une liste d'élimination" },
        Named { field: "reason", what: "motif, qui peut nommer quelqu'un" },
    ],
    needs: &[],
};

/// A signed list.
#[derive(Insertable)]
#[diesel(table_name = eliminations, treat_none_as_default_value = false)]
pub(super) struct List {
    pub id: String,
    pub at: Instant,
    pub entry: String,
    pub term: String,
    pub signed_by: String,
    pub capacity: String,
    pub reason: String,
    pub row_count: i64,
    pub oldest_on: NaiveDate,
    pub rows_sha256: Option<String>,
}

#[derive(Insertable)]
#[diesel(table_name = elimination_rows)]
struct ListRow {
    elimination_id: String,
    table_name: String,
    row_key: String,
}

/// Rows past their time.
pub(super) struct Past {
    pub due: usize,
    pub withheld: usize,
    /// Of those due.
    pub oldest: Option<NaiveDate>,
    /// Of those due, sorted; empty where keys would name somebody.
    pub keys: Vec<String>,
}

#[derive(QueryableByName)]
struct PastRow {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    since: String,
    #[diesel(sql_type = Bool)]
    needed: bool,
}

#[derive(QueryableByName)]
struct Latest {
    #[diesel(sql_type = Nullable<BigInt>)]
    exercice: Option<i64>,
}

/// An instant as both databases write it.
fn literal(at: Instant) -> String {
    at.utc().format("%Y-%m-%d %H:%M:%S").to_string()
}

fn filled(text: &str, before: Instant, now: Instant, terms: &Terms) -> String {
    text.replace("{before}", &literal(before))
        .replace("{now}", &literal(now))
        .replace("{exercice}", &terms.oldest_exercice(now).to_string())
}

fn condition(rows: &Rows) -> String {
    format!("{} < '{{before}}' AND ({})", rows.since, rows.only)
}

/// What is past its time, and whether it is needed.
pub(super) fn past(tx: &mut Tx<'_>, rows: &Rows, need: &str, before: Instant, terms: &Terms) -> Outcome<Past> {
    let statement = format!(
        "SELECT CAST({} AS TEXT) AS key, CAST({} AS TEXT) AS since, ({need}) AS needed FROM {} r WHERE {} ORDER BY 1",
        rows.key.unwrap_or("''"),
        rows.since,
        rows.table,
        condition(rows),
    );
    let found: Vec<PastRow> = diesel::sql_query(filled(&statement, before, tx.now(), terms)).load(tx.conn())?;
    let (needed, due): (Vec<_>, Vec<_>) = found.into_iter().partition(|row| row.needed);
    let oldest = due.iter().map(|row| row.since.as_str()).min();
    let oldest = oldest.map(|since| {
        let day = since.get(..10).and_then(|day| day.parse().ok());
        day.ok_or_else(|| Error::Incident(format!("{}: « {since} » is no day", rows.table)))
    });
    Ok(Past {
        due: due.len(),
        withheld: needed.len(),
        oldest: oldest.transpose()?,
        keys: if rows.key.is_some() { due.into_iter().map(|row| row.key).collect() } else { Vec::new() },
    })
}

/// The latest exercice of a piece of account.
pub(super) fn latest_exercice(tx: &mut Tx<'_>) -> Outcome<Option<i32>> {
    let statement = "SELECT CAST(MAX(e) AS BIGINT) AS exercice FROM (SELECT exercice AS e FROM title_approvals \
                     UNION ALL SELECT exercice FROM small_claim_acts) x";
    let latest: Latest = diesel::sql_query(statement).get_result(tx.conn())?;
    Ok(latest.exercice.and_then(|exercice| i32::try_from(exercice).ok()))
}

/// Writes a signed list and the rows it names.
pub(super) fn keep_list(tx: &mut Tx<'_>, list: &List, table: &str, keys: &[String]) -> Outcome<()> {
    diesel::insert_into(eliminations::table).values(list).execute(tx.conn())?;
    let rows: Vec<ListRow> = keys
        .iter()
        .map(|key| ListRow { elimination_id: list.id.clone(), table_name: table.to_owned(), row_key: key.clone() })
        .collect();
    insert_batches!(tx, elimination_rows::table, rows);
    Ok(())
}

/// Removes or empties what a list names; where keys would name somebody, what was counted under the same condition.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    end: &End,
    need: &str,
    before: Instant,
    terms: &Terms,
    list: &List,
) -> Outcome<()> {
    let Some(rows) = end.rows() else { return Ok(()) };
    let chosen = match rows.key {
        Some(key) => format!(
            "{key} IN (SELECT e.row_key FROM elimination_rows e WHERE e.elimination_id = '{}' AND e.table_name = '{}')",
            list.id, rows.table
        ),
        None => format!("{} AND NOT ({need})", condition(rows)),
    };
    let statement = match end {
        End::Removed(_) => format!("DELETE FROM {} AS r WHERE {chosen}", rows.table),
        End::Emptied(_, set) => format!("UPDATE {} AS r SET {set} WHERE {chosen}", rows.table),
        End::WithTheFile(_) | End::With(_) => return Ok(()),
    };
    let gone = diesel::sql_query(filled(&statement, before, tx.now(), terms)).execute(tx.conn())?;
    if i64::try_from(gone) == Ok(list.row_count) {
        return Ok(());
    }
    Err(Error::Incident(format!("elimination of {}: {gone} rows instead of {}", rows.table, list.row_count)))
}
