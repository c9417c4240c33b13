//! Routes of a campaign's transitions.

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::campaign::{CampaignAction, CampaignState};
use super::codes;
use super::http_views::CampaignView;
use super::transitions::{self, Rests};
use super::{Defaults, actions};
use crate::access::{Can, ManageCampaigns, Read, refusal};
use crate::audit::Others;
use crate::kernel::SchoolYear;
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::Note;
use crate::platform::Error;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Reply, State, TransitionsView};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list_transitions).service(transition);
}

/// Lister les actions possibles, et pourquoi les autres ne le sont pas
#[utoipa::path(
    operation_id = "list_campaign_transitions", tag = "Campagnes", params(("school_year" = SchoolYear, Path)),
    responses((status = 200, body = TransitionsView<CampaignState, CampaignAction>, description = "Les actions")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/transitions")]
async fn list_transitions(
    state: State,
    can: Can<Read>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    others: web::Data<Others>,
) -> Answer {
    let reply = state
        .read(move |tx| {
            let campaign = actions::find(tx, &year)?;
            let by_role = refusal::<ManageCampaigns>(can.role);
            let rests = Rests { defaults: &defaults, others: &others };
            let by_state = transitions::refusals(tx, &campaign, rests)?;
            let refused = |action| Ok::<_, Error>(by_role.clone().or_else(|| by_state(action)));
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

/// Ouvrir, clore, rouvrir ou remettre en préparation une campagne
///
/// `open` fige tarif, dates et textes, dont aucun ne peut plus être un exemple ; `unopen`, avec un motif, y revient tant qu'aucune convention n'a été émise ; `close` demande qu'aucun titre ne soit à mi-chemin et rend définitives les décisions de ne pas émettre ; `reopen`, avec un motif, y revient.
#[utoipa::path(
    operation_id = "transition_campaign", tag = "Campagnes", params(("school_year" = SchoolYear, Path)),
    request_body = TransitionRequest,
    responses((status = 200, body = CampaignView, description = "La campagne après l'action")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[
            &NOT_FOUND, &codes::CAMPAIGN_STATE, &codes::CAMPAIGN_ISSUED, &codes::PLACEHOLDER_TEXTS,
            &CONCURRENT_CHANGE,
        ])
            .versioned()
            .version_optional()
    ))),
    security(("bearer" = []))
)]
#[post("/campaigns/{school_year}/transitions")]
async fn transition(
    state: State,
    can: Can<ManageCampaigns>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    others: web::Data<Others>,
    mut call: CallContext,
    body: Body<TransitionRequest>,
) -> Answer {
    let announced = call.optional_version()?;
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let said = (body.value.action, body.value.reason);
            let rests = Rests { defaults: &defaults, others: &others };
            let next = transitions::transition(tx, &actor, &year, announced.as_ref(), said, rests)?;
            let version = next.version;
            Reply::versioned(&CampaignView::from(next), version)
        })
        .await
}
