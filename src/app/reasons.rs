//! The reasons of the program itself to ask a person for something.
//!
//! ```text
//!   job given up ──▶ task `job.given_up` about what it was for ──same work done later──▶ closed by the program
//!   something frozen found falsified ──▶ task `integrity.fault` about it ──▶ closed by a person, who looked
//! ```

use crate::acts;
use crate::audit::{self, Subject, SubjectKind};
use crate::kernel::Actor;
use crate::kernel::ids::ActId;
use crate::platform::jobs::{Ended, JobEnd};
use crate::platform::{Outcome, Tx};
use crate::tasks::{self, NewTask, TaskKind};

/// A job that nobody will try again.
pub const JOB_GIVEN_UP: TaskKind = TaskKind("job.given_up");
/// Content that is no longer what was frozen.
pub const INTEGRITY_FAULT: TaskKind = TaskKind("integrity.fault");

/// What the end of a job asks of people, written with it. Each kind of subject has one kind of job: what it does now is
/// what was given up.
pub fn after_job(tx: &mut Tx<'_>, ended: &Ended) -> Outcome<()> {
    let actor = Actor::program("travaux");
    let about = ended.about.as_ref().and_then(|about| Some((SubjectKind::parse(about.kind).ok()?, about.key.as_str())));
    match (ended.end, about) {
        (JobEnd::Retried, _) | (JobEnd::Done, None) => Ok(()),
        (JobEnd::Done, Some(subject)) => {
            tasks::settle(tx, &actor, JOB_GIVEN_UP, subject, "Le travail a été fait depuis.").map(|_| ())
        }
        (JobEnd::Failed, about) => {
            if let Some((SubjectKind::Job, key)) = about
                && let Ok(id) = ActId::parse(key)
            {
                acts::give_up(tx, id)?;
            }
            let subject = match about {
                Some((kind, id)) => audit::subject_with_id(tx, kind, id)?,
                None => Subject::known_by(SubjectKind::Job, &ended.job),
            };
            let why = format!(
                "Le travail « {} » a été abandonné après ses essais ; sa cause est au journal technique, sous l'identifiant {}.",
                ended.kind, ended.job
            );
            tasks::open(tx, &actor, NewTask { kind: JOB_GIVEN_UP, subject, why, due_on: None }).map(|_| ())
        }
    }
}
