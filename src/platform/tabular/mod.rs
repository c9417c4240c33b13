//! Reads a table somebody uploads: CSV (UTF-8 or Windows-1252, `;` or `,`) or `.xlsx`.
//!
//! ```text
//! FileReader::read(file, layout) ──▶ a process apart, bounded ([`reader`], [`child`])
//!                                      │ what is it? by content ──┬─ text ──> encoding, line ends, separator ──┐
//!                                      │                          └─ zip ───> sizes, first sheet ──────────────┤
//!                                      │                              header matched by name <─────────────────┘
//!                                      │                              every row checked: shape, damaged identifiers
//!                                      ├─ any fault, any bound met: FileFault, nothing is read
//!   Table::rows() ◀── a file of rows ◀─┘
//! ```
//!
//! A file is refused as a whole when something shows that its content cannot be trusted: half a file read is
//! worse than none. A spreadsheet that turned `09001` into `9001` or a SIRET into `2,13003E+13` damages every
//! row alike, so one such cell refuses the file and the refusal names the cells. What is merely wrong in one
//! row (a false key, an empty name, a date in place of a name) is the reader's business, row by row: a cell keeps
//! the type it had in its file. A file without a row says nothing, and is refused too.
//!
//! Rows are streamed from end to end: the program that serves holds one of them, and the lock of no transaction, while
//! a file is read.

mod cells;
mod check;
mod child;
mod codes;
mod columns;
mod delimited;
mod fault;
mod frames;
mod reader;
mod reading;
mod scan;
mod table;
mod workbook;
mod zip_sizes;

#[cfg(test)]
mod tests;

pub use cells::{Cell, CellKind, CellType, list_items};
pub use child::{Bounds, run as run_child};
pub use codes::{CODES, FILE_READER_BUSY};
pub use columns::{ColumnSpec, Layout};
pub use fault::{CellFault, FileFault, Refusal};
pub use reader::FileReader;
pub use table::{Rows, Table};

use crate::kernel::{FieldFault, Finding};

/// How much is accepted.
pub mod limits {
    /// Bytes of one `.xlsx` file.
    pub const WORKBOOK_BYTES: u64 = 10 * 1024 * 1024;
    /// Bytes of all the parts of an `.xlsx` once unzipped.
    pub const WORKBOOK_UNZIPPED_BYTES: u64 = 150 * 1024 * 1024;
    /// Columns of a header: what a spreadsheet can have.
    pub const COLUMNS: usize = 16_384;
    /// Bytes of one record of a text file: a longer one is a quote never closed.
    pub const RECORD_BYTES: usize = 1024 * 1024;
    /// Characters of one cell: what a spreadsheet can hold.
    pub const CELL_CHARACTERS: usize = 32_767;
    /// The same in bytes at most.
    pub const CELL_BYTES: usize = 4 * CELL_CHARACTERS;
    /// Bytes of the rows read from one file.
    pub const TEXT_BYTES: u64 = 100_000_000;
    /// Damaged cells shown in a refusal; the others are counted.
    pub const CELLS_SHOWN: usize = 20;
}

/// Reads a file within this process, for tests of what is read.
#[cfg(test)]
pub(crate) fn read_here(file: std::fs::File, layout: &'static Layout) -> Result<Table, FileFault> {
    let spill = tempfile::tempfile().map_err(|error| FileFault::unreadable(&error))?;
    let out = spill.try_clone().map_err(|error| FileFault::unreadable(&error))?;
    let reading::Summary { present, rows } = reading::read(file, layout, 200_000, out)?;
    Ok(Table::new(spill, layout, present, rows))
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
