//! Why a file is refused as a whole.

use std::fmt;

use serde::Serialize;

use super::limits;
use crate::kernel::text::excerpt;

/// What sort of refusal a file meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Refusal {
    /// It is no table, or its content cannot be trusted.
    Unfit,
    /// It would cost more than is given to one file.
    TooHeavy,
    /// There is no row under its header.
    NoRows,
}

/// A refusal of a whole file: nothing of it was read further.
///
/// Codes: `unreadable_file`, `empty_file`, `binary_file`, `unreadable_encoding`, `no_header`,
/// `missing_column`, `doubled_column`, `ragged_rows`, `unclosed_quote`, `damaged_cells`, `unreadable_workbook`; of a
/// file too heavy, the bound it met: `workbook_bound`, `inflated_bound`, `columns_bound`, `rows_bound`, `line_bound`,
/// `cell_bound`, `text_bound`; `no_rows`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFault {
    pub refusal: Refusal,
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
        Self { refusal: Refusal::Unfit, code, message: message.into(), cells: Vec::new(), total_cells: 0 }
    }

    /// `bound` names in French what was met: « 16384 colonnes au plus ».
    pub(super) fn too_heavy(code: &'static str, bound: impl fmt::Display) -> Self {
        let message = format!("Fichier trop lourd à lire : {bound}. L'alléger, ou le partager en plusieurs fichiers.");
        Self { refusal: Refusal::TooHeavy, ..Self::new(code, message) }
    }

    pub(super) fn no_rows() -> Self {
        let message = "Le fichier n'a aucune ligne sous son en-tête : rien n'y est à lire.";
        Self { refusal: Refusal::NoRows, ..Self::new("no_rows", message) }
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
        Err(FileFault { cells: self.cells, total_cells: self.total, ..FileFault::new(code, message(self.total)) })
    }
}
