//! RFC 9457 problem documents: the one mapping from refusals to HTTP.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::kernel::{FieldError, ProblemCode, Refused};
use crate::platform::attachments::{ATTACHMENT_READER_BUSY, SCAN_FAILED};
use crate::platform::error::Error;
use crate::platform::tabular::FILE_READER_BUSY;

crate::problem_codes! {
    MALFORMED_JSON = "malformed_json", 400, "JSON illisible",
        "Le corps n'est pas du JSON bien formé en UTF-8 ; `detail` dit où la lecture s'est arrêtée.";
    UNKNOWN_FIELD = "unknown_field", 400, "Champ inconnu",
        "Un champ du corps n'existe pas dans cette ressource ; rien n'est ignoré en silence.";
    UNKNOWN_PARAMETER = "unknown_parameter", 400, "Paramètre inconnu",
        "Un paramètre de l'adresse n'existe pas pour cette route.";
    MALFORMED_QUERY = "malformed_query", 400, "Paramètres illisibles",
        "Les paramètres de l'adresse sont mal encodés : chaque « % » est suivi de deux chiffres hexadécimaux, en UTF-8.";
    BAD_FORM = "bad_form", 400, "Formulaire illisible",
        "Le corps multipart est mal formé ou le champ `file` manque.";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "Méthode non admise",
        "Cette adresse existe mais pas pour cette méthode HTTP ; l'en-tête `Allow` liste celles qui le sont.";
    PAYLOAD_TOO_LARGE = "payload_too_large", 413, "Corps trop volumineux",
        "Le corps dépasse la limite de la route (`config` : server.json_limit_bytes, server.import_limit_bytes, attachments.file_limit_bytes, \
         attachments.total_limit_bytes).";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "Type de contenu non admis",
        "Envoyer `application/json`, ou `multipart/form-data` pour un import ou une pièce jointe.";
    INTERNAL_ERROR = "internal_error", 500, "Incident interne",
        "La cause est au journal technique sous l'identifiant `request_id` ; rien n'a été enregistré.";
    INTEGRITY_FAULT = "integrity_fault", 500, "Contenu altéré",
        "Un contenu figé (document, fichier, titre approuvé, convention émise) ne correspond plus à ce qui a été arrêté : \
         rien n'est servi, imprimé ni scellé. L'incident est au journal, compté dans les mesures ; comparer à une sauvegarde.";
    DATABASE_BUSY = "database_busy", 503, "Base occupée",
        "D'autres opérations tenaient la base trop longtemps ; rien n'a été enregistré : répéter l'appel, à l'identique, \
         après `Retry-After` secondes.";
    UNAVAILABLE = "unavailable", 503, "Service indisponible",
        "La base ne répond pas ou le service s'arrête ; réessayer dans quelques secondes.";
}

/// Un champ en cause.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FieldErrorView {
    /// Pointeur JSON dans le corps, ou nom du paramètre.
    #[schema(example = "/siret")]
    pub pointer: String,
    #[schema(example = "siret_key")]
    pub code: String,
    pub message: String,
    /// La valeur reçue, abrégée.
    pub value: Option<String>,
}

/// Un refus ou un incident (`application/problem+json`, RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemView {
    #[serde(rename = "type")]
    #[schema(example = "/problems#invalid_value")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    #[schema(example = "invalid_value")]
    pub code: String,
    pub request_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldErrorView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_actions: Option<Vec<String>>,
}

impl ProblemView {
    /// Fields left out when there is nothing to say; every other field is always there, null or not.
    pub const SOMETIMES: &[&str] = &["errors", "current_state", "allowed_actions"];
}

/// An error on its way out.
#[derive(Debug)]
pub struct Problem {
    pub refused: Refused,
    pub retry_after: Option<i64>,
}

/// What handlers return.
pub type Answer = Result<HttpResponse, Problem>;

