//! JSON read without indulgence: what serde would let pass in silence is refused.
//!
//! ```text
//!   bytes ──read──▶ Value (no key twice, no control character) ──typed──▶ request
//! ```
//! serde takes a list for an object (by position), an object for a word (`{"school": null}`) and the last of two
//! equal keys: a caller who sends these has made a mistake, and is told. All mistakes are told at once, as far as one does
//! not hide another: a value refused is set aside and the rest read again.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Number, Value};

use super::problem::{self, Problem};
use super::refusing::{data_problem, pointer, received};
use crate::kernel::text::unprintable_fault;
use crate::kernel::{FieldError, Refused, text::excerpt};

/// Most values in a body: an act in number names some thousands of keys.
const MOST_VALUES: usize = 100_000;

/// Reads a JSON body into its typed request.
///
/// # Errors
/// `malformed_json`, `unknown_field`, `invalid_value`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    typed(&read(bytes)?)
}

/// Reads well-formed JSON: UTF-8, nothing after its end, no key twice, no control character but tabs and line ends.
fn read(bytes: &[u8]) -> Result<Value, Problem> {
    // Each value costs far more in memory than on the wire: they are counted before they are made. A comma or bracket
    // within a text counts too, which only makes the bound lower.
    if bytes.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() > MOST_VALUES {
        let detail = format!("Le corps compte plus de {MOST_VALUES} valeurs : le partager en plusieurs appels.");
        return Err(Problem::new(&problem::PAYLOAD_TOO_LARGE, detail));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read: Result<Unique, _> = serde_path_to_error::deserialize(&mut reader);
    let Unique(value) = read.map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            let message = inner.to_string();
            return data_problem(&message, &pointer(error.path()), &problem::UNKNOWN_FIELD, |_| None);
        }
        malformed(bytes, inner)
    })?;
    reader.end().map_err(|e| {
        let place = format!("ligne {}, colonne {}", e.line(), e.column());
        Problem::new(&problem::MALFORMED_JSON, format!("Il y a du texte après la fin du JSON ({place})."))
    })?;
    controls(&value, "")?;
    Ok(value)
}

fn malformed(bytes: &[u8], error: &serde_json::Error) -> Problem {
    let place = format!("ligne {}, colonne {}", error.line(), error.column());
    let detail = if bytes.is_empty() {
        "Le corps est vide : un document JSON est attendu.".to_owned()
    } else if std::str::from_utf8(bytes).is_err() || bytes.contains(&0) {
        "Le corps n'est pas en UTF-8 : un document JSON l'est toujours.".to_owned()
    } else if error.to_string().starts_with("recursion limit") {
        format!("Le JSON est imbriqué trop profondément ({place}).")
    } else {
        format!("Le corps n'est pas du JSON bien formé ({place}).")
    };
    Problem::new(&problem::MALFORMED_JSON, detail)
}

/// No text of a request holds a control character: the databases differ on them, and no person types them.
fn controls(value: &Value, place: &str) -> Result<(), Problem> {
    let hidden = |text: &str| text.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'));
    match value {
        Value::String(text) => match hidden(text) {
            None => Ok(()),
            Some(c) => {
                let received = received(value, "").filter(|_| !is_secret(place));
                Err(Refused::field(place, &unprintable_fault(c), received).into())
            }
        },
        Value::Array(items) => items.iter().enumerate().try_for_each(|(i, v)| controls(v, &format!("{place}/{i}"))),
        Value::Object(fields) => fields.iter().try_for_each(|(key, v)| {
            let below = format!("{place}/{key}");
            match hidden(key) {
                None => controls(v, &below),
                Some(c) => Err(Refused::field(below, &unprintable_fault(c), Some(excerpt(key))).into()),
            }
        }),
        _ => Ok(()),
    }
}

/// A secret is not repeated, not even to the one who sent it: answers end up in logs.
pub(super) fn is_secret(pointer: &str) -> bool {
    pointer.contains("password") || pointer.contains("token") || pointer == "/code"
}

