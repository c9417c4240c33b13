//! What a job is: ids, and how they are run, retried, and read again years later.

use chrono::Duration;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Queue;
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::platform::Database;
use crate::platform::error::Error;

/// Work to do after the transaction that asks for it: a struct of ids, no more.
///
/// `World` is what running it needs besides the database: a renderer, a transport.
pub trait Job: Serialize + DeserializeOwned {
    type World: Send + Sync + 'static;

    /// Stable name, `room.verb`: it is written in the queue.
    const KIND: &'static str;
    const QUEUE: Queue;
    /// Shape of what is written today. When it changes, this grows and [`Job::older`] learns the former shape.
    const VERSION: i64 = 1;
    /// None: as the configuration has it.
    const PATIENCE: Option<Patience> = None;

    /// Jobs of this kind with the same key wait as one.
    fn dedup_key(&self) -> Option<String> {
        None
    }

    /// What it is about, for the person told when it is given up.
    fn about(&self, _world: &Self::World) -> Option<About> {
        None
    }

    /// Does the work. Its reason is checked again first: it may run twice, or long after it was asked for.
    ///
    /// # Errors
    /// Try again later, or never.
    fn run(&self, db: &Database, world: &Self::World) -> Result<(), JobError>;

    /// Today's shape of what an older version wrote; none when that version cannot be read any more. Version 0 is what
    /// was queued before jobs had versions, and had the shape of version 1.
    #[must_use]
    fn older(version: i64, payload: Value) -> Option<Value> {
        (version == 0 && Self::VERSION == 1).then_some(payload)
    }
}

/// What is written of a job, read again.
pub(super) fn read<J: Job>(version: i64, payload: &str) -> Result<J, JobError> {
    let unreadable = |cause: &dyn std::fmt::Display| JobError::GiveUp(format!("unreadable payload: {cause}"));
    if version > J::VERSION {
        // Instances of two versions share the queue while one replaces the other.
        return Err(JobError::Retry(format!("written by a later program, as version {version}")));
    }
    let written: Value = serde_json::from_str(payload).map_err(|cause| unreadable(&cause))?;
    let today = if version == J::VERSION { Some(written) } else { J::older(version, written) };
    let today = today.ok_or_else(|| unreadable(&format_args!("version {version} is no longer known")))?;
    serde_json::from_value(today).map_err(|cause| unreadable(&cause))
}

/// The thing a job is about, as the journal names it: a kind of subject, and an id or a printed key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub kind: &'static str,
    pub key: String,
}

/// How patient a queue is with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long a worker may hold it before another takes it.
    pub lease: Duration,
    /// Tries before it is given up.
    pub max_attempts: i64,
    /// The wait after the first failure; it doubles each time.
    pub first_wait: Duration,
    pub longest_wait: Duration,
}

impl Patience {
    /// For jobs that say nothing, before the configuration is read.
    pub const USUAL: Self = Self {
        lease: Duration::minutes(5),
        max_attempts: 8,
        first_wait: Duration::seconds(5),
        longest_wait: Duration::seconds(640),
    };

    /// The wait before another try, after so many that failed.
    #[must_use]
    pub fn wait(self, failed: i64) -> Duration {
        let doublings = u32::try_from(failed.saturating_sub(1).clamp(0, 20)).unwrap_or(20);
        self.first_wait.checked_mul(2_i32.saturating_pow(doublings)).unwrap_or(self.longest_wait).min(self.longest_wait)
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::USUAL
    }
}

/// Why a job did not succeed: try again later, or never.
#[derive(Debug)]
pub enum JobError {
    Retry(String),
    GiveUp(String),
}

impl JobError {
    /// Words for the log and the row.
    #[must_use]
    pub fn cause(&self) -> &str {
        let (Self::Retry(cause) | Self::GiveUp(cause)) = self;
        cause
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        match error {
            // Somebody else was at the same rows: that passes.
            Error::Refused(r) if r.code == &CONCURRENT_CHANGE => Self::Retry(r.to_string()),
            Error::Refused(r) => Self::GiveUp(r.to_string()),
            // A person has to look: it will not mend by itself.
            Error::Falsified(found) => Self::GiveUp(found.to_string()),
            other => Self::Retry(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Greet {
        name: String,
    }

    impl Job for Greet {
        type World = ();
        const KIND: &'static str = "test.greet";
        const QUEUE: Queue = Queue::Default;
        const VERSION: i64 = 3;

        fn run(&self, _: &Database, (): &()) -> Result<(), JobError> {
            Ok(())
        }

        fn older(version: i64, payload: Value) -> Option<Value> {
            // Version 2 was a bare word.
            (version == 2).then(|| serde_json::json!({ "name": payload }))
        }
    }

    #[test]
    fn each_version_is_read_waited_for_or_given_up() {
        let zoe = || Greet { name: "Zoé".into() };
        assert_eq!(read::<Greet>(3, r#"{"name":"Zoé"}"#).unwrap(), zoe());
        assert_eq!(read::<Greet>(2, r#""Zoé""#).unwrap(), zoe());
        assert!(matches!(read::<Greet>(1, r#""Zoé""#), Err(JobError::GiveUp(_))));
        assert!(matches!(read::<Greet>(3, r#"{"nom":"Zoé"}"#), Err(JobError::GiveUp(_))));
        assert!(matches!(read::<Greet>(3, "{"), Err(JobError::GiveUp(_))));
        assert!(matches!(read::<Greet>(4, r#"{"nom":"Zoé"}"#), Err(JobError::Retry(_))));
    }

    #[test]
    fn the_wait_doubles_up_to_its_longest() {
        let waits: Vec<i64> = (1..=9).map(|failed| Patience::USUAL.wait(failed).num_seconds()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 640]);
        assert_eq!(Patience::USUAL.wait(i64::MAX).num_seconds(), 640);
    }
}
