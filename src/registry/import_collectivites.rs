//! Writes the communes file: who exists, under which SIRET, answering for which INSEE codes.
//!
//! A commune is recognised by its current INSEE code, else by one of its SIRETs; any other body by its SIRETs
//! alone, for the INSEE code of its seat is the code of a commune. A SIRET that changes within the same SIREN is
//! an establishment that moved, recorded as such. Another SIREN is another legal person: a person decides.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::collectivite::{Address, Chorus, Collectivite, CollectiviteIdentity, Representative};
use super::events::{self, RegistryEvent};
use super::import::communes::{self, CommuneRow};
use super::import_actions::{Kept, Sifted, finish, hold, note};
use super::import_view::ImportView;
use super::kinds::CollectiviteKind;
use super::store_collectivites as store;
use crate::audit::Entry;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::{Actor, Finding, InseeCode, Refused, Siret};
use crate::platform::tabular::Table;
use crate::platform::{Outcome, Tx};

/// Why a row is rejected: code and French sentence.
type No = (&'static str, String);

/// Parses a file of communes, before anything is held.
///
/// # Errors
/// The file cannot be read to its end.
pub fn read_collectivites(table: &Table) -> Outcome<Sifted<CommuneRow>> {
    Sifted::all(communes::read(table))
}

/// Imports a file of communes (and other bodies).
pub fn import_collectivites(
    tx: &mut Tx<'_>,
    actor: &Actor,
    mut file: Sifted<CommuneRow>,
    dry_run: bool,
) -> Outcome<ImportView> {
    hold(tx)?;
    let mut view = file.begin(dry_run);
    let mut import = Import::load(tx)?;
    loop {
        let chunk = file.next_chunk();
        if chunk.is_empty() {
            break;
        }
        let ids: Vec<_> = chunk.iter().filter_map(|kept| import.recognise(&kept.value)).collect();
        let mut loaded: HashMap<_, _> = store::by_ids(tx, &ids)?.into_iter().map(|c| (c.id, c)).collect();
        for kept in chunk {
            import.row(tx, kept, &mut loaded, &mut view)?;
        }
        import.flush(tx)?;
        note(tx, actor, &mut import.changed, dry_run)?;
    }
    finish(tx, actor, view, Vec::new(), RegistryEvent::CollectivitesImported)
}

/// What is known while the file is read: light indexes, and what waits to be written.
struct Import {
    /// INSEE codes, whose they are, and whether they are in force.
    insee: HashMap<InseeCode, (CollectiviteId, bool)>,
    /// SIRETs, present and past, whose they are and since when.
    sirets: HashMap<Siret, (CollectiviteId, Option<NaiveDate>)>,
    /// Collectivités this file spoke of, with the line: one row each.
    told: HashMap<CollectiviteId, u64>,
    new: Vec<Collectivite>,
    new_codes: Vec<(InseeCode, CollectiviteId, bool)>,
    /// What rows changed of what was known.
    changed: Vec<Entry<RegistryEvent>>,
}

impl Import {
    fn load(tx: &mut Tx<'_>) -> Outcome<Self> {
        Ok(Self {
            insee: store::insee_codes(tx)?.into_iter().map(|(code, id, current)| (code, (id, current))).collect(),
            sirets: store::all_sirets(tx)?.into_iter().map(|(siret, id, from)| (siret, (id, from))).collect(),
            told: HashMap::new(),
            new: Vec::new(),
            new_codes: Vec::new(),
            changed: Vec::new(),
        })
    }

    fn recognise(&self, row: &CommuneRow) -> Option<CollectiviteId> {
        let by_insee = self.insee.get(&row.insee_code).filter(|(_, current)| *current && is_commune(row));
        by_insee.map(|(id, _)| *id).or_else(|| self.sirets.get(&row.siret).map(|(id, _)| *id))
    }

    fn row(
        &mut self,
        tx: &mut Tx<'_>,
        kept: Kept<CommuneRow>,
        loaded: &mut HashMap<CollectiviteId, Collectivite>,
        view: &mut ImportView,
    ) -> Outcome<()> {
        let Kept { line, value: row, mut findings } = kept;
        let known = self.recognise(&row);
        if let Some(first) = known.and_then(|id| self.told.get(&id)) {
            let message =
                format!("La ligne {first} désigne déjà cette collectivité : garder une seule des deux lignes.");
            view.reject(line, &row.siret, "duplicate_row", message);
            return Ok(());
        }
        let outcome = match known.and_then(|id| loaded.get_mut(&id)) {
            None if known.is_some() => {
                return Err(Refused::new(&CONCURRENT_CHANGE, "Une collectivité a disparu pendant l'import.").into());
            }
            None => {
                self.create(tx, &row, line, &mut findings)?;
                "created"
            }
            Some(found) => {
                self.told.insert(found.id, line);
                match self.update(tx, found, &row, &mut findings)? {
                    Ok(true) => "updated",
                    Ok(false) => "unchanged",
                    Err((code, message)) => {
                        view.reject(line, &row.siret, code, message);
                        return Ok(());
                    }
                }
            }
        };
        view.tell(Some(line), &row.siret, outcome, findings);
        Ok(())
    }

    fn create(&mut self, tx: &mut Tx<'_>, row: &CommuneRow, line: u64, findings: &mut Vec<Finding>) -> Outcome<()> {
        let said = CollectiviteIdentity {
            siret: row.siret.clone(),
            kind: row.kind.unwrap_or(CollectiviteKind::Commune),
            name: row.name.clone(),
            insee_code: is_commune(row).then(|| row.insee_code.clone()),
            address: completed(&Address::default(), row),
            representative: Representative::default(),
            contact_email: None,
            contact_phone: None,
            chorus: Chorus::default(),
            closed_on: None,
        };
        let new = Collectivite::imported(CollectiviteId::new(tx.uuid()), said, row.population, tx.now());
        let id = new.id;
        self.sirets.insert(row.siret.clone(), (id, None));
        self.told.insert(id, line);
        self.new.push(new);
        if is_commune(row) {
            self.claim(tx, id, row, findings)?;
        }
        Ok(())
    }

    /// Brings a row to what is known; says whether anything changed.
    fn update(
        &mut self,
        tx: &mut Tx<'_>,
        found: &mut Collectivite,
        row: &CommuneRow,
        findings: &mut Vec<Finding>,
    ) -> Outcome<Result<bool, No>> {
        let today = tx.today();
        let before = found.clone();
        let new_siret = match self.siret_change(found, row, today, findings) {
            Ok(new) => new,
            Err(no) => return Ok(Err(no)),
        };
        if let Some(new) = new_siret {
            let old = std::mem::replace(&mut found.said.siret, new.clone());
            store::replace_siret(tx, found.id, &old, new, today, || {
                Refused::new(&CONCURRENT_CHANGE, format!("Le SIRET {new} vient d'être enregistré ailleurs."))
            })?;
            self.sirets.insert(new.clone(), (found.id, Some(today)));
            let replaced = RegistryEvent::SiretReplaced { former: old, siret: new.clone(), from: today };
            self.changed.push(Entry::new(events::of(found), replaced));
        }
        bring(found, row, findings);
        let mut changed = *found != before;
        self.changed.extend(events::changed(&before.said, found)?);
        if found.said.kind == CollectiviteKind::Commune && found.said.insee_code.as_ref() == Some(&row.insee_code) {
            changed |= self.claim(tx, found.id, row, findings)?;
            let replaced = before.said.insee_code.filter(|code| *code != row.insee_code);
            if let Some(former) = replaced.filter(|code| self.insee.get(code).is_some_and(|(id, _)| *id == found.id)) {
                // The commune changed code: schools still under the old one keep their payer.
                store::hold_insee_code(tx, &former, found.id, false)?;
                self.insee.insert(former, (found.id, false));
            }
        }
        if changed {
            store::save(tx, found)?;
        }
        Ok(Ok(changed))
    }

    /// The SIRET to record, if the file brings a new one.
    fn siret_change<'r>(
        &self,
        found: &Collectivite,
        row: &'r CommuneRow,
        today: NaiveDate,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<&'r Siret>, No> {
        let (old, new) = (&found.said.siret, &row.siret);
        match self.sirets.get(new) {
            _ if old == new => return Ok(None),
            Some((holder, _)) if *holder == found.id => {
                let message = "Le fichier donne un ancien SIRET de la collectivité : l'actuel est conservé.";
                findings.push(Finding::info("siret_former", message).compared(old, new));
                return Ok(None);
            }
            Some(_) => {
                let message =
                    format!("Le SIRET {new}, donné à {}, est déjà celui d'une autre collectivité.", found.said.name);
                return Err(("siret_taken", message));
            }
            None => {}
        }
        if old.siren() != new.siren() {
            let message = format!(
                "{} est enregistrée sous le SIREN {} et le fichier donne {} : c'est une autre personne morale. \
                 Enregistrer la succession si elle en remplace une autre, ou corriger le fichier.",
                found.said.name,
                old.siren(),
                new.siren()
            );
            return Err(("siren_changed", message));
        }
        // A period of no day cannot be recorded, nor one that ends before it begins.
        if self.sirets.get(old).is_some_and(|(_, from)| from.is_some_and(|from| from >= today)) {
            let message =
                format!("Le SIRET {old} ne vaut que depuis ce jour : le remplacer par {new} demande une vérification.");
            return Err(("siret_replaced_today", message));
        }
        let message =
            "Le SIRET a changé : l'ancien reste attaché à la collectivité, le nouveau vaut à compter de ce jour.";
        findings.push(Finding::info("siret_replaced", message).compared(old, new));
        Ok(Some(new))
    }

    /// Makes a commune answer for the codes of its row; says whether that changed anything.
    fn claim(
        &mut self,
        tx: &mut Tx<'_>,
        id: CollectiviteId,
        row: &CommuneRow,
        findings: &mut Vec<Finding>,
    ) -> Outcome<bool> {
        let mut changed = false;
        match self.insee.get(&row.insee_code) {
            Some((holder, true)) if *holder == id => {}
            None => {
                self.new_codes.push((row.insee_code.clone(), id, true));
                changed = true;
            }
            // A code in force wins over the memory of a merged commune: it was re-established.
            Some(_) => {
                self.flush(tx)?;
                store::hold_insee_code(tx, &row.insee_code, id, true)?;
                changed = true;
            }
        }
        self.insee.insert(row.insee_code.clone(), (id, true));
        for code in &row.former_insee_codes {
            match self.insee.get(code) {
                None => {
                    self.insee.insert(code.clone(), (id, false));
                    self.new_codes.push((code.clone(), id, false));
                    changed = true;
                }
                Some((holder, _)) if *holder != id => {
                    let message = "Cet ancien code INSEE reste celui d'une autre collectivité : enregistrer la succession s'il y a lieu.";
                    let mut finding = Finding::info("former_code_held", message);
                    finding.found = Some(code.to_string());
                    findings.push(finding);
                }
                Some(_) => {}
            }
        }
        Ok(changed)
    }

    fn flush(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        let taken =
            || Refused::new(&CONCURRENT_CHANGE, "Une collectivité de ce fichier vient d'être enregistrée ailleurs.");
        store::insert(tx, &std::mem::take(&mut self.new), taken)?;
        store::insert_insee_codes(tx, &std::mem::take(&mut self.new_codes))
    }
}

