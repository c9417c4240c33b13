//! Writes the contacts file: who represents a collectivité, and where it is written to.
//!
//! A blank cell changes nothing, with one exception: when the surname or the first name is another's, it is another
//! person, who must not inherit the civility and the first name of the one before. The capacity is the office's and stays.

use std::collections::HashMap;

use super::collectivite::{Collectivite, Representative};
use super::events::{self, RegistryEvent};
use super::import::contacts::{self, ContactKey, ContactRow};
use super::import_actions::{Sifted, finish, hold, note};
use super::import_view::ImportView;
use super::store_collectivites as store;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::text::{Line, fold};
use crate::kernel::{Actor, Finding, InseeCode, Siret};
use crate::platform::tabular::Table;
use crate::platform::{Outcome, Tx};

/// Parses a file of contacts, before anything is held.
///
/// # Errors
/// The file cannot be read to its end.
pub fn read_contacts(table: &Table) -> Outcome<Sifted<ContactRow>> {
    Sifted::all(contacts::read(table))
}

/// Imports a file of contacts.
pub fn import_contacts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    mut file: Sifted<ContactRow>,
    dry_run: bool,
) -> Outcome<ImportView> {
    hold(tx)?;
    let mut view = file.begin(dry_run);
    let insee = store::insee_codes(tx)?.into_iter().map(|(code, id, current)| (code, (id, current))).collect();
    let sirets = store::all_sirets(tx)?.into_iter().map(|(siret, id, _)| (siret, id)).collect();
    // A row by SIRET and another by INSEE code may mean the same body: one row each.
    let mut told: HashMap<CollectiviteId, u64> = HashMap::new();
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
                    bring(found, &kept.value, &mut findings);
                    let changed = *found != before;
                    if changed {
                        store::save(tx, found)?;
                        noted.extend(events::changed(&before.said, found)?);
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

/// Brings a row to a collectivité. Pure.
fn bring(found: &mut Collectivite, row: &ContactRow, findings: &mut Vec<Finding>) {
    let person = &found.person_fields;
    let said = &mut found.said;
    let representative = succeeded(&said.representative, row);
    Collectivite::take(person, "representative", &mut said.representative, &representative, shown, findings);
    if row.email.is_some() {
        Collectivite::take(
            person,
            "contact_email",
            &mut said.contact_email,
            &row.email,
            |v| text(v.as_ref()),
            findings,
        );
    }
    if row.phone.is_some() {
        Collectivite::take(
            person,
            "contact_phone",
            &mut said.contact_phone,
            &row.phone,
            |v| text(v.as_ref()),
            findings,
        );
    }
}

/// The representative with what the row says; another name is another person.
fn succeeded(known: &Representative, row: &ContactRow) -> Representative {
    let differs = |old: &Option<Line>, new: &Option<Line>| {
        old.as_ref().zip(new.as_ref()).is_some_and(|(old, new)| fold(old.as_str()) != fold(new.as_str()))
    };
    let other = differs(&known.last_name, &row.last_name) || differs(&known.first_name, &row.first_name);
    let base = if other {
        // Without a surname in the row, the one known still names the family rather than nobody.
        let last_name = if row.last_name.is_some() { None } else { known.last_name.clone() };
        Representative { last_name, title: known.title.clone(), ..Representative::default() }
    } else {
        known.clone()
    };
    Representative {
        civility: row.civility.or(base.civility),
        first_name: row.first_name.clone().or(base.first_name),
        last_name: row.last_name.clone().or(base.last_name),
        title: row.capacity.clone().or(base.title),
    }
}

fn text(value: Option<&impl ToString>) -> String {
    value.map_or_else(String::new, ToString::to_string)
}

fn shown(r: &Representative) -> String {
    let parts = [r.civility.map(|c| c.to_string()), r.first_name.as_ref().map(ToString::to_string)];
    let more = [r.last_name.as_ref().map(ToString::to_string), r.title.as_ref().map(ToString::to_string)];
    parts.into_iter().chain(more).flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::contact::Civility;

    fn line(text: &str) -> Option<Line> {
        (!text.is_empty()).then(|| Line::parse(text).unwrap())
    }

    fn row(civility: Option<Civility>, first: &str, last: &str, title: &str) -> ContactRow {
        let key = ContactKey::Insee(InseeCode::parse("30278").unwrap());
        ContactRow {
            key,
            civility,
            first_name: line(first),
            last_name: line(last),
            capacity: line(title),
            email: None,
            phone: None,
        }
    }

    fn known() -> Representative {
        Representative {
            civility: Some(Civility::Madame),
            first_name: line("Marie"),
            last_name: line("Durand"),
            title: line("Maire"),
        }
    }

    #[test]
    fn a_blank_row_changes_nobody() {
        assert_eq!(succeeded(&known(), &row(None, "", "", "")), known());
        assert_eq!(succeeded(&known(), &row(None, "", "Durand", "")), known());
    }

    #[test]
    fn a_successor_inherits_the_office_and_nothing_else() {
        let expected =
            Representative { civility: None, first_name: None, last_name: line("Petit"), title: line("Maire") };
        assert_eq!(succeeded(&known(), &row(None, "", "Petit", "")), expected);
        let son = succeeded(&known(), &row(None, "Paul", "Durand", "Président"));
        assert_eq!((son.civility, son.first_name, son.title), (None, line("Paul"), line("Président")));
    }
}
