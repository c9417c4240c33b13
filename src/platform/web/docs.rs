//! The refusals that families of routes share, for the OpenAPI document.
//!
//! What every route shares (400, 401, 403, 413, 415, 422, 500, 503) is added where the document is put together.

use utoipa::IntoResponses;

use super::problem::ProblemView;

/// What a reading may be refused with.
#[derive(IntoResponses)]
pub enum ReadRefusals {
    /// Inconnu
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemView),
}

/// What a transition or an act in number may be refused with.
#[derive(IntoResponses)]
pub enum WriteRefusals {
    /// Inconnu
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemView),
    /// État incompatible, ou modifié entre-temps
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemView),
    /// Version annoncée par If-Match dépassée, ou If-Match sans objet
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(#[to_schema] ProblemView),
}

/// What a creation or an import may be refused with.
#[derive(IntoResponses)]
pub enum CreationRefusals {
    /// Existe déjà, ou même demande en cours
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemView),
    /// If-Match sans objet
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(#[to_schema] ProblemView),
}

/// What a removal may be refused with.
#[derive(IntoResponses)]
pub enum RemovalRefusals {
    /// Inconnu
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemView),
    /// État incompatible
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemView),
}

/// What a modification that demands `If-Match` may be refused with, besides [`WriteRefusals`].
#[derive(IntoResponses)]
pub enum PreconditionRefusals {
    /// If-Match absent
    #[response(status = 428, content_type = "application/problem+json")]
    Required(#[to_schema] ProblemView),
}
