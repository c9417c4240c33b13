//! CSV, record by record.
//!
//! The splitting is done here rather than by the `csv` crate for two reasons of diagnosis: that reader skips blank
//! lines and splits `\r\n` in ways that make its line numbers differ from the rows a spreadsheet shows, and it
//! takes a quote never closed for one long last cell that swallows the rest of the file. On sound text both give
//! the same cells (a property test says so).

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write};

use super::fault::FileFault;
use super::limits;
use super::record::{Cells, Record};
use super::scan::{self, Encoding, UTF8_BOM};
use super::sheet::{Sheet, Summary};
use crate::kernel::bare::trimmed;

/// Reads a text file from end to end.
pub(super) fn read<W: Write>(mut file: File, mut sheet: Sheet<W>) -> Result<Summary, FileFault> {
    let rewound = |file: &mut File| file.rewind().map_err(|error| FileFault::unreadable(&error));
    let encoding = scan::encoding(&mut file)?;
    rewound(&mut file)?;
    let line_end = scan::line_end(&mut file)?;
    rewound(&mut file)?;
    let mut records = Records::new(file, encoding, line_end)?;
    records.guess_separator()?;
    let Some(header) = records.next_filled()? else { return Err(FileFault::empty()) };
    sheet.header(header.cells.iter())?;
    while let Some(record) = records.next_filled()? {
        let Some(columns) = &sheet.columns else { continue };
        sheet.check.full_row(columns, record.row, &record.cells);
        let row = columns.row(&record);
        sheet.row(&row)?;
    }
    sheet.finish()
}

/// Reads records one after the other.
#[derive(Debug)]
pub(super) struct Records {
    source: BufReader<File>,
    encoding: Encoding,
    separator: char,
    line_end: u8,
    row: u64,
    /// Cells of the record before: as many are expected.
    width: usize,
    /// Lines read ahead to guess the separator.
    peeked: Option<String>,
}

impl Records {
    fn new(mut file: File, encoding: Encoding, line_end: u8) -> Result<Self, FileFault> {
        let mut head = Vec::new();
        let read = (&file).take(3).read_to_end(&mut head);
        let start = read.and_then(|_| file.seek(SeekFrom::Start(if head == UTF8_BOM { 3 } else { 0 })));
        start.map_err(|error| FileFault::unreadable(&error))?;
        Ok(Self {
            source: BufReader::with_capacity(64 * 1024, file),
            encoding,
            separator: ';',
            line_end,
            row: 0,
            width: 0,
            peeked: None,
        })
    }

    /// Chooses the separator by the first filled line: the more frequent of `;` and `,` out of quotes.
    fn guess_separator(&mut self) -> Result<(), FileFault> {
        let mut ahead = String::new();
        while let Some(line) = self.line()? {
            ahead.push_str(&line);
            if !trimmed(&line).is_empty() || ahead.len() > limits::RECORD_BYTES {
                break;
            }
        }
        let (mut semicolons, mut commas, mut quoted) = (0_u32, 0_u32, false);
        for c in ahead.chars() {
            match c {
                '"' => quoted = !quoted,
                ';' if !quoted => semicolons += 1,
                ',' if !quoted => commas += 1,
                _ => {}
            }
        }
        self.separator = if commas > semicolons { ',' } else { ';' };
        self.peeked = Some(ahead).filter(|lines| !lines.is_empty());
        Ok(())
    }

