//! Does writing still work? A row of its own is written and committed, at most every few seconds.
//!
//! A disk may be full, a file system turned read-only, a standby taken for its primary: reading shows none of it. Who
//! finds the writer busy with a long act learns nothing, waits for it no longer than half a second, and says so.

use std::io::Write as _;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use super::connection::AnyConnection;
use super::probe::Writing;
use super::schema::write_probe;
use super::{Database, not_had};
use crate::platform::error::{Error, Outcome};

/// How long the writer is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// Room asked of the disk beside SQLite's file, whose log may still hold room of its own: a document and its row.
const ROOM: usize = 256 * 1024;

impl Database {
    /// Writes a row of its own, unless this was done a moment ago.
    #[must_use]
    pub fn try_write(&self) -> Writing {
        self.probe.ask(|| self.write_a_row())
    }

    fn write_a_row(&self) -> Outcome<()> {
        self.identity.file_is_there().map_err(Error::Incident)?;
        if let Some(folder) = self.identity.folder() {
            let room = tempfile::tempfile_in(folder).and_then(|mut file| {
                file.write_all(&vec![0x5a; ROOM])?;
                file.sync_data()
            });
            room.map_err(|e| Error::Incident(format!("no room in {}: {e}", folder.display())))?;
        }
        let now = self.clock.now();
        let mut session = self.alive(|| self.writers.get_timeout(PATIENCE).map_err(|e| not_had(&e)))?;
        let written = match &mut session.conn {
            AnyConnection::Sqlite(c) => {
                c.batch_execute(&format!("PRAGMA busy_timeout = {}", PATIENCE.as_millis()))?;
                let written = c.immediate_transaction(|c| {
                    diesel::update(write_probe::table).set(write_probe::written_at.eq(now)).execute(c)
                });
                c.batch_execute(&format!("PRAGMA busy_timeout = {}", self.busy.as_millis()))?;
                written
            }
            AnyConnection::Postgresql(c) => c.transaction(|c| {
                c.batch_execute("SET LOCAL lock_timeout = 500; SET LOCAL statement_timeout = 2000")?;
                diesel::update(write_probe::table).set(write_probe::written_at.eq(now)).execute(c)
            }),
        };
        match written {
            Ok(1) => Ok(()),
            Ok(rows) => Err(Error::Incident(format!("table write_probe: {rows} rows"))),
            Err(error) => {
                self.note(&mut session, &error);
                Err(error.into())
            }
        }
    }
}
