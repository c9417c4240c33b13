//! What cannot be read as a request: bytes that are no HTTP, a head too large or too slow.
//!
//! The HTTP layer refuses these by itself, before any request exists: no route, no middleware, no handler. What it says
//! (a status, no body) is replaced on its way out, so that whoever sent it reads the same problem document as everywhere.

use std::sync::Arc;

use actix_web::ResponseError as _;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderValue};

use super::doors::HEADERS_TOO_LARGE;
use super::edge;
use super::sockets::Words;
use crate::platform::db::Database;
use crate::platform::web::Problem;
use crate::platform::web::problem::current;

crate::problem_codes! {
    MALFORMED_REQUEST = "malformed_request", 400, "Requête illisible",
        "Ce qui est arrivé n'est pas une requête HTTP/1.1 bien formée : première ligne, en-têtes, longueur ou découpage du \
         corps. La connexion est fermée.";
    HEAD_TOO_SLOW = "head_too_slow", 408, "En-têtes trop lents",
        "La première ligne et les en-têtes ne sont pas arrivés entiers dans le délai admis (`config` : \
         server.header_timeout_seconds). La connexion est fermée.";
}

/// The answers given in the HTTP layer's place.
pub fn words(db: Database, hsts: Option<HeaderValue>) -> Words {
    Arc::new(move |status| {
        let problem = match status {
            400 => Problem::new(
                &MALFORMED_REQUEST,
                "Requête HTTP mal formée. Dans l'adresse, lettres accentuées et espaces s'écrivent « %.. » (UTF-8) ; \
                 `Host`, `Content-Length` et `Transfer-Encoding` sont donnés une fois, sans se contredire.",
            ),
            408 => Problem::new(&HEAD_TOO_SLOW, "Les en-têtes de la requête ne sont pas arrivés à temps."),
            431 => Problem::new(&HEADERS_TOO_LARGE, "Les en-têtes tiennent ensemble en 32 Kio, et sont moins de cent."),
            _ => return None,
        };
        let id = db.ids().uuid(db.clock().now()).to_string();
        current::set(Some(id.clone()));
        let (code, body) = (problem.status_code(), serde_json::to_vec(&problem.view()));
        current::set(None);
        tracing::info!(request_id = %id, status, "no request could be read");
        Some(answer(code, &body.ok()?, &id, hsts.as_ref()))
    })
}

/// A whole answer, after which the connection ends.
fn answer(status: StatusCode, body: &[u8], id: &str, hsts: Option<&HeaderValue>) -> Vec<u8> {
    let mut headers = HeaderMap::new();
    edge::decorate(&mut headers, None, id, hsts);
    let reason = status.canonical_reason().unwrap_or_default();
    let mut whole = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n",
        status.as_u16(),
        body.len()
    )
    .into_bytes();
    for (name, value) in &headers {
        whole.extend_from_slice(name.as_str().as_bytes());
        whole.extend_from_slice(b": ");
        whole.extend_from_slice(value.as_bytes());
        whole.extend_from_slice(b"\r\n");
    }
    whole.extend_from_slice(b"\r\n");
    whole.extend_from_slice(body);
    whole
}
