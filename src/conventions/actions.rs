//! Use cases of one convention: signatures, refusal, cancellation, expiry, and what is worth a look.

use std::collections::HashMap;

use super::codes::CONVENTION_REPLACED;
use super::convention::{
    Acknowledged, Acknowledgement, Calendar, Convention, ConventionAct, ConventionAction, ConventionEffect,
    ConventionFacts, Stage,
};
use super::events::{self, ConventionEvent, Lifted, Signatures};
use super::request::{ConventionTransition, Transition};
use super::store;
use super::store_refusals::{self as refusals, NewRefusal};
use crate::audit::{self, Moment, Others};
use crate::campaigns::{self, Campaign};
use crate::kernel::ids::{ConventionId, RefusalId};
use crate::kernel::refused::FORBIDDEN;
use crate::kernel::text::fold;
use crate::kernel::{Actor, Finding, Refused, Uai, Version};
use crate::platform::{Falsified, Outcome, Tx};
use crate::registry;

/// One convention.
pub fn find(tx: &mut Tx<'_>, id: ConventionId) -> Outcome<Convention> {
    Ok(store::find(tx, id)?.ok_or_else(|| Refused::not_found("Convention", id))?)
}

/// One convention, when it is within reach of who asks: a commune's link opens its own payer's and campaign's, and does not
/// tell which others there are.
pub fn find_for(tx: &mut Tx<'_>, actor: &Actor, id: ConventionId) -> Outcome<Convention> {
    let found = find(tx, id)?;
    if actor.principal.reaches(found.collectivite_id, found.campaign_id) {
        return Ok(found);
    }
    Err(Refused::not_found("Convention", id).into())
}

/// Whether an action, with what it brings, is for who does it: a finding is lifted by an agent.
fn admit(actor: &Actor, request: &ConventionTransition) -> Result<(), Refused> {
    audit::may(&actor.principal, events::verb(request.action))?;
    if actor.principal.invitation().is_some() && !request.acknowledged.is_empty() {
        let detail = "Un point à vérifier est levé par un agent de la région académique, avec son motif.";
        return Err(Refused::new(&FORBIDDEN, detail));
    }
    Ok(())
}

/// When others have their word on a convention's action: what they have against `cancel` and `correct_signature` is asked.
#[must_use]
pub const fn moment(action: ConventionAction) -> Moment {
    Moment(match action {
        ConventionAction::Sign => "convention.sign",
        ConventionAction::Countersign => "convention.countersign",
        ConventionAction::CorrectSignature => "convention.correct_signature",
        ConventionAction::Decline => "convention.decline",
        ConventionAction::Reopen => "convention.reopen",
        ConventionAction::Cancel => "convention.cancel",
    })
}

/// Moves a convention along its lifecycle.
pub fn transition(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, read): (ConventionId, Option<&Version>),
    request: &ConventionTransition,
    others: &Others,
) -> Outcome<Convention> {
    let mut found = find_for(tx, actor, id)?;
    admit(actor, request)?;
    let campaign = campaigns::by_id(tx, found.campaign_id)?;
    // Titles are prepared, and enrolments taken up, by who holds the campaign: none may appear while what they rest on
    // goes or changes.
    if !matches!(request.action, ConventionAction::Sign | ConventionAction::Countersign) {
        campaigns::find_and_hold(tx, &campaign.said.school_year)?;
        found = find(tx, id)?;
    }
    read.map_or(Ok(()), |read| read.admits(found.version))?;
    let mut facts = facts(tx, (&found, &campaign), request.action, others)?;
    let said = request.clone().complete()?;
    if let Transition::Countersign(signature, _) = &said {
        facts.findings.extend(countersigner(&campaign, signature.name.as_str()));
    }
    let before = found.clone();
    let act = act(tx, actor, &said);
    let (mut next, effect) = found.apply(act, &facts)?;
    match effect {
        ConventionEffect::Nothing => {}
        ConventionEffect::FreesSchools => {
            campaigns::unpin(tx, id)?;
        }
        ConventionEffect::TakesSchoolsBack => take_back(tx, &next)?,
    }
    match &said {
        Transition::Decline { on, by, reason, .. } => {
            let (by, reason) = (by.clone(), reason.clone());
            let refusal = NewRefusal { id: RefusalId::new(tx.uuid()), convention: id, on: *on, by, reason };
            refusals::insert(tx, actor, &refusal)?;
        }
        Transition::Reopen(reason) => refusals::reopen(tx, actor, id, reason)?,
        _ => {}
    }
    store::save(tx, &mut next)?;
    audit::record(tx, actor, events::of(&next), told(&said, &before, &next))?;
    others.follow(tx, actor, moment(request.action), &events::of(&next))?;
    Ok(next)
}

