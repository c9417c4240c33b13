//! What of an entry can name a person, told apart by its type.
//!
//! A [`Personal`] value writes itself inside a mark; `split` takes the marks out, each under its JSON pointer, and
//! `joined` puts back what was not eliminated.

use std::fmt::{self, Display};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

const MARK: &str = "$personal";

/// A value that is, or may hold, personal data: a name, an address, a person's own words. None once eliminated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal<T>(pub Option<T>);

impl<T> Personal<T> {
    pub const fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: Display> Display for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("(donnée personnelle effacée)"),
        }
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => s.collect_map([(MARK, value)]),
            None => s.serialize_none(),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Value::deserialize(d)? {
            Value::Null => Ok(Self(None)),
            mut marked => {
                let inner =
                    marked.get_mut(MARK).map(Value::take).ok_or_else(|| serde::de::Error::missing_field(MARK))?;
                serde_json::from_value(inner).map(|value| Self(Some(value))).map_err(serde::de::Error::custom)
            }
        }
    }
}

/// What changed of a thing: each field before and after.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Changes(Map<String, Value>);

impl Changes {
    /// Compares two states as they are written down; of the `personal` fields only the names stay for ever.
    ///
    /// # Errors
    /// A state that is no JSON object.
    pub fn between<T: Serialize>(before: &T, after: &T, personal: &[&str]) -> serde_json::Result<Self> {
        let (before, after) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
        let (empty, nothing) = (Map::new(), Value::Null);
        let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
        let mut changes = Map::new();
        for name in before.keys().chain(after.keys()) {
            let (was, is) = (before.get(name).unwrap_or(&nothing), after.get(name).unwrap_or(&nothing));
            if was != is {
                let change = json!({ "before": was, "after": is });
                let hidden = personal.contains(&name.as_str());
                changes.insert(name.clone(), if hidden { json!({ MARK: change }) } else { change });
            }
        }
        Ok(Self(changes))
    }

    /// Names of the fields that changed.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Takes the personal values out of `data`, which keeps null in their places.
pub(super) fn split(data: &mut Value) -> Map<String, Value> {
    let mut persons = Map::new();
    take(data, &mut String::new(), &mut persons);
    persons
}

fn take(value: &mut Value, pointer: &mut String, persons: &mut Map<String, Value>) {
    match value {
        Value::Object(fields) if fields.len() == 1 && fields.contains_key(MARK) => {
            persons.insert(pointer.clone(), fields.remove(MARK).unwrap_or_default());
            *value = Value::Null;
        }
        Value::Object(fields) => {
            for (name, inner) in fields {
                take_below(inner, &name.replace('~', "~0").replace('/', "~1"), pointer, persons);
            }
        }
        Value::Array(items) => {
            for (rank, inner) in items.iter_mut().enumerate() {
                take_below(inner, &rank.to_string(), pointer, persons);
            }
        }
        _ => {}
    }
}

fn take_below(value: &mut Value, step: &str, pointer: &mut String, persons: &mut Map<String, Value>) {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(step);
    take(value, pointer, persons);
    pointer.truncate(length);
}

/// Puts the personal values back where they stood, marked as an event reads them.
pub(super) fn marked(data: Value, persons: &Map<String, Value>) -> Value {
    restored(data, persons, |value| json!({ MARK: value }))
}

/// The same for a reader, without the marks.
pub(super) fn joined(data: Value, persons: &Map<String, Value>) -> Value {
    restored(data, persons, Value::clone)
}

fn restored(mut data: Value, persons: &Map<String, Value>, as_written: impl Fn(&Value) -> Value) -> Value {
    for (pointer, value) in persons {
        if let Some(place) = data.pointer_mut(pointer) {
            *place = as_written(value);
        }
    }
    data
}

/// Parts what is written down: the facts, and the `personal` fields by themselves.
///
/// # Errors
/// What cannot be written as JSON.
pub fn parted<T: Serialize>(said: &T, personal: &[&str]) -> serde_json::Result<(Value, Personal<Value>)> {
    let mut facts = serde_json::to_value(said)?;
    let fields = facts.as_object_mut();
    let persons = fields.map(|fields| personal.iter().filter_map(|name| fields.remove_entry(*name)).collect());
    Ok((facts, Personal(persons)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Said {
        on: String,
        by: Personal<String>,
        others: Vec<Personal<String>>,
        inner: Vec<(u8, Personal<Option<u32>>)>,
    }

    proptest! {
        #[test]
        fn nothing_personal_stays_among_the_facts_and_all_of_it_comes_back(
            on in "[a-z]{3}", by in "[A-Z]{9}", others in prop::collection::vec("[A-Z]{9}", 0..4), n in any::<Option<u32>>(),
        ) {
            let said = Said { on: on.clone(), by: by.clone().into(), others: others.iter().cloned().map(Personal::new).collect(),
                              inner: vec![(1, Personal::new(n))] };
            let mut facts = serde_json::to_value(&said).unwrap();
            let persons = split(&mut facts);
            let kept = facts.to_string();
            prop_assert!(kept.contains(&on) && !kept.contains(&by) && !others.iter().any(|o| kept.contains(o)));
            let back: Said = serde_json::from_value(marked(facts.clone(), &persons)).unwrap();
            prop_assert_eq!(back, said);
            let read = joined(facts.clone(), &persons);
            prop_assert_eq!(&read["by"], &json!(by));
            // Eliminated: still readable, with nobody in it.
            let gone: Said = serde_json::from_value(facts).unwrap();
            prop_assert_eq!((gone.on, gone.by, gone.others.len()), (on, Personal(None), others.len()));
        }
    }

    #[test]
    fn a_change_of_a_personal_field_keeps_only_its_name() {
        let state = |name: &str, kind: &str| json!({ "contact/email": name, "kind": kind, "same": 1 });
        let changes = Changes::between(&state("a@b", "x"), &state("c@d", "y"), &["contact/email"]).unwrap();
        assert_eq!(changes.names().collect::<Vec<_>>(), ["contact/email", "kind"]);
        let mut facts = serde_json::to_value(&changes).unwrap();
        let persons = split(&mut facts);
        assert_eq!(facts, json!({ "contact/email": null, "kind": { "before": "x", "after": "y" } }));
        assert_eq!(joined(facts, &persons)["contact/email"], json!({ "before": "a@b", "after": "c@d" }));
    }
}
