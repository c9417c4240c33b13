//! What is seen of the clock, journalled when it is new.

use serde_json::json;

use super::{Entry, record};
use crate::kernel::Actor;
use crate::platform::db::clock_watch::{self, Sight};
use crate::platform::{Outcome, Tx};

/// Looks at the clock; a jump or a step that was not known leaves a line in the journal and in the log.
pub fn look_at_clock(tx: &mut Tx<'_>) -> Outcome<Sight> {
    let (sight, new) = clock_watch::look(tx)?;
    if new {
        let (action, seen, now) = match sight {
            Sight::Sound => return Ok(sight),
            Sight::Ahead { seen, now } => ("clock.apart", seen, now),
            Sight::Behind { seen, now } => ("clock.behind", seen, now),
        };
        tracing::error!(%seen, %now, action, "the clock is not where it was expected");
        let entry = Entry::new(action, "clock", "serveur", json!({ "seen": seen, "now": now }));
        record(tx, &Actor::program("contrôle de l'horloge"), entry)?;
    }
    Ok(sight)
}
