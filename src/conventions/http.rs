//! Routes of conventions.

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions;
use super::codes;
use super::convention::{ConventionAction, ConventionState};
use super::printing::PAPER;
use super::request::ConventionTransition;
use super::store::{self, ConventionFilter, ConventionOrder};
use super::views::{self, ConventionView};
use crate::access::{Can, Read, RecordSignatures, refusal};
use crate::audit::Others;
use crate::campaigns;
use crate::kernel::ids::ConventionId;
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::SearchText;
use crate::kernel::{Departement, InseeCode, Instant, SchoolYear, Siret};
use crate::path_keys;
use crate::platform::documents::Renderer;
use crate::platform::papers::{self, OriginalQuery};
use crate::platform::web::docs::Answers;
use crate::platform::web::problem::INTEGRITY_FAULT;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State, TransitionsView};
use crate::registry::kinds::CollectiviteKind;

path_keys!(ConventionId => "id");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list).service(document).service(transitions).service(transition).service(one);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    campaign: Option<SchoolYear>,
    /// SIRET, présent ou passé, du payeur.
    collectivite: Option<Siret>,
    /// Département du payeur.
    departement: Option<Departement>,
    /// Nature du payeur.
    kind: Option<CollectiviteKind>,
    /// Code INSEE, actuel ou ancien, du payeur.
    insee_code: Option<InseeCode>,
    status: Option<ConventionState>,
    /// Numéro exact.
    number: Option<String>,
    /// Nom du payeur ou partie du numéro.
    q: Option<SearchText>,
    /// Modifiées depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<ConventionOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les conventions
#[utoipa::path(
    operation_id = "list_conventions", tag = "Conventions", params(ListQuery),
    responses((status = 200, body = PageView<ConventionView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/conventions")]
async fn list(state: State, _can: Can<Read>, Params(query): Params<ListQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let campaign = query.campaign.map(|year| campaigns::find(tx, &year)).transpose()?;
            let filter = ConventionFilter {
                among: None,
                campaign: campaign.map(|c| c.id),
                collectivite: query.collectivite,
                departement: query.departement,
                kind: query.kind,
                insee_code: query.insee_code,
                status: query.status,
                number: query.number,
                q: query.q,
                updated_since: tx.changed_since(query.updated_since)?,
                live: false,
            };
            let page = store::list(tx, &filter, &page)?;
            Reply::ok(&page.map_all(|found| views::views(tx, found))?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire une convention
#[utoipa::path(
    operation_id = "get_convention", tag = "Conventions", params(("id" = ConventionId, Path)),
    responses((status = 200, body = ConventionView, description = "La convention et ses constats")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]).versioned()))),
    security(("bearer" = []))
)]
#[get("/conventions/{id}")]
async fn one(state: State, _can: Can<Read>, Key(id): Key<ConventionId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = actions::find(tx, id)?;
            let version = found.version;
            Reply::versioned(&views::detail(tx, found)?, version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Télécharger la convention (PDF/A-3a, PDF/UA-1)
///
/// Les octets sont produits une fois et ne changent plus. Celle qui est annulée, refusée ou échue porte cette mention sur chaque page ; `original=true` donne les octets d'origine.
#[utoipa::path(
    operation_id = "get_convention_document", tag = "Conventions", params(("id" = ConventionId, Path), OriginalQuery),
    responses((status = 200, description = "Le document")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT, &codes::DOCUMENT_FAILED])
            .versioned()
            .files(&["application/pdf"])
    ))),
    security(("bearer" = []))
)]
#[get("/conventions/{id}/document")]
async fn document(
    state: State,
    _can: Can<Read>,
    renderer: web::Data<Renderer>,
    Key(id): Key<ConventionId>,
    Params(query): Params<OriginalQuery>,
) -> Answer {
    papers::answer(&state, renderer, &PAPER, id.to_string(), query).await
}

/// Lister les actions possibles, et pourquoi les autres ne le sont pas
#[utoipa::path(
    operation_id = "list_convention_transitions", tag = "Conventions", params(("id" = ConventionId, Path)),
    responses((status = 200, body = TransitionsView<ConventionState, ConventionAction>, description = "Les actions")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/conventions/{id}/transitions")]
async fn transitions(state: State, can: Can<Read>, others: web::Data<Others>, Key(id): Key<ConventionId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = actions::find(tx, id)?;
            let campaign = campaigns::by_id(tx, found.campaign_id)?;
            let by_role = refusal::<RecordSignatures>(can.role);
            let refused = |action| match &by_role {
                Some(refused) => Ok(Some(refused.clone())),
                None => actions::refusal(tx, (&found, &campaign), action, &others),
            };
            Reply::ok(&TransitionsView::of(found.state(), ConventionAction::ALL, refused)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Signer, contresigner, corriger, refuser, rouvrir ou annuler une convention
#[utoipa::path(
    operation_id = "transition_convention", tag = "Conventions", params(("id" = ConventionId, Path)),
    request_body = ConventionTransition,
    responses((status = 200, body = ConventionView, description = "La convention après l'action")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[
            &NOT_FOUND, &codes::CONVENTION_STATE, &codes::CONVENTION_ENDED, &codes::CONVENTION_TITLED,
            &codes::CONVENTION_REPLACED, &codes::FINDINGS_OPEN, &codes::DATE_IN_FUTURE, &CONCURRENT_CHANGE,
        ])
            .versioned()
            .version_optional()
    ))),
    security(("bearer" = []))
)]
#[post("/conventions/{id}/transitions")]
async fn transition(
    state: State,
    can: Can<RecordSignatures>,
    others: web::Data<Others>,
    Key(id): Key<ConventionId>,
    mut call: CallContext,
    body: Body<ConventionTransition>,
) -> Answer {
    let version = call.optional_version()?;
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let next = actions::transition(tx, &actor, (id, version.as_ref()), &body.value, &others)?;
            let version = next.version;
            Reply::versioned(&views::detail(tx, next)?, version)
        })
        .await
}
