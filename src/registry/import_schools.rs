//! Writes the school directory: which schools exist, and who pays for each by default.
//!
//! ```text
//! INSEE code of the school ─▶ collectivité that answers for it ─▶ its successors, each from its date ─▶ payer periods
//! ```
//! A period a person set freezes the payer of its school. Absence proves nothing: it closes a school only in a
//! department the caller declares complete, if the file does speak of that department and every row that may be of one
//! of its schools could be read. A row whose key is damaged may be any school of its department, and one that does not
//! tell its department may be any school at all: those absent are then left open, and named.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::calendar;
use super::collectivite::Collectivite;
use super::events::{self, RegistryEvent};
use super::import::directory::{self, SchoolRow};
use super::import::{Parsed, ReadRow};
use super::import_actions::{Kept, Sifted, finish, hold, note};
use super::import_view::ImportView;
use super::kinds::SetBy;
use super::official_siret::OfficialSiret;
use super::school::{Count, PayerFacts, PayerPeriod, School, SchoolIdentity, payer_on, since_ever, with_payer};
use super::store_collectivites::{self as collectivites, Succession};
use super::store_schools::{self as store, SchoolFilter};
use crate::audit::Entry;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::{Actor, Departement, FieldFault, Finding, InseeCode, Instant, Refused, SchoolYear, Uai};
use crate::platform::tabular::Table;
use crate::platform::{Outcome, Tx};

/// How a directory is imported.
#[derive(Debug, Clone, Default)]
pub struct ImportSchoolsOptions {
    pub dry_run: bool,
    /// Departments the file is complete for: their schools absent from it are closed.
    pub complete_for: Vec<Departement>,
}

/// A directory, parsed: its schools, and what it speaks of besides.
pub struct SchoolsFile {
    rows: Sifted<SchoolRow>,
    present: Present,
}

/// Parses a directory, before anything is held.
///
/// # Errors
/// The file cannot be read to its end.
pub fn read_schools(table: &Table) -> Outcome<SchoolsFile> {
    let mut present = Present::default();
    let rows = Sifted::of(directory::read(table), |read| present.note(read))?;
    Ok(SchoolsFile { rows, present })
}

/// Imports the official directory.
pub fn import_schools(
    tx: &mut Tx<'_>,
    actor: &Actor,
    file: SchoolsFile,
    options: ImportSchoolsOptions,
) -> Outcome<ImportView> {
    hold(tx)?;
    let SchoolsFile { mut rows, present } = file;
    let mut view = rows.begin(options.dry_run);
    let payers = Payers::load(tx)?;
    loop {
        let chunk = rows.next_chunk();
        if chunk.is_empty() {
            break;
        }
        let mut noted = write_chunk(tx, chunk, &payers, &mut view)?;
        note(tx, actor, &mut noted, options.dry_run)?;
    }
    for departement in &options.complete_for {
        let mut noted = close_absent(tx, departement, &present, &mut view)?;
        note(tx, actor, &mut noted, options.dry_run)?;
    }
    let complete_for = options.complete_for.iter().map(ToString::to_string).collect();
    finish(tx, actor, view, complete_for, RegistryEvent::SchoolsImported)
}

/// What the file speaks of.
#[derive(Default)]
struct Present {
    uais: HashSet<Uai>,
    departements: HashSet<Departement>,
    /// Rows that may be of any school of a department.
    unread: HashMap<Departement, Lines>,
    /// Rows that may be of any school.
    unread_anywhere: Lines,
}

/// Rows of a file: the first ones, and how many in all.
#[derive(Default, Clone)]
struct Lines {
    first: Vec<u64>,
    count: usize,
}

impl Lines {
    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.first.len() < 5 {
            self.first.push(line);
        }
    }

    fn sentence(&self) -> String {
        let lines = self.first.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = if self.count > self.first.len() { "…" } else { "" };
        if self.count == 1 { format!("ligne {lines}") } else { format!("{} lignes : {lines}{more}", self.count) }
    }
}

