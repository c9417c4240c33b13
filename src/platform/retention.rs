//! What is personal: where it stands, why it is held, for how long, and how it goes. Words only; no room is named here.
//!
//! ```text
//!   a room's PERSONAL, IMPERSONAL, NEEDS ──▶ app assembles ──▶ the register ──▶ docs/retention.md, dry run, elimination
//! ```
//! Each room declares what its own tables hold, every text column of them: what is personal in an [`Entry`], the rest in
//! its list of what is not. A room to the right may say that it still [`Need`]s rows of a room to the left.

use chrono::Months;

use crate::kernel::{Instant, dates, french};
use crate::platform::{Error, Outcome};

/// Days for which the result of an act asked for later is kept after its end.
pub const ACTS_DAYS: i64 = 30;

/// For how long something is held; the figures are settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// A day: no setting, whoever retries does so at once.
    Answers,
    /// What was asked for without waiting: [`ACTS_DAYS`] days, no setting.
    Acts,
    /// Traces of connection.
    Connections,
    /// Closed accounts of agents.
    Accounts,
    /// Contacts and representatives of collectivités that are no more.
    Contacts,
    /// Persons named in the journal.
    Journal,
    /// The file of an account: until 31 December of the exercice, so many years later.
    Accounting,
}

/// The durations in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub connections_months: u32,
    pub accounts_years: u32,
    pub contacts_years: u32,
    pub journal_years: u32,
    pub accounting_years: u32,
}

impl Terms {
    const fn months(&self, term: Term) -> u32 {
        match term {
            Term::Answers | Term::Acts => 0,
            Term::Connections => self.connections_months,
            Term::Accounts => self.accounts_years.saturating_mul(12),
            Term::Contacts => self.contacts_years.saturating_mul(12),
            Term::Journal => self.journal_years.saturating_mul(12),
            Term::Accounting => self.accounting_years.saturating_mul(12),
        }
    }

    /// What began before this instant is past its time.
    ///
    /// # Errors
    /// A duration longer than the calendar.
    pub fn before(&self, term: Term, now: Instant) -> Outcome<Instant> {
        match term {
            Term::Answers => return Ok(now.plus(chrono::Duration::hours(-24))),
            Term::Acts => return Ok(now.plus(chrono::Duration::days(-ACTS_DAYS))),
            _ => {}
        }
        let day = now.day().checked_sub_months(Months::new(self.months(term)));
        day.and_then(|day| Instant::parse(&format!("{day}T00:00:00Z")))
            .ok_or_else(|| Error::Incident(format!("retention of {} months before {now}", self.months(term))))
    }

    /// The oldest exercice whose pieces accounting still needs: they are kept until 31 December, so many years later.
    #[must_use]
    pub fn oldest_exercice(&self, now: Instant) -> i32 {
        let years = i32::try_from(self.accounting_years).unwrap_or(i32::MAX);
        dates::exercice(now.day()).saturating_sub(years)
    }

    /// The last day on which accounting needs the pieces of an exercice.
    #[must_use]
    pub fn needed_until(&self, exercice: i32) -> chrono::NaiveDate {
        let years = i32::try_from(self.accounting_years).unwrap_or(i32::MAX);
        let next = dates::first_of(exercice.saturating_add(years).saturating_add(1));
        next.pred_opt().unwrap_or(next)
    }

    /// The duration in words.
    #[must_use]
    pub fn french(&self, term: Term) -> String {
        let count = |n: u32, one: &str| french::count(usize::try_from(n).unwrap_or(usize::MAX), one);
        match term {
            Term::Answers => "24 heures".to_owned(),
            Term::Acts => format!("{ACTS_DAYS} jours"),
            Term::Connections => format!("{} mois", self.connections_months),
            Term::Accounts => count(self.accounts_years, "an"),
            Term::Contacts => count(self.contacts_years, "an"),
            Term::Journal => count(self.journal_years, "an"),
            Term::Accounting => {
                format!("{} après l'exercice", count(self.accounting_years, "an"))
            }
        }
    }
}

/// Rows of one table, called `r`. In its texts `{before}` stands for the instant before which a row is past its time,
/// `{exercice}` for the oldest exercice accounting needs, `{now}` for the instant of the act.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    pub table: &'static str,
    /// An opaque key, which names nobody and may be listed for ever; none when every key of the table names somebody.
    pub key: Option<&'static str>,
    /// When its time began.
    pub since: &'static str,
    /// Which rows hold something of it.
    pub only: &'static str,
}

