//! What was approved, sealed or journalled cannot be changed, not even by hand in the database.

use std::collections::BTreeSet;

use ent_backoffice::platform::db::blobs;

use crate::schema::text_rows;
use crate::support::{Base, TestApp};

/// The tables that refuse every change.
const FROZEN: &[&str] = &[
    "accounting_batch_files",
    "accounting_batch_titles",
    "accounting_batches",
    "audit_events",
    "base_identity",
    "blobs",
    "convention_papers",
    "convention_refusals",
    "convention_reopenings",
    "participation_lines",
    "participations",
    "small_claim_acts",
    "small_claim_papers",
    "title_approvals",
    "title_lines",
    "title_resubmissions",
    "title_returns",
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
            let column = text_rows(&app.db, &format!("SELECT * FROM ({}) AS c WHERE line LIKE '{table}.%'", crate::schema::columns_sql(&app.db)));
            let column = column[0].split(['.', ' ']).nth(1).unwrap().to_owned();
            refused(app, &format!("UPDATE {table} SET {column} = {column}"));
            refused(app, &format!("DELETE FROM {table}"));
        }
    }
}

#[test]
fn frozen_tables_refuse_truncate() {
    let app = TestApp::new(Base::postgres());
    for table in FROZEN {
        refused(&app, &format!("TRUNCATE {table} CASCADE"));
    }
}

#[test]
fn the_list_of_frozen_tables_is_that_of_both_databases() {
    let expected: BTreeSet<String> = FROZEN.iter().map(|t| (*t).to_owned()).collect();
    let sqlite = TestApp::new(Base::sqlite());
    let named = text_rows(&sqlite.db, "SELECT DISTINCT tbl_name AS line FROM sqlite_master WHERE type = 'trigger'");
    assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), expected);
    let postgres = TestApp::new(Base::postgres());
    let named = text_rows(
        &postgres.db,
        "SELECT DISTINCT tgrelid::regclass::text AS line FROM pg_trigger WHERE NOT tgisinternal",
    );
    assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), expected);
}
