//! Use cases of a title given back to who prepared it, and handed in again.

use super::approve::{find, named};
use super::events::{self, TitleEvent};
use super::title::{Title, TitleAct, TitleEffect, Word};
use super::{store, store_returns};
use crate::audit;
use crate::kernel::Actor;
use crate::kernel::Version;
use crate::kernel::dates::exercice;
use crate::kernel::ids::{ReturnId, TitleId};
use crate::kernel::text::Note;
use crate::platform::db::counters;
use crate::platform::{Outcome, Tx};

/// The title, read in turn with every approval: who comes second is told what became of it.
fn held(tx: &mut Tx<'_>, id: TitleId, read: Option<&Version>) -> Outcome<Title> {
    counters::lock(tx, &format!("title:{}", exercice(tx.today())))?;
    let title = find(tx, id)?;
    read.map_or(Ok(()), |read| read.admits(title.version))?;
    Ok(title)
}

fn word(tx: &Tx<'_>, actor: &Actor, reason: Note) -> Outcome<Word> {
    Ok(Word { by: named(actor)?, by_label: actor.label.clone(), at: tx.now(), reason })
}

/// Gives one prepared title back to who prepared it.
pub fn give_back(tx: &mut Tx<'_>, actor: &Actor, id: TitleId, read: Option<&Version>, reason: Note) -> Outcome<Title> {
    let title = held(tx, id, read)?;
    let why = reason.to_string();
    let said = word(tx, actor, reason)?;
    let (mut next, effect) = title.apply(TitleAct::Return { id: ReturnId::new(tx.uuid()), said })?;
    if let TitleEffect::Returned(returned) = &effect {
        store_returns::insert(tx, id, returned)?;
    }
    store::save(tx, &mut next)?;
    let convention = next.ground.convention_number.clone();
    audit::record(tx, actor, events::of(&next), TitleEvent::Returned { convention, reason: why.into() })?;
    Ok(next)
}

/// Hands one returned title in again, with a word.
pub fn resubmit(tx: &mut Tx<'_>, actor: &Actor, id: TitleId, read: Option<&Version>, reason: Note) -> Outcome<Title> {
    let title = held(tx, id, read)?;
    let why = reason.to_string();
    let said = word(tx, actor, reason)?;
    let (mut next, effect) = title.apply(TitleAct::Resubmit(said))?;
    if let TitleEffect::Resubmitted { of, word } = &effect {
        store_returns::resubmit(tx, *of, word)?;
    }
    store::save(tx, &mut next)?;
    let convention = next.ground.convention_number.clone();
    audit::record(tx, actor, events::of(&next), TitleEvent::Resubmitted { convention, reason: why.into() })?;
    Ok(next)
}