    /// The next record with something in it. A line of separators only is what spreadsheets leave under a table.
    pub(super) fn next_filled(&mut self) -> Result<Option<Record>, FileFault> {
        while let Some(record) = self.next_record()? {
            if record.cells.iter().any(|cell| !trimmed(cell).is_empty()) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn next_record(&mut self) -> Result<Option<Record>, FileFault> {
        let Some(first) = self.line()? else { return Ok(None) };
        self.row += 1;
        let mut size = first.len();
        let mut splitter = match Splitter::plain(self.separator, self.width, first) {
            Ok(cells) => {
                self.width = cells.len();
                return Ok(Some(Record { row: self.row, cells }));
            }
            Err(quoted) => {
                let mut splitter = Splitter::new(self.separator);
                splitter.feed(&quoted);
                splitter
            }
        };
        while splitter.in_quotes() {
            if size > limits::RECORD_BYTES {
                return Err(self.line_bound("un guillemet n'y est sans doute pas refermé"));
            }
            let Some(next) = self.line()? else {
                return Err(FileFault::new(
                    "unclosed_quote",
                    format!("Ligne {} : un guillemet ouvert n'est pas refermé.", self.row),
                ));
            };
            size += next.len();
            splitter.feed(&next);
        }
        Ok(Some(Record { row: self.row, cells: splitter.finish() }))
    }

    fn line_bound(&self, why: &str) -> FileFault {
        let bound = format!("1 Mo au plus par ligne, ce que dépasse la ligne {} ({why})", self.row);
        FileFault::too_heavy("line_bound", bound)
    }

    /// The next line with its end as a single `\n`.
    fn line(&mut self) -> Result<Option<String>, FileFault> {
        if let Some(lines) = self.peeked.take() {
            // Read ahead together, given back one by one.
            let end = lines.find('\n').map_or(lines.len(), |at| at + 1);
            let (line, rest) = lines.split_at_checked(end).unwrap_or((&lines, ""));
            self.peeked = Some(rest.to_owned()).filter(|rest| !rest.is_empty());
            return Ok(Some(line.to_owned()));
        }
        let mut bytes = Vec::new();
        let bound = u64::try_from(limits::RECORD_BYTES).unwrap_or(u64::MAX);
        let read = self.source.by_ref().take(bound).read_until(self.line_end, &mut bytes);
        read.map_err(|error| FileFault::unreadable(&error))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() >= limits::RECORD_BYTES {
            self.row += 1;
            return Err(self.line_bound("ce n'est pas un tableau"));
        }
        if bytes.last() == Some(&self.line_end) {
            bytes.pop();
            if self.line_end == b'\n' && bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
            bytes.push(b'\n');
        }
        match self.encoding {
            Encoding::Utf8 => String::from_utf8(bytes).map(Some).map_err(|_| {
                FileFault::new("unreadable_encoding", format!("Caractères illisibles à la ligne {}.", self.row + 1))
            }),
            Encoding::Windows1252 => {
                let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes);
                Ok(Some(text.into_owned()))
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// After a quote inside quotes: the end of the cell, or the first half of a doubled quote.
    QuoteSeen,
}

/// Cuts lines into cells; a quoted cell may hold separators, doubled quotes and line ends.
struct Splitter {
    separator: char,
    state: State,
    cells: Cells,
}

impl Splitter {
    fn new(separator: char) -> Self {
        Self { separator, state: State::CellStart, cells: Cells::default() }
    }

    /// Cuts a line without quotes where it stands; one with quotes is given back.
    fn plain(separator: char, width: usize, mut line: String) -> Result<Cells, String> {
        // `;` or `,`.
        let cut = u8::try_from(separator).unwrap_or(b';');
        if line.ends_with('\n') {
            line.pop();
        }
        let mut ends = Vec::with_capacity(width + 1);
        for (at, byte) in line.bytes().enumerate() {
            if byte == cut {
                ends.push(at);
            } else if byte == b'"' {
                line.push('\n');
                return Err(line);
            }
        }
        ends.push(line.len());
        Ok(Cells { text: line, ends })
    }

    fn in_quotes(&self) -> bool {
        self.state == State::Quoted
    }

    fn feed(&mut self, line: &str) {
        let body = line.strip_suffix('\n').unwrap_or(line);
        for c in body.chars() {
            self.state = match (self.state, c) {
                (State::CellStart, '"') => State::Quoted,
                (State::Quoted, '"') => State::QuoteSeen,
                (State::QuoteSeen, '"') => {
                    self.cells.text.push('"');
                    State::Quoted
                }
                (State::Quoted, _) => {
                    self.cells.text.push(c);
                    State::Quoted
                }
                (_, c) if c == self.separator => {
                    self.cells.close();
                    self.cells.text.push(c);
                    State::CellStart
                }
                _ => {
                    self.cells.text.push(c);
                    State::Plain
                }
            };
        }
        if self.in_quotes() {
            self.cells.text.push('\n');
        }
    }

    fn finish(mut self) -> Cells {
        self.cells.close();
        self.cells
    }
}
