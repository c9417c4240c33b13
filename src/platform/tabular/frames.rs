//! Rows on their way from the reader of a file to who uses them: one after the other, each cell with its type.
//!
//! ```text
//!   row  = line: 8 bytes, then for each column of the file: cell
//!   cell = type: 1 byte, length: 4 bytes, text: UTF-8            numbers little-endian
//! ```
//! The reader is not believed: what it wrote is measured before it is held.

use std::io::{self, ErrorKind, Read, Write};

use super::cells::{Cell, CellType};
use super::limits;
use super::row::Row;
use super::spec::ColumnSpec;

const TYPES: [CellType; 5] = [CellType::Text, CellType::Number, CellType::Date, CellType::Boolean, CellType::Error];

/// Writes a row; cells of no column are left out. Gives its length.
pub(super) fn write(out: &mut impl Write, row: &Row) -> io::Result<u64> {
    let mut length = 8;
    out.write_all(&row.line.to_le_bytes())?;
    for cell in row.cells.iter().flatten() {
        let rank = TYPES.iter().position(|is| *is == cell.is).and_then(|rank| u8::try_from(rank).ok());
        let size = u32::try_from(cell.text.len()).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
        out.write_all(&[rank.unwrap_or_default()])?;
        out.write_all(&size.to_le_bytes())?;
        out.write_all(cell.text.as_bytes())?;
        length += 5 + u64::from(size);
    }
    Ok(length)
}

/// Reads the next row; `present` tells which columns its file has.
pub(super) fn read(source: &mut impl Read, specs: &'static [ColumnSpec], present: &[bool]) -> io::Result<Row> {
    let bad = || io::Error::from(ErrorKind::InvalidData);
    let mut line = [0; 8];
    source.read_exact(&mut line)?;
    let mut cells = Vec::with_capacity(specs.len());
    for present in present {
        if !present {
            cells.push(None);
            continue;
        }
        let mut head = [0; 5];
        source.read_exact(&mut head)?;
        let [rank, size @ ..] = head;
        let is = *TYPES.get(usize::from(rank)).ok_or_else(bad)?;
        let size = usize::try_from(u32::from_le_bytes(size)).map_err(|_| bad())?;
        if size > limits::RECORD_BYTES {
            return Err(bad());
        }
        let mut text = vec![0; size];
        source.read_exact(&mut text)?;
        cells.push(Some(Cell { is, text: String::from_utf8(text).map_err(|_| bad())? }));
    }
    Ok(Row { line: u64::from_le_bytes(line), specs, cells })
}