impl Problem {
    /// A refusal of the HTTP edge.
    pub fn new(code: &'static ProblemCode, detail: impl Into<String>) -> Self {
        Self { refused: Refused::new(code, detail), retry_after: None }
    }

    /// The document, as answered to the request under way.
    #[must_use]
    pub fn view(&self) -> ProblemView {
        let code = self.refused.code;
        ProblemView {
            kind: format!("/problems#{}", code.code),
            title: code.title.to_owned(),
            status: code.status,
            detail: self.refused.detail.clone(),
            code: code.code.to_owned(),
            request_id: current::get(),
            errors: self
                .refused
                .errors
                .iter()
                .map(|e| FieldErrorView {
                    pointer: e.pointer.clone(),
                    code: e.code.clone(),
                    message: e.message.clone(),
                    value: e.value.clone(),
                })
                .collect(),
            current_state: self.refused.current_state.clone(),
            allowed_actions: self.refused.allowed_actions.clone(),
        }
    }

    /// A refusal placed on one field.
    pub fn field(code: &'static ProblemCode, detail: impl Into<String>, error: FieldError) -> Self {
        let mut problem = Self::new(code, detail);
        problem.refused.errors.push(error);
        problem
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self { refused, retry_after: None }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem.refused))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refused)
                if [&FILE_READER_BUSY, &ATTACHMENT_READER_BUSY, &SCAN_FAILED].contains(&refused.code) =>
            {
                Self { retry_after: Some(5), ..(*refused).into() }
            }
            Error::Refused(refused) => (*refused).into(),
            Error::Falsified(found) => {
                let detail = format!(
                    "{} : {}. Rien n'a été servi ni enregistré ; l'incident est au journal.",
                    found.key, found.fault
                );
                Self::new(&INTEGRITY_FAULT, detail)
            }
            Error::Database(cause) if crate::platform::db::is_lost(&cause) => {
                tracing::error!(%cause, "connection lost");
                let detail = "La base de données s'est interrompue ; répéter l'appel avec la même Idempotency-Key.";
                Self { retry_after: Some(5), ..Self::new(&UNAVAILABLE, detail) }
            }
            Error::Busy => {
                let detail = "D'autres opérations occupent la base ; rien n'a été enregistré. Répéter l'appel.";
                Self { retry_after: Some(2), ..Self::new(&DATABASE_BUSY, detail) }
            }
            Error::Database(cause) if crate::platform::db::is_full(&cause) => {
                tracing::error!(%cause, "the disk of the database is full");
                let detail = "La base de données n'a plus de place ; rien n'a été enregistré.";
                Self { retry_after: Some(60), ..Self::new(&UNAVAILABLE, detail) }
            }
            Error::Database(cause) => {
                tracing::error!(%cause, "database error");
                Self::new(&INTERNAL_ERROR, "L'opération a échoué ; rien n'a été enregistré.")
            }
            Error::Incident(cause) if cause.starts_with("pool:") => {
                tracing::error!(%cause, "no connection");
                let mut problem = Self::new(&UNAVAILABLE, "La base de données ne répond pas.");
                problem.retry_after = Some(5);
                problem
            }
            Error::Incident(cause) => {
                tracing::error!(%cause, "incident");
                Self::new(&INTERNAL_ERROR, "L'opération a échoué ; rien n'a été enregistré.")
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refused.fmt(f)
    }
}

/// The request being answered, for `request_id` in problems made far from the request.
///
/// Handlers of one request run on one thread between awaits; the middleware sets it around each poll.
pub mod current {
    use std::cell::RefCell;

    thread_local! {
        static REQUEST: RefCell<Option<String>> = const { RefCell::new(None) };
    }

    /// Names the request of this thread; none when it ends.
    pub fn set(id: Option<String>) {
        REQUEST.with(|r| r.replace(id));
    }

    #[must_use]
    pub fn get() -> Option<String> {
        REQUEST.with(|r| r.borrow().clone())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.refused.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let code = self.refused.code;
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        if code.status == 401 {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.json(self.view())
    }
}
