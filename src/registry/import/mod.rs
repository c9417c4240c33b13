//! From rows of a file to values of the domain, without any database.
//!
//! Each file has a module with the layout it reads, and a pure `parse(row)`. A row ends in one of three
//! ways: it is a value (with findings), it is none of our business (`Ignored`), or it is wrong (`Rejected`, with
//! every fault found in it). What the registry does of a value, such as keeping what a person wrote, is decided
//! elsewhere.
//!
//! `read` runs through a table and also looks at repeated keys: the same row again is ignored, a row that says
//! something else of the same key is rejected, the first one standing.

pub mod administrations;
pub mod communes;
pub mod contact_fields;
pub mod contacts;
pub mod directory;
mod nested;

#[cfg(test)]
mod administrations_tests;
#[cfg(test)]
mod occitanie_tests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{Datelike, NaiveDate};

use crate::kernel::bare::shows_nothing;
use crate::kernel::text::excerpt;
use crate::kernel::{FieldFault, Finding, SchoolYear};
use crate::platform::tabular::{FileFault, Row, Rows, Table};

/// Why a row that says again what another said is set aside.
pub const ALREADY_TOLD: &str = "Ligne déjà présente plus haut dans le fichier.";

/// What a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<T> {
    /// Not concerned; the reason is a French sentence.
    Ignored { key: Option<String>, reason: &'static str },
    /// Wrong: every fault of the row.
    Rejected { key: String, faults: Vec<RowFault> },
    /// A value, and what was noticed about it.
    Row { value: T, findings: Vec<Finding> },
}

/// A fault in one cell of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The column, by the name the reader gives it.
    pub column: &'static str,
    pub fault: FieldFault,
    /// What the cell holds, shortened.
    pub value: String,
}

/// A row as it stands in its file, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRow<T> {
    pub row: Row,
    pub parsed: Parsed<T>,
}

/// Reads the cells of one row, gathering all its faults rather than stopping at the first.
pub struct Cells<'r> {
    row: &'r Row,
    faults: Vec<RowFault>,
    findings: Vec<Finding>,
}

impl<'r> Cells<'r> {
    /// A cell of another type than its column's is at fault before it is read: a date is no name.
    #[must_use]
    pub fn of(row: &'r Row) -> Self {
        let mut cells = Self { row, faults: Vec::new(), findings: row.findings().collect() };
        for (column, fault) in row.misfits() {
            cells.fault(column, fault);
        }
        cells
    }

    /// Whether a fault of this column was noted.
    #[must_use]
    pub fn is_faulty(&self, column: &str) -> bool {
        self.faults.iter().any(|fault| fault.column == column)
    }

    /// A cell that must be filled.
    pub fn required<T>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, FieldFault>,
    ) -> Option<T> {
        if self.row.filled(column).is_none() {
            self.fault(column, FieldFault::new("empty", "Valeur obligatoire : la cellule est vide."));
        }
        self.optional(column, parse)
    }

    /// A cell that may be blank, or in no column at all.
    pub fn optional<T>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, FieldFault>,
    ) -> Option<T> {
        if self.is_faulty(column) {
            return None;
        }
        match parse(self.row.filled(column)?) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault(column, fault);
                None
            }
        }
    }

    /// Notes a fault seen across cells.
    pub fn fault(&mut self, column: &'static str, fault: FieldFault) {
        let value = excerpt(&self.row.get(column).unwrap_or_default());
        self.faults.push(RowFault { column, fault, value });
    }

    /// The row, its value being there exactly when no fault was noted.
    pub fn end<T>(self, key: &str, value: Option<T>, findings: Vec<Finding>) -> Parsed<T> {
        match value {
            Some(value) if self.faults.is_empty() => {
                Parsed::Row { value, findings: self.findings.into_iter().chain(findings).collect() }
            }
            _ => Parsed::Rejected { key: excerpt(&key), faults: self.faults },
        }
    }
}

