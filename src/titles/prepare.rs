//! Bulk preparation: what conventions in effect make due and was never titled. Re-runnable at will.
//!
//! ```text
//!   conventions in effect ──due − titled──▶ liquidate ──┬─▶ title prepared (or flagged)
//!                                                       ├─▶ decision not to issue, named
//!                                                       └─▶ nothing due, already titled, refused
//! ```

use std::collections::HashMap;

use serde_json::json;

use super::codes::PREPARER_UNKNOWN;
use super::document;
use super::liquidation::{Liquidation, liquidate};
use super::store::{self, Decision};
use super::title::{Debtor, Ground, Stage, Title, TitleDocument, TitleKind, TitleLine};
use crate::audit::{self, Entry};
use crate::campaigns::bulk::{BulkItem, BulkRequest, BulkView};
use crate::campaigns::{self, Defaults, SmallClaimsPolicy};
use crate::conventions::{self, Convention, ParticipationLine, Party, PayerSelection, Payers, StoredParticipation};
use crate::kernel::ids::{CollectiviteId, ConventionId, ParticipationId, TitleId, UserId};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::{Actor, Finding, Money, Refused, SchoolYear, french};
use crate::platform::{Outcome, Tx};
use crate::registry::{self, Collectivite, Succession};

/// Request of a bulk preparation: absent `filter` and `keys` (SIRET) mean every convention in effect.
pub type PrepareRequest = BulkRequest<PayerSelection>;

/// Everything the decisions need, read once.
struct Scene {
    payers: HashMap<CollectiviteId, Collectivite>,
    successions: HashMap<CollectiviteId, Succession>,
    participations: HashMap<ConventionId, StoredParticipation>,
    lines: HashMap<ParticipationId, Vec<ParticipationLine>>,
    titled: HashMap<ConventionId, Money>,
    decisions: HashMap<ParticipationId, Decision>,
}

fn scene(tx: &mut Tx<'_>, campaign: &campaigns::Campaign) -> Outcome<Scene> {
    let participations: HashMap<_, _> =
        conventions::participations(tx, campaign.id)?.into_iter().map(|p| (p.convention_id, p)).collect();
    let ids: Vec<ParticipationId> = participations.values().map(|p| p.id).collect();
    let mut lines: HashMap<ParticipationId, Vec<ParticipationLine>> = HashMap::new();
    for (id, line) in conventions::participation_lines(tx, &ids)? {
        lines.entry(id).or_default().push(line);
    }
    let mut titled: HashMap<ConventionId, Money> = HashMap::new();
    for title in store::of_campaign(tx, campaign.id)? {
        let sum = titled.entry(title.convention_id).or_default();
        *sum = [*sum, title.net()].into_iter().sum();
    }
    Ok(Scene {
        payers: registry::collectivites(tx)?,
        successions: registry::successions(tx)?,
        participations,
        lines,
        titled,
        decisions: store::decisions_in_force(tx)?.into_iter().map(|d| (d.participation_id, d)).collect(),
    })
}

/// Who owes today: the live successor of the signatory, with the sentence that says so.
struct Owing<'s> {
    collectivite: &'s Collectivite,
    substitution: Option<String>,
    findings: Vec<Finding>,
}

fn owing<'s>(scene: &'s Scene, convention: &Convention, today: chrono::NaiveDate) -> Result<Owing<'s>, Finding> {
    let (live, link) = registry::last_successor(&scene.successions, convention.collectivite_id, Some(today));
    let Some(collectivite) = scene.payers.get(&live) else {
        return Err(Finding::blocking("debtor_unknown", "Le débiteur n'est plus au registre."));
    };
    if collectivite.is_closed_on(today) {
        let message = "La collectivité n'existe plus et aucun successeur n'est enregistré.";
        return Err(Finding::blocking("debtor_closed", message));
    }
    let mut findings = Vec::new();
    let mut substitution = None;
    if live != convention.collectivite_id {
        let act = link.map(|l| l.act_reference.to_string());
        substitution = Some(document::substitution(&conventions::legal_name(&convention.party), act.as_deref()));
        let message = "Le débiteur est le successeur de la collectivité signataire.";
        findings.push(
            Finding::to_acknowledge("debtor_changed", message)
                .compared(&convention.party.siret, &collectivite.said.siret),
        );
    }
    let chorus = &collectivite.said.chorus;
    if chorus.service_code.is_none() && chorus.commitment_number.is_none() && chorus.third_party_number.is_none() {
        let message = "Aucun élément de routage Chorus (à renseigner seulement si la structure en exige un).";
        findings.push(Finding::info("chorus_routing_missing", message));
    }
    Ok(Owing { collectivite, substitution, findings })
}

