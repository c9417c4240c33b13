//! Use cases of the registry for one thing at a time; imports are in `import_actions`.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::codes::{PAYER_UNKNOWN, SIRET_TAKEN, SUCCESSION_EXISTS, SUCCESSION_LOOP, UAI_TAKEN};
use super::collectivite::{Collectivite, CollectiviteIdentity};
use super::events::{self, RegistryEvent};
use super::http_views::{PayerView, SchoolView};
use super::import_actions::hold;
use super::kinds::{SetBy, SuccessionKind};
use super::school::{self, PayerFacts, PayerPeriod, SaidSchool, School, SchoolIdentity};
use super::store_collectivites::{self as collectivites, Succession};
use super::store_schools as schools;
use super::{ambiguity, calendar};
use crate::audit::{self, Changes};
use crate::kernel::Version;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::Line;
use crate::kernel::{Actor, FieldFault, Finding, Refused, Siret, Uai};
use crate::platform::{Outcome, Tx};

fn siret_taken(siret: &Siret) -> Refused {
    Refused::new(&SIRET_TAKEN, format!("Le SIRET {siret} est déjà celui d'une collectivité enregistrée."))
}

/// Registers a collectivité.
pub fn create_collectivite(tx: &mut Tx<'_>, actor: &Actor, said: CollectiviteIdentity) -> Outcome<Collectivite> {
    calendar::collectivite(&said, None, tx.today())?;
    let new = Collectivite::said_by_person(CollectiviteId::new(tx.uuid()), said, tx.now());
    let siret = new.said.siret.clone();
    collectivites::insert(tx, std::slice::from_ref(&new), || siret_taken(&siret))?;
    claim_insee(tx, &new)?;
    let (identity, contact) = audit::parted(&new.said, events::PERSONAL)?;
    audit::record(tx, actor, events::of(&new), RegistryEvent::CollectiviteCreated { identity, contact })?;
    Ok(new)
}

/// A commune answers for its INSEE code unless another already does.
fn claim_insee(tx: &mut Tx<'_>, c: &Collectivite) -> Outcome<()> {
    if let Some(insee) = &c.said.insee_code
        && c.said.kind == super::kinds::CollectiviteKind::Commune
        && collectivites::insee_holder(tx, insee)?.is_none()
    {
        collectivites::claim_insee_code(tx, insee, c.id)?;
    }
    Ok(())
}

/// A collectivité by one of its SIRETs; a former one is told by the finding `siret_replaced`.
pub fn collectivite(tx: &mut Tx<'_>, siret: &Siret) -> Outcome<(Collectivite, Vec<Finding>)> {
    let found = collectivites::find_by_siret(tx, siret)?.ok_or_else(|| Refused::not_found("Collectivité", siret))?;
    let mut findings = Vec::new();
    if found.said.siret != *siret {
        let message = "Ce SIRET a été remplacé ; voici la collectivité sous son SIRET actuel.";
        findings.push(Finding::info("siret_replaced", message).compared(&found.said.siret, siret));
    }
    Ok((found, findings))
}

/// What a person makes of what is known: as it becomes, and the fields they name.
pub type Change<'c, Known, Said> = dyn Fn(Known) -> Outcome<(Said, Vec<String>)> + 'c;

/// Changes what a person may change; the fields of the patch become theirs.
pub fn patch_collectivite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    siret: &Siret,
    read: &Version,
    change: &Change<'_, CollectiviteIdentity, CollectiviteIdentity>,
) -> Outcome<Collectivite> {
    let (mut found, _) = collectivite(tx, siret)?;
    read.admits(found.version)?;
    let (said, fields) = change(found.said.clone())?;
    if said.siret != found.said.siret {
        let fault = FieldFault::new(
            "siret_immutable",
            "Un SIRET ne se corrige pas ici : enregistrer son remplacement (…/sirets).",
        );
        return Err(Refused::field("/siret", &fault, Some(said.siret.to_string())).into());
    }
    calendar::collectivite(&said, Some(&found.said), tx.today())?;
    let changes = Changes::between(&found.said, &said, events::PERSONAL)?;
    let writes_to = fields.iter().any(|field| field == "contact_email");
    found.rewritten(said, fields);
    collectivites::save(tx, &mut found)?;
    claim_insee(tx, &found)?;
    audit::record(tx, actor, events::of(&found), RegistryEvent::CollectiviteChanged { changes })?;
    if writes_to {
        ambiguity::settle(tx, actor, found.id, ambiguity::TOLD_BY_A_PERSON)?;
    }
    Ok(found)
}

