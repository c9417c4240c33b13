//! Routes of one payer's links.

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions::{self, Deliver, Given};
use super::codes::{LINK_OVER, NO_ADDRESS, NOTHING_TO_OPEN};
use super::http_bulk::Invitations;
use super::standing::{InvitationAction, Standing};
use super::store::{self, InvitationOrder, Link, LinkOrigin};
use super::store_sessions::{self, Use, UseKind};
use crate::access::{Can, Read, refusal};
use crate::conventions;
use crate::kernel::Instant;
use crate::kernel::ids::{ConventionId, EmailId, InvitationId};
use crate::kernel::refused::NOT_FOUND;
use crate::kernel::text::Note;
use crate::path_keys;
use crate::platform::db::lives;
use crate::platform::mail::{Dossier, Rules};
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State, TransitionsView};
use crate::platform::{Error, Outcome, Tx};

path_keys!(InvitationId => "id");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(give).service(list).service(transitions).service(transition).service(one);
}

/// Usages montrés d'un lien.
const USES: i64 = 50;

/// Un usage d'un lien : une personne, ou un robot qui lit les courriels.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct UseView {
    at: Instant,
    kind: UseKind,
    /// Adresse IP.
    address: String,
    /// Navigateur, tel qu'il se nomme.
    agent: Option<String>,
}

/// Un lien ; son secret n'est jamais ici.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InvitationView {
    id: InvitationId,
    status: Standing,
    origin: LinkOrigin,
    /// Le courriel qui le porte.
    email_id: Option<EmailId>,
    created_at: Instant,
    created_by: String,
    expires_at: Instant,
    revoked_at: Option<Instant>,
    revoked_by: Option<String>,
    revoked_reason: Option<String>,
    uses: i64,
    last_used_at: Option<Instant>,
}

/// Un lien et ses derniers usages.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InvitationDetailView {
    #[serde(flatten)]
    link: InvitationView,
    /// Les cinquante derniers, le plus récent d'abord.
    last_uses: Vec<UseView>,
}

fn view(link: Link, life: &str, now: Instant) -> InvitationView {
    InvitationView {
        status: link.standing(life, now),
        id: link.id,
        origin: link.origin,
        email_id: link.email_id,
        created_at: link.created_at,
        created_by: link.created_by,
        expires_at: link.expires_at,
        revoked_at: link.revoked_at,
        revoked_by: link.revoked_by,
        revoked_reason: link.revoked_reason,
        uses: link.uses,
        last_used_at: link.last_used_at,
    }
}

/// Comment remettre un lien.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationRequest {
    /// `mail` : par courriel à l'adresse de contact. `show` : montré une seule fois, dans la réponse ; c'est au journal.
    deliver: Deliver,
}

/// Ce qui a été fait : un courriel mis à l'envoi, ou un lien, montré cette seule fois.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct GivenView {
    /// Le courriel mis à l'envoi ; son lien sera fait à son départ.
    email_id: Option<EmailId>,
    invitation_id: Option<InvitationId>,
    /// L'adresse à remettre à la collectivité. Elle n'est gardée nulle part, et ne sera plus montrée.
    #[schema(example = "https://ent.region-academique.invalid/i/…")]
    url: Option<String>,
    expires_at: Option<Instant>,
}

impl GivenView {
    /// What is kept of it under an idempotency key.
    fn without_secret(&self) -> Self {
        Self { url: None, ..self.clone() }
    }
}

fn given_view(given: Given, rules: &Rules) -> GivenView {
    match given {
        Given::Queued(id) => GivenView { email_id: Some(id), invitation_id: None, url: None, expires_at: None },
        Given::Shown(shown) => GivenView {
            email_id: None,
            invitation_id: Some(shown.id),
            url: Some(format!("{}/i/{}", rules.public_url, shown.secret.reveal())),
            expires_at: Some(shown.expires_at),
        },
    }
}

