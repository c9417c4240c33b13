//! What handlers share: the database, reached through one hop to a blocking thread and one transaction.

use actix_web::http::header::IF_MATCH;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, web};

use super::body::CanonicalKeys;
use super::precondition;
use super::problem::{self, Answer, Problem};
use super::reply::Reply;
use super::warrant::Warrants;
use crate::kernel::text::excerpt;
use crate::kernel::{FieldFault, Principal, Refused, Version, version};
use crate::platform::db::idempotency::{self, InFlight};
use crate::platform::db::{Database, Tx};
use crate::platform::error::{Error, Outcome};

/// The program, as a handler sees it: what it does with the database begins by confirming what the request was
/// admitted on (see [`super::warrant`]).
#[derive(Clone)]
pub struct State {
    db: Database,
    in_flight: InFlight,
    warrants: Warrants,
}

/// The parts of a request that are no business of the use case: version announced, idempotency key, route.
#[derive(Debug, Clone)]
pub struct CallContext {
    pub request_id: Option<String>,
    if_match: Option<String>,
    key: Option<String>,
    prefer: Option<String>,
    dry_run: bool,
    request: HttpRequest,
}

impl FromRequest for CallContext {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // A header sent twice reads as one list; bytes that are no text make a value that every door refuses.
        let header = |name: &str| {
            let values: Vec<_> =
                request.headers().get_all(name).map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
            (!values.is_empty()).then(|| values.join(", "))
        };
        std::future::ready(Ok(Self {
            request_id: problem::current::get(),
            if_match: header(IF_MATCH.as_str()),
            key: header("idempotency-key"),
            prefer: header("prefer"),
            dry_run: false,
            request: request.clone(),
        }))
    }
}

impl CallContext {
    /// The versions a modification must announce.
    ///
    /// # Errors
    /// `precondition_required`, or a header that cannot be read.
    pub fn expected_version(&mut self) -> Result<Version, Problem> {
        self.optional_version()?.ok_or_else(|| {
            Problem::new(&version::PRECONDITION_REQUIRED, "Relire l'objet et renvoyer son ETag dans If-Match.")
        })
    }

    /// The versions a transition may announce.
    ///
    /// # Errors
    /// The header cannot be read.
    pub fn optional_version(&mut self) -> Result<Option<Version>, Problem> {
        self.if_match.take().map(|raw| precondition::read(&raw)).transpose()
    }

    /// Whether the caller would rather be told where to follow the act than wait for it (RFC 7240, 4.1).
    #[must_use]
    pub fn prefers_async(&self) -> bool {
        let preferences = self.prefer.iter().flat_map(|list| list.split(','));
        let mut names = preferences.filter_map(|preference| preference.split([';', '=']).next());
        names.any(|name| name.trim().eq_ignore_ascii_case("respond-async"))
    }

    /// A dry run writes nothing: its key is read, but neither kept nor looked up.
    #[must_use]
    pub fn unless_dry(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// A creation or an act in number has no version: an `If-Match` that nothing would check is refused, not ignored.
    ///
    /// # Errors
    /// `precondition_failed`.
    pub fn versionless(&self) -> Result<(), Problem> {
        if self.if_match.is_none() {
            return Ok(());
        }
        let detail = "If-Match est sans objet ici : cet appel ne porte pas sur une version. Le retirer.";
        Err(Problem::new(&version::PRECONDITION_FAILED, detail))
    }

    fn keyed(self, by: &Principal, body_sha256: String) -> Result<Option<idempotency::Call>, Problem> {
        let Some(key) = self.key else { return Ok(None) };
        if key.is_empty() || key.len() > 200 || !key.bytes().all(|b| b.is_ascii_graphic()) {
            let message = "Idempotency-Key attendue : 1 à 200 caractères ASCII sans espace, une seule fois.";
            let fault = FieldFault::new("idempotency_key_format", message);
            return Err(Refused::field("header/Idempotency-Key", &fault, Some(excerpt(&key))).into());
        }
        let route = place(&self.request);
        let call = |scope| idempotency::Call { scope, route, key, body_sha256 };
        Ok(by.scope().filter(|_| !self.dry_run).map(call))
    }
}

/// What an `Idempotency-Key` is bound to: the method and the address, each key in its one form, so that
/// « 0301023z » and « 0301023Z » are one school's. Read once every extractor has read its key.
fn place(request: &HttpRequest) -> String {
    let template = request.match_pattern().unwrap_or_else(|| request.path().to_owned());
    let extensions = request.extensions();
    let keys = extensions.get::<CanonicalKeys>().map_or(&[][..], |keys| &keys.0);
    let part = |part: &str| {
        let Some(name) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else { return part.to_owned() };
        let canonical = keys.iter().find(|(known, _)| *known == name).map(|(_, text)| text.clone());
        canonical.unwrap_or_else(|| request.match_info().query(name).to_owned())
    };
    format!("{} {}", request.method(), template.split('/').map(part).collect::<Vec<_>>().join("/"))
}

impl State {
    #[must_use]
    pub fn new(db: Database) -> Self {
        Self { db, in_flight: InFlight::default(), warrants: Warrants::default() }
    }

