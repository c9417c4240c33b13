//! JSON bodies and path keys, refused in French with the field, the rule and the value received.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::objects::Objects;
use super::problem::{self, Problem};
use crate::kernel::refused::FAULT_SEPARATOR;
use crate::kernel::{FieldError, FieldFault, Refused, refused::INVALID_VALUE, text::excerpt};
use crate::platform::db::blobs::digest;

/// A JSON body: the value, and the digest of the bytes (for idempotency).
#[derive(Debug)]
pub struct Body<T> {
    pub value: T,
    pub sha256: String,
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.split(';').next())
            .is_some_and(|v| v.trim().eq_ignore_ascii_case("application/json"));
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            if !is_json {
                return Err(Problem::new(
                    &problem::UNSUPPORTED_MEDIA_TYPE,
                    "Le corps doit être annoncé comme application/json.",
                ));
            }
            let bytes = bytes.await.map_err(|_| {
                Problem::new(&problem::PAYLOAD_TOO_LARGE, "Le corps dépasse la taille admise pour cette route.")
            })?;
            let value = parse(&bytes)?;
            Ok(Self { value, sha256: digest(&bytes) })
        })
    }
}

/// Reads a JSON body into its typed request.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let result: Result<T, _> = serde_path_to_error::deserialize(Objects(&mut reader));
    match result {
        Ok(value) => match reader.end() {
            Ok(()) => Ok(value),
            Err(e) => Err(Problem::new(&problem::MALFORMED_JSON, format!("Texte après la fin du JSON : {e}."))),
        },
        Err(error) => Err(explain(&error, bytes)),
    }
}

fn explain(error: &serde_path_to_error::Error<serde_json::Error>, bytes: &[u8]) -> Problem {
    let inner = error.inner();
    if !inner.is_data() {
        let place = format!("ligne {}, colonne {}", inner.line(), inner.column());
        return Problem::new(&problem::MALFORMED_JSON, format!("Le corps n'est pas du JSON bien formé ({place})."));
    }
    let pointer = pointer(error.path());
    let whole: Value = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    // serde_json appends « at line … column … », which says nothing the pointer does not.
    let message = inner.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(m, _)| m);
    // A secret is not repeated, not even to the one who sent it: answers end up in logs.
    let secret = |p: &str| p.contains("password") || p.contains("token");
    let received = |p: &str| {
        whole.pointer(p).filter(|_| !secret(p)).map(|v| v.as_str().map_or_else(|| excerpt(v), |s| excerpt(&s)))
    };
    data_problem(message, &pointer, &problem::UNKNOWN_FIELD, received)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{key}"),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// Puts serde's refusal into the contract's words: code, French message, place and value.
pub(super) fn data_problem(
    message: &str,
    pointer: &str,
    unknown: &'static crate::kernel::ProblemCode,
    received: impl Fn(&str) -> Option<String>,
) -> Problem {
    let quoted = message.split('`').nth(1).unwrap_or_default();
    if let Some((code, text)) = message.split_once(FAULT_SEPARATOR) {
        // The fault of a newtype, which travelled through serde as text.
        let error = FieldError {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            message: text.to_owned(),
            value: received(pointer),
        };
        return Problem::field(&INVALID_VALUE, format!("{pointer} : {text}"), error);
    }
    if message.starts_with("unknown field") {
        // The path already ends with the unknown key.
        let admitted: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        let text = format!("Champ inconnu « {quoted} » ; champs admis : {}.", admitted.join(", "));
        let place = if pointer.ends_with(&format!("/{quoted}")) || pointer == quoted {
            pointer.to_owned()
        } else {
            format!("{pointer}/{quoted}")
        };
        let value = received(&place);
        let error = FieldError { pointer: place, code: unknown.code.to_owned(), message: text.clone(), value };
        return Problem::field(unknown, text, error);
    }
    let (code, text, place) = if message.starts_with("missing field") {
        ("missing_field", format!("Champ obligatoire absent : « {quoted} »."), format!("{pointer}/{quoted}"))
    } else if message.starts_with("duplicate field") {
        ("duplicate_field", format!("Champ donné deux fois : « {quoted} »."), pointer.to_owned())
    } else if message.starts_with("unknown variant") {
        let admitted: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        ("unknown_value", format!("Valeur inconnue ; valeurs admises : {}.", admitted.join(", ")), pointer.to_owned())
    } else if message.starts_with("invalid type") {
        ("wrong_type", format!("Type de valeur inattendu : {} attendu.", expected(message)), pointer.to_owned())
    } else {
        ("invalid_value", "Valeur refusée pour ce champ.".to_owned(), pointer.to_owned())
    };
    let value = received(&place);
    let error = FieldError { pointer: place.clone(), code: code.to_owned(), message: text.clone(), value };
    Problem::field(&INVALID_VALUE, format!("{place} : {text}"), error)
}

fn expected(message: &str) -> &'static str {
    let wanted = message.rsplit_once("expected ").map_or("", |(_, w)| w);
    match wanted {
        w if w.contains("string") => "un texte entre guillemets",
        w if w.contains("bool") => "true ou false",
        w if w.contains("sequence") => "une liste",
        w if w.starts_with('i') || w.starts_with('u') || w.contains("integer") => "un nombre entier",
        w if w.contains("date") => "une date AAAA-MM-JJ entre guillemets",
        w if w.contains("struct") || w.contains("map") => "un objet",
        _ => "autre type",
    }
}

/// A key in the path, parsed through its newtype's door; a malformed one is 422.
#[derive(Debug)]
pub struct Key<T>(pub T);

/// What a path key must do: `parse` of every identifier.
pub trait PathKey: Sized + 'static {
    /// Name of the path parameter.
    const NAME: &'static str;
    /// Its one door.
    ///
    /// # Errors
    /// The fault of the value.
    fn from_path(raw: &str) -> Result<Self, FieldFault>;
}

impl<T: PathKey> FromRequest for Key<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let raw = request.match_info().query(T::NAME);
        std::future::ready(
            T::from_path(raw)
                .map(Key)
                .map_err(|fault| Refused::field(format!("path/{}", T::NAME), &fault, Some(excerpt(&raw))).into()),
        )
    }
}

/// Makes identifiers usable in paths.
#[macro_export]
macro_rules! path_keys {
    ($($type:ty => $name:literal),+ $(,)?) => {$(
        impl $crate::platform::web::PathKey for $type {
            const NAME: &'static str = $name;
            fn from_path(raw: &str) -> Result<Self, $crate::kernel::FieldFault> {
                <$type>::parse(raw)
            }
        }
    )+};
}

/// Applies a JSON merge patch (RFC 7396) to what is known and reads the result through the same doors as a
/// creation; also tells which top-level fields the patch names.
pub fn merged<T: serde::Serialize + DeserializeOwned>(current: &T, patch: &Value) -> Result<(T, Vec<String>), Problem> {
    let Value::Object(fields) = patch else {
        return Err(data_problem("invalid type, expected struct", "", &problem::UNKNOWN_FIELD, |_| None));
    };
    let mut whole = serde_json::to_value(current).map_err(crate::platform::Error::from)?;
    apply(&mut whole, patch);
    let bytes = serde_json::to_vec(&whole).map_err(crate::platform::Error::from)?;
    Ok((parse(&bytes)?, fields.keys().cloned().collect()))
}

fn apply(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                apply(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}
