//! How one connection is made, and what is in force on each: a commit outlives a power cut, no wait is endless.
//!
//! ```text
//!   SQLite       one writer (BEGIN IMMEDIATE), a few readers      FULL sync, WAL, foreign keys, 0600
//!   PostgreSQL   writers, and a few connections for readings      lock, statement, idle and network limits
//! ```
//! Limits of PostgreSQL are those of one statement or one wait, not of a transaction: an act in number is many
//! statements, and takes as long as [`super::LONGEST_WRITE`] allows.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection, Pool};

use super::address;
use super::connection::AnyConnection;
use crate::platform::files;

/// Where the data is and how it is reached.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// Connections of PostgreSQL that write; SQLite has one.
    pub connections: u32,
    /// Connections kept for readings; those that write never take them.
    pub readers: u32,
    /// How long a connection of the pool is waited for.
    pub wait: Duration,
    /// How long SQLite waits for a lock that another process holds.
    pub busy: Duration,
    pub postgres: PostgresLimits,
    /// Whether a SQLite file that is not there is made.
    pub create: bool,
}

/// What bounds each connection to PostgreSQL. Zero: no bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresLimits {
    /// What the server calls us in `pg_stat_activity`.
    pub application_name: String,
    /// How long opening a connection may take.
    pub connect: Duration,
    /// How long one statement waits for a lock.
    pub lock: Duration,
    /// How long one statement runs, waits included.
    pub statement: Duration,
    /// How long a transaction may stand still between two statements.
    pub idle_in_transaction: Duration,
    /// How long a server that says nothing is believed to be there.
    pub silence: Duration,
}

impl Default for PostgresLimits {
    fn default() -> Self {
        Self {
            application_name: "ent-backoffice".to_owned(),
            connect: Duration::from_secs(5),
            lock: Duration::from_secs(10),
            statement: Duration::from_secs(60),
            idle_in_transaction: Duration::from_secs(60),
            silence: Duration::from_secs(60),
        }
    }
}

impl DatabaseSettings {
    /// An address, reached as the shipped configuration does; a new SQLite file may be made.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connections: 12,
            readers: 4,
            wait: Duration::from_secs(10),
            busy: Duration::from_secs(5),
            postgres: PostgresLimits::default(),
            create: true,
        }
    }
}

/// Why the database cannot be used, in words an administrator can act on.
#[derive(Debug, thiserror::Error)]
#[error("{problem}\n  → {remedy}")]
pub struct DatabaseFault {
    pub problem: String,
    pub remedy: String,
}

impl DatabaseFault {
    /// A fault and its remedy.
    pub fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }
}

/// Opens the connections of a pool.
pub(super) struct Connector {
    url: String,
    busy_ms: u128,
    postgres: PostgresLimits,
    losses: Arc<AtomicUsize>,
    /// KiB of pages a SQLite connection may keep. The system caches the file for the readers; the writer holds what a
    /// use case in number changes until it commits.
    cache_kib: u32,
}

/// A pooled connection, and what is known of its health.
///
/// Asking the server before each use would cost a round trip. It is asked only of connections older than the last loss:
/// when PostgreSQL restarts, the first one found dead makes all the others suspect.
pub(super) struct Session {
    pub(super) conn: AnyConnection,
    /// Losses known when it was last seen alive.
    pub(super) seen: usize,
    pub(super) lost: bool,
}

impl Connector {
    /// A pool of them, whose connections are made when needed.
    pub(super) fn pool(
        settings: &DatabaseSettings,
        losses: &Arc<AtomicUsize>,
        size: u32,
        cache_kib: u32,
    ) -> Result<Pool<Self>, DatabaseFault> {
        let connector = Self {
            url: settings.url.clone(),
            busy_ms: settings.busy.as_millis(),
            postgres: settings.postgres.clone(),
            losses: Arc::clone(losses),
            cache_kib,
        };
        let pool = Pool::builder()
            .max_size(size.max(1))
            // None in advance: a connection that nobody waits for would still be opening when a short command ends, and
            // the libraries below it (Kerberos, TLS) abort a process that exits meanwhile.
            .min_idle(Some(0))
            .connection_timeout(settings.wait)
            .test_on_check_out(false)
            .build(connector);
        // The first one is had before anything is said to work; it stays for whoever comes first.
        pool.and_then(|pool| pool.get().map(drop).map(|()| pool)).map_err(|e| {
            DatabaseFault::new(
                format!("La base {} ne répond pas : {e}", mask(&settings.url)),
                "Vérifier qu'elle est démarrée, l'adresse, le compte et le mot de passe.",
            )
        })
    }

