//! Reads a file from its first byte to its last and writes its rows as they come: what the child process does.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write};

use super::fault::FileFault;
use super::sheet::{Sheet, Summary};
use super::spec::Layout;
use super::{delimited, objects, workbook};

/// Reads and checks a whole file; the rows written are worth nothing if this fails.
///
/// # Errors
/// What makes the file unfit, with the cells at fault: see the codes of [`FileFault`].
pub(super) fn read(
    mut file: File,
    layout: &'static Layout,
    most_rows: u64,
    out: impl Write,
) -> Result<Summary, FileFault> {
    let mut head = Vec::new();
    let start = file.rewind().and_then(|()| (&file).take(64).read_to_end(&mut head)).and_then(|_| file.rewind());
    start.map_err(|error| FileFault::unreadable(&error))?;
    if head.is_empty() {
        return Err(FileFault::empty());
    }
    let sheet = Sheet::new(layout, most_rows, out);
    if head.starts_with(b"PK") {
        return workbook::read(file, sheet);
    }
    match (layout.told_by_objects(), objects::begin(&head)) {
        (Some(sort), Some(shape)) => objects::read(&file, shape, sort, sheet),
        _ => delimited::read(file, sheet),
    }
}