fn debtor(owing: &Owing<'_>) -> Debtor {
    let said = owing.collectivite.said.clone();
    let party = Party {
        siret: said.siret.clone(),
        kind: said.kind,
        name: said.name,
        insee_code: said.insee_code,
        departement: owing.collectivite.departement.clone(),
        address: said.address.clone(),
        representative: said.representative,
        chorus: said.chorus.clone(),
    };
    Debtor {
        name: conventions::legal_name(&party),
        town: conventions::town(&party).map(str::to_owned),
        siret: said.siret,
        kind: said.kind,
        departement: party.departement,
        address: said.address,
        chorus: said.chorus,
        substitution: owing.substitution.clone(),
    }
}

/// Bases de liquidation in one sentence (décret 2012-1246, art. 24): precise enough to stand alone in court.
fn ground(convention: &Convention, year: &SchoolYear, lines: &[ParticipationLine], amount: Money) -> Option<Ground> {
    let effect = convention.effect()?;
    let uais: Vec<&str> = lines.iter().map(|l| l.school.uai.as_str()).collect();
    let unit = lines.first().map_or(Money::ZERO, |l| l.amount.unit_amount);
    let legal_basis = format!(
        "Convention n° {} signée le {} par la collectivité et le {} par la région académique, art. 3.2, 4 et 9 ; \
         année scolaire {year} ; {} école(s) × {} = {} ; UAI {}.",
        convention.number,
        french::date_short(effect.signed.on),
        french::date_short(effect.countersigned.on),
        lines.len(),
        french::euros(unit.cents()),
        french::euros(amount.cents()),
        uais.join(", "),
    );
    Some(Ground {
        school_year: year.clone(),
        convention_number: convention.number.clone(),
        payer_signed_on: effect.signed.on,
        issuer_signed_on: effect.countersigned.on,
        took_effect_on: effect.took_effect_on,
        legal_basis,
    })
}

/// Prepares titles in number.
pub fn prepare(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    request: PrepareRequest,
    defaults: &Defaults,
) -> Outcome<BulkView> {
    let preparer =
        actor.user.ok_or_else(|| Refused::new(&PREPARER_UNKNOWN, "Préparer un titre demande un compte nominatif."))?;
    let campaign = campaigns::find_and_hold(tx, year)?;
    let (selection, dry_run) = request.selection(true)?;
    let (now, today) = (tx.now(), tx.today());
    let threshold = campaign.said.small_claims.threshold.unwrap_or_else(|| defaults.thresholds.on(today));
    let policy = campaign.said.small_claims.policy;
    let scene = scene(tx, &campaign)?;
    let all = conventions::of_campaign(tx, campaign.id)?;
    let (payers, mut items) = conventions::payers::chosen(tx, selection)?;
    let chosen = choose(&all, &payers, &mut items);
    let mut prepared: Vec<(Title, Vec<TitleLine>)> = Vec::new();
    let (mut decided, mut revoked) = (Vec::new(), Vec::new());
    for convention in chosen {
        let key = &convention.party.siret;
        let Some(participation) = scene.participations.get(&convention.id) else { continue };
        let titled = scene.titled.get(&convention.id).copied().unwrap_or_default();
        let decision = scene.decisions.get(&participation.id);
        match liquidate(participation.total, titled, threshold, policy) {
            Liquidation::NothingDue => items.push(BulkItem::new(key, "nothing_due")),
            Liquidation::AlreadyTitled => items.push(BulkItem::new(key, "already_prepared")),
            Liquidation::NotIssued { amount } => {
                items.push(BulkItem::new(key, "not_issued").with(small(amount, threshold)));
                if decision.is_none() {
                    decided.push(decision_not_to_issue(
                        tx,
                        convention,
                        participation,
                        amount,
                        threshold,
                        preparer,
                        actor,
                    ));
                }
            }
            Liquidation::Title { amount, small: is_small, flagged } => {
                let owing = match owing(&scene, convention, today) {
                    Ok(owing) => owing,
                    Err(finding) => {
                        items.push(BulkItem::new(key, "refused").with(finding));
                        continue;
                    }
                };
                let lines = scene.lines.get(&participation.id).map(Vec::as_slice).unwrap_or_default();
                let Some(ground) = ground(convention, year, lines, amount) else { continue };
                if let Some(decision) = decision {
                    revoked.push(decision.id.clone());
                }
                let mut findings = owing.findings.clone();
                if is_small {
                    findings.push(small(amount, threshold));
                }
                let title = Title {
                    id: TitleId::new(tx.uuid()),
                    campaign_id: campaign.id,
                    convention_id: convention.id,
                    convention_rank: convention.rank,
                    participation_id: participation.id,
                    debtor_id: owing.collectivite.id,
                    debtor: debtor(&owing),
                    kind: TitleKind::Initial,
                    corrects_id: None,
                    stage: Stage::Prepared,
                    amount,
                    ground,
                    small_claim: is_small,
                    flagged,
                    threshold,
                    findings: findings.clone(),
                    prepared_by: preparer,
                    prepared_by_label: actor.label.clone(),
                    prepared_at: now,
                    document: TitleDocument::None,
                    document_sha256: None,
                    version: 1,
                    created_at: now,
                    updated_at: now,
                };
                let outcome = if flagged { "flagged" } else { "prepared" };
                let mut item = BulkItem::new(key, outcome).with_id(title.id).with_amount(amount);
                item.findings = findings;
                items.push(item);
                prepared.push((title, lines.iter().map(line).collect()));
            }
        }
    }
    store::insert(tx, &prepared, || {
        Refused::new(&CONCURRENT_CHANGE, "Un titre vient d'être préparé pour l'une de ces conventions.")
    })?;
    store::insert_decisions(tx, &decided)?;
    for id in &revoked {
        store::revoke_decision(tx, id, preparer)?;
    }
    let mut entries: Vec<Entry> = prepared
        .iter()
        .map(|(t, _)| {
            let data = json!({ "convention": t.ground.convention_number, "siret": t.debtor.siret, "amount": t.amount });
            Entry::new("title.prepared", "perception_title", t.id, data)
        })
        .collect();
    entries.extend(decided.iter().map(|d| {
        let data = json!({ "amount": d.amount_cents, "threshold": d.threshold_cents });
        Entry::new("title.not_issued", "convention", d.convention_id, data)
    }));
    audit::record_all(tx, actor, &entries)?;
    if dry_run {
        tx.discard();
    }
    const OUTCOMES: [&str; 6] = ["prepared", "flagged", "not_issued", "already_prepared", "nothing_due", "refused"];
    Ok(BulkView::of(items, &OUTCOMES, dry_run))
}

