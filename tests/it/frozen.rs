//! What was approved, sealed or journalled cannot be changed, not even by hand in the database.

use std::collections::BTreeSet;

use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use ent_backoffice::platform::db::{Database, blobs};

use crate::support::databases::{Row, text_rows};
use crate::support::{Base, TestApp};

/// The tables that refuse every change.
const FROZEN: &[&str] = &[
    "accounting_batch_files",
    "accounting_batch_signatures",
    "accounting_batch_titles",
    "accounting_batches",
    "attachment_detachments",
    "attachment_sources",
    "attachments",
    "audit_events",
    "base_identity",
    "blobs",
    "convention_refusals",
    "convention_reopenings",
    "convention_seals",
    "elimination_rows",
    "eliminations",
    "enrolment_reinstatements",
    "enrolment_withdrawals",
    "line_decisions",
    "mail_templates",
    "participation_lines",
    "participations",
    "small_claim_acts",
    "stored_file_parts",
    "stored_files",
    "title_approvals",
    "title_lines",
    "title_resubmissions",
    "title_returns",
];

/// The tables that let through only what legitimately moves (see `falsified`).
const KEPT: &[&str] = &[
    "accounting_batch_progress",
    "campaigns",
    "conventions",
    "counters",
    "papers",
    "perception_titles",
    "small_claim_decisions",
];

/// One row in each frozen table, and in those they refer to.
fn fill(app: &TestApp) {
    let digest = app.db.write(|tx| blobs::put(tx, "text/plain", b"x")).unwrap();
    for statement in include_str!("support/frozen_rows.sql").split(";\n") {
        let statement = statement.trim();
        if !statement.is_empty() {
            let statement = statement.replace("DIGEST", &digest);
            app.sql(&statement).unwrap_or_else(|cause| panic!("{statement}: {cause}"));
        }
    }
}

fn refused(app: &TestApp, statement: &str) {
    let answer = app.sql(statement).expect_err(statement).to_string();
    assert!(answer.contains("frozen"), "{statement}: {answer}");
}

on_both_databases! {
    fn frozen_rows_refuse_update_and_delete(app: &TestApp) {
        fill(app);
        for table in FROZEN {
            let column = text_rows(&app.db, &format!("SELECT * FROM ({}) AS c WHERE line LIKE '{table}.%'", crate::support::databases::columns_sql(&app.db)));
            let column = column[0].split(['.', ' ']).nth(1).unwrap().to_owned();
            refused(app, &format!("UPDATE {table} SET {column} = {column}"));
            refused(app, &format!("DELETE FROM {table}"));
        }
    }
}

#[test]
fn frozen_tables_refuse_truncate() {
    let app = TestApp::new(Base::postgres());
    for table in FROZEN.iter().chain(KEPT) {
        refused(&app, &format!("TRUNCATE {table} CASCADE"));
    }
}

#[test]
fn the_lists_of_frozen_and_kept_tables_are_those_of_both_databases() {
    let sqlite = TestApp::new(Base::sqlite());
    let postgres = TestApp::new(Base::postgres());
    for (expected, kind) in [(FROZEN, "frozen"), (KEPT, "kept")] {
        let expected: BTreeSet<String> = expected.iter().map(|t| (*t).to_owned()).collect();
        let named = text_rows(
            &sqlite.db,
            &format!(
                "SELECT tbl_name AS line FROM sqlite_master WHERE type = 'trigger' \
                 AND name IN (tbl_name || '_{kind}_update', tbl_name || '_{kind}_delete') GROUP BY 1 HAVING count(*) = 2"
            ),
        );
        assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), expected);
        let named = text_rows(
            &postgres.db,
            &format!(
                "SELECT tgrelid::regclass::text AS line FROM pg_trigger WHERE NOT tgisinternal \
                 AND tgname = tgrelid::regclass::text || '_{kind}'"
            ),
        );
        assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}

/// One key of a table: its columns, and whether the index holds for some rows only.
struct Key {
    table: String,
    columns: Vec<String>,
}

fn keys_of(db: &Database, table: &str) -> Vec<Key> {
    let sql = format!(
        "SELECT group_concat(name, ' ') AS line FROM (SELECT l.name AS i, c.name AS name FROM pragma_index_list('{table}') l \
         JOIN pragma_index_info(l.name) c WHERE l.\"unique\" = 1 ORDER BY l.name, c.seqno) GROUP BY i"
    );
    let split = |line: String| line.split(' ').map(str::to_owned).collect();
    text_rows(db, &sql).into_iter().map(|line| Key { table: table.to_owned(), columns: split(line) }).collect()
}

