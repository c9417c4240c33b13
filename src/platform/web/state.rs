//! What handlers share: the database, reached through one hop to a blocking thread and one transaction.

use actix_web::http::header::{HeaderValue, IF_MATCH};
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};

use super::problem::{self, Answer, Problem};
use super::reply::Reply;
use crate::kernel::ids::UserId;
use crate::platform::db::{Database, Tx, idempotency};
use crate::platform::error::{Error, Outcome};

/// The program, as a handler sees it.
#[derive(Clone)]
pub struct State {
    pub db: Database,
}

/// The parts of a request that are no business of the use case: version announced, idempotency key, route.
#[derive(Debug, Clone)]
pub struct CallContext {
    pub request_id: Option<String>,
    if_match: Option<Header>,
    key: Option<Header>,
    route: String,
}

impl FromRequest for CallContext {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = |name: &str| request.headers().get(name).map(Header::read);
        std::future::ready(Ok(Self {
            request_id: problem::current::get(),
            if_match: header(IF_MATCH.as_str()),
            key: header("idempotency-key"),
            route: format!("{} {}", request.method(), request.path()),
        }))
    }
}

/// A header that was sent; one that is no ASCII text is refused where it is used, never taken for absent.
#[derive(Debug, Clone)]
struct Header(String);

impl Header {
    fn read(value: &HeaderValue) -> Self {
        Self(value.to_str().map_or_else(|_| String::from_utf8_lossy(value.as_bytes()).into_owned(), str::to_owned))
    }
}

impl CallContext {
    /// The version a modification must announce.
    pub fn expected_version(&self) -> Result<i64, Problem> {
        let Header(raw) = self.if_match.as_ref().ok_or_else(|| {
            Problem::new(&problem::PRECONDITION_REQUIRED, "Relire l'objet et renvoyer son ETag dans If-Match.")
        })?;
        raw.trim().trim_start_matches("W/").trim_matches('"').parse().map_err(|_| {
            Problem::new(
                &problem::PRECONDITION_FAILED,
                format!("If-Match « {raw} » n'est pas une version de cet objet."),
            )
        })
    }

    /// The version a transition may announce.
    pub fn optional_version(&self) -> Result<Option<i64>, Problem> {
        self.if_match.as_ref().map(|_| self.expected_version()).transpose()
    }
}

impl State {
    /// Reads, on a blocking thread.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let db = self.db.clone();
        hop(move || db.read(work)).await
    }

    /// Writes in one transaction, on a blocking thread.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let db = self.db.clone();
        hop(move || db.write(work)).await
    }

    /// A POST: writes in one transaction, and under an `Idempotency-Key` keeps or repeats the answer.
    pub async fn post(
        &self,
        user: Option<UserId>,
        call: CallContext,
        body_sha256: String,
        work: impl FnOnce(&mut Tx<'_>) -> Outcome<Reply> + Send + 'static,
    ) -> Answer {
        let keyed = match (call.key, user) {
            (Some(Header(key)), Some(user)) => {
                if key.is_empty() || key.len() > 200 || !key.bytes().all(|b| b.is_ascii_graphic()) {
                    let fault = crate::kernel::FieldFault::new(
                        "idempotency_key_format",
                        "Idempotency-Key attendue : 1 à 200 caractères ASCII sans espace.",
                    );
                    return Err(crate::kernel::Refused::field("header/Idempotency-Key", &fault, Some(key)).into());
                }
                Some(idempotency::Call { user, route: call.route, key, body_sha256 })
            }
            _ => None,
        };
        let reply = self
            .write(move |tx| {
                let Some(call) = keyed else { return work(tx) };
                if let Some(stored) = idempotency::claim(tx, &call)? {
                    return Reply::from_stored(stored);
                }
                let reply = work(tx)?;
                idempotency::keep(tx, &call, &reply.stored()?)?;
                Ok(reply)
            })
            .await?;
        Ok(reply.into_response())
    }
}

async fn hop<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Result<T, Problem> {
    let span = tracing::Span::current();
    match web::block(move || span.in_scope(work)).await {
        Ok(result) => result.map_err(Problem::from),
        Err(_) => Err(Error::Incident("blocking thread lost".into()).into()),
    }
}

impl FromRequest for State {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(
            request
                .app_data::<web::Data<Self>>()
                .map(|d| d.get_ref().clone())
                .ok_or_else(|| Problem::new(&problem::INTERNAL_ERROR, "Le service n'est pas configuré.")),
        )
    }
}
