//! The migrations, embedded: twins for both databases.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection as _;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connect::UNHURRIED;
use super::connection::AnyConnection;
use super::identity::has_table;
use super::{Database, DatabaseFault};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

type Harness = Result<usize, Box<dyn std::error::Error + Send + Sync>>;

pub(super) fn fault(e: &dyn std::fmt::Display) -> DatabaseFault {
    DatabaseFault {
        problem: format!("Migration de la base impossible : {e}"),
        remedy:
            "Vérifier les droits du compte (sur PostgreSQL, les migrations se lancent avec le rôle propriétaire) ; \
                 la base reste à son état précédent."
                .into(),
    }
}

fn turn(c: &mut diesel::PgConnection, sql: &str) -> Result<(), DatabaseFault> {
    diesel::sql_query(sql).execute(c).map(|_| ()).map_err(|e| fault(&e))
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

/// The migrations that ran here. Asked so that a role without any right to make tables may ask.
pub(super) fn applied(conn: &mut AnyConnection) -> QueryResult<BTreeSet<String>> {
    if !has_table(conn, "__diesel_schema_migrations")? {
        return Ok(BTreeSet::new());
    }
    let versions: Vec<String> =
        __diesel_schema_migrations::table.select(__diesel_schema_migrations::version).load(conn)?;
    Ok(versions.into_iter().collect())
}

/// The migrations this program knows.
pub(super) fn known(conn: &AnyConnection) -> Result<BTreeSet<String>, DatabaseFault> {
    let versions = match conn {
        AnyConnection::Postgresql(_) => MigrationSource::<Pg>::migrations(&POSTGRES)
            .map(|all| all.iter().map(|m| m.name().version().to_string()).collect()),
        AnyConnection::Sqlite(_) => MigrationSource::<Sqlite>::migrations(&SQLITE)
            .map(|all| all.iter().map(|m| m.name().version().to_string()).collect()),
    };
    versions.map_err(|e| fault(&e))
}

impl Database {
    fn with_connection<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, DatabaseFault>,
    ) -> Result<T, DatabaseFault> {
        let mut session = self.writer().map_err(|e| fault(&e))?;
        if let AnyConnection::Postgresql(c) = &mut session.conn {
            // A migration may rewrite years of rows, and waits for the instance that migrates before it.
            c.batch_execute(UNHURRIED).map_err(|e| fault(&e))?;
            session.lost = true;
        }
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

    /// How many migrations ran here.
    ///
    /// # Errors
    /// The database's own words.
    pub fn applied(&self) -> Result<usize, DatabaseFault> {
        let mut session = self.reader().map_err(|e| fault(&e))?;
        applied(&mut session.conn).map(|all| all.len()).map_err(|e| fault(&e))
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
        let mut session = self.reader().map_err(|e| fault(&e))?;
        let known = known(&session.conn)?;
        let applied = applied(&mut session.conn).inspect_err(|error| self.note(&mut session, error));
        applied.map(|applied| !known.is_subset(&applied)).map_err(|e| fault(&e))
    }
}
