//! Transitions of a campaign: closing needs to know that no title is left half way, which is known here.

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::access::{Can, ManageCampaigns, Read, refusal};
use crate::campaigns::{self, Campaign, CampaignAction, CampaignState, CampaignView, Defaults};
use crate::kernel::text::Note;
use crate::kernel::{Actor, FieldFault, Refused, SchoolYear};
use crate::platform::web::docs::{ReadRefusals, WriteRefusals};
use crate::platform::web::{Answer, Body, CallContext, Key, Reply, State, TransitionsView};
use crate::platform::{Error, Outcome, Tx};
use crate::titles;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(transitions).service(transition);
}

/// Lister les actions possibles, et pourquoi les autres ne le sont pas
#[utoipa::path(
    operation_id = "list_campaign_transitions", tag = "Campagnes", params(("school_year" = SchoolYear, Path)),
    responses((status = 200, body = TransitionsView<CampaignState, CampaignAction>, description = "Les actions"), ReadRefusals),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/transitions")]
async fn transitions(
    state: State,
    can: Can<Read>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
) -> Answer {
    let reply = state
        .read(move |tx| {
            let campaign = campaigns::find(tx, &year)?;
            let left = titles::unsettled(tx, campaign.id)?;
            let issued = campaigns::issued(tx, &year)?;
            let (by_role, now) = (refusal::<ManageCampaigns>(can.actor.role), tx.now());
            // The very transitions, tried on a copy.
            let refused = |action| {
                let tried = match (&by_role, action) {
                    (Some(refused), _) => Err(refused.clone()),
                    (None, CampaignAction::Open) => {
                        campaign.clone().open(&defaults.texts, defaults.specimen, now).map(|_| ())
                    }
                    (None, CampaignAction::Close) => campaign.clone().close(left, now).map(|_| ()),
                    (None, CampaignAction::Reopen) => campaign.clone().reopen().map(|_| ()),
                    (None, CampaignAction::Unopen) => campaign.clone().unopen(issued).map(|_| ()),
                };
                Ok::<_, Error>(tried.err())
            };
            Reply::ok(&TransitionsView::of(campaign.state, CampaignAction::ALL, refused)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Une action sur une campagne.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CampaignTransitionRequest)]
struct TransitionRequest {
    action: CampaignAction,
    /// Motif ; pour `reopen` et `unopen`, et pour eux seuls.
    #[serde(default)]
    reason: Option<Note>,
}

fn apply(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    request: TransitionRequest,
    defaults: &Defaults,
) -> Outcome<Campaign> {
    let fault = |code, message: &str| Refused::field("/reason", &FieldFault::new(code, message), None);
    match (request.action, request.reason) {
        (CampaignAction::Reopen, Some(reason)) => campaigns::reopen(tx, actor, year, &reason),
        (CampaignAction::Unopen, Some(reason)) => campaigns::unopen(tx, actor, year, &reason),
        (CampaignAction::Reopen | CampaignAction::Unopen, None) => {
            Err(fault("missing_field", "Revenir sur une clôture ou une ouverture demande un motif.").into())
        }
        (_, Some(_)) => Err(fault("field_not_for_action", "Champ sans objet pour cette action.").into()),
        (CampaignAction::Open, None) => campaigns::open(tx, actor, year, defaults),
        (CampaignAction::Close, None) => {
            let campaign = campaigns::find_and_hold(tx, year)?;
            let left = titles::unsettled(tx, campaign.id)?;
            campaigns::close(tx, actor, year, left)
        }
    }
}

/// Ouvrir, clore, rouvrir ou remettre en préparation une campagne
///
/// `open` fige tarif, dates et textes, dont aucun ne peut plus être un exemple ; `unopen`, avec un motif, y revient tant qu'aucune convention n'a été émise ; `close` demande qu'aucun titre ne soit à mi-chemin et rend définitives les décisions de ne pas émettre ; `reopen`, avec un motif, y revient.
#[utoipa::path(
    operation_id = "transition_campaign", tag = "Campagnes", params(("school_year" = SchoolYear, Path)),
    request_body = TransitionRequest,
    responses((status = 200, body = CampaignView, description = "La campagne après l'action"), WriteRefusals),
    security(("bearer" = []))
)]
#[post("/campaigns/{school_year}/transitions")]
async fn transition(
    state: State,
    can: Can<ManageCampaigns>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    mut call: CallContext,
    body: Body<TransitionRequest>,
) -> Answer {
    let announced = call.optional_version()?;
    let actor = can.actor;
    state
        .post(actor.user, call, body.sha256, move |tx| {
            campaigns::check_version(tx, &year, announced.as_ref())?;
            let next = apply(tx, &actor, &year, body.value, &defaults)?;
            let version = next.version;
            Reply::versioned(&CampaignView::from(next), version)
        })
        .await
}
