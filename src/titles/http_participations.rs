//! What each convention makes due, and what became of it: titled, left untitled by a decision, waiting.
//!
//! The participation is the conventions'; that it was titled is known here, so its routes are here.

use std::collections::{BTreeMap, HashMap};

use actix_web::{get, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::prepare::CALLED;
use super::store;
use crate::access::{Can, Read};
use crate::campaigns::{self, Defaults, SmallClaimsForecast};
use crate::claims::{self, Decision, Liquidation, Origin, Scene, liquidate};
use crate::conventions::{self, Convention, ConventionFilter, ConventionOrder, ConventionState, ParticipationView};
use crate::kernel::ids::{ConventionId, DecisionId, SmallClaimActId};
use crate::kernel::refused::NOT_FOUND;
use crate::kernel::text::SearchText;
use crate::kernel::{Departement, InseeCode, Instant, Money, SchoolYear, Siret};
use crate::platform::Outcome;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Key, Meta, Page, Params, Reply, State};
use crate::registry::kinds::CollectiviteKind;
use crate::text_enum;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list).service(one);
}

text_enum!(
    /// Ce qu'il est advenu d'une participation.
    Titling {
        /// La convention n'a pas pris effet.
        NotInEffect => "not_in_effect",
        /// Rien n'est dû.
        NothingDue => "nothing_due",
        /// Un titre reste à préparer.
        ToTitle => "to_title",
        /// Une école a fermé : une décision ou un avenant est attendu.
        Blocked => "blocked",
        /// Laissée sans titre par une décision (décret 2012-1246, art. 114).
        NotIssued => "not_issued",
        /// Tout est appelé par un titre, préparé ou émis.
        Titled => "titled",
    }
);

/// La décision de ne pas émettre, en bref.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct DecisionBrief {
    id: DecisionId,
    #[schema(example = "ENT-D-2025-0001")]
    act_number: Option<String>,
    reason: String,
    origin: Origin,
    decided_by: String,
    decided_at: Instant,
}

/// Ce qu'il est advenu d'une participation : somme appelée, somme restante, décision.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct TitlingView {
    titling: Titling,
    /// Somme due aujourd'hui : le total, moins les lignes qu'une personne a retirées.
    due: Money,
    titled: Money,
    /// Somme due qu'aucun titre n'appelle.
    untitled: Money,
    /// Sous le seuil d'émission en vigueur (décret 2012-1246, art. 114).
    small_claim: bool,
    threshold: Money,
    /// La décision de ne pas émettre, tant qu'elle est en vigueur.
    decision: Option<DecisionBrief>,
}

/// Ce que doit un payeur dans une campagne.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct ParticipationRow {
    convention_id: ConventionId,
    number: String,
    siret: String,
    name: String,
    departement: Option<Departement>,
    schools: i64,
    total: Money,
    status: ConventionState,
    #[serde(flatten)]
    titling: TitlingView,
}

/// Somme d'un département (celui du payeur).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct DepartementSum {
    departement: Option<Departement>,
    conventions: i64,
    schools: i64,
    total: Money,
}

/// Les participations d'une campagne.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct ParticipationsView {
    campaign: SchoolYear,
    conventions: i64,
    schools: i64,
    total: Money,
    #[schema(example = "EUR")]
    currency: &'static str,
    departements: Vec<DepartementSum>,
    /// Les participations sous le seuil, et ce que chaque politique en ferait.
    small_claims: SmallClaimsForecast,
    data: Vec<ParticipationRow>,
    meta: Meta,
}

/// Numbers of the acts behind a campaign's decisions.
type Acts = HashMap<SmallClaimActId, String>;

fn titling(scene: &Scene, acts: &Acts, convention: &Convention) -> Outcome<TitlingView> {
    let policy = scene.campaign.said.small_claims.policy;
    let Some(standing) = scene.standing(convention) else {
        return Err(crate::platform::Error::Incident(format!(
            "convention {} without participation",
            convention.number
        )));
    };
    let (due, titled) = (standing.claim.due, standing.titled);
    let untitled = due.checked_sub(titled).filter(|m| *m > Money::ZERO).unwrap_or_default();
    let in_force: Option<&Decision> = standing.decision.filter(|d| d.revoked.is_none());
    let titling = match liquidate(due, titled, scene.threshold, policy, standing.word()) {
        Liquidation::NothingDue => Titling::NothingDue,
        Liquidation::AlreadyTitled => Titling::Titled,
        _ if convention.effect().is_none() => Titling::NotInEffect,
        _ if in_force.is_some() => Titling::NotIssued,
        _ if !standing.claim.blocking.is_empty() => Titling::Blocked,
        Liquidation::NotIssued { .. } | Liquidation::Title { .. } => Titling::ToTitle,
    };
    let decision = in_force.map(|d| DecisionBrief {
        id: d.id,
        act_number: d.act.and_then(|act| acts.get(&act).cloned()),
        reason: d.reason.clone(),
        origin: d.origin,
        decided_by: d.decided_by_label.clone(),
        decided_at: d.decided_at,
    });
    let small_claim = due > Money::ZERO && due < scene.threshold;
    Ok(TitlingView { titling, due, titled, untitled, small_claim, threshold: scene.threshold, decision })
}

