//! How many may leave now: per minute, per minute to one domain, and as many as one worker sends in a moment.

use std::collections::HashMap;
use std::time::Duration;

use super::rules::Rules;

/// What may still be taken in this minute.
#[derive(Debug)]
pub(super) struct Allowance {
    left: i64,
    per_domain: Option<i64>,
    counted: HashMap<String, i64>,
}

impl Allowance {
    /// `counted`: what left in the last minute, by domain.
    pub(super) fn new(rules: &Rules, counted: HashMap<String, i64>, most: usize) -> Self {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let left = match i64::from(rules.per_minute) {
            0 => most,
            limit => most.min(limit - counted.values().sum::<i64>()),
        };
        let per_domain = Some(i64::from(rules.per_domain_per_minute)).filter(|limit| *limit > 0);
        Self { left: left.max(0), per_domain, counted }
    }

    /// Domains that take nothing more in this minute.
    pub(super) fn full(&self) -> Vec<String> {
        let Some(limit) = self.per_domain else { return Vec::new() };
        self.counted.iter().filter(|(_, count)| **count >= limit).map(|(domain, _)| domain.clone()).collect()
    }

    /// How many rows to look at, to find those that may leave.
    pub(super) const fn window(&self) -> i64 {
        if self.per_domain.is_some() { self.left.saturating_mul(4) } else { self.left }
    }

    /// Whether one more may leave to a domain; counted if so.
    pub(super) fn takes(&mut self, domain: &str) -> bool {
        let count = self.counted.get(domain).copied().unwrap_or(0);
        if self.left == 0 || self.per_domain.is_some_and(|limit| count >= limit) {
            return false;
        }
        self.left -= 1;
        self.counted.insert(domain.to_owned(), count + 1);
        true
    }
}

/// How many a worker takes at once: as many as it sends in a quarter of a second, so that a worker that dies leaves few of
/// which nobody knows.
#[derive(Debug, Clone, Copy)]
pub struct Handful(usize);

/// Most at once.
const MOST: usize = 50;
const SHORT: Duration = Duration::from_millis(250);

impl Default for Handful {
    fn default() -> Self {
        Self(1)
    }
}

impl Handful {
    #[must_use]
    pub const fn size(self) -> usize {
        self.0
    }

    /// Learns from what sending some took.
    pub fn learn(&mut self, sent: usize, took: Duration) {
        if took > SHORT * 2 {
            self.0 = (self.0 / 2).max(1);
        } else if sent >= self.0 && took < SHORT {
            self.0 = (self.0 * 2).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::contact::EmailAddress;
    use crate::kernel::text::Line;
    use crate::platform::mail::{Letterhead, Letterheads};
    use proptest::prelude::*;

    fn rules(per_minute: u32, per_domain_per_minute: u32) -> Rules {
        let usual = Letterhead {
            name: Line::parse("R").unwrap(),
            address: EmailAddress::parse("ent@ac.invalid").unwrap(),
            reply_to: None,
            phone: None,
            signature: Vec::new(),
        };
        Rules {
            sending: true,
            trial: None,
            per_minute,
            per_domain_per_minute,
            give_up: chrono::Duration::hours(1),
            bounce: None,
            public_url: String::new(),
            letterheads: Letterheads { usual, of: Vec::new() },
        }
    }

    proptest! {
        #[test]
        fn neither_limit_is_ever_passed(
            limit in 0_u32..20, of_domain in 0_u32..6, most in 1_usize..50,
            before in proptest::collection::hash_map("[a-c]", 0_i64..10, 0..3),
            wanted in proptest::collection::vec("[a-d]", 0..60),
        ) {
            let mut allowance = Allowance::new(&rules(limit, of_domain), before.clone(), most);
            let full = allowance.full();
            let taken: Vec<&String> = wanted.iter().filter(|d| !full.contains(d)).filter(|d| allowance.takes(d)).collect();
            let all: i64 = before.values().sum();
            let taken_count = i64::try_from(taken.len()).unwrap();
            prop_assert!(taken.len() <= most);
            prop_assert!(limit == 0 || taken_count == 0 || taken_count + all <= i64::from(limit));
            for domain in ["a", "b", "c", "d"] {
                let now = i64::try_from(taken.iter().filter(|d| d.as_str() == domain).count()).unwrap();
                let then = before.get(domain).copied().unwrap_or(0);
                prop_assert!(of_domain == 0 || now == 0 || now + then <= i64::from(of_domain));
            }
        }
    }

    #[test]
    fn a_handful_is_what_a_quarter_of_a_second_sends() {
        let mut handful = Handful::default();
        for _ in 0..10 {
            handful.learn(handful.size(), Duration::from_millis(3));
        }
        assert_eq!(handful.size(), MOST);
        for _ in 0..10 {
            handful.learn(handful.size(), Duration::from_secs(2));
        }
        assert_eq!(handful.size(), 1);
        handful.learn(1, Duration::from_millis(300));
        assert_eq!(handful.size(), 1);
    }
}