/// The rows of a table, but those of one key changed in every other key, to be written over those that are there.
fn same_key(db: &Database, key: &Key) -> (String, String) {
    let all: Vec<Key> = keys_of(db, &key.table);
    let other: BTreeSet<&String> =
        all.iter().flat_map(|k| &k.columns).filter(|column| !key.columns.contains(column)).collect();
    let columns = text_rows(db, &format!("SELECT name AS line FROM pragma_table_info('{}')", key.table));
    let values: Vec<String> =
        columns.iter().map(|c| if other.contains(c) { format!("'9' || {c}") } else { c.clone() }).collect();
    (columns.join(", "), values.join(", "))
}

/// Another program on the file: everything at SQLite's own defaults.
fn stranger(app: &TestApp) -> SqliteConnection {
    let url = app.database_url();
    SqliteConnection::establish(url.strip_prefix("sqlite://").unwrap()).unwrap()
}

#[test]
fn another_program_replaces_no_frozen_row() {
    let app = TestApp::new(Base::sqlite());
    fill(&app);
    app.sql("INSERT INTO accounting_batch_progress VALUES ('b', 'sealed', 1, '2025-06-05 08:00:00')").unwrap();
    app.sql("INSERT INTO small_claim_decisions (id, convention_id, participation_id, amount_cents, threshold_cents, reason, decided_by, decided_by_label, decided_at, act_id) VALUES ('s', 'v', 'p', 4000, 5000, 'x', 'u', 'A B', '2025-06-05 08:00:00', 'a')").unwrap();
    app.sql("UPDATE perception_titles SET state = 'approved', reference = 'R', exercice = 2025, chorus_number = 'C'")
        .unwrap();
    app.sql("INSERT INTO counters (name, value) VALUES ('title:2025', 7)").unwrap();
    // Found in the database, so that no table made later is forgotten.
    let guarded = text_rows(
        &app.db,
        "SELECT DISTINCT tbl_name AS line FROM sqlite_master WHERE type = 'trigger' \
         AND (name LIKE '%\\_frozen\\_%' ESCAPE '\\' OR name LIKE '%\\_kept\\_%' ESCAPE '\\') ORDER BY 1",
    );
    assert_eq!(guarded.len(), FROZEN.len() + KEPT.len());
    let mut other = stranger(&app);
    let defaults = diesel::sql_query("SELECT CAST(recursive_triggers AS TEXT) AS line FROM pragma_recursive_triggers");
    assert_eq!(defaults.load::<Row>(&mut other).unwrap()[0].line, "0");
    let snapshot = |table: &str| {
        let columns = text_rows(&app.db, &format!("SELECT name AS line FROM pragma_table_info('{table}')"));
        let quoted: Vec<String> = columns.iter().map(|c| format!("quote({c})")).collect();
        text_rows(&app.db, &format!("SELECT {} AS line FROM {table}", quoted.join(" || ',' || ")))
    };
    let mut tried = 0;
    for table in &guarded {
        let before = snapshot(table);
        assert_eq!(before.len(), 1, "{table} has a row to be replaced");
        let mut attempts = vec![
            format!("REPLACE INTO {table} SELECT * FROM {table}"),
            format!("INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT DO NOTHING"),
            format!("UPDATE OR REPLACE {table} SET rowid = rowid + 1"),
        ];
        let keys = keys_of(&app.db, table);
        assert!(!keys.is_empty(), "{table}");
        for key in &keys {
            let (columns, values) = same_key(&app.db, key);
            attempts.push(format!("INSERT OR REPLACE INTO {table} ({columns}) SELECT {values} FROM {table}"));
            attempts.push(format!(
                "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE true ON CONFLICT DO UPDATE SET {0} = {0}",
                key.columns[0]
            ));
        }
        // The row's own number, all keys being new.
        let (columns, values) = same_key(&app.db, &Key { table: table.clone(), columns: Vec::new() });
        attempts.push(format!("INSERT OR REPLACE INTO {table} (rowid, {columns}) SELECT rowid, {values} FROM {table}"));
        for attempt in attempts {
            let told = diesel::sql_query(&attempt).execute(&mut other).expect_err(&attempt).to_string();
            assert!(told.contains("frozen"), "{attempt}: {told}");
            tried += 1;
        }
        assert_eq!(snapshot(table), before, "{table}");
    }
    assert!(tried > 5 * guarded.len(), "{tried}");
}