/// How something ends.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// The rows are removed.
    Removed(Rows),
    /// What is personal in them is emptied: assignments.
    Emptied(Rows, &'static str),
    /// It is part of what an act says: it goes when the file goes, by decision of the Archives, out of the program.
    WithTheFile(Rows),
    /// It goes with the file of another entry.
    With(&'static str),
}

impl End {
    #[must_use]
    pub const fn rows(&self) -> Option<&Rows> {
        match self {
            Self::Removed(rows) | Self::Emptied(rows, _) | Self::WithTheFile(rows) => Some(rows),
            Self::With(_) => None,
        }
    }
}

/// One line of the register.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Stable name, for the command line and the journal.
    pub key: &'static str,
    /// Whose, and what.
    pub what: &'static str,
    /// `table.column`; for JSON, `table.column#/place`.
    pub places: &'static [&'static str],
    pub purpose: &'static str,
    pub basis: &'static str,
    pub term: Term,
    /// When the time begins, in words.
    pub from: &'static str,
    pub end: End,
}

/// A room still needs rows of another's entry.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    pub entry: &'static str,
    /// Condition on the row `r`.
    pub rows: &'static str,
}

/// A field of journaled events whose type is `Personal`: all of them stand in `audit_events.persons`.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    pub field: &'static str,
    pub what: &'static str,
}

/// What one room says.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    pub room: &'static str,
    pub personal: &'static [Entry],
    /// Text columns that name nobody: table, columns.
    pub impersonal: &'static [(&'static str, &'static [&'static str])],
    pub named: &'static [Named],
    pub needs: &'static [Need],
}

/// What every room says.
#[derive(Debug, Clone)]
pub struct Register(pub Vec<&'static Declared>);

impl Register {
    /// Every entry, in the order of the rooms.
    pub fn entries(&self) -> impl Iterator<Item = &'static Entry> {
        self.0.iter().flat_map(|room| room.personal.iter())
    }

    /// The entry of a name.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&'static Entry> {
        self.entries().find(|entry| entry.key == key)
    }

    /// Condition on a row `r` of an entry under which somebody needs it.
    #[must_use]
    pub fn need(&self, entry: &Entry) -> String {
        let needs = self.0.iter().flat_map(|room| room.needs).filter(|need| need.entry == entry.key);
        let conditions: Vec<&str> = needs.map(|need| need.rows).collect();
        if conditions.is_empty() { "FALSE".to_owned() } else { format!("({})", conditions.join(" OR ")) }
    }
}

/// The legal basis most entries share.
pub const PUBLIC_MISSION: &str = "RGPD, art. 6.1.e : mission d'intérêt public (code de l'éducation, R222-24-2)";
/// That of pieces of account.
pub const EVIDENCE: &str =
    "RGPD, art. 6.1.e ; pièces justificatives (décret 2012-1246) ; code du patrimoine, L212-2 : visa des Archives";
/// That of traces of connection.
pub const SECURITY: &str = "RGPD, art. 6.1.e et 32 : sécurité du traitement";

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms =
        Terms { connections_months: 12, accounts_years: 5, contacts_years: 1, journal_years: 10, accounting_years: 10 };

    fn at(raw: &str) -> Instant {
        Instant::parse(raw).unwrap()
    }

    #[test]
    fn a_term_is_counted_in_the_calendar_and_an_exercice_to_its_last_day() {
        let now = at("2036-02-29T08:00:00Z");
        let before = |term| TERMS.before(term, now).unwrap();
        assert_eq!(before(Term::Connections), at("2035-02-28T00:00:00Z"));
        assert_eq!(before(Term::Journal), at("2026-02-28T00:00:00Z"));
        assert_eq!(before(Term::Answers), at("2036-02-28T08:00:00Z"));
        assert_eq!(TERMS.oldest_exercice(at("2035-12-31T12:00:00Z")), 2025);
        assert_eq!(TERMS.oldest_exercice(at("2036-01-01T12:00:00Z")), 2026);
        assert_eq!(TERMS.needed_until(2025).to_string(), "2035-12-31");
    }
}
