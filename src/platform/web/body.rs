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
use super::refusing::data_problem;
use crate::kernel::{FieldFault, Refused, text::excerpt};
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
