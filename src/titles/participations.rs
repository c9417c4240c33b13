//! Participations as read: what each convention makes due, and what became of it: titled, left untitled, waiting.
//!
//! ```text
//!   one           its convention ──▶ a scene of that convention alone
//!   a page        sums of all by aggregate ── corrected for the few claims repriced; a scene of the page's conventions
//!   by titling, or changed since     a rule, not a column: the whole campaign is read, and each row looked at
//! ```

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::prepare::CALLED;
use super::store;
use crate::campaigns::{self, Campaign, Defaults, SmallClaimsForecast};
use crate::claims::{self, Origin, Scene, Standing, Titling};
use crate::conventions::{
    self, Convention, ConventionFilter, ConventionOrder, ConventionSort, ConventionState, ParticipationView,
};
use crate::kernel::ids::{ConventionId, DecisionId, SmallClaimActId};
use crate::kernel::{Departement, Instant, Money, SchoolYear};
use crate::platform::page::{Meta, Page, PageView};
use crate::platform::{Error, Outcome, Tx};

/// La décision de ne pas émettre, en bref.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DecisionBrief {
    pub id: DecisionId,
    #[schema(example = "ENT-D-2025-0001")]
    pub act_number: Option<String>,
    pub reason: String,
    pub origin: Origin,
    pub decided_by: String,
    pub decided_at: Instant,
}

/// Ce qu'il est advenu d'une participation : somme appelée, somme restante, décision.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TitlingView {
    pub titling: Titling,
    /// Somme due aujourd'hui : le total, moins les lignes qu'une personne a retirées.
    pub due: Money,
    pub titled: Money,
    /// Somme due qu'aucun titre n'appelle.
    pub untitled: Money,
    /// Sous le seuil d'émission en vigueur (décret 2012-1246, art. 114).
    pub small_claim: bool,
    pub threshold: Money,
    /// La décision de ne pas émettre, tant qu'elle est en vigueur.
    pub decision: Option<DecisionBrief>,
}

/// Ce que doit un payeur dans une campagne.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ParticipationRow {
    pub convention_id: ConventionId,
    pub number: String,
    pub siret: String,
    pub name: String,
    pub departement: Option<Departement>,
    pub schools: i64,
    pub total: Money,
    pub status: ConventionState,
    #[serde(flatten)]
    pub titling: TitlingView,
}

/// Somme d'un département (celui du payeur).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DepartementSum {
    pub departement: Option<Departement>,
    pub conventions: i64,
    pub schools: i64,
    pub total: Money,
}

/// Les participations d'une campagne.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ParticipationsView {
    pub campaign: SchoolYear,
    pub conventions: i64,
    pub schools: i64,
    pub total: Money,
    #[schema(example = "EUR")]
    pub currency: &'static str,
    pub departements: Vec<DepartementSum>,
    /// Les participations sous le seuil, et ce que chaque politique en ferait.
    pub small_claims: SmallClaimsForecast,
    pub data: Vec<ParticipationRow>,
    pub meta: Meta,
}

/// Une participation, son calcul, et ce qu'il en est advenu.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ParticipationDetail {
    #[serde(flatten)]
    pub participation: ParticipationView,
    #[serde(flatten)]
    pub titling: TitlingView,
}

/// Numbers of the acts behind some decisions.
type Acts = HashMap<SmallClaimActId, String>;

/// A convention without a participation cannot be.
fn standing<'s>(scene: &'s Scene, convention: &Convention) -> Outcome<Standing<'s>> {
    let without = || Error::falsified("convention", &convention.number, "sa participation n'est plus là");
    scene.standing(convention).ok_or_else(without)
}

fn titling(scene: &Scene, acts: &Acts, convention: &Convention) -> Outcome<TitlingView> {
    let standing = standing(scene, convention)?;
    let (due, titled) = (standing.claim.due, standing.titled);
    let decision = standing.not_issued().map(|d| DecisionBrief {
        id: d.id,
        act_number: d.act.and_then(|act| acts.get(&act).cloned()),
        reason: d.reason.clone(),
        origin: d.origin,
        decided_by: d.decided_by_label.clone(),
        decided_at: d.decided_at,
    });
    Ok(TitlingView {
        titling: standing.titling(convention),
        due,
        titled,
        untitled: due.checked_sub(titled).filter(|m| *m > Money::ZERO).unwrap_or_default(),
        small_claim: campaigns::is_small(due, scene.threshold),
        threshold: scene.threshold,
        decision,
    })
}

/// When the convention, or a decision on it, changed last.
fn last_change(scene: &Scene, c: &Convention) -> Instant {
    let decision = scene.decision_of(c).map(|d| d.updated_at);
    let lines = scene.line_decisions.get(&c.id).into_iter().flat_map(HashMap::values).map(|d| d.decided_at);
    lines.chain(decision).fold(c.updated_at, Instant::max)
}

/// The participation of one convention, and its standing.
pub(super) fn one(tx: &mut Tx<'_>, id: ConventionId, defaults: &Defaults) -> Outcome<ParticipationDetail> {
    let convention = conventions::find(tx, id)?;
    let campaign = campaigns::by_id(tx, convention.campaign_id)?;
    let scene = Scene::of(tx, campaign, vec![convention.clone()], defaults, CALLED)?;
    let acts = claims::act_numbers(tx, scene.decision_of(&convention))?;
    let titling = titling(&scene, &acts, &convention)?;
    let found = standing(&scene, &convention)?.participation;
    let participation = ParticipationView::of(&convention.number, found, scene.listed(&convention));
    Ok(ParticipationDetail { participation, titling })
}

