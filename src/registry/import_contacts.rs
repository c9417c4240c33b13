//! Writes what comes through the door of contacts: who represents a collectivité, and where it is written to.
//!
//! ```text
//!   our own list: one row, one collectivité, which must be known ──────────┐
//!   the State's directory of administrations ─▶ import_administrations ────┴──▶ taking
//! ```

use std::collections::HashMap;

use super::ambiguity;
use super::events::{self, RegistryEvent};
use super::import::administrations::{self, AdministrationRow, Told};
use super::import::contacts::{self, ContactKey, ContactRow};
use super::import_actions::{Sifted, finish, hold, note};
use super::import_administrations::import_administrations;
use super::import_view::ImportView;
use super::store_collectivites as store;
use super::taking::bring;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::{Actor, InseeCode, Siret};
use crate::platform::tabular::Table;
use crate::platform::{Outcome, Tx};

/// A file of contacts, parsed, of the sort its columns tell.
pub enum ContactsFile {
    Own(Sifted<ContactRow>),
    Administrations(Sifted<AdministrationRow>),
}

/// Parses a file of contacts, before anything is held.
///
/// # Errors
/// The file cannot be read to its end.
pub fn read_contacts(table: &Table) -> Outcome<ContactsFile> {
    Ok(if *table.layout() == administrations::LAYOUT {
        ContactsFile::Administrations(Sifted::all(administrations::read(table))?)
    } else {
        ContactsFile::Own(Sifted::all(contacts::read(table))?)
    })
}

/// Imports a file of contacts.
///
/// # Errors
/// Those of the database.
pub fn import_contacts(tx: &mut Tx<'_>, actor: &Actor, file: ContactsFile, dry_run: bool) -> Outcome<ImportView> {
    match file {
        ContactsFile::Own(file) => import_own(tx, actor, file, dry_run),
        ContactsFile::Administrations(file) => import_administrations(tx, actor, file, dry_run),
    }
}

fn import_own(tx: &mut Tx<'_>, actor: &Actor, mut file: Sifted<ContactRow>, dry_run: bool) -> Outcome<ImportView> {
    hold(tx)?;
    let mut view = file.begin(dry_run);
    let insee = store::insee_codes(tx)?.into_iter().map(|(code, id, current)| (code, (id, current))).collect();
    let sirets = store::all_sirets(tx)?.into_iter().map(|(siret, id, _)| (siret, id)).collect();
    // A row by SIRET and another by INSEE code may mean the same body: one row each.
    let mut told: HashMap<CollectiviteId, u64> = HashMap::new();
    let undecided = ambiguity::undecided(tx)?;
    loop {
        let chunk = file.next_chunk();
        if chunk.is_empty() {
            break;
        }
        let ids: Vec<_> = chunk.iter().filter_map(|kept| whose(&kept.value.key, &insee, &sirets).ok()).collect();
        let mut loaded: HashMap<_, _> = store::by_ids(tx, &ids)?.into_iter().map(|c| (c.id, c)).collect();
        let mut noted = Vec::new();
        for kept in chunk {
            let (line, mut findings) = (kept.line, kept.findings);
            let key = match &kept.value.key {
                ContactKey::Siret(siret) => siret.to_string(),
                ContactKey::Insee(code) => code.to_string(),
            };
            let found = whose(&kept.value.key, &insee, &sirets).and_then(|id| match told.get(&id) {
                Some(first) => {
                    let message =
                        format!("La ligne {first} désigne déjà cette collectivité : garder une seule des deux lignes.");
                    Err(("duplicate_row", message))
                }
                None => loaded.get_mut(&id).ok_or_else(unknown),
            });
            match found {
                Err((code, message)) => view.reject(line, key, code, message),
                Ok(found) => {
                    told.insert(found.id, line);
                    let before = found.clone();
                    let contact = kept.value.said;
                    let writes_to = contact.email.is_some();
                    bring(found, &Told { contact, address: None }, &mut findings);
                    let changed = *found != before;
                    if changed {
                        store::save(tx, found)?;
                        noted.extend(events::changed(&before.said, found)?);
                    }
                    if writes_to && undecided.contains(&found.id) && !dry_run {
                        ambiguity::settle(tx, actor, found.id, ambiguity::TOLD_BY_A_LIST)?;
                    }
                    view.tell(Some(line), key, if changed { "updated" } else { "unchanged" }, findings);
                }
            }
        }
        note(tx, actor, &mut noted, dry_run)?;
    }
    finish(tx, actor, view, Vec::new(), RegistryEvent::ContactsImported)
}

fn unknown() -> (&'static str, String) {
    ("collectivite_unknown", "Aucune collectivité enregistrée sous cet identifiant : l'enregistrer d'abord.".to_owned())
}

/// Whom a row is for: by a SIRET, present or past, or by an INSEE code in force.
fn whose(
    key: &ContactKey,
    insee: &HashMap<InseeCode, (CollectiviteId, bool)>,
    sirets: &HashMap<Siret, CollectiviteId>,
) -> Result<CollectiviteId, (&'static str, String)> {
    match key {
        ContactKey::Siret(siret) => sirets.get(siret).copied().ok_or_else(unknown),
        ContactKey::Insee(code) => match insee.get(code) {
            Some((id, true)) => Ok(*id),
            // The mayor of a merged commune does not sign for the one that took its place.
            Some((_, false)) => {
                let message = "Code INSEE d'une ancienne commune : indiquer celui de la commune qui l'a remplacée.";
                Err(("insee_former", message.to_owned()))
            }
            None => Err(unknown()),
        },
    }
}
