//! The process in which a stranger's file is read: our own program, started with the hidden command `read-table`.
//!
//! Its standard input is the file, its standard output the file of rows, and the last line of its standard error what
//! became of it. It has no other descriptor, an empty environment, and bounds it sets for itself before it reads a byte:
//! memory, processor time, length of what it writes, no core. Whatever a file makes it do, it can only end.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use super::{Layout, limits, reading};
use crate::platform::bounded::{Limits, bound_self};

/// What one file may cost its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Beyond what the program itself takes.
    pub memory_bytes: u64,
    pub seconds: u64,
    /// Rows under the header.
    pub rows: u64,
}

/// Bounds this process, reads the file on standard input, and says what became of it on standard error.
///
/// # Errors
/// The bounds could not be set, or nothing could be said: the parent takes what follows for no answer.
pub fn run(layout: &'static Layout, bounds: Bounds) -> io::Result<()> {
    let written_bytes = limits::TEXT_BYTES.saturating_mul(2);
    bound_self(Limits { memory_bytes: bounds.memory_bytes, seconds: bounds.seconds, written_bytes })?;
    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let rows = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let verdict = reading::read(file, layout, bounds.rows, rows);
    let text = serde_json::to_string(&verdict)?;
    io::stderr().write_all(format!("\n{text}\n").as_bytes())
}
