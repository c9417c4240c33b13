//! How much is accepted.

/// Bytes of one `.xlsx` file.
pub const WORKBOOK_BYTES: u64 = 10 * 1024 * 1024;
/// Bytes of all the parts of an `.xlsx` once unzipped.
pub const WORKBOOK_UNZIPPED_BYTES: u64 = 150 * 1024 * 1024;
/// Columns of a header: what a spreadsheet can have.
pub const COLUMNS: usize = 16_384;
/// Bytes of one record of a text file: a longer one is a quote never closed.
pub const RECORD_BYTES: usize = 1024 * 1024;
/// Characters of one cell: what a spreadsheet can hold.
pub const CELL_CHARACTERS: usize = 32_767;
/// The same in bytes at most.
pub const CELL_BYTES: usize = 4 * CELL_CHARACTERS;
/// Bytes of the rows read from one file.
pub const TEXT_BYTES: u64 = 100_000_000;
/// Damaged cells shown in a refusal; the others are counted.
pub const CELLS_SHOWN: usize = 20;