/// Which participations of a campaign are asked for.
pub(super) struct Asked {
    pub filter: ConventionFilter,
    /// Conventions that changed since, themselves, by their titles or by a decision.
    pub since: Option<Instant>,
    pub titling: Option<Titling>,
}

/// A page of a campaign's participations, with the sums of all that the filters take.
pub(super) fn list(
    tx: &mut Tx<'_>,
    campaign: Campaign,
    defaults: &Defaults,
    asked: Asked,
    page: &Page<ConventionSort>,
) -> Outcome<ParticipationsView> {
    let (year, policy) = (campaign.said.school_year.clone(), campaign.said.small_claims.policy);
    let threshold = campaign.said.small_claims.threshold_on(tx.today(), &defaults.thresholds);
    let (mut departements, small, rows) = if asked.since.is_some() || asked.titling.is_some() {
        looked_at(tx, campaign, defaults, asked, page)?
    } else {
        let found = conventions::list(tx, &asked.filter, page)?;
        let sums = conventions::sums(tx, &asked.filter, threshold)?;
        let small = small(tx, &campaign, defaults, (&asked.filter, page.order), &sums)?;
        let scene = Scene::of(tx, campaign, found.data, defaults, CALLED)?;
        let acts = claims::act_numbers(tx, scene.decisions.values())?;
        let data = scene
            .conventions
            .iter()
            .map(|c| Ok((c.clone(), titling(&scene, &acts, c)?)))
            .collect::<Outcome<Vec<_>>>()?;
        let departements: Vec<_> = sums.into_iter().map(DepartementSum::from).collect();
        (departements, small, PageView { data, meta: found.meta })
    };
    departements.sort_by(|a, b| a.departement.cmp(&b.departement));
    let rows = rows.map(|(c, titling)| ParticipationRow {
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
    Ok(ParticipationsView {
        campaign: year,
        conventions: departements.iter().map(|d| d.conventions).sum(),
        schools: departements.iter().map(|d| d.schools).sum(),
        total: departements.iter().map(|d| d.total).sum(),
        currency: "EUR",
        departements,
        small_claims: SmallClaimsForecast::counted(small.0, small.1, threshold, policy),
        data: rows.data,
        meta: rows.meta,
    })
}

impl From<conventions::Sum> for DepartementSum {
    fn from(s: conventions::Sum) -> Self {
        Self { departement: s.departement, conventions: s.conventions, schools: s.schools, total: s.total }
    }
}

/// How many claims are small, and their sum: those of the participations' totals, but for the claims repriced since.
fn small(
    tx: &mut Tx<'_>,
    campaign: &Campaign,
    defaults: &Defaults,
    (filter, order): (&ConventionFilter, ConventionOrder),
    sums: &[conventions::Sum],
) -> Outcome<(usize, Money)> {
    let (mut count, mut cents): (i64, i64) =
        (sums.iter().map(|s| s.small).sum(), sums.iter().map(|s| s.small_total.cents()).sum());
    let repriced = claims::repriced(tx, campaign.id)?;
    if !repriced.is_empty() {
        let among = ConventionFilter { among: Some(repriced), ..filter.clone() };
        let own = conventions::select(tx, &among, order)?;
        let scene = Scene::of(tx, campaign.clone(), own, defaults, CALLED)?;
        let small = |amount: Money| campaigns::is_small(amount, scene.threshold);
        for convention in &scene.conventions {
            if small(convention.total) {
                (count, cents) = (count - 1, cents - convention.total.cents());
            }
            let due = scene.standing(convention).map(|s| s.claim.due).unwrap_or_default();
            if small(due) {
                (count, cents) = (count + 1, cents + due.cents());
            }
        }
    }
    Ok((usize::try_from(count).unwrap_or_default(), Money::from_cents(cents)))
}

type Looked = (Vec<DepartementSum>, (usize, Money), PageView<(Convention, TitlingView)>);

/// The same when rows are chosen by what no column says: each of the campaign is looked at.
fn looked_at(
    tx: &mut Tx<'_>,
    campaign: Campaign,
    defaults: &Defaults,
    Asked { filter, since, titling: wanted }: Asked,
    page: &Page<ConventionSort>,
) -> Outcome<Looked> {
    let titled = since.map(|since| store::changed_since(tx, campaign.id, since)).transpose()?.unwrap_or_default();
    let scene = Scene::load(tx, campaign, defaults, CALLED)?;
    let acts = claims::act_numbers(tx, scene.decisions.values())?;
    let mut live = Vec::new();
    for c in conventions::select(tx, &filter, page.order)? {
        if since.is_some_and(|since| !titled.contains(&c.id) && last_change(&scene, &c) < since) {
            continue;
        }
        let view = titling(&scene, &acts, &c)?;
        if wanted.is_none_or(|t| t == view.titling) {
            live.push((c, view));
        }
    }
    let mut sums: BTreeMap<Option<Departement>, DepartementSum> = BTreeMap::new();
    for (c, _) in &live {
        let departement = c.party.departement.clone();
        let nothing = DepartementSum { departement, conventions: 0, schools: 0, total: Money::ZERO };
        let sum = sums.entry(nothing.departement.clone()).or_insert(nothing);
        sum.conventions += 1;
        sum.schools += c.school_count;
        sum.total = [sum.total, c.total].into_iter().sum();
    }
    let small: Vec<Money> = live.iter().filter(|(_, v)| v.small_claim).map(|(_, v)| v.due).collect();
    let rows = page.skim(live, |by, (c, _)| conventions::place(by, c));
    let page = page.cut(rows, tx.now(), |by, (c, _)| conventions::place(by, c));
    Ok((sums.into_values().collect(), (small.len(), small.into_iter().sum()), page))
}
