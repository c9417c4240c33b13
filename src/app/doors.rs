//! What is asked of a request before anything of it is routed, read or unpacked: one way to write an address, a head of a
//! reasonable size, a body that is what it says it is.
//!
//! ```text
//!   head ──▶ address in its one form? ──▶ sizes? ──▶ headers said once? ──▶ body not packed? ──▶ router, handlers
//!               400                        414, 431         400                  415
//! ```
//! The router compares a path decoded, the rest of the program as it came: with one admitted form they see the same.
//! A packed body is refused rather than unpacked: one byte sent may mean a thousand to hold. Of a header that can have one
//! value only, a proxy in front and the program might each believe another: twice is refused, whatever the values. `Host`,
//! `Content-Length` and `Transfer-Encoding` never come here twice (the HTTP layer refuses them); `If-Match` may, it is a
//! list (RFC 9110, 5.3).

use actix_web::dev::RequestHead;
use actix_web::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
};
use actix_web::{HttpResponse, ResponseError};

use crate::kernel::FieldError;
use crate::platform::web::Problem;

crate::problem_codes! {
    MALFORMED_PATH = "malformed_path", 400, "Adresse mal écrite",
        "Le chemin de l'adresse n'est pas dans sa forme simple : échappement inutile ou abîmé, barre échappée, segment \
         « . » ou « .. », barre doublée, caractère qui devait être échappé.";
    DUPLICATE_HEADER = "duplicate_header", 400, "En-tête donné deux fois",
        "Un en-tête qui n'a qu'une valeur (`Authorization`, `Content-Type`, `Idempotency-Key`, `Host`) est envoyé plus d'une \
         fois : aucune des valeurs n'est retenue.";
    BODY_TOO_SLOW = "body_too_slow", 408, "Corps trop lent",
        "Le corps de la requête a cessé d'arriver, ou arrive trop lentement ; rien n'a été fait, la connexion est fermée.";
    URI_TOO_LONG = "uri_too_long", 414, "Adresse trop longue",
        "L'adresse, paramètres compris, dépasse 8 Kio : passer les clés nombreuses dans le corps d'un acte en nombre.";
    UNSUPPORTED_CONTENT_ENCODING = "unsupported_content_encoding", 415, "Compression du corps non admise",
        "Le corps est annoncé compressé par `Content-Encoding` : le service n'en décompresse aucun, l'envoyer tel quel.";
    HEADERS_TOO_LARGE = "headers_too_large", 431, "En-têtes trop volumineux",
        "Les en-têtes de la requête dépassent 32 Kio au total.";
}

/// Longest address with its parameters, in bytes.
const ADDRESS: usize = 8_192;
/// Most bytes of the names and values of the headers together.
const HEADERS: usize = 32_768;

/// The refusal of a head, as it is answered.
pub fn refusal(head: &RequestHead) -> Option<HttpResponse> {
    if head.uri.path_and_query().is_some_and(|whole| whole.as_str().len() > ADDRESS) {
        return Some(Problem::new(&URI_TOO_LONG, "L'adresse et ses paramètres tiennent en 8 Kio.").error_response());
    }
    if let Some(fault) = path_fault(head.uri.path()) {
        return Some(Problem::new(&MALFORMED_PATH, fault).error_response());
    }
    let size: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > HEADERS {
        return Some(Problem::new(&HEADERS_TOO_LARGE, "Les en-têtes tiennent ensemble en 32 Kio.").error_response());
    }
    if let Some(twice) = SINGLE.iter().find(|name| head.headers.get_all(*name).nth(1).is_some()) {
        let message = format!("L'en-tête {} est donné plus d'une fois.", written(twice));
        // Not its values: one of them may be a secret.
        let error = FieldError {
            pointer: format!("header/{}", written(twice)),
            code: DUPLICATE_HEADER.code.into(),
            message: message.clone(),
            value: None,
        };
        return Some(Problem::field(&DUPLICATE_HEADER, message, error).error_response());
    }
    if is_packed(&head.headers) {
        let detail = "Le corps est annoncé compressé (Content-Encoding) : l'envoyer sans compression.";
        let mut response = Problem::new(&UNSUPPORTED_CONTENT_ENCODING, detail).error_response();
        // RFC 9110, 15.5.16: what would have been accepted.
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        return Some(response);
    }
    None
}

/// Headers that have one value.
const SINGLE: [HeaderName; 4] = [AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("idempotency-key"), HOST];

/// A header as people write it.
fn written(name: &HeaderName) -> String {
    let capital = |part: &str| part.get(..1).unwrap_or_default().to_uppercase() + part.get(1..).unwrap_or_default();
    name.as_str().split('-').map(capital).collect::<Vec<_>>().join("-")
}

