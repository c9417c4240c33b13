//! Routes of invitations in number, and of who still cannot be reached.

use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::bulk::{self, INVITE_OUTCOMES, Invite};
use super::store_board::{self, AddressState, BoardFilter, BoardLine, BoardOrder, Way};
use crate::access::{Can, Read};
use crate::campaigns;
use crate::campaigns::bulk::BulkView;
use crate::campaigns::codes::KEYS_OR_FILTER;
use crate::conventions::ConventionState;
use crate::conventions::payers::PayerSelection;
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::{ConventionId, EmailId};
use crate::kernel::refused::NOT_FOUND;
use crate::kernel::{Instant, SchoolYear, Siret};
use crate::permissions;
use crate::platform::mail::EmailState;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State};

permissions! {
    /// Write to collectivités, and give, show, revoke links.
    Invitations: Gestionnaire;
}

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(invite).service(list);
}

/// Inviter les collectivités d'une campagne
///
/// Un courriel par adresse (une seule quand elle sert plusieurs collectivités), avec un lien par dossier, à celles dont une
/// convention attend la réponse. `first` : de quoi essayer avec quelques-unes d'abord. Les secrets des liens ne figurent
/// ni ici ni ailleurs : ils sont faits au départ de chaque courriel.
#[utoipa::path(
    operation_id = "invite", tag = "Invitations", params(("school_year" = SchoolYear, Path)), request_body = Invite,
    responses((status = 200, body = BulkView, description = "Compte rendu par collectivité")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &KEYS_OR_FILTER])
            .acting("InvitationsAnswer", INVITE_OUTCOMES)
            .selecting::<PayerSelection>("InvitationsRequest")
    ))),
    security(("bearer" = []))
)]
#[post("/campaigns/{school_year}/invitations")]
async fn invite(
    state: State,
    can: Can<Invitations>,
    Key(year): Key<SchoolYear>,
    call: CallContext,
    body: Body<Invite>,
) -> Answer {
    let actor = can.actor;
    let dry_run = body.value.dry_run;
    state
        .post(actor.principal, call.unless_dry(dry_run), body.sha256, move |tx| {
            Reply::ok(&bulk::invite(tx, &actor, &year, body.value)?)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BoardQuery {
    /// `missing` : celles à qui l'on ne peut écrire, faute d'adresse.
    #[param(inline)]
    address: Option<AddressState>,
    /// `true` : un courriel portant un lien est parti, ou attend de partir.
    invited: Option<bool>,
    /// `true` : un lien a été ouvert, par une personne ou par un robot.
    opened: Option<bool>,
    /// État de la convention.
    status: Option<ConventionState>,
    /// Conventions, courriels ou liens modifiés depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<BoardOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Le dernier courriel qui portait un lien.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LastMailView {
    id: EmailId,
    status: EmailState,
    queued_at: Instant,
}

/// Une convention, sa collectivité, et comment celle-ci est jointe.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InvitationLineView {
    convention_id: ConventionId,
    number: String,
    /// État de la convention.
    status: ConventionState,
    siret: Siret,
    name: String,
    contact_email: Option<EmailAddress>,
    address: AddressState,
    last_mail: Option<LastMailView>,
    /// Liens qui ouvrent encore.
    live_links: usize,
    last_used_at: Option<Instant>,
}

fn view(line: BoardLine, way: Option<Way>) -> InvitationLineView {
    let way = way.unwrap_or_default();
    InvitationLineView {
        convention_id: line.convention,
        number: line.number,
        status: line.state,
        siret: line.siret,
        name: line.name.to_string(),
        address: match (&line.contact, way.blocked) {
            (None, _) => AddressState::Missing,
            (Some(_), true) => AddressState::Blocked,
            (Some(_), false) => AddressState::Known,
        },
        contact_email: line.contact,
        last_mail: way.mail.map(|(id, status, queued_at)| LastMailView { id, status, queued_at }),
        live_links: way.links,
        last_used_at: way.last_used_at,
    }
}

/// Lister qui a été invité, et qui ne peut l'être
///
/// Une ligne par convention non annulée. `address=missing` donne celles à qui l'on ne peut écrire.
#[utoipa::path(
    operation_id = "list_invitations_of_campaign", tag = "Invitations",
    params(("school_year" = SchoolYear, Path), BoardQuery),
    responses((status = 200, body = PageView<InvitationLineView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/invitations")]
async fn list(state: State, _can: Can<Read>, Key(year): Key<SchoolYear>, Params(query): Params<BoardQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let BoardQuery { address, invited, opened, status, updated_since, .. } = query;
            let updated_since = tx.changed_since(updated_since)?;
            let filter = BoardFilter { address, invited, opened, status, updated_since };
            let campaign = campaigns::find(tx, &year)?.id;
            let lines = store_board::board(tx, campaign, &filter, &page)?;
            let payers: Vec<_> = lines.data.iter().map(|line| line.payer).collect();
            let ways = store_board::ways(tx, campaign, &payers)?;
            Reply::ok(&lines.map(|line| {
                let way = ways.get(&line.payer).cloned();
                view(line, way)
            }))
        })
        .await?;
    Ok(reply.into_response())
}
