//! A JSON export: an array of objects, or objects one after the other (JSON lines). Each object is a row.
//!
//! An object may leave out what it has nothing to say of, so the header is the names of all of them: the file is run
//! through twice, one object at a time, of no more bytes than a line. A row is numbered by the rank of its object.

use std::cell::Cell as Count;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, Write};
use std::rc::Rc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::cells::{Cell, CellType, type_of_text};
use super::fault::FileFault;
use super::limits;
use super::scan::UTF8_BOM;
use super::sheet::{Sheet, Summary};
use crate::kernel::bare::trimmed;
use crate::kernel::text::excerpt;

/// How objects follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Array,
    Lines,
}

/// Longest name of a column that is looked at.
const NAME_BYTES: usize = 200;

/// What the first bytes of a file begin, if it is JSON.
pub(super) fn begin(head: &[u8]) -> Option<Shape> {
    let text = head.strip_prefix(UTF8_BOM).unwrap_or(head);
    match text.iter().find(|byte| !byte.is_ascii_whitespace())? {
        b'[' => Some(Shape::Array),
        b'{' => Some(Shape::Lines),
        _ => None,
    }
}

/// Reads a file of objects from end to end, as the `sort` of file it is.
pub(super) fn read<W: Write>(
    file: &File,
    shape: Shape,
    sort: usize,
    mut sheet: Sheet<W>,
) -> Result<Summary, FileFault> {
    let mut names = Names::default();
    each_object(file, shape, &mut names)?;
    if names.ordered.is_empty() {
        return Err(FileFault::no_rows());
    }
    sheet.header_of(sort, names.ordered.iter().map(String::as_str))?;
    let present = sheet.columns.iter().flat_map(|columns| columns.present());
    let wanted = present.map(|(_, position, name)| (name.to_owned(), position)).collect();
    each_object(file, shape, &mut Rows { sheet: &mut sheet, wanted, at: 0, cells: HashMap::new() })?;
    sheet.finish()
}

/// What is done of the objects.
trait Take {
    /// A name of the object at hand; says whether its value is to be read.
    fn name(&mut self, name: String) -> Result<bool, FileFault>;
    /// The value of the name before.
    fn value(&mut self, value: Value) -> Result<(), FileFault>;
    /// The object ends.
    fn end(&mut self, rank: u64) -> Result<(), FileFault>;
}

fn each_object(mut file: &File, shape: Shape, take: &mut impl Take) -> Result<(), FileFault> {
    let unreadable = |error: io::Error| FileFault::unreadable(&error);
    file.rewind().map_err(unreadable)?;
    let mut source = BufReader::with_capacity(64 * 1024, file);
    if source.fill_buf().map_err(unreadable)?.starts_with(UTF8_BOM) {
        source.consume(UTF8_BOM.len());
    }
    let left = Rc::new(Count::new(limits::RECORD_BYTES));
    let mut json = serde_json::Deserializer::from_reader(Measured { source, left: Rc::clone(&left) });
    let mut run = Run { take, rank: 0, left: Rc::clone(&left), fault: None };
    let done = match shape {
        Shape::Array => json.deserialize_seq(Array(&mut run)).and_then(|()| json.end()),
        Shape::Lines => loop {
            if json.end().is_ok() {
                break Ok(());
            }
            if let Err(error) = Object(&mut run).deserialize(&mut json) {
                break Err(error);
            }
        },
    };
    done.map_err(|error| run.fault.take().unwrap_or_else(|| unread(&error, run.rank, left.get() == 0)))
}

fn unread(error: &serde_json::Error, rank: u64, met: bool) -> FileFault {
    if met {
        let bound = format!("1 Mo au plus par objet, ce que dépasse l'objet n° {}", rank.max(1));
        return FileFault::too_heavy("line_bound", bound);
    }
    if let Some(kind) = error.io_error_kind() {
        return FileFault::unreadable(&kind.into());
    }
    let what = if error.is_eof() { "s'arrête" } else { "est illisible" };
    let message = format!(
        "Le JSON {what} à la ligne {}, caractère {} (objet n° {}) : un tableau d'objets, ou un objet par ligne, est attendu.",
        error.line(),
        error.column(),
        rank.max(1)
    );
    FileFault::new("unreadable_json", message)
}

/// A file read byte by byte, of which an object has only so many.
struct Measured<'f> {
    source: BufReader<&'f File>,
    left: Rc<Count<usize>>,
}

impl Read for Measured<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 && !self.source.fill_buf()?.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let most = buffer.len().min(left);
        let read = self.source.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(left - read);
        Ok(read)
    }
}

