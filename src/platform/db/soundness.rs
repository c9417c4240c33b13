//! Is a base whole? Its pages, its references, its digests: asked of a backup before it is trusted, and after a restore.
//!
//! No table is named but those of the platform: whatever keeps a `content` beside its `content_sha256` is read again.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use sha2::{Digest as _, Sha256};

use super::schema::{blobs, stored_file_parts, stored_files as files};
use super::{AnyConnection, DatabaseFault, identity, migrations};

/// What was found in a base.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Soundness {
    /// Its own id; none before the migration that gives it.
    pub id: Option<String>,
    /// The last migration that ran.
    pub version: Option<String>,
    /// Rows of each table.
    pub rows: Vec<(String, i64)>,
    /// Stored files and sealed contents whose digest was computed again.
    pub digests: usize,
    /// What is wrong, in French; empty when nothing is.
    pub faults: Vec<String>,
}

impl Soundness {
    /// Rows of all tables together.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.rows.iter().map(|(_, rows)| rows).sum()
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Sealed {
    #[diesel(sql_type = Text)]
    content: String,
    #[diesel(sql_type = Text)]
    content_sha256: String,
}

/// Rows read at once.
const PAGE: usize = 500;

fn lines(conn: &mut AnyConnection, sql: &str) -> QueryResult<Vec<String>> {
    let found: Vec<Line> = diesel::sql_query(sql).load(conn)?;
    Ok(found.into_iter().map(|l| l.line).collect())
}

fn tables(conn: &mut AnyConnection) -> QueryResult<Vec<String>> {
    let sql = match conn {
        AnyConnection::Sqlite(_) => {
            "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY name"
        }
        AnyConnection::Postgresql(_) => {
            "SELECT relname::text AS line FROM pg_class WHERE relkind IN ('r', 'p') \
             AND relnamespace = current_schema()::regnamespace AND relname NOT LIKE '\\_\\_%' ORDER BY 1"
        }
    };
    lines(conn, sql)
}

/// Tables that keep a content and its digest.
fn sealed_tables(conn: &mut AnyConnection) -> QueryResult<Vec<String>> {
    let sql = match conn {
        AnyConnection::Sqlite(_) => {
            "SELECT m.name AS line FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' \
             AND c.name IN ('content', 'content_sha256') GROUP BY m.name HAVING count(*) = 2 ORDER BY m.name"
        }
        AnyConnection::Postgresql(_) => {
            "SELECT table_name::text AS line FROM information_schema.columns WHERE table_schema = current_schema() \
             AND column_name IN ('content', 'content_sha256') GROUP BY table_name HAVING count(*) = 2 ORDER BY 1"
        }
    };
    lines(conn, sql)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn sqlite_pages(conn: &mut AnyConnection, found: &mut Soundness) -> QueryResult<()> {
    let pages = lines(conn, "SELECT integrity_check AS line FROM pragma_integrity_check LIMIT 20")?;
    found.faults.extend(pages.into_iter().filter(|line| line != "ok").map(|line| format!("page abîmée : {line}")));
    let orphans = lines(
        conn,
        "SELECT \"table\" || ' (ligne ' || coalesce(rowid, '?') || ') → ' || parent AS line \
         FROM pragma_foreign_key_check LIMIT 20",
    )?;
    found.faults.extend(orphans.into_iter().map(|line| format!("référence sans objet : {line}")));
    Ok(())
}

fn stored_blobs(conn: &mut AnyConnection, found: &mut Soundness) -> QueryResult<()> {
    let mut after = String::new();
    loop {
        let keys: Vec<String> = blobs::table
            .filter(blobs::sha256.gt(&after))
            .order(blobs::sha256.asc())
            .limit(i64::try_from(PAGE).unwrap_or(i64::MAX))
            .select(blobs::sha256)
            .load(conn)?;
        let Some(last) = keys.last() else { return Ok(()) };
        after.clone_from(last);
        // One at a time: each may have 20 MiB.
        for key in &keys {
            let bytes: Vec<u8> = blobs::table.find(key).select(blobs::bytes).first(conn)?;
            found.digests += 1;
            if super::blobs::digest(&bytes) != *key {
                found.faults.push(format!("table blobs : le fichier {key} n'a plus son empreinte"));
            }
        }
    }
}

/// Each part is itself; are they all there, and in their order?
fn files_in_parts(conn: &mut AnyConnection, found: &mut Soundness) -> QueryResult<()> {
    let keys: Vec<String> = files::table.order(files::sha256.asc()).select(files::sha256).load(conn)?;
    for key in &keys {
        let parts: Vec<String> = stored_file_parts::table
            .filter(stored_file_parts::sha256.eq(key))
            .order(stored_file_parts::position.asc())
            .select(stored_file_parts::part_sha256)
            .load(conn)?;
        let mut whole = Sha256::new();
        for part in &parts {
            let bytes: Option<Vec<u8>> = blobs::table.find(part).select(blobs::bytes).first(conn).optional()?;
            whole.update(bytes.unwrap_or_default());
        }
        found.digests += 1;
        if super::files::hexadecimal(&whole.finalize()) != *key {
            found.faults.push(format!("table stored_files : le fichier {key} n'a plus son empreinte"));
        }
    }
    Ok(())
}

fn sealed_contents(conn: &mut AnyConnection, found: &mut Soundness) -> QueryResult<()> {
    for table in sealed_tables(conn)? {
        let mut read = 0;
        loop {
            let rows: Vec<Sealed> = diesel::sql_query(format!(
                "SELECT content, content_sha256 FROM {} WHERE content_sha256 IS NOT NULL ORDER BY content_sha256, content LIMIT {PAGE} OFFSET {read}",
                quoted(&table)
            ))
            .load(conn)?;
            for row in &rows {
                if super::blobs::digest(row.content.as_bytes()) != row.content_sha256 {
                    found.faults.push(format!(
                        "table {table} : le contenu scellé {} n'a plus son empreinte",
                        row.content_sha256
                    ));
                }
            }
            read += rows.len();
            found.digests += rows.len();
            if rows.len() < PAGE {
                break;
            }
        }
    }
    Ok(())
}

fn look(conn: &mut AnyConnection) -> QueryResult<Soundness> {
    let mut found = Soundness::default();
    if matches!(conn, AnyConnection::Sqlite(_)) {
        sqlite_pages(conn, &mut found)?;
        // What follows would fail on damaged pages, with fewer words.
        if !found.faults.is_empty() {
            return Ok(found);
        }
    }
    let applied = migrations::applied(conn)?;
    if applied.is_empty() {
        found.faults.push("ce n'est pas une base de ce programme : aucune migration n'y est notée".to_owned());
        return Ok(found);
    }
    found.version = applied.last().cloned();
    found.id = identity::read(conn)?;
    for table in tables(conn)? {
        let count: Count =
            diesel::sql_query(format!("SELECT count(*) AS n FROM {}", quoted(&table))).get_result(conn)?;
        found.rows.push((table, count.n));
    }
    stored_blobs(conn, &mut found)?;
    // Not in a backup taken before there were any.
    if found.rows.iter().any(|(table, rows)| table == "stored_files" && *rows > 0) {
        files_in_parts(conn, &mut found)?;
    }
    sealed_contents(conn, &mut found)?;
    Ok(found)
}

/// Examines a base through one connection.
///
/// # Errors
/// It cannot be read at all.
pub(super) fn examine(conn: &mut AnyConnection) -> Result<Soundness, DatabaseFault> {
    let unreadable = |cause: &dyn std::fmt::Display| {
        DatabaseFault::new(
            format!("La base ne se laisse pas lire : {cause}"),
            "Ce fichier est abîmé, ou n'est pas une base de ce programme : prendre une autre sauvegarde.",
        )
    };
    let mut found = look(conn).map_err(|e| unreadable(&e))?;
    let known = migrations::known(conn)?;
    let applied = migrations::applied(conn).map_err(|e| unreadable(&e))?;
    if let Some(unknown) = applied.difference(&known).next() {
        found.faults.push(format!(
            "la migration {unknown} est inconnue : la base vient d'une version plus récente du programme"
        ));
    }
    Ok(found)
}
