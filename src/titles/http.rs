//! Routes of perception titles.

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::approve::{self, Approve, Making, TitleSelection};
use super::codes;
use super::later::{ApproveAct, PrepareAct};
use super::prepare::{self, Prepare, PrepareView};
use super::printing::PAPER;
use super::returns;
use super::store::{self, TitleFilter, TitleOrder};
use super::title::{TitleAction, TitleState};
use super::views::{self, TitleView};
use crate::access::problems::{DELEGATION_NOT_IN_FORCE, SIGNATORY_INCOMPLETE};
use crate::access::{ApproveTitles, Can, MoveTitles, PrepareTitles, ReadTitles, refusal};
use crate::acts::{self, JobView};
use crate::campaigns::Defaults;
use crate::campaigns::bulk::BulkView;
use crate::campaigns::codes::{CAMPAIGN_STATE, KEYS_OR_FILTER, PLACEHOLDER_TEXTS};
use crate::claims;
use crate::conventions::{ActWorld, PayerSelection};
use crate::kernel::ids::{ConventionId, TitleId};
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::{Note, SearchText};
use crate::kernel::{Departement, FieldFault, InseeCode, Instant, Refused, Role, SchoolYear, Siret};
use crate::path_keys;
use crate::platform::db::counters::CLOCK_BEHIND;
use crate::platform::documents::Renderer;
use crate::platform::papers::{self, OriginalQuery, Templates};
use crate::platform::web::docs::Answers;
use crate::platform::web::problem::INTEGRITY_FAULT;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State, TransitionsView};
use crate::registry::kinds::CollectiviteKind;

path_keys!(TitleId => "id");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(prepare_all)
        .service(approve_all)
        .service(list)
        .service(document)
        .service(transitions)
        .service(transition)
        .service(one);
}

/// Préparer les titres en nombre
///
/// Pour les conventions qui ont pris effet ; relançable : seul ce qui n'a jamais été titré l'est. Un titre rendu par l'ordonnateur n'est préparé de nouveau que si son payeur est nommé dans `keys` ; une créance dont un titre a été retiré porte le constat `withdrawn_before`. Issues : `prepared`, `flagged`, `not_issued`, `already_prepared`, `nothing_due`, `returned`, `declined`, `not_in_effect`, `refused`.
#[utoipa::path(
    operation_id = "prepare_titles", tag = "Titres", params(("school_year" = SchoolYear, Path)), request_body = Prepare,
    responses(
        (status = 200, body = PrepareView, description = "Une issue par payeur, et les petites créances"),
        (status = 202, body = JobView, description = "Demandé par `Prefer: respond-async` : l'acte se fera sans attendre l'appelant")
    ),
    extensions(("x-answers" = json!(
        Answers::refuse(&[
            &NOT_FOUND, &INTEGRITY_FAULT, &CLOCK_BEHIND, &KEYS_OR_FILTER, &claims::PREPARER_UNKNOWN,
            &CAMPAIGN_STATE, &PLACEHOLDER_TEXTS, &CONCURRENT_CHANGE,
        ])
            .selecting::<PayerSelection>("PrepareRequest")
            .acting("PrepareAnswer", prepare::PREPARE_OUTCOMES)
    ))),
    security(("bearer" = []))
)]
#[post("/campaigns/{school_year}/perception-titles")]
async fn prepare_all(
    state: State,
    can: Can<PrepareTitles>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    templates: web::Data<Templates>,
    call: CallContext,
    body: Body<Prepare>,
) -> Answer {
    let actor = can.actor;
    let call = call.unless_dry(body.value.dry_run);
    let world = ActWorld { defaults: defaults.into_inner(), templates: templates.into_inner() };
    acts::answer(state, actor, call, body.sha256, (PrepareAct { year, request: body.value }, world.into())).await
}

