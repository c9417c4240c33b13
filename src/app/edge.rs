//! Around every request: its id, its span, its log line and its measures, a time limit, panics and unknown addresses as
//! problem documents, security headers.
//!
//! The span of a request holds its id, its method and its path (keys only), never its query, headers or body: no line of
//! the log can name a person or hold a secret unless a handler writes it there.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, ResponseError, web};
use futures_util::FutureExt;
use uuid::Uuid;

use crate::config::ServerConfig;
use crate::kernel::refused::NOT_FOUND;
use crate::kernel::{Ids, ProblemCode};
use crate::platform::telemetry::Metrics;
use crate::platform::web::problem::{INTERNAL_ERROR, METHOD_NOT_ALLOWED, current};
use crate::platform::web::caller::TrustedProxies;
use crate::platform::web::{Answer, Problem, State};

/// The answer took too long.
pub const TIMED_OUT: ProblemCode = ProblemCode {
    code: "timed_out",
    status: 503,
    title: "Délai dépassé",
    meaning: "La réponse n'est pas venue dans le délai admis ; l'opération a pu aboutir : relire l'objet, ou répéter \
              l'appel avec la même `Idempotency-Key`.",
};

/// The codes of the edge.
pub const CODES: &[&ProblemCode] = &[&TIMED_OUT];

/// What the edge needs to know; made by the composition root.
#[derive(Clone)]
pub struct Edge {
    limit: Duration,
    hsts: Option<HeaderValue>,
    metrics: Metrics,
    proxies: TrustedProxies,
}

impl Edge {
    pub fn new(config: &ServerConfig, metrics: Metrics) -> Self {
        let told = config.behind_tls() && config.hsts_seconds > 0;
        let hsts = told.then(|| HeaderValue::from_str(&format!("max-age={}", config.hsts_seconds)).ok()).flatten();
        Self {
            limit: Duration::from_secs(config.request_timeout_seconds),
            hsts,
            metrics,
            proxies: config.proxies(),
        }
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The caller's id when it is sane, else one of ours.
fn request_id(request: &ServiceRequest) -> String {
    let sane = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(sane);
    given.map_or_else(|| fresh_id(request), str::to_owned)
}

fn fresh_id(request: &ServiceRequest) -> String {
    let uuid = request.app_data::<web::Data<State>>().map_or_else(Uuid::nil, |state| {
        let ids: &Ids = state.machinery().ids();
        ids.uuid(state.machinery().clock().now())
    });
    uuid.to_string()
}

/// The outermost middleware.
pub fn around<S, B>(
    mut request: ServiceRequest,
    next: &S,
    edge: &Edge,
) -> impl Future<Output = Result<ServiceResponse<BoxBody>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    let id = request_id(&request);
    let path = request.path().to_owned();
    let method = request.method().clone();
    // RFC 9110: where GET is, HEAD is; the HTTP layer leaves the body out.
    if method == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    if let Some(peer) = request.peer_addr() {
        let caller = edge.proxies.caller(peer.ip(), request.headers());
        request.extensions_mut().insert(caller);
    }
    let span = tracing::info_span!("request", request_id = %id, %method, path = %loggable(&path));
    // The template, not the path: a label must not grow with the data.
    let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
    let (edge, limit) = (edge.clone(), edge.limit);
    let in_flight = edge.metrics.request_begins();
    let started = Instant::now();
    let work = AssertUnwindSafe(next.call(request)).catch_unwind();
    let mut work = Box::pin(actix_web::rt::time::timeout(limit, work));
    let named_by = id.clone();
    let named = std::future::poll_fn(move |cx| {
        // Whatever runs in this poll, down to a problem made by an extractor, belongs to this request.
        current::set(Some(named_by.clone()));
        let poll = work.as_mut().poll(cx);
        current::set(None);
        poll
    });
    let inside = span.clone();
    async move {
        let outcome = tracing::Instrument::instrument(named, inside).await;
        let _entered = span.enter();
        current::set(Some(id.clone()));
        let result = match outcome {
            Ok(Ok(Ok(response))) => Ok(response.map_into_boxed_body()),
            Ok(Ok(Err(error))) => Err(error.error_response()),
            Ok(Err(panic)) => {
                tracing::error!(cause = panic_text(panic.as_ref()), "a handler panicked");
                Err(Problem::new(&INTERNAL_ERROR, "L'opération a échoué.").error_response())
            }
            Err(_) => {
                tracing::error!(seconds = limit.as_secs(), "request timed out");
                let seconds = limit.as_secs();
                Err(Problem::new(&TIMED_OUT, format!("Pas de réponse en {seconds} secondes.")).error_response())
            }
        };
        current::set(None);
        let status = match &result {
            Ok(response) => response.status(),
            Err(response) => response.status(),
        };
        let took = started.elapsed();
        log(status, took);
        edge.metrics.request_ended(known(&method), &route, status.as_u16(), took);
        drop(in_flight);
        match result {
            Ok(mut response) => {
                decorate(response.headers_mut(), &path, &id, edge.hsts.as_ref());
                Ok(response)
            }
            Err(mut response) => {
                decorate(response.headers_mut(), &path, &id, edge.hsts.as_ref());
                Err(InternalError::from_response("answered at the edge", response).into())
            }
        }
    }
}

/// A method as a label: a caller may invent others.
fn known(method: &Method) -> &'static str {
    let all = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let names = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    all.iter().zip(names).find(|(known, _)| *known == method).map_or("other", |(_, name)| name)
}

