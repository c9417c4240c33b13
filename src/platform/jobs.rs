//! The queue: jobs are enqueued in the transaction that causes them and run after it, at least once.
//!
//! ```text
//!   queued ──lease──▶ running ──ok──▶ done
//!      ▲                 │
//!      └── retry later ──┴── give up ──▶ failed
//! ```
//! A worker that dies lets its lease run out; another takes the job again, so every job re-checks its reason when
//! it runs, and a worker that comes back too late leaves the job to who holds it. A job whose worker dies each time is
//! given up like any other. A `dedup_key` makes enqueuing the same work twice a single job. A row that cannot be read (an
//! id that is none, a date that is none) is set aside with the cause: it keeps nobody else waiting.
//!
//! Over 400 lines with its story: one table, and all that is known of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration as StdDuration, Instant as Stopwatch};

use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Timestamp};
use serde::Serialize;

use super::db::schema::jobs;
use super::db::{AnyConnection, BATCH, Backend, Database, Tx, placeholders};
use super::error::{Error, Outcome};
use super::telemetry::{JobEnd, Metrics};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::{Instant, ids::JobId};
use crate::text_enum;

text_enum!(
    /// Where a job stands.
    JobState { Queued => "queued", Running => "running", Done => "done", Failed => "failed" }
);

/// How patient the queue is; from the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long a worker may hold a job before another takes it.
    pub lease: Duration,
    /// Tries before a job is given up.
    pub max_attempts: i64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { lease: Duration::minutes(5), max_attempts: 8 }
    }
}

/// A job as read from the queue.
#[derive(Debug, Clone, Queryable)]
pub struct Job {
    pub id: JobId,
    pub kind: String,
    pub payload: String,
    pub state: JobState,
    pub attempts: i64,
    pub run_at: Instant,
    pub last_error: Option<String>,
    pub created_at: Instant,
    pub finished_at: Option<Instant>,
}

type Columns = (
    jobs::id,
    jobs::kind,
    jobs::payload,
    jobs::state,
    jobs::attempts,
    jobs::run_at,
    jobs::last_error,
    jobs::created_at,
    jobs::finished_at,
);
const COLUMNS: Columns = (
    jobs::id,
    jobs::kind,
    jobs::payload,
    jobs::state,
    jobs::attempts,
    jobs::run_at,
    jobs::last_error,
    jobs::created_at,
    jobs::finished_at,
);

/// Why a job did not succeed: try again later, or never.
#[derive(Debug)]
pub enum JobError {
    Retry(String),
    GiveUp(String),
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

/// Puts a job in the queue; the same `dedup_key` queues it once.
pub fn enqueue(tx: &mut Tx<'_>, kind: &str, payload: &impl Serialize, dedup_key: Option<&str>) -> Outcome<()> {
    enqueue_all(tx, kind, &[(serde_json::to_string(payload)?, dedup_key.map(str::to_owned))])
}

/// Puts many jobs of one kind in the queue, in batches.
pub fn enqueue_all(tx: &mut Tx<'_>, kind: &str, payloads: &[(String, Option<String>)]) -> Outcome<()> {
    let now = tx.now();
    for chunk in payloads.chunks(BATCH) {
        // Diesel writes a batch with ON CONFLICT row by row on SQLite.
        let mut insert = diesel::sql_query(format!(
            "INSERT INTO jobs (id, kind, payload, dedup_key, state, attempts, run_at, created_at) \
             SELECT v.column1, $1, v.column2, v.column3, $2, 0, $3, $4 FROM (VALUES {}) AS v WHERE true \
             ON CONFLICT DO NOTHING",
            placeholders(5, chunk.len(), 3),
        ))
        .into_boxed::<Backend>()
        .bind::<Text, _>(kind)
        .bind::<Text, _>(JobState::Queued)
        .bind::<Timestamp, _>(now)
        .bind::<Timestamp, _>(now);
        for (payload, dedup) in chunk {
            insert = insert
                .bind::<Text, _>(JobId::new(tx.uuid()))
                .bind::<Text, _>(payload)
                .bind::<Nullable<Text>, _>(dedup.as_deref());
        }
        insert.execute(tx.conn())?;
    }
    Ok(())
}

/// One job by its id.
pub fn find(tx: &mut Tx<'_>, id: JobId) -> Outcome<Option<Job>> {
    Ok(jobs::table.find(id).select(COLUMNS).first(tx.conn()).optional()?)
}

/// Jobs not finished, and jobs given up.
pub fn backlog(tx: &mut Tx<'_>) -> Outcome<(i64, i64)> {
    let waiting =
        jobs::table.filter(jobs::state.eq_any([JobState::Queued, JobState::Running])).count().get_result(tx.conn())?;
    let failed = jobs::table.filter(jobs::state.eq(JobState::Failed)).count().get_result(tx.conn())?;
    Ok((waiting, failed))
}

/// What waits in the queue, for who watches over it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Jobs not done: kind, state, how many.
    pub by_kind: Vec<(String, JobState, i64)>,
    /// Age of the oldest job that is due and that no worker has taken, in seconds.
    pub oldest_due_seconds: Option<i64>,
}

