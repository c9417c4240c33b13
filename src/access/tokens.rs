//! Access tokens: JWTs that say who calls and in which role, signed and verified by this program alone.
//!
//! HS256 and nothing else: the algorithm of a received header is compared, never obeyed. Several keys allow a change
//! of key without logging anybody out: the first signs, all verify, `kid` says which. Time is the program's [`Clock`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::kernel::{Clock, Role, ids::UserId};
use crate::platform::db::blobs::digest;
use crate::platform::{Error, Outcome};

/// Seconds by which the clocks of two instances may differ.
const SKEW_SECONDS: i64 = 5;

/// Longest token looked at, in bytes: ours stay well below.
const LONGEST: usize = 4_096;

/// The head of a token we make, and nothing more: what a head declares critical (`crit`, RFC 7515 § 4.1.11), an
/// unencoded content (`b64`, RFC 7797) or a key of its own must be understood or refused, and we make none of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    typ: String,
    #[serde(rename = "alg")]
    _alg: String,
    #[serde(rename = "kid")]
    _kid: String,
}

fn is_ours(token: &str) -> bool {
    let head = token.split('.').next().unwrap_or_default();
    let head = URL_SAFE_NO_PAD.decode(head).ok();
    head.and_then(|head| serde_json::from_slice::<Head>(&head).ok()).is_some_and(|head| head.typ == "JWT")
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: UserId,
    pub role: Role,
    /// « Prénom Nom », for the journal.
    pub name: String,
    /// The session: family of the refresh tokens.
    pub sid: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
}

/// For whom a token is made.
#[derive(Debug, Clone)]
pub struct Bearer {
    pub user: UserId,
    pub role: Role,
    pub name: String,
    pub session: String,
}

/// Why a token is refused. Which check failed is nobody's business but ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    Invalid,
    Expired,
}

/// Who issues tokens, for whom, and for how long.
#[derive(Debug, Clone)]
pub struct TokenRules {
    pub issuer: String,
    pub audience: String,
    pub lifetime_minutes: u32,
}

struct Key {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// Makes and verifies access tokens.
pub struct Tokens {
    keys: Vec<Key>,
    rules: TokenRules,
    validation: Validation,
    clock: Clock,
}

impl Tokens {
    /// The first key signs, all of them verify.
    #[must_use]
    pub fn new<'k>(keys: impl IntoIterator<Item = &'k [u8]>, rules: TokenRules, clock: Clock) -> Self {
        super::hs256::install();
        let keys = keys
            .into_iter()
            .map(|secret| Key {
                id: digest(secret).chars().take(8).collect(),
                encoding: EncodingKey::from_secret(secret),
                decoding: DecodingKey::from_secret(secret),
            })
            .collect();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[&rules.issuer]);
        validation.set_audience(&[&rules.audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // The library would read the system's clock; `verify` compares with ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { keys, rules, validation, clock }
    }

    /// Seconds an access token lives.
    #[must_use]
    pub fn lifetime_seconds(&self) -> i64 {
        i64::from(self.rules.lifetime_minutes).saturating_mul(60)
    }

    /// Signs a token, valid from now on.
    ///
    /// # Errors
    /// An incident when there is no key.
    pub fn issue(&self, bearer: &Bearer) -> Outcome<String> {
        let key = self.keys.first().ok_or_else(|| Error::Incident("no key signs access tokens".into()))?;
        let now = self.clock.now().timestamp();
        let claims = Claims {
            iss: self.rules.issuer.clone(),
            aud: self.rules.audience.clone(),
            sub: bearer.user,
            role: bearer.role,
            name: bearer.name.clone(),
            sid: bearer.session.clone(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(self.lifetime_seconds()),
        };
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &key.encoding).map_err(|e| Error::Incident(format!("access token: {e}")))
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`TokenFault::Expired`] for one of ours whose time is over, [`TokenFault::Invalid`] for everything else.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenFault> {
        if token.len() > LONGEST || !is_ours(token) {
            return Err(TokenFault::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenFault::Invalid)?;
        let key = self.keys.iter().find(|key| header.kid.as_ref() == Some(&key.id)).ok_or(TokenFault::Invalid)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &self.validation)
            .map_err(|_| TokenFault::Invalid)?
            .claims;
        let now = self.clock.now().timestamp();
        let latest_start = now.saturating_add(SKEW_SECONDS);
        if claims.nbf > latest_start || claims.iat > latest_start {
            return Err(TokenFault::Invalid);
        }
        if claims.exp <= now { Err(TokenFault::Expired) } else { Ok(claims) }
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
