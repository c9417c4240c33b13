//! Use cases of campaigns and enrolments.

use std::collections::{HashMap, HashSet};

use super::bulk::{BulkItem, BulkRequest, BulkView, Selection};
use super::campaign::{Campaign, CampaignState};
use super::codes::{CAMPAIGN_EXISTS, CAMPAIGN_STATE, ENROLMENT_COVERED};
use super::enrolment::{Enrol, Enrolment, EnrolmentDetails, EnrolmentOrigin, SchoolSelection};
use super::enrolment_import::EnrolmentRow;
use super::events::{self, CampaignEvent};
use super::terms::CampaignTerms;
use super::texts::CampaignTexts;
use super::thresholds::Thresholds;
use super::withdrawal::Withdrawal;
use super::withdrawals;
use super::{calendar, enrolment_import, store};
use crate::audit::{self, Changes, Entry};
use crate::kernel::ids::{CampaignId, EnrolmentId};
use crate::kernel::version::{PRECONDITION_FAILED, PRECONDITION_REQUIRED};
use crate::kernel::{Actor, Finding, Refused, SchoolYear, Uai, Version};
use crate::platform::db::counters;
use crate::platform::tabular::Table;
use crate::platform::{Outcome, Tx};
use crate::registry::{self, ImportView, Kept, School, SchoolFilter, Sifted};

/// Creates the campaign of a school year.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, said: CampaignTerms, thresholds: &Thresholds) -> Outcome<Campaign> {
    said.check_new(tx.today(), thresholds)?;
    let now = tx.now();
    let year = said.school_year.clone();
    let new = Campaign {
        id: CampaignId::new(tx.uuid()),
        said,
        state: CampaignState::Preparing,
        opened_at: None,
        closed_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    store::insert(tx, &new, || Refused::new(&CAMPAIGN_EXISTS, format!("La campagne {year} existe déjà.")))?;
    let (terms, texts) = events::terms(&new.said)?;
    audit::record(tx, actor, events::of(&new), CampaignEvent::Created { terms, texts })?;
    Ok(new)
}

/// The campaign of a school year.
pub fn find(tx: &mut Tx<'_>, year: &SchoolYear) -> Outcome<Campaign> {
    Ok(store::find(tx, year)?.ok_or_else(|| Refused::not_found("Campagne", year))?)
}

/// The campaign, held until the end of the transaction: acts in number on one campaign take turns.
pub fn find_and_hold(tx: &mut Tx<'_>, year: &SchoolYear) -> Outcome<Campaign> {
    counters::lock(tx, &format!("campaign:{year}"))?;
    find(tx, year)
}

/// A campaign by its id.
pub fn by_id(tx: &mut Tx<'_>, id: CampaignId) -> Outcome<Campaign> {
    Ok(store::by_id(tx, id)?.ok_or_else(|| Refused::not_found("Campagne", id))?)
}

fn enrolling(tx: &mut Tx<'_>, year: &SchoolYear) -> Outcome<Campaign> {
    let campaign = find_and_hold(tx, year)?;
    if campaign.state == CampaignState::Closed {
        let detail = "La campagne est close : plus d'inscription.";
        return Err(Refused::state(&CAMPAIGN_STATE, detail, campaign.state, campaign.allowed()).into());
    }
    Ok(campaign)
}

/// What enrolling one school means: pure. `withdrawn`: a person took it out, and this act does not name it.
fn decide(
    uai: &Uai,
    school: Option<&School>,
    already: bool,
    withdrawn: Option<&Withdrawal>,
    campaign: &Campaign,
) -> BulkItem {
    let Some(school) = school else {
        return BulkItem::refused(uai, "school_unknown", "École inconnue du registre.");
    };
    if already {
        return BulkItem::new(uai, "already_enrolled");
    }
    if school.is_closed_on(campaign.said.school_year.starts_on()) {
        return BulkItem::refused(uai, "school_closed", "L'école est fermée à la rentrée de cette campagne.");
    }
    if let Some(withdrawal) = withdrawn {
        return BulkItem::new(uai, "withdrawn").with(withdrawal.finding());
    }
    BulkItem::new(uai, "enrolled")
}

/// What may become of a school of a bulk enrolment.
pub const ENROL_OUTCOMES: &[&str] = &["enrolled", "already_enrolled", "withdrawn", "refused"];

