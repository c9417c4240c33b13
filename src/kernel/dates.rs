//! School years and business dates. A business date is a day in Europe/Paris; an instant is UTC.
//!
//! Nothing is refused because it is recorded late: a date is refused when it lies in the future of what has happened,
//! or so far off that it can only be a slip of the pen ([`Bounds`]).

use chrono::{Datelike, Months, NaiveDate};

use super::refused::{FieldError, FieldFault, INVALID_VALUE, Refused};
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

/// The days between which a date makes sense, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

/// How far ahead what is announced may lie, in years: a commune nouvelle, the closing of a school.
const ANNOUNCED_YEARS: i32 = 2;

impl Bounds {
    /// For what has happened: from a day to today.
    #[must_use]
    pub fn happened(from: NaiveDate, today: NaiveDate) -> Self {
        Self { from, until: today }
    }

    /// For what has happened or is announced: from 1 January of a year to two years ahead.
    #[must_use]
    pub fn announced(since: i32, today: NaiveDate) -> Self {
        Self { from: first_of(since), until: years_after(today, ANNOUNCED_YEARS) }
    }

    /// Why a day is outside, if it is: `date_too_early`, `date_too_late`.
    #[must_use]
    pub fn fault(&self, day: NaiveDate) -> Option<FieldFault> {
        let code = match () {
            () if day < self.from => "date_too_early",
            () if day > self.until => "date_too_late",
            () => return None,
        };
        let message = format!("Date attendue entre le {} et le {} : {day} reçu.", self.from, self.until);
        Some(FieldFault::new(code, message))
    }

    /// The same, placed in the caller's document.
    #[must_use]
    pub fn error(&self, pointer: &str, day: NaiveDate) -> Option<FieldError> {
        Some(placed(pointer, self.fault(day)?, day))
    }
}

/// A date at fault, placed in the caller's document.
#[must_use]
pub fn placed(pointer: &str, fault: FieldFault, day: NaiveDate) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        code: fault.code.to_owned(),
        message: fault.message,
        value: Some(day.to_string()),
    }
}

/// Refuses when a date is at fault; each says where and why.
///
/// # Errors
/// `invalid_value`.
pub fn refuse(errors: Vec<FieldError>) -> Result<(), Refused> {
    let Some(first) = errors.first() else { return Ok(()) };
    let mut refused = Refused::new(&INVALID_VALUE, first.message.clone());
    refused.errors = errors;
    Err(refused)
}

/// 1 January of a year.
#[must_use]
pub fn first_of(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default()
}

/// The same day some years later, or earlier when negative; 28 February for a 29.
#[must_use]
pub fn years_after(day: NaiveDate, years: i32) -> NaiveDate {
    let months = Months::new(years.unsigned_abs().saturating_mul(12));
    let moved = if years < 0 { day.checked_sub_months(months) } else { day.checked_add_months(months) };
    moved.unwrap_or(day)
}

/// The door of a date in a request: `#[serde(with = "crate::kernel::dates::day")]`.
///
/// Ten characters, between 1900 and 2199: what chrono admits besides (`2025-6-5`, years of six digits) is a slip, and
/// does not sort as text.
pub mod day {
    use chrono::{Datelike as _, NaiveDate};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use crate::kernel::FieldFault;

    /// Reads a date as requests write it.
    ///
    /// # Errors
    /// `date_format`, `date_range`.
    pub fn parse(raw: &str) -> Result<NaiveDate, FieldFault> {
        let fault = |code, message: &str| FieldFault::new(code, message);
        let shaped = raw.len() == 10 && raw.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let date =
            raw.parse::<NaiveDate>().ok().filter(|_| shaped).ok_or_else(|| {
                fault("date_format", "Date attendue au format AAAA-MM-JJ, et qui existe au calendrier.")
            })?;
        if (1900..2200).contains(&date.year()) {
            return Ok(date);
        }
        Err(fault("date_range", "Date attendue entre 1900-01-01 et 2199-12-31."))
    }

    /// # Errors
    /// `date_format`, `date_range`.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<NaiveDate, D::Error> {
        parse(&String::deserialize(d)?).map_err(D::Error::custom)
    }

    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(date: &NaiveDate, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(date)
    }
}

/// The door of a date that may be absent: `#[serde(default, with = "crate::kernel::dates::some_day")]`.
pub mod some_day {
    use chrono::NaiveDate;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    /// # Errors
    /// `date_format`, `date_range`.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<NaiveDate>, D::Error> {
        let raw = Option::<String>::deserialize(d)?;
        raw.map(|raw| super::day::parse(&raw)).transpose().map_err(D::Error::custom)
    }

    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(date: &Option<NaiveDate>, s: S) -> Result<S::Ok, S::Error> {
        date.serialize(s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_ten_characters_and_a_likely_year() {
        assert_eq!(day::parse("2024-02-29").unwrap().to_string(), "2024-02-29");
        for bad in
            ["2025-02-29", "2025-6-5", "+12025-06-05", "-0001-01-01", "05/06/2025", " 2025-06-05", "", "2025-06-0é"]
        {
            assert_eq!(day::parse(bad).unwrap_err().code, "date_format", "{bad}");
        }
        for bad in ["1899-12-31", "2200-01-01", "0000-01-01"] {
            assert_eq!(day::parse(bad).unwrap_err().code, "date_range", "{bad}");
        }
    }

    #[test]
    fn bounds_take_in_both_their_ends() {
        let day = |raw: &str| raw.parse::<NaiveDate>().unwrap();
        let bounds = Bounds::announced(1970, day("2024-02-29"));
        assert_eq!((bounds.from, bounds.until), (day("1970-01-01"), day("2026-02-28")));
        let code = |raw: &str| bounds.fault(day(raw)).map(|f| f.code);
        assert_eq!(code("1970-01-01").or(code("2026-02-28")), None);
        assert_eq!((code("1969-12-31"), code("2026-03-01")), (Some("date_too_early"), Some("date_too_late")));
        assert_eq!(years_after(day("2025-06-05"), -1), day("2024-06-05"));
        assert!(Bounds::happened(day("2024-06-05"), day("2025-06-05")).fault(day("2025-06-06")).is_some());
    }

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
