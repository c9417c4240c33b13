//! Writes the State's directory of administrations: where town halls and groupings are written to.
//!
//! ```text
//!                 ┌─ not in the registry, closed, or of a former commune: set aside, counted
//!   row ─▶ whose ─┤
//!                 └─ rows of one collectivité ─▶ all alike: brought        differing: none is, each is told, a task asks
//! ```
//! A town hall is its commune's by the INSEE code of its pivot; its SIRET, else its SIREN, decides where the registry does
//! not know that code, and alone for a grouping. The State's numbers are blank or stale often enough (a merged commune's, a
//! syndicat's): another number than the registry's is a finding, and changes none. When the number is that of another body
//! of the registry, only a name that agrees with the code lets the row through.
//!
//! The directory fills what is blank and what an import wrote, never what a person wrote. It is of the whole country: what
//! it says of bodies the registry does not have is no fault.

use std::collections::HashMap;

use super::collectivite::Collectivite;
use super::designation::Designation;
use super::events::{self, RegistryEvent};
use super::import::administrations::{AdministrationRow, Body};
use super::import_actions::{CHUNK, Kept, Sifted, finish, hold, note};
use super::import_view::ImportView;
use super::kinds::CollectiviteKind;
use super::store_collectivites as store;
use super::taking::{bring, differing};
use super::{ambiguity, import::ALREADY_TOLD};
use crate::audit::Entry;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::text::fold;
use crate::kernel::{Actor, Finding, InseeCode, Siren, Siret};
use crate::platform::{Outcome, Tx};

const UNKNOWN: &str = "Collectivité qui n'est pas dans le registre.";
const CLOSED: &str = "Collectivité qui n'existe plus.";

/// Imports a directory of administrations.
pub(super) fn import_administrations(
    tx: &mut Tx<'_>,
    actor: &Actor,
    mut file: Sifted<AdministrationRow>,
    dry_run: bool,
) -> Outcome<ImportView> {
    hold(tx)?;
    let mut view = file.begin(dry_run);
    let known = Known::load(tx)?;
    let bodies = sorted(file, &known, &mut view);
    let undecided = ambiguity::undecided(tx)?;
    let mut bodies = bodies.into_iter();
    loop {
        let chunk: Vec<_> = bodies.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        let ids: Vec<_> = chunk.iter().flat_map(Candidates::named).collect();
        let mut loaded: HashMap<_, _> = store::by_ids(tx, &ids)?.into_iter().map(|c| (c.id, c)).collect();
        let mut noted = Vec::new();
        for candidates in chunk {
            let Some(mut found) = loaded.remove(&candidates.id) else { continue };
            let rows = candidates.fit(&found, &loaded, tx.today(), &mut view);
            let asked = undecided.contains(&found.id);
            match decide(&found, &rows) {
                Decision::None => {}
                Decision::Bring => {
                    noted.extend(bring_first(tx, &mut found, rows, &known, &mut view)?);
                    if asked && !dry_run {
                        ambiguity::settle(tx, actor, found.id, ambiguity::ONE_LEFT)?;
                    }
                }
                Decision::Ask { by_person } => {
                    let lines: Vec<u64> = rows.iter().map(|kept| kept.line).collect();
                    tell_ambiguous(&found, rows, by_person, &mut view);
                    match (dry_run, by_person) {
                        (true, _) => {}
                        (false, false) => ambiguity::ask(tx, actor, &found, &lines)?,
                        (false, true) if asked => {
                            ambiguity::settle(tx, actor, found.id, ambiguity::TOLD_BY_A_PERSON)?;
                        }
                        (false, true) => {}
                    }
                }
            }
            loaded.insert(found.id, found);
        }
        note(tx, actor, &mut noted, dry_run)?;
    }
    finish(tx, actor, view, Vec::new(), RegistryEvent::ContactsImported)
}

/// What tells whose a row is: light indexes of the whole registry.
struct Known {
    insee: HashMap<InseeCode, (CollectiviteId, bool)>,
    /// Present and past.
    sirets: HashMap<Siret, CollectiviteId>,
    /// None: two bodies of the registry have it.
    sirens: HashMap<Siren, Option<CollectiviteId>>,
}

/// Whose a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whose {
    /// With the other body whose number it bears.
    Of(CollectiviteId, Option<CollectiviteId>),
    /// Of a commune that another took the place of.
    Former,
    /// Its pivot speaks for several communes.
    Several,
    Unknown,
}

