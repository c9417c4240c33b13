//! Two rows of the State's directory for one collectivité: nobody but a person says which is right.
//!
//! ```text
//!   an import meets two that differ ──▶ task `contacts.ambiguous` about the collectivité
//!   an import meets one, a list tells its mail, a person writes its mail ──▶ closed by the program
//! ```

use std::collections::HashSet;

use super::collectivite::Collectivite;
use super::events;
use crate::audit::SubjectKind;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::{Actor, french};
use crate::platform::{Outcome, Tx};
use crate::tasks::{self, NewTask, TaskKind};

/// Which of two services is a collectivité's.
pub const AMBIGUOUS: TaskKind = TaskKind("contacts.ambiguous");

pub(super) const ONE_LEFT: &str = "L'annuaire des administrations n'a plus qu'une fiche pour cette collectivité.";
pub(super) const TOLD_BY_A_LIST: &str = "Un fichier de contacts a donné le courriel de la collectivité.";
pub(super) const TOLD_BY_A_PERSON: &str = "Une personne a saisi les coordonnées qui différaient.";

/// The collectivités that wait for a person.
pub(super) fn undecided(tx: &mut Tx<'_>) -> Outcome<HashSet<CollectiviteId>> {
    let ids = tasks::open_subjects(tx, AMBIGUOUS, SubjectKind::Collectivite)?;
    Ok(ids.iter().filter_map(|id| CollectiviteId::parse(id).ok()).collect())
}

/// Asks a person, unless it was asked already.
pub(super) fn ask(tx: &mut Tx<'_>, actor: &Actor, found: &Collectivite, lines: &[u64]) -> Outcome<()> {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let why = format!(
        "Plusieurs fiches de l'annuaire des administrations (lignes {}) donnent à {} des coordonnées différentes : \
         aucune n'est retenue. Saisir les bonnes, à commencer par le courriel.",
        french::listed(&lines),
        found.said.name
    );
    tasks::open(tx, actor, NewTask { kind: AMBIGUOUS, subject: events::of(found), why, due_on: None }).map(|_| ())
}

/// Closes what was asked, if it was.
pub(super) fn settle(tx: &mut Tx<'_>, actor: &Actor, id: CollectiviteId, word: &str) -> Outcome<()> {
    tasks::settle(tx, actor, AMBIGUOUS, (SubjectKind::Collectivite, &id.to_string()), word).map(|_| ())
}
