//! `/auth/*` and `/me`.

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::http_users::UserView;
use super::passwords::{self, Gate};
use super::permission::{Any, Can};
use super::problems::{
    INVALID_CREDENTIALS, REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED, TOO_MANY_ATTEMPTS, UNAUTHENTICATED,
};
use super::sessions::{self, Attempt, Login, Origin, Renewal, Session, SessionRules};
use super::tokens::Tokens;
use crate::kernel::contact::EmailAddress;
use crate::platform::web::problem::{UNAVAILABLE, current};
use crate::platform::web::{Answer, Body, CallerAddress, Problem, ProblemView, Reply, State};

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(login).service(refresh).service(logout).service(me);
}

/// What log-in needs besides the database; made by the composition root.
#[derive(Clone)]
pub struct LoginService {
    rules: SessionRules,
    gate: Gate,
}

impl LoginService {
    #[must_use]
    pub fn new(rules: SessionRules) -> Self {
        Self { rules, gate: Gate::default() }
    }
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "zoe.martin@exemple.invalid", "password": "cheval-agrafe-pile-1825"}))]
struct LoginRequest {
    email: EmailAddress,
    #[schema(format = Password)]
    password: String,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshRequest {
    #[schema(example = "3q2-7w8mT1c0bV9yXk5uRj4hQeLzPnSaDfGiWoYtEvM")]
    refresh_token: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({"access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6IjBhMWIyYzNkIn0…",
    "refresh_token": "3q2-7w8mT1c0bV9yXk5uRj4hQeLzPnSaDfGiWoYtEvM", "token_type": "Bearer", "expires_in": 900}))]
struct SessionView {
    /// À envoyer dans l'en-tête `Authorization: Bearer …`.
    access_token: String,
    /// À échanger une seule fois par `POST /auth/refresh`.
    refresh_token: String,
    token_type: &'static str,
    /// Durée de vie du jeton d'accès, en secondes.
    expires_in: i64,
}

fn answer(tokens: &Tokens, session: Session) -> Answer {
    let view = SessionView {
        access_token: tokens.issue(&session.bearer)?,
        refresh_token: session.refresh_token,
        token_type: "Bearer",
        expires_in: tokens.lifetime_seconds(),
    };
    Ok(Reply::ok(&view)?.into_response())
}

fn locked(seconds: i64) -> Problem {
    let detail = format!("Trop de mots de passe faux : réessayer dans {seconds} secondes.");
    Problem { retry_after: Some(seconds), ..Problem::new(&TOO_MANY_ATTEMPTS, detail) }
}

/// Se connecter
///
/// Échange l'adresse et le mot de passe d'un compte contre un jeton d'accès (quelques minutes) et un jeton de
/// renouvellement (quelques jours, à usage unique). Après plusieurs échecs le compte est verrouillé un moment.
#[utoipa::path(
    operation_id = "login", tag = "Sessions", security(()), request_body = LoginRequest,
    responses(
        (status = 200, description = "Session ouverte", body = SessionView),
        (status = 401, description = "`invalid_credentials`", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_value`", body = ProblemView, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, avec `Retry-After`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
#[post("/auth/login")]
async fn login(
    state: State,
    service: web::Data<LoginService>,
    tokens: web::Data<Tokens>,
    request: HttpRequest,
    body: Body<LoginRequest>,
) -> Answer {
    let LoginRequest { email, password } = body.value;
    let state = state.open_to_all();
    let address = email.clone();
    let seen = match state.read(move |tx| sessions::attempt(tx, &address)).await? {
        Attempt::Locked { seconds } => return Err(locked(seconds)),
        Attempt::Verify(hash) => hash,
    };
    let Some(place) = service.gate.enter() else {
        let busy = Problem::new(&UNAVAILABLE, "Trop de connexions simultanées : réessayer dans une seconde.");
        return Err(Problem { retry_after: Some(1), ..busy });
    };
    let judged = web::block(move || {
        let _place = place;
        let right = passwords::verify(&password, seen.as_ref());
        (right, seen)
    });
    let (right, seen) = judged.await.map_err(|_| Problem::new(&UNAVAILABLE, "Le service s'arrête."))?;
    let rules = service.rules;
    let address = request.extensions().get::<CallerAddress>().map(|caller| caller.0);
    let origin = Origin { address, request_id: current::get() };
    match state.write(move |tx| sessions::log_in(tx, rules, &email, right, seen.as_ref(), origin)).await? {
        Login::Opened(session) => answer(&tokens, session),
        Login::Denied => Err(Problem::new(&INVALID_CREDENTIALS, "Adresse ou mot de passe refusé.")),
        Login::Locked { seconds } => Err(locked(seconds)),
    }
}

/// Renouveler la session
///
/// Échange le jeton de renouvellement contre un nouveau couple de jetons. Un jeton présenté deux fois révoque toute
/// la session.
#[utoipa::path(
    operation_id = "refresh_session", tag = "Sessions", security(()), request_body = RefreshRequest,
    responses(
        (status = 200, description = "Session renouvelée", body = SessionView),
        (status = 401, description = "`refresh_token_invalid` ou `refresh_token_reused`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
#[post("/auth/refresh")]
async fn refresh(
    state: State,
    service: web::Data<LoginService>,
    tokens: web::Data<Tokens>,
    body: Body<RefreshRequest>,
) -> Answer {
    let rules = service.rules;
    let state = state.open_to_all();
    match state.write(move |tx| sessions::renew(tx, rules, &body.value.refresh_token)).await? {
        Renewal::Renewed(session) => answer(&tokens, session),
        Renewal::Invalid => {
            Err(Problem::new(&REFRESH_TOKEN_INVALID, "Le jeton de renouvellement est inconnu, expiré ou révoqué."))
        }
        Renewal::Reused => Err(Problem::new(
            &REFRESH_TOKEN_REUSED,
            "Ce jeton de renouvellement a déjà servi : la session est révoquée, se connecter de nouveau.",
        )),
    }
}

/// Se déconnecter
///
/// Révoque la session : ni le jeton d'accès ni le jeton de renouvellement ne servent plus.
#[utoipa::path(
    operation_id = "logout", tag = "Sessions",
    responses((status = 204, description = "Session close"))
)]
#[post("/auth/logout")]
async fn logout(can: Can<Any>, state: State) -> Answer {
    state.write(move |tx| sessions::log_out(tx, &can.actor, &can.session)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Mon compte
///
/// Le compte de la personne connectée, tel qu'il est en base.
#[utoipa::path(
    operation_id = "get_me", tag = "Sessions",
    responses((status = 200, description = "Le compte", body = UserView))
)]
#[get("/me")]
async fn me(can: Can<Any>, state: State) -> Answer {
    let id = can.actor.user.ok_or_else(|| Problem::new(&UNAUTHENTICATED, "Aucun compte derrière ce jeton."))?;
    let user = state.read(move |tx| super::find_user(tx, id)).await?;
    Ok(Reply::versioned(&UserView::from(&user), user.version)?.into_response())
}
