//! Kinds of jobs for tests: each runs what it is given.

use ent_backoffice::platform::jobs::{Handlers, JobError};
use ent_backoffice::platform::{Database, jobs};

/// What a job of a test does: it is given its number.
pub type Does = Box<dyn Fn(&Database, u32) -> Result<(), JobError> + Send + Sync>;

/// `test_job!(Slow, "slow", Papers)`: a kind of job, `slow`, in a queue.
macro_rules! test_job {
    ($name:ident, $kind:literal, $queue:ident) => {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct $name {
            n: u32,
        }
        impl ent_backoffice::platform::jobs::Job for $name {
            type World = $crate::support::jobs::Does;
            const KIND: &'static str = $kind;
            const QUEUE: ent_backoffice::platform::jobs::Queue = ent_backoffice::platform::jobs::Queue::$queue;

            fn run(
                &self,
                db: &ent_backoffice::platform::Database,
                does: &Self::World,
            ) -> Result<(), ent_backoffice::platform::jobs::JobError> {
                does(db, self.n)
            }
        }
    };
}

/// Handlers that know one kind.
pub fn running<J: jobs::Job<World = Does> + 'static>(
    does: impl Fn(&Database, u32) -> Result<(), JobError> + Send + Sync + 'static,
) -> Handlers {
    Handlers::default().with::<J>(Box::new(does))
}