/// A run through the objects.
struct Run<'t, T> {
    take: &'t mut T,
    rank: u64,
    left: Rc<Count<usize>>,
    /// Why it stopped, when it is not for the JSON itself.
    fault: Option<FileFault>,
}

impl<T> Run<'_, T> {
    fn kept<V, E: serde::de::Error>(&mut self, answer: Result<V, FileFault>) -> Result<V, E> {
        answer.map_err(|fault| {
            self.fault = Some(fault);
            E::custom("stopped")
        })
    }
}

struct Array<'r, 't, T>(&'r mut Run<'t, T>);

impl<'de, T: Take> Visitor<'de> for Array<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut objects: A) -> Result<(), A::Error> {
        while objects.next_element_seed(Object(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct Object<'r, 't, T>(&'r mut Run<'t, T>);

impl<'de, T: Take> DeserializeSeed<'de> for Object<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Take> Visitor<'de> for Object<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let run = self.0;
        run.left.set(limits::RECORD_BYTES);
        run.rank += 1;
        while let Some(name) = object.next_key::<String>()? {
            let answer = run.take.name(name);
            if run.kept::<_, A::Error>(answer)? {
                let answer = run.take.value(object.next_value()?);
                run.kept::<_, A::Error>(answer)?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        let answer = run.take.end(run.rank);
        run.kept(answer)
    }
}

/// The names of all objects, in the order in which they are met.
#[derive(Default)]
struct Names {
    met: HashSet<String>,
    ordered: Vec<String>,
}

impl Take for Names {
    fn name(&mut self, name: String) -> Result<bool, FileFault> {
        if name.len() <= NAME_BYTES && !self.met.contains(&name) {
            // The count of all columns is the header's to bound: here only what is held.
            if self.ordered.len() > limits::COLUMNS {
                return Err(FileFault::too_heavy("columns_bound", format!("{} colonnes au plus", limits::COLUMNS)));
            }
            self.met.insert(name.clone());
            self.ordered.push(name);
        }
        Ok(false)
    }

    fn value(&mut self, _: Value) -> Result<(), FileFault> {
        Ok(())
    }

    fn end(&mut self, _: u64) -> Result<(), FileFault> {
        Ok(())
    }
}

/// The rows of a table.
struct Rows<'s, W: Write> {
    sheet: &'s mut Sheet<W>,
    wanted: HashMap<String, usize>,
    /// Where the value to come stands.
    at: usize,
    cells: HashMap<usize, Cell>,
}

impl<W: Write> Take for Rows<'_, W> {
    fn name(&mut self, name: String) -> Result<bool, FileFault> {
        let Some(at) = self.wanted.get(&name).copied() else { return Ok(false) };
        if self.cells.contains_key(&at) {
            let message = format!("« {} » figure deux fois dans un objet : n'en garder qu'un.", excerpt(&name));
            return Err(FileFault::new("doubled_column", message));
        }
        self.at = at;
        Ok(true)
    }

    fn value(&mut self, value: Value) -> Result<(), FileFault> {
        self.cells.insert(self.at, held(value));
        Ok(())
    }

    fn end(&mut self, rank: u64) -> Result<(), FileFault> {
        let cells = std::mem::take(&mut self.cells);
        if cells.values().all(|cell| trimmed(&cell.text).is_empty()) {
            return Ok(());
        }
        let Some(columns) = &self.sheet.columns else { return Ok(()) };
        self.sheet.check.row(columns, rank, |position| cells.get(&position));
        let blank = (CellType::Text, "");
        let row = columns.row_of(rank, |place| cells.get(&place).map_or(blank, |cell| (cell.is, cell.text.as_str())));
        self.sheet.row(&row)
    }
}

/// A value as a cell; a list or an object as its JSON, blank when there is nothing in it.
fn held(value: Value) -> Cell {
    match value {
        Value::Null => Cell::new(CellType::Text, ""),
        Value::Bool(flag) => Cell::new(CellType::Boolean, if flag { "VRAI" } else { "FAUX" }),
        Value::Number(number) => Cell::new(CellType::Number, number.to_string()),
        Value::String(text) => Cell::new(type_of_text(trimmed(&text)), text),
        Value::Array(items) if items.is_empty() => Cell::new(CellType::Text, ""),
        Value::Object(fields) if fields.is_empty() => Cell::new(CellType::Text, ""),
        nested => Cell::new(CellType::Text, nested.to_string()),
    }
}
