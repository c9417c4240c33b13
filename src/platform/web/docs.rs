//! The refusals that families of routes share, for the OpenAPI document.

use utoipa::IntoResponses;

use super::problem::ProblemView;

/// What any authenticated reading may be refused with.
#[derive(IntoResponses)]
pub enum ReadRefusals {
    /// Non authentifié, ou jeton périmé
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] ProblemView),
    /// Rôle insuffisant
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemView),
    /// Inconnu
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemView),
    /// Clé mal formée
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemView),
}

/// What a list may be refused with.
#[derive(IntoResponses)]
pub enum ListRefusals {
    /// Paramètre inconnu ou curseur illisible
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(#[to_schema] ProblemView),
    /// Non authentifié, ou jeton périmé
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] ProblemView),
    /// Rôle insuffisant
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemView),
    /// Inconnu
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemView),
    /// Valeur refusée
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemView),
}

/// What a creation, a transition or a bulk act may be refused with.
#[derive(IntoResponses)]
pub enum WriteRefusals {
    /// JSON illisible ou champ inconnu
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(#[to_schema] ProblemView),
    /// Non authentifié, ou jeton périmé
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] ProblemView),
    /// Rôle insuffisant
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemView),
    /// Inconnu
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemView),
    /// État incompatible, ou modifié entre-temps
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemView),
    /// Version annoncée par If-Match dépassée
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(#[to_schema] ProblemView),
    /// Corps trop volumineux
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] ProblemView),
    /// Type de contenu non admis
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(#[to_schema] ProblemView),
    /// Valeur refusée
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemView),
}

/// What a modification under `If-Match` may be refused with, besides [`WriteRefusals`].
#[derive(IntoResponses)]
pub enum PreconditionRefusals {
    /// If-Match absent
    #[response(status = 428, content_type = "application/problem+json")]
    Required(#[to_schema] ProblemView),
}
