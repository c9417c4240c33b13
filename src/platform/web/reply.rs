//! What a handler answers when all went well.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, LOCATION};
use serde::Serialize;

use crate::platform::db::idempotency::Stored;
use crate::platform::error::Outcome;

/// « Accepted »: not done yet.
const ACCEPTED: u16 = 202;

/// A successful answer, whose bytes can be stored under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    location: Option<String>,
    etag: Option<String>,
    body: String,
    /// What is kept under an idempotency key in the place of the body, when that holds a secret.
    kept: Option<String>,
}

impl Reply {
    /// 200 with a view.
    pub fn ok(view: &impl Serialize) -> Outcome<Self> {
        Ok(Self { status: 200, location: None, etag: None, body: serde_json::to_string(view)?, kept: None })
    }

    /// 200 with a view and its version as `ETag`.
    pub fn versioned(view: &impl Serialize, version: i64) -> Outcome<Self> {
        let mut reply = Self::ok(view)?;
        reply.etag = Some(format!("\"{version}\""));
        Ok(reply)
    }

    /// 201 with where it is, the full view and its version.
    pub fn created(location: String, view: &impl Serialize, version: i64) -> Outcome<Self> {
        let mut reply = Self::versioned(view, version)?;
        reply.status = 201;
        reply.location = Some(location);
        Ok(reply)
    }

    /// 202 with where to follow what will be done.
    pub fn accepted(location: String, view: &impl Serialize) -> Outcome<Self> {
        let mut reply = Self::ok(view)?;
        reply.status = ACCEPTED;
        reply.location = Some(location);
        Ok(reply)
    }

    /// Shows a secret once: this is what is kept, and what a repetition of the call is answered.
    pub fn keeping(mut self, view: &impl Serialize) -> Outcome<Self> {
        self.kept = Some(serde_json::to_string(view)?);
        Ok(self)
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: 204, location: None, etag: None, body: String::new(), kept: None }
    }

    /// What is kept under an idempotency key.
    pub fn stored(&self) -> Outcome<Stored> {
        let headers = serde_json::to_string(&(&self.location, &self.etag))?;
        Ok(Stored { status: self.status, headers, body: self.kept.as_ref().unwrap_or(&self.body).clone() })
    }

    /// The kept answer, again.
    pub fn from_stored(stored: Stored) -> Outcome<Self> {
        let (location, etag) = serde_json::from_str(&stored.headers)?;
        Ok(Self { status: stored.status, location, etag, body: stored.body, kept: None })
    }

    /// As HTTP.
    #[must_use]
    pub fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        if let Some(location) = self.location {
            response.insert_header((LOCATION, location));
        }
        if let Some(etag) = self.etag {
            response.insert_header((ETAG, etag));
        }
        if self.status == ACCEPTED {
            // An answer is only ever put off because the caller preferred so.
            response.insert_header(("preference-applied", "respond-async"));
        }
        if self.status == 204 {
            return response.finish();
        }
        response.insert_header((CONTENT_TYPE, "application/json")).body(self.body)
    }

    /// A stored file; its digest is its ETag.
    #[must_use]
    pub fn file(media_type: &str, name: &str, sha256: &str, bytes: Vec<u8>) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, media_type))
            .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
            .insert_header((ETAG, format!("\"{sha256}\"")))
            .body(bytes)
    }
}
