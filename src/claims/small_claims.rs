//! Use cases of decisions not to issue: taken by the policy or by a person, kept in acts, revoked with a reason.
//!
//! ```text
//!   prepare under `do_not_issue` ─┐
//!                                 ├─▶ record ──▶ act (number, frozen content) + one decision per claim ──▶ paper (job)
//!   decide, for chosen payers ────┘
//! ```

use std::collections::{BTreeSet, HashMap};

use super::claim::small_claim;
use super::codes::PREPARER_UNKNOWN;
use super::decision::{self, Decide, Decision, DecisionAct, DecisionAction, Origin, Revocation};
use super::decision_paper::{self, DecisionPaper};
use super::events::{self, ClaimEvent};
use super::liquidation::{Liquidation, Word, liquidate};
use super::printing::{self, PAPER};
use super::scene::{Called, Scene, Small};
use super::store::{self, ActRow};
use crate::access;
use crate::audit::{self, Entry};
use crate::campaigns::bulk::{BulkItem, BulkRequest, BulkView};
use crate::campaigns::{self, Campaign, Defaults, SmallClaimsPolicy};
use crate::conventions;
use crate::kernel::dates::exercice;
use crate::kernel::ids::{CampaignId, DecisionId, SmallClaimActId, UserId};
use crate::kernel::text::Note;
use crate::kernel::{Actor, Finding, Refused, SchoolYear};
use crate::platform::db::{blobs, counters};
use crate::platform::papers::{self, NewPaper, Templates};
use crate::platform::{Outcome, Tx, documents};

/// Records the decisions on some claims as one act with one paper; nothing when there is none.
pub fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    scene: &Scene,
    claims: &[Small],
    (origin, reason): (Origin, &str),
    (defaults, templates): (&Defaults, &Templates),
) -> Outcome<()> {
    if claims.is_empty() {
        return Ok(());
    }
    let decider =
        actor.user().ok_or_else(|| Refused::new(&PREPARER_UNKNOWN, "Une décision demande un compte nominatif."))?;
    let user = access::find_user(tx, decider)?;
    let rank = loop {
        let year = exercice(tx.today());
        // The lock may have been waited for over midnight.
        counters::lock(tx, &format!("decision:{year}"))?;
        if exercice(tx.today()) == year {
            break counters::take(tx, &format!("decision:{year}"), 1)?;
        }
    };
    let (now, today) = (tx.now(), tx.today());
    let year = i64::from(exercice(today));
    let number = decision::act_number(year, rank);
    let texts = scene.campaign.said.texts.as_ref().unwrap_or(&defaults.texts);
    scene.campaign.printable(texts, defaults.specimen)?;
    let paper: DecisionPaper = decision_paper::compose(&decision_paper::Context {
        number: &number,
        year: &scene.campaign.said.school_year,
        threshold: scene.threshold,
        reason,
        claims,
        decider: &user,
        decided_on: today,
        texts,
        specimen: defaults.specimen,
    });
    let content = documents::input(&paper)?;
    let act = ActRow {
        id: SmallClaimActId::new(tx.uuid()),
        number: number.clone(),
        exercice: year,
        number_rank: rank,
        campaign_id: scene.campaign.id,
        threshold_cents: scene.threshold,
        claim_count: i64::try_from(claims.len()).unwrap_or(i64::MAX),
        total_cents: claims.iter().map(|c| c.amount).sum(),
        reason: reason.to_owned(),
        decided_by: decider,
        decided_by_label: actor.label.clone(),
        decided_on: today,
        decided_at: now,
        content_sha256: blobs::digest(content.as_bytes()),
    };
    let decisions: Vec<Decision> = claims
        .iter()
        .map(|c| Decision {
            id: DecisionId::new(tx.uuid()),
            act: Some(act.id),
            convention_id: c.convention_id,
            participation_id: c.participation_id,
            amount: c.amount,
            threshold: scene.threshold,
            reason: reason.to_owned(),
            origin,
            decided_by: decider,
            decided_by_label: actor.label.clone(),
            decided_at: now,
            revoked: None,
            updated_at: now,
        })
        .collect();
    store::insert(tx, &act, &decisions)?;
    let campaign = scene.campaign.id;
    let decided = ClaimEvent::SmallClaimsDecided {
        count: claims.len(),
        total: act.total_cents,
        threshold: scene.threshold,
        origin: origin.to_string(),
    };
    let mut entries = vec![Entry::new(events::of_act(act.id, &number, campaign), decided)];
    entries.extend(claims.iter().zip(&decisions).map(|(claim, decision)| {
        let left = ClaimEvent::NotIssued {
            act: number.clone(),
            convention: claim.convention_number.clone(),
            siret: claim.siret.clone(),
            amount: claim.amount,
        };
        Entry::new(events::of_decision(decision, Some(&number), campaign), left)
    }));
    audit::record_all(tx, actor, &entries)?;
    let template_sha256 = papers::keep_template(tx, &templates.of(&PAPER))?;
    papers::freeze(tx, &PAPER, &template_sha256, vec![NewPaper { subject: act.id.to_string(), input: content }])
}

