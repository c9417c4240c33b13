//! School years and business dates. A business date is a day in Europe/Paris; an instant is UTC.

use chrono::{Datelike, NaiveDate};

use super::refused::FieldFault;
use crate::string_newtype;

string_newtype!(
    /// Année scolaire `2025-2026`, du 1er septembre au 31 août ; la seconde année suit la première.
    SchoolYear, example: "2025-2026", pattern: "^20[0-9]{2}-20[0-9]{2}$"
);

impl SchoolYear {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let shape = || FieldFault::new("school_year_format", "Année scolaire attendue comme « 2025-2026 ».");
        let (first, second) = raw.split_once('-').ok_or_else(shape)?;
        let year =
            |s: &str| (s.len() == 4 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<i32>().ok()).flatten();
        let (first, second) = (year(first).ok_or_else(shape)?, year(second).ok_or_else(shape)?);
        if !(2000..=2098).contains(&first) {
            return Err(FieldFault::new("school_year_range", "Année scolaire attendue entre 2000-2001 et 2098-2099."));
        }
        if second != first + 1 {
            return Err(FieldFault::new(
                "school_year_not_consecutive",
                format!("Une année scolaire joint deux années qui se suivent : {first}-{} attendu.", first + 1),
            ));
        }
        Ok(raw.to_owned())
    }

    /// First calendar year.
    #[must_use]
    pub fn first_year(&self) -> i32 {
        self.0.get(..4).and_then(|y| y.parse().ok()).unwrap_or_default()
    }

    /// 1 September of the first year.
    #[must_use]
    pub fn starts_on(&self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.first_year(), 9, 1).unwrap_or_default()
    }

    /// 31 August of the second year.
    #[must_use]
    pub fn ends_on(&self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.first_year() + 1, 8, 31).unwrap_or_default()
    }
}

/// Budget year (exercice) of a State act: the calendar year of its business date.
#[must_use]
pub fn exercice(day: NaiveDate) -> i32 {
    day.year()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_school_year_joins_two_consecutive_years() {
        let year = SchoolYear::parse("2025-2026").unwrap();
        assert_eq!(year.starts_on().to_string(), "2025-09-01");
        assert_eq!(year.ends_on().to_string(), "2026-08-31");
        let fault = SchoolYear::parse("2025-2027").unwrap_err();
        assert_eq!(fault.code, "school_year_not_consecutive");
        assert!(fault.message.contains("2025-2026"));
        for bad in ["2025", "2025/2026", "25-26", "20255-2026", "1999-2000", "2025-2026 "] {
            assert!(SchoolYear::parse(bad).is_err(), "{bad}");
        }
    }
}
