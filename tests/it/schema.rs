//! The migrations: reversible, twins on both databases, and what the program believes of them.

use std::collections::BTreeSet;

use ent_backoffice::platform::db::Database;

use crate::support::Base;
use crate::support::databases::{columns_sql, open, text_rows};

/// Everything the migrations made, but their own table.
fn dump(db: &Database) -> Vec<String> {
    if db.is_sqlite() {
        return text_rows(
            db,
            "SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS line FROM sqlite_master \
             WHERE tbl_name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY type, name",
        );
    }
    let mut all = text_rows(db, columns_sql(db));
    for sql in [
        "SELECT indexdef AS line FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%' ORDER BY 1",
        "SELECT conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid) AS line \
         FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE '\\_\\_%' ORDER BY 1",
        "SELECT pg_get_triggerdef(oid) AS line FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
        "SELECT pg_get_functiondef(oid) AS line FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT table_name || '.' || column_name || ' ' || coalesce(collation_name, '-') AS line \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%' ORDER BY 1",
    ] {
        all.extend(text_rows(db, sql));
    }
    all
}

fn goes_up_down_up(base: &Base) {
    let db = open(&base.url());
    let ran = db.migrate().unwrap();
    assert!(ran >= 4);
    assert!(!db.has_pending_migrations().unwrap());
    let first = dump(&db);
    assert!(first.len() > 50, "{first:?}");
    assert_eq!(db.revert_all().unwrap(), ran);
    assert_eq!(dump(&db), Vec::<String>::new(), "something outlives its migration");
    db.migrate().unwrap();
    assert_eq!(dump(&db), first);
}

#[test]
fn sqlite_migrations_go_up_down_and_up_again() {
    goes_up_down_up(&Base::sqlite_empty());
}

#[test]
fn postgres_migrations_go_up_down_and_up_again() {
    goes_up_down_up(&Base::postgres_empty());
}

fn migration_names(tree: &str) -> BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(tree);
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    folders
        .flat_map(|folder| {
            ["up.sql", "down.sql"].map(|file| {
                let text = std::fs::read_to_string(folder.join(file)).unwrap();
                assert!(!text.trim().is_empty(), "{} is empty", folder.join(file).display());
                format!("{}/{file}", folder.file_name().unwrap().to_str().unwrap())
            })
        })
        .collect()
}

#[test]
fn the_two_trees_are_twins() {
    assert_eq!(migration_names("sqlite"), migration_names("postgres"));
    let (sqlite, postgres) = (Base::sqlite(), Base::postgres());
    let (sqlite, postgres) = (open(&sqlite.url()), open(&postgres.url()));
    assert_eq!(text_rows(&sqlite, columns_sql(&sqlite)), text_rows(&postgres, columns_sql(&postgres)));
}

/// `table.column type null|not null` as `schema.rs` has them.
fn believed() -> Vec<String> {
    let text = include_str!("../../src/platform/db/schema.rs");
    let (mut table, mut columns) = ("", Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            let (kind, null) = match kind.strip_prefix("Nullable<").and_then(|k| k.strip_suffix('>')) {
                Some(inner) => (inner, "null"),
                None => (kind, "not null"),
            };
            let kind = match kind {
                "BigInt" => "bigint".to_owned(),
                "Bool" => "boolean".to_owned(),
                "Binary" => "blob".to_owned(),
                other => other.to_lowercase(),
            };
            columns.push(format!("{table}.{name} {kind} {null}"));
        } else if let (Some((name, _)), true) = (line.split_once(" ("), line.ends_with('{')) {
            table = name;
        }
    }
    columns
}

#[test]
fn the_program_believes_what_is_in_the_database() {
    let base = Base::sqlite();
    let db = open(&base.url());
    let ordered = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(ordered(believed()), ordered(text_rows(&db, columns_sql(&db))));
}

/// Foreign keys as `table(a,b)`, and indexes without a condition as `table(a,b,c)`.
fn keys_and_indexes(db: &Database) -> (Vec<String>, Vec<String>) {
    if db.is_sqlite() {
        (
            text_rows(
                db,
                "SELECT t || '(' || group_concat(c, ',') || ')' AS line FROM (\
                    SELECT m.name AS t, f.id AS id, f.\"from\" AS c FROM sqlite_master m \
                    JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq) \
                 GROUP BY t, id",
            ),
            text_rows(
                db,
                "SELECT t || '(' || group_concat(c, ',') || ')' AS line FROM (\
                    SELECT m.name AS t, i.name AS i, c.name AS c FROM sqlite_master m \
                    JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c \
                    WHERE m.type = 'table' AND i.partial = 0 ORDER BY m.name, i.name, c.seqno) \
                 GROUP BY t, i",
            ),
        )
    } else {
        let named = |numbers: &str| {
            format!(
                "(SELECT string_agg(a.attname, ',' ORDER BY n.rank) FROM unnest({numbers}) WITH ORDINALITY AS n(num, rank) \
                 JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = n.num)"
            )
        };
        (
            text_rows(
                db,
                &format!(
                    "SELECT r.relname || '(' || {} || ')' AS line FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid \
                     WHERE k.contype = 'f'",
                    named("k.conkey")
                ),
            ),
            text_rows(
                db,
                &format!(
                    "SELECT r.relname || '(' || {} || ')' AS line FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid \
                     WHERE i.indpred IS NULL AND r.relnamespace = 'public'::regnamespace",
                    named("i.indkey::int2[]")
                ),
            ),
        )
    }
}

fn every_foreign_key_has_its_index(base: &Base) {
    let db = open(&base.url());
    let (keys, indexes) = keys_and_indexes(&db);
    assert!(keys.len() > 20 && indexes.len() > 40, "{keys:?} {indexes:?}");
    let covers = |index: &String, key: &str| *index == format!("{key})") || index.starts_with(&format!("{key},"));
    let bare: Vec<&String> =
        keys.iter().filter(|key| !indexes.iter().any(|index| covers(index, key.trim_end_matches(')')))).collect();
    assert!(bare.is_empty(), "foreign keys without an index: {bare:?}");
}

#[test]
fn every_foreign_key_has_its_index_on_sqlite() {
    every_foreign_key_has_its_index(&Base::sqlite());
}

#[test]
fn every_foreign_key_has_its_index_on_postgres() {
    every_foreign_key_has_its_index(&Base::postgres());
}
