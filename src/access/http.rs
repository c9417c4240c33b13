//! `/auth/*` and `/me`.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::http::header::USER_AGENT;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::Duration;
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::gate::{Gate, Turn};
use super::http_permission::{Any, Can};
use super::passwords;
use super::problems::{INVALID_CREDENTIALS, REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED, TOO_MANY_ATTEMPTS};
use super::refusals::Refusals;
use super::sessions::{self, Attempt, Brakes, Login, Origin, Renewal, Session, SessionRules, Watch};
use super::tokens::Tokens;
use super::views::UserView;
use crate::kernel::Instant;
use crate::kernel::contact::EmailAddress;
use crate::platform::web::docs::Answers;
use crate::platform::web::problem::{UNAVAILABLE, current};
use crate::platform::web::{Answer, Body, CallerAddress, Problem, Reply, State};

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(login).service(refresh).service(logout).service(me);
}

/// What the configuration says of log-ins.
#[derive(Debug, Clone, Copy)]
pub struct LoginRules {
    pub sessions: SessionRules,
    pub brakes: Brakes,
    /// How long a one-time code may be used.
    pub code_life: Duration,
}

/// What log-in needs besides the database; made by the composition root.
#[derive(Clone)]
pub struct LoginService {
    rules: LoginRules,
    gate: Gate,
    refusals: Refusals,
    attempts: Arc<AtomicU32>,
}

/// Counters that say nothing any more are removed once in so many attempts, so that a day of guesses leaves no more of
/// them than an hour.
const TIDIED_EVERY: u32 = 128;

impl LoginService {
    #[must_use]
    pub fn new(rules: LoginRules, gate: Gate) -> Self {
        Self { rules, gate, refusals: Refusals::default(), attempts: Arc::default() }
    }

    pub(super) fn watch(&self) -> Watch {
        Watch { brakes: self.rules.brakes, refusals: self.refusals.clone() }
    }

    /// What was refused this hour.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    pub(super) fn code_life(&self) -> Duration {
        self.rules.code_life
    }

    fn is_tidying(&self) -> bool {
        self.attempts.fetch_add(1, Ordering::Relaxed) % TIDIED_EVERY == TIDIED_EVERY - 1
    }

    /// The right to hash; waits for it in line.
    pub(super) async fn turn(&self, source: IpAddr) -> Result<Turn, Problem> {
        let busy = || Problem::new(&UNAVAILABLE, "Trop de connexions simultanées : réessayer dans une seconde.");
        self.gate.turn(source).await.ok_or_else(|| Problem { retry_after: Some(1), ..busy() })
    }
}

/// From where a request comes.
pub(super) fn origin(request: &HttpRequest, caller: CallerAddress) -> Origin {
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    Origin::new(caller, current::get(), agent)
}

/// Works with argon2 off the HTTP threads. The turn is kept until the work is done, even when the caller has gone.
pub(super) async fn in_turn<T: Send + 'static>(
    turn: Turn,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<(T, Turn), Problem> {
    let done = web::block(move || (work(), turn)).await;
    done.map_err(|_| Problem::new(&UNAVAILABLE, "Le service s'arrête."))
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

impl SessionView {
    fn of(tokens: &Tokens, session: Session) -> Result<Self, Problem> {
        Ok(Self {
            access_token: tokens.issue(&session.bearer)?,
            refresh_token: session.refresh_token,
            token_type: "Bearer",
            expires_in: tokens.lifetime_seconds(),
        })
    }
}

/// Une session ouverte, et ce que la personne doit pouvoir reconnaître : une connexion ou un mot de passe qui ne sont pas
/// d'elle se signalent à l'administrateur.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LoginView {
    #[serde(flatten)]
    session: SessionView,
    /// La connexion précédente ; absente à la première.
    previous_login_at: Option<Instant>,
    /// Depuis quand le mot de passe est celui-ci.
    password_set_at: Option<Instant>,
}

pub(super) fn wait(seconds: i64) -> Problem {
    let detail = format!("Trop d'essais : réessayer dans {seconds} secondes.");
    Problem { retry_after: Some(seconds), ..Problem::new(&TOO_MANY_ATTEMPTS, detail) }
}