#[test]
fn another_program_moves_no_row_onto_a_frozen_one() {
    let app = TestApp::new(Base::sqlite());
    fill(&app);
    app.sql("UPDATE perception_titles SET state = 'approved', reference = 'R', exercice = 2025, chorus_number = 'C'")
        .unwrap();
    app.sql("INSERT INTO participations SELECT 'p2', convention_id, 2, total_cents, tariff, steps, computed_at FROM participations").unwrap();
    let columns = text_rows(&app.db, "SELECT name AS line FROM pragma_table_info('perception_titles')");
    let second: Vec<&str> = columns
        .iter()
        .map(|c| match c.as_str() {
            "id" => "'t2'",
            "participation_id" => "'p2'",
            "state" => "'prepared'",
            "reference" | "chorus_number" | "exercice" => "NULL",
            other => other,
        })
        .collect();
    app.sql(&format!("INSERT INTO perception_titles SELECT {} FROM perception_titles", second.join(", "))).unwrap();
    let columns = text_rows(&app.db, "SELECT name AS line FROM pragma_table_info('conventions')");
    let again: Vec<&str> = columns
        .iter()
        .map(|c| match c.as_str() {
            "id" => "'v2'",
            "sequence" | "number_rank" => "2",
            "sequence_reason" | "number" => "'x'",
            "state" => "'issued'",
            "exited_on" | "exit_reason" => "NULL",
            other => other,
        })
        .collect();
    app.sql("UPDATE conventions SET state = 'declined', exited_on = '2025-06-05', exit_reason = 'x'").unwrap();
    app.sql(&format!("INSERT INTO conventions SELECT {} FROM conventions", again.join(", "))).unwrap();
    let mut other = stranger(&app);
    for attempt in [
        "UPDATE OR REPLACE perception_titles SET reference = 'R' WHERE id = 't2'",
        "UPDATE OR REPLACE perception_titles SET chorus_number = 'C' WHERE id = 't2'",
        "UPDATE OR REPLACE perception_titles SET id = 't' WHERE id = 't2'",
        "UPDATE OR REPLACE perception_titles SET participation_id = 'p' WHERE id = 't2'",
        "UPDATE OR REPLACE perception_titles SET rowid = (SELECT rowid FROM perception_titles WHERE id = 't') WHERE id = 't2'",
        "UPDATE OR REPLACE conventions SET state = 'issued', exited_on = NULL, exit_reason = NULL WHERE id = 'v'",
        "UPDATE OR REPLACE conventions SET number = 'N' WHERE id = 'v2'",
        "UPDATE OR REPLACE conventions SET rowid = (SELECT rowid FROM conventions WHERE id = 'v') WHERE id = 'v2'",
    ] {
        let told = diesel::sql_query(attempt).execute(&mut other).expect_err(attempt).to_string();
        assert!(told.contains("frozen"), "{attempt}: {told}");
    }
    assert_eq!(
        text_rows(&app.db, "SELECT id AS line FROM perception_titles UNION ALL SELECT id FROM conventions").len(),
        4
    );
}

#[test]
fn postgres_has_no_door_beside_its_triggers() {
    let app = TestApp::new(Base::postgres());
    fill(&app);
    for table in FROZEN {
        let columns = text_rows(
            &app.db,
            &format!(
                "SELECT string_agg(a.attname, ' ' ORDER BY a.attnum) AS line FROM pg_index i JOIN pg_attribute a \
                 ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) WHERE i.indrelid = '{table}'::regclass AND i.indisprimary"
            ),
        );
        let key: Vec<&str> = columns[0].split(' ').collect();
        refused(
            &app,
            &format!(
                "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({}) DO UPDATE SET {1} = EXCLUDED.{1}",
                key.join(", "),
                key[0]
            ),
        );
        refused(
            &app,
            &format!("MERGE INTO {table} a USING {table} b ON a.{0} = b.{0} WHEN MATCHED THEN DELETE", key[0]),
        );
    }
}
