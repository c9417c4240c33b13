//! One program, two databases: SQLite (embedded, the default) and PostgreSQL, chosen by the URL's scheme.
//!
//! ```text
//!   action ──▶ Tx ──▶ AnyConnection ──┬─▶ SQLite      one writer (BEGIN IMMEDIATE), a few readers
//!                                     └─▶ PostgreSQL  one pool
//! ```
//! A use case is a plain function over [`Tx`]; [`Database::write`] gives it one transaction and commits only when
//! it succeeds. A dry run is the same function whose transaction is [`Tx::discard`]ed.
//!
//! Over 400 lines: pools, the health of their connections and transactions hold each other's hands.

pub mod blobs;
pub mod counters;
pub mod idempotency;
pub mod json;
pub mod migrations;
pub mod schema;
pub mod search;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::NaiveDate;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection, Pool, PooledConnection};
use diesel::result::DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
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

/// `($1, $2), ($3, $4)`: parameters of some rows, for the statements in number diesel has no words for.
///
/// To SQLite `$1` is a name: parameters are bound in the order they appear, so `first` counts those that stand before.
#[must_use]
pub fn placeholders(first: usize, rows: usize, columns: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(rows * columns * 7);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}${}", if column == 0 { "" } else { ", " }, first + row * columns + column);
        }
        text.push(')');
    }
    text
}

/// Inserts rows in batches inside the caller's transaction.
///
/// Rows derive `Insertable` with `treat_none_as_default_value = false`: SQLite knows no `DEFAULT` among values, and
/// diesel would write rows that may hold one by one.
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
    /// How long a connection of the pool is waited for.
    pub wait: Duration,
    /// How long SQLite waits for a lock that another process holds.
    pub busy: Duration,
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
    losses: Arc<AtomicUsize>,
    /// KiB of pages a SQLite connection may keep. The system caches the file for the readers; the writer holds what a
    /// use case in number changes until it commits.
    cache_kib: u32,
}

/// A pooled connection, and what is known of its health.
///
/// Asking the server before each use would cost a round trip. It is asked only of connections older than the last loss:
/// when PostgreSQL restarts, the first one found dead makes all the others suspect.
struct Session {
    conn: AnyConnection,
    /// Losses known when it was last seen alive.
    seen: usize,
    lost: bool,
}

/// Whether an error means that the connection leads nowhere any more.
#[must_use]
pub fn is_lost(error: &diesel::result::Error) -> bool {
    matches!(error, diesel::result::Error::DatabaseError(ClosedConnection | UnableToSendCommand, _))
}

impl Connector {
    fn open(&self) -> Result<AnyConnection, r2d2::Error> {
        match self.url.strip_prefix("sqlite://") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).map_err(r2d2::Error::ConnectionError)?;
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                     PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY; \
                     PRAGMA cache_size = -{};",
                    self.busy_ms, self.cache_kib
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
}

impl ManageConnection for Connector {
    type Connection = Session;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<Session, r2d2::Error> {
        let seen = self.losses.load(Ordering::Relaxed);
        Ok(Session { conn: self.open()?, seen, lost: false })
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), r2d2::Error> {
        diesel::sql_query("SELECT 1").execute(&mut session.conn).map(|_| ()).map_err(r2d2::Error::QueryError)
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        session.lost
            || match &mut session.conn {
                AnyConnection::Postgresql(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
                AnyConnection::Sqlite(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
            }
    }
}

/// How much of a pool is used, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    pub name: &'static str,
    pub in_use: u32,
    pub idle: u32,
    pub max: u32,
}

/// The open database: cheap to clone, shared by every thread.
#[derive(Clone)]
pub struct Database {
    writers: Pool<Connector>,
    readers: Pool<Connector>,
    /// Connections found dead so far.
    losses: Arc<AtomicUsize>,
    sqlite: bool,
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
        let losses = Arc::new(AtomicUsize::new(0));
        let pool = |size: u32, cache_kib: u32| {
            let (url, losses) = (settings.url.clone(), Arc::clone(&losses));
            let connector = Connector { url, busy_ms: settings.busy.as_millis(), losses, cache_kib };
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
        let writers = pool(if sqlite.is_some() { 1 } else { settings.connections }, 20_000)?;
        let readers = if sqlite.is_some() { pool(settings.connections, 4_000)? } else { writers.clone() };
        Ok(Self { writers, readers, losses, sqlite: sqlite.is_some(), clock, ids })
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    #[must_use]
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// True on SQLite, which the program migrates by itself.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        self.sqlite
    }

