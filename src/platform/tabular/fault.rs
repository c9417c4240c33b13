//! Why a file is refused as a whole.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::codes::{FILE_REFUSED, FILE_TOO_HEAVY, NO_ROWS};
use super::limits;
use crate::kernel::text::excerpt;
use crate::kernel::{FieldError, Refused};
use crate::platform::Error;

/// Every code of a file or a cell: what a reader says is looked up here, not believed.
const CODES: &[&str] = &[
    "unreadable_file",
    "empty_file",
    "binary_file",
    "unreadable_encoding",
    "no_header",
    "missing_column",
    "doubled_column",
    "ragged_rows",
    "unclosed_quote",
    "damaged_cells",
    "unreadable_workbook",
    "unreadable_json",
    "no_rows",
    // Bounds.
    "workbook_bound",
    "inflated_bound",
    "columns_bound",
    "rows_bound",
    "line_bound",
    "cell_bound",
    "text_bound",
    "memory_bound",
    "time_bound",
    // Cells.
    "ragged_row",
    "identifier_as_number",
    "scientific_notation",
    "leading_zero_lost",
];

fn known(said: &str) -> Result<&'static str, String> {
    CODES.iter().copied().find(|code| *code == said).ok_or_else(|| format!("« {said} » is no code of a file"))
}

/// A fault as a reader says it.
#[derive(Deserialize)]
struct SaidFault {
    refusal: Refusal,
    code: String,
    message: String,
    cells: Vec<SaidCell>,
    total_cells: usize,
}

#[derive(Deserialize)]
struct SaidCell {
    row: u64,
    column: String,
    value: String,
    code: String,
    message: String,
}

impl<'de> Deserialize<'de> for FileFault {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let SaidFault { refusal, code, message, cells, total_cells } = SaidFault::deserialize(d)?;
        let known = |said: &str| known(said).map_err(D::Error::custom);
        let cell = |said: SaidCell| {
            let SaidCell { row, column, value, code, message } = said;
            Ok(CellFault { row, column, value, code: known(&code)?, message })
        };
        let cells = cells.into_iter().take(limits::CELLS_SHOWN).map(cell).collect::<Result<_, D::Error>>()?;
        Ok(Self { refusal, code: known(&code)?, message, cells, total_cells })
    }
}

/// What sort of refusal a file meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
/// Of a file too heavy, the code is the bound it met.
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

    pub(super) fn unreadable_workbook() -> Self {
        let message = "Ce fichier n'est pas un classeur .xlsx lisible : l'enregistrer de nouveau en .xlsx ou en CSV.";
        Self::new("unreadable_workbook", message)
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

/// Where a cell stands, or a whole row when `column` is empty.
fn place(row: u64, column: &str) -> String {
    if column.is_empty() { format!("ligne {row}") } else { format!("ligne {row}, colonne {column}") }
}

/// The whole file is refused, with the cells at fault.
impl From<FileFault> for Refused {
    fn from(fault: FileFault) -> Self {
        let code = match fault.refusal {
            Refusal::Unfit => &FILE_REFUSED,
            Refusal::TooHeavy => &FILE_TOO_HEAVY,
            Refusal::NoRows => &NO_ROWS,
        };
        let cells = fault.cells.into_iter().map(|cell| FieldError {
            pointer: place(cell.row, &cell.column),
            code: cell.code.to_owned(),
            message: cell.message,
            value: Some(cell.value),
        });
        let mut refused = Self::new(code, fault.message);
        refused.errors = cells.collect();
        if refused.errors.is_empty() {
            let message = refused.detail.clone();
            refused.errors.push(FieldError {
                pointer: "file".into(),
                code: fault.code.to_owned(),
                message,
                value: None,
            });
        }
        refused
    }
}

impl From<FileFault> for Error {
    fn from(fault: FileFault) -> Self {
        Refused::from(fault).into()
    }
}

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
            self.cells.push(CellFault { row, column: excerpt(&column), value, code, message });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The refusal, if anything was gathered.
    pub(super) fn refusal(self, code: &'static str, message: impl FnOnce(usize) -> String) -> Result<(), FileFault> {
        if self.total == 0 {
            return Ok(());
        }
        Err(FileFault { cells: self.cells, total_cells: self.total, ..FileFault::new(code, message(self.total)) })
    }
}