/// Says of what is compressed already that it shall go out as it is; inside the compression, which obeys.
pub fn leave_compressed<B>(mut response: ServiceResponse<B>) -> ServiceResponse<B> {
    const COMPRESSED: &[&str] = &["application/pdf", "application/zip", "application/vnd.openxmlformats"];
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if COMPRESSED.iter().any(|known| kind.starts_with(known)) {
        response.headers_mut().insert(CONTENT_ENCODING, IDENTITY);
    }
    response
}

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// A path without what cannot be one of our keys: somebody may type a mail address there.
fn loggable(path: &str) -> String {
    let ours = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    path.split('/').map(|part| if ours(part) { part } else { "…" }).collect::<Vec<_>>().join("/")
}

fn log(status: StatusCode, took: Duration) {
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(status = status.as_u16(), milliseconds, "answered");
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}

/// The page of the documentation runs its own scripts; nothing else does.
fn content_policy(path: &str) -> &'static str {
    if path.starts_with("/api/docs") {
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
    } else {
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    }
}

fn decorate(headers: &mut HeaderMap, path: &str, id: &str, hsts: Option<&HeaderValue>) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(content_policy(path)));
    }
    if let Some(hsts) = hsts {
        headers.insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    // A word between us and the compression, of no use to the caller.
    if headers.get(CONTENT_ENCODING) == Some(&IDENTITY) {
        headers.remove(CONTENT_ENCODING);
    }
    // Tokens and persons' data are in these answers; health and measures are true for an instant.
    let fresh = ["/api/v1", "/health", "/metrics"].iter().any(|head| path.starts_with(head));
    if fresh && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Which methods each address admits, read from the OpenAPI document.
#[derive(Clone)]
pub struct AllowedMethods(Vec<(Vec<String>, Vec<&'static str>)>);

fn is_hole(part: &str) -> bool {
    part.starts_with('{')
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

impl AllowedMethods {
    pub fn new(document: &serde_json::Value) -> Self {
        let paths = document.get("paths").and_then(serde_json::Value::as_object);
        let templates = paths.into_iter().flatten().map(|(path, item)| {
            let methods = [
                ("GET", "get"),
                ("HEAD", "get"),
                ("POST", "post"),
                ("PUT", "put"),
                ("PATCH", "patch"),
                ("DELETE", "delete"),
            ];
            let there = methods.into_iter().filter(|(_, field)| item.get(field).is_some());
            (segments(path), there.map(|(name, _)| name).collect())
        });
        Self(templates.collect())
    }

    /// The methods admitted at an address; empty when there is nothing there.
    fn at(&self, path: &str) -> Vec<&'static str> {
        // Outside the contract, and read only.
        if ["/health/live", "/health/ready", "/problems", "/api/openapi.json"].contains(&path) {
            return vec!["GET", "HEAD"];
        }
        let asked = segments(path);
        let fits = |template: &[String]| {
            template.len() == asked.len()
                && template
                    .iter()
                    .zip(&asked)
                    .all(|(part, given)| part == given || (is_hole(part) && !given.is_empty()))
        };
        // A written word is closer than a hole: `/schools/imports` is not the school « imports ».
        let holes = |template: &[String]| template.iter().filter(|part| is_hole(part)).count();
        let fitting = self.0.iter().filter(|(template, _)| fits(template));
        fitting.min_by_key(|(template, _)| holes(template)).map(|(_, methods)| methods.clone()).unwrap_or_default()
    }

    /// The addresses that a key would fit too: there, a method they do not admit must not fall to the key's routes.
    pub fn shadowed(&self) -> Vec<(String, Vec<&'static str>)> {
        let under = |written: &[String], keyed: &[String]| {
            written != keyed
                && written.len() == keyed.len()
                && written.iter().zip(keyed).all(|(word, part)| word == part || (is_hole(part) && !is_hole(word)))
        };
        let is_shadowed = |path: &[String]| self.0.iter().any(|(other, _)| under(path, other));
        let found = self.0.iter().filter(|(path, _)| is_shadowed(path));
        found.map(|(path, methods)| (path.join("/"), methods.clone())).collect()
    }
}

/// No route took the request: another method is asked of a known address, or the address is unknown.
pub async fn nothing_here(request: HttpRequest, allowed: web::Data<AllowedMethods>) -> Answer {
    let methods = allowed.at(request.path());
    if methods.is_empty() {
        return Err(Problem::new(&NOT_FOUND, format!("Aucune ressource à l'adresse {}.", request.path())));
    }
    let allow = methods.join(", ");
    let detail = format!("{} n'est pas admis ici ; méthodes admises : {allow}.", request.method());
    let mut response: HttpResponse = Problem::new(&METHOD_NOT_ALLOWED, detail).error_response();
    if let Ok(value) = HeaderValue::from_str(&allow) {
        response.headers_mut().insert(ALLOW, value);
    }
    Ok(response)
}
