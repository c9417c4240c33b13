//! What is watched over across all rooms: today, the persons in the base and the end of their time.
//!
//! ```text
//!   the rooms' registers ──▶ what is past its time ──dry run──▶ counts, oldest day, opaque keys
//!                              │   └─ needed by accounting: withheld, never eliminated
//!                              └──eliminate, signed──▶ one transaction per entry: the list, the rows, the journal's line
//! ```
//! An elimination never writes what it erases: the list of it names rows by opaque keys. Frozen rows let go of persons on
//! such a list, and of nothing else (see the triggers). What an act says goes with its file, out of the program.

mod events;
mod retention;
mod store_retention;

pub use events::RetentionEvent;
pub use retention::{Eliminated, Line, Order, Signed, dry_run, eliminate};

use crate::audit::Tellers;
use crate::capability::Capability;

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tells: Tellers::with::<RetentionEvent>,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("oversight")
    }
}
