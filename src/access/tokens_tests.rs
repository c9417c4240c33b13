//! Tests of [`super`]: what must never verify.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use sha2::Sha512;

use super::*;
use crate::kernel::{Ids, Instant};

const OLD: &[u8] = b"an old key of at least thirty-two bytes";
const NEW: &[u8] = b"the new key of at least thirty-two bytes";

fn morning() -> Instant {
    Instant::parse("2025-06-05T08:00:00Z").unwrap()
}

fn tokens(keys: &[&[u8]], audience: &str, clock: &Clock) -> Tokens {
    let rules = TokenRules { issuer: "ent".into(), audience: audience.into(), lifetime_minutes: 15 };
    Tokens::new(keys.iter().copied(), rules, clock.clone())
}

fn bearer() -> Bearer {
    let user = UserId::new(Ids::default().uuid(morning()));
    Bearer { user, role: Role::Gestionnaire, name: "Zoé Martin".into(), session: "s".into() }
}

#[test]
fn a_token_says_who_and_for_how_long() {
    let clock = Clock::fixed(morning());
    let tokens = tokens(&[NEW], "ent", &clock);
    let bearer = bearer();
    let token = tokens.issue(&bearer).unwrap();
    let claims = tokens.verify(&token).unwrap();
    assert_eq!((claims.sub, claims.role, claims.name.as_str()), (bearer.user, bearer.role, "Zoé Martin"));
    assert_eq!(claims.exp - claims.iat, 900);
    clock.set(morning().plus(Duration::seconds(899)));
    assert!(tokens.verify(&token).is_ok());
    clock.set(morning().plus(Duration::seconds(900)));
    assert_eq!(tokens.verify(&token), Err(TokenFault::Expired));
    clock.set(morning().plus(Duration::seconds(-6)));
    assert_eq!(tokens.verify(&token), Err(TokenFault::Invalid));
}

#[test]
fn a_change_of_key_logs_nobody_out() {
    let clock = Clock::fixed(morning());
    let before = tokens(&[OLD], "ent", &clock);
    let during = tokens(&[NEW, OLD], "ent", &clock);
    let after = tokens(&[NEW], "ent", &clock);
    let token = before.issue(&bearer()).unwrap();
    assert!(during.verify(&token).is_ok());
    assert_eq!(after.verify(&token), Err(TokenFault::Invalid));
    assert!(after.verify(&during.issue(&bearer()).unwrap()).is_ok());
}

#[test]
fn a_token_for_somebody_else_is_refused() {
    let clock = Clock::fixed(morning());
    let ours = tokens(&[NEW], "ent", &clock);
    let theirs = tokens(&[NEW], "other", &clock);
    assert_eq!(ours.verify(&theirs.issue(&bearer()).unwrap()), Err(TokenFault::Invalid));
    let rules = TokenRules { issuer: "other".into(), audience: "ent".into(), lifetime_minutes: 15 };
    let other_issuer = Tokens::new([NEW], rules, clock);
    assert_eq!(ours.verify(&other_issuer.issue(&bearer()).unwrap()), Err(TokenFault::Invalid));
}

/// The same claims under another header, signed with our own key where the algorithm is symmetric.
fn forged(header: &Header, claims: &serde_json::Value) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(NEW)).unwrap()
}

