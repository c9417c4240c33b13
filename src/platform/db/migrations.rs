//! The migrations, embedded: twins for both databases.

use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{AnyConnection, Database, DatabaseFault};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

type Harness = Result<usize, Box<dyn std::error::Error + Send + Sync>>;

fn fault(e: &dyn std::fmt::Display) -> DatabaseFault {
    DatabaseFault {
        problem: format!("Migration de la base impossible : {e}"),
        remedy: "Vérifier les droits du compte ; la base reste à son état précédent.".into(),
    }
}

impl Database {
    fn with_connection<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, DatabaseFault>,
    ) -> Result<T, DatabaseFault> {
        let mut conn = self.writers.get().map_err(|e| fault(&e))?;
        work(&mut conn)
    }

    /// True on SQLite, which the program migrates by itself.
    pub fn is_sqlite(&self) -> bool {
        self.with_connection(|c| Ok(matches!(c, AnyConnection::Sqlite(_)))).unwrap_or(false)
    }

    /// Runs what is pending; returns how many ran.
    ///
    /// # Errors
    /// The database's own words.
    pub fn migrate(&self) -> Result<usize, DatabaseFault> {
        self.with_connection(|conn| {
            let ran: Harness = match conn {
                AnyConnection::Postgresql(c) => c.run_pending_migrations(POSTGRES).map(|v| v.len()),
                AnyConnection::Sqlite(c) => c.run_pending_migrations(SQLITE).map(|v| v.len()),
            };
            ran.map_err(|e| fault(&e))
        })
    }

    /// Reverts everything; returns how many ran. For the migration tests.
    ///
    /// # Errors
    /// The database's own words.
    pub fn revert_all(&self) -> Result<usize, DatabaseFault> {
        self.with_connection(|conn| {
            let ran: Harness = match conn {
                AnyConnection::Postgresql(c) => c.revert_all_migrations(POSTGRES).map(|v| v.len()),
                AnyConnection::Sqlite(c) => c.revert_all_migrations(SQLITE).map(|v| v.len()),
            };
            ran.map_err(|e| fault(&e))
        })
    }

    /// Whether migrations are pending.
    ///
    /// # Errors
    /// The database's own words.
    pub fn has_pending_migrations(&self) -> Result<bool, DatabaseFault> {
        self.with_connection(|conn| {
            let pending = match conn {
                AnyConnection::Postgresql(c) => c.has_pending_migration(POSTGRES),
                AnyConnection::Sqlite(c) => c.has_pending_migration(SQLITE),
            };
            pending.map_err(|e| fault(&e))
        })
    }
}
