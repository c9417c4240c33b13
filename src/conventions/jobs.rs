//! The job of conventions: the expiry, each day.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::actions::expire_due;
use crate::audit;
use crate::kernel::Actor;
use crate::platform::jobs::{self, Daily, Handlers, Job, JobError, Queue};
use crate::platform::{Database, Outcome, Tx};

/// Expires the conventions whose end is past.
#[derive(Serialize, Deserialize)]
pub struct Expire {
    day: NaiveDate,
}

impl Job for Expire {
    type World = ();
    const KIND: &'static str = "conventions.expire";
    const QUEUE: Queue = Queue::Default;

    fn dedup_key(&self) -> Option<String> {
        Some(self.day.to_string())
    }

    fn run(&self, db: &Database, (): &()) -> Result<(), JobError> {
        let actor = Actor::program("échéance quotidienne");
        let expiry = db.write(|tx| {
            // It cannot be undone: not on the word of a clock that jumped. Asked again once it is believed.
            let sound = audit::look_at_clock(tx)?.is_sound();
            if sound { expire_due(tx, &actor).map(Some) } else { Ok(None) }
        });
        match expiry? {
            Some(expiry) => expiry.damaged.iter().for_each(|found| db.raise(found)),
            None => tracing::warn!("no convention expires before a second look at the clock"),
        }
        Ok(())
    }

    fn older(version: i64, payload: Value) -> Option<Value> {
        // The bare day, before jobs had versions.
        (version == 0).then(|| json!({ "day": payload }))
    }
}

/// Queues the expiry of a day; asked twice while it waits, it changes nothing more.
fn enqueue_expiry_of(tx: &mut Tx<'_>, day: NaiveDate) -> Outcome<()> {
    jobs::enqueue(tx, &Expire { day })
}

/// Queues today's expiry.
pub fn enqueue_expiry(tx: &mut Tx<'_>) -> Outcome<()> {
    let day = tx.today();
    enqueue_expiry_of(tx, day)
}

/// What each day asks of this room.
pub const DAILY: &[Daily] = &[Daily::new("conventions.expire", enqueue_expiry_of)];

/// Registers the jobs.
#[must_use]
pub fn handlers(handlers: Handlers) -> Handlers {
    handlers.with::<Expire>(())
}
