//! The queues: jobs are enqueued in the transaction that causes them and run after it, at least once.
//!
//! ```text
//!   queued ──lease──▶ running ──ok──▶ done
//!      ▲                 │
//!      └── retry later ──┴── give up ──▶ failed
//! ```
//! **A job** ([`Job`]) is a struct of ids with a kind, a queue, a patience and a version of what is written: a room
//! declares it and registers it once ([`Handlers::with`]) with the world it runs in. What an older program queued is read
//! by the newer one; what a newer one queued waits for an instance that knows it.
//!
//! **A queue** ([`Queue`]) has workers of its own: a short job never waits behind a thousand long ones.
//!
//! **At least once**: a worker that dies lets its lease run out; another takes the job again, so every job re-checks its
//! reason when it runs, and a worker that comes back too late leaves the job to who holds it. A job whose worker dies each
//! time is given up like any other. A dedup key makes enqueuing the same work twice a single job. A row that cannot be read
//! (an id that is none, a date that is none) is set aside with the cause: it keeps nobody else waiting.
//!
//! **Daily work** ([`Daily`]) is declared by its room, and run once per business day, whatever the number of instances.
//!
//! ```text
//!   job (trait, errors, patience)   state (queues, states, ends)     store, store_backlog, store_daily (tables)
//!   handlers (registry, one step)   daily (what each day asks for)
//! ```

pub mod daily;
mod handlers;
mod job;
mod state;
mod store;
mod store_backlog;
mod store_daily;

pub use daily::{Daily, Missed};
pub use handlers::{Ended, Handlers, pause};
pub use job::{About, Job, JobError, Patience};
pub use state::{JobEnd, JobState, Queue};
pub use store::{enqueue, enqueue_all};
pub use store_backlog::{Backlog, Waiting, backlog, overview};
