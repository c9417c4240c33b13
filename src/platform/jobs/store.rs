//! The table of the queues: putting in, taking out, saying how it ended.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};

use super::{Job, JobEnd, JobError, JobState, Patience, Queue};
use crate::kernel::{Instant, ids::JobId};
use crate::platform::db::schema::jobs;
use crate::platform::db::{AnyConnection, BATCH, Backend, Tx, placeholders};
use crate::platform::error::Outcome;

/// A job as read from its queue.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Row {
    pub(super) id: JobId,
    pub(super) kind: String,
    pub(super) payload: String,
    pub(super) version: i64,
    pub(super) state: JobState,
    /// Tries begun before this one.
    pub(super) attempts: i64,
    // Read so that a row whose instants are none is set aside, not taken.
    _run_at: Instant,
    _created_at: Instant,
}

type Columns =
    (jobs::id, jobs::kind, jobs::payload, jobs::version, jobs::state, jobs::attempts, jobs::run_at, jobs::created_at);
const COLUMNS: Columns =
    (jobs::id, jobs::kind, jobs::payload, jobs::version, jobs::state, jobs::attempts, jobs::run_at, jobs::created_at);

/// Puts a job in its queue.
///
/// # Errors
/// Those of the database.
pub fn enqueue<J: Job>(tx: &mut Tx<'_>, job: &J) -> Outcome<()> {
    enqueue_all(tx, std::slice::from_ref(job))
}

/// Puts many jobs of one kind in their queue, in batches; those whose key waits there already are one with it.
///
/// # Errors
/// Those of the database.
pub fn enqueue_all<J: Job>(tx: &mut Tx<'_>, all: &[J]) -> Outcome<()> {
    let now = tx.now();
    for chunk in all.chunks(BATCH) {
        // Diesel writes a batch with ON CONFLICT row by row on SQLite.
        let mut insert = diesel::sql_query(format!(
            "INSERT INTO jobs (id, kind, queue, version, payload, dedup_key, state, attempts, run_at, created_at) \
             SELECT v.column1, $1, $2, $3, v.column2, v.column3, $4, 0, $5, $6 FROM (VALUES {}) AS v WHERE true \
             ON CONFLICT DO NOTHING",
            placeholders(7, chunk.len(), 3),
        ))
        .into_boxed::<Backend>()
        .bind::<Text, _>(J::KIND)
        .bind::<Text, _>(J::QUEUE)
        .bind::<BigInt, _>(J::VERSION)
        .bind::<Text, _>(JobState::Queued)
        .bind::<Timestamp, _>(now)
        .bind::<Timestamp, _>(now);
        for job in chunk {
            insert = insert
                .bind::<Text, _>(JobId::new(tx.uuid()))
                .bind::<Text, _>(serde_json::to_string(job)?)
                .bind::<Nullable<Text>, _>(job.dedup_key().map(|key| format!("{}:{key}", J::KIND)));
        }
        insert.execute(tx.conn())?;
    }
    Ok(())
}

/// Whether a queue may have something to do; cheap, and takes no write lock.
pub(super) fn may_be_due(tx: &mut Tx<'_>, queue: Queue) -> Outcome<bool> {
    let now = tx.now();
    let due = jobs::table
        .filter(jobs::queue.eq(queue))
        .filter(jobs::state.eq(JobState::Queued).and(jobs::run_at.le(now)).or(jobs::state.eq(JobState::Running)));
    Ok(diesel::select(diesel::dsl::exists(due)).get_result(tx.conn())?)
}

#[derive(QueryableByName)]
struct Place {
    /// `rowid` on SQLite, where an id may be anything; the id on PostgreSQL, where it is always text.
    #[diesel(sql_type = Text)]
    place: String,
}

/// A job whose worker fell silent, else the oldest one waiting: each has an index in this order. `$1` is the queue, `$2` now.
pub(super) const DUE: [&str; 2] = [
    "FROM jobs WHERE queue = $1 AND state = 'running' AND lease_until < $2 ORDER BY lease_until, id LIMIT 1",
    "FROM jobs WHERE queue = $1 AND state = 'queued' AND run_at <= $2 ORDER BY run_at, id LIMIT 1",
];

/// The place of the next job due, locked where that means something. It is found without reading anything else of it.
fn next_due(tx: &mut Tx<'_>, queue: Queue, now: Instant) -> Outcome<Option<String>> {
    for due in DUE {
        let found: Option<Place> = match tx.conn() {
            // Other workers skip a row that one of them holds.
            AnyConnection::Postgresql(c) => {
                diesel::sql_query(format!("SELECT id AS place {due} FOR UPDATE SKIP LOCKED"))
                    .bind::<Text, _>(queue)
                    .bind::<Timestamp, _>(now)
                    .get_result(c)
                    .optional()?
            }
            AnyConnection::Sqlite(c) => diesel::sql_query(format!("SELECT CAST(rowid AS TEXT) AS place {due}"))
                .bind::<Text, _>(queue)
                .bind::<Timestamp, _>(now)
                .get_result(c)
                .optional()?,
        };
        if let Some(found) = found {
            return Ok(Some(found.place));
        }
    }
    Ok(None)
}

