//! What rooms to the right have to say when a room to the left acts.
//!
//! ```text
//!   left: act ──▶ Others::vetoes(MOMENT, subject) ──▶ none: save ──▶ Others::follow(MOMENT, subject) ──▶ commit
//!                        └─ any: refused, in their words                  └─ an error undoes the whole act
//! ```
//! The room that acts names its moments and never knows who listens; those who do give their words in their capability,
//! and the composition root puts them together.

use super::Subject;
use crate::kernel::Actor;
use crate::platform::{Outcome, Tx};

/// An act of a room on which others may have their word, named once by that room: `campaigns::CLOSES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub &'static str);

/// Says in French what stands against an act, if anything.
pub type Veto = fn(&mut Tx<'_>, &Subject) -> Outcome<Option<String>>;

/// What is done in the same transaction once the act is saved.
pub type Follow = fn(&mut Tx<'_>, &Actor, &Subject) -> Outcome<()>;

/// The words of every room, in their order.
#[derive(Clone, Default)]
pub struct Others {
    vetoes: Vec<(Moment, Veto)>,
    follows: Vec<(Moment, Follow)>,
}

impl Others {
    /// Adds the words of a room.
    #[must_use]
    pub fn with(mut self, vetoes: &[(Moment, Veto)], follows: &[(Moment, Follow)]) -> Self {
        self.vetoes.extend(vetoes);
        self.follows.extend(follows);
        self
    }

    /// Everything that stands against an act now.
    ///
    /// # Errors
    /// Those of the rooms asked.
    pub fn vetoes(&self, tx: &mut Tx<'_>, moment: Moment, subject: &Subject) -> Outcome<Vec<String>> {
        let mut told = Vec::new();
        for (_, veto) in self.vetoes.iter().filter(|(at, _)| *at == moment) {
            told.extend(veto(tx, subject)?);
        }
        Ok(told)
    }

    /// Lets every room do what follows from an act just saved.
    ///
    /// # Errors
    /// Those of the rooms: the act is undone with them.
    pub fn follow(&self, tx: &mut Tx<'_>, actor: &Actor, moment: Moment, subject: &Subject) -> Outcome<()> {
        self.follows.iter().filter(|(at, _)| *at == moment).try_for_each(|(_, follow)| follow(tx, actor, subject))
    }
}
