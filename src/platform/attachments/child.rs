//! The process in which strangers' files are looked at: our own program, started with the hidden command
//! `inspect-files`.
//!
//! Its standard input is the files, one after the other, its standard output the PDF made of photos, and the last line of
//! its standard error what became of them. It has no other descriptor, an empty environment, and bounds it sets for
//! itself before it reads a byte.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use chrono::NaiveDate;

use super::inspect::inspect;
use crate::platform::bounded::{Limits, bound_self};

/// Bounds this process, looks at the files on standard input, and says what it found on standard error.
///
/// # Errors
/// The bounds could not be set, or nothing could be said: the parent takes what follows for no answer.
pub fn run(limits: Limits, lengths: &[u64], day: NaiveDate) -> io::Result<()> {
    bound_self(limits)?;
    let spool = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let made = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let verdict = inspect(&spool, lengths, day, made);
    let text = serde_json::to_string(&verdict)?;
    io::stderr().write_all(format!("\n{text}\n").as_bytes())
}
