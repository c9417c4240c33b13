//! One answer for both forms of an act in number: 200 with what it did, or 202 with where to follow it.

use std::sync::Arc;

use super::act::LongAct;
use super::actions;
use super::http::JobView;
use crate::kernel::Actor;
use crate::platform::web::{Answer, CallContext, Reply, State};

/// Does an act at once, or later when the caller prefers so. `call` and `body_sha256` are those of the request.
///
/// # Errors
/// Those of the act, when it is done at once.
pub async fn answer<A: LongAct>(
    state: State,
    actor: Actor,
    call: CallContext,
    body_sha256: String,
    (asked, world): (A, Arc<A::World>),
) -> Answer {
    let later = call.prefers_async();
    state
        .post(actor.principal, call, body_sha256, move |tx| {
            if later {
                let act = actions::ask(tx, &actor, &asked)?;
                return Reply::accepted(format!("/api/v1/jobs/{}", act.id), &JobView::from(act));
            }
            Reply::ok(&asked.act(tx, &actor, &world)?)
        })
        .await
}
