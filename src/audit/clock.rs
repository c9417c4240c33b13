//! What is seen of the clock, journalled when it is new.

use serde::{Deserialize, Serialize};

use super::{Act, Subject, SubjectKind, Told, record};
use crate::kernel::{Actor, Instant};
use crate::platform::db::clock_watch::{self, Sight};
use crate::platform::{Outcome, Tx};

/// The clock is not where it was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum ClockEvent {
    #[serde(rename = "clock.apart")]
    Apart { seen: Instant, now: Instant },
    #[serde(rename = "clock.behind")]
    Behind { seen: Instant, now: Instant },
}

impl Told for ClockEvent {
    const ACTS: &'static [Act] = &[("clock.apart", "Horloge en avance"), ("clock.behind", "Horloge en retard")];

    fn sentence(&self) -> String {
        match self {
            Self::Apart { seen, now } => format!("L'horloge a sauté du {} au {}.", seen.french(), now.french()),
            Self::Behind { seen, now } => format!("L'horloge est revenue du {} au {}.", seen.french(), now.french()),
        }
    }
}

/// Looks at the clock; a jump or a step that was not known leaves a line in the journal and in the log.
pub fn look_at_clock(tx: &mut Tx<'_>) -> Outcome<Sight> {
    let (sight, new) = clock_watch::look(tx)?;
    if new {
        let event = match sight {
            Sight::Sound => return Ok(sight),
            Sight::Ahead { seen, now } => ClockEvent::Apart { seen, now },
            Sight::Behind { seen, now } => ClockEvent::Behind { seen, now },
        };
        tracing::error!(?event, "the clock is not where it was expected");
        let subject = Subject::known_by(SubjectKind::Clock, "serveur");
        record(tx, &Actor::program("contrôle de l'horloge"), subject, event)?;
    }
    Ok(sight)
}
