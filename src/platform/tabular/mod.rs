//! Reads a table somebody uploads: CSV (UTF-8 or Windows-1252, `;` or `,`), `.xlsx`, or objects of JSON where a sort of
//! file comes so.
//!
//! ```text
//! FileReader::read(file, layout) ──▶ a process apart, bounded ([`reader`], [`child`])
//!                                      │ what is it? by content ──┬─ text ──> encoding, line ends, separator ──┐
//!                                      │                          ├─ zip ───> sizes, first sheet ──────────────┤
//!                                      │                          └─ JSON ──> the names of all its objects ────┤
//!                                      │            header: which sort of file, columns matched by name <──────┘
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
pub mod limits;
mod objects;
mod reader;
mod reading;
mod record;
mod row;
mod scan;
mod sheet;
mod spec;
mod table;
mod workbook;
mod zip_sizes;

#[cfg(test)]
mod tests;

pub use cells::{Cell, CellKind, CellType, list_items};
pub use child::{Bounds, run as run_child};
pub use codes::{CODES, FILE_READER_BUSY};
pub use fault::{CellFault, FileFault, Refusal};
pub use reader::FileReader;
pub use row::Row;
pub use spec::{ColumnSpec, Layout};
pub use table::{Rows, Table};

/// Reads a file within this process, for tests of what is read.
#[cfg(test)]
pub(crate) fn read_here(file: std::fs::File, layout: &'static Layout) -> Result<Table, FileFault> {
    let spill = tempfile::tempfile().map_err(|error| FileFault::unreadable(&error))?;
    let out = spill.try_clone().map_err(|error| FileFault::unreadable(&error))?;
    let summary = reading::read(file, layout, 200_000, out)?;
    Table::told(spill, layout, summary).ok_or_else(|| FileFault::unreadable(&std::io::ErrorKind::InvalidData.into()))
}
