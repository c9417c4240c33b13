//! How slow the other side of a connection may be.

use std::time::{Duration, Instant};

/// How slow the other side may be.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Longest silence.
    pub stall: Duration,
    /// Least mean of bytes per second, once a silence's length has passed; 0 = none.
    pub least_rate: u64,
}

impl Pace {
    /// When to stop waiting for a transfer that began at `since`, last moved at `last` and moved `bytes` in all.
    #[must_use]
    pub fn until(self, since: Instant, last: Instant, bytes: u64) -> Instant {
        let silent = last + self.stall;
        match bytes.saturating_mul(1_000).checked_div(self.least_rate) {
            // What has come is worth this much time.
            Some(milliseconds) => silent.min(since + self.stall + Duration::from_millis(milliseconds)),
            None => silent,
        }
    }
}
