//! Routes of mails: what was written, and again.

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions;
use super::codes::{EMAIL_STATE, EMAIL_TOO_RECENT};
use crate::access::{Can, Read};
use crate::campaigns;
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::{CampaignId, CollectiviteId, EmailId};
use crate::kernel::refused::NOT_FOUND;
use crate::kernel::text::Note;
use crate::kernel::{Instant, Refused, SchoolYear, Siret};
use crate::platform::mail::{
    self, Attempt, AttemptOutcome, Dossier, Email, EmailFilter, EmailOrder, EmailState, Postman, SentFile, Stage,
};
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State};
use crate::platform::{Outcome, Tx};
use crate::registry;
use crate::{path_keys, permissions};

path_keys!(EmailId => "id");

permissions! {
    /// Send mails again, flag addresses, edit texts.
    RunMailRoom: Gestionnaire;
}

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list).service(resend).service(one);
}

/// Un dossier dont parle un courriel.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct EmailDossierView {
    collectivite_id: CollectiviteId,
    campaign_id: CampaignId,
}

/// Un courriel ; ce qu'il disait est dans son détail.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EmailView {
    id: EmailId,
    /// Genre, stable, en anglais.
    #[schema(example = "invitations.invitation")]
    kind: String,
    address: EmailAddress,
    status: EmailState,
    /// Pourquoi il en est là : les mots du serveur, ou les nôtres.
    cause: Option<String>,
    attempts: i64,
    /// Quand il sera essayé, s'il attend.
    due_at: Instant,
    queued_at: Instant,
    /// Qui l'a causé.
    queued_by: String,
    ended_at: Option<Instant>,
    /// Celui qu'il répète.
    resent_of: Option<EmailId>,
    dossiers: Vec<EmailDossierView>,
    updated_at: Instant,
}

/// Un essai, et le message tel qu'il est parti ; les secrets (liens, codes) n'y figurent pas.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AttemptView {
    number: i64,
    message_id: String,
    sender: String,
    subject: String,
    text: String,
    html: String,
    files: Vec<SentFile>,
    begun_at: Instant,
    ended_at: Option<Instant>,
    outcome: Option<AttemptOutcome>,
    /// Jusqu'où l'échange est allé.
    stage: Option<Stage>,
    /// Les mots du serveur.
    answer: Option<String>,
}

/// Un courriel, et ses essais.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EmailDetailView {
    #[serde(flatten)]
    email: EmailView,
    tries: Vec<AttemptView>,
}

fn view(email: Email, dossiers: Vec<Dossier>) -> EmailView {
    EmailView {
        id: email.id,
        kind: email.kind,
        address: email.address,
        status: email.state,
        cause: email.cause,
        attempts: email.attempts,
        due_at: email.due_at,
        queued_at: email.queued_at,
        queued_by: email.queued_by,
        ended_at: email.ended_at,
        resent_of: email.resent_of,
        dossiers: dossiers
            .into_iter()
            .map(|d| EmailDossierView { collectivite_id: d.payer, campaign_id: d.campaign })
            .collect(),
        updated_at: email.updated_at,
    }
}

fn tried(attempt: Attempt) -> AttemptView {
    let Attempt { number, message_id, sender, subject, text, html, files, begun_at, ended_at, outcome, stage, answer } =
        attempt;
    AttemptView { number, message_id, sender, subject, text, html, files, begun_at, ended_at, outcome, stage, answer }
}

fn detail(tx: &mut Tx<'_>, email: Email) -> Outcome<EmailDetailView> {
    let id = email.id;
    let dossiers = mail::dossiers(tx, &[id])?.remove(&id).unwrap_or_default();
    let tries = mail::attempts(tx, id)?.into_iter().map(tried).collect();
    Ok(EmailDetailView { email: view(email, dossiers), tries })
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EmailsQuery {
    #[param(inline)]
    status: Option<EmailState>,
    /// Genre exact : `invitations.invitation`.
    kind: Option<String>,
    /// Adresse exacte.
    address: Option<EmailAddress>,
    campaign: Option<SchoolYear>,
    /// SIRET, présent ou passé, de la collectivité dont il parle.
    collectivite: Option<Siret>,
    /// Modifiés depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<EmailOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les courriels
#[utoipa::path(
    operation_id = "list_emails", tag = "Courriels", params(EmailsQuery),
    responses((status = 200, body = PageView<EmailView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::usual()))),
    security(("bearer" = []))
)]
#[get("/emails")]
async fn list(state: State, _can: Can<Read>, Params(query): Params<EmailsQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let campaign = query.campaign.map(|year| campaigns::find(tx, &year)).transpose()?.map(|c| c.id);
            let payer = match &query.collectivite {
                None => None,
                Some(siret) => {
                    let holder = registry::holder_of(tx, siret)?;
                    Some(holder.ok_or_else(|| Refused::not_found("Collectivité", siret))?)
                }
            };
            let filter = EmailFilter {
                state: query.status,
                kind: query.kind,
                address: query.address,
                payer,
                campaign,
                updated_since: tx.changed_since(query.updated_since)?,
            };
            let page = mail::list(tx, &filter, &page)?;
            Reply::ok(&page.map_all(|emails| {
                let ids: Vec<EmailId> = emails.iter().map(|email| email.id).collect();
                let mut dossiers = mail::dossiers(tx, &ids)?;
                Ok(emails
                    .into_iter()
                    .map(|email| {
                        let own = dossiers.remove(&email.id).unwrap_or_default();
                        view(email, own)
                    })
                    .collect())
            })?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire un courriel, et ce qui est parti à chaque essai
#[utoipa::path(
    operation_id = "get_email", tag = "Courriels", params(("id" = EmailId, Path)),
    responses((status = 200, body = EmailDetailView, description = "Le courriel")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/emails/{id}")]
async fn one(state: State, _can: Can<Read>, Key(id): Key<EmailId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let email = actions::find(tx, id)?;
            Reply::ok(&detail(tx, email)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Pourquoi renvoyer.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ResendRequest {
    reason: Note,
}

/// Renvoyer un courriel
///
/// Un nouveau courriel, lié au premier, composé de ce qui est vrai quand il part, avec un lien neuf. Une heure au moins
/// entre deux du même genre vers la même adresse.
#[utoipa::path(
    operation_id = "resend_email", tag = "Courriels", params(("id" = EmailId, Path)), request_body = ResendRequest,
    responses((status = 200, body = EmailDetailView, description = "Le nouveau courriel")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &EMAIL_STATE, &EMAIL_TOO_RECENT])))),
    security(("bearer" = []))
)]
#[post("/emails/{id}/resend")]
async fn resend(
    state: State,
    can: Can<RunMailRoom>,
    postman: web::Data<Postman>,
    Key(id): Key<EmailId>,
    call: CallContext,
    body: Body<ResendRequest>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let new = actions::resend(tx, &actor, id, &body.value.reason, &postman)?;
            Reply::ok(&detail(tx, new)?)
        })
        .await
}