    fn open(&self) -> Result<AnyConnection, r2d2::Error> {
        match self.url.strip_prefix("sqlite://") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).map_err(r2d2::Error::ConnectionError)?;
                // FULL: WAL with NORMAL may lose acknowledged commits at a power cut, and give a reference twice.
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY; \
                     PRAGMA cache_size = -{};",
                    self.busy_ms, self.cache_kib
                ))
                .map_err(r2d2::Error::QueryError)?;
                Ok(AnyConnection::Sqlite(conn))
            }
            None => {
                let url = self.postgres.address(&self.url);
                let mut conn = PgConnection::establish(&url).map_err(r2d2::Error::ConnectionError)?;
                conn.batch_execute(&self.postgres.settings()).map_err(r2d2::Error::QueryError)?;
                Ok(AnyConnection::Postgresql(conn))
            }
        }
    }
}

impl PostgresLimits {
    /// The address with what libpq is to know before it connects.
    fn address(&self, url: &str) -> String {
        let silence = self.silence.as_secs();
        let mut defaults = vec![
            ("application_name", self.application_name.clone()),
            ("connect_timeout", self.connect.as_secs().to_string()),
            // TLS is what protects the wire here; looking for a Kerberos ticket costs each connection, and its library
            // does not bear a process that ends meanwhile. An address may still ask for it.
            ("gssencmode", "disable".to_owned()),
        ];
        if silence > 0 {
            // Half of the time in silence, then three questions; and as long for what we sent and nobody received.
            defaults.extend([
                ("keepalives", "1".to_owned()),
                ("keepalives_idle", (silence / 2).max(1).to_string()),
                ("keepalives_interval", (silence / 6).max(1).to_string()),
                ("keepalives_count", "3".to_owned()),
                ("tcp_user_timeout", self.silence.as_millis().to_string()),
            ]);
        }
        if !address::names_a_host(url) {
            // Means nothing on a socket; and if PGHOST led elsewhere, not in clear.
            defaults.push(("sslmode", "require".to_owned()));
        }
        address::with_defaults(url, &defaults)
    }

    /// What is said once connected. Synchronous commit: a server that was told to acknowledge before it has written
    /// would lose references at a power cut; stronger settings are left as they are.
    fn settings(&self) -> String {
        format!(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'; \
             SET TIME ZONE 'UTC'; SET lock_timeout = {}; SET statement_timeout = {}; \
             SET idle_in_transaction_session_timeout = {}",
            self.lock.as_millis(),
            self.statement.as_millis(),
            self.idle_in_transaction.as_millis()
        )
    }
}

/// Lifts every limit of a connection, for work that may take hours; it is not used for anything else afterwards.
pub(super) const UNHURRIED: &str =
    "SET lock_timeout = 0; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

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

/// The file of a SQLite address; none for PostgreSQL and for what SQLite reads as something else than a plain path.
#[must_use]
pub fn sqlite_file(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite://")?;
    (!path.starts_with("file:") && path != ":memory:" && !path.is_empty()).then(|| Path::new(path))
}

/// Makes sure that the file of a SQLite base is there when it may be made, and that nobody else reads it.
///
/// SQLite gives its log and its index (`-wal`, `-shm`) the mode of the base.
pub(super) fn prepare_file(path: &Path, create: bool) -> Result<(), DatabaseFault> {
    let empty = path.metadata().map_or(true, |metadata| metadata.len() == 0);
    if empty && !create {
        return Err(DatabaseFault::new(
            format!("La base {} n'existe pas encore, alors qu'elle est attendue ici", path.display()),
            "Vérifier database.url (DATABASE_URL) et que le volume est monté. Pour une toute première base : \
             « ent-backoffice migrate --create », ou « serve --create ».",
        ));
    }
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        files::private_folder(folder).map_err(|e| {
            DatabaseFault::new(
                format!(
                    "Le dossier {} de la base SQLite ne peut être créé : {}",
                    folder.display(),
                    crate::kernel::system::said(&e)
                ),
                "Créer ce dossier ou corriger database.url (DATABASE_URL).",
            )
        })?;
    }
    match files::private_file(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(DatabaseFault::new(
                format!("La base {} ne peut être créée : {}", path.display(), crate::kernel::system::said(&error)),
                "Donner au compte du programme le droit d'écrire dans ce dossier, ou corriger database.url.",
            ));
        }
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let part = Path::new(&name);
        match files::close_to_others(part) {
            Ok(true) => tracing::warn!(file = %part.display(), "was readable by other accounts; it no longer is"),
            Ok(false) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => tracing::warn!(file = %part.display(), %cause, "may be readable by other accounts"),
        }
    }
    Ok(())
}

/// Hides the password of an address in messages.
#[must_use]
pub fn mask(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_what_it_does_not_say_itself() {
        let limits = PostgresLimits::default();
        let silent = limits.address("postgres://ent@db/ent");
        assert!(silent.contains("gssencmode=disable") && silent.contains("connect_timeout=5"), "{silent}");
        let kerberos = limits.address("postgres://ent@db/ent?gssencmode=require");
        assert!(kerberos.contains("gssencmode=require") && !kerberos.contains("disable"), "{kerberos}");
    }
}
