//! One record of a text file.

/// One record: its row as a spreadsheet shows it, and its cells.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) row: u64,
    pub(super) cells: Cells,
}

/// Cells in one text, a separator of one byte between them: the directory has 72 a row, of which a dozen are read.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) text: String,
    /// Where each cell ends.
    pub(super) ends: Vec<usize>,
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, position: usize) -> Option<&str> {
        let end = *self.ends.get(position)?;
        let start = position.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| end + 1);
        self.text.get(start..end)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|position| self.get(position))
    }

    pub(super) fn close(&mut self) {
        self.ends.push(self.text.len());
    }
}
