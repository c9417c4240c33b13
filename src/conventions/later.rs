//! The bulk issue, done at once or later.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::issue::{self, Issue, IssueView};
use crate::access::IssueConventions;
use crate::acts::LongAct;
use crate::campaigns::Defaults;
use crate::kernel::{Actor, SchoolYear};
use crate::platform::papers::Templates;
use crate::platform::{Outcome, Tx};

/// What the configuration gives the acts that make papers.
pub struct ActWorld {
    pub defaults: Arc<Defaults>,
    pub templates: Arc<Templates>,
}

/// An issue in number, as asked for.
#[derive(Serialize, Deserialize)]
pub struct IssueAct {
    pub(super) year: SchoolYear,
    pub(super) request: Issue,
}

impl LongAct for IssueAct {
    type World = ActWorld;
    type Permission = IssueConventions;
    type View = IssueView;
    const OPERATION: &'static str = "issue_conventions";
    const KIND: &'static str = "conventions.issue";

    fn act(self, tx: &mut Tx<'_>, actor: &Actor, world: &ActWorld) -> Outcome<IssueView> {
        issue::issue(tx, actor, &self.year, self.request, &world.defaults, &world.templates)
    }
}