/// How one sort of row is read and recognised.
pub struct Reader<T> {
    pub parse: fn(&Row) -> Parsed<T>,
    /// What may stand once in a file: column and key.
    pub keys: fn(&T) -> Vec<(&'static str, String)>,
}

/// Runs through a table.
#[must_use]
pub fn read<T: Hash>(table: &Table, reader: Reader<T>) -> ReadRows<'_, T> {
    ReadRows { rows: table.rows(), reader, seen: HashMap::new() }
}

/// The rows of a table, parsed; see [`read`].
pub struct ReadRows<'t, T> {
    rows: Rows<'t>,
    reader: Reader<T>,
    /// The keys met, with the line and a fingerprint of the value: the values themselves would weigh megabytes.
    seen: HashMap<(&'static str, String), (u64, u64)>,
}

impl<T: Hash> Iterator for ReadRows<'_, T> {
    type Item = Result<ReadRow<T>, FileFault>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.rows.next()?.map(|row| {
            let parsed = (self.reader.parse)(&row);
            ReadRow { parsed: self.once(row.line, parsed), row }
        }))
    }
}

impl<T: Hash> ReadRows<'_, T> {
    fn once(&mut self, line: u64, parsed: Parsed<T>) -> Parsed<T> {
        let Parsed::Row { value, findings } = parsed else { return parsed };
        let keys = (self.reader.keys)(&value);
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let fingerprint = hasher.finish();
        let met = keys.iter().find_map(|key| self.seen.get(key).map(|before| (key, before)));
        if let Some(((column, key), (first, before))) = met {
            if *before == fingerprint {
                return Parsed::Ignored { key: Some(key.clone()), reason: ALREADY_TOLD };
            }
            let message =
                format!("Déjà présent à la ligne {first} avec un autre contenu : garder une seule des deux lignes.");
            let fault = RowFault { column, fault: FieldFault::new("duplicate_row", message), value: key.clone() };
            return Parsed::Rejected { key: key.clone(), faults: vec![fault] };
        }
        for key in keys {
            self.seen.insert(key, (line, fingerprint));
        }
        Parsed::Row { value, findings }
    }
}

/// Reads a day written `2024-11-26` (a time may follow) or `26/11/2024`.
///
/// # Errors
/// `date_format`.
pub fn parse_date(raw: &str) -> Result<NaiveDate, FieldFault> {
    let fault = || FieldFault::new("date_format", "Date attendue sous la forme 2024-11-26 ou 26/11/2024.");
    let day = raw.split(['T', ' ']).next().unwrap_or_default();
    let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").or_else(|_| NaiveDate::parse_from_str(day, "%d/%m/%Y"));
    // `26/11/24` would otherwise be the year 24.
    date.ok().filter(|date| (1700..=2200).contains(&date.year())).ok_or_else(fault)
}

/// `2023-2024`, or `2023/2024` as people write it.
///
/// # Errors
/// See [`SchoolYear::parse`].
pub fn parse_school_year(raw: &str) -> Result<SchoolYear, FieldFault> {
    SchoolYear::parse(&raw.replace('/', "-").replace(' ', ""))
}

/// Reads a count: digits, spaces between thousands allowed; `25.0` and `25,0`, as programs write whole numbers, are 25.
///
/// # Errors
/// `count_format`.
pub fn parse_count(raw: &str) -> Result<i64, FieldFault> {
    let text: String = raw.chars().filter(|c| !shows_nothing(*c)).collect();
    // Three zeros would be thousands to some.
    let whole = [".0", ",0", ".00", ",00"].iter().find_map(|decimals| text.strip_suffix(decimals));
    let digits = whole.unwrap_or(&text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && digits.len() <= 9;
    digits
        .parse()
        .ok()
        .filter(|_| plain)
        .ok_or_else(|| FieldFault::new("count_format", "Nombre entier attendu, neuf chiffres au plus."))
}

/// Reads a yes: `1`, as a number too, or the word a workbook shows.
#[must_use]
pub fn says_yes(raw: &str) -> bool {
    parse_count(raw) == Ok(1) || says(raw, &["vrai", "true", "oui"])
}

/// Whether a text says one of these words, accents and case aside. The words are given folded.
#[must_use]
pub(crate) fn says(raw: &str, words: &[&str]) -> bool {
    let folded = crate::kernel::text::fold(raw);
    words.contains(&folded.as_str())
}
