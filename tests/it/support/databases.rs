//! A fresh, migrated database per test: a file copied (SQLite), a database cloned (PostgreSQL).
//!
//! Migrations run once for all tests, into a template named after their digest; tests are processes of their own, so
//! a rename (SQLite) and an advisory lock (PostgreSQL) decide between two who start together.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::RunQueryDsl as _;
use diesel::sql_types::{BigInt, Text};
use ent_backoffice::kernel::{Clock, Ids};
use ent_backoffice::platform::db::blobs::digest;
use ent_backoffice::platform::db::{Database, DatabaseSettings};

/// A database of one test, removed with it.
pub enum Base {
    Sqlite { folder: tempfile::TempDir },
    Postgres { server: String, name: String },
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

pub fn open(url: &str) -> Database {
    let settings =
        DatabaseSettings { connections: 2, readers: 2, busy: Duration::from_secs(10), ..DatabaseSettings::new(url) };
    Database::open(&settings, Clock::system(), Ids::default()).unwrap()
}

fn execute(db: &Database, sql: &str) -> diesel::QueryResult<usize> {
    db.read(|tx| Ok(diesel::sql_query(sql).execute(tx.conn()))).unwrap()
}

/// Digest of every migration of a tree: a template made from others is never used.
fn migrations_digest(tree: &str) -> String {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(tree);
    for folder in std::fs::read_dir(root).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            files.push(file.unwrap().path());
        }
    }
    files.sort();
    let all: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
    digest(&all)[..12].to_owned()
}

impl Base {
    pub fn sqlite() -> Self {
        let template = sqlite_template();
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(template, folder.path().join("test.sqlite")).unwrap();
        Self::Sqlite { folder }
    }

    pub fn sqlite_empty() -> Self {
        Self::Sqlite { folder: tempfile::tempdir().unwrap() }
    }

    pub fn postgres() -> Self {
        let server = postgres_server();
        let admin = open(&server);
        let template = postgres_template(&server, &admin);
        let name = unique_name();
        execute(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).unwrap();
        Self::Postgres { server, name }
    }

    pub fn postgres_empty() -> Self {
        let server = postgres_server();
        let name = unique_name();
        execute(&open(&server), &format!("CREATE DATABASE {name}")).unwrap();
        Self::Postgres { server, name }
    }

    /// Its address, for the program's settings.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { folder } => format!("sqlite://{}", folder.path().join("test.sqlite").display()),
            Self::Postgres { server, name } => with_database(server, name),
        }
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        if let Self::Postgres { server, name } = self {
            // A failed test must show its own failure, not that of the cleaning.
            let _ = execute(&open(server), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn sqlite_template() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let template = folder.join(format!("template-{}.sqlite", migrations_digest("sqlite")));
    if !template.exists() {
        let work = tempfile::tempdir_in(folder).unwrap();
        let db = open(&format!("sqlite://{}", work.path().join("building.sqlite").display()));
        db.migrate().unwrap();
        let whole = work.path().join("whole.sqlite");
        // One file without its log, complete before it gets its name.
        execute(&db, &format!("VACUUM INTO '{}'", whole.display())).unwrap();
        std::fs::rename(whole, &template).unwrap();
    }
    template
}

fn postgres_server() -> String {
    std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("no PostgreSQL for this test: run the tests by `make test`, which starts one (TEST_POSTGRES_URL)")
    })
}

fn with_database(server: &str, name: &str) -> String {
    let (address, _) = server.rsplit_once('/').unwrap();
    format!("{address}/{name}")
}

fn unique_name() -> String {
    let now = Clock::system().now();
    format!("test_{}", Ids::default().uuid(now).simple())
}

fn postgres_template(server: &str, admin: &Database) -> String {
    let name = format!("template_{}", migrations_digest("postgres"));
    let exists = |admin: &Database| {
        admin
            .read(|tx| {
                let found: Count = diesel::sql_query("SELECT count(*) AS n FROM pg_database WHERE datname = $1")
                    .bind::<Text, _>(&name)
                    .get_result(tx.conn())?;
                Ok(found.n == 1)
            })
            .unwrap()
    };
    if exists(admin) {
        return name;
    }
    // The lock and the work need one and the same connection to the server: its session holds the lock.
    admin
        .read(|tx| {
            diesel::sql_query("SELECT pg_advisory_lock(20250605)").execute(tx.conn())?;
            if !exists(&open(server)) {
                let building = format!("{name}_building");
                diesel::sql_query(format!("DROP DATABASE IF EXISTS {building}")).execute(tx.conn())?;
                diesel::sql_query(format!("CREATE DATABASE {building}")).execute(tx.conn())?;
                open(&with_database(server, &building)).migrate().unwrap();
                let rename = format!("ALTER DATABASE {building} RENAME TO {name}");
                // The pool of the migrations closes its connections in its own time.
                let renamed = (0..100).any(|_| {
                    std::thread::sleep(Duration::from_millis(50));
                    diesel::sql_query(&rename).execute(tx.conn()).is_ok()
                });
                assert!(renamed, "the template database is still in use");
            }
            diesel::sql_query("SELECT pg_advisory_unlock(20250605)").execute(tx.conn())?;
            Ok(())
        })
        .unwrap();
    name
}

#[derive(diesel::QueryableByName)]
pub struct Row {
    #[diesel(sql_type = Text)]
    pub line: String,
}

/// Runs a query whose one column is called `line`.
pub fn text_rows(db: &Database, sql: &str) -> Vec<String> {
    let rows: Vec<Row> = db.read(|tx| Ok(diesel::sql_query(sql).load(tx.conn())?)).unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

/// `table.column type null|not null`, in the order of the table.
pub fn columns_sql(db: &Database) -> &'static str {
    if db.is_sqlite() {
        "SELECT m.name || '.' || c.name || ' ' || lower(c.type) || ' ' || \
            CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN 'not null' ELSE 'null' END AS line \
         FROM sqlite_master m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' \
         ORDER BY m.name, c.cid"
    } else {
        "SELECT table_name || '.' || column_name || ' ' || CASE data_type WHEN 'timestamp without time zone' THEN \
            'timestamp' WHEN 'bytea' THEN 'blob' ELSE data_type END || ' ' || \
            CASE is_nullable WHEN 'NO' THEN 'not null' ELSE 'null' END AS line \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%' \
         ORDER BY table_name, ordinal_position"
    }
}
