//! The pages behind a link: plain HTML, no script, nothing fetched, nothing kept on the way.
//!
//! ```text
//!   GET /i/{secret}   a name and a button          POST /i/{secret}   a session, then /d/{link}
//!   GET /i            a lost link, asked for       POST /i            the same answer for everybody
//!   GET /d/{link}     schools, amount, paper       POST /d/{link}/fin the session ends
//! ```
//! A page never names another dossier; the session's cookie is sent to its own dossier only.

use std::sync::LazyLock;

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HOST, HeaderName, LOCATION, ORIGIN, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, web};
use minijinja::Environment;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions;
use super::codes::LINK_GONE;
use super::context::{self, ConventionContext};
use super::http_links::COOKIE;
use super::secret::Secret;
use super::sessions;
use super::store_sessions::{self, Origin, UseKind};
use super::{lost, store::Link};
use crate::conventions::{ConventionState, PAPER};
use crate::kernel::ids::{ConventionId, InvitationId};
use crate::kernel::refused::NOT_FOUND;
use crate::kernel::{CallerAddress, Refused};
use crate::platform::documents::Renderer;
use crate::platform::mail::Rules;
use crate::platform::papers;
use crate::platform::web::{Problem, State};
use crate::platform::{Error, Outcome, Tx};

/// Longest body of a form.
const FORM_BYTES: usize = 2_048;
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Nothing is fetched, nothing runs, forms go nowhere else.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    let all = [
        ("layout.html", include_str!("pages/layout.html")),
        ("lien.html", include_str!("pages/lien.html")),
        ("dossier.html", include_str!("pages/dossier.html")),
        ("perdu.html", include_str!("pages/perdu.html")),
        ("refus.html", include_str!("pages/refus.html")),
    ];
    for (name, text) in all {
        if let Err(cause) = pages.add_template(name, text) {
            tracing::error!(name, %cause, "a page of the program does not compose");
        }
    }
    pages
});

/// Mounts the pages, beside the API.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.route("/i", web::get().to(lost_form))
        .route("/i", web::post().to(lost_asked))
        .route("/i/{secret}", web::get().to(shown))
        .route("/i/{secret}", web::post().to(enter))
        .route("/d/{link}", web::get().to(dossier))
        .route("/d/{link}/fin", web::post().to(leave))
        .route("/d/{link}/conventions/{id}", web::get().to(document));
}

#[derive(Debug, Default, Serialize)]
struct Contact {
    courriel: String,
    telephone: String,
}

fn page(status: StatusCode, name: &str, context: &serde_json::Value) -> HttpResponse {
    let written = PAGES
        .get_template(name)
        .and_then(|page| page.render(minijinja::value::Serde(context)))
        .unwrap_or_else(|cause| {
            tracing::error!(name, %cause, "a page does not compose");
            "Cette page ne peut être affichée. Réessayez plus tard.".to_owned()
        });
    HttpResponse::build(status)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((ROBOTS, "noindex, nofollow"))
        .content_type("text/html; charset=utf-8")
        .body(written)
}

/// What went wrong, for somebody who came by a link.
fn refused(problem: &Problem) -> HttpResponse {
    let refused = &problem.refused;
    let status = StatusCode::from_u16(refused.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let gone = refused.code == &LINK_GONE;
    let detail = if gone || status.is_client_error() {
        refused.detail.clone()
    } else {
        "Le service ne peut répondre pour l'instant. Réessayez dans quelques minutes.".to_owned()
    };
    let titre = if gone { "Ce lien n'ouvre plus rien" } else { refused.code.title };
    let code = refused.code.code;
    let context = json!({"titre": titre, "entete": "ENT-école", "detail": detail, "suite": gone, "code": code});
    page(status, "refus.html", &context)
}

fn origin(request: &HttpRequest, caller: CallerAddress) -> Origin {
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned);
    Origin { caller, agent }
}

/// A form sent by a page of ours: browsers say so, and who has no browser steals no session.
fn is_ours(request: &HttpRequest) -> bool {
    let header = |name: &HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let site = header(&SITE).is_none_or(|site| site == "same-origin" || site == "none");
    let host = header(&HOST);
    let origin = header(&ORIGIN).is_none_or(|origin| {
        let named = origin.split_once("://").map(|(_, host)| host);
        origin == "null" || named.is_some() && named == host
    });
    site && origin
}

fn stranger() -> HttpResponse {
    let detail = "Cette demande vient d'une autre page que les nôtres : rouvrez le lien reçu, et recommencez.";
    let context = json!({"titre": "Demande refusée", "entete": "ENT-école", "detail": detail, "suite": false});
    page(StatusCode::FORBIDDEN, "refus.html", &context)
}

