//! Around every request: its id, its caller, its span, its log line and its measures, what its head must be, a time limit
//! for it and one for its body, panics as problem documents, security headers.
//!
//! The span of a request holds its id, its method and its path (keys only), never its query, headers or body: no line of
//! the log can name a person or hold a secret unless a handler writes it there.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use actix_http::ConnectionType;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{Error, HttpMessage as _, ResponseError, web};
use futures_util::FutureExt;
use uuid::Uuid;

use super::doors::{self, BODY_TOO_SLOW};
use super::incoming::Incoming;
use super::pace::Pace;
use super::sockets::{Phase, Seat, Spoken};
use crate::config::ServerConfig;
use crate::kernel::{Ids, ProblemCode};
use crate::platform::telemetry::Metrics;
use crate::platform::web::caller::TrustedProxies;
use crate::platform::web::problem::{INTERNAL_ERROR, current};
use crate::platform::web::{BodyLimit, Problem, State};

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
    pace: Pace,
    open: Arc<HashSet<String>>,
}

/// Most bytes of a body on a route that asks for no token: a stranger has nothing long to say.
const STRANGERS_BODY: BodyLimit = BodyLimit(16_384);

impl Edge {
    /// `document` tells which routes ask for no token.
    pub fn new(config: &ServerConfig, metrics: Metrics, document: &serde_json::Value) -> Self {
        Self {
            limit: Duration::from_secs(config.request_timeout_seconds),
            hsts: hsts(config),
            metrics,
            proxies: config.proxies(),
            pace: pace(config),
            open: Arc::new(open_routes(document)),
        }
    }
}

/// How slow a caller may be with what it sends and what it reads.
pub fn pace(config: &ServerConfig) -> Pace {
    Pace { stall: Duration::from_secs(config.stall_timeout_seconds), least_rate: config.least_bytes_per_second }
}

/// What is told to browsers of a service behind TLS.
pub(super) fn hsts(config: &ServerConfig) -> Option<HeaderValue> {
    let told = config.behind_tls() && config.hsts_seconds > 0;
    told.then(|| HeaderValue::from_str(&format!("max-age={}", config.hsts_seconds)).ok()).flatten()
}