impl Present {
    fn note(&mut self, read: &ReadRow<SchoolRow>) {
        if let Parsed::Row { value, .. } = &read.parsed {
            self.uais.insert(value.uai.clone());
            self.departements.insert(value.insee_code.departement());
            return;
        }
        let Some(trace) = directory::trace(read) else { return };
        if let Some(uai) = trace.uai {
            self.uais.insert(uai);
        } else if trace.departements.is_empty() {
            self.unread_anywhere.add(read.row.line);
        } else {
            for departement in trace.departements {
                self.unread.entry(departement).or_default().add(read.row.line);
            }
        }
    }

    /// Why an absence from the file proves nothing in a department, if so.
    fn doubt(&self, departement: &Departement) -> Option<String> {
        if self.unread_anywhere.count > 0 {
            let lines = self.unread_anywhere.sentence();
            return Some(format!("une ligne du fichier, illisible, peut être la sienne ({lines})"));
        }
        let lines = self.unread.get(departement)?.sentence();
        Some(format!("une ligne illisible du département {departement} peut être la sienne ({lines})"))
    }
}

/// How the payer of a commune's schools is found.
struct Payers {
    insee: HashMap<InseeCode, CollectiviteId>,
    chain: HashMap<CollectiviteId, Succession>,
    facts: HashMap<CollectiviteId, PayerFacts>,
}

impl Payers {
    fn load(tx: &mut Tx<'_>) -> Outcome<Self> {
        Ok(Self {
            insee: collectivites::insee_codes(tx)?.into_iter().map(|(code, id, _)| (code, id)).collect(),
            chain: collectivites::successions(tx)?.into_iter().map(|s| (s.predecessor_id, s)).collect(),
            facts: collectivites::facts(tx)?,
        })
    }

    /// Who pays for the schools of a commune, and since when: its collectivité, then each successor from its date.
    fn of(&self, insee: &InseeCode) -> Vec<PayerPeriod> {
        let period = |from, collectivite_id| PayerPeriod { from, until: None, collectivite_id, set_by: SetBy::Import };
        let Some(first) = self.insee.get(insee) else { return Vec::new() };
        let mut periods = vec![period(since_ever(), *first)];
        let mut current = first;
        // Loops are refused when recorded; the bound keeps a damaged table from spinning.
        for _ in 0..self.chain.len() {
            let Some(next) = self.chain.get(current) else { break };
            periods = with_payer(periods, period(next.effective_on, next.successor_id));
            current = &next.successor_id;
        }
        periods
    }

    /// The periods to write instead of those known, if any: a person's word stands, and so does what no longer resolves.
    fn instead(&self, insee: &InseeCode, known: &[PayerPeriod]) -> Option<Vec<PayerPeriod>> {
        let wanted = self.of(insee);
        let by_person = known.iter().any(|p| p.set_by == SetBy::Person);
        (!by_person && !wanted.is_empty() && wanted != known).then_some(wanted)
    }
}

/// What the rows changed of a school that was known.
type Noted = Vec<Entry<RegistryEvent>>;

