//! JSON read without indulgence: what serde would let pass in silence is refused.
//!
//! ```text
//!   bytes ──read──▶ Value (no key twice, no control character) ──typed──▶ request
//! ```
//! serde takes a list for an object (by position), an object for a word (`{"school": null}`) and the last of two
//! equal keys: a caller who sends these has made a mistake, and is told.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Number, Value};

use super::problem::{self, Problem};
use super::refusing::{data_problem, pointer, received};
use crate::kernel::text::unprintable_fault;
use crate::kernel::{Refused, text::excerpt};

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
/// `unknown_field`, `invalid_value`.
pub fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| {
        let place = pointer(error.path());
        let sent = |p: &str| received(value, p).filter(|_| !is_secret(p));
        data_problem(&error.inner().to_string(), &place, &problem::UNKNOWN_FIELD, sent)
    })
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
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Inner {
        word: String,
        count: Option<i64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        inner: Inner,
        #[serde(default)]
        list: Vec<Inner>,
    }

    fn refused(json: &str) -> (u16, String, String, String) {
        let problem = parse::<Outer>(json.as_bytes()).unwrap_err().refused;
        let first = problem.errors.first();
        (
            problem.code.status,
            first.map_or_else(String::new, |e| e.pointer.clone()),
            first.map_or_else(|| problem.code.code.to_owned(), |e| e.code.clone()),
            problem.detail,
        )
    }

    #[test]
    fn what_serde_lets_pass_is_refused() {
        let case = |json: &str, pointer: &str, code: &str| {
            let (status, place, found, detail) = refused(json);
            assert_eq!((place.as_str(), found.as_str()), (pointer, code), "{json}: {detail}");
            assert!((400..500).contains(&status));
            assert!(!detail.contains("expected") && !detail.contains("invalid"), "{json}: {detail}");
        };
        case(r#"[{"word":"a"}]"#, "", "wrong_type");
        case(r#"{"inner":["a",1]}"#, "/inner", "wrong_type");
        case(r#"{"inner":{"word":"a"},"inner":{"word":"b"}}"#, "/inner", "duplicate_field");
        case(r#"{"inner":{"word":"a","word":"b"}}"#, "/inner/word", "duplicate_field");
        case(r#"{"inner":{"word":"a"},"list":[{"word":"a\u0001"}]}"#, "/list/0/word", "unprintable_character");
        case(r#"{"inner":{"word":"a","count":1e3}}"#, "/inner/count", "wrong_type");
        case(r#"{"inner":{"word":"a","count":99999999999999999999}}"#, "/inner/count", "wrong_type");
        case(r#"{"inner":{"word":"a","count":18446744073709551615}}"#, "/inner/count", "number_range");
        case(r#"{"inner":{"word":"a","count":1e400}}"#, "", "malformed_json");
        case(r#"{"inner":{"word":"\ud800"}}"#, "", "malformed_json");
        case(r#"{"inner":{"word":"a"}} {}"#, "", "malformed_json");
        case(&"[".repeat(10_000), "", "malformed_json");
        case("", "", "malformed_json");
        case("{\"a\u{1f}b\":1}", "", "malformed_json");
        case(r#"{"unknown_\u001f":1}"#, "/unknown_\u{1f}", "unprintable_character");
        case(r#"{"inner":{"word":"a"},"other":1}"#, "/other", "unknown_field");
        case(r#"{"inner":{}}"#, "/inner/word", "missing_field");
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_told_so() {
        let utf16: Vec<u8> = r#"{"inner":{"word":"é"}}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [&b"{\"inner\":{\"word\":\"\xe9\"}}"[..], &utf16] {
            let problem = parse::<Outer>(bytes).unwrap_err().refused;
            assert!(problem.code.code == "malformed_json" && problem.detail.contains("UTF-8"), "{}", problem.detail);
        }
        assert_eq!(refused("\u{feff}{\"inner\":{\"word\":\"a\"}}").2, "malformed_json");
    }

    #[test]
    fn what_is_right_is_read() {
        let outer: Outer = parse(br#"{"inner":{"word":"a","count":-3},"list":[{"word":"b","count":null}]}"#).unwrap();
        assert_eq!((outer.inner.count, outer.list.len()), (Some(-3), 1));
    }
}