/// Whether any coding but `identity` is announced, in any of the headers of that name.
fn is_packed(headers: &HeaderMap) -> bool {
    let plain = |codings: &str| {
        codings.split(',').map(str::trim).all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
    };
    headers.get_all(CONTENT_ENCODING).any(|value| !value.to_str().is_ok_and(plain))
}

/// Characters that RFC 3986 lets stand as they are: escaped, they would be a second way to write one address.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// What keeps a path from being the one way to write its address.
fn path_fault(path: &str) -> Option<&'static str> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            if !byte.is_ascii_graphic() {
                return Some(
                    "Un caractère du chemin doit être échappé : lettres accentuées et espaces s'écrivent « %.. ».",
                );
            }
            decoded.push(byte);
            continue;
        }
        let digit = |digit: Option<u8>| char::from(digit?).to_digit(16);
        let (high, low) = (digit(rest.next()), digit(rest.next()));
        let Some(byte) = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) else {
            return Some("« % » est suivi de deux chiffres hexadécimaux.");
        };
        if is_unreserved(byte) {
            return Some(
                "Échappement inutile : lettres, chiffres, « - », « . », « _ » et « ~ » s'écrivent tels quels.",
            );
        }
        if matches!(byte, b'/' | b'\\' | b'%') {
            return Some("Ni barre ni « % » ne s'échappent dans le chemin : aucune clé n'en contient.");
        }
        decoded.push(byte);
    }
    if std::str::from_utf8(&decoded).is_err() {
        return Some("Les caractères échappés du chemin sont en UTF-8.");
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Some("Le chemin n'a pas de segment « . » ni « .. ».");
    }
    path.contains("//").then_some("Le chemin a une barre doublée.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_has_one_form() {
        for good in [
            "/",
            "/api/v1/me",
            "/api/docs/",
            "/api/v1/schools/0301023Z%20",
            "/api/v1/schools/%C3%A9",
            "/a%00",
            "/campaigns/2025-2026",
            "/x%3Fy",
            "/x%2By",
            "/x+y",
            "/x;y=1",
            "/x'()*!",
            "/~a_b.c-d",
            "",
            "*",
        ] {
            assert_eq!(path_fault(good), None, "{good}");
        }
        for bad in [
            "/%61pi/v1/me",
            "/api/v1/%6de",
            "/api/v1/%6De",
            "/api%2Fv1/me",
            "/api%2fv1/me",
            "//api/v1/me",
            "/api//v1/me",
            "/api/v1/me//",
            "/api/./v1/me",
            "/api/../api/v1/me",
            "/api/v1/me/..",
            "/api/v1/me/.",
            "/%",
            "/%2",
            "/%zz",
            "/%ff",
            "/%C3",
            "/é",
            "/a%5Cb",
            "/%2561",
            "/%7Ea",
            "/%2E%2E/x",
        ] {
            assert!(path_fault(bad).is_some(), "{bad}");
        }
    }

    proptest! {
        /// Two admitted paths that decode alike differ at most in the case of their hexadecimal digits.
        #[test]
        fn no_two_admitted_paths_name_one_address(path in "(/(%[0-9a-fA-F]{2}|[a-z.%/]){0,6}){1,3}") {
            if path_fault(&path).is_none() {
                let mut one = String::new();
                let mut rest = path.as_str();
                while let Some((before, after)) = rest.split_once('%') {
                    let byte = u8::from_str_radix(&after[..2], 16).unwrap();
                    prop_assert!(!is_unreserved(byte) && byte != b'/' && byte != b'%');
                    one.push_str(before);
                    one.push_str(&format!("%{byte:02X}"));
                    rest = &after[2..];
                }
                one.push_str(rest);
                prop_assert!(one.eq_ignore_ascii_case(&path));
            }
        }
    }

    #[test]
    fn every_packing_but_none_is_seen() {
        let packed = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
            values.iter().for_each(|v| headers.append(CONTENT_ENCODING, value(v)));
            is_packed(&headers)
        };
        for none in [&[][..], &["identity"], &["Identity"], &[""], &["identity, identity"], &["identity", "identity"]] {
            assert!(!packed(none), "{none:?}");
        }
        for some in [
            &["gzip"][..],
            &["br"],
            &["deflate"],
            &["GZIP"],
            &["identity, gzip"],
            &["identity", "zstd"],
            &["x"],
            &["é"],
        ] {
            assert!(packed(some), "{some:?}");
        }
    }
}
