//! The journal: who did what to what, when. Append-only (the table refuses DELETE, and every UPDATE but that of a
//! signed elimination), written in the
//! transaction of the act, so that an act without its trace cannot exist.
//!
//! ```text
//!   a room's event (an enum) ─┐                      ┌─ facts    what happened, for ever
//!   Subject: kind, id, key,   ├─▶ record ──▶ entry ──┼─ persons  who is named in it, with a salt
//!     what it belongs to      ┘                      └─ digest   over the facts and a commitment to the persons
//! ```
//! **A subject** has an id that never changes and the key printed at the moment (a title has its id when prepared, its
//! reference once approved); either finds the whole story of the thing, with the stories of what belongs to it.
//!
//! **Personal data** ([`Personal`]) and free words, which may name anyone, are kept apart from the facts. The digest of an
//! entry is taken over a salted commitment to them, not over their text: once they are eliminated the rest of the entry
//! stays provable, and nothing can be guessed from the commitment.
//!
//! **Who acted** is a principal: an account, the holder of an invitation link, the program; [`fn@may`] says which acts are for
//! who has no account.
//!
//! Each room declares its acts as one enum ([`Told`]); the French sentence of an entry is made when it is read.

mod clock;
mod digest;
mod entry;
mod may;
mod others;
mod personal;
mod store;
mod store_retention;
mod subject;
mod told;

pub use clock::{ClockEvent, look_at_clock};

use crate::kernel::Actor;
use crate::platform::page::{Page, PageView};
use crate::platform::{Outcome, Tx};

pub use entry::{Entry, Event, EventOrder, EventSort, Filter};
pub use may::{by_commune, may};
pub use others::{Follow, Moment, Others, Veto};
pub use personal::{Changes, Personal, parted};
pub use store_retention::DECLARED;
pub use subject::{Subject, SubjectKind};
pub use told::{Act, Tellers, Told, listed};

/// Writes one entry.
///
/// # Errors
/// `forbidden`: an act that is not for who does it (see [`fn@may`]); those of the database.
pub fn record<E: Told>(tx: &mut Tx<'_>, actor: &Actor, subject: Subject, event: E) -> Outcome<()> {
    record_all(tx, actor, &[Entry { subject, event }])
}

/// Writes the entries of one act, in their order.
///
/// # Errors
/// Those of [`record`].
pub fn record_all<E: Told>(tx: &mut Tx<'_>, actor: &Actor, entries: &[Entry<E>]) -> Outcome<()> {
    store::insert(tx, actor, entries)
}

/// The thing that had a key when last it was journaled; a thing never told of is known by the key alone.
///
/// # Errors
/// Those of the database.
pub fn subject_called(tx: &mut Tx<'_>, kind: SubjectKind, key: &str) -> Outcome<Subject> {
    Ok(store::last_called(tx, kind, key)?.unwrap_or_else(|| Subject::known_by(kind, key)))
}

/// The thing that has an id, by the key it had when last it was journaled.
///
/// # Errors
/// Those of the database.
pub fn subject_with_id(tx: &mut Tx<'_>, kind: SubjectKind, id: &str) -> Outcome<Subject> {
    Ok(store::last_told(tx, kind, id)?.unwrap_or_else(|| Subject::known_by(kind, id)))
}

/// Reads entries, newest first unless asked otherwise: their ids sort by the instant of the act.
///
/// # Errors
/// Those of the database.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page<EventSort>) -> Outcome<PageView<Event>> {
    store::list(tx, filter, page)
}
