//! The first visible sheet of an `.xlsx`.
//!
//! A cell that holds a number has lost what its column was: an identifier must be text, so a number there is a
//! fault of the file, unless it is a SIRET kept whole. A date becomes `2024-11-26`, a count its plain digits; of a
//! formula, the value it had when the file was saved.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read as _, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::cells::{Cell, CellType, type_of_text};
use super::fault::FileFault;
use super::sheet::{Sheet, Summary, cell_bound};
use super::{limits, zip_sizes};
use crate::kernel::bare::trimmed;

/// Reads a workbook from end to end.
pub(super) fn read<W: Write>(file: File, mut sheet: Sheet<W>) -> Result<Summary, FileFault> {
    let mut bytes = Vec::new();
    // One byte more than accepted tells a file that is too large without reading it all.
    file.take(limits::WORKBOOK_BYTES + 1).read_to_end(&mut bytes).map_err(|error| FileFault::unreadable(&error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limits::WORKBOOK_BYTES {
        return Err(FileFault::too_heavy("workbook_bound", "10 Mo au plus pour un classeur"));
    }
    let unzipped = zip_sizes::unzipped(&bytes).ok_or_else(FileFault::unreadable_workbook)?;
    if unzipped > limits::WORKBOOK_UNZIPPED_BYTES {
        return Err(FileFault::too_heavy("inflated_bound", "150 Mo au plus une fois le classeur décompressé"));
    }
    // The reader trusts cell references more than a hostile file deserves (`ZZZZZZZZZ1` overflows in it).
    catch_unwind(AssertUnwindSafe(|| cells(bytes, &mut sheet)))
        .unwrap_or_else(|_| Err(FileFault::unreadable_workbook()))?;
    sheet.finish()
}

fn cells<W: Write>(bytes: Vec<u8>, sheet: &mut Sheet<W>) -> Result<(), FileFault> {
    let refuse = |_: XlsxError| FileFault::unreadable_workbook();
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(refuse)?;
    let name = workbook
        .sheets_metadata()
        .iter()
        .find(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .ok_or_else(FileFault::unreadable_workbook)?;
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(refuse)?;
    let mut reading = Reading { sheet, row: 0, cells: BTreeMap::new() };
    while let Some(cell) = cells.next_cell().map_err(refuse)? {
        let (row, column) = cell.get_position();
        if let Some(cell) = held(cell.get_value()) {
            reading.cell(row, column, cell)?;
        }
    }
    reading.end_row()
}

/// The cell as text, with what it was; none when blank.
fn held(cell: &DataRef<'_>) -> Option<Cell> {
    let (is, text) = match cell {
        DataRef::Empty => return None,
        DataRef::String(text) => (CellType::Text, text.clone()),
        DataRef::SharedString(text) => (CellType::Text, (*text).to_owned()),
        // `Display` of a float never uses an exponent and writes whole numbers without a point.
        DataRef::Float(number) if !number.is_finite() => (CellType::Error, number.to_string()),
        DataRef::Float(number) => (CellType::Number, number.to_string()),
        DataRef::Int(number) => (CellType::Number, number.to_string()),
        DataRef::Bool(flag) => (CellType::Boolean, if *flag { "VRAI" } else { "FAUX" }.to_owned()),
        // Up to 31 December 9999: beyond, it is none that a spreadsheet shows.
        DataRef::DateTime(date) if date.is_datetime() && (0.0..2_958_466.0).contains(&date.as_f64()) => {
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
struct Reading<'s, W: Write> {
    sheet: &'s mut Sheet<W>,
    /// The row being filled, counted from 0, and its cells by column.
    row: u32,
    cells: BTreeMap<u32, Cell>,
}

impl<W: Write> Reading<'_, W> {
    fn cell(&mut self, row: u32, column: u32, cell: Cell) -> Result<(), FileFault> {
        let position = usize::try_from(column).unwrap_or(usize::MAX);
        if row < self.row || position >= limits::COLUMNS {
            return Err(FileFault::unreadable_workbook());
        }
        if cell.text.len() > limits::CELL_BYTES {
            return Err(cell_bound(u64::from(row) + 1, ""));
        }
        if row > self.row {
            self.end_row()?;
            self.row = row;
        }
        // Notes beside the table are no part of it.
        if self.sheet.columns.as_ref().is_none_or(|columns| position < columns.width) {
            self.cells.insert(column, cell);
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), FileFault> {
        let cells = std::mem::take(&mut self.cells);
        let Some((last, _)) = cells.last_key_value() else { return Ok(()) };
        let at = |position: usize| u32::try_from(position).ok().and_then(|column| cells.get(&column));
        let line = u64::from(self.row) + 1;
        let Some(columns) = &self.sheet.columns else {
            let header = (0..=*last).map(|column| cells.get(&column).map_or("", |cell| cell.text.as_str()));
            return self.sheet.header(header);
        };
        self.sheet.check.row(columns, line, at);
        let blank = (CellType::Text, "");
        let row = columns.row_of(line, |place| at(place).map_or(blank, |cell| (cell.is, cell.text.as_str())));
        self.sheet.row(&row)
    }
}