/// The words of a link's pages.
fn heading(tx: &mut Tx<'_>, link: &Link) -> Outcome<(context::DossierContext, serde_json::Value)> {
    let (dossier, campaign) = actions::opened(tx, link)?;
    let issuer = campaign.said.texts.as_ref().map(|texts| &texts.issuer);
    let contact = issuer.map_or_else(Contact::default, |issuer| Contact {
        courriel: issuer.contact_email.clone(),
        telephone: issuer.contact_phone.clone(),
    });
    let annee = campaign.said.school_year.to_string();
    let context = json!({
        "titre": format!("Convention ENT-école {annee}"),
        "entete": issuer.map_or("ENT-école", |issuer| issuer.name.as_str()),
        "contact": contact,
        "commune": dossier.commune,
        "annee": annee,
        "date_souhaitee": campaign.said.response_deadline.map(crate::kernel::french::date_long),
    });
    Ok((dossier, context))
}

/// A secret in a path: what cannot be one is a link that opens nothing.
fn secret(raw: &str) -> Result<Secret, Problem> {
    Secret::parse(raw).ok_or_else(|| sessions::gone(None).into())
}

async fn shown(state: State, request: HttpRequest, caller: CallerAddress, path: web::Path<String>) -> HttpResponse {
    let origin = origin(&request, caller);
    let asked = async move {
        let secret = secret(&path)?;
        let state = state.open_to_all();
        let seen = origin.clone();
        // Judged and worded without the writer: whoever asks for anything costs a reading.
        let (link, context, known) = state
            .read(move |tx| {
                let link = sessions::opened(tx, &secret)?;
                let known = store_sessions::used_lately(tx, link.id, UseKind::Opened, &seen)?;
                let (_, context) = heading(tx, &link)?;
                Ok((link.id, context, known))
            })
            .await?;
        if !known {
            state.write(move |tx| store_sessions::used(tx, link, UseKind::Opened, &origin)).await?;
        }
        Ok::<_, Problem>(context)
    };
    match asked.await {
        Ok(context) => page(StatusCode::OK, "lien.html", &context),
        Err(problem) => refused(&problem),
    }
}

async fn enter(
    state: State,
    request: HttpRequest,
    caller: CallerAddress,
    rules: web::Data<Rules>,
    path: web::Path<String>,
) -> HttpResponse {
    if !is_ours(&request) {
        return stranger();
    }
    let origin = origin(&request, caller);
    let begun = async move {
        let secret = secret(&path)?;
        state
            .open_to_all()
            .write(move |tx| {
                let link = sessions::opened(tx, &secret)?;
                store_sessions::used(tx, link.id, UseKind::Entered, &origin)?;
                Ok((link.id, store_sessions::begin(tx, link.id)?))
            })
            .await
    };
    match begun.await {
        Ok((link, session)) => {
            let cookie = cookie(link, session.reveal(), &rules).max_age(time::Duration::hours(8)).finish();
            HttpResponse::SeeOther().insert_header((LOCATION, format!("/d/{link}"))).cookie(cookie).finish()
        }
        Err(problem) => refused(&problem),
    }
}

fn cookie<'c>(link: InvitationId, value: &str, rules: &Rules) -> actix_web::cookie::CookieBuilder<'c> {
    Cookie::build(COOKIE, value.to_owned())
        .path(format!("/d/{link}"))
        .http_only(true)
        .secure(rules.public_url.starts_with("https://"))
        .same_site(SameSite::Lax)
}

/// The session a request presents.
fn session(request: &HttpRequest) -> Result<Secret, Problem> {
    let presented = request.cookie(COOKIE).and_then(|cookie| Secret::parse(cookie.value()));
    presented
        .ok_or_else(|| Refused::new(&LINK_GONE, "Le dossier s'est refermé. Rouvrez le lien reçu par courriel.").into())
}

/// The link of a session, if it is the one of the address.
fn entered(tx: &mut Tx<'_>, session: &Secret, path: &str, held: bool) -> Outcome<Link> {
    let link = sessions::entered(tx, session, held)?;
    if link.id.as_str() == path { Ok(link) } else { Err(sessions::gone(None).into()) }
}

/// What a convention waits for, said to its collectivité.
const fn said(state: ConventionState) -> &'static str {
    match state {
        ConventionState::Issued => "Elle attend votre signature.",
        ConventionState::Signed => {
            "Elle est signée par votre collectivité, et attend la signature de la région académique."
        }
        ConventionState::Active => "Elle est signée par les deux parties.",
        ConventionState::Expired => "Elle est arrivée à son terme.",
        ConventionState::Declined => "Votre collectivité a fait savoir qu'elle ne la signera pas.",
        ConventionState::Cancelled => "Elle est annulée.",
    }
}

