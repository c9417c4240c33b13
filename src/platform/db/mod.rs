//! One program, two databases: SQLite (embedded, the default) and PostgreSQL, chosen by the URL's scheme.
//!
//! ```text
//!   action ──▶ Tx ──▶ AnyConnection ──┬─▶ SQLite      one writer (BEGIN IMMEDIATE), a few readers
//!                                     └─▶ PostgreSQL  writers, and a few connections for readings
//! ```
//! A use case is a plain function over [`Tx`]; [`Database::write`] gives it one transaction and commits only when
//! it succeeds. A dry run is the same function whose transaction is [`Tx::discard`]ed.
//!
//! What is found falsified ends the use case, whose transaction is undone; then the alarm is raised, in a transaction of
//! its own ([`Database::on_falsified`]).

pub mod address;
pub mod backup;
pub mod blobs;
pub mod clock_watch;
mod connect;
mod connection;
pub mod counters;
pub mod files;
pub mod grants;
mod health;
pub mod idempotency;
pub mod identity;
mod in_the_way;
pub mod json;
pub mod lives;
pub mod migrations;
pub mod probe;
mod recognition;
pub mod retention;
pub mod schema;
pub mod search;
mod soundness;
mod tx;
pub mod unreadable;
mod writing;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{Pool, PoolError, PooledConnection};

use super::error::{Error, Falsified, Outcome};
use crate::kernel::{Clock, Ids};
use crate::on_backend;
use connect::Connector;
pub use connect::{DatabaseFault, DatabaseSettings, PostgresLimits, mask, sqlite_file};
pub use connection::{AnyConnection, Backend};
pub use health::{is_busy, is_full, is_lost};
use identity::Identity;
use probe::Probe;
pub use tx::{LONGEST_WRITE, Tx};
use unreadable::Rows;

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

/// How much of a pool is used, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    pub name: &'static str,
    pub in_use: u32,
    pub idle: u32,
    pub max: u32,
}

type Alarm = dyn Fn(&Database, &Falsified) + Send + Sync;

/// The open database: cheap to clone, shared by every thread.
#[derive(Clone)]
pub struct Database {
    writers: Pool<Connector>,
    readers: Pool<Connector>,
    /// Connections found dead so far.
    losses: Arc<AtomicUsize>,
    sqlite: bool,
    /// Which base this is, and whether its file is still there.
    identity: Arc<Identity>,
    probe: Arc<Probe>,
    /// Who is told of what was found falsified.
    alarm: Arc<OnceLock<Box<Alarm>>>,
    /// Where a row that cannot be read is looked for.
    rows: Arc<OnceLock<Vec<Rows>>>,
    /// How long SQLite waits for a lock that another process holds.
    busy: Duration,
    clock: Clock,
    ids: Ids,
}

impl Database {
    /// Opens the pools.
    ///
    /// # Errors
    /// A [`DatabaseFault`] that says what is wrong and how to mend it.
    pub fn open(settings: &DatabaseSettings, clock: Clock, ids: Ids) -> Result<Self, DatabaseFault> {
        let sqlite = settings.url.starts_with("sqlite://");
        if !sqlite && !settings.url.starts_with("postgres://") && !settings.url.starts_with("postgresql://") {
            return Err(DatabaseFault::new(
                format!("Adresse de base inconnue : {}", mask(&settings.url)),
                "Écrire sqlite://chemin ou postgres://utilisateur:motdepasse@hôte/base.",
            ));
        }
        let file = sqlite_file(&settings.url);
        if let Some(path) = file {
            connect::prepare_file(path, settings.create)?;
        }
        let losses = Arc::new(AtomicUsize::new(0));
        // SQLite has one writer at a time: waiting in the pool is fair, waiting on its lock is not.
        let writers = Connector::pool(settings, &losses, if sqlite { 1 } else { settings.connections }, 20_000)?;
        let readers = Connector::pool(settings, &losses, settings.readers, 4_000)?;
        let identity = Arc::new(Identity::of(file));
        let (probe, alarm, rows, busy) = (Arc::default(), Arc::default(), Arc::default(), settings.busy);
        Ok(Self { writers, readers, losses, sqlite, identity, probe, alarm, rows, busy, clock, ids })
    }

    /// Says who is told of what is found falsified; the first to say so stays.
    pub fn on_falsified(&self, alarm: impl Fn(&Self, &Falsified) + Send + Sync + 'static) {
        let _ = self.alarm.set(Box::new(alarm));
    }

