//! Which kind of job runs how, the single step, and a worker's life.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use super::store::{self, Row, Taken};
use super::{About, Job, JobEnd, JobError, Patience, Queue, job};
use crate::platform::db::{Database, Tx};
use crate::platform::error::{Error, Outcome};

/// What a kind that nobody registered is called.
const UNKNOWN: &str = "unknown";

type Run = dyn Fn(&Database, i64, &str) -> Result<(), JobError> + Send + Sync;
type Describe = dyn Fn(i64, &str) -> Option<About> + Send + Sync;

/// A kind of job, and the world it runs in.
#[derive(Clone)]
struct Kind {
    name: &'static str,
    queue: Queue,
    patience: Option<Patience>,
    run: Arc<Run>,
    about: Arc<Describe>,
}

/// How a job ended for now, for who wants to know.
#[derive(Debug, Clone)]
pub struct Ended {
    pub queue: Queue,
    /// A kind nobody registered may be anything: « unknown ».
    pub kind: &'static str,
    /// The job's id; where its row stands when it has none.
    pub job: String,
    pub end: JobEnd,
    /// None when no run came to its end.
    pub took: Option<Duration>,
    pub about: Option<About>,
    /// Why it did not succeed.
    pub cause: Option<String>,
}

type Measure = dyn Fn(&Ended) + Send + Sync;
type Follow = dyn Fn(&mut Tx<'_>, &Ended) -> Outcome<()> + Send + Sync;

/// Which struct runs which kind of job; made by the composition root.
#[derive(Default, Clone)]
pub struct Handlers {
    kinds: HashMap<&'static str, Kind>,
    patience: Patience,
    measure: Option<Arc<Measure>>,
    follow: Option<Arc<Follow>>,
}

impl Handlers {
    /// Registers a kind, with the world its jobs run in.
    #[must_use]
    pub fn with<J: Job + 'static>(mut self, world: J::World) -> Self {
        let world = Arc::new(world);
        let around = Arc::clone(&world);
        let run = move |db: &Database, version: i64, payload: &str| job::read::<J>(version, payload)?.run(db, &world);
        let about =
            move |version: i64, payload: &str| job::read::<J>(version, payload).ok().and_then(|job| job.about(&around));
        let (run, about) = (Arc::new(run), Arc::new(about));
        let kind = Kind { name: J::KIND, queue: J::QUEUE, patience: J::PATIENCE, run, about };
        self.kinds.insert(J::KIND, kind);
        self
    }

    /// Sets the patience with kinds that have none of their own.
    #[must_use]
    pub fn patient(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Sets where runs are counted.
    #[must_use]
    pub fn measured(mut self, measure: impl Fn(&Ended) + Send + Sync + 'static) -> Self {
        self.measure = Some(Arc::new(measure));
        self
    }

    /// Sets what follows in the transaction that records how a job ended: the task of a job given up.
    #[must_use]
    pub fn followed(mut self, follow: impl Fn(&mut Tx<'_>, &Ended) -> Outcome<()> + Send + Sync + 'static) -> Self {
        self.follow = Some(Arc::new(follow));
        self
    }

    /// The queues that can have something to do here.
    #[must_use]
    pub fn queues(&self) -> BTreeSet<Queue> {
        // What nobody here knows, or was queued before there were queues, stands in the first.
        self.kinds.values().map(|kind| kind.queue).chain([Queue::Default]).collect()
    }

    fn patience_with(&self, kind: &str) -> Patience {
        self.kinds.get(kind).and_then(|kind| kind.patience).unwrap_or(self.patience)
    }

    /// Runs one due job of any queue; false when there was none.
    ///
    /// # Errors
    /// Only the queue's own failures; a job's failure is recorded on the job.
    pub fn run_one(&self, db: &Database) -> Outcome<bool> {
        for queue in Queue::ALL {
            if self.run_one_of(db, *queue)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Runs one due job of a queue; false when there was none.
    ///
    /// # Errors
    /// As [`Handlers::run_one`].
    pub fn run_one_of(&self, db: &Database, queue: Queue) -> Outcome<bool> {
        if !db.read(|tx| store::may_be_due(tx, queue))? {
            return Ok(false);
        }
        let Some(job) = self.take(db, queue)? else { return Ok(false) };
        let span = tracing::info_span!("job", job_id = %job.id, kind = %job.kind, attempt = job.attempts + 1);
        let _entered = span.enter();
        let started = Stopwatch::now();
        let result = self.run(db, &job);
        let took = started.elapsed();
        if let Err(error) = &result {
            tracing::warn!(cause = error.cause(), "job failed");
        }
        let patience = self.patience_with(&job.kind);
        let ((), ended) = self.recorded(db, |tx| {
            let end = store::finish(tx, &job, &result, patience)?;
            let ended = |end| Ended { took: Some(took), end, ..self.given_up(queue, &job, result.as_ref().err()) };
            Ok(((), end.map(ended)))
        })?;
        if ended.is_none() {
            tracing::warn!("the lease ran out before the job ended: another worker has it");
        }
        Ok(true)
    }

    /// The next job of a queue that can be run; those that cannot are given up on the way.
    fn take(&self, db: &Database, queue: Queue) -> Outcome<Option<Row>> {
        loop {
            let (taken, _) = self.recorded(db, |tx| {
                let taken = store::lease(tx, queue, |kind| self.patience_with(kind))?;
                let ended = match &taken {
                    Taken::Nothing | Taken::Job(_) => None,
                    Taken::Deadly(job, cause) => Some(self.given_up(queue, job, Some(cause))),
                    Taken::Unreadable(place, cause) => Some(Ended {
                        queue,
                        kind: UNKNOWN,
                        job: place.clone(),
                        end: JobEnd::Failed,
                        took: None,
                        about: None,
                        cause: Some(cause.clone()),
                    }),
                };
                Ok((taken, ended))
            })?;
            match taken {
                Taken::Nothing => return Ok(None),
                Taken::Job(job) => return Ok(Some(job)),
                Taken::Deadly(job, _) => {
                    tracing::error!(job = %job.id, kind = %job.kind, attempts = job.attempts, "job given up: its worker dies of it");
                }
                Taken::Unreadable(..) => {}
            }
        }
    }

    /// A job as who follows sees it when it is given up.
    fn given_up(&self, queue: Queue, job: &Row, error: Option<&JobError>) -> Ended {
        let kind = self.kinds.get(job.kind.as_str());
        Ended {
            queue,
            kind: kind.map_or(UNKNOWN, |kind| kind.name),
            job: job.id.to_string(),
            end: JobEnd::Failed,
            took: None,
            about: kind.and_then(|kind| (kind.about)(job.version, &job.payload)),
            cause: error.map(|error| error.cause().to_owned()),
        }
    }

    /// Writes how a job ended, and what follows from it, in one transaction; then counts it. A follower that fails does
    /// not keep the queue from going on.
    fn recorded<T>(
        &self,
        db: &Database,
        write: impl Fn(&mut Tx<'_>) -> Outcome<(T, Option<Ended>)>,
    ) -> Outcome<(T, Option<Ended>)> {
        let both = db.write(|tx| {
            let (value, ended) = write(tx)?;
            if let (Some(follow), Some(ended)) = (&self.follow, &ended) {
                follow(tx, ended)?;
            }
            Ok((value, ended))
        });
        let (value, ended) = match both {
            Err(cause) if self.follow.is_some() && !matches!(cause, Error::Busy) => {
                tracing::error!(%cause, "what follows from the end of a job failed");
                db.write(&write)?
            }
            other => other?,
        };
        if let (Some(measure), Some(ended)) = (&self.measure, &ended) {
            measure(ended);
        }
        Ok((value, ended))
    }

    fn run(&self, db: &Database, job: &Row) -> Result<(), JobError> {
        let Some(kind) = self.kinds.get(job.kind.as_str()) else {
            return Err(JobError::GiveUp(format!("no handler for « {} »", job.kind)));
        };
        // A panic ends the job, not the worker: the queue would stop for good with its last thread.
        let outcome =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (kind.run)(db, job.version, &job.payload)));
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

    /// A worker thread's life: runs the jobs of a queue until told to stop.
    pub fn work(&self, db: &Database, queue: Queue, stop: &AtomicBool, poll: Duration) {
        let mut worked = false;
        while !stop.load(Ordering::Relaxed) {
            match self.run_one_of(db, queue) {
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
                    tracing::error!(%cause, queue = queue.as_str(), "queue");
                    pause(poll.saturating_mul(5), stop);
                }
            }
        }
    }
}

/// Sleeps, but not through a request to stop.
pub fn pause(length: Duration, stop: &AtomicBool) {
    let until = Stopwatch::now() + length;
    while !stop.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Stopwatch::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
}
