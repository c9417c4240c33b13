//! The job that does an act: begun where everybody sees it, then done and told in one transaction.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::act::{ActState, LongAct};
use super::http_problem;
use super::store::{self, Ending};
use crate::access;
use crate::kernel::ids::ActId;
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::platform::jobs::{About, Job, JobError, Patience, Queue};
use crate::platform::{Database, Error};

/// Does an act that was asked for.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct RunAct<A> {
    pub(super) act_id: ActId,
    #[serde(skip)]
    pub(super) act: std::marker::PhantomData<A>,
}

impl<A: LongAct> Job for RunAct<A> {
    type World = Arc<A::World>;
    const KIND: &'static str = A::KIND;
    const QUEUE: Queue = Queue::Acts;
    // No transaction writes for longer than five minutes.
    const PATIENCE: Option<Patience> = Some(Patience {
        lease: chrono::Duration::minutes(10),
        max_attempts: 5,
        first_wait: chrono::Duration::seconds(5),
        longest_wait: chrono::Duration::seconds(60),
    });

    fn dedup_key(&self) -> Option<String> {
        Some(self.act_id.to_string())
    }

    fn about(&self, _: &Self::World) -> Option<About> {
        Some(About { kind: "job", key: self.act_id.to_string() })
    }

    fn run(&self, db: &Database, world: &Arc<A::World>) -> Result<(), JobError> {
        run::<A>(db, self.act_id, world)
    }
}

/// Does an act that was asked for: begun where everybody sees it, then done and told in one transaction.
fn run<A: LongAct>(db: &Database, id: ActId, world: &A::World) -> Result<(), JobError> {
    // A worker that died may have left it running: it is done again from nothing.
    let begun = db.write(|tx| {
        let begun = store::step(tx, id, ActState::Waiting, ActState::Running)?;
        Ok(begun || store::find(tx, id)?.is_some_and(|act| act.state == ActState::Running))
    })?;
    if !begun {
        return Ok(());
    }
    // The result of a dry run, whose transaction is undone, is still to be kept.
    let tried = db.write(|tx| {
        // Held from here on: another worker that believes this one dead waits, and finds it done.
        let Some(act) = store::hold_running(tx, id)? else { return Ok(None) };
        let actor = access::still::<A::Permission>(tx, act.author, act.request_id.clone())?;
        let asked: A = serde_json::from_str(&act.request)?;
        let view = serde_json::to_value(asked.act(tx, &actor, world)?)?;
        if tx.is_discarded() {
            return Ok(Some(view));
        }
        store::end(tx, id, Ending::Done(&view))?;
        Ok(None)
    });
    match tried {
        Ok(None) => Ok(()),
        Ok(Some(view)) => Ok(db.write(|tx| store::end(tx, id, Ending::Done(&view)))?),
        Err(Error::Refused(refused)) if refused.code != &CONCURRENT_CHANGE => {
            let problem = http_problem::of(*refused)?;
            db.write(|tx| store::end(tx, id, Ending::Refused(&problem)))?;
            Ok(())
        }
        Err(error) => {
            if let Err(cause) = db.write(|tx| store::wait_again(tx, id)) {
                tracing::warn!(%cause, "an act that failed is still told to be running");
            }
            Err(error.into())
        }
    }
}