/// Templates of the routes that somebody without a token may call.
fn open_routes(document: &serde_json::Value) -> HashSet<String> {
    let paths = document.get("paths").and_then(serde_json::Value::as_object).into_iter().flatten();
    let is_open = |operation: &serde_json::Value| operation.get("security") == Some(&serde_json::json!([{}]));
    let open = paths.filter(|(_, item)| item.as_object().is_some_and(|item| item.values().any(is_open)));
    open.map(|(path, _)| path.clone()).collect()
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The caller's id when it is sane, else one of ours.
fn request_id(request: &ServiceRequest) -> String {
    let sane = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let mut all = request.headers().get_all(REQUEST_ID);
    let one = all.next().filter(|_| all.next().is_none());
    let given = one.and_then(|value| value.to_str().ok()).filter(sane);
    given.map_or_else(|| fresh_id(request), str::to_owned)
}

fn fresh_id(request: &ServiceRequest) -> String {
    let uuid = request.app_data::<web::Data<State>>().map_or_else(Uuid::nil, |state| {
        let ids: &Ids = state.machinery().ids();
        ids.uuid(state.machinery().clock().now())
    });
    uuid.to_string()
}

/// How the work on a request ended.
enum Ended<T> {
    Done(T),
    Panicked(Box<dyn std::any::Any + Send>),
    /// It took longer than a request may.
    TimedOut,
    /// Its body stopped coming, or came too slowly.
    BodyTooSlow,
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
    let seat = request.conn_data::<Arc<Seat>>().cloned();
    let incoming = Incoming::watch(&mut request, seat.clone());
    if let Some(seat) = &seat {
        seat.enters(Phase::Working);
        seat.speaks();
    }
    // RFC 9110: where GET is, HEAD is; the HTTP layer leaves the body out.
    if method == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    if let Some(peer) = request.peer_addr() {
        let caller = edge.proxies.caller(peer.ip(), request.headers());
        request.extensions_mut().insert(caller);
    }
    let span = tracing::info_span!("request", request_id = %id, %method, path = %loggable(&path));
    current::set(Some(id.clone()));
    let refused = span.in_scope(|| doors::refusal(request.head()));
    current::set(None);
    // The template, not the path: a label must not grow with the data.
    let route = match refused {
        Some(_) => None,
        None => request.match_pattern(),
    };
    if route.as_ref().is_some_and(|route| edge.open.contains(route)) {
        request.extensions_mut().insert(STRANGERS_BODY);
    }
    let (edge, watched) = (edge.clone(), incoming.clone());
    let in_flight = edge.metrics.request_begins();
    let started = Instant::now();
    // What is refused at the door goes no further.
    let work = match refused {
        Some(response) => futures_util::future::Either::Left(std::future::ready(Ok(Err(response)))),
        None => {
            let work = AssertUnwindSafe(next.call(request)).catch_unwind();
            futures_util::future::Either::Right(work.map(|outcome| outcome.map(Ok)))
        }
    };
    let (mut work, pace, limit) = (Box::pin(work), edge.pace, started + edge.limit);
    let mut alarm = Box::pin(actix_web::rt::time::sleep_until(limit.into()));
    let named_by = id.clone();
    let named = std::future::poll_fn(move |cx| {
        // Whatever runs in this poll, down to a problem made by an extractor, belongs to this request.
        current::set(Some(named_by.clone()));
        let poll = work.as_mut().poll(cx);
        current::set(None);
        match poll {
            Poll::Ready(Ok(outcome)) => return Poll::Ready(Ended::Done(outcome)),
            Poll::Ready(Err(panic)) => return Poll::Ready(Ended::Panicked(panic)),
            Poll::Pending => {}
        }
        let body = watched.as_ref().and_then(|incoming| incoming.until(pace));
        alarm.as_mut().reset(body.map_or(limit, |body| body.min(limit)).into());
        match alarm.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) if body.is_some_and(|body| body < limit) => Poll::Ready(Ended::BodyTooSlow),
            Poll::Ready(()) => Poll::Ready(Ended::TimedOut),
        }
    });
    let inside = span.clone();
    async move {
        let outcome = tracing::Instrument::instrument(named, inside).await;
        let _entered = span.enter();
        current::set(Some(id.clone()));
        let mut result = match outcome {
            Ended::Done(Ok(Ok(response))) => Ok(response.map_into_boxed_body()),
            Ended::Done(Ok(Err(error))) => Err(error.error_response()),
            Ended::Done(Err(response)) => Err(response),
            Ended::Panicked(panic) => {
                tracing::error!(cause = panic_text(panic.as_ref()), "a handler panicked");
                Err(Problem::new(&INTERNAL_ERROR, "L'opération a échoué.").error_response())
            }
            Ended::TimedOut => {
                let seconds = edge.limit.as_secs();
                tracing::error!(seconds, "request timed out");
                Err(Problem::new(&TIMED_OUT, format!("Pas de réponse en {seconds} secondes.")).error_response())
            }
            Ended::BodyTooSlow => {
                let seconds = pace.stall.as_secs();
                let detail = format!(
                    "Le corps s'est tu {seconds} secondes, ou vient à moins de {} octets par seconde.",
                    pace.least_rate
                );
                Err(Problem::new(&BODY_TOO_SLOW, detail).error_response())
            }
        };
        current::set(None);
        let answer = match &mut result {
            Ok(response) => response.response_mut().head_mut(),
            Err(response) => response.head_mut(),
        };
        // Nobody will read what is left of the body: the connection cannot serve for another request.
        let unread = incoming.is_some_and(|incoming| incoming.is_unread());
        if unread {
            answer.set_connection_type(ConnectionType::Close);
        }
        decorate(&mut answer.headers, route.as_deref(), &id, edge.hsts.as_ref());
        let (status, took) = (answer.status, started.elapsed());
        log(status, took);
        edge.metrics.request_ended(known(&method), route.as_deref().unwrap_or("none"), status.as_u16(), took);
        drop(in_flight);
        if let Some(seat) = seat {
            seat.enters(if unread { Phase::Leaving } else { Phase::Waiting });
            result = match result {
                Ok(response) => Ok(response.map_body(|_, body| Spoken::boxed(body, seat))),
                Err(response) => Err(response.map_body(|_, body| Spoken::boxed(body, seat))),
            };
        }
        result.map_err(|response| InternalError::from_response("answered at the edge", response).into())
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

/// A path without what cannot be one of our keys: somebody may type a mail address there; and without the secret of a link.
fn loggable(path: &str) -> String {
    if path.starts_with("/i/") {
        return "/i/…".to_owned();
    }
    // Nothing of ours is as long as the secret of a link, wherever somebody types one.
    let ours = |part: &str| part.len() != 43 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
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

/// The page of the documentation, and what it is made of.
fn is_page(route: Option<&str>) -> bool {
    route.is_some_and(|route| route.starts_with("/api/docs"))
}

/// The page of the documentation runs its own scripts; nothing else does.
fn content_policy(route: Option<&str>) -> &'static str {
    if is_page(route) {
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
    } else {
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    }
}

pub(super) fn decorate(headers: &mut HeaderMap, route: Option<&str>, id: &str, hsts: Option<&HeaderValue>) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(content_policy(route)));
    }
    if let Some(hsts) = hsts {
        headers.insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    // A word between us and the compression, of no use to the caller.
    if headers.get(CONTENT_ENCODING) == Some(&IDENTITY) {
        headers.remove(CONTENT_ENCODING);
    }
    // Tokens and persons' data are in the answers: nothing is kept on the way but what is the same for everybody.
    if !headers.contains_key(CACHE_CONTROL) {
        let kept = is_page(route) || matches!(route, Some("/api/openapi.json" | "/problems"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(if kept { "no-cache" } else { "no-store" }));
    }
}

#[cfg(test)]
#[path = "edge_tests.rs"]
mod tests;