/// Se connecter
///
/// Échange l'adresse et le mot de passe d'un compte contre un jeton d'accès (quelques minutes) et un jeton de
/// renouvellement (quelques jours, à usage unique). Les échecs ralentissent ceux qui suivent, de plus en plus, pour ce
/// compte depuis cette adresse IP et pour cette adresse IP ; ils n'empêchent pas la personne de se connecter d'ailleurs.
#[utoipa::path(
    operation_id = "login", tag = "Sessions", security(()), request_body = LoginRequest,
    responses((status = 200, description = "Session ouverte", body = LoginView)),
    extensions(("x-answers" = json!(Answers::refuse(&[&INVALID_CREDENTIALS, &TOO_MANY_ATTEMPTS]))))
)]
#[post("/auth/login")]
async fn login(
    state: State,
    service: web::Data<LoginService>,
    tokens: web::Data<Tokens>,
    caller: CallerAddress,
    request: HttpRequest,
    body: Body<LoginRequest>,
) -> Answer {
    let LoginRequest { email, password } = body.value;
    let (state, source) = (state.open_to_all(), caller.source());
    let asked = email.clone();
    let attempt = move |tx: &mut crate::platform::Tx<'_>| sessions::attempt(tx, &asked, source);
    // Whoever must wait takes no place in the line.
    if let Attempt::Wait { seconds } = state.read(attempt.clone()).await? {
        return Err(wait(seconds));
    }
    let turn = service.turn(source).await?;
    // Those who were before in the line may have failed: no more guesses pass at once than there are turns.
    let seen = match state.read(attempt).await? {
        Attempt::Wait { seconds } => return Err(wait(seconds)),
        Attempt::Verify(seen) => seen,
    };
    let ((right, seen), turn) = in_turn(turn, move || (passwords::verify(&password, seen.hash.as_ref()), seen)).await?;
    let (rules, watch, tidying) = (service.rules.sessions, service.watch(), service.is_tidying());
    let origin = origin(&request, caller);
    let concluded = state.write(move |tx| {
        if tidying {
            sessions::purge(tx)?;
        }
        // Given back by the transaction, so that the next in line does not look before the failure is committed.
        Ok((sessions::log_in(tx, (rules, &watch), &email, right, &seen, origin)?, turn))
    });
    let (login, _turn) = concluded.await?;
    match login {
        Login::Opened { session, before } => {
            let view = LoginView {
                session: SessionView::of(&tokens, session)?,
                previous_login_at: before.last_login_at,
                password_set_at: before.password_set_at,
            };
            Ok(Reply::ok(&view)?.into_response())
        }
        Login::Denied => Err(Problem::new(&INVALID_CREDENTIALS, "Adresse ou mot de passe refusé.")),
        Login::Wait { seconds } => Err(wait(seconds)),
    }
}

/// Renouveler la session
///
/// Échange le jeton de renouvellement contre un nouveau couple de jetons. Un jeton présenté deux fois révoque toute
/// la session. Des jetons inconnus en nombre ralentissent ceux qui suivent de la même adresse IP, pas les jetons valables.
#[utoipa::path(
    operation_id = "refresh_session", tag = "Sessions", security(()), request_body = RefreshRequest,
    responses((status = 200, description = "Session renouvelée", body = SessionView)),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&REFRESH_TOKEN_INVALID, &REFRESH_TOKEN_REUSED, &TOO_MANY_ATTEMPTS])
    )))
)]
#[post("/auth/refresh")]
async fn refresh(
    state: State,
    service: web::Data<LoginService>,
    tokens: web::Data<Tokens>,
    caller: CallerAddress,
    body: Body<RefreshRequest>,
) -> Answer {
    let (rules, source) = ((service.rules.sessions, service.rules.brakes), caller.source());
    let (state, token) = (state.open_to_all(), body.value.refresh_token);
    let known = token.clone();
    if let Some(seconds) = state.read(move |tx| sessions::renewal_wait(tx, &known, source)).await? {
        return Err(wait(seconds));
    }
    match state.write(move |tx| sessions::renew(tx, rules, &token, source)).await? {
        Renewal::Renewed(session) => Ok(Reply::ok(&SessionView::of(&tokens, session)?)?.into_response()),
        Renewal::Invalid => {
            Err(Problem::new(&REFRESH_TOKEN_INVALID, "Le jeton de renouvellement est inconnu, expiré ou révoqué."))
        }
        Renewal::Reused => Err(Problem::new(
            &REFRESH_TOKEN_REUSED,
            "Ce jeton de renouvellement a déjà servi : la session est révoquée, se connecter de nouveau.",
        )),
        Renewal::Wait { seconds } => Err(wait(seconds)),
    }
}

/// Se déconnecter
///
/// Révoque la session : ni le jeton d'accès ni le jeton de renouvellement ne servent plus.
#[utoipa::path(
    operation_id = "logout", tag = "Sessions",
    responses((status = 204, description = "Session close")),
    extensions(("x-answers" = json!(Answers::usual())))
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
    responses((status = 200, description = "Le compte", body = UserView)),
    extensions(("x-answers" = json!(Answers::usual().versioned())))
)]
#[get("/me")]
async fn me(can: Can<Any>, state: State) -> Answer {
    let id = can.user;
    let user = state.read(move |tx| super::find_user(tx, id)).await?;
    Ok(Reply::versioned(&UserView::from(&user), user.version)?.into_response())
}
