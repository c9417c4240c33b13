//! A collectivité: the party that signs and pays. Pure: what it is, what a person or an import may change in it.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::designation::{self, Designation};
use super::kinds::CollectiviteKind;
use crate::kernel::contact::{Civility, EmailAddress, Phone, PostalCode};
use crate::kernel::ids::CollectiviteId;
use crate::kernel::text::{Line, fold};
use crate::kernel::{Departement, FieldFault, Finding, InseeCode, Instant, Siren, Siret, french};
use crate::string_newtype;

string_newtype!(
    /// Un code de routage de Chorus Pro : 100 caractères imprimables au plus, sans saut de ligne.
    ChorusCode, example: "SERVICE-ECOLES",
    pattern: r"^[ -~\u00a0-\u00ac\u00ae-\u017f\u0218-\u021b\u0300-\u0304\u0306-\u0308\u030a-\u030c\u0327\u0328\u1e80-\u1e85\u1ef2\u1ef3\u2010-\u2015\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u202f\u2030\u2039\u203a\u20ac\u2116\u2122]+$",
    max: 100
);
impl ChorusCode {
    fn check(raw: &str) -> Result<String, FieldFault> {
        crate::kernel::text::check_line(raw, 100)
    }
}

/// Adresse postale, telle qu'imprimée.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    #[serde(default)]
    pub line1: Option<Line>,
    #[serde(default)]
    pub line2: Option<Line>,
    #[serde(default)]
    pub postal_code: Option<PostalCode>,
    #[serde(default)]
    pub city: Option<Line>,
}

impl Address {
    /// What is missing before a letter arrives; a commune (`town`) is its own city.
    #[must_use]
    pub fn missing(&self, town: Option<&str>) -> Vec<&'static str> {
        let known = |text: Option<&str>| text.is_some_and(|t| t.chars().any(char::is_alphanumeric));
        let street = [&self.line1, &self.line2].into_iter().any(|l| known(l.as_ref().map(Line::as_str)));
        let city = known(self.city.as_ref().map(Line::as_str).or(town));
        let parts = [(street, "la voie"), (self.postal_code.is_some(), "le code postal"), (city, "la ville")];
        parts.into_iter().filter(|(there, _)| !there).map(|(_, what)| what).collect()
    }

    /// What is known of it, on one line; empty when nothing is. A lone `town` says nothing more than the name above it.
    #[must_use]
    pub fn known(&self, town: Option<&str>) -> String {
        let code = self.postal_code.as_ref().map(PostalCode::as_str);
        let city = self.city.as_ref().map(Line::as_str).or(town.filter(|_| code.is_some()));
        let city = french::joined([code, city].into_iter().flatten(), " ");
        let lines = [&self.line1, &self.line2].into_iter().flatten().map(Line::as_str);
        french::joined(lines.chain([city.as_str()]), ", ")
    }

    /// The finding of an address to which no letter arrives: papers leave it out, or print « à compléter ».
    #[must_use]
    pub fn finding(&self, town: Option<&str>) -> Option<Finding> {
        let missing = self.missing(town);
        let known = self.known(town);
        let message = match (missing.is_empty(), known.is_empty()) {
            (true, _) => return None,
            (false, true) => "Adresse postale inconnue : elle ne sera pas imprimée.".to_owned(),
            (false, false) => {
                format!(
                    "Adresse postale incomplète, il manque {} : elle ne sera pas imprimée.",
                    french::listed(&missing)
                )
            }
        };
        let mut finding = Finding::info(ADDRESS_MISSING, message);
        finding.found = Some(known).filter(|k| !k.is_empty());
        Some(finding)
    }
}

/// Code of [`Address::finding`].
pub const ADDRESS_MISSING: &str = "address_missing";

/// La personne qui représente la collectivité : maire, présidente.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Representative {
    #[serde(default)]
    pub civility: Option<Civility>,
    #[serde(default)]
    pub first_name: Option<Line>,
    #[serde(default)]
    pub last_name: Option<Line>,
    /// Qualité, par exemple « Maire ».
    #[serde(default)]
    pub title: Option<Line>,
}

/// Ce que Chorus Pro demande à certains destinataires ; vide quand la structure n'exige rien.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Chorus {
    #[serde(default)]
    pub service_code: Option<ChorusCode>,
    #[serde(default)]
    pub commitment_number: Option<ChorusCode>,
    #[serde(default)]
    pub third_party_number: Option<ChorusCode>,
}

/// What is said of a collectivité, by a person or a file. Written as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CollectiviteIdentity {
    pub siret: Siret,
    pub kind: CollectiviteKind,
    pub name: Line,
    /// Of a commune: by it its schools find their payer.
    pub insee_code: Option<InseeCode>,
    pub address: Address,
    pub representative: Representative,
    pub contact_email: Option<EmailAddress>,
    pub contact_phone: Option<Phone>,
    pub chorus: Chorus,
    /// Its last day, once it is over.
    pub closed_on: Option<NaiveDate>,
}