/// Enrols schools in number, by filter or by keys.
pub fn enrol(tx: &mut Tx<'_>, actor: &Actor, year: &SchoolYear, request: Enrol) -> Outcome<BulkView> {
    let campaign = enrolling(tx, year)?;
    let (origin, requester, requested_on) = (request.origin, request.requester, request.requested_on);
    let bulk: BulkRequest<SchoolSelection> =
        BulkRequest { filter: request.filter, keys: request.keys, dry_run: request.dry_run };
    if let Some(fault) = calendar::requested_fault(year, requested_on, tx.today()) {
        return Err(Refused::field("/requested_on", &fault, requested_on.map(|d| d.to_string())).into());
    }
    let (selection, dry_run) = bulk.selection(false)?;
    let by_filter = matches!(selection, Selection::Filter(_));
    let mut items = Vec::new();
    let (wanted, default_origin): (Vec<(Uai, Option<School>)>, _) = match selection {
        Selection::Keys(keys) => {
            let mut uais = Vec::new();
            let mut seen = HashSet::new();
            for key in keys {
                match Uai::parse(&key) {
                    Ok(uai) if seen.insert(uai.clone()) => uais.push(uai),
                    Ok(_) => {}
                    Err(fault) => items.push(BulkItem::refused(key, fault.code, fault.message)),
                }
            }
            let mut known = by_uai(registry::schools_by_uai(tx, &uais)?);
            (
                uais.into_iter()
                    .map(|u| {
                        let s = known.remove(&u);
                        (u, s)
                    })
                    .collect(),
                EnrolmentOrigin::Mairie,
            )
        }
        Selection::Filter(f) => {
            let filter = SchoolFilter {
                departement: f.departement,
                sector: f.sector,
                kind: f.kind,
                insee_code: f.insee_code,
                collectivite: f.collectivite,
                q: f.q,
                updated_since: None,
            };
            let schools = registry::select_schools(tx, &filter)?;
            (schools.into_iter().map(|s| (s.said.uai.clone(), Some(s))).collect(), EnrolmentOrigin::Filtre)
        }
        Selection::All => (Vec::new(), EnrolmentOrigin::Filtre),
    };
    let already: HashSet<Uai> = store::enrolments(tx, campaign.id)?.into_iter().map(|e| e.uai).collect();
    let withdrawn = if by_filter { withdrawals::of(tx, campaign.id)? } else { HashMap::new() };
    let mut new = Vec::new();
    for (uai, school) in wanted {
        let mut item = decide(&uai, school.as_ref(), already.contains(&uai), withdrawn.get(&uai), &campaign);
        if item.outcome == "enrolled" {
            let enrolment = Enrolment {
                id: EnrolmentId::new(tx.uuid()),
                campaign_id: campaign.id,
                uai,
                origin: origin.unwrap_or(default_origin),
                requester: requester.clone(),
                requested_on,
                convention_id: None,
                created_by: actor.label.clone(),
                created_at: tx.now(),
                version: 1,
                updated_at: tx.now(),
            };
            item = item.with_id(enrolment.id);
            new.push(enrolment);
        }
        items.push(item);
    }
    store::insert_enrolments(tx, &new)?;
    withdrawals::reinstate(tx, actor, campaign.id, &new)?;
    let view = BulkView::of(items, ENROL_OUTCOMES, dry_run);
    if dry_run {
        tx.discard();
    } else if !new.is_empty() {
        let (enrolled, origin) = (new.len(), origin.unwrap_or(default_origin).to_string());
        let whole = Entry::new(events::of(&campaign), CampaignEvent::SchoolsEnrolled { enrolled, origin });
        let each = new.iter().map(events::enrolled);
        audit::record_all(tx, actor, &std::iter::once(whole).chain(each).collect::<Vec<_>>())?;
    }
    Ok(view)
}

fn by_uai(schools: Vec<School>) -> HashMap<Uai, School> {
    schools.into_iter().map(|s| (s.said.uai.clone(), s)).collect()
}