fn is_commune(row: &CommuneRow) -> bool {
    row.kind.is_none_or(|kind| kind == CollectiviteKind::Commune)
}

/// The address with what the row says of it; a blank cell changes nothing. The postal code of a commune alone changes no
/// address that has a street: that one may be a Cedex.
fn completed(address: &Address, row: &CommuneRow) -> Address {
    let bare = row.address_line_1.is_none() && row.address_line_2.is_none() && row.city.is_none();
    let street = address.line1.is_some() || address.line2.is_some();
    if bare && street && address.postal_code.is_some() {
        return address.clone();
    }
    Address {
        line1: row.address_line_1.clone().or_else(|| address.line1.clone()),
        line2: row.address_line_2.clone().or_else(|| address.line2.clone()),
        postal_code: row.postal_code.clone().or_else(|| address.postal_code.clone()),
        city: row.city.clone().or_else(|| address.city.clone()),
    }
}

fn shown(address: &Address) -> String {
    let lines = [address.line1.as_ref(), address.line2.as_ref(), address.city.as_ref()];
    let parts = lines.into_iter().flatten().map(ToString::to_string);
    parts.chain(address.postal_code.as_ref().map(ToString::to_string)).collect::<Vec<_>>().join(", ")
}

/// Brings the fields of a row to a collectivité, its SIRET and codes aside. Pure.
fn bring(found: &mut Collectivite, row: &CommuneRow, findings: &mut Vec<Finding>) {
    let person = &found.person_fields;
    let said = &mut found.said;
    let (place, code) = (said.address.clone(), said.insee_code.clone());
    Collectivite::take(person, "name", &mut said.name, &row.name, ToString::to_string, findings);
    let address = completed(&said.address, row);
    Collectivite::take(person, "address", &mut said.address, &address, shown, findings);
    if said.kind == CollectiviteKind::Commune && is_commune(row) {
        let insee = Some(row.insee_code.clone());
        let show = |code: &Option<InseeCode>| code.as_ref().map_or_else(String::new, ToString::to_string);
        Collectivite::take(person, "insee_code", &mut said.insee_code, &insee, show, findings);
    }
    found.population = row.population.or(found.population);
    if found.said.address != place || found.said.insee_code != code {
        let fresh = Collectivite::imported(found.id, found.said.clone(), None, found.updated_at);
        found.departement = fresh.departement.or(found.departement.take());
    }
}
