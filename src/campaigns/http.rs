//! Routes of campaigns.

use actix_web::{delete, get, patch, post, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa_actix_web::service_config::ServiceConfig;

use super::campaign::{Campaign, CampaignState};
use super::codes;
use super::corrections::Change;
use super::http_requests::CampaignRequest;
use super::http_views::CampaignView;
use super::store::{self, CampaignOrder};
use super::terms::CampaignTerms;
use super::{Defaults, actions, corrections};
use crate::access::{Can, ManageCampaigns, Read};
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::{Note, excerpt};
use crate::kernel::{FieldFault, Finding, Instant, Refused, SchoolYear};
use crate::path_keys;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State, merged};
use crate::platform::{Outcome, Tx};

path_keys!(SchoolYear => "school_year");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(create).service(list).service(one).service(change).service(remove);
}

/// Une campagne et ce qui mérite un regard.
#[derive(Serialize, utoipa::ToSchema)]
struct CampaignDetail {
    #[serde(flatten)]
    campaign: CampaignView,
    findings: Vec<Finding>,
}

fn detail(tx: &mut Tx<'_>, campaign: Campaign, defaults: &Defaults) -> Outcome<CampaignDetail> {
    Ok(CampaignDetail { findings: actions::findings(tx, &campaign, &defaults.thresholds)?, campaign: campaign.into() })
}

/// Créer la campagne d'une année scolaire
#[utoipa::path(
    operation_id = "create_campaign", tag = "Campagnes", request_body = CampaignRequest,
    responses((status = 201, body = CampaignDetail, description = "Créée, en préparation")),
    extensions(("x-answers" = json!(Answers::refuse(&[&codes::CAMPAIGN_EXISTS])))),
    security(("bearer" = []))
)]
#[post("/campaigns")]
async fn create(
    state: State,
    can: Can<ManageCampaigns>,
    defaults: web::Data<Defaults>,
    call: CallContext,
    body: Body<CampaignRequest>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let created = actions::create(tx, &actor, body.value.into(), &defaults.thresholds)?;
            let (location, version) = (format!("/api/v1/campaigns/{}", created.said.school_year), created.version);
            Reply::created(location, &detail(tx, created, &defaults)?, version)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    status: Option<CampaignState>,
    /// Modifiées depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<CampaignOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les campagnes, la plus récente d'abord
#[utoipa::path(
    operation_id = "list_campaigns", tag = "Campagnes", params(ListQuery),
    responses((status = 200, body = PageView<CampaignView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::usual()))),
    security(("bearer" = []))
)]
#[get("/campaigns")]
async fn list(state: State, _can: Can<Read>, Params(query): Params<ListQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let since = tx.changed_since(query.updated_since)?;
            Reply::ok(&store::list(tx, query.status, since, &page)?.map(CampaignView::from))
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire une campagne
#[utoipa::path(
    operation_id = "get_campaign", tag = "Campagnes", params(("school_year" = SchoolYear, Path)),
    responses((status = 200, body = CampaignDetail, description = "La campagne")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]).versioned()))),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}")]
async fn one(state: State, _can: Can<Read>, Key(year): Key<SchoolYear>, defaults: web::Data<Defaults>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = actions::find(tx, &year)?;
            let version = found.version;
            Reply::versioned(&detail(tx, found, &defaults)?, version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Takes the caller's reason out of a merge patch: it is no field of the campaign.
fn reason_of(patch: &Value) -> Result<(Value, Option<Note>), Refused> {
    let Some(fields) = patch.as_object() else { return Ok((patch.clone(), None)) };
    let mut fields: Map<String, Value> = fields.clone();
    let reason = match fields.remove("reason") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => {
            let read = Note::parse(&text);
            Some(read.map_err(|fault| Refused::field("/reason", &fault, Some(excerpt(&text))))?)
        }
        Some(other) => {
            let fault = FieldFault::new("wrong_type", "Motif attendu : un texte.");
            return Err(Refused::field("/reason", &fault, Some(excerpt(&other))));
        }
    };
    Ok((Value::Object(fields), reason))
}

/// Modifier une campagne
///
/// Fusion JSON (RFC 7396). Une fois la campagne ouverte, seuls `response_deadline`, `small_claims` et `countersign_policy` changent encore ; et `texts`, avec un motif (`reason`), tant qu'aucune convention n'a été émise.
#[utoipa::path(
    operation_id = "patch_campaign", tag = "Campagnes",
    params(("school_year" = SchoolYear, Path), ("If-Match" = String, Header, description = "ETag lu")),
    request_body = Object,
    responses((status = 200, body = CampaignDetail, description = "Modifiée")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &codes::CAMPAIGN_STATE, &codes::PLACEHOLDER_TEXTS, &CONCURRENT_CHANGE])
            .versioned()
            .patching::<CampaignRequest>()
            .beside::<Note>("reason", "Motif, gardé au journal ; exigé pour corriger `texts` d'une campagne ouverte.")
    ))),
    security(("bearer" = []))
)]
#[patch("/campaigns/{school_year}")]
async fn change(
    state: State,
    can: Can<ManageCampaigns>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    mut call: CallContext,
    body: Body<Value>,
) -> Answer {
    let version = call.expected_version()?;
    let reply = state
        .write(move |tx| {
            let (patch, reason) = reason_of(&body.value)?;
            let of = |terms: CampaignTerms| -> Outcome<(CampaignTerms, Vec<String>)> {
                let (said, fields) = merged(&CampaignRequest::from(terms), &patch)?;
                Ok((said.into(), fields))
            };
            let change = Change { reason, of: &of };
            let changed = corrections::patch(tx, &can.actor, &year, &version, change, &defaults)?;
            let version = changed.version;
            Reply::versioned(&detail(tx, changed, &defaults)?, version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Supprimer une campagne ouverte par erreur
///
/// Tant qu'aucune convention n'a été émise ; ses inscriptions partent avec elle, le journal les garde.
#[utoipa::path(
    operation_id = "delete_campaign", tag = "Campagnes", params(("school_year" = SchoolYear, Path)),
    responses((status = 204, description = "Supprimée")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &codes::CAMPAIGN_ISSUED, &CONCURRENT_CHANGE])))),
    security(("bearer" = []))
)]
#[delete("/campaigns/{school_year}")]
async fn remove(state: State, can: Can<ManageCampaigns>, Key(year): Key<SchoolYear>) -> Answer {
    let reply = state
        .write(move |tx| {
            corrections::delete(tx, &can.actor, &year)?;
            Ok(Reply::no_content())
        })
        .await?;
    Ok(reply.into_response())
}
