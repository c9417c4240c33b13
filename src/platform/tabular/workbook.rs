//! The first visible sheet of an `.xlsx`.
//!
//! A cell that holds a number has lost what its column was: an identifier must be text, so a number there is a
//! fault of the file, unless it is a SIRET kept whole. A date becomes `2024-11-26`, a count its plain digits; of a
//! formula, the value it had when the file was saved.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::cells::{Cell, CellType, type_of_text};
use super::check::Check;
use super::columns::{ColumnSpec, Columns};
use super::fault::FileFault;
use super::{Row, Source, Table, limits, zip_sizes};
use crate::kernel::bare::trimmed;

/// Opens a workbook and checks it from end to end.
pub(super) fn open(path: &Path, specs: &'static [ColumnSpec]) -> Result<Table, FileFault> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| FileFault::unreadable(&error))?;
    // One byte more than accepted tells a file that is too large without reading it all.
    file.take(limits::WORKBOOK_BYTES + 1).read_to_end(&mut bytes).map_err(|error| FileFault::unreadable(&error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limits::WORKBOOK_BYTES {
        return Err(FileFault::too_heavy("workbook_bound", "10 Mo au plus pour un classeur"));
    }
    let unzipped = zip_sizes::unzipped(&bytes).ok_or_else(unreadable)?;
    if unzipped > limits::WORKBOOK_UNZIPPED_BYTES {
        return Err(FileFault::too_heavy("inflated_bound", "150 Mo au plus une fois le classeur décompressé"));
    }
    // The reader trusts cell references more than a hostile file deserves (`ZZZZZZZZZ1` overflows in it).
    catch_unwind(AssertUnwindSafe(|| read(bytes, specs))).unwrap_or_else(|_| Err(unreadable()))
}

fn unreadable() -> FileFault {
    FileFault::new(
        "unreadable_workbook",
        "Ce fichier n'est pas un classeur .xlsx lisible : l'enregistrer de nouveau en .xlsx ou en CSV.",
    )
}

fn read(bytes: Vec<u8>, specs: &'static [ColumnSpec]) -> Result<Table, FileFault> {
    let refuse = |_: XlsxError| unreadable();
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(refuse)?;
    let sheet = workbook
        .sheets_metadata()
        .iter()
        .find(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .ok_or_else(unreadable)?;
    let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(refuse)?;
    let mut reading = Reading::new(specs);
    while let Some(cell) = cells.next_cell().map_err(refuse)? {
        let (row, column) = cell.get_position();
        if let Some(cell) = held(cell.get_value()) {
            reading.cell(row, column, cell)?;
        }
    }
    reading.finish()
}

/// The cell as text, with what it was; none when blank.
fn held(cell: &DataRef<'_>) -> Option<Cell> {
    let (is, text) = match cell {
        DataRef::Empty => return None,
        DataRef::String(text) => (CellType::Text, text.clone()),
        DataRef::SharedString(text) => (CellType::Text, (*text).to_owned()),
        // `Display` of a float never uses an exponent and writes whole numbers without a point.
        DataRef::Float(number) => (CellType::Number, number.to_string()),
        DataRef::Int(number) => (CellType::Number, number.to_string()),
        DataRef::Bool(flag) => (CellType::Boolean, if *flag { "VRAI" } else { "FAUX" }.to_owned()),
        DataRef::DateTime(date) if date.is_datetime() => {
            let (year, month, day, ..) = date.to_ymd_hms_milli();
            (CellType::Date, format!("{year:04}-{month:02}-{day:02}"))
        }
        DataRef::DateTime(duration) => (CellType::Date, duration.as_f64().to_string()),
        DataRef::DurationIso(text) => (CellType::Date, text.clone()),
        DataRef::DateTimeIso(text) => (CellType::Date, text.chars().take(10).collect()),
        DataRef::Error(error) => (CellType::Error, error.to_string()),
    };
    // What a formula gave as text may be what it gave in another file as an error.
    let is = if is == CellType::Text { type_of_text(trimmed(&text)) } else { is };
    (!trimmed(&text).is_empty()).then_some(Cell { is, text })
}

/// Cells come one by one, row after row.
struct Reading {
    specs: &'static [ColumnSpec],
    columns: Option<Columns>,
    check: Check,
    /// The row being filled, counted from 0, and its cells by column.
    row: u32,
    cells: BTreeMap<u32, Cell>,
    kept: Vec<Row>,
    kept_bytes: usize,
}

impl Reading {
    fn new(specs: &'static [ColumnSpec]) -> Self {
        Self {
            specs,
            columns: None,
            check: Check::default(),
            row: 0,
            cells: BTreeMap::new(),
            kept: Vec::new(),
            kept_bytes: 0,
        }
    }

    fn cell(&mut self, row: u32, column: u32, cell: Cell) -> Result<(), FileFault> {
        if row < self.row || usize::try_from(column).map_or(true, |column| column >= limits::COLUMNS) {
            return Err(unreadable());
        }
        if u64::from(row) >= limits::WORKBOOK_ROWS {
            return Err(FileFault::too_heavy("rows_bound", "100 000 lignes au plus pour un classeur"));
        }
        if row > self.row {
            self.end_row()?;
            self.row = row;
        }
        // Notes beside the table are no part of it.
        if self.columns.as_ref().is_some_and(|columns| usize::try_from(column).is_ok_and(|at| at >= columns.width)) {
            return Ok(());
        }
        // Shared texts are stored once in the file and may be repeated at will: what is kept is counted here.
        self.kept_bytes = self.kept_bytes.saturating_add(cell.text.len());
        if u64::try_from(self.kept_bytes).unwrap_or(u64::MAX) > limits::WORKBOOK_UNZIPPED_BYTES {
            return Err(FileFault::too_heavy("text_bound", "150 Mo de texte au plus"));
        }
        self.cells.insert(column, cell);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), FileFault> {
        let cells = std::mem::take(&mut self.cells);
        if cells.is_empty() {
            return Ok(());
        }
        let at = |position: usize| u32::try_from(position).ok().and_then(|column| cells.get(&column));
        let line = u64::from(self.row) + 1;
        match &self.columns {
            None => {
                let width = cells.last_key_value().map_or(0, |(last, _)| *last);
                let header = (0..=width).map(|column| cells.get(&column).map_or("", |cell| cell.text.as_str()));
                self.columns = Some(Columns::place(header, self.specs)?);
            }
            Some(columns) => {
                self.check.row(columns, line, at);
                let blank = (CellType::Text, "");
                let row = columns.row_of(line, |at_| at(at_).map_or(blank, |cell| (cell.is, cell.text.as_str())));
                self.kept.push(row);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Table, FileFault> {
        self.end_row()?;
        let columns = self.columns.ok_or_else(FileFault::empty)?;
        let row_count = self.check.verdict()?;
        Ok(Table { source: Source::Kept(self.kept), columns, row_count })
    }
}