/// What an action rests on beside the convention.
fn facts(
    tx: &mut Tx<'_>,
    (found, campaign): (&Convention, &Campaign),
    action: ConventionAction,
    others: &Others,
) -> Outcome<ConventionFacts> {
    let calendar = Calendar { convention_date: campaign.said.convention_date, today: tx.today() };
    let mut facts = ConventionFacts {
        calendar,
        vetoes: Vec::new(),
        replaced_by: None,
        findings: Vec::new(),
        policy: campaign.said.countersign_policy,
    };
    match action {
        ConventionAction::Sign | ConventionAction::Decline => {}
        ConventionAction::Countersign => facts.findings = findings(tx, found)?,
        ConventionAction::CorrectSignature | ConventionAction::Cancel => {
            facts.vetoes = others.vetoes(tx, moment(action), &events::of(found))?;
        }
        ConventionAction::Reopen => {
            facts.replaced_by = store::living_number(tx, found.campaign_id, found.collectivite_id)?;
        }
    }
    Ok(facts)
}

fn act(tx: &Tx<'_>, actor: &Actor, said: &Transition) -> ConventionAct {
    match said.clone() {
        Transition::Sign(signature, all) => {
            ConventionAct::Sign { signature, acknowledged: acknowledgements(actor, tx, all) }
        }
        Transition::Countersign(signature, all) => {
            ConventionAct::Countersign { signature, acknowledged: acknowledgements(actor, tx, all) }
        }
        Transition::Correct(correction, all, _) => {
            ConventionAct::CorrectSignature { correction, acknowledged: acknowledgements(actor, tx, all) }
        }
        Transition::Decline { on, reason, acknowledged, .. } => {
            ConventionAct::Decline { on, reason, acknowledged: acknowledgements(actor, tx, acknowledged) }
        }
        Transition::Reopen(_) => ConventionAct::Reopen,
        Transition::Cancel(reason) => ConventionAct::Cancel { reason },
    }
}

/// How the journal tells what was done.
fn told(said: &Transition, before: &Convention, after: &Convention) -> ConventionEvent {
    // What an act acknowledges is added at the end.
    let acknowledged: Vec<Lifted> =
        after.acknowledged.iter().skip(before.acknowledged.len()).map(Lifted::from).collect();
    match said {
        Transition::Sign(signature, _) => ConventionEvent::Signed { signature: signature.into(), acknowledged },
        Transition::Countersign(signature, _) => {
            ConventionEvent::Countersigned { signature: signature.into(), acknowledged }
        }
        Transition::Correct(correction, _, reason) => ConventionEvent::SignatureCorrected {
            signed_by: correction.of.to_string(),
            before: signatures(before).into(),
            after: signatures(after).into(),
            acknowledged,
            reason: reason.to_string().into(),
        },
        Transition::Decline { on, by, reason, .. } => ConventionEvent::Declined {
            acknowledged,
            declined_on: *on,
            declined_by: by.to_string().into(),
            reason: reason.to_string().into(),
        },
        Transition::Reopen(reason) => ConventionEvent::Reopened { reason: reason.to_string().into() },
        Transition::Cancel(reason) => ConventionEvent::Cancelled { reason: reason.to_string().into() },
    }
}

fn acknowledgements(actor: &Actor, tx: &Tx<'_>, all: Vec<Acknowledged>) -> Vec<Acknowledgement> {
    let (by, at) = (&actor.label, tx.now());
    all.into_iter()
        .map(|a| Acknowledgement { code: a.code.to_string(), reason: a.reason, by: by.clone(), at })
        .collect()
}

fn signatures(convention: &Convention) -> Signatures {
    let (payer, issuer) = match &convention.stage {
        Stage::Signed(signed) => (Some(signed), None),
        Stage::Active(e) | Stage::Expired(e, _) => (Some(&e.signed), Some(&e.countersigned)),
        _ => (None, None),
    };
    Signatures { payer: payer.map(Into::into), issuer: issuer.map(Into::into) }
}

/// The schools return to a convention whose refusal is taken back, if they are still free.
fn take_back(tx: &mut Tx<'_>, convention: &Convention) -> Outcome<()> {
    let participation = store::latest_participation(tx, convention.id)?;
    let lines = store::lines(tx, &[participation.id])?;
    let covered: Vec<(Uai, ConventionId)> = lines.into_iter().map(|(_, l)| (l.school.uai, convention.id)).collect();
    if campaigns::pin(tx, convention.campaign_id, &covered)? != covered.len() {
        let detail = "Une école de la convention n'est plus inscrite, ou figure dans une autre convention.";
        return Err(Refused::new(&CONVENTION_REPLACED, detail).into());
    }
    Ok(())
}

