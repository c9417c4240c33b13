//! What waits in the queues, for who watches over them.

use diesel::prelude::*;

use super::{JobState, Queue};
use crate::kernel::Instant;
use crate::platform::db::Tx;
use crate::platform::db::schema::jobs;
use crate::platform::error::Outcome;

/// Jobs not finished, and jobs given up.
///
/// # Errors
/// Those of the database.
pub fn backlog(tx: &mut Tx<'_>) -> Outcome<(i64, i64)> {
    let waiting =
        jobs::table.filter(jobs::state.eq_any([JobState::Queued, JobState::Running])).count().get_result(tx.conn())?;
    let failed = jobs::table.filter(jobs::state.eq(JobState::Failed)).count().get_result(tx.conn())?;
    Ok((waiting, failed))
}

/// How many jobs of a kind are in a state, in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Waiting {
    /// None of ours, perhaps: what stands in the table.
    pub queue: String,
    pub kind: String,
    pub state: JobState,
    pub count: i64,
}

/// What waits in the queues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Jobs not done.
    pub waiting: Vec<Waiting>,
    /// Age of the oldest job that is due and that no worker has taken, in seconds, for each queue that has one.
    pub oldest_due: Vec<(Queue, i64)>,
}

impl Backlog {
    /// How many jobs are in a state.
    #[must_use]
    pub fn count(&self, state: JobState) -> i64 {
        self.waiting.iter().filter(|w| w.state == state).map(|w| w.count).sum()
    }

    /// Age of the oldest job due of all, in seconds.
    #[must_use]
    pub fn oldest_due_seconds(&self) -> Option<i64> {
        self.oldest_due.iter().map(|(_, age)| *age).max()
    }
}

/// Reads the queues as they stand; jobs done are left out.
///
/// # Errors
/// Those of the database.
pub fn overview(tx: &mut Tx<'_>) -> Outcome<Backlog> {
    let waiting = jobs::table
        .filter(jobs::state.eq_any([JobState::Queued, JobState::Running, JobState::Failed]))
        .group_by((jobs::queue, jobs::kind, jobs::state))
        .order((jobs::queue.asc(), jobs::kind.asc(), jobs::state.asc()))
        .select((jobs::queue, jobs::kind, jobs::state, diesel::dsl::count_star()))
        .load(tx.conn())?;
    let mut oldest_due = Vec::new();
    for queue in Queue::ALL {
        if let Some(age) = oldest_due_of(tx, *queue)? {
            oldest_due.push((*queue, age));
        }
    }
    Ok(Backlog { waiting, oldest_due })
}

/// Due: its time has come, or its worker's lease ran out.
fn oldest_due_of(tx: &mut Tx<'_>, queue: Queue) -> Outcome<Option<i64>> {
    let now = tx.now();
    let queued = jobs::table
        .filter(jobs::queue.eq(queue).and(jobs::state.eq(JobState::Queued)).and(jobs::run_at.le(now)))
        .select(diesel::dsl::min(jobs::run_at))
        .first(tx.conn());
    let abandoned = jobs::table
        .filter(jobs::queue.eq(queue).and(jobs::state.eq(JobState::Running)))
        .filter(jobs::lease_until.lt(now).assume_not_null())
        .select(diesel::dsl::min(jobs::lease_until))
        .first(tx.conn());
    let (queued, abandoned) = (if_readable(queued)?, if_readable(abandoned)?);
    let oldest = queued.into_iter().chain(abandoned).min();
    Ok(oldest.map(|since| (now.timestamp() - since.timestamp()).max(0)))
}

/// An instant that cannot be read is not known; who watches the queue still sees the rest of it.
fn if_readable(found: QueryResult<Option<Instant>>) -> Outcome<Option<Instant>> {
    match found {
        Err(diesel::result::Error::DeserializationError(cause)) => {
            tracing::error!(%cause, "table jobs: an instant cannot be read");
            Ok(None)
        }
        other => Ok(other?),
    }
}