    /// Says where to look for a row that cannot be read; the first to say so stays.
    pub fn on_unreadable(&self, rows: Vec<Rows>) {
        let _ = self.rows.set(rows);
    }

    /// Raises the alarm if that is how a use case ended. Its connection was given back: the alarm may need it.
    fn alarmed<T>(&self, result: Outcome<T>) -> Outcome<T> {
        let result = result.map_err(|error| self.named(error));
        if let Err(Error::Falsified(found)) = &result {
            self.raise(found);
        }
        result
    }

    /// Raises the alarm for something falsified that a use case found and could leave aside.
    pub fn raise(&self, found: &Falsified) {
        tracing::error!(kind = found.kind, key = %found.key, fault = %found.fault, "something frozen was falsified");
        if let Some(alarm) = self.alarm.get() {
            alarm(self, found);
        }
    }

    /// Names the row, when a use case ended on one that cannot be read or that stands in its way.
    fn named(&self, error: Error) -> Error {
        let (Error::Database(cause), Some(rows)) = (&error, self.rows.get()) else { return error };
        if let Some(found) = in_the_way::found(cause, rows) {
            return Error::Falsified(Box::new(found));
        }
        if !unreadable::is_unreadable(cause) {
            return error;
        }
        match self.seen(|tx| Ok(unreadable::find(tx, rows)?)) {
            Ok(Some(found)) => Error::Falsified(Box::new(found)),
            Ok(None) => error,
            Err(other) => {
                tracing::error!(cause = %other, "the row that cannot be read was not found");
                error
            }
        }
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
        vec![state(if self.sqlite { "writer" } else { "writers" }, &self.writers), state("readers", &self.readers)]
    }

    /// A connection that writes, once one is free.
    fn writer(&self) -> Outcome<PooledConnection<Connector>> {
        self.alive(|| self.writers.get().map_err(|e| not_had(&e)))
    }

    /// A connection that reads. Writers never take those of the readers; readers borrow a writer that does nothing, and
    /// PostgreSQL's whole number serves a busy hour of readings.
    fn reader(&self) -> Outcome<PooledConnection<Connector>> {
        self.alive(|| {
            let idle = self.readers.try_get().or_else(|| if self.sqlite { None } else { self.writers.try_get() });
            idle.map_or_else(|| self.readers.get().map_err(|e| not_had(&e)), Ok)
        })
    }

    /// A connection that was alive when last heard of.
    fn alive(&self, get: impl Fn() -> Outcome<PooledConnection<Connector>>) -> Outcome<PooledConnection<Connector>> {
        loop {
            let mut session = get()?;
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
        // What is written to a file that was removed is lost with it.
        self.identity.file_is_there().map_err(|gone| Error::Incident(format!("pool: {gone}")))?;
        let mut again = true;
        loop {
            let mut session = self.writer()?;
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
        self.alarmed(self.written(work))
    }

    fn written<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Outcome<T>) -> Outcome<T> {
        let mut session = self.begun()?;
        let mut tx = Tx::new(&mut session.conn, &self.clock, &self.ids);
        // A panic in the use case must not leave a transaction open on a pooled connection.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut tx)));
        let late = self.clock.now() > tx.began().plus(LONGEST_WRITE);
        let keep = matches!(&result, Ok(Ok(_))) && !tx.is_discarded() && !late;
        let conn = tx.conn();
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
        let mut session = self.writer()?;
        if let AnyConnection::Sqlite(c) = &mut session.conn {
            c.batch_execute("PRAGMA shrink_memory")?;
        }
        Ok(())
    }

    /// Runs a query on a reading connection, outside any writing transaction.
    ///
    /// # Errors
    /// Whatever the query returns.
    pub fn read<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Outcome<T>) -> Outcome<T> {
        self.alarmed(self.seen(work))
    }

    fn seen<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Outcome<T>) -> Outcome<T> {
        let mut session = self.reader()?;
        let mut tx = Tx::new(&mut session.conn, &self.clock, &self.ids);
        let result = work(&mut tx);
        if let Err(Error::Database(error)) = &result {
            self.note(&mut session, error);
        }
        result
    }
}

/// Why the pool gave no connection: all of them are used, or none can be made.
fn not_had(error: &PoolError) -> Error {
    // The pool adds the cause of its last failure to connect, if there was one.
    let told = error.to_string();
    if told.contains(": ") && !told.contains("too many clients") && !told.contains("trop de clients") {
        Error::Incident(format!("pool: {told}"))
    } else {
        tracing::warn!(cause = %told, "every connection to the database is in use");
        Error::Busy
    }
}
