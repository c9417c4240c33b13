//! One transaction, as a use case sees it.

use chrono::{Duration, NaiveDate};
use uuid::Uuid;

use super::connection::AnyConnection;
use crate::kernel::{Clock, Ids, Instant};

/// No transaction writes for longer: one that would is refused at its end. What a reader does not see of the instants
/// before this one can therefore no longer appear (`updated_since`).
pub const LONGEST_WRITE: chrono::Duration = chrono::Duration::minutes(5);

/// One transaction: the connection, and the instant at which what is in it happens: that of its beginning, or of the last
/// lock it waited for.
pub struct Tx<'c> {
    conn: &'c mut AnyConnection,
    clock: &'c Clock,
    began: Instant,
    now: Instant,
    /// Names of the locks it holds.
    held: Vec<String>,
    ids: &'c Ids,
    discarded: bool,
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c mut AnyConnection, clock: &'c Clock, ids: &'c Ids) -> Self {
        let now = clock.now();
        Self { conn, clock, began: now, now, held: Vec::new(), ids, discarded: false }
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// A lock is had, perhaps after a wait: what comes next happens now. SQLite has one writer, who waited before the
    /// transaction began.
    pub(super) fn holds(&mut self, name: &str) {
        if self.held.iter().any(|held| held == name) {
            return;
        }
        self.held.push(name.to_owned());
        if matches!(self.conn, AnyConnection::Postgresql(_)) {
            self.now = self.now.max(self.clock.now());
        }
    }

    /// Whether the instant of the transaction comes after another, or so little before that it is made to.
    pub(super) fn follows(&mut self, other: Instant, skew: Duration) -> bool {
        if other > self.now.plus(skew) {
            return false;
        }
        self.now = self.now.max(other);
        true
    }

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
