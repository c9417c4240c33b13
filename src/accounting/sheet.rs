//! The accountant's table: its columns, and the CSV that opens right in a French spreadsheet. Pure.
//!
//! `;`, UTF-8 with a byte-order mark, CRLF, decimal comma, dates as `JJ/MM/AAAA`. A spreadsheet guesses types: a bare
//! SIRET would become 2,13003E+13 and a postal code lose its zero. So identifiers are written in a form that no
//! spreadsheet takes for a number and that reads back exactly ([`read_identifier`]). Texts that a spreadsheet would
//! run as a formula are defused by an apostrophe; amounts are left alone, or a minus sign would turn them into text.

use chrono::NaiveDate;

use crate::kernel::{FieldFault, Money, french};
use crate::platform::{Error, Outcome};

/// One cell, by what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    /// Digits and signs that must come back as they are: SIRET, postal code, Chorus axis.
    Identifier(String),
    Amount(Money),
    Date(NaiveDate),
    Count(i64),
    Blank,
}

impl Cell {
    /// A text, or nothing.
    #[must_use]
    pub fn text(value: Option<impl ToString>) -> Self {
        value.map_or(Self::Blank, |v| Self::Text(v.to_string()))
    }

    /// An identifier, or nothing.
    #[must_use]
    pub fn identifier(value: Option<impl ToString>) -> Self {
        value.map_or(Self::Blank, |v| Self::Identifier(v.to_string()))
    }

    /// The cell as the file writes it.
    #[must_use]
    pub fn written(&self) -> String {
        match self {
            Self::Text(text) => defused(text),
            Self::Identifier(id) => write_identifier(id),
            Self::Amount(amount) => amount.with_comma(),
            Self::Date(day) => french::date_short(*day),
            Self::Count(count) => count.to_string(),
            Self::Blank => String::new(),
        }
    }
}

/// Takes from a text what would make a spreadsheet run it: it then starts with an apostrophe.
fn defused(text: &str) -> String {
    let one_line = text.replace(['\r', '\n'], " ");
    if one_line.starts_with(['=', '+', '-', '@', '\t', '|']) { format!("'{one_line}") } else { one_line }
}

/// Head of an identifier that needs one to stay text.
const HEAD: &str = "n° ";

