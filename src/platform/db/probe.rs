//! Does writing still work? What the last try showed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Stopwatch};

use crate::platform::error::{Error, Outcome};

/// What was found is believed for this long; a failure never is.
pub const BELIEVED: Duration = Duration::from_secs(5);

/// What trying to write showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    Works,
    /// Somebody else writes: nothing is known, and nothing is wrong.
    Busy,
    Fails,
}

/// What was found last.
#[derive(Default)]
pub(super) struct Probe(Mutex<Option<(Stopwatch, Writing)>>);

impl Probe {
    /// What a try shows, unless one was made a moment ago. Those who ask at the same time share one answer.
    pub(super) fn ask(&self, write: impl FnOnce() -> Outcome<()>) -> Writing {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, found)) = *last
            && found != Writing::Fails
            && at.elapsed() < BELIEVED
        {
            return found;
        }
        let found = match write() {
            Ok(()) => Writing::Works,
            Err(Error::Busy) => Writing::Busy,
            Err(cause) => {
                tracing::error!(%cause, "the database cannot be written");
                Writing::Fails
            }
        };
        *last = Some((Stopwatch::now(), found));
        found
    }
}