/// Un nouveau SIRET sous lequel la même collectivité continue.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiretRequest)]
pub struct ReplaceSiret {
    pub siret: Siret,
    /// Premier jour du nouveau SIRET.
    #[serde(with = "crate::kernel::dates::day")]
    pub from: NaiveDate,
}

/// Records that a SIRET was replaced; papers already issued keep the old one.
pub fn change_siret(tx: &mut Tx<'_>, actor: &Actor, siret: &Siret, new: &ReplaceSiret) -> Outcome<Collectivite> {
    let (mut found, _) = collectivite(tx, siret)?;
    calendar::siret(new.from, tx.today())?;
    let old = found.said.siret.clone();
    let began = collectivites::sirets(tx, found.id)?.into_iter().find(|s| s.siret == old).and_then(|s| s.valid_from);
    if let Some(began) = began.filter(|began| new.from <= *began) {
        let fault = FieldFault::new("date_order", format!("Le SIRET actuel commence le {began} : le suivant, après."));
        return Err(Refused::field("/from", &fault, Some(new.from.to_string())).into());
    }
    collectivites::replace_siret(tx, found.id, &old, &new.siret, new.from, || siret_taken(&new.siret))?;
    found.said.siret = new.siret.clone();
    collectivites::save(tx, &mut found)?;
    let event = RegistryEvent::SiretReplaced { former: old, siret: new.siret.clone(), from: new.from };
    audit::record(tx, actor, events::of(&found), event)?;
    Ok(found)
}

/// Une collectivité prend la place d'une autre.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuccessionRequest)]
pub struct RecordSuccession {
    pub kind: SuccessionKind,
    pub successor_siret: Siret,
    #[serde(with = "crate::kernel::dates::day")]
    pub effective_on: NaiveDate,
    /// L'acte, par exemple « arrêté préfectoral du 12 décembre 2024 ».
    pub act_reference: Line,
}

/// Records a succession: from its date the successor pays for the predecessor's schools.
pub fn record_succession(
    tx: &mut Tx<'_>,
    actor: &Actor,
    siret: &Siret,
    request: &RecordSuccession,
) -> Outcome<Collectivite> {
    // Two successions recorded at once could close a loop that neither sees.
    hold(tx)?;
    let (mut predecessor, _) = collectivite(tx, siret)?;
    let (successor, _) = collectivite(tx, &request.successor_siret)?;
    calendar::succession(request.effective_on, tx.today())?;
    let chain: HashMap<_, _> = collectivites::successions(tx)?.into_iter().map(|s| (s.predecessor_id, s)).collect();
    if successor.id == predecessor.id || last_successor(&chain, successor.id, None).0 == predecessor.id {
        return Err(Refused::new(
            &SUCCESSION_LOOP,
            "Le successeur désigné est lui-même remplacé par cette collectivité.",
        )
        .into());
    }
    let succession = Succession {
        predecessor_id: predecessor.id,
        successor_id: successor.id,
        kind: request.kind,
        effective_on: request.effective_on,
        act_reference: request.act_reference.clone(),
        recorded_by: actor.label.clone(),
        recorded_at: tx.now(),
    };
    collectivites::insert_succession(tx, &succession, || {
        Refused::new(&SUCCESSION_EXISTS, "Cette collectivité a déjà un successeur enregistré.")
    })?;
    // A transfer of competence leaves the body alive; the two others end it.
    if request.kind != SuccessionKind::Transfer {
        predecessor.said.closed_on = request.effective_on.pred_opt();
    }
    collectivites::save(tx, &mut predecessor)?;
    inherit(tx, predecessor.id, successor.id, request.effective_on)?;
    let event = RegistryEvent::Succeeded {
        kind: request.kind.to_string(),
        successor: successor.id,
        successor_siret: request.successor_siret.clone(),
        effective_on: request.effective_on,
        act_reference: request.act_reference.to_string(),
    };
    audit::record(tx, actor, events::of(&predecessor), event)?;
    Ok(predecessor)
}