fn write_chunk(tx: &mut Tx<'_>, chunk: Vec<Kept<SchoolRow>>, payers: &Payers, view: &mut ImportView) -> Outcome<Noted> {
    let (now, today) = (tx.now(), tx.today());
    let uais: Vec<Uai> = chunk.iter().map(|kept| kept.value.uai.clone()).collect();
    let mut known: HashMap<Uai, School> =
        store::by_uais(tx, &uais)?.into_iter().map(|s| (s.said.uai.clone(), s)).collect();
    let mut periods = store::payers_of(tx, &uais)?;
    let (mut new, mut new_payers) = (Vec::new(), Vec::new());
    let (mut noted, mut moved) = (Vec::new(), Vec::new());
    for Kept { line, value: row, mut findings } in chunk {
        let uai = row.uai.clone();
        let before = known.remove(&uai);
        let mut school = before.clone().unwrap_or_else(|| fresh(&row, now));
        bring(&mut school, &row, today, &mut findings);
        let mut paying = periods.remove(&uai).unwrap_or_default();
        let replaced = payers.instead(&school.said.insee_code, &paying);
        if let Some(wanted) = &replaced {
            paying.clone_from(wanted);
        }
        let facts = payer_on(&paying, today).and_then(|p| payers.facts.get(&p.collectivite_id));
        for finding in school.findings(facts) {
            if findings.iter().all(|f| f.code != finding.code) {
                findings.push(finding);
            }
        }
        let outcome = match before {
            None => {
                new_payers.extend(paying.into_iter().map(|p| (uai.clone(), p)));
                new.push(school);
                "created"
            }
            Some(before) => {
                let changed = school != before || replaced.is_some();
                if changed {
                    store::save(tx, &mut school)?;
                    noted.extend(events::school_changed(&before.said, &school.said)?);
                }
                if let Some(wanted) = replaced {
                    store::replace_payers(tx, &uai, &wanted)?;
                    moved.extend(wanted.last().map(|period| (uai.clone(), period.collectivite_id, period.from)));
                }
                match (before.is_closed_on(today), school.is_closed_on(today)) {
                    (false, true) => "closed",
                    _ if changed => "updated",
                    _ => "unchanged",
                }
            }
        };
        view.tell(Some(line), &uai, outcome, findings);
    }
    store::insert(tx, &new, || {
        Refused::new(&CONCURRENT_CHANGE, "Une école de ce fichier vient d'être enregistrée ailleurs.")
    })?;
    store::insert_payers(tx, &new_payers)?;
    noted.extend(paid(tx, moved)?);
    Ok(noted)
}

/// Who pays from now on for schools whose commune has another collectivité.
fn paid(tx: &mut Tx<'_>, moved: Vec<(Uai, CollectiviteId, NaiveDate)>) -> Outcome<Noted> {
    let ids: Vec<CollectiviteId> = moved.iter().map(|(_, id, _)| *id).collect();
    let sirets: HashMap<_, _> = collectivites::by_ids(tx, &ids)?.into_iter().map(|c| (c.id, c.said.siret)).collect();
    let entry = |(uai, id, from): (Uai, CollectiviteId, NaiveDate)| {
        let payer_from = (from != since_ever()).then_some(from);
        let event = RegistryEvent::PayerSet { payer_siret: sirets.get(&id)?.clone(), payer_from };
        Some(Entry::new(events::of_school(&uai), event))
    };
    Ok(moved.into_iter().filter_map(entry).collect())
}

fn fresh(row: &SchoolRow, now: Instant) -> School {
    let said = SchoolIdentity {
        uai: row.uai.clone(),
        name: row.name.clone(),
        kind: row.kind,
        sector: row.sector,
        insee_code: row.insee_code.clone(),
        commune_name: row.commune_name.clone(),
        pupils: None,
        classes: None,
        opened_on: None,
        closed_on: None,
        first_school_year: None,
    };
    School::imported(said, None, None, now)
}

