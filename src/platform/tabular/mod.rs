//! Reads a table somebody uploads: CSV (UTF-8 or Windows-1252, `;` or `,`) or `.xlsx`.
//!
//! ```text
//! open(path, columns) ── what is it? by content ──┬─ text ──> encoding, separator ──┐
//!                                                 └─ zip ───> sizes, first sheet ───┤
//!                                                     header matched by name <──────┘
//!                                                     every row checked: shape, damaged identifiers
//!                                                        │ any fault: FileFault, nothing is read
//! rows() ──> second pass, row by row <───────────────────┘
//! ```
//!
//! A file is refused as a whole when something shows that its content cannot be trusted: half a file read is
//! worse than none. A spreadsheet that turned `09001` into `9001` or a SIRET into `2,13003E+13` damages every
//! row alike, so one such cell refuses the file and the refusal names the cells. What is merely wrong in one
//! row (a false key, an empty name, a date in place of a name) is the reader's business, row by row: a cell keeps
//! the type it had in its file. A file without a row says nothing, and is refused too.
//!
//! Text is streamed: the national school directory (41 MB) costs one row of memory. A workbook is held, within
//! the bounds of [`limits`].

mod cells;
mod check;
mod columns;
mod delimited;
mod fault;
mod scan;
mod workbook;
mod zip_sizes;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use cells::{Cell, CellKind, CellType, list_items};
pub use columns::ColumnSpec;
pub use fault::{CellFault, FileFault, Refusal};

use columns::Columns;

use crate::kernel::{FieldFault, Finding};

/// How much is accepted.
pub mod limits {
    /// Bytes of one `.xlsx` file.
    pub const WORKBOOK_BYTES: u64 = 10 * 1024 * 1024;
    /// Bytes of all the parts of an `.xlsx` once unzipped, and of the text kept from its cells.
    pub const WORKBOOK_UNZIPPED_BYTES: u64 = 150 * 1024 * 1024;
    /// Rows of a sheet, header included.
    pub const WORKBOOK_ROWS: u64 = 100_000;
    /// Columns of a header: what a spreadsheet can have.
    pub const COLUMNS: usize = 16_384;
    /// Bytes of one record of a text file: a longer one is a quote never closed.
    pub const RECORD_BYTES: usize = 1024 * 1024;
    /// Damaged cells shown in a refusal; the others are counted.
    pub const CELLS_SHOWN: usize = 20;
}

/// A file whose every row was checked.
#[derive(Debug)]
pub struct Table {
    source: Source,
    columns: Columns,
    row_count: u64,
}

#[derive(Debug)]
enum Source {
    Delimited(delimited::Delimited),
    /// A workbook cannot be streamed twice at a fair price: its rows are kept, bounded.
    Kept(Vec<Row>),
}

impl Table {
    /// Opens and checks a whole file.
    ///
    /// # Errors
    /// What makes the file unfit, with the cells at fault: see the codes of [`FileFault`].
    pub fn open(path: &Path, specs: &'static [ColumnSpec]) -> Result<Self, FileFault> {
        let mut file = File::open(path).map_err(|error| FileFault::unreadable(&error))?;
        let mut head = Vec::new();
        file.by_ref().take(8).read_to_end(&mut head).map_err(|error| FileFault::unreadable(&error))?;
        if head.is_empty() {
            return Err(FileFault::empty());
        }
        if head.starts_with(b"PK") {
            return workbook::open(path, specs);
        }
        delimited::open(path, specs)
    }

    /// Whether the file has this column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.columns.has(column)
    }

    /// Rows with something in them, header left out.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.row_count
    }

    /// Reads the rows from the first.
    ///
    /// # Errors
    /// The file cannot be opened any more. A row fails when the file changed since it was checked.
    pub fn rows(&self) -> Result<Rows<'_>, FileFault> {
        Ok(Rows(match &self.source {
            Source::Delimited(file) => Step::Read { records: file.records_after_header()?, columns: &self.columns },
            Source::Kept(rows) => Step::Kept(rows.iter()),
        }))
    }
}

/// The rows of a [`Table`], blank ones left out.
#[derive(Debug)]
pub struct Rows<'t>(Step<'t>);

#[derive(Debug)]
enum Step<'t> {
    Read { records: delimited::Records, columns: &'t Columns },
    Kept(std::slice::Iter<'t, Row>),
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, FileFault>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Step::Kept(rows) => rows.next().cloned().map(Ok),
            Step::Read { records, columns } => match records.next_filled() {
                Ok(None) => None,
                Ok(Some(record)) => Some(columns.row(&record)),
                Err(fault) => Some(Err(fault)),
            },
        }
    }
}

/// One row, by the names of the columns asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Row number as a spreadsheet shows it: the header is usually 1.
    pub line: u64,
    specs: &'static [ColumnSpec],
    cells: Vec<Option<Cell>>,
}

impl Row {
    /// The trimmed cell; empty when blank, none when the file has no such column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        let index = self.specs.iter().position(|spec| spec.name == column)?;
        self.cells.get(index)?.as_ref().map(|cell| cell.text.as_str())
    }

    fn held(&self) -> impl Iterator<Item = (&'static ColumnSpec, &Cell)> {
        self.specs.iter().zip(&self.cells).filter_map(|(spec, cell)| Some((spec, cell.as_ref()?)))
    }

    /// The cells that are not of the type their column expects: column and fault.
    pub fn misfits(&self) -> impl Iterator<Item = (&'static str, FieldFault)> {
        self.held().filter_map(|(spec, cell)| Some((spec.name, spec.kind.misfit(cell)?)))
    }

    /// What is worth telling of its sound cells.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        self.held().filter_map(|(spec, cell)| spec.kind.finding(cell))
    }

    /// The cell if something is written in it: a blank cell and a missing column both say nothing.
    #[must_use]
    pub fn filled(&self, column: &str) -> Option<&str> {
        self.get(column).filter(|cell| !cell.is_empty())
    }
}