/// From a date on, the heir pays for what its predecessor paid for.
fn inherit(tx: &mut Tx<'_>, from: CollectiviteId, to: CollectiviteId, effective_on: NaiveDate) -> Outcome<()> {
    let paid = |periods: &[PayerPeriod]| {
        periods.iter().any(|p| p.collectivite_id == from && p.until.is_none_or(|u| u > effective_on))
    };
    let uais: Vec<Uai> =
        schools::all_payers(tx)?.into_iter().filter(|(_, periods)| paid(periods)).map(|(uai, _)| uai).collect();
    let mut touched = schools::by_uais(tx, &uais)?;
    touched.sort_by(|a, b| a.said.uai.cmp(&b.said.uai));
    for school in &mut touched {
        // The school's row first: it is what two writers of its payers meet at. Its version tells who follows changes.
        schools::save(tx, school)?;
    }
    for (uai, periods) in schools::payers_of(tx, &uais)? {
        let heir = PayerPeriod { from: effective_on, until: None, collectivite_id: to, set_by: SetBy::Person };
        schools::replace_payers(tx, &uai, &school::with_payer(periods, heir))?;
    }
    Ok(())
}

/// Follows successions to the end (or to those in force on a day); gives the last link too.
#[must_use]
pub fn last_successor(
    chain: &HashMap<CollectiviteId, Succession>,
    id: CollectiviteId,
    on: Option<NaiveDate>,
) -> (CollectiviteId, Option<&Succession>) {
    let (mut current, mut link) = (id, None);
    // Loops are refused when recorded; the bound keeps a damaged table from spinning.
    for _ in 0..chain.len() {
        match chain.get(&current) {
            Some(next) if on.is_none_or(|day| next.effective_on <= day) => {
                current = next.successor_id;
                link = Some(next);
            }
            _ => break,
        }
    }
    (current, link)
}

/// Registers a school and its payer: the one named, else the commune of its INSEE code.
pub fn create_school(tx: &mut Tx<'_>, actor: &Actor, said: SaidSchool) -> Outcome<SchoolView> {
    calendar::school(&said, None, tx.today())?;
    let SaidSchool { identity: said, payer, payer_from: from } = said;
    let identity = serde_json::to_value(&said)?;
    let uai = said.uai.clone();
    let new = School::said_by_person(said, tx.now());
    let payer = match payer {
        Some(siret) => Some(known_payer(tx, &siret)?),
        None => collectivites::find_by_insee(tx, &new.said.insee_code)?,
    };
    schools::insert(tx, std::slice::from_ref(&new), || {
        Refused::new(&UAI_TAKEN, format!("L'école {uai} est déjà enregistrée."))
    })?;
    if let Some(payer) = payer {
        let period = PayerPeriod {
            from: from.unwrap_or_else(school::since_ever),
            until: None,
            collectivite_id: payer.id,
            set_by: SetBy::Person,
        };
        schools::insert_payers(tx, &[(uai.clone(), period)])?;
    }
    audit::record(tx, actor, events::of_school(&uai), RegistryEvent::SchoolCreated { identity })?;
    school_view(tx, &uai)
}

fn known_payer(tx: &mut Tx<'_>, siret: &Siret) -> Outcome<Collectivite> {
    let fault = || Refused::new(&PAYER_UNKNOWN, format!("Aucune collectivité enregistrée sous le SIRET {siret}."));
    let found = collectivites::find_by_siret(tx, siret)?.ok_or_else(|| {
        let mut refused = fault();
        refused.errors.push(crate::kernel::FieldError {
            pointer: "/payer_siret".into(),
            code: "payer_unknown".into(),
            message: refused.detail.clone(),
            value: Some(siret.to_string()),
        });
        refused
    })?;
    Ok(found)
}

/// Qui paie pour une école à compter d'une date.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PayerRequest)]
pub struct SetPayer {
    pub payer_siret: Siret,
    /// Premier jour où elle paie ; absent : depuis l'origine.
    #[serde(default, with = "crate::kernel::dates::some_day")]
    pub payer_from: Option<NaiveDate>,
}

