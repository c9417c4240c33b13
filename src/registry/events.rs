//! What happens to collectivités and schools, as the journal tells it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::collectivite::{Collectivite, CollectiviteIdentity};
use super::school::SchoolIdentity;
use crate::audit::{Act, Changes, Entry, Personal, Subject, SubjectKind, Told, listed};
use crate::kernel::ids::CollectiviteId;
use crate::kernel::{Siret, Uai, french};
use crate::platform::Outcome;

/// Who speaks for a collectivité, and where that person is reached.
pub(super) const PERSONAL: &[&str] = &["representative", "contact_email", "contact_phone"];

/// What an import did, in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
    pub closed: usize,
    /// Absent schools left open: their absence was not proven.
    #[serde(default)]
    pub not_closed: usize,
    pub ignored: usize,
    pub rejected: usize,
    /// How many findings of each code.
    pub findings: Value,
    /// Departments whose absent schools were closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub complete_for: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum RegistryEvent {
    #[serde(rename = "collectivite.created")]
    CollectiviteCreated { identity: Value, contact: Personal<Value> },
    #[serde(rename = "collectivite.changed")]
    CollectiviteChanged { changes: Changes },
    #[serde(rename = "collectivite.siret_replaced")]
    SiretReplaced { former: Siret, siret: Siret, from: NaiveDate },
    #[serde(rename = "collectivite.succeeded")]
    Succeeded {
        kind: String,
        successor: CollectiviteId,
        successor_siret: Siret,
        effective_on: NaiveDate,
        act_reference: String,
    },
    #[serde(rename = "school.created")]
    SchoolCreated { identity: Value },
    #[serde(rename = "school.changed")]
    SchoolChanged { changes: Changes },
    #[serde(rename = "school.payer_set")]
    PayerSet { payer_siret: Siret, payer_from: Option<NaiveDate> },
    #[serde(rename = "registry.collectivites_imported")]
    CollectivitesImported(Imported),
    #[serde(rename = "registry.schools_imported")]
    SchoolsImported(Imported),
    #[serde(rename = "registry.contacts_imported")]
    ContactsImported(Imported),
}

/// A collectivité as a subject, under its SIRET of the moment.
pub(super) fn of(collectivite: &Collectivite) -> Subject {
    Subject::new(SubjectKind::Collectivite, collectivite.id, &collectivite.said.siret)
}

/// A school as a subject.
pub(super) fn of_school(uai: &Uai) -> Subject {
    Subject::known_by(SubjectKind::School, uai)
}

/// What a collectivité became, if anything people know it by changed.
pub(super) fn changed(before: &CollectiviteIdentity, after: &Collectivite) -> Outcome<Option<Entry<RegistryEvent>>> {
    let changes = Changes::between(before, &after.said, PERSONAL)?;
    Ok((!changes.is_empty()).then(|| Entry::new(of(after), RegistryEvent::CollectiviteChanged { changes })))
}

/// The same of a school.
pub(super) fn school_changed(before: &SchoolIdentity, after: &SchoolIdentity) -> Outcome<Option<Entry<RegistryEvent>>> {
    let changes = Changes::between(before, after, &[])?;
    Ok((!changes.is_empty()).then(|| Entry::new(of_school(&after.uai), RegistryEvent::SchoolChanged { changes })))
}

/// The registry as a whole, to which a file brings rows.
pub(super) fn of_import() -> Subject {
    Subject::known_by(SubjectKind::Registry, "import")
}

fn told(what: &str, done: &Imported) -> String {
    let mut parts = Vec::new();
    for (count, words) in [
        (done.created, "ajout"),
        (done.updated, "modification"),
        (done.closed, "fermeture"),
        (done.not_closed, "fermeture refusée"),
        (done.unchanged, "ligne inchangée"),
        (done.ignored, "ligne ignorée"),
        (done.rejected, "ligne rejetée"),
    ] {
        if count > 0 {
            parts.push(french::count(count, words));
        }
    }
    format!("{what} : {}.", parts.join(", "))
}

impl Told for RegistryEvent {
    const ACTS: &'static [Act] = &[
        ("collectivite.created", "Collectivité enregistrée"),
        ("collectivite.changed", "Collectivité modifiée"),
        ("collectivite.siret_replaced", "SIRET remplacé"),
        ("collectivite.succeeded", "Succession enregistrée"),
        ("school.created", "École enregistrée"),
        ("school.changed", "École modifiée"),
        ("school.payer_set", "Payeur d'une école désigné"),
        ("registry.collectivites_imported", "Collectivités importées"),
        ("registry.schools_imported", "Écoles importées"),
        ("registry.contacts_imported", "Contacts importés"),
    ];

    fn sentence(&self) -> String {
        match self {
            Self::CollectiviteCreated { identity, .. } => {
                format!("Collectivité enregistrée : {}.", identity["name"].as_str().unwrap_or_default())
            }
            Self::CollectiviteChanged { changes } => format!("Collectivité modifiée ({}).", listed(changes.names())),
            Self::SiretReplaced { former, siret, from } => {
                format!("SIRET {former} remplacé par {siret} à compter du {}.", french::date_long(*from))
            }
            Self::Succeeded { successor_siret, effective_on, act_reference, .. } => format!(
                "{successor_siret} succède à la collectivité au {} ({act_reference}).",
                french::date_long(*effective_on)
            ),
            Self::SchoolCreated { identity } => {
                format!("École enregistrée : {}.", identity["name"].as_str().unwrap_or_default())
            }
            Self::SchoolChanged { changes } => format!("École modifiée ({}).", listed(changes.names())),
            Self::PayerSet { payer_siret, payer_from: Some(from) } => {
                format!("Payeur désigné : {payer_siret}, à compter du {}.", french::date_long(*from))
            }
            Self::PayerSet { payer_siret, payer_from: None } => format!("Payeur désigné : {payer_siret}."),
            Self::CollectivitesImported(done) => told("Collectivités importées", done),
            Self::SchoolsImported(done) => told("Écoles importées", done),
            Self::ContactsImported(done) => told("Contacts importés", done),
        }
    }
}
