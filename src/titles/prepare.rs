//! Bulk preparation: what conventions in effect make due and was never titled. Re-runnable at will.
//!
//! ```text
//!   conventions in effect ──lines looked at──▶ due − titled ──liquidate──┬─▶ title prepared (or flagged)
//!                                                                        ├─▶ decision not to issue, named, in one act
//!                                                                        └─▶ nothing due, already titled, refused
//! ```
//! A title that an ordonnateur returned is left, and counted, unless its payer is named: it is then liquidated again.

use std::collections::HashMap;

use serde::Serialize;

use super::noes::{self, Noes};
use super::title::{Stage, Title, TitleKind, TitleLine};
use super::{events, store};
use crate::audit;
use crate::campaigns::bulk::{BulkItem, BulkRequest, BulkView};
use crate::campaigns::{self, Defaults, SmallClaimsForecast};
use crate::claims::{
    self, Called, Decision, Liquidation, Origin, PREPARER_UNKNOWN, Registry, Scene, Small, Standing, liquidate, owing,
    small_claim,
};
use crate::conventions::{self, Convention, PayerSelection, Payers, Reach};
use crate::kernel::ids::{ConventionId, TitleId, UserId};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::{Actor, Finding, Money, Refused, SchoolYear};
use crate::platform::papers::Templates;
use crate::platform::{Outcome, Tx};
use crate::registry;

/// Request of a bulk preparation: absent `filter` and `keys` (SIRET) mean every convention in effect.
pub type Prepare = BulkRequest<PayerSelection>;

/// What may become of a convention of a bulk preparation.
pub const PREPARE_OUTCOMES: &[&str] = &[
    "prepared",
    "flagged",
    "not_issued",
    "already_prepared",
    "nothing_due",
    "returned",
    "declined",
    "not_in_effect",
    "refused",
];

/// Ce qu'une préparation en nombre a fait, et ce que chaque politique des petites créances en laisserait sans titre.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PrepareView {
    #[serde(flatten)]
    pub bulk: BulkView,
    pub small_claims: SmallClaimsForecast,
}

/// What living titles call for conventions: what claims ask of titles.
pub const CALLED: Called = Called(called);

fn called(tx: &mut Tx<'_>, reach: Reach<'_>) -> Outcome<HashMap<ConventionId, Money>> {
    let mut titled: HashMap<ConventionId, Money> = HashMap::new();
    for (convention, net) in store::nets(tx, reach)? {
        let sum = titled.entry(convention).or_default();
        *sum = [*sum, net].into_iter().sum();
    }
    Ok(titled)
}

/// What a preparation is about to write.
#[derive(Default)]
struct Harvest {
    items: Vec<BulkItem>,
    titles: Vec<(Title, Vec<TitleLine>)>,
    /// Claims newly left untitled under the policy.
    untitled: Vec<Small>,
    /// Decisions the policy no longer carries.
    outlived: Vec<Decision>,
    /// Returned titles that give way to those prepared anew.
    superseded: Vec<Title>,
    /// Every claim that could be titled now, small or not: what the forecast counts.
    amounts: Vec<Money>,
}

/// Prepares titles in number.
pub fn prepare(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    request: Prepare,
    defaults: &Defaults,
    templates: &Templates,
) -> Outcome<PrepareView> {
    let preparer = actor
        .user()
        .ok_or_else(|| Refused::new(&PREPARER_UNKNOWN, "Préparer un titre demande un compte nominatif."))?;
    let campaign = campaigns::find_and_hold(tx, year)?;
    campaign.while_not_closed()?;
    // Titles point at their debtors: not while an import rewrites them.
    registry::hold(tx)?;
    let (selection, dry_run) = request.selection(true)?;
    claims::verify(tx, campaign.id)?;
    let registry = Registry::load(tx)?;
    let scene = Scene::load(tx, campaign, defaults, CALLED)?;
    let (payers, items) = conventions::payers::chosen(tx, selection)?;
    let mut harvest = Harvest { items, ..Harvest::default() };
    let (chosen, left) = scene.choose(&payers);
    let noes = Noes::load(tx, scene.campaign.id)?;
    let named = matches!(payers, Payers::Named(_));
    for convention in chosen {
        let returned = noes.returned(convention.id);
        if let Some(title) = returned.filter(|_| !named) {
            harvest.items.push(Noes::left(title, &convention.party.siret));
        } else if let Some(standing) = scene.standing(convention) {
            let told = noes.told(convention.id, returned);
            weigh(tx, (&scene, &registry), convention, &standing, (actor, preparer), (returned, told), &mut harvest);
        }
    }
    harvest.items.extend(left);
    // What is titled, or left untitled by an act, is what was issued.
    let titled = harvest.titles.iter().map(|(t, _)| t.convention_id);
    let concerned: Vec<ConventionId> = titled.chain(harvest.untitled.iter().map(|s| s.convention_id)).collect();
    conventions::verify(tx, &concerned)?;
    write(tx, actor, preparer, &scene, &harvest, (defaults, templates))?;
    if dry_run {
        tx.discard();
    }
    let policy = scene.campaign.said.small_claims.policy;
    Ok(PrepareView {
        small_claims: SmallClaimsForecast::of(harvest.amounts, scene.threshold, policy),
        bulk: BulkView::of(harvest.items, PREPARE_OUTCOMES, dry_run),
    })
}