impl Known {
    fn load(tx: &mut Tx<'_>) -> Outcome<Self> {
        let mut sirens: HashMap<Siren, Option<CollectiviteId>> = HashMap::new();
        for (id, facts) in store::facts(tx)? {
            sirens.entry(facts.siren).and_modify(|held| *held = None).or_insert(Some(id));
        }
        Ok(Self {
            insee: store::insee_codes(tx)?.into_iter().map(|(code, id, current)| (code, (id, current))).collect(),
            sirets: store::all_sirets(tx)?.into_iter().map(|(siret, id, _)| (siret, id)).collect(),
            sirens,
        })
    }

    /// Who has the number of a row.
    fn by_number(&self, row: &AdministrationRow) -> Option<CollectiviteId> {
        let siren = row.siret.as_ref().map(Siret::siren).or_else(|| row.siren.clone());
        let by_siret = row.siret.as_ref().and_then(|siret| self.sirets.get(siret).copied());
        by_siret.or_else(|| self.sirens.get(&siren?).copied().flatten())
    }

    fn whose(&self, row: &AdministrationRow) -> Whose {
        let numbered = self.by_number(row);
        let by_number = numbered.map_or(Whose::Unknown, |id| Whose::Of(id, None));
        match &row.body {
            Body::Grouping => by_number,
            Body::TownHall(codes) => match codes.as_slice() {
                [] => by_number,
                [code] => match self.insee.get(code) {
                    Some((id, true)) => Whose::Of(*id, numbered.filter(|other| other != id)),
                    Some((_, false)) => Whose::Former,
                    None => by_number,
                },
                several if several.iter().any(|code| self.insee.contains_key(code)) => Whose::Several,
                _ => Whose::Unknown,
            },
        }
    }
}

/// The rows that speak of one collectivité, each with the other body whose number it bears.
struct Candidates {
    id: CollectiviteId,
    rows: Vec<(Kept<AdministrationRow>, Option<CollectiviteId>)>,
}

/// Puts the rows of one collectivité together, in the order of the file; those that are nobody's are told.
fn sorted(file: Sifted<AdministrationRow>, known: &Known, view: &mut ImportView) -> Vec<Candidates> {
    let mut at: HashMap<CollectiviteId, usize> = HashMap::new();
    let mut bodies: Vec<Candidates> = Vec::new();
    for kept in file {
        let aside = |view: &mut ImportView, code: &str, message: &str| {
            let mut finding = Finding::info(code, message);
            finding.found = Some(kept.value.name.to_string());
            view.tell(Some(kept.line), key(&kept.value), "ignored", vec![finding]);
        };
        match known.whose(&kept.value) {
            Whose::Unknown => view.set_aside(UNKNOWN),
            Whose::Former => {
                let message = "Mairie d'une ancienne commune : celle qui l'a remplacée a la sienne.";
                aside(view, "insee_former", message);
            }
            Whose::Several => {
                aside(view, "pivot_several_codes", "Le pivot désigne plusieurs communes : la fiche n'est d'aucune.");
            }
            Whose::Of(id, other) => {
                let place = *at.entry(id).or_insert(bodies.len());
                if place == bodies.len() {
                    bodies.push(Candidates { id, rows: Vec::new() });
                }
                if let Some(body) = bodies.get_mut(place) {
                    body.rows.push((kept, other));
                }
            }
        }
    }
    bodies
}

fn key(row: &AdministrationRow) -> String {
    let number = row.siret.as_ref().map(ToString::to_string).or(row.siren.as_ref().map(ToString::to_string));
    let code = || match &row.body {
        Body::TownHall(codes) => codes.first().map(ToString::to_string),
        Body::Grouping => None,
    };
    number.or_else(code).unwrap_or_else(|| row.name.to_string())
}

impl Candidates {
    /// Whom its rows name.
    fn named(&self) -> impl Iterator<Item = CollectiviteId> {
        std::iter::once(self.id).chain(self.rows.iter().filter_map(|(_, other)| *other))
    }

    /// Those that may be the collectivité's; the others are told.
    fn fit(
        self,
        found: &Collectivite,
        loaded: &HashMap<CollectiviteId, Collectivite>,
        today: chrono::NaiveDate,
        view: &mut ImportView,
    ) -> Vec<Kept<AdministrationRow>> {
        let mut fit = Vec::new();
        for (kept, other) in self.rows {
            // A merged commune's number is the stale one of its heir.
            let other = other.and_then(|id| loaded.get(&id)).filter(|other| !other.is_closed_on(today));
            let row = &kept.value;
            let is_commune = found.said.kind == CollectiviteKind::Commune;
            if found.is_closed_on(today) {
                view.set_aside(CLOSED);
            } else if matches!(row.body, Body::TownHall(_)) != is_commune {
                let message = format!(
                    "{} est enregistrée comme {} : la fiche est d'un autre genre.",
                    found.said.name, found.said.kind
                );
                view.reject(kept.line, &found.said.siret, "kind_differs", message);
            } else if let Some(other) = other.filter(|_| !is_named(found, row)) {
                let message = format!(
                    "Le code INSEE désigne {} et le SIRET ou le SIREN désigne {} : la fiche n'est retenue pour aucune.",
                    found.said.name, other.said.name
                );
                view.reject(kept.line, &found.said.siret, "siret_of_another", message);
            } else {
                fit.push(kept);
            }
        }
        fit
    }
}