async fn dossier(state: State, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let asked = async move {
        let session = session(&request)?;
        state
            .open_to_all()
            .read(move |tx| {
                let link = entered(tx, &session, &path, false)?;
                let (dossier, mut context) = heading(tx, &link)?;
                let view = |c: &ConventionContext| {
                    json!({
                        "numero": c.numero, "nombre": c.nombre, "montant": c.montant, "ecoles": c.ecoles,
                        "etat": said(c.state), "document": format!("/d/{}/conventions/{}", link.id, c.id),
                    })
                };
                let conventions: Vec<_> = dossier.conventions.iter().map(view).collect();
                if let Some(context) = context.as_object_mut() {
                    context.insert("conventions".into(), conventions.into());
                    let awaited = dossier.conventions.iter().any(|c| c.state == ConventionState::Issued);
                    context.insert("attendue".into(), awaited.into());
                    context.insert("quitter".into(), format!("/d/{}/fin", link.id).into());
                }
                Ok(context)
            })
            .await
    };
    match asked.await {
        Ok(context) => page(StatusCode::OK, "dossier.html", &context),
        Err(problem) => refused(&problem),
    }
}

async fn document(
    state: State,
    renderer: web::Data<Renderer>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let (link, convention) = path.into_inner();
    let state = state.open_to_all();
    let asked = async {
        let session = session(&request)?;
        let unknown = || Refused::new(&NOT_FOUND, "Cette convention n'est pas de ce dossier.");
        let id = ConventionId::parse(&convention).map_err(|_| Problem::from(unknown()))?;
        state
            .read(move |tx| {
                let link = entered(tx, &session, &link, false)?;
                let (dossier, _) = actions::opened(tx, &link)?;
                if dossier.conventions.iter().any(|c| c.id == id) { Ok(()) } else { Err(Error::from(unknown())) }
            })
            .await?;
        papers::answer(&state, renderer, &PAPER, id.to_string(), papers::OriginalQuery::default()).await
    };
    asked.await.unwrap_or_else(|problem| refused(&problem))
}

async fn leave(state: State, request: HttpRequest, rules: web::Data<Rules>, path: web::Path<String>) -> HttpResponse {
    if !is_ours(&request) {
        return stranger();
    }
    let asked = async {
        let (session, path) = (session(&request)?, path.clone());
        state
            .open_to_all()
            .write(move |tx| {
                let link = entered(tx, &session, &path, true)?;
                store_sessions::end(tx, &session)?;
                Ok(link.id)
            })
            .await
    };
    match asked.await {
        Ok(link) => {
            let gone = cookie(link, "", &rules).max_age(time::Duration::ZERO).finish();
            let context = json!({
                "titre": "Le dossier est fermé", "entete": "ENT-école", "suite": false,
                "detail": "Pour y revenir, rouvrez le lien reçu par courriel.",
            });
            let mut response = page(StatusCode::OK, "refus.html", &context);
            if let Err(cause) = response.add_cookie(&gone) {
                tracing::error!(%cause, "a cookie could not be taken back");
            }
            response
        }
        Err(problem) => refused(&problem),
    }
}

fn lost_page(asked: bool) -> HttpResponse {
    let context = json!({"titre": "Recevoir un nouveau lien", "entete": "ENT-école", "demande": asked});
    page(StatusCode::OK, "perdu.html", &context)
}

async fn lost_form() -> HttpResponse {
    lost_page(false)
}

#[derive(Debug, Deserialize)]
struct LostForm {
    qui: String,
}

async fn lost_asked(state: State, request: HttpRequest, caller: CallerAddress, body: web::Payload) -> HttpResponse {
    if !is_ours(&request) {
        return stranger();
    }
    let Ok(Ok(bytes)) = body.to_bytes_limited(FORM_BYTES).await else { return lost_page(false) };
    let form: Option<LostForm> = serde_urlencoded_form(&bytes);
    let Some(form) = form.filter(|form| form.qui.len() <= 40) else { return lost_page(false) };
    // Whoever asks learns nothing: not even that something failed.
    if let Err(problem) = state.open_to_all().write(move |tx| lost::ask(tx, caller, &form.qui)).await {
        tracing::error!(code = problem.refused.code.code, "a lost link could not be asked for");
    }
    lost_page(true)
}

/// The one field of the form.
fn serde_urlencoded_form(bytes: &[u8]) -> Option<LostForm> {
    let text = std::str::from_utf8(bytes).ok()?;
    web::Query::<LostForm>::from_query(text).ok().map(web::Query::into_inner)
}
