//! The kinds of job of every room, each with the world it runs in.

use std::sync::Arc;

use crate::acts::RunAct;
use crate::capability::Capability;
use crate::conventions::{ActWorld, IssueAct};
use crate::platform::documents::Renderer;
use crate::platform::jobs::Handlers;
use crate::platform::papers::{self, Kind};
use crate::titles::{ApproveAct, PrepareAct};

/// Which function runs which kind of job. Acts that may be asked for later are done with what the configuration says.
pub(super) fn handlers(
    rooms: &[Capability],
    (papers, renderer): (Vec<&'static Kind>, Arc<Renderer>),
    world: &Arc<ActWorld>,
) -> Handlers {
    let papers = papers::handlers(Handlers::default(), renderer, papers);
    rooms
        .iter()
        .fold(papers, |handlers, room| (room.jobs)(handlers))
        .with::<RunAct<IssueAct>>(Arc::clone(world))
        .with::<RunAct<PrepareAct>>(Arc::clone(world))
        .with::<RunAct<ApproveAct>>(Arc::clone(world))
}