/// Whether the name of a town hall is its commune's.
fn is_named(found: &Collectivite, row: &AdministrationRow) -> bool {
    let named = Designation::of(CollectiviteKind::Commune, row.name.as_str());
    named.place().zip(found.designation().place()).is_some_and(|(one, other)| fold(one) == fold(other))
}

enum Decision {
    /// No row is left.
    None,
    /// All say the same.
    Bring,
    /// They differ; by what a person has settled already, or not.
    Ask { by_person: bool },
}

fn decide(found: &Collectivite, rows: &[Kept<AdministrationRow>]) -> Decision {
    let Some((first, others)) = rows.split_first() else { return Decision::None };
    let mut fields: Vec<_> = others.iter().flat_map(|other| differing(&first.value.told, &other.value.told)).collect();
    fields.sort_unstable();
    if fields.is_empty() {
        return Decision::Bring;
    }
    // Who wrote its mail has said whom to write to.
    let person = |field: &str| found.person_fields.contains(field);
    Decision::Ask { by_person: person("contact_email") || fields.into_iter().all(person) }
}

/// Brings the first of rows that say the same.
fn bring_first(
    tx: &mut Tx<'_>,
    found: &mut Collectivite,
    rows: Vec<Kept<AdministrationRow>>,
    known: &Known,
    view: &mut ImportView,
) -> Outcome<Option<Entry<RegistryEvent>>> {
    let mut rows = rows.into_iter();
    let Some(Kept { line, value: row, mut findings }) = rows.next() else { return Ok(None) };
    rows.for_each(|_| view.set_aside(ALREADY_TOLD));
    findings.extend(compared(found, &row, known));
    let before = found.clone();
    bring(found, &row.told, &mut findings);
    let changed = *found != before;
    if changed {
        store::save(tx, found)?;
    }
    view.tell(Some(line), &found.said.siret, if changed { "updated" } else { "unchanged" }, findings);
    events::changed(&before.said, found)
}

/// What the row says of whose it is, against what the registry knows.
fn compared(found: &Collectivite, row: &AdministrationRow, known: &Known) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (siret, siren) = (&found.said.siret, found.siren());
    match (&row.siret, &row.siren) {
        (Some(told), _) if told == siret => {}
        (Some(told), _) if known.sirets.get(told) == Some(&found.id) => {
            let message = "Le fichier donne un ancien SIRET de la collectivité : l'actuel est conservé.";
            findings.push(Finding::info("siret_former", message).compared(siret, told));
        }
        (Some(told), _) if told.siren() == siren => {
            let message = "Le SIRET de l'annuaire n'est pas celui du registre, qui est conservé : à vérifier.";
            findings.push(Finding::info("siret_differs", message).compared(siret, told));
        }
        (Some(_), _) | (None, Some(_)) => {
            let told = row.siret.as_ref().map(Siret::siren).or_else(|| row.siren.clone()).filter(|told| *told != siren);
            let message = "L'annuaire donne le SIREN d'un autre organisme, le registre garde le sien : à confirmer.";
            let finding = |told| Finding::to_acknowledge("siren_differs", message).compared(&siren, told);
            findings.extend(told.map(finding));
        }
        (None, None) => {}
    }
    if let (Body::TownHall(codes), Some(code)) = (&row.body, &found.said.insee_code)
        && let [told] = codes.as_slice()
        && !known.insee.contains_key(told)
    {
        let message = "Le registre ne connaît pas le code INSEE de la fiche : la commune est reconnue à son numéro.";
        findings.push(Finding::info("insee_differs", message).compared(code, told));
    }
    findings
}

fn tell_ambiguous(found: &Collectivite, rows: Vec<Kept<AdministrationRow>>, by_person: bool, view: &mut ImportView) {
    let lines: Vec<String> = rows.iter().map(|kept| kept.line.to_string()).collect();
    let lines = crate::kernel::french::listed(&lines);
    let end = if by_person { "les coordonnées saisies à la main restent" } else { "une tâche attend une personne" };
    for kept in rows {
        let message = format!(
            "Les lignes {lines} donnent à {} des coordonnées différentes : aucune n'est retenue, {end}.",
            found.said.name
        );
        view.reject(kept.line, &found.said.siret, "contact_ambiguous", message);
    }
}