/// Approuver des titres en nombre
///
/// Par `filter` ou par `keys` (identifiants) ; jamais par qui les a préparés. Par filtre, les titres signalés, rendus, ou dont la créance a déjà été rendue ou retirée sont laissés. Issues : `approved`, `already_approved`, `skipped_flagged`, `returned`, `returned_before`, `withdrawn_before`, `refused`.
#[utoipa::path(
    operation_id = "approve_titles", tag = "Titres", request_body = Approve,
    responses(
        (status = 200, body = BulkView, description = "Une issue par titre"),
        (status = 202, body = JobView, description = "Demandé par `Prefer: respond-async` : l'acte se fera sans attendre l'appelant")
    ),
    extensions(("x-answers" = json!(
        Answers::refuse(&[
            &NOT_FOUND, &INTEGRITY_FAULT, &CLOCK_BEHIND, &KEYS_OR_FILTER, &claims::PREPARER_UNKNOWN,
            &SIGNATORY_INCOMPLETE, &DELEGATION_NOT_IN_FORCE, &PLACEHOLDER_TEXTS, &CONCURRENT_CHANGE,
        ])
            .selecting::<TitleSelection>("ApproveRequest")
            .acting("ApproveAnswer", approve::APPROVE_OUTCOMES)
    ))),
    security(("bearer" = []))
)]
#[post("/perception-titles/approvals")]
async fn approve_all(
    state: State,
    can: Can<ApproveTitles>,
    defaults: web::Data<Defaults>,
    templates: web::Data<Templates>,
    call: CallContext,
    body: Body<Approve>,
) -> Answer {
    let actor = can.actor;
    let call = call.unless_dry(body.value.dry_run);
    let world = ActWorld { defaults: defaults.into_inner(), templates: templates.into_inner() };
    acts::answer(state, actor, call, body.sha256, (ApproveAct { request: body.value }, world.into())).await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    campaign: Option<SchoolYear>,
    /// SIRET, actuel ou ancien, du débiteur.
    collectivite: Option<Siret>,
    /// Département du débiteur.
    departement: Option<Departement>,
    /// Nature du débiteur.
    kind: Option<CollectiviteKind>,
    /// Code INSEE, actuel ou ancien, du débiteur.
    insee_code: Option<InseeCode>,
    status: Option<TitleState>,
    /// Référence exacte.
    reference: Option<String>,
    /// Numéro exact de la convention.
    number: Option<String>,
    /// Identifiant de la convention.
    convention: Option<ConventionId>,
    /// Nom ou début de SIRET du débiteur, partie de la référence ou du numéro de la convention.
    q: Option<SearchText>,
    /// Modifiés depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<TitleOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les titres
#[utoipa::path(
    operation_id = "list_titles", tag = "Titres", params(ListQuery),
    responses((status = 200, body = PageView<TitleView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/perception-titles")]
async fn list(state: State, _can: Can<ReadTitles>, Params(query): Params<ListQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let selection = TitleSelection {
                campaign: query.campaign,
                departement: query.departement,
                collectivite: query.collectivite,
                kind: query.kind,
                insee_code: query.insee_code,
                status: query.status,
                reference: query.reference,
                number: query.number,
                convention: query.convention,
                q: query.q,
            };
            let updated_since = tx.changed_since(query.updated_since)?;
            let filter = TitleFilter { updated_since, ..approve::filter(tx, selection)? };
            let page = store::list(tx, &filter, &page)?;
            Reply::ok(&page.map_all(|found| views::views(tx, found))?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire un titre
#[utoipa::path(
    operation_id = "get_title", tag = "Titres", params(("id" = TitleId, Path)),
    responses((status = 200, body = TitleView, description = "Le titre")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT]).versioned()))),
    security(("bearer" = []))
)]
#[get("/perception-titles/{id}")]
async fn one(state: State, _can: Can<ReadTitles>, Key(id): Key<TitleId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = approve::find(tx, id)?;
            let version = found.version;
            Reply::versioned(&views::detail(tx, found)?, version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Télécharger la demande d'émission (PDF/A-3a, PDF/UA-1)
///
/// Document préparatoire, sans force exécutoire : le titre est édité et numéroté par Chorus. Les données approuvées y sont jointes (`donnees.json`), et leur empreinte imprimée. La demande retirée porte cette mention sur chaque page ; `original=true` donne les octets d'origine.
#[utoipa::path(
    operation_id = "get_title_document", tag = "Titres", params(("id" = TitleId, Path), OriginalQuery),
    responses((status = 200, description = "Le document")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT, &codes::NOT_APPROVED_YET, &codes::TITLE_DOCUMENT_FAILED])
            .versioned()
            .files(&["application/pdf"])
    ))),
    security(("bearer" = []))
)]
#[get("/perception-titles/{id}/document")]
async fn document(
    state: State,
    _can: Can<ReadTitles>,
    renderer: web::Data<Renderer>,
    Key(id): Key<TitleId>,
    Params(query): Params<OriginalQuery>,
) -> Answer {
    papers::answer(&state, renderer, &PAPER, id.to_string(), query).await
}

