//! How failed attempts slow down those that follow: pure arithmetic on one counter.
//!
//! ```text
//!   failures   1 … free - 1      free    free + 1   free + 2    …
//!   wait       none              5 s     10 s       20 s        … up to `longest`
//! ```
//! Nobody is locked out for a fixed time, and what is asked while waiting does not make the wait longer. A counter is
//! forgotten when nothing failed for the window, or for four times its last wait.

use chrono::Duration;

use crate::kernel::Instant;

/// The first wait; each failure more doubles it.
const FIRST_WAIT: Duration = Duration::seconds(5);

/// How much is forgiven, and how long the wait may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Failures up to the first wait; 1 = the first failure already.
    pub free: u32,
    pub longest: Duration,
    /// Without a failure for so long, the counter is forgotten.
    pub window: Duration,
}

/// One counter, as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    pub failures: i64,
    /// Nothing is tried before.
    pub free_at: Instant,
    pub forget_at: Instant,
}

impl Brake {
    /// Seconds to wait, if any.
    #[must_use]
    pub fn seconds(&self, now: Instant) -> Option<i64> {
        (self.free_at > now).then(|| (self.free_at.timestamp() - now.timestamp()).max(1))
    }
}

impl Rule {
    fn wait(self, failures: i64) -> Duration {
        let beyond = failures - i64::from(self.free);
        let Ok(doublings) = u32::try_from(beyond) else { return Duration::zero() };
        let factor = 2_i32.checked_pow(doublings).unwrap_or(i32::MAX);
        FIRST_WAIT.checked_mul(factor).unwrap_or(self.longest).min(self.longest)
    }

    /// The counter after so many failures, the last of them now.
    #[must_use]
    pub fn after(self, failures: i64, now: Instant) -> Brake {
        let wait = self.wait(failures);
        let kept = self.window.max(wait.checked_mul(4).unwrap_or(self.window));
        Brake { failures, free_at: now.plus(wait), forget_at: now.plus(kept) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: Rule = Rule { free: 5, longest: Duration::minutes(15), window: Duration::minutes(15) };

    fn now() -> Instant {
        Instant::parse("2025-06-05T08:00:00Z").unwrap()
    }

    #[test]
    fn the_wait_doubles_from_the_last_free_failure_on() {
        let waits: Vec<_> = (1..=14).map(|n| RULE.after(n, now()).seconds(now())).collect();
        let expected = [0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900];
        assert_eq!(waits, expected.map(|s| (s > 0).then_some(s)));
    }

    #[test]
    fn a_wait_ends_and_a_counter_is_forgotten_later() {
        let brake = RULE.after(9, now());
        assert_eq!(brake.seconds(now().plus(Duration::seconds(79))), Some(1));
        assert_eq!(brake.seconds(now().plus(Duration::seconds(80))), None);
        assert_eq!(brake.forget_at, now().plus(RULE.window));
        assert_eq!(RULE.after(40, now()).forget_at, now().plus(Duration::hours(1)));
    }

    proptest! {
        #[test]
        fn more_failures_never_wait_less_and_no_wait_is_endless(failures in 0_i64..i64::from(u32::MAX), free in 1_u32..1_000) {
            let rule = Rule { free, ..RULE };
            let (one, next) = (rule.after(failures, now()), rule.after(failures + 1, now()));
            prop_assert!(next.free_at >= one.free_at && next.free_at <= now().plus(rule.longest));
            prop_assert!(one.forget_at >= one.free_at);
        }
    }
}
