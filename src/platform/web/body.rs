//! JSON bodies and path keys, refused in French with the field, the rule and the value received.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, web};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::json;
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

/// Most bytes of a JSON body: the program's as application data, a route's own as an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit(pub usize);

impl BodyLimit {
    fn of(request: &HttpRequest) -> Self {
        let own = request.extensions().get::<Self>().copied();
        let general = || request.app_data::<web::Data<Self>>().map_or(Self(65_536), |limit| *limit.get_ref());
        own.unwrap_or_else(general)
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let announced = announced(request);
        // The options of the address decide what is done as much as the body does.
        let query = request.query_string().to_owned();
        let limit = BodyLimit::of(request);
        let length = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        let payload = payload.take();
        Box::pin(async move {
            announced?;
            let bytes = read(payload, length, limit).await?;
            let value = json::parse(&bytes)?;
            Ok(Self { value, sha256: digest_with(&query, &digest(&bytes)) })
        })
    }
}

/// What an idempotency key is bound to besides the route: the digest of the body, and the options of the address.
pub(super) fn digest_with(query: &str, body_sha256: &str) -> String {
    if query.is_empty() { body_sha256.to_owned() } else { digest(format!("{query}\n{body_sha256}").as_bytes()) }
}

/// The whole body, as it was sent: nothing of it is unpacked, and no more is held than the limit.
async fn read(mut payload: Payload, length: Option<u64>, limit: BodyLimit) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("Le corps dépasse la taille admise pour cette route : {} octets.", limit.0);
        Problem::new(&problem::PAYLOAD_TOO_LARGE, detail)
    };
    // Said by the header, it is refused before a byte is read.
    if length.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit.0)) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(&problem::MALFORMED_JSON, "Le corps est arrivé incomplet."))?;
        if chunk.len() > limit.0.saturating_sub(body.len()) {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// JSON, in UTF-8.
fn announced(request: &HttpRequest) -> Result<(), Problem> {
    let header = |name: HeaderName| request.headers().get(name).map(|v| v.to_str().unwrap_or("?").to_ascii_lowercase());
    let refuse = |detail: &str| Err(Problem::new(&problem::UNSUPPORTED_MEDIA_TYPE, detail));
    let kind = header(CONTENT_TYPE).unwrap_or_default();
    let mut parts = kind.split(';').map(str::trim);
    let merge_patch = request.method() == Method::PATCH && kind.starts_with("application/merge-patch+json");
    if parts.next() != Some("application/json") && !merge_patch {
        return refuse("Le corps doit être annoncé comme application/json.");
    }
    let charset = parts.find_map(|p| p.strip_prefix("charset=")).map(|c| c.trim_matches('"'));
    if charset.is_some_and(|charset| !matches!(charset, "utf-8" | "utf8")) {
        return refuse("Un document JSON est en UTF-8 : aucun autre jeu de caractères n'est admis.");
    }
    Ok(())
}

/// The value at a place, as it is shown back.
pub(super) fn received(whole: &Value, pointer: &str) -> Option<String> {
    whole.pointer(pointer).map(|v| v.as_str().map_or_else(|| excerpt(v), |s| excerpt(&s)))
}

/// A JSON pointer to where reading stopped.
pub(super) fn pointer(path: &serde_path_to_error::Path) -> String {
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
    let is_code = |code: &str| code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if let Some((code, text)) = message.split_once(FAULT_SEPARATOR).filter(|(code, _)| is_code(code)) {
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
        let place = if pointer == quoted { pointer.to_owned() } else { format!("{pointer}/{quoted}") };
        ("duplicate_field", format!("Champ donné deux fois : « {quoted} »."), place)
    } else if message.starts_with("unknown variant") {
        let admitted: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        ("unknown_value", format!("Valeur inconnue ; valeurs admises : {}.", admitted.join(", ")), pointer.to_owned())
    } else if message.starts_with("invalid type") {
        ("wrong_type", format!("Type de valeur inattendu : {} attendu.", expected(message)), pointer.to_owned())
    } else if message.starts_with("invalid value: integer") {
        ("number_range", "Nombre hors de l'étendue admise.".to_owned(), pointer.to_owned())
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
    /// The one way to write it.
    fn canonical(&self) -> String;
}

/// The keys of the path of a request, each in its one form: what scopes an `Idempotency-Key`.
#[derive(Debug, Default)]
pub(super) struct CanonicalKeys(pub Vec<(&'static str, String)>);

impl<T: PathKey> FromRequest for Key<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let raw = request.match_info().query(T::NAME);
        let read = T::from_path(raw).inspect(|key| {
            let mut extensions = request.extensions_mut();
            let mut keys = extensions.remove::<CanonicalKeys>().unwrap_or_default();
            keys.0.push((T::NAME, key.canonical()));
            extensions.insert(keys);
        });
        let place = || format!("path/{}", T::NAME);
        std::future::ready(read.map(Key).map_err(|fault| Refused::field(place(), &fault, Some(excerpt(&raw))).into()))
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
            fn canonical(&self) -> String {
                self.to_string()
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
    Ok((json::typed(&whole)?, fields.keys().cloned().collect()))
}

/// RFC 7396: an absent field stays, `null` removes, an object is merged, anything else replaces.
fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (key, value) in fields {
        if value.is_null() {
            target.remove(key);
        } else {
            apply(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}