#[test]
fn another_algorithm_or_key_id_is_refused() {
    let clock = Clock::fixed(morning());
    let ours = tokens(&[NEW], "ent", &clock);
    let token = ours.issue(&bearer()).unwrap();
    let payload = token.split('.').nth(1).unwrap().to_owned();
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&payload).unwrap()).unwrap();
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid;

    assert!(ours.verify(&forged(&Header { kid: kid.clone(), ..Header::new(Algorithm::HS256) }, &claims)).is_ok());
    let head = URL_SAFE_NO_PAD.encode(serde_json::json!({"typ": "JWT", "alg": "HS512", "kid": kid}).to_string());
    let signed = format!("{head}.{payload}");
    let mac = Hmac::<Sha512>::new_from_slice(NEW).unwrap().chain_update(&signed).finalize().into_bytes();
    let other_alg = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac));
    assert_eq!(ours.verify(&other_alg), Err(TokenFault::Invalid));
    assert!(jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &EncodingKey::from_secret(NEW)).is_err());
    let no_kid = forged(&Header::new(Algorithm::HS256), &claims);
    assert_eq!(ours.verify(&no_kid), Err(TokenFault::Invalid));
    let other_kid = forged(&Header { kid: Some("00000000".into()), ..Header::new(Algorithm::HS256) }, &claims);
    assert_eq!(ours.verify(&other_kid), Err(TokenFault::Invalid));
    for alg in ["none", "None", "HS384", "RS256"] {
        let header = serde_json::json!({"typ": "JWT", "alg": alg, "kid": kid});
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let signature = token.split('.').nth(2).unwrap();
        for signature in ["", signature] {
            assert_eq!(ours.verify(&format!("{header}.{payload}.{signature}")), Err(TokenFault::Invalid), "{alg}");
        }
    }
    for missing in ["exp", "nbf", "iss", "aud", "sub", "role", "sid"] {
        let mut fewer = claims.clone();
        fewer.as_object_mut().unwrap().remove(missing);
        let token = forged(&Header { kid: kid.clone(), ..Header::new(Algorithm::HS256) }, &fewer);
        assert_eq!(ours.verify(&token), Err(TokenFault::Invalid), "{missing}");
    }
}

proptest! {
    #[test]
    fn a_changed_token_never_verifies(place in 0_usize..2_000, with in "[A-Za-z0-9_.-]") {
        let clock = Clock::fixed(morning());
        let ours = tokens(&[NEW], "ent", &clock);
        let token = ours.issue(&bearer()).unwrap();
        let place = place % token.len();
        let mut changed = token.clone();
        changed.replace_range(place..=place, &with);
        // The last character of a base64 text may have spare bits; a strict reader refuses those that are set.
        prop_assume!(changed != token);
        prop_assert_eq!(ours.verify(&changed), Err(TokenFault::Invalid));
    }

    #[test]
    fn noise_never_verifies(noise in "\\PC{0,200}") {
        let ours = tokens(&[NEW], "ent", &Clock::fixed(morning()));
        prop_assert_eq!(ours.verify(&noise), Err(TokenFault::Invalid));
    }
}

/// A token with a head of our choice, signed as ours are.
fn with_head(head: &str, content: &str, key: &[u8]) -> String {
    let signed = format!("{}.{content}", URL_SAFE_NO_PAD.encode(head));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[test]
fn a_head_that_says_more_than_ours_is_refused_though_rightly_signed() {
    let clock = Clock::fixed(morning());
    let tokens = tokens(&[NEW], "ent", &clock);
    let token = tokens.issue(&bearer()).unwrap();
    let content = token.split('.').nth(1).unwrap();
    let kid: String = digest(NEW).chars().take(8).collect();
    let head = |more: &str| format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{kid}"{more}}}"#);
    assert!(tokens.verify(&with_head(&head(""), content, NEW)).is_ok(), "the forger forges well");
    for more in [
        r#","crit":["exp"]"#,
        r#","crit":[]"#,
        r#","b64":false,"crit":["b64"]"#,
        r#","b64":true"#,
        r#","jku":"https://exemple.invalid""#,
        r#","jwk":{}"#,
        r#","cty":"JWT""#,
        r#","kid":"autre""#,
    ] {
        assert_eq!(tokens.verify(&with_head(&head(more), content, NEW)), Err(TokenFault::Invalid), "{more}");
    }
    for typ in ["\"at+jwt\"", "\"\"", "null", "1"] {
        let head = format!(r#"{{"typ":{typ},"alg":"HS256","kid":"{kid}"}}"#);
        assert_eq!(tokens.verify(&with_head(&head, content, NEW)), Err(TokenFault::Invalid), "{typ}");
    }
    let untyped = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
    assert_eq!(tokens.verify(&with_head(&untyped, content, NEW)), Err(TokenFault::Invalid));
}

#[test]
fn a_token_of_a_size_we_never_make_is_refused_unread() {
    let clock = Clock::fixed(morning());
    let tokens = tokens(&[NEW], "ent", &clock);
    let bearer = Bearer { name: "x".repeat(LONGEST), ..bearer() };
    assert_eq!(tokens.verify(&tokens.issue(&bearer).unwrap()), Err(TokenFault::Invalid));
    // The longest names an account may have still fit.
    let bearer = Bearer { name: "\u{1F600}".repeat(401), ..bearer };
    assert!(tokens.verify(&tokens.issue(&bearer).unwrap()).is_ok());
}