impl Backlog {
    /// How many jobs are in a state.
    #[must_use]
    pub fn count(&self, state: JobState) -> i64 {
        self.by_kind.iter().filter(|(_, s, _)| *s == state).map(|(_, _, count)| count).sum()
    }
}

/// Reads the queue as it stands; jobs done are left out.
pub fn overview(tx: &mut Tx<'_>) -> Outcome<Backlog> {
    let now = tx.now();
    let by_kind = jobs::table
        .filter(jobs::state.eq_any([JobState::Queued, JobState::Running, JobState::Failed]))
        .group_by((jobs::kind, jobs::state))
        .order((jobs::kind.asc(), jobs::state.asc()))
        .select((jobs::kind, jobs::state, diesel::dsl::count_star()))
        .load(tx.conn())?;
    // Due: its time has come, or its worker's lease ran out.
    let queued = jobs::table
        .filter(jobs::state.eq(JobState::Queued).and(jobs::run_at.le(now)))
        .select(diesel::dsl::min(jobs::run_at))
        .first(tx.conn());
    let abandoned = jobs::table
        .filter(jobs::state.eq(JobState::Running).and(jobs::lease_until.lt(now).assume_not_null()))
        .select(diesel::dsl::min(jobs::lease_until))
        .first(tx.conn());
    let (queued, abandoned) = (if_readable(queued)?, if_readable(abandoned)?);
    let oldest = queued.into_iter().chain(abandoned).min();
    let oldest_due_seconds = oldest.map(|since| (now.timestamp() - since.timestamp()).max(0));
    Ok(Backlog { by_kind, oldest_due_seconds })
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

/// What is due, in words for both databases: `$1` is now.
const DUE: &str = "(state = 'queued' AND run_at <= $1) OR (state = 'running' AND lease_until < $1)";

#[derive(QueryableByName)]
struct Place {
    /// `rowid` on SQLite, where an id may be anything; the id on PostgreSQL, where it is always text.
    #[diesel(sql_type = Text)]
    place: String,
}

/// The place of the oldest job due, locked where that means something. It is found without reading anything else of it.
fn oldest_due(tx: &mut Tx<'_>, now: Instant) -> Outcome<Option<String>> {
    let found: Option<Place> = match tx.conn() {
        // Other workers skip a row that one of them holds.
        AnyConnection::Postgresql(c) => diesel::sql_query(format!(
            "SELECT id AS place FROM jobs WHERE {DUE} ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"
        ))
        .bind::<Timestamp, _>(now)
        .get_result(c)
        .optional()?,
        AnyConnection::Sqlite(c) => diesel::sql_query(format!(
            "SELECT CAST(rowid AS TEXT) AS place FROM jobs WHERE {DUE} ORDER BY run_at, id LIMIT 1"
        ))
        .bind::<Timestamp, _>(now)
        .get_result(c)
        .optional()?,
    };
    Ok(found.map(|found| found.place))
}

/// The job at a place, unless its row is no job: then it is set aside with the cause, and nobody waits for it.
fn read_or_set_aside(tx: &mut Tx<'_>, place: &str, now: Instant) -> Outcome<Option<Job>> {
    use diesel::dsl::sql;
    use diesel::sql_types::Bool;
    let here = match tx.conn() {
        AnyConnection::Postgresql(_) => "jobs.id = ",
        AnyConnection::Sqlite(_) => "CAST(jobs.rowid AS TEXT) = ",
    };
    let found = jobs::table.filter(sql::<Bool>(here).bind::<Text, _>(place)).select(COLUMNS).first::<Job>(tx.conn());
    let cause = match found {
        Err(diesel::result::Error::DeserializationError(cause)) => cause,
        other => return Ok(Some(other?)),
    };
    tracing::error!(row = %place, %cause, "table jobs: a row that is no job is set aside");
    diesel::update(jobs::table.filter(sql::<Bool>(here).bind::<Text, _>(place)))
        .set((
            jobs::state.eq(JobState::Failed),
            jobs::finished_at.eq(now),
            jobs::last_error.eq(format!("unreadable row: {cause}")),
            jobs::dedup_key.eq(None::<String>),
        ))
        .execute(tx.conn())?;
    Ok(None)
}

/// Takes the oldest job due, if any, and leases it.
fn lease(tx: &mut Tx<'_>, patience: Patience) -> Outcome<Option<Job>> {
    let now = tx.now();
    let job = loop {
        let Some(place) = oldest_due(tx, now)? else { return Ok(None) };
        if let Some(job) = read_or_set_aside(tx, &place, now)? {
            break job;
        }
    };
    if job.state == JobState::Running && job.attempts >= patience.max_attempts {
        // Its worker died each time, and never lived to say so: the next one would die of it, too.
        let cause = JobError::GiveUp("the worker died each time".to_owned());
        tracing::error!(job = %job.id, kind = %job.kind, attempts = job.attempts, "job given up: its worker dies of it");
        close(tx, job.id, job.attempts, &cause)?;
        return lease(tx, patience);
    }
    diesel::update(jobs::table.find(job.id))
        .set((
            jobs::state.eq(JobState::Running),
            jobs::attempts.eq(job.attempts + 1),
            jobs::lease_until.eq(now.plus(patience.lease)),
        ))
        .execute(tx.conn())?;
    Ok(Some(job))
}

/// Sets a job aside for a person to look at; false when another worker took it meanwhile.
fn close(tx: &mut Tx<'_>, id: JobId, attempts: i64, error: &JobError) -> Outcome<bool> {
    let (JobError::Retry(cause) | JobError::GiveUp(cause)) = error;
    let now = tx.now();
    let mine = jobs::table.find(id).filter(jobs::state.eq(JobState::Running)).filter(jobs::attempts.eq(attempts));
    let done = diesel::update(mine)
        .set((
            jobs::state.eq(JobState::Failed),
            jobs::finished_at.eq(now),
            jobs::last_error.eq(cause),
            jobs::dedup_key.eq(None::<String>),
        ))
        .execute(tx.conn())?;
    Ok(done == 1)
}

/// Records how a run ended; none when the lease ran out meanwhile and the job is another worker's.
fn finish(tx: &mut Tx<'_>, job: &Job, result: &Result<(), JobError>, patience: Patience) -> Outcome<Option<JobEnd>> {
    let now = tx.now();
    // Each lease counts one more attempt: this one is still ours if nobody counted after us.
    let mine = || {
        jobs::table.find(job.id).filter(jobs::state.eq(JobState::Running)).filter(jobs::attempts.eq(job.attempts + 1))
    };
    match result {
        Ok(()) => {
            // A finished job frees its key: the same work may be asked again another day.
            let done = diesel::update(mine())
                .set((jobs::state.eq(JobState::Done), jobs::finished_at.eq(now), jobs::dedup_key.eq(None::<String>)))
                .execute(tx.conn())?;
            Ok((done == 1).then_some(JobEnd::Done))
        }
        Err(JobError::Retry(cause)) if job.attempts + 1 < patience.max_attempts => {
            let exponent = u32::try_from(job.attempts.min(7)).unwrap_or(0);
            let wait = Duration::seconds(5 * i64::from(2_u32.pow(exponent)));
            let done = diesel::update(mine())
                .set((jobs::state.eq(JobState::Queued), jobs::run_at.eq(now.plus(wait)), jobs::last_error.eq(cause)))
                .execute(tx.conn())?;
            Ok((done == 1).then_some(JobEnd::Retried))
        }
        Err(error) => Ok(close(tx, job.id, job.attempts + 1, error)?.then_some(JobEnd::Failed)),
    }
}

type Handler = dyn Fn(&Database, &str) -> Result<(), JobError> + Send + Sync;

/// Which function runs which kind of job; made by the composition root.
#[derive(Default, Clone)]
pub struct Handlers {
    by_kind: HashMap<&'static str, Arc<Handler>>,
    patience: Patience,
    metrics: Option<Metrics>,
}

impl Handlers {
    /// Registers a kind.
    #[must_use]
    pub fn on(
        mut self,
        kind: &'static str,
        run: impl Fn(&Database, &str) -> Result<(), JobError> + Send + Sync + 'static,
    ) -> Self {
        self.by_kind.insert(kind, Arc::new(run));
        self
    }

    /// Sets how patient the queue is.
    #[must_use]
    pub fn patient(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Sets where runs are counted.
    #[must_use]
    pub fn measured(mut self, metrics: Metrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Runs one due job; false when there was none.
    ///
    /// # Errors
    /// Only the queue's own failures; a job's failure is recorded on the job.
    pub fn run_one(&self, db: &Database) -> Outcome<bool> {
        // Looking is cheap and takes no write lock.
        let waiting = db.read(|tx| {
            let now = tx.now();
            let n: i64 = jobs::table
                .filter(
                    jobs::state.eq(JobState::Queued).and(jobs::run_at.le(now)).or(jobs::state.eq(JobState::Running)),
                )
                .count()
                .get_result(tx.conn())?;
            Ok(n)
        })?;
        if waiting == 0 {
            return Ok(false);
        }
        let Some(job) = db.write(|tx| lease(tx, self.patience))? else { return Ok(false) };
        let span = tracing::info_span!("job", job_id = %job.id, kind = %job.kind, attempt = job.attempts + 1);
        let _entered = span.enter();
        let started = Stopwatch::now();
        let result = self.run(db, &job);
        let took = started.elapsed();
        if let Err(JobError::Retry(cause) | JobError::GiveUp(cause)) = &result {
            tracing::warn!(%cause, "job failed");
        }
        match db.write(|tx| finish(tx, &job, &result, self.patience))? {
            Some(end) => {
                // A kind nobody registered may be anything: it is no label.
                let kind = self.by_kind.get_key_value(job.kind.as_str()).map_or("unknown", |(kind, _)| kind);
                if let Some(metrics) = &self.metrics {
                    metrics.job_ran(kind, end, took);
                }
            }
            None => tracing::warn!("the lease ran out before the job ended: another worker has it"),
        }
        Ok(true)
    }

    fn run(&self, db: &Database, job: &Job) -> Result<(), JobError> {
        let Some(run) = self.by_kind.get(job.kind.as_str()) else {
            return Err(JobError::GiveUp(format!("no handler for « {} »", job.kind)));
        };
        // A panic ends the job, not the worker: the queue would stop for good with its last thread.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(db, &job.payload)));
        outcome.unwrap_or_else(|_| Err(JobError::Retry("the job panicked".to_owned())))
    }

    /// Runs everything due now; returns how many ran.
    ///
    /// # Errors
    /// As [`Handlers::run_one`].
    pub fn drain(&self, db: &Database) -> Outcome<usize> {
        let mut ran = 0;
        while self.run_one(db)? {
            ran += 1;
        }
        Ok(ran)
    }

    /// A worker thread's life: runs jobs until told to stop.
    pub fn work(&self, db: &Database, stop: &AtomicBool, poll: StdDuration) {
        let mut worked = false;
        while !stop.load(Ordering::Relaxed) {
            match self.run_one(db) {
                Ok(true) => worked = true,
                Ok(false) => {
                    // The queue just emptied: a quiet time begins.
                    if std::mem::take(&mut worked)
                        && let Err(cause) = db.rest()
                    {
                        tracing::warn!(%cause, "memory not given back");
                    }
                    pause(poll, stop);
                }
                Err(cause) => {
                    tracing::error!(%cause, "queue");
                    pause(poll.saturating_mul(5), stop);
                }
            }
        }
    }
}

/// Sleeps, but not through a request to stop.
fn pause(length: StdDuration, stop: &AtomicBool) {
    let until = Stopwatch::now() + length;
    while !stop.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Stopwatch::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(StdDuration::from_millis(100)));
    }
}
