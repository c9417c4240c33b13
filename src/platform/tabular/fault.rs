//! Why a file is refused as a whole.

use std::fmt;

use serde::Serialize;

use super::limits;
use crate::kernel::text::excerpt;

/// A refusal of a whole file: nothing of it was read further.
///
/// Codes: `unreadable_file`, `empty_file`, `binary_file`, `unreadable_encoding`, `no_header`,
/// `missing_column`, `doubled_column`, `ragged_rows`, `unclosed_quote`, `damaged_cells`, `file_too_large`,
/// `too_many_rows`, `unreadable_workbook`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFault {
    pub code: &'static str,
    /// One French sentence or two: what is wrong and what to do.
    pub message: String,
    /// The first cells at fault, at most [`limits::CELLS_SHOWN`].
    pub cells: Vec<CellFault>,
    /// How many there are in all.
    pub total_cells: usize,
}

/// One cell (or one whole row, `column` being empty) that makes the file unfit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellFault {
    /// Row number as a spreadsheet shows it.
    pub row: u64,
    /// Name of the column as the file writes it.
    pub column: String,
    pub value: String,
    pub code: &'static str,
    pub message: String,
}

impl FileFault {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), cells: Vec::new(), total_cells: 0 }
    }

    pub(super) fn unreadable(error: &std::io::Error) -> Self {
        // The kind only: the path of a temporary file is no business of the sender.
        Self::new("unreadable_file", format!("Le fichier ne peut être lu ({}).", error.kind()))
    }

    pub(super) fn empty() -> Self {
        Self::new("empty_file", "Le fichier est vide.")
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} : {}", self.code, self.message)
    }
}

impl std::error::Error for FileFault {}

/// Gathers faults of one sort: keeps the first ones, counts all.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    cells: Vec<CellFault>,
    total: usize,
}

impl Gathered {
    pub(super) fn add(&mut self, row: u64, column: &str, value: &str, code: &'static str, message: String) {
        self.total += 1;
        if self.cells.len() < limits::CELLS_SHOWN {
            let value = excerpt(&value);
            self.cells.push(CellFault { row, column: column.to_owned(), value, code, message });
        }
    }

    /// The refusal, if anything was gathered.
    pub(super) fn refusal(self, code: &'static str, message: impl FnOnce(usize) -> String) -> Result<(), FileFault> {
        if self.total == 0 {
            return Ok(());
        }
        Err(FileFault { code, message: message(self.total), cells: self.cells, total_cells: self.total })
    }
}
