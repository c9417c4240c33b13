//! How a room tells its acts: one enum, one French sentence each.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::entry::Event;
use crate::platform::{Outcome, Tx};

/// A kind of act: its stable verb, and what it is called where its details cannot be told.
pub type Act = (&'static str, &'static str);

/// What can happen in a room.
///
/// Written as `{"action": verb, "data": {…}}` (`#[serde(tag = "action", content = "data")]`). When the shape of a variant
/// changes, [`Told::VERSION`] grows and [`Told::read`] learns to read the former one.
pub trait Told: Serialize + DeserializeOwned {
    /// Shape of what is written today.
    const VERSION: i64 = 1;
    /// Every verb of the room.
    const ACTS: &'static [Act];

    /// What happened, in one French sentence.
    fn sentence(&self) -> String;

    /// Reads an entry of any version; None when it was written before events had types.
    #[must_use]
    fn read(action: &str, version: i64, data: &Value) -> Option<Self> {
        (version == Self::VERSION)
            .then(|| serde_json::from_value(json!({ "action": action, "data": data })).ok())
            .flatten()
    }
}

/// The verb of an event and its data, personal values marked.
pub(super) fn written<E: Told>(event: &E) -> Outcome<(String, Value)> {
    let mut whole = serde_json::to_value(event)?;
    let action = whole.get("action").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((action, whole.get_mut("data").map_or_else(|| json!({}), Value::take)))
}

type Tell = fn(&str, i64, &Value) -> Option<String>;

/// Every room's way of telling its acts.
#[derive(Clone, Default)]
pub struct Tellers(Vec<(&'static [Act], Tell)>, Vec<Names>);

/// The ids a word means in a room: people know a thing by keys that the journal has not met yet.
pub type Names = fn(&mut Tx<'_>, &str) -> Outcome<Vec<String>>;

impl Tellers {
    /// Adds a room.
    #[must_use]
    pub fn with<E: Told>(mut self) -> Self {
        self.0.push((E::ACTS, |action, version, data| E::read(action, version, data).map(|event| event.sentence())));
        self
    }

    /// Adds the keys by which a room knows its things.
    #[must_use]
    pub fn naming(mut self, names: Names) -> Self {
        self.1.push(names);
        self
    }

    /// Every id a word means, in any room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn ids(&self, tx: &mut Tx<'_>, word: &str) -> Outcome<Vec<String>> {
        let found = self.1.iter().map(|names| names(tx, word)).collect::<Outcome<Vec<_>>>()?;
        Ok(found.concat())
    }

    /// Every verb of every room, with its plain name.
    pub fn acts(&self) -> impl Iterator<Item = &Act> {
        self.0.iter().flat_map(|(acts, _)| acts.iter())
    }

    /// The sentence of an entry: in full, else the act's plain name, else its verb.
    #[must_use]
    pub fn tell(&self, event: &Event) -> String {
        let room = self.0.iter().find_map(|(acts, tell)| {
            acts.iter().find(|(verb, _)| *verb == event.action).map(|(_, name)| (*name, *tell))
        });
        match room {
            Some((name, tell)) => tell(&event.action, event.version, &event.marked).unwrap_or_else(|| name.to_owned()),
            None => event.action.clone(),
        }
    }
}

/// Names in a sentence.
pub fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