/// Enrols one school, or changes what is said of its enrolment; says whether it was new.
pub fn enrol_one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    uai: &Uai,
    read: Option<&Version>,
    request: EnrolmentDetails,
) -> Outcome<(Enrolment, bool)> {
    let campaign = enrolling(tx, year)?;
    if let Some(mut found) = store::enrolment(tx, campaign.id, uai)? {
        // A date kept as it was is not judged again.
        let said = request.requested_on.filter(|on| found.requested_on != Some(*on));
        if let Some(fault) = calendar::requested_fault(year, said, tx.today()) {
            return Err(Refused::field("/requested_on", &fault, said.map(|d| d.to_string())).into());
        }
        let detail = "L'école est déjà inscrite : relire l'inscription et renvoyer son ETag dans If-Match.";
        read.ok_or_else(|| Refused::new(&PRECONDITION_REQUIRED, detail))?.admits(found.version)?;
        let before = events::asked(&found);
        found.origin = request.origin.unwrap_or(EnrolmentOrigin::Mairie);
        (found.requester, found.requested_on) = (request.requester, request.requested_on);
        store::save_enrolment(tx, &mut found)?;
        let changes = Changes::between(&before, &events::asked(&found), events::ENROLMENT_PERSONAL)?;
        audit::record(tx, actor, events::of_enrolment(&found), CampaignEvent::EnrolmentChanged { changes })?;
        return Ok((found, false));
    }
    if read.is_some() {
        let detail = "L'école n'est pas inscrite : il n'y a pas de version à annoncer.";
        return Err(Refused::new(&PRECONDITION_FAILED, detail).into());
    }
    let one = Enrol {
        filter: None,
        keys: Some(vec![uai.to_string()]),
        dry_run: false,
        origin: request.origin,
        requester: request.requester,
        requested_on: request.requested_on,
    };
    let view = enrol(tx, actor, year, one)?;
    if let Some(item) = view.items.iter().find(|i| i.outcome == "refused") {
        let message = item.findings.first().map_or_else(String::new, |f| f.message.clone());
        if item.findings.iter().any(|f| f.code == "school_unknown") {
            return Err(Refused::not_found("École", uai).into());
        }
        return Err(Refused::new(&CAMPAIGN_STATE, message).into());
    }
    let enrolment = store::enrolment(tx, campaign.id, uai)?.ok_or_else(|| Refused::not_found("Inscription", uai))?;
    Ok((enrolment, true))
}

/// Takes a school out of a campaign, unless a convention covers it.
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, year: &SchoolYear, uai: &Uai) -> Outcome<()> {
    let campaign = enrolling(tx, year)?;
    let found = store::enrolment(tx, campaign.id, uai)?.ok_or_else(|| Refused::not_found("Inscription", uai))?;
    if !store::delete_enrolment(tx, found.id)? {
        let detail = "L'école figure dans une convention : la retirer demande un avenant.";
        return Err(Refused::new(&ENROLMENT_COVERED, detail).into());
    }
    withdrawals::note(tx, actor, campaign.id, uai)?;
    audit::record(tx, actor, events::of_enrolment(&found), CampaignEvent::SchoolWithdrawn {})
}

/// Parses a file of enrolments, before anything is held.
///
/// # Errors
/// The file cannot be read to its end.
pub fn read_enrolments(table: &Table) -> Outcome<Sifted<EnrolmentRow>> {
    Sifted::all(enrolment_import::read(table))
}

