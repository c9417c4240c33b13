//! Query parameters: typed, whitelisted, refused when unknown.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;

use super::problem::{self, Problem};
use super::refusing::data_problem;
use crate::kernel::Refused;
use crate::kernel::text::{excerpt, unprintable_fault};

/// The parameters of a list or an option, read from the address.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Params<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(parse(request.query_string()).map(Self))
    }
}

/// Name and value of each parameter, decoded.
///
/// # Errors
/// `malformed_query`: a `%` that decodes to nothing, or bytes that are not UTF-8; `invalid_value`: control characters.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let malformed = || {
        let detail =
            "Les paramètres de l'adresse sont mal encodés : « % » suivi de deux chiffres hexadécimaux, en UTF-8.";
        Problem::new(&problem::MALFORMED_QUERY, detail)
    };
    let decode = |part: &str| {
        let (mut bytes, mut rest) = (Vec::with_capacity(part.len()), part.bytes());
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digit = |d: Option<u8>| char::from(d?).to_digit(16);
                    let (high, low) = (digit(rest.next()), digit(rest.next()));
                    high.zip(low).and_then(|(h, l)| u8::try_from(h * 16 + l).ok()).ok_or_else(malformed)?
                }
                other => other,
            });
        }
        String::from_utf8(bytes).map_err(|_| malformed())
    };
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        // A tab comes along with what is pasted, as in a body of JSON.
        if let Some(c) = name.chars().chain(value.chars().filter(|c| *c != '\t')).find(|c| c.is_control()) {
            return Err(Refused::field(excerpt(&name), &unprintable_fault(c), Some(excerpt(&value))).into());
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// Reads a query string.
pub fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = pairs(query)?;
    let texts = pairs.iter().map(|(k, v)| (k.as_str(), Text(v)));
    let reader = serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(texts);
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let name = error.path().to_string();
        let message = error.inner().to_string();
        // Of a parameter given twice, serde names the place (none) and the name apart.
        let name = match message.strip_prefix("duplicate field `").and_then(|m| m.split('`').next()) {
            Some(twice) => twice.to_owned(),
            None => name,
        };
        let value = pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| excerpt(v));
        data_problem(&message, &name, &problem::UNKNOWN_PARAMETER, |_| value.clone())
    })
}

/// A parameter's text, which may be read as a text, a number, a boolean or an enum.
#[derive(Clone, Copy)]
struct Text<'a>(&'a str);

impl<'de> serde::de::IntoDeserializer<'de, serde::de::value::Error> for Text<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! numbers {
    ($($method:ident => $visit:ident),+) => {$(
        fn $method<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            match self.0.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        }
    )+};
}

impl<'de> serde::Deserializer<'de> for Text<'de> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_borrowed_str(self.0)
    }

    /// An empty parameter is an absent one: clients send `?q=` for an empty box.
    fn deserialize_option<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(serde::de::value::BorrowedStrDeserializer::new(self.0))
    }

    fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    numbers!(deserialize_bool => visit_bool, deserialize_u32 => visit_u32, deserialize_u64 => visit_u64,
        deserialize_i32 => visit_i32, deserialize_i64 => visit_i64, deserialize_u8 => visit_u8,
        deserialize_u16 => visit_u16, deserialize_i8 => visit_i8, deserialize_i16 => visit_i16);

    serde::forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Options {
        q: Option<String>,
        limit: Option<u32>,
        dry_run: Option<bool>,
    }

    fn refused(query: &str) -> (&'static str, Option<String>) {
        let refused = parse::<Options>(query).unwrap_err().refused;
        (refused.code.code, refused.errors.first().map(|e| format!("{} {}", e.pointer, e.code)))
    }

    #[test]
    fn what_is_badly_encoded_unknown_or_doubled_is_refused() {
        for bad in ["q=%", "q=%z", "q=%zz", "q=%4", "q=%ff", "%ff=1", "q=%C3"] {
            assert_eq!(refused(bad).0, "malformed_query", "{bad}");
        }
        for bad in ["q=%00", "q=a%0Ab", "q%01=a", "q%09=a"] {
            assert_eq!(refused(bad).0, "invalid_value", "{bad}");
        }
        for bad in ["colour=blue", "colour=", "colour", "=x"] {
            assert_eq!(refused(bad).0, "unknown_parameter", "{bad}");
        }
        assert_eq!(refused("q=a&q=b"), ("invalid_value", Some("q duplicate_field".into())));
        assert_eq!(refused("limit=dix"), ("invalid_value", Some("limit wrong_type".into())));
        assert_eq!(refused("limit=-1"), ("invalid_value", Some("limit wrong_type".into())));
        assert_eq!(refused("limit=4294967296"), ("invalid_value", Some("limit wrong_type".into())));
        assert_eq!(refused("dry_run=oui"), ("invalid_value", Some("dry_run wrong_type".into())));
    }

    #[test]
    fn an_empty_parameter_is_an_absent_one() {
        assert_eq!(parse::<Options>("q=&limit=&").unwrap(), Options::default());
        let read: Options = parse("q=%C3%A9+%2B&limit=20&dry_run=true").unwrap();
        assert_eq!(read, Options { q: Some("é +".into()), limit: Some(20), dry_run: Some(true) });
    }
}
