//! Use cases of one convention: signatures, cancellation, expiry, and what is worth a look.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::convention::{Acknowledged, Acknowledgement, Convention, ConventionAction, Signature};
use super::store;
use crate::audit::{self, Entry};
use crate::campaigns;
use crate::kernel::ids::ConventionId;
use crate::kernel::text::{Line, Note, fold};
use crate::kernel::{Actor, FieldFault, Finding, Refused, Uai};
use crate::platform::web::IfMatch;
use crate::platform::{Outcome, Tx};
use crate::registry;

/// Qui a signé.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatoryRequest {
    /// Nom tel qu'il figure sous la signature.
    pub name: Line,
    /// Qualité : « Maire », « Rectrice ».
    pub title: Line,
}

/// Une action sur une convention.
///
/// `sign` : la collectivité a signé (`signed_on`, `signatory`, `evidence`). `countersign` : la région académique a
/// signé (`signed_on`, `signatory`, `acknowledged`). `cancel` : annulée avant tout titre (`reason`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConventionTransitionRequest)]
pub struct TransitionRequest {
    pub action: ConventionAction,
    /// Jour écrit sous la signature ; pour `sign` et `countersign`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::kernel::dates::some_day")]
    pub signed_on: Option<NaiveDate>,
    /// Qui a signé ; pour `sign` et `countersign`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatory: Option<SignatoryRequest>,
    /// Ce qui montre la signature : « original reçu par courrier le … » ; pour `sign`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Note>,
    /// Constats levés, chacun avec son motif ; pour `countersign`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledged: Vec<Acknowledged>,
    /// Motif ; pour `cancel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

/// A complete transition: the fields its action needs, all of them, and no other.
enum Transition {
    Sign(Signature),
    Countersign(Signature, Vec<Acknowledged>),
    Cancel(Note),
}

fn needed<T>(pointer: &str, value: Option<T>, action: ConventionAction) -> Result<T, Refused> {
    let fault = || FieldFault::new("missing_field", format!("Champ obligatoire pour l'action « {action} »."));
    value.ok_or_else(|| Refused::field(pointer, &fault(), None))
}

fn unneeded(pointer: &str, given: bool, action: ConventionAction) -> Result<(), Refused> {
    let fault = || FieldFault::new("field_not_for_action", format!("Champ sans objet pour l'action « {action} »."));
    if given { Err(Refused::field(pointer, &fault(), None)) } else { Ok(()) }
}

impl TransitionRequest {
    fn complete(self) -> Result<Transition, Refused> {
        let action = self.action;
        unneeded("/evidence", self.evidence.is_some() && action != ConventionAction::Sign, action)?;
        unneeded("/acknowledged", !self.acknowledged.is_empty() && action != ConventionAction::Countersign, action)?;
        unneeded("/reason", self.reason.is_some() && action != ConventionAction::Cancel, action)?;
        if action == ConventionAction::Cancel {
            unneeded("/signed_on", self.signed_on.is_some(), action)?;
            unneeded("/signatory", self.signatory.is_some(), action)?;
            return Ok(Transition::Cancel(needed("/reason", self.reason, action)?));
        }
        let on = needed("/signed_on", self.signed_on, action)?;
        let who = needed("/signatory", self.signatory, action)?;
        let signature = Signature { on, name: who.name, title: who.title, evidence: self.evidence };
        Ok(match action {
            ConventionAction::Countersign => Transition::Countersign(signature, self.acknowledged),
            _ => Transition::Sign(signature),
        })
    }
}

/// One convention.
pub fn find(tx: &mut Tx<'_>, id: ConventionId) -> Outcome<Convention> {
    Ok(store::find(tx, id)?.ok_or_else(|| Refused::not_found("Convention", id))?)
}

/// Moves a convention along its lifecycle.
pub fn transition(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ConventionId,
    read: Option<&IfMatch>,
    request: &TransitionRequest,
) -> Outcome<Convention> {
    let mut found = find(tx, id)?;
    if request.action == ConventionAction::Cancel {
        // Titles are prepared, and enrolments taken up, by who holds the campaign: none may appear while this one goes.
        let campaign = campaigns::by_id(tx, found.campaign_id)?;
        campaigns::find_and_hold(tx, &campaign.said.school_year)?;
        found = find(tx, id)?;
    }
    read.map_or(Ok(()), |read| read.admits(found.version))?;
    let today = tx.today();
    let mut next = match request.clone().complete()? {
        Transition::Sign(signature) => found.sign(signature, today)?,
        Transition::Countersign(signature, acknowledged) => {
            let (by, at) = (actor.label.clone(), tx.now());
            let acknowledged = acknowledged
                .into_iter()
                .map(|a| Acknowledgement { code: a.code.to_string(), reason: a.reason, by: by.clone(), at })
                .collect();
            let campaign = campaigns::by_id(tx, found.campaign_id)?;
            let mut findings = findings(tx, &found)?;
            findings.extend(countersigner(&campaign, signature.name.as_str()));
            found.countersign(signature, acknowledged, &findings, campaign.said.countersign_policy, today)?
        }
        Transition::Cancel(reason) => {
            let titled = store::has_title(tx, id)?;
            let cancelled = found.cancel(reason, titled, today)?;
            campaigns::unpin(tx, id)?;
            cancelled
        }
    };
    store::save(tx, &mut next)?;
    let action = match request.action {
        ConventionAction::Sign => "convention.signed",
        ConventionAction::Countersign => "convention.countersigned",
        ConventionAction::Cancel => "convention.cancelled",
    };
    audit::record(tx, actor, Entry::new(action, "convention", &next.number, serde_json::to_value(request)?))?;
    Ok(next)
}

/// Why an action would be refused now, before anything is said of who signs and when.
pub fn refusal(tx: &mut Tx<'_>, convention: &Convention, action: ConventionAction) -> Outcome<Option<Refused>> {
    if let Err(refused) = convention.in_state_for(action) {
        return Ok(Some(refused));
    }
    let judged = match action {
        ConventionAction::Sign => Ok(()),
        ConventionAction::Countersign => {
            let policy = campaigns::by_id(tx, convention.campaign_id)?.said.countersign_policy;
            convention.findings_lifted(&findings(tx, convention)?, &[], policy)
        }
        ConventionAction::Cancel => convention.without_title(store::has_title(tx, convention.id)?),
    };
    Ok(judged.err())
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

/// Expires the conventions whose end is past; returns how many.
pub fn expire_due(tx: &mut Tx<'_>, actor: &Actor) -> Outcome<usize> {
    let today = tx.today();
    let mut count = 0;
    for convention in store::overdue(tx, today)? {
        let (mut next, changed) = convention.expire(today);
        if changed {
            store::save(tx, &mut next)?;
            let entry = Entry::new("convention.expired", "convention", &next.number, json!({ "on": next.ends_on }));
            audit::record(tx, actor, entry)?;
            count += 1;
        }
    }
    Ok(count)
}
