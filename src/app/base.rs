//! How the database is reached.

use std::time::Duration;

use super::StartFault;
use crate::config::Config;
use crate::platform::db::{DatabaseSettings, PostgresLimits};

/// How the database is reached, by the configuration.
///
/// # Errors
/// The password file cannot be read.
pub fn database_settings(config: &Config, create: bool) -> Result<DatabaseSettings, StartFault> {
    let url = config.database_url().map_err(|fault| StartFault::Config(vec![fault]))?;
    let database = &config.database;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Ok(DatabaseSettings {
        connections: database.postgres_connections,
        readers: if url.starts_with("sqlite:") { database.sqlite_readers } else { database.postgres_readers },
        wait: Duration::from_secs(database.pool_timeout_seconds),
        busy: Duration::from_millis(database.busy_timeout_milliseconds.into()),
        postgres: PostgresLimits {
            application_name: database.application_name.clone(),
            connect: seconds(database.postgres_connect_timeout_seconds),
            lock: seconds(database.postgres_lock_timeout_seconds),
            statement: seconds(database.postgres_statement_timeout_seconds),
            idle_in_transaction: seconds(database.postgres_idle_timeout_seconds),
            silence: seconds(database.postgres_silence_seconds),
        },
        create,
        url,
    })
}