/// Lister les actions possibles, et pourquoi les autres ne le sont pas
#[utoipa::path(
    operation_id = "list_title_transitions", tag = "Titres", params(("id" = TitleId, Path)),
    responses((status = 200, body = TransitionsView<TitleState, TitleAction>, description = "Les actions")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/perception-titles/{id}/transitions")]
async fn transitions(state: State, can: Can<ReadTitles>, Key(id): Key<TitleId>) -> Answer {
    let (actor, role) = (can.actor, can.role);
    let reply = state
        .read(move |tx| {
            let found = approve::find(tx, id)?;
            let refused = |action| match by_role(action, role) {
                Some(refused) => Ok(Some(refused)),
                None => approve::refusal(tx, &actor, &found, action),
            };
            Reply::ok(&TransitionsView::of(found.state(), TitleAction::ALL, refused)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Why a role may not do an action, when it may not: who prepares hands in again, who approves does the rest.
fn by_role(action: TitleAction, role: Role) -> Option<Refused> {
    refusal::<MoveTitles>(role).or_else(|| match action {
        TitleAction::Resubmit => refusal::<PrepareTitles>(role),
        TitleAction::Approve | TitleAction::Return | TitleAction::Withdraw => refusal::<ApproveTitles>(role),
    })
}

/// Une action sur un titre : `approve` ; avec `reason`, `return` (rendu à qui l'a préparé), `resubmit` (présenté de
/// nouveau, par qui prépare) ou `withdraw`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TitleTransitionRequest)]
struct TransitionRequest {
    action: TitleAction,
    /// Motif ; pour `return`, `resubmit` et `withdraw`.
    #[serde(default)]
    reason: Option<Note>,
}

/// Approuver, rendre, présenter de nouveau ou retirer un titre
#[utoipa::path(
    operation_id = "transition_title", tag = "Titres", params(("id" = TitleId, Path)), request_body = TransitionRequest,
    responses((status = 200, body = TitleView, description = "Le titre après l'action")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[
            &NOT_FOUND, &INTEGRITY_FAULT, &CLOCK_BEHIND, &codes::SAME_PERSON, &claims::PREPARER_UNKNOWN,
            &codes::TITLE_STATE, &SIGNATORY_INCOMPLETE, &DELEGATION_NOT_IN_FORCE, &PLACEHOLDER_TEXTS,
            &CONCURRENT_CHANGE,
        ])
            .versioned()
            .version_optional()
    ))),
    security(("bearer" = []))
)]
#[post("/perception-titles/{id}/transitions")]
async fn transition(
    state: State,
    can: Can<MoveTitles>,
    Key(id): Key<TitleId>,
    defaults: web::Data<Defaults>,
    templates: web::Data<Templates>,
    mut call: CallContext,
    body: Body<TransitionRequest>,
) -> Answer {
    let version = call.optional_version()?;
    let actor = can.actor;
    if let Some(refused) = by_role(body.value.action, can.role) {
        return Err(refused.into());
    }
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let next = match (body.value.action, body.value.reason) {
                (TitleAction::Approve, None) => {
                    let making = Making { defaults: &defaults, templates: &templates };
                    approve::approve_one(tx, &actor, id, version.as_ref(), &making)?
                }
                (TitleAction::Withdraw, Some(reason)) => approve::withdraw(tx, &actor, id, version.as_ref(), reason)?,
                (TitleAction::Return, Some(reason)) => returns::give_back(tx, &actor, id, version.as_ref(), reason)?,
                (TitleAction::Resubmit, Some(reason)) => returns::resubmit(tx, &actor, id, version.as_ref(), reason)?,
                (action @ TitleAction::Approve, Some(_)) => return Err(Refused::not_for(action, "/reason").into()),
                (TitleAction::Withdraw | TitleAction::Return | TitleAction::Resubmit, None) => {
                    let fault = FieldFault::new(
                        "missing_field",
                        "Rendre, présenter de nouveau ou retirer un titre demande un motif.",
                    );
                    return Err(Refused::field("/reason", &fault, None).into());
                }
            };
            let version = next.version;
            Reply::versioned(&views::detail(tx, next)?, version)
        })
        .await
}