/// A collectivité as known today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collectivite {
    pub id: CollectiviteId,
    pub said: CollectiviteIdentity,
    pub departement: Option<Departement>,
    pub population: Option<i64>,
    /// Fields a person wrote last: an import never overwrites them.
    pub person_fields: BTreeSet<String>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// Fields an import may bring, by the name they have in `person_fields`.
const TRACKED: [&str; 6] = ["name", "insee_code", "address", "representative", "contact_email", "contact_phone"];

impl Collectivite {
    /// A new one, said by a person.
    #[must_use]
    pub fn said_by_person(id: CollectiviteId, said: CollectiviteIdentity, now: Instant) -> Self {
        let mut new = Self::imported(id, said, None, now);
        let written = |given: bool, name: &str| given.then(|| name.to_owned());
        new.person_fields = [
            written(true, "name"),
            written(new.said.insee_code.is_some(), "insee_code"),
            written(new.said.address != Address::default(), "address"),
            written(new.said.representative != Representative::default(), "representative"),
            written(new.said.contact_email.is_some(), "contact_email"),
            written(new.said.contact_phone.is_some(), "contact_phone"),
        ]
        .into_iter()
        .flatten()
        .collect();
        new
    }

    /// A new one, read from a file.
    #[must_use]
    pub fn imported(id: CollectiviteId, said: CollectiviteIdentity, population: Option<i64>, now: Instant) -> Self {
        Self {
            id,
            departement: Self::departement_of(&said),
            said,
            population,
            person_fields: BTreeSet::new(),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Where it stands: by its INSEE code, else by its postal code.
    pub(super) fn departement_of(said: &CollectiviteIdentity) -> Option<Departement> {
        let postal = || Departement::parse(said.address.postal_code.as_ref()?.as_str().get(..2)?).ok();
        said.insee_code.as_ref().map(InseeCode::departement).or_else(postal)
    }

    /// Takes a person's new word; the fields named in the patch become theirs.
    pub fn rewritten(&mut self, said: CollectiviteIdentity, patched: impl IntoIterator<Item = String>) {
        let fresh = Self::imported(self.id, said, self.population, self.updated_at);
        self.departement = fresh.departement.or(self.departement.take());
        self.said = fresh.said;
        self.person_fields.extend(patched.into_iter().filter(|f| TRACKED.contains(&f.as_str())));
    }

    /// Takes an imported value unless a person wrote the field: then it stays, and a finding says so.
    pub(super) fn take<T: PartialEq + Clone + std::fmt::Debug>(
        person_fields: &BTreeSet<String>,
        field: &str,
        slot: &mut T,
        value: &T,
        show: impl Fn(&T) -> String,
        findings: &mut Vec<Finding>,
    ) {
        if *slot == *value {
            return;
        }
        if person_fields.contains(field) {
            let message = format!("Le champ {field} saisi à la main est conservé.");
            findings.push(Finding::info("kept_manual", message).compared(show(slot), show(value)));
        } else {
            *slot = value.clone();
        }
    }

    #[must_use]
    pub fn siren(&self) -> Siren {
        self.said.siret.siren()
    }

    #[must_use]
    pub fn is_closed_on(&self, day: NaiveDate) -> bool {
        self.said.closed_on.is_some_and(|closed| closed < day)
    }

    /// What is worth a look: never stops anything.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let (CollectiviteKind::Commune, Some(insee)) = (self.said.kind, &self.said.insee_code)
            && !self.siren().usual_for(insee)
        {
            let message = "Le SIREN n'a pas la forme habituelle pour ce code INSEE (cas fréquent, à vérifier).";
            findings.push(Finding::info("siren_insee_pattern", message).compared(insee, self.siren()));
        }
        let missing = |code: &str, absent: bool, message: &str| absent.then(|| Finding::info(code, message));
        findings.extend(
            [
                missing(
                    "contact_email_missing",
                    self.said.contact_email.is_none(),
                    "Pas d'adresse de courriel de contact.",
                ),
                missing(
                    "representative_missing",
                    self.said.representative.last_name.is_none(),
                    "Nom du représentant inconnu.",
                ),
                self.said.address.finding(self.designation().place()),
                designation::kind_name_differs(self.said.kind, self.said.name.as_str()),
            ]
            .into_iter()
            .flatten(),
        );
        findings
    }

    /// How it is called on paper.
    #[must_use]
    pub fn designation(&self) -> Designation {
        Designation::of(self.said.kind, self.said.name.as_str())
    }

    #[must_use]
    pub fn name_fold(&self) -> String {
        fold(self.said.name.as_str())
    }
}

/// Un SIRET que cette collectivité porte, ou a porté.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SiretView {
    pub siret: Siret,
    pub valid_from: Option<NaiveDate>,
    pub valid_until: Option<NaiveDate>,
}
