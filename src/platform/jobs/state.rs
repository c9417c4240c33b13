//! Where a job waits, where it stands, and how a run of it ended.

use crate::text_enum;

text_enum!(
    /// Who runs a job: each queue has workers of its own, so that none waits behind another's.
    Queue {
        /// Short work of the program itself: what the day asks for.
        Default => "default",
        /// Papers: a second each at most, thousands at once.
        Papers => "papers",
        /// Acts in number that a person asked for and does not wait for.
        Acts => "acts",
    }
);

text_enum!(
    /// Where a job stands.
    JobState { Queued => "queued", Running => "running", Done => "done", Failed => "failed" }
);

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    Done,
    Retried,
    /// Given up.
    Failed,
}

impl JobEnd {
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retried => "retried",
            Self::Failed => "failed",
        }
    }
}
