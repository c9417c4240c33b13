//! Routes of decisions to leave small claims untitled.

use std::collections::HashMap;

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::codes;
use super::decision::{Decide, Decision, DecisionAction, DecisionState, Origin, Revoke};
use super::printing::PAPER;
use super::scene::Called;
use super::small_claims;
use super::store::{self, DecisionFilter, DecisionOrder};
use crate::access::{Can, DecideSmallClaims, ReadTitles, refusal};
use crate::campaigns::bulk::BulkView;
use crate::campaigns::codes::{CAMPAIGN_STATE, KEYS_OR_FILTER, PLACEHOLDER_TEXTS};
use crate::campaigns::{self, Defaults};
use crate::kernel::ids::{ConventionId, DecisionId};
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::SearchText;
use crate::kernel::{Departement, InseeCode, Instant, Money, Refused, SchoolYear, Siret};
use crate::path_keys;
use crate::platform::db::counters::CLOCK_BEHIND;
use crate::platform::documents::Renderer;
use crate::platform::papers::{self, OriginalQuery, Templates};
use crate::platform::web::docs::Answers;
use crate::platform::web::problem::INTEGRITY_FAULT;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State, TransitionsView};
use crate::platform::{Outcome, Tx};
use crate::registry::kinds::CollectiviteKind;

path_keys!(DecisionId => "id");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(decide).service(list).service(document).service(transitions).service(transition).service(one);
}

/// Une décision de ne pas émettre de titre (décret 2012-1246, art. 114).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct DecisionView {
    id: DecisionId,
    status: DecisionState,
    /// Acte qui la porte ; son document liste toutes les créances décidées ensemble.
    #[schema(example = "ENT-D-2025-0001")]
    act_number: Option<String>,
    convention_id: ConventionId,
    #[schema(example = "ENT-C-2025-2026-00001")]
    convention_number: String,
    siret: Option<Siret>,
    amount: Money,
    threshold: Money,
    #[schema(example = "EUR")]
    currency: &'static str,
    /// `policy` : suit la politique de la campagne ; `person` : prise pour cette créance.
    origin: Origin,
    reason: String,
    decided_by: String,
    decided_at: Instant,
    revoked_by: Option<String>,
    revoked_at: Option<Instant>,
    revoked_reason: Option<String>,
    updated_at: Instant,
}

fn views(tx: &mut Tx<'_>, decisions: Vec<Decision>) -> Outcome<Vec<DecisionView>> {
    let numbers = small_claims::act_numbers(tx, &decisions)?;
    let ids: Vec<ConventionId> = decisions.iter().map(|d| d.convention_id).collect();
    let parties: HashMap<ConventionId, (String, Siret)> = store::parties(tx, &ids)?;
    Ok(decisions
        .into_iter()
        .map(|d| {
            let party = parties.get(&d.convention_id);
            let status = d.state();
            let (by, at, why) = match d.revoked {
                Some(r) => (Some(r.by_label), Some(r.at), Some(r.reason)),
                None => (None, None, None),
            };
            DecisionView {
                id: d.id,
                status,
                act_number: d.act.and_then(|a| numbers.get(&a).cloned()),
                convention_id: d.convention_id,
                convention_number: party.map(|(number, _)| number.clone()).unwrap_or_default(),
                siret: party.map(|(_, siret)| siret.clone()),
                amount: d.amount,
                threshold: d.threshold,
                currency: "EUR",
                origin: d.origin,
                reason: d.reason,
                decided_by: d.decided_by_label,
                decided_at: d.decided_at,
                revoked_by: by,
                revoked_at: at,
                revoked_reason: why,
                updated_at: d.updated_at,
            }
        })
        .collect())
}

fn detail(tx: &mut Tx<'_>, decision: Decision) -> Outcome<DecisionView> {
    let id = decision.id;
    Ok(views(tx, vec![decision])?.pop().ok_or_else(|| Refused::not_found("Décision", id))?)
}

