//! One program, two databases: SQLite (embedded, the default) and PostgreSQL, chosen by the URL's scheme.
//!
//! ```text
//!   action ──▶ Tx ──▶ AnyConnection ──┬─▶ SQLite      one writer (BEGIN IMMEDIATE), a few readers
//!                                     └─▶ PostgreSQL  one pool
//! ```
//! A use case is a plain function over [`Tx`]; [`Database::write`] gives it one transaction and commits only when
//! it succeeds. A dry run is the same function whose transaction is [`Tx::discard`]ed.

pub mod blobs;
pub mod counters;
pub mod idempotency;
pub mod json;
pub mod migrations;
pub mod schema;
pub mod search;

use std::time::Duration;

use chrono::NaiveDate;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection, Pool};
use uuid::Uuid;

use super::error::{Error, Outcome};
use crate::kernel::{Clock, Ids, Instant};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Postgresql(PgConnection),
    Sqlite(SqliteConnection),
}

/// The common back end, for boxed queries.
pub type Backend = <AnyConnection as Connection>::Backend;

/// Writes one query text for both databases, where the enum itself cannot run it (batch insert, ON CONFLICT).
#[macro_export]
macro_rules! on_backend {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::platform::db::AnyConnection::Postgresql($c) => $body,
            $crate::platform::db::AnyConnection::Sqlite($c) => $body,
        }
    };
}

/// Rows inserted by one statement: well below the bind limits (32,766 on SQLite) for our widest table.
pub const BATCH: usize = 400;

/// Inserts rows in batches inside the caller's transaction.
#[macro_export]
macro_rules! insert_batches {
    ($tx:expr, $table:expr, $rows:expr) => {{
        use diesel::RunQueryDsl as _;
        let mut done = 0_usize;
        for chunk in $rows.chunks($crate::platform::db::BATCH) {
            done += $crate::on_backend!($tx.conn(), |c| diesel::insert_into($table).values(chunk).execute(c))?;
        }
        done
    }};
}

/// No transaction writes for longer: one that would is refused at its end. What a reader does not see of the instants
/// before this one can therefore no longer appear (`updated_since`).
pub const LONGEST_WRITE: chrono::Duration = chrono::Duration::minutes(5);

/// Where the data is and how it is reached.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// Connections: all of them on PostgreSQL, the readers on SQLite (its writer comes on top).
    pub connections: u32,
    /// How long a connection, or SQLite's write lock, is waited for.
    pub wait: Duration,
}

/// Why the database cannot be used, in words an administrator can act on.
#[derive(Debug, thiserror::Error)]
#[error("{problem}\n  → {remedy}")]
pub struct DatabaseFault {
    pub problem: String,
    pub remedy: String,
}

struct Connector {
    url: String,
    busy_ms: u128,
}

