//! A table on its way from its file to the rows written: what every kind of file is read into.

use std::io::{BufWriter, ErrorKind, Write};

use serde::{Deserialize, Serialize};

use super::check::Check;
use super::columns::Columns;
use super::fault::FileFault;
use super::row::Row;
use super::spec::Layout;
use super::{frames, limits};

/// What was read.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Summary {
    /// Which sort of file it is, among those its door takes.
    pub sort: usize,
    /// For each column of the layout, whether the file has it.
    pub present: Vec<bool>,
    pub rows: u64,
}

/// A table being read: its header first, then its rows.
pub(super) struct Sheet<W: Write> {
    layout: &'static Layout,
    sort: usize,
    pub columns: Option<Columns>,
    pub check: Check,
    out: BufWriter<W>,
    most_rows: u64,
    written: u64,
}

impl<W: Write> Sheet<W> {
    pub fn new(layout: &'static Layout, most_rows: u64, out: W) -> Self {
        let out = BufWriter::with_capacity(64 * 1024, out);
        Self { layout, sort: 0, columns: None, check: Check::default(), out, most_rows, written: 0 }
    }

    /// The names of a first line, which tell the sort of file.
    ///
    /// # Errors
    /// See [`Columns::place`].
    pub fn header<'h>(&mut self, names: impl Iterator<Item = &'h str>) -> Result<(), FileFault> {
        let names: Vec<&str> = names.collect();
        self.header_of(self.layout.told_by(&names), names.into_iter())
    }

    /// The names of a sort of file already told.
    ///
    /// # Errors
    /// See [`Columns::place`].
    pub fn header_of<'h>(&mut self, sort: usize, names: impl Iterator<Item = &'h str>) -> Result<(), FileFault> {
        self.sort = sort;
        self.columns = Some(Columns::place(names, self.layout.sorts().nth(sort).unwrap_or(self.layout))?);
        Ok(())
    }

    /// Counts a row that was looked at, and writes it while the file is sound.
    ///
    /// # Errors
    /// `rows_bound`, `cell_bound`, `text_bound`.
    pub fn row(&mut self, row: &Row) -> Result<(), FileFault> {
        if self.check.rows() > self.most_rows {
            let most = self.most_rows;
            return Err(FileFault::too_heavy("rows_bound", format!("{most} lignes au plus sous l'en-tête")));
        }
        let long = row.held().find(|(spec, cell)| cell.text.chars().nth(spec.kind.most_characters()).is_some());
        if let Some((spec, _)) = long {
            return Err(cell_bound(row.line, spec.name));
        }
        if self.check.is_sound() {
            self.written += frames::write(&mut self.out, row).map_err(|error| unwritten(&error))?;
            if self.written > limits::TEXT_BYTES {
                return Err(text_bound());
            }
        }
        Ok(())
    }

    /// # Errors
    /// What was gathered while reading; `no_rows`.
    pub fn finish(mut self) -> Result<Summary, FileFault> {
        let columns = self.columns.ok_or_else(FileFault::empty)?;
        let rows = self.check.verdict()?;
        self.out.flush().map_err(|error| unwritten(&error))?;
        Ok(Summary { sort: self.sort, present: columns.presence(), rows })
    }
}

/// `column` may be nameless.
pub(super) fn cell_bound(line: u64, column: &str) -> FileFault {
    let place = if column.is_empty() { String::new() } else { format!(", colonne « {column} »") };
    let bound = format!("{} caractères au plus par cellule (ligne {line}{place})", limits::CELL_CHARACTERS);
    FileFault::too_heavy("cell_bound", bound)
}

fn text_bound() -> FileFault {
    FileFault::too_heavy("text_bound", "100 Mo de texte au plus dans les colonnes lues")
}

fn unwritten(error: &std::io::Error) -> FileFault {
    if error.kind() == ErrorKind::FileTooLarge { text_bound() } else { FileFault::unreadable(error) }
}