    /// How much of each pool is used now.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolUse> {
        let state = |name, pool: &Pool<Connector>| {
            let (now, max) = (pool.state(), pool.max_size());
            PoolUse { name, in_use: now.connections - now.idle_connections, idle: now.idle_connections, max }
        };
        if self.sqlite {
            vec![state("writer", &self.writers), state("readers", &self.readers)]
        } else {
            vec![state("all", &self.writers)]
        }
    }

    /// A connection that was alive when last heard of.
    fn session(&self, pool: &Pool<Connector>) -> Outcome<PooledConnection<Connector>> {
        loop {
            let mut session = pool.get().map_err(|e| Error::Incident(format!("pool: {e}")))?;
            let losses = self.losses.load(Ordering::Relaxed);
            if session.seen == losses {
                return Ok(session);
            }
            match diesel::sql_query("SELECT 1").execute(&mut session.conn) {
                Ok(_) => {
                    session.seen = losses;
                    return Ok(session);
                }
                // Dropped, and replaced by a new one; when there is none to be had, `get` says so.
                Err(_) => session.lost = true,
            }
        }
    }

    /// Notes that a connection was lost: it is not used again, and the others are asked before they are.
    fn note(&self, session: &mut PooledConnection<Connector>, error: &diesel::result::Error) {
        if is_lost(error) {
            session.lost = true;
            self.losses.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(cause = %error, "a connection to the database was lost");
        }
    }

    /// A connection with a transaction open on it.
    fn begun(&self) -> Outcome<PooledConnection<Connector>> {
        let mut again = true;
        loop {
            let mut session = self.session(&self.writers)?;
            let begun = match &mut session.conn {
                // A deferred transaction that reads before it writes fails at once when another writer commits between.
                AnyConnection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
                AnyConnection::Postgresql(c) => AnsiTransactionManager::begin_transaction(c),
            };
            match begun {
                Ok(()) => return Ok(session),
                // Nothing was done yet on a connection that died while it was idle: another serves as well.
                Err(error) => {
                    self.note(&mut session, &error);
                    if !(again && is_lost(&error)) {
                        return Err(error.into());
                    }
                    again = false;
                }
            }
        }
    }

    /// Runs a use case in one writing transaction: committed when it succeeds and was not discarded.
    ///
    /// # Errors
    /// Whatever the use case returns; nothing is written then.
    pub fn write<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Outcome<T>) -> Outcome<T> {
        let mut session = self.begun()?;
        let mut tx = Tx { conn: &mut session.conn, now: self.clock.now(), ids: &self.ids, discarded: false };
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
        match (&result, &end) {
            (Ok(Err(Error::Database(error))), _) | (_, Err(error)) => self.note(&mut session, error),
            _ => {}
        }
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

    /// Gives back the memory that work in number left in SQLite's writer; for quiet moments.
    ///
    /// # Errors
    /// The database's own.
    pub fn rest(&self) -> Outcome<()> {
        let mut conn = self.writers.get().map_err(|e| Error::Incident(format!("pool: {e}")))?;
        if let AnyConnection::Sqlite(c) = &mut conn.conn {
            c.batch_execute("PRAGMA shrink_memory")?;
        }
        Ok(())
    }

    /// Runs a query on a reading connection, outside any writing transaction.
    ///
    /// # Errors
    /// Whatever the query returns.
    pub fn read<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Outcome<T>) -> Outcome<T> {
        let mut session = self.session(&self.readers)?;
        let mut tx = Tx { conn: &mut session.conn, now: self.clock.now(), ids: &self.ids, discarded: false };
        let result = work(&mut tx);
        if let Err(Error::Database(error)) = &result {
            self.note(&mut session, error);
        }
        result
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