/// When the convention, or a decision on it, changed last.
fn last_change(scene: &Scene, c: &Convention) -> Instant {
    let decision = scene.decision_of(c).map(|d| d.updated_at);
    let lines = scene.line_decisions.get(&c.id).into_iter().flat_map(HashMap::values).map(|d| d.decided_at);
    lines.chain(decision).fold(c.updated_at, Instant::max)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ParticipationsQuery {
    /// Département du payeur.
    departement: Option<Departement>,
    /// SIRET, actuel ou ancien, du payeur.
    collectivite: Option<Siret>,
    /// Nature du payeur.
    kind: Option<CollectiviteKind>,
    /// Code INSEE, actuel ou ancien, du payeur.
    insee_code: Option<InseeCode>,
    /// État de la convention.
    status: Option<ConventionState>,
    /// Nom du payeur ou partie du numéro.
    q: Option<SearchText>,
    /// Modifiées depuis cet instant, elles, leurs titres ou ce qui en fut décidé : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<ConventionOrder>,
    /// Ce qu'il est advenu de la participation.
    titling: Option<Titling>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lire les participations d'une campagne, avec leurs sommes par département
///
/// Les conventions annulées ne comptent pas ; les sommes sont celles de tout ce que les filtres retiennent. Chaque ligne dit si elle est titrée, laissée sans titre par une décision, ou en attente.
#[utoipa::path(
    operation_id = "list_participations", tag = "Conventions", params(("school_year" = SchoolYear, Path), ParticipationsQuery),
    responses((status = 200, body = ParticipationsView, description = "Sommes et lignes")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/participations")]
async fn list(
    state: State,
    _can: Can<Read>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    Params(query): Params<ParticipationsQuery>,
) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let campaign = campaigns::find(tx, &year)?;
            let filter = ConventionFilter {
                campaign: Some(campaign.id),
                collectivite: query.collectivite,
                departement: query.departement,
                kind: query.kind,
                insee_code: query.insee_code,
                status: query.status,
                number: None,
                q: query.q,
                // Asked below: a title or a decision changes what is told of a convention that did not change.
                updated_since: None,
                live: true,
            };
            let since = tx.changed_since(query.updated_since)?;
            let titled =
                since.map(|since| store::changed_since(tx, campaign.id, since)).transpose()?.unwrap_or_default();
            let scene = Scene::load(tx, campaign, &defaults, CALLED)?;
            let acts = claims::act_numbers(tx, scene.decisions.values())?;
            let mut live = Vec::new();
            for c in conventions::select(tx, &filter, page.order)? {
                if since.is_some_and(|since| !titled.contains(&c.id) && last_change(&scene, &c) < since) {
                    continue;
                }
                let view = titling(&scene, &acts, &c)?;
                if query.titling.is_none_or(|t| t == view.titling) {
                    live.push((c, view));
                }
            }
            let mut sums: BTreeMap<Option<Departement>, DepartementSum> = BTreeMap::new();
            for (c, _) in &live {
                let departement = c.party.departement.clone();
                let sum = sums.entry(departement.clone()).or_insert_with(|| DepartementSum {
                    departement,
                    conventions: 0,
                    schools: 0,
                    total: Money::ZERO,
                });
                sum.conventions += 1;
                sum.schools += c.school_count;
                sum.total = [sum.total, c.total].into_iter().sum();
            }
            let policy = scene.campaign.said.small_claims.policy;
            let small_claims = SmallClaimsForecast::of(live.iter().map(|(_, v)| v.due), scene.threshold, policy);
            let (schools, total) =
                (live.iter().map(|(c, _)| c.school_count).sum(), live.iter().map(|(c, _)| c.total).sum());
            let conventions = i64::try_from(live.len()).unwrap_or(i64::MAX);
            let rows = page.skim(live, |by, (c, _)| conventions::place(by, c));
            let page = page.cut(rows, tx.now(), |by, (c, _)| conventions::place(by, c));
            let cut = page.map(|(c, titling)| ParticipationRow {
                convention_id: c.id,
                status: c.state(),
                siret: c.party.siret.to_string(),
                name: c.party.name.to_string(),
                departement: c.party.departement.clone(),
                schools: c.school_count,
                total: c.total,
                number: c.number,
                titling,
            });
            Reply::ok(&ParticipationsView {
                campaign: year,
                conventions,
                schools,
                total,
                currency: "EUR",
                departements: sums.into_values().collect(),
                small_claims,
                data: cut.data,
                meta: cut.meta,
            })
        })
        .await?;
    Ok(reply.into_response())
}

/// Une participation, son calcul, et ce qu'il en est advenu.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ParticipationDetail {
    #[serde(flatten)]
    participation: ParticipationView,
    #[serde(flatten)]
    titling: TitlingView,
}

/// Lire la participation et son calcul
#[utoipa::path(
    operation_id = "get_participation", tag = "Conventions", params(("id" = ConventionId, Path)),
    responses((status = 200, body = ParticipationDetail, description = "Lignes, total, étapes, titre ou décision")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/conventions/{id}/participation")]
async fn one(state: State, _can: Can<Read>, defaults: web::Data<Defaults>, Key(id): Key<ConventionId>) -> Answer {
    let reply = state
        .read(move |tx| {
            let convention = conventions::find(tx, id)?;
            let campaign = campaigns::by_id(tx, convention.campaign_id)?;
            let participation = conventions::participation(tx, &convention)?;
            let scene = Scene::load(tx, campaign, &defaults, CALLED)?;
            // Of one convention, only its own decision's act is looked up.
            let acts = claims::act_numbers(tx, scene.decision_of(&convention))?;
            Reply::ok(&ParticipationDetail { titling: titling(&scene, &acts, &convention)?, participation })
        })
        .await?;
    Ok(reply.into_response())
}
