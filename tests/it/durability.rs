//! What is in force on every connection, in every pool: a commit outlives a power cut, no wait is endless.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ent_backoffice::platform::Tx;
use ent_backoffice::platform::db::Database;

use crate::support::databases::open;
use crate::support::databases::text_rows;
use crate::support::{Base, TestApp};

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

fn lines(tx: &mut Tx<'_>, sql: &str) -> Vec<String> {
    use diesel::RunQueryDsl as _;
    let rows: Vec<Row> = diesel::sql_query(sql).load(tx.conn()).unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

fn in_force(tx: &mut Tx<'_>, sqlite: bool) -> Vec<String> {
    let asked = if sqlite {
        "SELECT 'synchronous=' || synchronous AS line FROM pragma_synchronous \
         UNION ALL SELECT 'journal_mode=' || journal_mode FROM pragma_journal_mode \
         UNION ALL SELECT 'foreign_keys=' || foreign_keys FROM pragma_foreign_keys \
         UNION ALL SELECT 'recursive_triggers=' || recursive_triggers FROM pragma_recursive_triggers \
         UNION ALL SELECT 'busy_timeout=' || timeout FROM pragma_busy_timeout"
    } else {
        "SELECT name || '=' || setting AS line FROM pg_settings WHERE name IN ('synchronous_commit', 'lock_timeout', \
         'statement_timeout', 'idle_in_transaction_session_timeout', 'application_name', 'TimeZone') ORDER BY name"
    };
    lines(tx, asked)
}

/// Takes every connection of both pools at the same time, one inside the other, and asks each.
fn ask_all(db: &Database, writers: u32, readers: u32, told: &mut Vec<Vec<String>>) {
    let sqlite = db.is_sqlite();
    if writers > 0 {
        db.write(|tx| {
            told.push(in_force(tx, sqlite));
            ask_all(db, writers - 1, readers, told);
            Ok(())
        })
        .unwrap();
    } else if readers > 0 {
        db.read(|tx| {
            told.push(in_force(tx, sqlite));
            ask_all(db, 0, readers - 1, told);
            Ok(())
        })
        .unwrap();
    } else {
        let free: Vec<u32> = db.pools().iter().map(|pool| pool.max - pool.in_use).collect();
        assert_eq!(free, [0, 0], "every connection was asked: {:?}", db.pools());
    }
}

on_both_databases! {
    fn every_connection_keeps_what_it_acknowledged_and_waits_no_longer_than_told(app: &TestApp) {
        let expected: Vec<&str> = if app.db.is_sqlite() {
            // 2 is FULL.
            vec!["synchronous=2", "journal_mode=wal", "foreign_keys=1", "recursive_triggers=1", "busy_timeout=5000"]
        } else {
            // The server of the tests itself was told `synchronous_commit = off`.
            vec!["TimeZone=UTC", "application_name=ent-backoffice", "idle_in_transaction_session_timeout=60000",
                 "lock_timeout=10000", "statement_timeout=60000", "synchronous_commit=on"]
        };
        let pools = app.db.pools();
        let (writers, readers) = (pools[0].max, pools[1].max);
        assert_eq!((writers, readers), if app.db.is_sqlite() { (1, 4) } else { (4, 4) });
        let mut told = Vec::new();
        ask_all(&app.db, writers, readers, &mut told);
        assert_eq!(told.len(), usize::try_from(writers + readers).unwrap());
        for connection in told {
            assert_eq!(connection, expected);
        }
        // The probe of readiness waits less, and gives the connection back as it was.
        assert_eq!(app.db.try_write(), ent_backoffice::platform::db::probe::Writing::Works);
        app.db.write(|tx| {
            assert_eq!(in_force(tx, app.db.is_sqlite()), expected);
            Ok(())
        }).unwrap();
    }
}

on_both_databases! {
    /// A connection that is still being opened when a short command exits brought the process down (exit by signal
    /// instead of the documented status): none is opened but those that somebody waits for.
    fn no_connection_is_opened_that_nobody_waits_for(app: &TestApp) {
        let db = open(&app.database_url());
        db.write(|tx| {
            lines(tx, "SELECT 'one' AS line");
            std::thread::sleep(std::time::Duration::from_millis(300));
            let made: Vec<u32> = db.pools().iter().map(|pool| pool.in_use + pool.idle).collect();
            assert_eq!(made, [1, 1], "one had at the start in each pool, and no other: {:?}", db.pools());
            Ok(())
        }).unwrap();
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn the_base_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("deep/ent.sqlite");
    let parts = || ["", "-wal", "-shm"].map(|suffix| format!("{}{suffix}", base.display()));
    {
        let db = open(&format!("sqlite://{}", base.display()));
        db.migrate().unwrap();
        assert_eq!(mode(base.parent().unwrap()), 0o700);
        for part in parts() {
            assert_eq!(mode(Path::new(&part)), 0o600, "{part}");
        }
        // A base of the field, made before.
        for part in parts() {
            std::fs::set_permissions(part, std::fs::Permissions::from_mode(0o644)).unwrap();
        }
        let again = open(&format!("sqlite://{}", base.display()));
        assert!(!again.has_pending_migrations().unwrap());
        for part in parts() {
            assert_eq!(mode(Path::new(&part)), 0o600, "{part}");
        }
    }
}

#[test]
fn a_setting_of_the_server_that_acknowledges_later_is_left_alone() {
    let base = Base::postgres_empty();
    let name = base.url().rsplit('/').next().unwrap().to_owned();
    let asked = "SELECT setting AS line FROM pg_settings WHERE name = 'synchronous_commit'";
    for (said, kept) in [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")] {
        let admin = open(&base.url());
        admin
            .read(|tx| {
                use diesel::RunQueryDsl as _;
                Ok(diesel::sql_query(format!("ALTER DATABASE {name} SET synchronous_commit = {said}"))
                    .execute(tx.conn())?)
            })
            .unwrap();
        assert_eq!(text_rows(&open(&base.url()), asked), [kept]);
    }
}
