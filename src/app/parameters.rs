//! Parameters of the address that the route does not have are refused, on every route, those without any included:
//! a misspelt `?dry_run=` must not be taken for its absence.

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, web};
use serde_json::Value;

use crate::kernel::FieldError;
use crate::kernel::text::excerpt;
use crate::platform::web::problem::UNKNOWN_PARAMETER;
use crate::platform::web::{Problem, query};

struct Route {
    method: String,
    segments: Vec<String>,
    parameters: Vec<String>,
}

/// The parameters of each route, read from the OpenAPI document.
pub struct KnownParameters(Vec<Route>);

fn segments(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

fn names(operation: &Value) -> Vec<String> {
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let text = |p: &Value, field: &str| p.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    parameters.filter(|p| text(p, "in") == "query").map(|p| text(p, "name")).collect()
}

impl KnownParameters {
    pub fn new(document: &Value) -> Self {
        let mut routes = Vec::new();
        for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten().filter(|_| path.starts_with("/api/v1/")) {
                let method = method.to_uppercase();
                routes.push(Route { method, segments: segments(path), parameters: names(operation) });
            }
        }
        // `/schools/imports` before `/schools/{uai}`.
        routes.sort_by_key(|route| route.segments.iter().filter(|s| s.starts_with('{')).count());
        Self(routes)
    }

    fn refusal(&self, request: &ServiceRequest) -> Option<Problem> {
        let query = request.query_string();
        if query.is_empty() {
            return None;
        }
        let asked = segments(request.path());
        let fits = |route: &&Route| {
            route.segments.len() == asked.len()
                && route.segments.iter().zip(&asked).all(|(part, given)| part == given || part.starts_with('{'))
        };
        // The closest address decides, whatever the method: another method there is 405, not a parameter too many.
        let closest = &self.0.iter().find(fits)?.segments;
        let method = request.method().as_str();
        let known = &self.0.iter().find(|r| r.segments == *closest && r.method == method)?.parameters;
        let pairs = match query::pairs(query) {
            Ok(pairs) => pairs,
            Err(problem) => return Some(problem),
        };
        let (name, value) = pairs.into_iter().find(|(name, _)| !known.contains(name))?;
        let admitted = if known.is_empty() { "aucun".to_owned() } else { known.join(", ") };
        let message = format!("Paramètre inconnu « {} » ; paramètres admis : {admitted}.", excerpt(&name));
        let code = UNKNOWN_PARAMETER.code.to_owned();
        let error =
            FieldError { pointer: excerpt(&name), code, message: message.clone(), value: Some(excerpt(&value)) };
        Some(Problem::field(&UNKNOWN_PARAMETER, message, error))
    }
}

/// Lets a request pass whose parameters its route has.
pub fn check<S, B>(
    request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
{
    let refused = request.app_data::<web::Data<KnownParameters>>().and_then(|known| known.refusal(&request));
    let answer = match refused {
        None => Ok(next.call(request)),
        Some(problem) => Err(problem),
    };
    async move { answer?.await }
}