/// Décider de ne pas émettre, pour des payeurs choisis
///
/// Par `filter` ou par `keys` (SIRET) ; seulement des créances sous le seuil, quelle que soit la politique de la campagne. Issues : `decided`, `already_decided`, `revoked` (rapportée par une personne : à nommer dans `keys`), `not_small`, `already_prepared`, `nothing_due`, `refused`.
#[utoipa::path(
    operation_id = "decide_small_claims", tag = "Titres", params(("school_year" = SchoolYear, Path)), request_body = Decide,
    responses((status = 200, body = BulkView, description = "Une issue par payeur")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[
            &NOT_FOUND, &INTEGRITY_FAULT, &CLOCK_BEHIND, &KEYS_OR_FILTER, &codes::PREPARER_UNKNOWN,
            &CAMPAIGN_STATE, &PLACEHOLDER_TEXTS, &CONCURRENT_CHANGE,
        ])
            .acting("DecideSmallClaimsAnswer", small_claims::DECIDE_OUTCOMES)
    ))),
    security(("bearer" = []))
)]
#[post("/campaigns/{school_year}/small-claim-decisions")]
async fn decide(
    state: State,
    can: Can<DecideSmallClaims>,
    Key(year): Key<SchoolYear>,
    (defaults, called): (web::Data<Defaults>, web::Data<Called>),
    templates: web::Data<Templates>,
    call: CallContext,
    body: Body<Decide>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call.unless_dry(body.value.dry_run), body.sha256, move |tx| {
            Reply::ok(&small_claims::decide(tx, &actor, &year, body.value, &defaults, &templates, **called)?)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    status: Option<DecisionState>,
    /// Département du payeur.
    departement: Option<Departement>,
    /// SIRET, actuel ou ancien, du payeur.
    collectivite: Option<Siret>,
    /// Nature du payeur.
    kind: Option<CollectiviteKind>,
    /// Code INSEE, actuel ou ancien, du payeur.
    insee_code: Option<InseeCode>,
    /// Nom du payeur ou partie du numéro de la convention.
    q: Option<SearchText>,
    /// Modifiées depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<DecisionOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les décisions de ne pas émettre d'une campagne
#[utoipa::path(
    operation_id = "list_small_claim_decisions", tag = "Titres", params(("school_year" = SchoolYear, Path), ListQuery),
    responses((status = 200, body = PageView<DecisionView>, description = "Une page, dans l'ordre des décisions")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/small-claim-decisions")]
async fn list(
    state: State,
    _can: Can<ReadTitles>,
    Key(year): Key<SchoolYear>,
    Params(query): Params<ListQuery>,
) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let mut filter = DecisionFilter {
        status: query.status,
        departement: query.departement,
        collectivite: query.collectivite,
        kind: query.kind,
        insee_code: query.insee_code,
        q: query.q,
        updated_since: query.updated_since,
    };
    let reply = state
        .read(move |tx| {
            let campaign = campaigns::find(tx, &year)?;
            filter.updated_since = tx.changed_since(filter.updated_since)?;
            let page = store::list(tx, campaign.id, &filter, &page)?;
            Reply::ok(&page.map_all(|found| views(tx, found))?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire une décision
#[utoipa::path(
    operation_id = "get_small_claim_decision", tag = "Titres", params(("id" = DecisionId, Path)),
    responses((status = 200, body = DecisionView, description = "La décision")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/small-claim-decisions/{id}")]
async fn one(state: State, _can: Can<ReadTitles>, Key(id): Key<DecisionId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = small_claims::find(tx, id)?;
            Reply::ok(&detail(tx, found)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Télécharger l'acte qui porte la décision (PDF/A-3a, PDF/UA-1)
///
/// Un acte liste toutes les créances décidées ensemble ; ses octets ne changent plus. Ses données y sont jointes (`donnees.json`), et leur empreinte imprimée. L'acte dont des décisions ont été rapportées porte cette mention sur chaque page ; `original=true` donne les octets d'origine.
#[utoipa::path(
    operation_id = "get_small_claim_decision_document", tag = "Titres", params(("id" = DecisionId, Path), OriginalQuery),
    responses((status = 200, description = "L'acte")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT, &codes::DECISION_DOCUMENT_FAILED])
            .versioned()
            .files(&["application/pdf"])
    ))),
    security(("bearer" = []))
)]
#[get("/small-claim-decisions/{id}/document")]
async fn document(
    state: State,
    _can: Can<ReadTitles>,
    renderer: web::Data<Renderer>,
    Key(id): Key<DecisionId>,
    Params(query): Params<OriginalQuery>,
) -> Answer {
    let act = state
        .read(move |tx| {
            let found = small_claims::find(tx, id)?;
            Ok(found.act.ok_or_else(|| Refused::not_found("Acte de la décision", id))?)
        })
        .await?;
    papers::answer(&state, renderer, &PAPER, act.to_string(), query).await
}

/// Lister les actions possibles sur une décision
#[utoipa::path(
    operation_id = "list_small_claim_decision_transitions", tag = "Titres", params(("id" = DecisionId, Path)),
    responses((status = 200, body = TransitionsView<DecisionState, DecisionAction>, description = "Les actions")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/small-claim-decisions/{id}/transitions")]
async fn transitions(state: State, can: Can<ReadTitles>, Key(id): Key<DecisionId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = small_claims::find(tx, id)?;
            let by_role = refusal::<DecideSmallClaims>(can.role);
            let refused = |_| match &by_role {
                Some(refused) => Ok(Some(refused.clone())),
                None => small_claims::refusal(tx, &found),
            };
            Reply::ok(&TransitionsView::of(found.state(), DecisionAction::ALL, refused)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Rapporter une décision
///
/// Avec un motif, jusqu'à la clôture de la campagne : la créance est titrée à la préparation suivante, quelle que soit la politique.
#[utoipa::path(
    operation_id = "transition_small_claim_decision", tag = "Titres", params(("id" = DecisionId, Path)), request_body = Revoke,
    responses((status = 200, body = DecisionView, description = "La décision rapportée")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[
            &NOT_FOUND, &codes::PREPARER_UNKNOWN, &CAMPAIGN_STATE, &codes::DECISION_STATE, &CONCURRENT_CHANGE,
        ])
    ))),
    security(("bearer" = []))
)]
#[post("/small-claim-decisions/{id}/transitions")]
async fn transition(
    state: State,
    can: Can<DecideSmallClaims>,
    Key(id): Key<DecisionId>,
    call: CallContext,
    body: Body<Revoke>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let DecisionAction::Revoke = body.value.action;
            let revoked = small_claims::revoke(tx, &actor, id, &body.value.reason)?;
            Reply::ok(&detail(tx, revoked)?)
        })
        .await
}
