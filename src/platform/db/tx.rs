//! One transaction, as a use case sees it.

use chrono::NaiveDate;
use uuid::Uuid;

use super::AnyConnection;
use crate::kernel::{Clock, Ids, Instant};

/// One transaction: the connection, and the instant at which everything in it happens.
pub struct Tx<'c> {
    conn: &'c mut AnyConnection,
    now: Instant,
    ids: &'c Ids,
    discarded: bool,
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c mut AnyConnection, clock: &Clock, ids: &'c Ids) -> Self {
        Self { conn, now: clock.now(), ids, discarded: false }
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