impl ManageConnection for Connector {
    type Connection = AnyConnection;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<AnyConnection, r2d2::Error> {
        match self.url.strip_prefix("sqlite://") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).map_err(r2d2::Error::ConnectionError)?;
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                     PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY; \
                     PRAGMA cache_size = -20000;",
                    self.busy_ms
                ))
                .map_err(r2d2::Error::QueryError)?;
                Ok(AnyConnection::Sqlite(conn))
            }
            None => {
                let mut conn = PgConnection::establish(&self.url).map_err(r2d2::Error::ConnectionError)?;
                conn.batch_execute("SET TIME ZONE 'UTC'").map_err(r2d2::Error::QueryError)?;
                Ok(AnyConnection::Postgresql(conn))
            }
        }
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), r2d2::Error> {
        diesel::sql_query("SELECT 1").execute(conn).map(|_| ()).map_err(r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        match conn {
            AnyConnection::Postgresql(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
            AnyConnection::Sqlite(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
        }
    }
}

/// The open database: cheap to clone, shared by every thread.
#[derive(Clone)]
pub struct Database {
    writers: Pool<Connector>,
    readers: Pool<Connector>,
    clock: Clock,
    ids: Ids,
}

impl Database {
    /// Opens the pools.
    ///
    /// # Errors
    /// A [`DatabaseFault`] that says what is wrong and how to mend it.
    pub fn open(settings: &DatabaseSettings, clock: Clock, ids: Ids) -> Result<Self, DatabaseFault> {
        let sqlite = settings.url.strip_prefix("sqlite://");
        if let Some(path) = sqlite {
            if let Some(folder) = std::path::Path::new(path).parent().filter(|f| !f.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).map_err(|e| DatabaseFault {
                    problem: format!("Le dossier {} de la base SQLite ne peut être créé : {e}", folder.display()),
                    remedy: "Créer ce dossier ou corriger database.url (DATABASE_URL).".into(),
                })?;
            }
        } else if !settings.url.starts_with("postgres://") && !settings.url.starts_with("postgresql://") {
            return Err(DatabaseFault {
                problem: format!("Adresse de base inconnue : {}", mask(&settings.url)),
                remedy: "Écrire sqlite://chemin ou postgres://utilisateur:motdepasse@hôte/base.".into(),
            });
        }
        let pool = |size: u32| {
            let connector = Connector { url: settings.url.clone(), busy_ms: settings.wait.as_millis() };
            Pool::builder()
                .max_size(size.max(1))
                .min_idle(Some(1))
                .connection_timeout(settings.wait)
                .test_on_check_out(false)
                .build(connector)
                .map_err(|e| DatabaseFault {
                    problem: format!("La base {} ne répond pas : {e}", mask(&settings.url)),
                    remedy: "Vérifier qu'elle est démarrée, l'adresse, le compte et le mot de passe.".into(),
                })
        };
        // SQLite has one writer at a time: waiting in the pool is fair, waiting on its lock is not.
        let writers = pool(if sqlite.is_some() { 1 } else { settings.connections })?;
        let readers = if sqlite.is_some() { pool(settings.connections)? } else { writers.clone() };
        Ok(Self { writers, readers, clock, ids })
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    #[must_use]
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Runs a use case in one writing transaction: committed when it succeeds and was not discarded.
    ///
    /// # Errors
    /// Whatever the use case returns; nothing is written then.
    pub fn write<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Outcome<T>) -> Outcome<T> {
        let mut conn = self.writers.get().map_err(|e| Error::Incident(format!("pool: {e}")))?;
        let conn = &mut *conn;
        match conn {
            // A deferred transaction that reads before it writes fails at once when another writer commits between.
            AnyConnection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?,
            AnyConnection::Postgresql(c) => AnsiTransactionManager::begin_transaction(c)?,
        }
        let mut tx = Tx { conn, now: self.clock.now(), ids: &self.ids, discarded: false };
        // A panic in the use case must not leave a transaction open on a pooled connection.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut tx)));
        let late = self.clock.now() > tx.now.plus(LONGEST_WRITE);
        let keep = matches!(&result, Ok(Ok(_))) && !tx.discarded && !late;
        let conn = tx.conn;
        let end = if keep {
            on_backend!(conn, |c| AnsiTransactionManager::commit_transaction(c))
        } else {
            on_backend!(conn, |c| AnsiTransactionManager::rollback_transaction(c))
        };
        match result {
            Ok(Ok(_)) if late => {
                end?;
                Err(Error::Incident(format!("a transaction of more than {LONGEST_WRITE} was undone")))
            }
            Ok(Ok(value)) => {
                end?;
                Ok(value)
            }
            Ok(Err(error)) => Err(error),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Runs a query on a reading connection, outside any writing transaction.
    ///
    /// # Errors
    /// Whatever the query returns.
    pub fn read<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Outcome<T>) -> Outcome<T> {
        let mut conn = self.readers.get().map_err(|e| Error::Incident(format!("pool: {e}")))?;
        let mut tx = Tx { conn: &mut conn, now: self.clock.now(), ids: &self.ids, discarded: false };
        work(&mut tx)
    }
}

/// Hides the password of an address in messages.
#[must_use]
pub fn mask(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}

/// One transaction: the connection, and the instant at which everything in it happens.
pub struct Tx<'c> {
    conn: &'c mut AnyConnection,
    now: Instant,
    ids: &'c Ids,
    discarded: bool,
}

impl Tx<'_> {
    pub fn conn(&mut self) -> &mut AnyConnection {
        self.conn
    }

    /// The instant of the transaction (UTC).
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The business day (Paris).
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.now.day()
    }

    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.ids.uuid(self.now)
    }

    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        self.ids.secret()
    }

    /// Makes the transaction a dry run: it ends by a rollback even when it succeeds.
    pub fn discard(&mut self) {
        self.discarded = true;
    }

    #[must_use]
    pub fn is_discarded(&self) -> bool {
        self.discarded
    }
}