/// What may become of a payer of a bulk decision.
pub const DECIDE_OUTCOMES: &[&str] = &[
    "decided",
    "already_decided",
    "revoked",
    "not_small",
    "already_prepared",
    "nothing_due",
    "declined",
    "not_in_effect",
    "refused",
];

/// Whether every act of a campaign still has the decisions it was taken with: one that somebody slipped under it would
/// leave a claim without a title that nobody decided.
///
/// # Errors
/// The act that does not add up.
pub fn verify(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<()> {
    let taken = store::acts_of(tx, campaign)?;
    printing::add_up(tx, &taken)
}

/// Takes the decision for the small claims of chosen payers, whatever the policy.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    request: Decide,
    defaults: &Defaults,
    templates: &Templates,
    called: Called,
) -> Outcome<BulkView> {
    let campaign = campaigns::find_and_hold(tx, year)?;
    campaign.while_not_closed()?;
    let bulk = BulkRequest { filter: request.filter, keys: request.keys, dry_run: request.dry_run };
    let (selection, dry_run) = bulk.selection(false)?;
    verify(tx, campaign.id)?;
    let scene = Scene::load(tx, campaign, defaults, called)?;
    let (payers, mut items) = conventions::payers::chosen(tx, selection)?;
    let named = matches!(payers, conventions::Payers::Named(_));
    let (chosen, left) = scene.choose(&payers);
    let mut claims = Vec::new();
    for convention in chosen {
        let Some(standing) = scene.standing(convention) else { continue };
        let key = &convention.party.siret;
        let in_force = standing.decision.is_some_and(|d| d.revoked.is_none());
        // Somebody wanted this claim titled: no filter leaves it untitled again.
        let revocation = standing.decision.and_then(|d| d.revoked.as_ref()).filter(|r| r.origin == Origin::Person);
        let weighed =
            liquidate(standing.claim.due, standing.titled, scene.threshold, SmallClaimsPolicy::Issue, Word::None);
        items.push(match weighed {
            _ if in_force => BulkItem::new(key, "already_decided"),
            Liquidation::NothingDue => BulkItem::new(key, "nothing_due"),
            Liquidation::AlreadyTitled => BulkItem::new(key, "already_prepared"),
            _ if !standing.claim.blocking.is_empty() => {
                let mut item = BulkItem::new(key, "refused");
                item.findings.clone_from(&standing.claim.blocking);
                item
            }
            Liquidation::Title { small: true, .. } if let Some(revocation) = revocation.filter(|_| !named) => {
                let message = format!(
                    "Décision rapportée le {} par {} : {}",
                    revocation.at.day(),
                    revocation.by_label,
                    revocation.reason
                );
                BulkItem::new(key, "revoked").with(Finding::to_acknowledge("decision_revoked", message))
            }
            Liquidation::Title { amount, small: true, .. } => {
                claims.push(Small::of(convention, &standing, amount));
                BulkItem::new(key, "decided").with_amount(amount).with(small_claim(amount, scene.threshold))
            }
            Liquidation::Title { .. } | Liquidation::NotIssued { .. } => BulkItem::new(key, "not_small"),
        });
    }
    items.extend(left);
    conventions::verify(tx, &claims.iter().map(|c| c.convention_id).collect::<Vec<_>>())?;
    record(tx, actor, &scene, &claims, (Origin::Person, request.reason.as_str()), (defaults, templates))?;
    if dry_run {
        tx.discard();
    }
    Ok(BulkView::of(items, DECIDE_OUTCOMES, dry_run))
}