fn small(amount: Money, threshold: Money) -> Finding {
    let message = "Créance sous le seuil d'émission : faculté ouverte par l'art. 114 du décret 2012-1246.";
    Finding::info("small_claim", message).compared(threshold, amount)
}

fn decision_not_to_issue(
    tx: &Tx<'_>,
    convention: &Convention,
    participation: &StoredParticipation,
    amount: Money,
    threshold: Money,
    by: UserId,
    actor: &Actor,
) -> Decision {
    Decision {
        id: tx.uuid().to_string(),
        convention_id: convention.id,
        participation_id: participation.id,
        amount_cents: amount,
        threshold_cents: threshold,
        reason: format!(
            "Montant inférieur au seuil de {} : faculté ouverte par l'art. 114 du décret 2012-1246, politique {} de la campagne.",
            french::euros(threshold.cents()),
            SmallClaimsPolicy::DoNotIssue
        ),
        decided_by: by,
        decided_by_label: actor.label.clone(),
        decided_at: tx.now(),
        revoked_by: None,
        revoked_at: None,
    }
}

fn line(l: &ParticipationLine) -> TitleLine {
    TitleLine {
        uai: l.school.uai.clone(),
        label: l.school.label.clone(),
        commune_name: l.school.commune_name.clone(),
        departement: l.school.departement.clone(),
        quantity: l.amount.quantity,
        unit_amount: l.amount.unit_amount,
        amount: l.amount.amount,
    }
}

/// Which conventions are asked for; a named payer whose convention has no effect yet is told so.
fn choose<'c>(all: &'c [Convention], payers: &Payers, items: &mut Vec<BulkItem>) -> Vec<&'c Convention> {
    let in_effect = || all.iter().filter(|c| c.effect().is_some());
    match payers {
        Payers::All => in_effect().collect(),
        Payers::Among(ids) => in_effect().filter(|c| ids.contains(&c.collectivite_id)).collect(),
        Payers::Named(named) => {
            let mut chosen = Vec::new();
            for (id, key) in named {
                match in_effect().find(|c| c.collectivite_id == *id) {
                    Some(convention) => chosen.push(convention),
                    None => {
                        let message = "Aucune convention de ce payeur n'a pris effet dans cette campagne.";
                        items.push(BulkItem::refused(key, "convention_not_in_effect", message));
                    }
                }
            }
            chosen.sort_by_key(|c| c.rank);
            chosen
        }
    }
}
