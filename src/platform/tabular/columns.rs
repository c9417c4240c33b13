//! The header: columns found by their names, wherever they stand.

use std::collections::HashMap;

use super::cells::{Cell, CellType, type_of_text};
use super::fault::FileFault;
use super::limits;
use super::record::Record;
use super::row::Row;
use super::spec::{ColumnSpec, Layout, squeeze};
use crate::kernel::bare::trimmed;
use crate::kernel::text::excerpt;

/// Where the wanted columns stand in one file.
#[derive(Debug)]
pub(super) struct Columns {
    specs: &'static [ColumnSpec],
    /// For each spec, its position in the file and the name the file gives it.
    found: Vec<Option<(usize, String)>>,
    /// Number of cells of the header.
    pub(super) width: usize,
}

impl Columns {
    /// # Errors
    /// `columns_bound`, `no_header`, `doubled_column`, `missing_column`.
    pub(super) fn place<'h>(header: impl Iterator<Item = &'h str>, layout: &'static Layout) -> Result<Self, FileFault> {
        let specs = layout.columns;
        let by_name: HashMap<String, usize> = specs
            .iter()
            .enumerate()
            .flat_map(|(index, spec)| spec.names().map(move |name| (squeeze(name), index)))
            .collect();
        let mut found: Vec<Option<(usize, String)>> = vec![None; specs.len()];
        let mut doubled = None;
        let mut width = 0;
        // A header may be as wide as the file: each name is folded once, and looked up.
        for (position, name) in header.map(trimmed).enumerate() {
            width = position + 1;
            if width > limits::COLUMNS {
                return Err(FileFault::too_heavy("columns_bound", format!("{} colonnes au plus", limits::COLUMNS)));
            }
            let Some(index) = by_name.get(&squeeze(name)) else { continue };
            match found.get_mut(*index) {
                Some(Some((_, first))) => {
                    doubled.get_or_insert_with(|| (*index, first.clone(), name.to_owned()));
                }
                Some(place) => *place = Some((position, name.to_owned())),
                None => {}
            }
        }
        if let Some((index, one, other)) = doubled {
            return Err(FileFault::new(
                "doubled_column",
                format!(
                    "La colonne « {} » figure deux fois (« {} » et « {} ») : n'en garder qu'une.",
                    specs.get(index).map_or("", |spec| spec.name),
                    excerpt(&one),
                    excerpt(&other)
                ),
            ));
        }
        if found.iter().all(Option::is_none) {
            return Err(FileFault::new(
                "no_header",
                format!(
                    "Aucune colonne attendue dans la première ligne : elle doit porter les noms des colonnes ({}).",
                    wanted(specs)
                ),
            ));
        }
        let missing: Vec<&str> = specs
            .iter()
            .zip(&found)
            .filter(|(spec, place)| spec.required && place.is_none())
            .map(|(spec, _)| spec.name)
            .collect();
        if !missing.is_empty() {
            return Err(FileFault::new(
                "missing_column",
                format!("Colonne obligatoire absente : {}.", missing.join(", ")),
            ));
        }
        let columns = Self { specs, found, width };
        if !layout.one_of.is_empty() && !layout.one_of.iter().any(|name| columns.has(name)) {
            let names = layout.one_of.join(" ou ");
            return Err(FileFault::new("missing_column", format!("Colonne obligatoire absente : {names}.")));
        }
        Ok(columns)
    }

    fn has(&self, name: &str) -> bool {
        self.specs.iter().zip(&self.found).any(|(spec, place)| spec.name == name && place.is_some())
    }

    /// For each column of the layout, whether the file has it.
    pub(super) fn presence(&self) -> Vec<bool> {
        self.found.iter().map(Option::is_some).collect()
    }

    /// The columns present: spec, position in the file, name in the file.
    pub(super) fn present(&self) -> impl Iterator<Item = (&'static ColumnSpec, usize, &str)> {
        self.specs
            .iter()
            .zip(&self.found)
            .filter_map(|(spec, place)| place.as_ref().map(|(position, name)| (spec, *position, name.as_str())))
    }

    /// Takes the wanted cells out of a record.
    pub(super) fn row(&self, record: &Record) -> Row {
        self.row_of(record.row, |position| {
            let text = record.cells.get(position).unwrap_or_default();
            (type_of_text(trimmed(text)), text)
        })
    }

    /// Builds a row, asking for the cell at each wanted position.
    pub(super) fn row_of<'c>(&self, line: u64, cell_at: impl Fn(usize) -> (CellType, &'c str)) -> Row {
        let cells = self
            .specs
            .iter()
            .zip(&self.found)
            .map(|(spec, place)| {
                let (is, text) = cell_at(place.as_ref()?.0);
                Some(Cell::new(is, spec.kind.text(text)))
            })
            .collect();
        Row { line, specs: self.specs, cells }
    }
}

fn wanted(specs: &[ColumnSpec]) -> String {
    let required: Vec<&str> = specs.iter().filter(|spec| spec.required).map(|spec| spec.name).collect();
    if required.is_empty() {
        specs.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ")
    } else {
        required.join(", ")
    }
}
