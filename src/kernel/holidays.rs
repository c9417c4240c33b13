//! French public holidays, computed, and the business days that remain. Pure.
//!
//! | where | days | source |
//! |---|---|---|
//! | everywhere | the eleven legal holidays | Code du travail, L3133-1 |
//! | 57, 67, 68 | Good Friday, 26 December | L3134-13 |
//! | 971 to 974, 976 to 978 | commemoration of the abolition of slavery | L3422-2 |
//!
//! Good Friday is one only where a commune has a Protestant temple, which no register says: it is taken for the three
//! departments whole. Saint-Martin has 27 May in the Code and keeps 28 May in fact (circular of 4 May 2018): both are
//! taken. Erring so delays a mail by a day and harms nobody. The other territories (975, 986 to 988) have the eleven days
//! alone: their own holidays are not in the Code.

use std::iter::successors;

use chrono::{Datelike, Duration, NaiveDate, Weekday};

use super::dates::first_of;
use super::identifiers::Departement;

/// Easter Sunday of a Gregorian year, by the algorithm of Meeus, Jones and Butcher (« anonymous », Nature, 1876).
#[must_use]
pub fn easter(year: i32) -> NaiveDate {
    let golden = year.rem_euclid(19);
    let (century, rest) = (year.div_euclid(100), year.rem_euclid(100));
    let moon = (century - (century + 8).div_euclid(25) + 1).div_euclid(3);
    // Days from 21 March to the full moon that counts, then to the Sunday after it.
    let full = (19 * golden + century - century.div_euclid(4) - moon + 15).rem_euclid(30);
    let sunday = (32 + 2 * century.rem_euclid(4) + 2 * rest.div_euclid(4) - full - rest.rem_euclid(4)).rem_euclid(7);
    let late = (golden + 11 * full + 22 * sunday).div_euclid(451);
    let earliest = NaiveDate::from_ymd_opt(year, 3, 22).unwrap_or_default();
    earliest.checked_add_signed(Duration::days(i64::from(full + sunday - 7 * late))).unwrap_or(earliest)
}

/// The French name of a public holiday, if the day is one there.
#[must_use]
pub fn holiday(day: NaiveDate, departement: &Departement) -> Option<&'static str> {
    let departement = departement.as_str();
    let fixed = match (day.month(), day.day()) {
        (1, 1) => Some("jour de l'an"),
        (5, 1) => Some("1er mai"),
        (5, 8) => Some("8 mai"),
        (7, 14) => Some("14 juillet"),
        (8, 15) => Some("Assomption"),
        (11, 1) => Some("Toussaint"),
        (11, 11) => Some("11 novembre"),
        (12, 25) => Some("Noël"),
        (12, 26) if alsace_moselle(departement) => Some("second jour de Noël"),
        day if abolition(departement).contains(&day) => Some("commémoration de l'abolition de l'esclavage"),
        _ => None,
    };
    fixed.or_else(|| movable(day, departement))
}

fn movable(day: NaiveDate, departement: &str) -> Option<&'static str> {
    // From the earliest Good Friday to the latest Whit Monday: Easter is not computed for the rest of the year.
    if !(3..=6).contains(&day.month()) {
        return None;
    }
    match day.signed_duration_since(easter(day.year())).num_days() {
        -2 if alsace_moselle(departement) => Some("Vendredi saint"),
        1 => Some("lundi de Pâques"),
        39 => Some("Ascension"),
        50 => Some("lundi de Pentecôte"),
        _ => None,
    }
}

fn alsace_moselle(departement: &str) -> bool {
    matches!(departement, "57" | "67" | "68")
}

/// Month and day of the commemoration of the abolition of slavery.
fn abolition(departement: &str) -> &'static [(u32, u32)] {
    match departement {
        "971" => &[(5, 27)],
        "972" => &[(5, 22)],
        "973" => &[(6, 10)],
        "974" => &[(12, 20)],
        "976" => &[(4, 27)],
        "977" => &[(10, 9)],
        "978" => &[(5, 27), (5, 28)],
        _ => &[],
    }
}

/// The public holidays of a year there, in order; one line where two fall on the same day.
#[must_use]
pub fn holidays(year: i32, departement: &Departement) -> Vec<(NaiveDate, &'static str)> {
    let days = first_of(year).iter_days().take_while(|day| day.year() == year);
    days.filter_map(|day| Some((day, holiday(day, departement)?))).collect()
}

/// Neither a Saturday nor a Sunday nor a public holiday (« jour ouvré » of an administration).
#[must_use]
pub fn is_business_day(day: NaiveDate, departement: &Departement) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && holiday(day, departement).is_none()
}

/// The day itself if it is a business day, else the first one after it.
#[must_use]
pub fn next_business_day(day: NaiveDate, departement: &Departement) -> NaiveDate {
    day.iter_days().find(|day| is_business_day(*day, departement)).unwrap_or(day)
}

/// The day itself if it is a business day, else the last one before it.
#[must_use]
pub fn previous_business_day(day: NaiveDate, departement: &Departement) -> NaiveDate {
    let mut back = successors(Some(day), NaiveDate::pred_opt);
    back.find(|day| is_business_day(*day, departement)).unwrap_or(day)
}

/// The business day that many after a day, which is not counted itself; for none, as [`next_business_day`].
#[must_use]
pub fn plus_business_days(day: NaiveDate, number: u32, departement: &Departement) -> NaiveDate {
    let Some(skipped) = number.checked_sub(1).and_then(|n| usize::try_from(n).ok()) else {
        return next_business_day(day, departement);
    };
    let after = day.iter_days().skip(1).filter(|day| is_business_day(*day, departement));
    after.skip(skipped).take(1).last().unwrap_or(day)
}

#[cfg(test)]
#[path = "holidays_tests.rs"]
mod tests;
