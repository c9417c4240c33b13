//! The acts in number of titles, done at once or later.

use serde::{Deserialize, Serialize};

use super::approve::{self, Approve, Making};
use super::prepare::{self, Prepare, PrepareView};
use crate::access::{ApproveTitles, PrepareTitles};
use crate::acts::LongAct;
use crate::campaigns::bulk::BulkView;
use crate::conventions::ActWorld;
use crate::kernel::{Actor, SchoolYear};
use crate::platform::{Outcome, Tx};

/// A preparation in number, as asked for.
#[derive(Serialize, Deserialize)]
pub struct PrepareAct {
    pub(super) year: SchoolYear,
    pub(super) request: Prepare,
}

impl LongAct for PrepareAct {
    type World = ActWorld;
    type Permission = PrepareTitles;
    type View = PrepareView;
    const OPERATION: &'static str = "prepare_titles";
    const KIND: &'static str = "titles.prepare";

    fn act(self, tx: &mut Tx<'_>, actor: &Actor, world: &ActWorld) -> Outcome<PrepareView> {
        prepare::prepare(tx, actor, &self.year, self.request, &world.defaults, &world.templates)
    }
}

/// An approval in number, as asked for.
#[derive(Serialize, Deserialize)]
pub struct ApproveAct {
    pub(super) request: Approve,
}

impl LongAct for ApproveAct {
    type World = ActWorld;
    type Permission = ApproveTitles;
    type View = BulkView;
    const OPERATION: &'static str = "approve_titles";
    const KIND: &'static str = "titles.approve";

    fn act(self, tx: &mut Tx<'_>, actor: &Actor, world: &ActWorld) -> Outcome<BulkView> {
        let making = Making { defaults: &world.defaults, templates: &world.templates };
        approve::approve(tx, actor, self.request, &making)
    }
}