    /// The database itself, for what has no caller: health, metrics, identifiers of requests.
    #[must_use]
    pub fn machinery(&self) -> &Database {
        &self.db
    }

    /// The same for the few routes open to everybody.
    #[must_use]
    pub fn open_to_all(self) -> Self {
        Self { warrants: Warrants::open(), ..self }
    }

    /// The database for work of several transactions (a paper rendered between two of them), once the caller's warrant
    /// was confirmed.
    ///
    /// # Errors
    /// The caller may no longer act.
    pub async fn confirmed(&self) -> Result<Database, Problem> {
        self.read(|_| Ok(())).await?;
        Ok(self.db.clone())
    }

    /// Reads, on a blocking thread.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let (db, warrants) = (self.db.clone(), self.warrants.clone());
        hop(move || {
            db.read(|tx| {
                warrants.confirm(tx, false)?;
                work(tx)
            })
        })
        .await
    }

    /// Writes in one transaction, on a blocking thread.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let (db, warrants) = (self.db.clone(), self.warrants.clone());
        hop(move || {
            db.write(|tx| {
                warrants.confirm(tx, true)?;
                work(tx)
            })
        })
        .await
    }

    /// A POST: writes in one transaction, and under an `Idempotency-Key` keeps or repeats the answer.
    pub async fn post(
        &self,
        by: Principal,
        call: CallContext,
        body_sha256: String,
        work: impl FnOnce(&mut Tx<'_>) -> Outcome<Reply> + Send + 'static,
    ) -> Answer {
        call.versionless()?;
        let keyed = call.keyed(&by, body_sha256)?;
        // Held until the transaction is over, even when the caller has stopped waiting.
        let place = keyed.as_ref().map(|call| self.in_flight.enter(call)).transpose().map_err(in_flight)?;
        let reply = self
            .write(move |tx| {
                let _place = place;
                let Some(call) = keyed else { return work(tx) };
                if let Some(stored) = idempotency::claim(tx, &call)? {
                    return Reply::from_stored(stored);
                }
                let reply = work(tx)?;
                idempotency::keep(tx, &call, &reply.stored()?)?;
                Ok(reply)
            })
            .await
            .map_err(
                |problem| if problem.refused.code == &idempotency::IN_FLIGHT { in_flight(problem) } else { problem },
            )?;
        Ok(reply.into_response())
    }
}

/// Says when to come back.
fn in_flight(problem: impl Into<Problem>) -> Problem {
    Problem { retry_after: Some(1), ..problem.into() }
}

/// Works on a blocking thread.
pub(in crate::platform) async fn hop<T: Send + 'static>(
    work: impl FnOnce() -> Outcome<T> + Send + 'static,
) -> Result<T, Problem> {
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
                .map(|d| Self { warrants: Warrants::of(request), ..d.get_ref().clone() })
                .ok_or_else(|| Problem::new(&problem::INTERNAL_ERROR, "Le service n'est pas configuré.")),
        )
    }
}