/// One decision.
pub fn find(tx: &mut Tx<'_>, id: DecisionId) -> Outcome<Decision> {
    Ok(store::find(tx, id)?.ok_or_else(|| Refused::not_found("Décision", id))?)
}

/// The campaign of a decision, held: acts on its titles take turns.
pub fn campaign_of(tx: &mut Tx<'_>, decision: &Decision) -> Outcome<Campaign> {
    let convention = conventions::find(tx, decision.convention_id)?;
    campaigns::by_id(tx, convention.campaign_id)
}

/// Why a decision may not be ended now, by the campaign or by its own state.
pub fn refusal(tx: &mut Tx<'_>, decision: &Decision) -> Outcome<Option<Refused>> {
    let campaign = campaign_of(tx, decision)?;
    Ok(campaign.while_not_closed().and_then(|()| decision.admits(DecisionAction::Revoke)).err())
}

/// Ends a decision: the claim is titled at the next preparation, whatever the policy.
pub fn revoke(tx: &mut Tx<'_>, actor: &Actor, id: DecisionId, reason: &Note) -> Outcome<Decision> {
    let by =
        actor.user().ok_or_else(|| Refused::new(&PREPARER_UNKNOWN, "Une décision demande un compte nominatif."))?;
    let found = find(tx, id)?;
    let campaign = campaign_of(tx, &found)?;
    let campaign = campaigns::find_and_hold(tx, &campaign.said.school_year)?;
    campaign.while_not_closed()?;
    let revoked = found.apply(DecisionAct::Revoke(Revocation {
        by,
        by_label: actor.label.clone(),
        at: tx.now(),
        reason: reason.to_string(),
        origin: Origin::Person,
    }))?;
    store::save_revocation(tx, &revoked)?;
    let acts = act_numbers(tx, [&revoked])?;
    let told = revoked_entry(&revoked, revoked.act.and_then(|act| acts.get(&act)), campaign.id);
    audit::record_all(tx, actor, told.as_slice())?;
    Ok(revoked)
}

/// Ends decisions that the policy took and no longer carries.
pub fn outlive(
    tx: &mut Tx<'_>,
    (actor, by): (&Actor, UserId),
    campaign: CampaignId,
    decisions: &[Decision],
    reason: &str,
) -> Outcome<()> {
    let acts = act_numbers(tx, decisions)?;
    let mut entries = Vec::with_capacity(decisions.len());
    for decision in decisions {
        let revoked = decision.clone().apply(DecisionAct::Revoke(Revocation {
            by,
            by_label: actor.label.clone(),
            at: tx.now(),
            reason: reason.to_owned(),
            origin: Origin::Policy,
        }))?;
        store::save_revocation(tx, &revoked)?;
        entries.extend(revoked_entry(&revoked, revoked.act.and_then(|act| acts.get(&act)), campaign));
    }
    audit::record_all(tx, actor, &entries)
}

/// How the journal tells a revocation.
fn revoked_entry(decision: &Decision, act: Option<&String>, campaign: CampaignId) -> Option<Entry<ClaimEvent>> {
    let revocation = decision.revoked.as_ref()?;
    let event = ClaimEvent::SmallClaimRevoked {
        amount: decision.amount,
        origin: revocation.origin.to_string(),
        reason: revocation.reason.clone().into(),
    };
    Some(Entry::new(events::of_decision(decision, act.map(String::as_str), campaign), event))
}

/// Numbers of the acts of some decisions, each act asked once.
pub fn act_numbers<'d>(
    tx: &mut Tx<'_>,
    decisions: impl IntoIterator<Item = &'d Decision>,
) -> Outcome<HashMap<SmallClaimActId, String>> {
    let ids: BTreeSet<SmallClaimActId> = decisions.into_iter().filter_map(|d| d.act).collect();
    store::act_numbers(tx, &ids.into_iter().collect::<Vec<_>>())
}
