//! The list of schools to enrol: one UAI per row, with where the wish comes from.
//!
//! Lists come from last year, the vendor, the town halls, the directors: each row may say so itself, else the
//! caller's origin stands.

use chrono::NaiveDate;

use crate::kernel::text::{Line, fold};
use crate::kernel::{FieldFault, SchoolYear, Uai};
use crate::platform::tabular::{CellKind, ColumnSpec, Layout, Row, Table};
use crate::registry::import::{Cells, Parsed, ReadRows, Reader, parse_date, parse_school_year, read as read_table};
use crate::text_enum;

text_enum!(
    /// D'où vient une inscription.
    EnrolmentOrigin {
        /// It was enrolled last year.
        Reconduction => "reconduction",
        /// The town hall asked.
        Mairie => "mairie",
        /// The school asked.
        Ecole => "ecole",
        /// It stands on the vendor's list.
        Editeur => "editeur",
        /// An agent enrolled all schools that meet a criterion.
        Filtre => "filtre",
    }
);

/// The columns read.
pub const COLUMNS: &[ColumnSpec] = &[
    ColumnSpec::required("uai", &["code_uai", "numero_uai", "identifiant_de_l_etablissement", "rne"], CellKind::Uai),
    ColumnSpec::optional("origine", &["origin"], CellKind::Text),
    ColumnSpec::optional("demandeur", &["requester", "demande_par"], CellKind::Text),
    ColumnSpec::optional("date", &["date_de_demande", "date_demande", "demande_le", "requested_on"], CellKind::Date),
    ColumnSpec::optional("premiere_annee", &["premiere_annee_scolaire", "first_school_year"], CellKind::Text),
];

/// A school to enrol.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EnrolmentRow {
    pub uai: Uai,
    /// None: the caller's origin.
    pub origin: Option<EnrolmentOrigin>,
    pub requester: Option<Line>,
    pub requested_on: Option<NaiveDate>,
    /// First school year of the school in the ENT.
    pub first_school_year: Option<SchoolYear>,
}

/// What is read of the file.
pub static LAYOUT: Layout = Layout::alone("enrolments", COLUMNS);

/// Reads the rows; a UAI stands once.
#[must_use]
pub fn read(table: &Table) -> ReadRows<'_, EnrolmentRow> {
    read_table(table, Reader { parse, keys: |row| vec![("uai", row.uai.to_string())] })
}

/// Reads one row.
#[must_use]
pub fn parse(row: &Row) -> Parsed<EnrolmentRow> {
    let mut cells = Cells::of(row);
    let uai = cells.required("uai", Uai::parse_in_file);
    let origin = cells.optional("origine", parse_origin);
    let requester = cells.optional("demandeur", Line::parse);
    let requested_on = cells.optional("date", parse_date);
    let first_school_year = cells.optional("premiere_annee", parse_school_year);
    let value = uai.map(|uai| EnrolmentRow { uai, origin, requester, requested_on, first_school_year });
    cells.end(row.filled("uai").unwrap_or_default(), value, Vec::new())
}

fn parse_origin(raw: &str) -> Result<EnrolmentOrigin, FieldFault> {
    EnrolmentOrigin::parse(&fold(raw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::tabular::read_here;

    fn rows(text: &str) -> Vec<Parsed<EnrolmentRow>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let table = read_here(file.reopen().unwrap(), &LAYOUT).unwrap();
        read(&table).map(|row| row.unwrap().parsed).collect()
    }

    #[test]
    fn a_full_row_is_read() {
        let read = rows("UAI;Origine;Demandeur;Date;Première année\n0301023Z;École;Mme Durand;03/06/2025;2023/2024\n");
        let [Parsed::Row { value, findings }] = read.as_slice() else { panic!("{read:?}") };
        assert!(findings.is_empty());
        assert_eq!(value.uai.as_str(), "0301023Z");
        assert_eq!(value.origin, Some(EnrolmentOrigin::Ecole));
        assert_eq!(value.requester.as_ref().unwrap().as_str(), "Mme Durand");
        assert_eq!(value.requested_on.unwrap().to_string(), "2025-06-03");
        assert_eq!(value.first_school_year.as_ref().unwrap().as_str(), "2023-2024");
    }

    #[test]
    fn a_list_of_uais_alone_is_enough() {
        let read = rows("uai\n0301023Z\n0301015R\n0301023Z\n");
        assert!(
            matches!(read.as_slice(), [Parsed::Row { .. }, Parsed::Row { .. }, Parsed::Ignored { .. }]),
            "{read:?}"
        );
        let [Parsed::Row { value, .. }, ..] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(
            (value.origin, &value.requester, value.requested_on, &value.first_school_year),
            (None, &None, None, &None)
        );
    }

    #[test]
    fn every_fault_of_a_row_is_told() {
        let read = rows("uai;origine;date;premiere_annee\n0301023A;hasard;31/02/2025;2023\n");
        let [Parsed::Rejected { key, faults }] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(key, "0301023A");
        let codes: Vec<_> = faults.iter().map(|f| (f.column, f.fault.code, f.value.as_str())).collect();
        assert_eq!(
            codes,
            [
                ("uai", "uai_key", "0301023A"),
                ("origine", "unknown_value", "hasard"),
                ("date", "date_format", "31/02/2025"),
                ("premiere_annee", "school_year_format", "2023"),
            ]
        );
    }
}
