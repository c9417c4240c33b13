//! The migrations, embedded: twins for both databases.

use diesel::RunQueryDsl as _;
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

fn turn(c: &mut diesel::PgConnection, sql: &str) -> Result<(), DatabaseFault> {
    diesel::sql_query(sql).execute(c).map(|_| ()).map_err(|e| fault(&e))
}

impl Database {
    fn with_connection<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, DatabaseFault>,
    ) -> Result<T, DatabaseFault> {
        let mut session = self.session(&self.writers).map_err(|e| fault(&e))?;
        work(&mut session.conn)
    }

    /// Runs what is pending; returns how many ran.
    ///
    /// # Errors
    /// The database's own words.
    pub fn migrate(&self) -> Result<usize, DatabaseFault> {
        self.with_connection(|conn| {
            let ran: Harness = match conn {
                AnyConnection::Postgresql(c) => {
                    // Two instances that start together take turns: the second finds nothing left to do.
                    turn(c, "SELECT pg_advisory_lock(20250606)")?;
                    let ran = c.run_pending_migrations(POSTGRES).map(|v| v.len());
                    turn(c, "SELECT pg_advisory_unlock(20250606)")?;
                    ran
                }
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

    /// Whether migrations are pending. Asked on a reading connection: SQLite's one writer may be busy for long.
    ///
    /// # Errors
    /// The database's own words.
    pub fn has_pending_migrations(&self) -> Result<bool, DatabaseFault> {
        let mut session = self.session(&self.readers).map_err(|e| fault(&e))?;
        let pending = match &mut session.conn {
            AnyConnection::Postgresql(c) => c.has_pending_migration(POSTGRES),
            AnyConnection::Sqlite(c) => c.has_pending_migration(SQLITE),
        };
        if let Err(error) = &pending
            && let Some(error) = error.downcast_ref::<diesel::result::Error>()
        {
            self.note(&mut session, error);
        }
        pending.map_err(|e| fault(&e))
    }
}