/// Brings a row to a school. What the file leaves blank stays as it was. Pure.
fn bring(school: &mut School, row: &SchoolRow, today: NaiveDate, findings: &mut Vec<Finding>) {
    let person = &school.person_fields;
    let said = &mut school.said;
    Collectivite::take(person, "name", &mut said.name, &row.name, ToString::to_string, findings);
    Collectivite::take(person, "kind", &mut said.kind, &row.kind, ToString::to_string, findings);
    Collectivite::take(person, "sector", &mut said.sector, &row.sector, ToString::to_string, findings);
    Collectivite::take(person, "insee_code", &mut said.insee_code, &row.insee_code, ToString::to_string, findings);
    Collectivite::take(
        person,
        "commune_name",
        &mut said.commune_name,
        &row.commune_name,
        ToString::to_string,
        findings,
    );
    let show = |count: &Option<Count>| count.map_or_else(String::new, |c| c.0.to_string());
    if let Some(pupils) = row.pupils {
        Collectivite::take(person, "pupils", &mut said.pupils, &Some(Count(pupils)), show, findings);
    }
    if let Some(classes) = row.classes {
        Collectivite::take(person, "classes", &mut said.classes, &Some(Count(classes)), show, findings);
    }
    if row.first_school_year.is_some() {
        let show = |year: &Option<SchoolYear>| year.as_ref().map_or_else(String::new, ToString::to_string);
        let (slot, value) = (&mut said.first_school_year, &row.first_school_year);
        Collectivite::take(person, "first_school_year", slot, value, show, findings);
    }
    let day = |day: &Option<NaiveDate>| day.map_or_else(String::new, |d| d.to_string());
    // A day of another age in the file changes nothing, and is told: the school is none the less there.
    if let Some(fault) = row.opened_on.and_then(|day| calendar::openings(today).fault(day)) {
        findings.push(Finding::info(fault.code, format!("Date d'ouverture ignorée. {}", fault.message)));
    } else if row.opened_on.is_some() {
        Collectivite::take(person, "opened_on", &mut said.opened_on, &row.opened_on, day, findings);
    }
    let closed = said.closed_on.is_some_and(|closed| closed <= today);
    if row.open == closed {
        let closed_on = (!row.open).then_some(today);
        Collectivite::take(person, "closed_on", &mut said.closed_on, &closed_on, day, findings);
    }
    school.departement = school.said.insee_code.departement();
    if let Some(siret) = &row.official_siret {
        let siren = siret.siren();
        // Nine digits are a SIREN: they say nothing against the SIRET known, if it is of that SIREN.
        let known = school.official_siret.as_ref().and_then(OfficialSiret::siren);
        if !siret.is_siren() {
            school.official_siret = Some(siret.clone());
        } else if known != siren {
            school.official_siret = None;
        }
        school.official_siren = siren;
    }
}

/// Closes the open schools of a department that a file complete for it does not have.
fn close_absent(
    tx: &mut Tx<'_>,
    departement: &Departement,
    present: &Present,
    view: &mut ImportView,
) -> Outcome<Noted> {
    if !present.departements.contains(departement) && !present.unread.contains_key(departement) {
        let message = format!(
            "Le fichier n'a aucune école du département {departement} : il ne peut être complet pour lui, rien n'est écrit."
        );
        let fault = FieldFault::new("departement_absent", message);
        return Err(Refused::field("query/complete_for", &fault, Some(departement.to_string())).into());
    }
    let (today, doubt) = (tx.today(), present.doubt(departement));
    let filter = SchoolFilter { departement: Some(departement.clone()), ..SchoolFilter::default() };
    let mut noted = Vec::new();
    for mut school in store::select(tx, &filter)? {
        let uai = school.said.uai.clone();
        if school.is_closed_on(today) || present.uais.contains(&uai) {
            continue;
        }
        if let Some(doubt) = &doubt {
            let message = format!("Absente du fichier, l'école est laissée ouverte : {doubt}. Corriger le fichier.");
            view.tell(None, uai, "not_closed", vec![Finding::info("absence_unproven", message)]);
            continue;
        }
        let (before, mut findings) = (school.clone(), Vec::new());
        let show = |day: &Option<NaiveDate>| day.map_or_else(String::new, |d| d.to_string());
        Collectivite::take(
            &school.person_fields,
            "closed_on",
            &mut school.said.closed_on,
            &Some(today),
            show,
            &mut findings,
        );
        let outcome = if school.is_closed_on(today) { "closed" } else { "unchanged" };
        if outcome == "closed" {
            store::save(tx, &mut school)?;
            noted.extend(events::school_changed(&before.said, &school.said)?);
        }
        view.tell(None, uai, outcome, findings);
    }
    Ok(noted)
}