/// The job at a place, unless its row is no job: then it is set aside with the cause, and nobody waits for it.
fn read_or_set_aside(tx: &mut Tx<'_>, place: &str, now: Instant) -> Outcome<Result<Row, String>> {
    use diesel::dsl::sql;
    use diesel::sql_types::Bool;
    let here = match tx.conn() {
        AnyConnection::Postgresql(_) => "jobs.id = ",
        AnyConnection::Sqlite(_) => "CAST(jobs.rowid AS TEXT) = ",
    };
    let found = jobs::table.filter(sql::<Bool>(here).bind::<Text, _>(place)).select(COLUMNS).first::<Row>(tx.conn());
    let cause = match found {
        Err(diesel::result::Error::DeserializationError(cause)) => format!("unreadable row: {cause}"),
        other => return Ok(Ok(other?)),
    };
    tracing::error!(row = %place, %cause, "table jobs: a row that is no job is set aside");
    diesel::update(jobs::table.filter(sql::<Bool>(here).bind::<Text, _>(place)))
        .set((
            jobs::state.eq(JobState::Failed),
            jobs::finished_at.eq(now),
            jobs::last_error.eq(&cause),
            jobs::dedup_key.eq(None::<String>),
        ))
        .execute(tx.conn())?;
    Ok(Err(cause))
}

/// What taking the next job of a queue gave.
pub(super) enum Taken {
    Nothing,
    /// Leased: to be run now.
    Job(Row),
    /// Its worker died each time, and never lived to say so: the next one would die of it, too.
    Deadly(Row, JobError),
    /// A row that was no job, set aside; where it stands and why.
    Unreadable(String, String),
}

/// Takes the next job due, if any, and leases it.
pub(super) fn lease(tx: &mut Tx<'_>, queue: Queue, patience: impl Fn(&str) -> Patience) -> Outcome<Taken> {
    let now = tx.now();
    let Some(place) = next_due(tx, queue, now)? else { return Ok(Taken::Nothing) };
    let job = match read_or_set_aside(tx, &place, now)? {
        Ok(job) => job,
        Err(cause) => return Ok(Taken::Unreadable(place, cause)),
    };
    let patience = patience(&job.kind);
    if job.state == JobState::Running && job.attempts >= patience.max_attempts {
        let cause = JobError::GiveUp("the worker died each time".to_owned());
        close(tx, &job.id, job.attempts, &cause)?;
        return Ok(Taken::Deadly(job, cause));
    }
    diesel::update(jobs::table.find(job.id))
        .set((
            jobs::state.eq(JobState::Running),
            jobs::attempts.eq(job.attempts + 1),
            jobs::lease_until.eq(now.plus(patience.lease)),
        ))
        .execute(tx.conn())?;
    Ok(Taken::Job(job))
}

/// Sets a job aside for a person to look at; false when another worker took it meanwhile.
fn close(tx: &mut Tx<'_>, id: &JobId, attempts: i64, error: &JobError) -> Outcome<bool> {
    let now = tx.now();
    let mine = jobs::table.find(id).filter(jobs::state.eq(JobState::Running)).filter(jobs::attempts.eq(attempts));
    let done = diesel::update(mine)
        .set((
            jobs::state.eq(JobState::Failed),
            jobs::finished_at.eq(now),
            jobs::last_error.eq(error.cause()),
            jobs::dedup_key.eq(None::<String>),
        ))
        .execute(tx.conn())?;
    Ok(done == 1)
}

/// Records how a run ended; none when the lease ran out meanwhile and the job is another worker's.
pub(super) fn finish(
    tx: &mut Tx<'_>,
    job: &Row,
    result: &Result<(), JobError>,
    patience: Patience,
) -> Outcome<Option<JobEnd>> {
    let now = tx.now();
    // Each lease counts one more attempt: this one is still ours if nobody counted after us.
    let tries = job.attempts + 1;
    let mine = || jobs::table.find(job.id).filter(jobs::state.eq(JobState::Running)).filter(jobs::attempts.eq(tries));
    match result {
        Ok(()) => {
            // A finished job frees its key: the same work may be asked again another day.
            let done = diesel::update(mine())
                .set((jobs::state.eq(JobState::Done), jobs::finished_at.eq(now), jobs::dedup_key.eq(None::<String>)))
                .execute(tx.conn())?;
            Ok((done == 1).then_some(JobEnd::Done))
        }
        Err(JobError::Retry(cause)) if tries < patience.max_attempts => {
            let again = now.plus(patience.wait(tries));
            let done = diesel::update(mine())
                .set((jobs::state.eq(JobState::Queued), jobs::run_at.eq(again), jobs::last_error.eq(cause)))
                .execute(tx.conn())?;
            Ok((done == 1).then_some(JobEnd::Retried))
        }
        Err(error) => Ok(close(tx, &job.id, tries, error)?.then_some(JobEnd::Failed)),
    }
}
