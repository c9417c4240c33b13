//! The first pass: every row is looked at before any is used.

use super::cells::Cell;
use super::columns::Columns;
use super::fault::{FileFault, Gathered};
use super::record::Cells;

/// Gathers what is wrong in the rows of a file.
#[derive(Debug, Default)]
pub(super) struct Check {
    ragged: Gathered,
    damaged: Gathered,
    rows: u64,
}

impl Check {
    /// Looks at a row that must have as many cells as the header.
    pub(super) fn full_row(&mut self, columns: &Columns, row: u64, cells: &Cells) {
        if cells.len() == columns.width {
            self.rows += 1;
            for (spec, position, name) in columns.present() {
                let Some(cell) = cells.get(position) else { continue };
                if let Some((code, message)) = spec.kind.damage_of_text(cell) {
                    self.damaged.add(row, name, cell, code, message);
                }
            }
        } else {
            self.rows += 1;
            let value = format!("{} cellules", cells.len());
            let message = format!("{} cellules attendues, comme dans l'en-tête.", columns.width);
            self.ragged.add(row, "", &value, "ragged_row", message);
        }
    }

    /// Looks at the wanted cells of a row.
    pub(super) fn row<'c>(&mut self, columns: &Columns, row: u64, cell_at: impl Fn(usize) -> Option<&'c Cell>) {
        self.rows += 1;
        for (spec, position, name) in columns.present() {
            let Some(cell) = cell_at(position) else { continue };
            if let Some((code, message)) = spec.kind.damage(cell) {
                self.damaged.add(row, name, &cell.text, code, message);
            }
        }
    }

    /// Rows seen so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether nothing was gathered so far.
    pub(super) fn is_sound(&self) -> bool {
        self.ragged.is_empty() && self.damaged.is_empty()
    }

    /// How many rows were seen, if all are sound.
    ///
    /// # Errors
    /// `ragged_rows` before `damaged_cells`: in a shifted row a damaged cell proves nothing. `no_rows`.
    pub(super) fn verdict(self) -> Result<u64, FileFault> {
        self.ragged.refusal("ragged_rows", |total| {
            format!("Lignes dont le nombre de cellules diffère de l'en-tête : {total}. Un séparateur ou un guillemet manque ou est en trop.")
        })?;
        self.damaged.refusal("damaged_cells", |total| {
            format!("Cellules abîmées : {total}. Reprendre le fichier d'origine sans l'enregistrer depuis un tableur, ou mettre ces colonnes au format texte.")
        })?;
        if self.rows == 0 { Err(FileFault::no_rows()) } else { Ok(self.rows) }
    }
}
