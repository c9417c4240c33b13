//! Use cases: what is past its time, and its elimination, signed.

use chrono::NaiveDate;
use serde::Serialize;

use super::events::RetentionEvent;
use super::store_retention::{self as store, List, Past};
use crate::audit::{self, Subject, SubjectKind};
use crate::kernel::text::{Line as Text, Note};
use crate::kernel::{Actor, FieldFault, Refused};
use crate::platform::db::{blobs, clock_watch, counters};
use crate::platform::retention::{End, Entry, Register, Terms};
use crate::platform::{Outcome, Tx};

/// Who signs an elimination: prénom, nom, qualité.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub name: Text,
    pub capacity: Text,
}

impl Signed {
    /// Reads « Prénom NOM, qualité ».
    ///
    /// # Errors
    /// `signatory_incomplete`: first name, last name or capacity is missing; those of a line.
    pub fn parse(raw: &str) -> Result<Self, FieldFault> {
        let missing = || FieldFault::new("signatory_incomplete", "Attendu : « Prénom NOM, qualité ».");
        let (name, capacity) = raw.split_once(',').ok_or_else(missing)?;
        if name.split_whitespace().count() < 2 || capacity.trim().is_empty() {
            return Err(missing());
        }
        Ok(Self { name: Text::parse(name)?, capacity: Text::parse(capacity)? })
    }

    fn whole(&self) -> String {
        format!("{}, {}", self.name, self.capacity)
    }
}

/// One entry of the register, and what of it is past its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    pub entry: &'static str,
    pub what: &'static str,
    pub term: String,
    pub from: &'static str,
    /// Rows that may be eliminated.
    pub due: usize,
    /// Rows past their time that accounting still needs.
    pub withheld: usize,
    /// Last day on which it needs the latest of them.
    pub withheld_until: Option<NaiveDate>,
    /// Day from which the oldest row of `due` counts.
    pub oldest: Option<NaiveDate>,
    /// Opaque keys of `due`; empty where keys would name somebody.
    pub keys: Vec<String>,
    /// Goes with the file, by decision of the Archives: the program lists, and eliminates nothing.
    pub with_the_file: bool,
}

fn line(tx: &mut Tx<'_>, register: &Register, terms: &Terms, entry: &'static Entry) -> Outcome<Option<Line>> {
    let Some(rows) = entry.end.rows() else { return Ok(None) };
    let past = store::past(tx, rows, &register.need(entry), terms.before(entry.term, tx.now())?, terms)?;
    let withheld_until =
        if past.withheld > 0 { store::latest_exercice(tx)?.map(|exercice| terms.needed_until(exercice)) } else { None };
    Ok(Some(Line {
        entry: entry.key,
        what: entry.what,
        term: terms.french(entry.term),
        from: entry.from,
        due: past.due,
        withheld: past.withheld,
        withheld_until,
        oldest: past.oldest,
        keys: past.keys,
        with_the_file: matches!(entry.end, End::WithTheFile(_)),
    }))
}

/// What is past its time today, entry by entry.
///
/// # Errors
/// Those of the database.
pub fn dry_run(tx: &mut Tx<'_>, register: &Register, terms: &Terms) -> Outcome<Vec<Line>> {
    let lines = register.entries().map(|entry| line(tx, register, terms, entry));
    Ok(lines.collect::<Outcome<Vec<_>>>()?.into_iter().flatten().collect())
}

/// What an elimination needs to be one.
#[derive(Debug, Clone)]
pub struct Order {
    pub signed: Signed,
    pub reason: Note,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Eliminated {
    /// Nothing is past its time: nothing was written.
    Nothing,
    /// All that is past its time is needed by accounting: nothing was written.
    Withheld {
        rows: usize,
        until: Option<NaiveDate>,
    },
    /// Not by the program: with the file, by decision of the Archives.
    WithTheFile {
        rows: usize,
    },
    Done {
        rows: usize,
        withheld: usize,
    },
}

/// Eliminates what is past its time of one entry. One transaction: the signed list, the rows, the journal's line.
///
/// # Errors
/// A clock that is not to be believed; those of the database; a row that was to go and did not.
pub fn eliminate(
    tx: &mut Tx<'_>,
    register: &Register,
    terms: &Terms,
    entry: &Entry,
    order: &Order,
) -> Outcome<Eliminated> {
    // What goes is gone: not on the word of a clock that jumped.
    if let Some(told) = clock_watch::sight(tx)?.told() {
        let detail = format!("{told} Rien n'est éliminé d'ici là.");
        return Err(Refused::new(&counters::CLOCK_BEHIND, detail).into());
    }
    // Two at once would list the same rows twice.
    counters::lock(tx, "retention")?;
    let Some(rows) = entry.end.rows() else { return Ok(Eliminated::Nothing) };
    let need = register.need(entry);
    let before = terms.before(entry.term, tx.now())?;
    let past = store::past(tx, rows, &need, before, terms)?;
    if matches!(entry.end, End::WithTheFile(_)) {
        return Ok(Eliminated::WithTheFile { rows: past.due });
    }
    let Past { due, withheld, oldest, keys } = past;
    let Some(oldest) = oldest.filter(|_| due > 0) else {
        if withheld == 0 {
            return Ok(Eliminated::Nothing);
        }
        let until = store::latest_exercice(tx)?.map(|exercice| terms.needed_until(exercice));
        return Ok(Eliminated::Withheld { rows: withheld, until });
    };
    let rows_sha256 = rows.key.map(|_| blobs::digest(keys.join("\n").as_bytes()));
    let list = List {
        id: tx.uuid().to_string(),
        at: tx.now(),
        entry: entry.key.to_owned(),
        term: terms.french(entry.term),
        signed_by: order.signed.name.to_string(),
        capacity: order.signed.capacity.to_string(),
        reason: order.reason.to_string(),
        row_count: i64::try_from(due).unwrap_or(i64::MAX),
        oldest_on: oldest,
        rows_sha256: rows_sha256.clone(),
    };
    store::keep_list(tx, &list, rows.table, &keys)?;
    store::apply(tx, &entry.end, &need, before, terms, &list)?;
    let event = RetentionEvent::Eliminated {
        elimination: list.id.clone(),
        entry: list.entry.clone(),
        term: list.term.clone(),
        rows: due,
        withheld,
        oldest,
        rows_sha256,
        signed_by: order.signed.whole().into(),
        reason: list.reason.clone().into(),
    };
    let actor = Actor::program(&order.signed.whole());
    audit::record(tx, &actor, Subject::new(SubjectKind::Retention, &list.id, entry.key), event)?;
    Ok(Eliminated::Done { rows: due, withheld })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_signed_with_first_name_name_and_capacity() {
        let signed = Signed::parse(" Camille  CÉVENOL , secrétaire générale, par délégation").unwrap();
        assert_eq!(signed.whole(), "Camille CÉVENOL, secrétaire générale, par délégation");
        for bad in ["", "Camille CÉVENOL", "Camille, secrétaire", "Camille CÉVENOL,", ", secrétaire", "a b, \u{0}"]
        {
            assert!(Signed::parse(bad).is_err(), "{bad}");
        }
    }
}
