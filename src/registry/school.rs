//! A school and its dated payers. Pure.
//!
//! Who pays is a list of periods `[from, until)` that never overlap: at one date a school has one payer at most.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::kinds::{SchoolKind, Sector, SetBy};
use super::official_siret::OfficialSiret;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::text::{Line, fold};
use crate::kernel::{Departement, Finding, InseeCode, Instant, SchoolYear, Siren, Siret, Uai};

/// What is said of a school, by a person or the directory. Written as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchoolIdentity {
    pub uai: Uai,
    pub name: Line,
    pub kind: SchoolKind,
    pub sector: Sector,
    /// Of the commune where it stands.
    pub insee_code: InseeCode,
    pub commune_name: Line,
    pub pupils: Option<Count>,
    pub classes: Option<Count>,
    pub opened_on: Option<NaiveDate>,
    pub closed_on: Option<NaiveDate>,
    /// First school year it took part.
    pub first_school_year: Option<SchoolYear>,
}

/// A school and who pays for it, as a person says them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidSchool {
    pub identity: SchoolIdentity,
    /// None: the commune of its INSEE code, or who pays already.
    pub payer: Option<Siret>,
    /// First day that payer pays; none: since ever.
    pub payer_from: Option<NaiveDate>,
}

/// Un effectif annuel, de 0 à 5000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(value_type = i64, minimum = 0, maximum = 5000)]
pub struct Count(pub i64);