/// Writes an identifier so that it stays text: a SIRET grouped 3-3-3-5, anything else that could pass for a number,
/// a date or a formula with « n° » before it. What holds a letter that no number has is left as it is.
#[must_use]
pub fn write_identifier(id: &str) -> String {
    let digits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    if digits && id.len() == 14 {
        let mut out = String::with_capacity(17);
        for (i, c) in id.chars().enumerate() {
            if matches!(i, 3 | 6 | 9) {
                out.push(' ');
            }
            out.push(c);
        }
        return out;
    }
    let plain = id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.chars().any(|c| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E'))
        && id.contains(['-', '_'])
        && id.len() >= 10;
    if id.is_empty() || plain { id.to_owned() } else { format!("{HEAD}{id}") }
}

/// Reads back what `write_identifier` wrote.
#[must_use]
pub fn read_identifier(cell: &str) -> String {
    if let Some(id) = cell.strip_prefix(HEAD) {
        return id.to_owned();
    }
    let grouped = cell.len() == 17 && cell.bytes().all(|b| b.is_ascii_digit() || b == b' ');
    if grouped { cell.replace(' ', "") } else { cell.to_owned() }
}

/// The columns, in order.
pub const COLUMNS: [&str; 35] = [
    "ref_interne",
    "lot",
    "exercice",
    "annee_scolaire",
    "type_payeur",
    "raison_sociale",
    "siret",
    "n_tiers_chorus",
    "adresse1",
    "adresse2",
    "cp",
    "ville",
    "code_service",
    "n_engagement",
    "objet",
    "fondement",
    "deliberation_ref",
    "bases_liquidation",
    "nb_unites",
    "prix_unitaire",
    "montant_ttc",
    "taux_tva",
    "date_fait_generateur",
    "domaine_fonctionnel",
    "centre_financier",
    "centre_couts",
    "activite",
    "compte_general",
    "groupe_marchandises",
    "fonds",
    "comptable_assignataire",
    "comptable_recouvrement",
    "signataire_nom",
    "signataire_qualite",
    "pieces_jointes",
];

/// One row: a cell per column, so that a missing one does not compile.
pub type Row = [Cell; COLUMNS.len()];

/// The file.
pub fn csv(rows: &[Row]) -> Outcome<Vec<u8>> {
    let fail = |e: &dyn std::fmt::Display| Error::Incident(format!("csv: {e}"));
    let mut writer =
        csv::WriterBuilder::new().delimiter(b';').terminator(csv::Terminator::CRLF).from_writer(vec![0xEF, 0xBB, 0xBF]);
    writer.write_record(COLUMNS).map_err(|e| fail(&e))?;
    for row in rows {
        writer.write_record(row.iter().map(Cell::written)).map_err(|e| fail(&e))?;
    }
    writer.into_inner().map_err(|e| fail(&e))
}

/// Reads an amount of the file back.
///
/// # Errors
/// `amount_format`.
pub fn read_amount(cell: &str) -> Result<Money, FieldFault> {
    Money::parse(&cell.replace(',', "."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn identifiers_stay_text() {
        assert_eq!(write_identifier("21300278500011"), "213 002 785 00011");
        assert_eq!(write_identifier("09240"), "n° 09240");
        assert_eq!(write_identifier("0105-05-01"), "n° 0105-05-01");
        assert_eq!(write_identifier("2E10"), "n° 2E10");
        assert_eq!(write_identifier("ENT-T-2026-000123"), "ENT-T-2026-000123");
        assert_eq!(write_identifier("MARS-2026"), "n° MARS-2026");
    }

    #[test]
    fn formulas_are_defused_in_texts_only() {
        assert_eq!(Cell::Text("=1+1".into()).written(), "'=1+1");
        assert_eq!(Cell::Text("@SUM(A1)".into()).written(), "'@SUM(A1)");
        assert_eq!(Cell::Amount(Money::from_cents(-4000)).written(), "-40,00");
        assert_eq!(Cell::Text("SAINT-LAURENT".into()).written(), "SAINT-LAURENT");
    }

    #[test]
    fn the_file_starts_with_its_mark_and_ends_lines_as_spreadsheets_expect() {
        let mut row: Row = std::array::from_fn(|_| Cell::Blank);
        row[5] = Cell::Text("COMMUNE D'ALÈS; \"centre\"".into());
        row[20] = Cell::Amount(Money::from_cents(8000));
        let bytes = csv(&[row]).unwrap();
        assert!(bytes.starts_with(&[0xEF, 0xBB, 0xBF]));
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches("\r\n").count(), 2);
        assert!(text.contains("\"COMMUNE D'ALÈS; \"\"centre\"\"\"") && text.contains(";80,00;"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(id in "[0-9A-Za-z_./-]{0,20}", siret in "[0-9]{14}") {
            prop_assert_eq!(read_identifier(&write_identifier(&id)), id);
            prop_assert_eq!(read_identifier(&write_identifier(&siret)), siret);
        }

        #[test]
        fn nothing_written_as_an_identifier_is_a_number_a_date_or_a_formula(id in "[0-9=+@Ee_./-]{1,20}") {
            let written = write_identifier(&id);
            let bare = written.bytes().all(|b| b.is_ascii_digit() || b"+-.,eE/".contains(&b));
            prop_assert!(!bare, "{}", written);
            prop_assert!(!written.starts_with(['=', '+', '-', '@']), "{}", written);
        }

        #[test]
        fn amounts_read_back(cents in 0i64..10_000_000_000) {
            let amount = Money::from_cents(cents);
            prop_assert_eq!(read_amount(&Cell::Amount(amount).written()).unwrap(), amount);
        }
    }
}
