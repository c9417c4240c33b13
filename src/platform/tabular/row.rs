//! A row, by the names of its columns.

use super::cells::Cell;
use super::spec::ColumnSpec;
use crate::kernel::{FieldFault, Finding};

/// One row, by the names of the columns asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Row number as a spreadsheet shows it: the header is usually 1.
    pub line: u64,
    pub(super) specs: &'static [ColumnSpec],
    pub(super) cells: Vec<Option<Cell>>,
}

impl Row {
    /// The trimmed cell; empty when blank, none when the file has no such column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        let index = self.specs.iter().position(|spec| spec.name == column)?;
        self.cells.get(index)?.as_ref().map(|cell| cell.text.as_str())
    }

    pub(super) fn held(&self) -> impl Iterator<Item = (&'static ColumnSpec, &Cell)> {
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