impl Count {
    /// Its one door.
    ///
    /// # Errors
    /// `count_range`.
    pub fn parse(count: i64) -> Result<Self, crate::kernel::FieldFault> {
        if (0..=5000).contains(&count) {
            return Ok(Self(count));
        }
        Err(crate::kernel::FieldFault::new("count_range", "Effectif attendu entre 0 et 5000."))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(i64::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// A school as known today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct School {
    pub said: SchoolIdentity,
    pub departement: Departement,
    /// SIRET the directory gives the school: its own, never the debtor's, even when its key is wrong.
    pub official_siret: Option<OfficialSiret>,
    /// The SIREN that tells, or the one the directory gives without a SIRET.
    pub official_siren: Option<OfficialSiret>,
    pub person_fields: BTreeSet<String>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// Fields an import may bring, by the name they have in `person_fields`.
const TRACKED: [&str; 10] = [
    "name",
    "kind",
    "sector",
    "insee_code",
    "commune_name",
    "pupils",
    "classes",
    "opened_on",
    "closed_on",
    "first_school_year",
];

impl School {
    /// A new one, said by a person.
    #[must_use]
    pub fn said_by_person(said: SchoolIdentity, now: Instant) -> Self {
        let mut school = Self::imported(said, None, None, now);
        school.person_fields = ["name", "kind", "sector", "insee_code", "commune_name"].map(str::to_owned).into();
        for (field, given) in [
            ("pupils", school.said.pupils.is_some()),
            ("classes", school.said.classes.is_some()),
            ("first_school_year", school.said.first_school_year.is_some()),
            ("opened_on", school.said.opened_on.is_some()),
            ("closed_on", school.said.closed_on.is_some()),
        ] {
            if given {
                school.person_fields.insert(field.to_owned());
            }
        }
        school
    }

    /// A new one, read from the directory.
    #[must_use]
    pub fn imported(
        said: SchoolIdentity,
        official_siret: Option<OfficialSiret>,
        official_siren: Option<OfficialSiret>,
        now: Instant,
    ) -> Self {
        let departement = said.insee_code.departement();
        Self {
            said,
            departement,
            official_siret,
            official_siren,
            person_fields: BTreeSet::new(),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Takes a person's new word; the fields named in the patch become theirs.
    pub fn rewritten(&mut self, said: SchoolIdentity, patched: impl IntoIterator<Item = String>) {
        self.departement = said.insee_code.departement();
        self.said = said;
        self.person_fields.extend(patched.into_iter().filter(|f| TRACKED.contains(&f.as_str())));
    }

    #[must_use]
    pub fn is_closed_on(&self, day: NaiveDate) -> bool {
        self.said.closed_on.is_some_and(|closed| closed <= day)
    }

    #[must_use]
    pub fn name_fold(&self) -> String {
        fold(self.said.name.as_str())
    }

    #[must_use]
    pub fn commune_fold(&self) -> String {
        fold(self.said.commune_name.as_str())
    }

    /// What is worth a look, given who pays.
    #[must_use]
    pub fn findings(&self, payer: Option<&PayerFacts>) -> Vec<Finding> {
        let mut findings = Vec::new();
        match &self.official_siret {
            None if self.official_siren.is_none() => {
                findings.push(Finding::info("school_siret_missing", "L'annuaire ne donne pas de SIRET à cette école."));
            }
            Some(siret) if siret.fault().is_some() => {
                let message = "Le SIRET de l'école dans l'annuaire a une clé fausse (sans effet sur le débiteur).";
                let mut finding = Finding::info("school_siret_invalid", message);
                finding.found = Some(siret.to_string());
                findings.push(finding);
            }
            _ => {}
        }
        let Some(payer) = payer else {
            findings.push(Finding::blocking("payer_missing", "Aucune collectivité ne paie pour cette école."));
            return findings;
        };
        // A private school has its association's SIREN, never its commune's: nothing to compare.
        if self.said.sector == Sector::Public
            && let Some(siren) = &self.official_siren
            && siren.as_str() != payer.siren.as_str()
        {
            let message = "L'annuaire rattache l'école à un autre organisme que son payeur : à confirmer.";
            findings.push(Finding::to_acknowledge("siren_differs", message).compared(&payer.siren, siren));
        }
        if let Some(departement) = &payer.departement
            && *departement != self.departement
        {
            let message = "L'école et son payeur sont de départements différents.";
            findings.push(Finding::info("departement_differs", message).compared(departement, &self.departement));
        }
        findings
    }
}

/// What the checks of a school need to know of its payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerFacts {
    pub siren: Siren,
    pub departement: Option<Departement>,
}

/// One period during which a collectivité pays for a school: `from` included, `until` excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerPeriod {
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
    pub collectivite_id: CollectiviteId,
    pub set_by: SetBy,
}

/// Stands for « since the beginning » in stored periods.
#[must_use]
pub fn since_ever() -> NaiveDate {
    NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default()
}

/// The payer in force at a date.
#[must_use]
pub fn payer_on(periods: &[PayerPeriod], day: NaiveDate) -> Option<&PayerPeriod> {
    periods.iter().find(|p| p.from <= day && p.until.is_none_or(|until| day < until))
}

/// The payer for a school year: in force on 1 September, else the first to begin during the year (new school).
#[must_use]
pub fn payer_for_year<'p>(periods: &'p [PayerPeriod], year: &SchoolYear) -> Option<&'p PayerPeriod> {
    payer_on(periods, year.starts_on()).or_else(|| {
        periods.iter().filter(|p| p.from > year.starts_on() && p.from <= year.ends_on()).min_by_key(|p| p.from)
    })
}

/// Makes a collectivité the payer from a date on: what stood before is cut short, what began later is dropped.
///
/// Two payers at one date are impossible by construction.
#[must_use]
pub fn with_payer(mut periods: Vec<PayerPeriod>, new: PayerPeriod) -> Vec<PayerPeriod> {
    periods.retain(|p| p.from < new.from);
    for period in &mut periods {
        if period.until.is_none_or(|until| until > new.from) {
            period.until = Some(new.from);
        }
    }
    periods.push(new);
    periods.sort_by_key(|p| p.from);
    periods
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn day(n: u64) -> NaiveDate {
        since_ever() + chrono::Days::new(n)
    }

    proptest! {
        #[test]
        fn a_school_has_one_payer_at_most_at_any_date(changes in proptest::collection::vec((0u64..400, 0u128..5), 1..12), probe in 0u64..500) {
            let mut periods = Vec::new();
            for (from, who) in changes {
                periods = with_payer(periods, PayerPeriod {
                    from: day(from), until: None,
                    collectivite_id: CollectiviteId::new(Uuid::from_u128(who)), set_by: SetBy::Person,
                });
            }
            let paying = periods.iter().filter(|p| p.from <= day(probe) && p.until.is_none_or(|u| day(probe) < u)).count();
            prop_assert!(paying <= 1);
            prop_assert_eq!(paying == 1, payer_on(&periods, day(probe)).is_some());
            prop_assert_eq!(periods.iter().filter(|p| p.until.is_none()).count(), 1);
        }

        #[test]
        fn the_last_word_holds_from_its_date_on(first in 0u64..300, last in 0u64..300, later in 0u64..100) {
            let period = |from: u64, who: u128| PayerPeriod {
                from: day(from), until: None, collectivite_id: CollectiviteId::new(Uuid::from_u128(who)), set_by: SetBy::Person,
            };
            let periods = with_payer(with_payer(Vec::new(), period(first, 1)), period(last, 2));
            let payer = payer_on(&periods, day(last + later)).unwrap();
            prop_assert_eq!(payer.collectivite_id, CollectiviteId::new(Uuid::from_u128(2)));
        }
    }
}