/// Why an action would be refused now, before anything is said of who signs and when.
pub fn refusal(
    tx: &mut Tx<'_>,
    (convention, campaign): (&Convention, &Campaign),
    action: ConventionAction,
    others: &Others,
) -> Outcome<Option<Refused>> {
    let facts = facts(tx, (convention, campaign), action, others)?;
    Ok(convention.admits(action, &facts).err())
}

/// The name under the countersignature is expected to be the campaign's signatory.
fn countersigner(campaign: &campaigns::Campaign, name: &str) -> Option<Finding> {
    let signatory = &campaign.said.texts.as_ref()?.signatory;
    let expected = format!("{} {}", signatory.first_name, signatory.last_name);
    if fold(&expected) == fold(name) {
        return None;
    }
    let message = "Le contreseing n'est pas celui du signataire de la campagne : vérifier la délégation de signature.";
    Some(Finding::to_acknowledge("countersigned_by_other", message).compared(expected, name))
}

/// What is worth a look: the frozen convention compared with the registry of today.
pub fn findings(tx: &mut Tx<'_>, convention: &Convention) -> Outcome<Vec<Finding>> {
    let participation = store::latest_participation(tx, convention.id)?;
    let lines = store::lines(tx, &[participation.id])?;
    let uais: Vec<Uai> = lines.iter().map(|(_, l)| l.school.uai.clone()).collect();
    findings_about(tx, convention, &uais)
}

/// The same, when the schools listed are known already.
pub(super) fn findings_about(tx: &mut Tx<'_>, convention: &Convention, uais: &[Uai]) -> Outcome<Vec<Finding>> {
    let mut findings = Vec::new();
    let schools: HashMap<Uai, _> =
        registry::schools_by_uai(tx, uais)?.into_iter().map(|s| (s.said.uai.clone(), s)).collect();
    let today = tx.today();
    let payer = registry::collectivite_by_id(tx, convention.collectivite_id)?;
    let facts = payer.as_ref().map(registry::facts);
    for school in uais.iter().filter_map(|u| schools.get(u)) {
        if school.is_closed_on(today) {
            let message = format!("L'école {} a fermé depuis l'émission.", school.said.uai);
            let mut finding = Finding::to_acknowledge("school_closed_since_signature", message);
            finding.found = school.said.closed_on.map(|d| d.to_string());
            findings.push(finding);
        }
        findings.extend(school.findings(facts.as_ref()).into_iter().filter(|f| f.code == "siren_differs"));
    }
    if let Some(payer) = &payer
        && payer.said.siret != convention.party.siret
    {
        let message = "Le SIRET de la collectivité a changé : les papiers émis gardent l'ancien.";
        findings.push(Finding::info("siret_replaced", message).compared(&payer.said.siret, &convention.party.siret));
    }
    let successions = registry::successions(tx)?;
    let (live, link) = registry::last_successor(&successions, convention.collectivite_id, Some(today));
    if live != convention.collectivite_id
        && let Some(successor) = registry::collectivite_by_id(tx, live)?
    {
        let act = link.map(|l| l.act_reference.to_string()).unwrap_or_default();
        let message =
            format!("La collectivité signataire a un successeur ({act}) : c'est lui qui devra la participation.");
        let finding = Finding::to_acknowledge("debtor_changed", message);
        findings.push(finding.compared(&successor.said.siret, &convention.party.siret));
    }
    if let Some(effect) = convention.effect() {
        let start = campaigns::school_year(tx, convention.campaign_id)?.starts_on();
        if effect.took_effect_on > start {
            let message = "Prise d'effet après la rentrée : la participation reste due en entier (art. 4).";
            findings.push(Finding::info("effect_after_school_start", message).compared(start, effect.took_effect_on));
        }
    }
    Ok(findings)
}

/// What the daily expiry did.
#[derive(Debug)]
pub struct Expiry {
    pub expired: usize,
    /// Those it could not read.
    pub damaged: Vec<Falsified>,
}

/// Expires the conventions whose end is past.
pub fn expire_due(tx: &mut Tx<'_>, actor: &Actor) -> Outcome<Expiry> {
    let today = tx.today();
    let (due, damaged) = store::overdue(tx, today)?;
    let mut expired = 0;
    for convention in due {
        let (mut next, changed) = convention.expire(today);
        if changed {
            store::save(tx, &mut next)?;
            let event = ConventionEvent::Expired { ends_on: next.ends_on };
            audit::record(tx, actor, events::of(&next), event)?;
            expired += 1;
        }
    }
    Ok(Expiry { expired, damaged })
}