/// Enrols the schools of a file (uai, origine, demandeur, date), row by row.
pub fn import_enrolments(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    mut file: Sifted<EnrolmentRow>,
    dry_run: bool,
) -> Outcome<ImportView> {
    let campaign = enrolling(tx, year)?;
    // First school years are written on the schools: in turn with who writes schools in number.
    registry::hold(tx)?;
    let mut view = file.begin(dry_run);
    let rows: Vec<_> = file.collect();
    let uais: Vec<Uai> = rows.iter().map(|kept| kept.value.uai.clone()).collect();
    let known = by_uai(registry::schools_by_uai(tx, &uais)?);
    let mut already: HashSet<Uai> = store::enrolments(tx, campaign.id)?.into_iter().map(|e| e.uai).collect();
    let withdrawn = withdrawals::of(tx, campaign.id)?;
    let today = tx.today();
    let mut new = Vec::new();
    let mut first_years = Vec::new();
    for Kept { line, value: row, mut findings } in rows {
        if let Some(fault) = calendar::requested_fault(year, row.requested_on, today) {
            view.reject(line, &row.uai, fault.code, format!("date : {}", fault.message));
            continue;
        }
        // A list names many: what a person took out comes back by their own word only.
        let taken_out = withdrawn.get(&row.uai);
        let item = decide(&row.uai, known.get(&row.uai), already.contains(&row.uai), taken_out, &campaign);
        findings.extend(item.findings);
        let outcome = match item.outcome {
            "enrolled" => "created",
            "already_enrolled" => "unchanged",
            "withdrawn" => "ignored",
            _ => "rejected",
        };
        if outcome == "created" {
            already.insert(row.uai.clone());
            new.push(Enrolment {
                id: EnrolmentId::new(tx.uuid()),
                campaign_id: campaign.id,
                uai: row.uai.clone(),
                origin: row.origin.unwrap_or(EnrolmentOrigin::Reconduction),
                requester: row.requester,
                requested_on: row.requested_on,
                convention_id: None,
                created_by: actor.label.clone(),
                created_at: tx.now(),
                version: 1,
                updated_at: tx.now(),
            });
        }
        if let (Some(first), Some(school), true) = (row.first_school_year, known.get(&row.uai), outcome != "rejected")
            && school.said.first_school_year.as_ref() != Some(&first)
        {
            if school.person_fields.contains("first_school_year") {
                let kept = school.said.first_school_year.as_ref().map(ToString::to_string).unwrap_or_default();
                let message = "Le champ first_school_year saisi à la main est conservé.";
                findings.push(Finding::info("kept_manual", message).compared(kept, first));
            } else {
                first_years.push((row.uai.clone(), first));
            }
        }
        view.tell(Some(line), &row.uai, outcome, findings);
    }
    store::insert_enrolments(tx, &new)?;
    registry::note_first_school_years(tx, &first_years)?;
    if dry_run {
        tx.discard();
    } else {
        let (created, unchanged, rejected) = (view.created, view.unchanged, view.rejected);
        let told = CampaignEvent::EnrolmentsImported { created, unchanged, rejected };
        let whole = Entry::new(events::of(&campaign), told);
        let each = new.iter().map(events::enrolled);
        audit::record_all(tx, actor, &std::iter::once(whole).chain(each).collect::<Vec<_>>())?;
    }
    Ok(view)
}

/// Findings of a campaign worth telling when it is read: texts left as examples, exemptions that reach nobody,
/// tiers by which more costs less, a threshold that no decree allows today.
pub fn findings(tx: &mut Tx<'_>, campaign: &Campaign, thresholds: &Thresholds) -> Outcome<Vec<Finding>> {
    let said = &campaign.said;
    let mut findings: Vec<Finding> = said
        .texts
        .iter()
        .flat_map(CampaignTexts::placeholders)
        .map(|(path, _)| Finding::info("placeholder_text", format!("Le texte « {path} » est encore un EXEMPLE.")))
        .collect();
    // Of before such thresholds were refused, or of before a decree brought its own down.
    let regulation = thresholds.on(tx.today());
    if let Some(threshold) = said.small_claims.threshold.filter(|t| *t > regulation) {
        let message = "Le seuil de la campagne dépasse celui du décret : seul celui du décret est appliqué.";
        findings.push(Finding::info("threshold_above_regulation", message).compared(regulation, threshold));
    }
    if let Some(from) = said.tariff.bracket_drop() {
        let message = format!("Effet de tranche : {from} unités coûtent moins que {}.", from - 1);
        findings.push(Finding::info("tier_threshold_effect", message));
    }
    let uais: Vec<Uai> = said.tariff.exemptions.iter().filter_map(|e| e.uai.clone()).collect();
    let known = by_uai(registry::schools_by_uai(tx, &uais)?);
    let sirets = if said.tariff.exemptions.iter().any(|e| e.siret.is_some()) {
        registry::payers_by_siret(tx)?
    } else {
        HashMap::new()
    };
    for exemption in &said.tariff.exemptions {
        let reaches = match (&exemption.uai, &exemption.siret) {
            (Some(uai), _) => known.contains_key(uai),
            (None, Some(siret)) => sirets.contains_key(siret),
            (None, None) => false,
        };
        if !reaches {
            let mut finding = Finding::info("exemption_unknown", "L'exonération ne désigne rien au registre.");
            finding.found = Some(exemption.key());
            findings.push(finding);
        }
    }
    Ok(findings)
}