/// Reads a value through the doors of its type.
///
/// # Errors
/// `unknown_field`, `invalid_value`: every fault of the first one's kind.
pub fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    let refusal = |rest: &Value| {
        serde_path_to_error::deserialize::<_, T>(Strict(rest)).map_err(|error| {
            let place = pointer(error.path());
            let sent = |p: &str| received(value, p).filter(|_| !is_secret(p));
            data_problem(&error.inner().to_string(), &place, &problem::UNKNOWN_FIELD, sent)
        })
    };
    let mut first = match refusal(value) {
        Ok(read) => return Ok(read),
        Err(first) => first,
    };
    let mut rest = value.clone();
    // What is missing is no value to set aside: what would hold it is, once the rest of it was read.
    let of = |error: &FieldError| {
        let place = error.pointer.as_str();
        if error.code == "missing_field" { parent(place).to_owned() } else { place.to_owned() }
    };
    let mut aside: Vec<String> = first.refused.errors.iter().map(of).collect();
    while let Some(last) = aside.last()
        && aside.len() < MOST_FAULTS
        && set_aside(&mut rest, last)
    {
        let Err(next) = refusal(&rest) else { break };
        let same_kind = next.refused.code == first.refused.code;
        for error in next.refused.errors {
            // What was set aside is missed now, which is no fault of the caller.
            let missed = error.code == "missing_field" && aside.contains(&error.pointer);
            aside.push(of(&error));
            if same_kind && !missed {
                first.refused.errors.push(error);
            }
        }
    }
    let others = first.refused.errors.len().saturating_sub(1);
    if others > 0 {
        let more = crate::kernel::french::count(others, "autre faute");
        first.refused.detail = format!("{} Et {more} : voir `errors`.", first.refused.detail);
    }
    Err(first)
}

/// Most faults of a body that are told at once.
const MOST_FAULTS: usize = 20;

/// Where the value at a pointer stands.
fn parent(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or("", |(before, _)| before)
}

/// Takes a field out; a place within a list takes the whole list. Says whether anything was there to take.
fn set_aside(value: &mut Value, pointer: &str) -> bool {
    let list = pointer.match_indices('/').map(|(at, _)| at).skip(1).chain([pointer.len()]).find_map(|at| {
        let place = pointer.get(..at)?;
        value.pointer(place)?.is_array().then_some(place)
    });
    let place = list.unwrap_or(pointer);
    let Some((holder, key)) = place.rsplit_once('/') else { return false };
    value.pointer_mut(holder).and_then(Value::as_object_mut).is_some_and(|fields| fields.remove(key).is_some())
}

/// A JSON value whose objects have each key once.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique(Value::Null))
    }
    fn visit_bool<E>(self, v: bool) -> Result<Unique, E> {
        Ok(Unique(v.into()))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Unique, E> {
        Ok(Unique(v.into()))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Unique, E> {
        Ok(Unique(v.into()))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Unique, E> {
        Ok(Unique(Number::from_f64(v).map_or(Value::Null, Value::Number)))
    }
    fn visit_str<E>(self, v: &str) -> Result<Unique, E> {
        Ok(Unique(v.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unique, A::Error> {
        let mut items = Vec::new();
        while let Some(Unique(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Unique(items.into()))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if fields.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate field `{key}`")));
            }
            let Unique(value) = map.next_value()?;
            fields.insert(key, value);
        }
        Ok(Unique(fields.into()))
    }
}

/// A value read strictly: an object is only an object, a word only a text.
#[derive(Clone, Copy)]
struct Strict<'a>(&'a Value);

impl<'a> Strict<'a> {
    fn unexpected(self) -> Unexpected<'a> {
        match self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(v) => Unexpected::Bool(*v),
            Value::Number(_) => Unexpected::Other("number"),
            Value::String(v) => Unexpected::Str(v),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        }
    }
}

impl<'de> IntoDeserializer<'de, Error> for Strict<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Strict<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(v) => visitor.visit_bool(*v),
            Value::Number(n) => match (n.as_u64(), n.as_i64(), n.as_f64()) {
                (Some(n), ..) => visitor.visit_u64(n),
                (_, Some(n), _) => visitor.visit_i64(n),
                (.., n) => visitor.visit_f64(n.unwrap_or_default()),
            },
            Value::String(v) => visitor.visit_borrowed_str(v),
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Strict))),
            Value::Object(fields) => {
                visitor.visit_map(MapDeserializer::new(fields.iter().map(|(k, v)| (k.as_str(), Strict(v)))))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0.is_object() {
            self.deserialize_any(visitor)
        } else {
            Err(Error::invalid_type(self.unexpected(), &visitor))
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(word) => visitor.visit_enum(BorrowedStrDeserializer::new(word)),
            _ => Err(Error::invalid_type(self.unexpected(), &"a string")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