/// A person says who pays; imports will not change it.
pub fn set_payer(tx: &mut Tx<'_>, actor: &Actor, uai: &Uai, request: &SetPayer) -> Outcome<SchoolView> {
    let mut found = schools::find(tx, uai)?.ok_or_else(|| Refused::not_found("École", uai))?;
    calendar::payer(request.payer_from, tx.today())?;
    let payer = known_payer(tx, &request.payer_siret)?;
    // The school's row first: the second of two writers finds it changed, and reads no periods that are going.
    schools::save(tx, &mut found)?;
    let periods = schools::payers_of(tx, std::slice::from_ref(uai))?.remove(uai).unwrap_or_default();
    let new = PayerPeriod {
        from: request.payer_from.unwrap_or_else(school::since_ever),
        until: None,
        collectivite_id: payer.id,
        set_by: SetBy::Person,
    };
    schools::replace_payers(tx, uai, &school::with_payer(periods, new))?;
    let event = RegistryEvent::PayerSet { payer_siret: request.payer_siret.clone(), payer_from: request.payer_from };
    audit::record(tx, actor, events::of_school(uai).of_payer(payer.id), event)?;
    school_view(tx, uai)
}

/// Changes what a person may change of a school.
pub fn patch_school(
    tx: &mut Tx<'_>,
    actor: &Actor,
    uai: &Uai,
    read: &Version,
    change: &Change<'_, SchoolIdentity, SaidSchool>,
) -> Outcome<SchoolView> {
    let mut found = schools::find(tx, uai)?.ok_or_else(|| Refused::not_found("École", uai))?;
    read.admits(found.version)?;
    let (said, fields) = change(found.said.clone())?;
    if said.identity.uai != *uai {
        let fault = FieldFault::new("uai_immutable", "Un UAI ne se corrige pas : c'est une autre école.");
        return Err(Refused::field("/uai", &fault, Some(said.identity.uai.to_string())).into());
    }
    calendar::school(&said, Some(&found.said), tx.today())?;
    let SaidSchool { identity: said, payer, payer_from } = said;
    let payer = payer.map(|payer_siret| SetPayer { payer_siret, payer_from });
    let changed = events::school_changed(&found.said, &said)?;
    found.rewritten(said, fields);
    schools::save(tx, &mut found)?;
    audit::record_all(tx, actor, changed.as_slice())?;
    match payer {
        Some(payer) => set_payer(tx, actor, uai, &payer),
        None => school_view(tx, uai),
    }
}

/// One school, with who pays today and what is worth a look.
pub fn school_view(tx: &mut Tx<'_>, uai: &Uai) -> Outcome<SchoolView> {
    let found = schools::find(tx, uai)?.ok_or_else(|| Refused::not_found("École", uai))?;
    school_views(tx, vec![found])?.pop().ok_or_else(|| Refused::new(&CONCURRENT_CHANGE, "L'école a disparu.").into())
}

/// Schools with who pays today and what is worth a look.
pub fn school_views(tx: &mut Tx<'_>, found: Vec<School>) -> Outcome<Vec<SchoolView>> {
    let today = tx.today();
    let uais: Vec<Uai> = found.iter().map(|s| s.said.uai.clone()).collect();
    let periods = schools::payers_of(tx, &uais)?;
    let ids: Vec<CollectiviteId> = periods.values().flatten().map(|p| p.collectivite_id).collect();
    let payers: HashMap<_, _> = collectivites::by_ids(tx, &ids)?.into_iter().map(|c| (c.id, c)).collect();
    Ok(found
        .into_iter()
        .map(|s| {
            let period = periods.get(&s.said.uai).and_then(|p| school::payer_on(p, today));
            let payer = period.and_then(|p| payers.get(&p.collectivite_id).map(|c| (p, c)));
            let facts = payer.map(|(_, c)| facts(c));
            SchoolView {
                findings: s.findings(facts.as_ref()),
                payer: payer.map(|(p, c)| PayerView {
                    siret: c.said.siret.clone(),
                    name: c.said.name.clone(),
                    from: (p.from != school::since_ever()).then_some(p.from),
                    until: p.until,
                    set_by: p.set_by,
                }),
                said: s.said.into(),
                departement: s.departement,
                official_siret: s.official_siret,
                version: s.version,
                created_at: s.created_at,
                updated_at: s.updated_at,
            }
        })
        .collect())
}

/// What a school's checks need of its payer.
#[must_use]
pub fn facts(c: &Collectivite) -> PayerFacts {
    PayerFacts { siren: c.siren(), departement: c.departement.clone() }
}
