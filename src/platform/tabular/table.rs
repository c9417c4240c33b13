//! A file that was read: its rows wait in a file without a name, which goes with the process whatever happens to it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;

use super::sheet::Summary;
use super::{FileFault, Layout, Row, frames};

/// A file whose every row was checked.
#[derive(Debug)]
pub struct Table {
    spill: File,
    layout: &'static Layout,
    present: Vec<bool>,
    row_count: u64,
}

impl Table {
    /// The rows a reader wrote, if what it says of them can be: it is not believed.
    pub(super) fn told(spill: File, door: &'static Layout, summary: Summary) -> Option<Self> {
        let Summary { sort, present, rows: row_count } = summary;
        let layout = door.sorts().nth(sort)?;
        (present.len() == layout.columns.len()).then_some(Self { spill, layout, present, row_count })
    }

    /// What sort of file it is: its door's own, or one that comes through the same.
    #[must_use]
    pub fn layout(&self) -> &'static Layout {
        self.layout
    }

    /// Whether the file has this column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.layout.columns.iter().zip(&self.present).any(|(spec, present)| spec.name == column && *present)
    }

    /// Rows with something in them, header left out.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.row_count
    }

    /// The rows, from the first. One fails when what was written cannot be read again.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        let source = BufReader::with_capacity(64 * 1024, At { file: &self.spill, at: 0 });
        Rows { table: self, source, left: self.row_count }
    }
}

/// The rows of a [`Table`], blank ones left out.
#[derive(Debug)]
pub struct Rows<'t> {
    table: &'t Table,
    source: BufReader<At<'t>>,
    left: u64,
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, FileFault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let read = frames::read(&mut self.source, self.table.layout.columns, &self.table.present);
        if read.is_err() {
            self.left = 0;
        }
        Some(read.map_err(|error| FileFault::unreadable(&error)))
    }
}

/// A place in a file of its own: rows may be read by several at once.
#[derive(Debug)]
struct At<'f> {
    file: &'f File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}
