//! The first visible sheet of an `.xlsx`.
//!
//! A cell that holds a number has lost what its column was: an identifier must be text, so a number there is a
//! fault of the file. A date becomes `2024-11-26`, a count its plain digits.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::cells::{Value, trimmed};
use super::check::Check;
use super::columns::{ColumnSpec, Columns};
use super::fault::FileFault;
use super::{Row, Source, Table, limits, zip_sizes};

/// Columns a spreadsheet can have.
const MAX_COLUMNS: u32 = 16_384;

/// Opens a workbook and checks it from end to end.
pub(super) fn open(path: &Path, specs: &'static [ColumnSpec]) -> Result<Table, FileFault> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| FileFault::unreadable(&error))?;
    // One byte more than accepted tells a file that is too large without reading it all.
    file.take(limits::WORKBOOK_BYTES + 1).read_to_end(&mut bytes).map_err(|error| FileFault::unreadable(&error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limits::WORKBOOK_BYTES {
        return Err(too_large("10 Mo au plus"));
    }
    let unzipped = zip_sizes::unzipped(&bytes).ok_or_else(unreadable)?;
    if unzipped > limits::WORKBOOK_UNZIPPED_BYTES {
        return Err(too_large("150 Mo au plus une fois décompressé"));
    }
    // The reader trusts cell references more than a hostile file deserves (`ZZZZZZZZZ1` overflows in it).
    catch_unwind(AssertUnwindSafe(|| read(bytes, specs))).unwrap_or_else(|_| Err(unreadable()))
}

fn too_large(bound: &str) -> FileFault {
    FileFault::new("file_too_large", format!("Classeur trop volumineux ({bound}) : l'enregistrer en CSV."))
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
        if let Some(value) = value(cell.get_value()) {
            reading.cell(row, column, value)?;
        }
    }
    reading.finish()
}

/// The cell as text, with what it was; none when blank.
fn value(cell: &DataRef<'_>) -> Option<Value> {
    let value = match cell {
        DataRef::Empty => return None,
        DataRef::String(text) | DataRef::DurationIso(text) => Value::Text(text.clone()),
        DataRef::SharedString(text) => Value::Text((*text).to_owned()),
        // `Display` of a float never uses an exponent and writes whole numbers without a point.
        DataRef::Float(number) => Value::Number(number.to_string()),
        DataRef::Int(number) => Value::Number(number.to_string()),
        DataRef::Bool(flag) => Value::Text(if *flag { "1" } else { "0" }.to_owned()),
        DataRef::DateTime(date) if date.is_datetime() => {
            let (year, month, day, ..) = date.to_ymd_hms_milli();
            Value::Date(format!("{year:04}-{month:02}-{day:02}"))
        }
        DataRef::DateTime(duration) => Value::Number(duration.as_f64().to_string()),
        DataRef::DateTimeIso(text) => Value::Date(text.chars().take(10).collect()),
        DataRef::Error(error) => Value::Error(error.to_string()),
    };
    (!trimmed(value.as_str()).is_empty()).then_some(value)
}

/// Cells come one by one, row after row.
struct Reading {
    specs: &'static [ColumnSpec],
    columns: Option<Columns>,
    check: Check,
    /// The row being filled, counted from 0, and its cells by column.
    row: u32,
    cells: BTreeMap<u32, Value>,
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

    fn cell(&mut self, row: u32, column: u32, value: Value) -> Result<(), FileFault> {
        if row < self.row || column >= MAX_COLUMNS {
            return Err(unreadable());
        }
        if u64::from(row) >= limits::WORKBOOK_ROWS {
            return Err(FileFault::new(
                "too_many_rows",
                "Feuille trop longue (100 000 lignes au plus) : l'enregistrer en CSV.",
            ));
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
        self.kept_bytes = self.kept_bytes.saturating_add(value.as_str().len());
        if u64::try_from(self.kept_bytes).unwrap_or(u64::MAX) > limits::WORKBOOK_UNZIPPED_BYTES {
            return Err(too_large("150 Mo de texte au plus"));
        }
        self.cells.insert(column, value);
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
                let header = (0..=width).map(|column| cells.get(&column).map_or("", Value::as_str));
                self.columns = Some(Columns::place(header, self.specs)?);
            }
            Some(columns) => {
                self.check.row(columns, line, |position| at(position).cloned());
                self.kept.push(columns.row_of(line, |position| at(position).map_or("", Value::as_str)));
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
