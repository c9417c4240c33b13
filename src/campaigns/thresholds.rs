//! The amount below which the State may leave a claim untitled: dated data, since decrees change it.
//!
//! Décret 2012-1246 (GBCP), art. 114: the ordonnateur *may* not issue below a minimum set by decree; décret
//! 2024-457 raised it from 30 to 50 € from 25 May 2024.

use chrono::NaiveDate;

use crate::kernel::Money;

/// Thresholds by first day in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds(Vec<(NaiveDate, Money)>);

impl Thresholds {
    /// Sorted by date, whatever the order given.
    #[must_use]
    pub fn new(mut table: Vec<(NaiveDate, Money)>) -> Self {
        table.sort_by_key(|(from, _)| *from);
        Self(table)
    }

    /// The threshold on a day; zero before the first known, so that nothing is small then.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> Money {
        self.0.iter().rev().find(|(from, _)| *from <= day).map_or(Money::ZERO, |(_, amount)| *amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_changed_on_25_may_2024() {
        let day = |s: &str| s.parse::<NaiveDate>().unwrap();
        let table = Thresholds::new(vec![
            (day("2024-05-25"), Money::from_cents(5000)),
            (day("2002-01-01"), Money::from_cents(3000)),
        ]);
        assert_eq!(table.on(day("2024-05-24")).cents(), 3000);
        assert_eq!(table.on(day("2024-05-25")).cents(), 5000);
        assert_eq!(table.on(day("1999-01-01")), Money::ZERO);
    }
}