/// Donner un lien à la collectivité d'une convention
///
/// Le lien ouvre le dossier de la collectivité dans la campagne. Montré, il n'est ni gardé ni répété : une
/// `Idempotency-Key` empêche d'en faire deux, et sa répétition ne le rend pas.
#[utoipa::path(
    operation_id = "give_invitation", tag = "Invitations", params(("id" = ConventionId, Path)),
    request_body = InvitationRequest,
    responses((status = 200, body = GivenView, description = "Ce qui a été fait")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &NO_ADDRESS, &NOTHING_TO_OPEN])
    ))),
    security(("bearer" = []))
)]
#[post("/conventions/{id}/invitations")]
async fn give(
    state: State,
    can: Can<Invitations>,
    rules: web::Data<Rules>,
    Key(id): Key<ConventionId>,
    call: CallContext,
    body: Body<InvitationRequest>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let convention = conventions::find(tx, id)?;
            let given = actions::give_for(tx, &actor, &convention, body.value.deliver)?;
            let view = given_view(given, &rules);
            Reply::ok(&view)?.keeping(&view.without_secret())
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Modifiés ou utilisés depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<InvitationOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les liens de la collectivité d'une convention
#[utoipa::path(
    operation_id = "list_invitations", tag = "Invitations", params(("id" = ConventionId, Path), ListQuery),
    responses((status = 200, body = PageView<InvitationView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/conventions/{id}/invitations")]
async fn list(state: State, _can: Can<Read>, Key(id): Key<ConventionId>, Params(query): Params<ListQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let c = conventions::find(tx, id)?;
            let of = Dossier { payer: c.collectivite_id, campaign: c.campaign_id };
            let since = tx.changed_since(query.updated_since)?;
            let (links, life, now) = (store::of_dossier(tx, of, since, &page)?, lives::current(tx)?.id, tx.now());
            Reply::ok(&links.map(|link| view(link, &life, now)))
        })
        .await?;
    Ok(reply.into_response())
}

fn detail(tx: &mut Tx<'_>, link: Link) -> Outcome<InvitationDetailView> {
    let last_uses = store_sessions::last_uses(tx, link.id, USES)?;
    let shown = |Use { at, kind, address, agent }| UseView { at, kind, address, agent };
    let (life, now) = (lives::current(tx)?.id, tx.now());
    Ok(InvitationDetailView { link: view(link, &life, now), last_uses: last_uses.into_iter().map(shown).collect() })
}

/// Lire un lien et ses usages
#[utoipa::path(
    operation_id = "get_invitation", tag = "Invitations", params(("id" = InvitationId, Path)),
    responses((status = 200, body = InvitationDetailView, description = "Le lien")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/invitations/{id}")]
async fn one(state: State, _can: Can<Read>, Key(id): Key<InvitationId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let link = actions::find(tx, id)?;
            Reply::ok(&detail(tx, link)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lister les actions possibles, et pourquoi les autres ne le sont pas
#[utoipa::path(
    operation_id = "list_invitation_transitions", tag = "Invitations", params(("id" = InvitationId, Path)),
    responses((status = 200, body = TransitionsView<Standing, InvitationAction>, description = "Les actions")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/invitations/{id}/transitions")]
async fn transitions(state: State, can: Can<Read>, Key(id): Key<InvitationId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let (link, life, now) = (actions::find(tx, id)?, lives::current(tx)?.id, tx.now());
            let by_role = refusal::<Invitations>(can.role);
            let refused =
                |action| Ok::<_, Error>(by_role.clone().or_else(|| actions::refusal(&link, &life, now, action)));
            Reply::ok(&TransitionsView::of(link.standing(&life, now), InvitationAction::ALL, refused)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Une action sur un lien.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationTransitionRequest {
    action: InvitationAction,
    reason: Note,
    /// Pour `replace` : comment remettre le nouveau ; par courriel si rien n'est dit.
    #[serde(default)]
    deliver: Option<Deliver>,
}

/// Le lien après l'action, et celui qui le remplace.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InvitationMovedView {
    #[serde(flatten)]
    link: InvitationDetailView,
    /// Nul : rien ne le remplace.
    replacement: Option<GivenView>,
}

/// Retirer un lien, ou le remplacer
///
/// Un lien retiré n'ouvre plus rien, et les sessions qu'il a ouvertes finissent à l'instant.
#[utoipa::path(
    operation_id = "transition_invitation", tag = "Invitations", params(("id" = InvitationId, Path)),
    request_body = InvitationTransitionRequest,
    responses((status = 200, body = InvitationMovedView, description = "Le lien après l'action")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &LINK_OVER, &NO_ADDRESS, &NOTHING_TO_OPEN])
    ))),
    security(("bearer" = []))
)]
#[post("/invitations/{id}/transitions")]
async fn transition(
    state: State,
    can: Can<Invitations>,
    rules: web::Data<Rules>,
    Key(id): Key<InvitationId>,
    call: CallContext,
    body: Body<InvitationTransitionRequest>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let InvitationTransitionRequest { action, reason, deliver } = body.value;
            let (link, given) = actions::transition(tx, &actor, id, (action, reason, deliver))?;
            let replacement = given.map(|given| given_view(given, &rules));
            let kept = replacement.as_ref().map(GivenView::without_secret);
            let shown = InvitationMovedView { link: detail(tx, link.clone())?, replacement };
            Reply::ok(&shown)?.keeping(&InvitationMovedView { link: detail(tx, link)?, replacement: kept })
        })
        .await
}