/// Decides for one convention.
fn weigh(
    tx: &Tx<'_>,
    (scene, registry): (&Scene, &Registry),
    convention: &Convention,
    standing: &Standing<'_>,
    (actor, preparer): (&Actor, UserId),
    (returned, told): (Option<&Title>, Option<Finding>),
    harvest: &mut Harvest,
) {
    let key = &convention.party.siret;
    let (policy, threshold) = (scene.campaign.said.small_claims.policy, scene.threshold);
    let titled = noes::without(standing.titled, returned);
    let outcome = liquidate(standing.claim.due, titled, threshold, policy, standing.word());
    let (amount, titling) = match outcome {
        Liquidation::NothingDue => return harvest.items.push(BulkItem::new(key, "nothing_due")),
        Liquidation::AlreadyTitled => return harvest.items.push(BulkItem::new(key, "already_prepared")),
        Liquidation::NotIssued { amount } => (amount, None),
        Liquidation::Title { amount, small, flagged } => (amount, Some((small, flagged))),
    };
    if !standing.claim.blocking.is_empty() {
        let mut item = BulkItem::new(key, "refused");
        item.findings.clone_from(&standing.claim.blocking);
        return harvest.items.push(item);
    }
    if titled > Money::ZERO {
        let message =
            "Un titre existe pour une partie de la somme : seul un titre complémentaire appellerait le reste.";
        let finding = Finding::blocking("complement_needed", message).compared(standing.claim.due, titled);
        return harvest.items.push(BulkItem::new(key, "refused").with(finding));
    }
    let Some((small, flagged)) = titling else {
        harvest.amounts.push(amount);
        harvest.superseded.extend(returned.cloned());
        harvest.items.push(BulkItem::new(key, "not_issued").with(small_claim(amount, threshold)));
        if standing.decision.is_none_or(|d| d.revoked.is_some()) {
            harvest.untitled.push(Small::of(convention, standing, amount));
        }
        return;
    };
    let clause = scene.campaign.said.texts.as_ref().and_then(|t| t.transfer_clause.as_deref());
    let owing = match owing(registry, convention, clause, tx.today()) {
        Ok(owing) => owing,
        Err(finding) => return harvest.items.push(BulkItem::new(key, "refused").with(finding)),
    };
    let Some(ground) = standing.claim.ground(convention, &scene.campaign.said.school_year) else { return };
    harvest.amounts.push(amount);
    if let Some(decision) = standing.decision.filter(|d| d.revoked.is_none()) {
        harvest.outlived.push(decision.clone());
    }
    harvest.superseded.extend(returned.cloned());
    let mut findings = owing.findings.clone();
    findings.extend(told);
    findings.extend(standing.claim.findings.iter().cloned());
    if small {
        findings.push(small_claim(amount, threshold));
    }
    let now = tx.now();
    let title = Title {
        id: TitleId::new(tx.uuid()),
        campaign_id: scene.campaign.id,
        convention_id: convention.id,
        convention_rank: convention.rank,
        participation_id: standing.participation.id,
        debtor_id: owing.collectivite.id,
        debtor: owing.debtor(),
        kind: TitleKind::Initial,
        corrects_id: None,
        stage: Stage::Prepared,
        amount,
        ground,
        small_claim: small,
        flagged,
        threshold,
        findings: findings.clone(),
        prepared_by: preparer,
        prepared_by_label: actor.label.clone(),
        prepared_at: now,
        returned: None,
        version: 1,
        updated_at: now,
    };
    let outcome = if flagged { "flagged" } else { "prepared" };
    let mut item = BulkItem::new(key, outcome).with_id(title.id).with_amount(amount);
    item.findings = findings;
    harvest.items.push(item);
    harvest.titles.push((title, standing.claim.lines.iter().map(TitleLine::from).collect()));
}

fn write(
    tx: &mut Tx<'_>,
    actor: &Actor,
    preparer: UserId,
    scene: &Scene,
    harvest: &Harvest,
    making: (&Defaults, &Templates),
) -> Outcome<()> {
    for title in &harvest.superseded {
        noes::supersede(tx, preparer, title)?;
    }
    store::insert(tx, &harvest.titles, || {
        Refused::new(&CONCURRENT_CHANGE, "Un titre vient d'être préparé pour l'une de ces conventions.")
    })?;
    let policy = scene.campaign.said.small_claims.policy;
    let year = &scene.campaign.said.school_year;
    let reason = format!("la campagne {year} prévoit de ne pas émettre de titre sous le seuil");
    claims::record(tx, actor, scene, &harvest.untitled, (Origin::Policy, &reason), making)?;
    let outlived = format!("la campagne {year} n'en fait plus sa règle (« {policy} »)");
    claims::outlive(tx, (actor, preparer), scene.campaign.id, &harvest.outlived, &outlived)?;
    let mut entries = Vec::with_capacity(harvest.titles.len());
    entries.extend(harvest.superseded.iter().map(events::superseded));
    entries.extend(harvest.titles.iter().map(|(title, _)| events::prepared(title)));
    audit::record_all(tx, actor, &entries)
}
