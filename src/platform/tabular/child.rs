//! The process in which a stranger's file is read: our own program, started with the hidden command `read-table`.
//!
//! Its standard input is the file, its standard output the file of rows, and the last line of its standard error what
//! became of it. It has no other descriptor, an empty environment, and bounds it sets for itself before it reads a byte:
//! memory, processor time, length of what it writes, no core. Whatever a file makes it do, it can only end.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};

use super::{Layout, limits, reading};

/// What one file may cost its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Beyond what the program itself takes.
    pub memory_bytes: u64,
    pub seconds: u64,
    /// Rows under the header.
    pub rows: u64,
}

/// Descriptors it may have: three, and what the system's libraries open for a moment.
const DESCRIPTORS: u64 = 16;

/// Bounds this process, reads the file on standard input, and says what became of it on standard error.
///
/// # Errors
/// The bounds could not be set, or nothing could be said: the parent takes what follows for no answer.
pub fn run(layout: &'static Layout, bounds: Bounds) -> io::Result<()> {
    // Nobody waits for what is read once who asked is gone.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    bound(Resource::Core, 0)?;
    bound(Resource::Nofile, DESCRIPTORS)?;
    bound(Resource::Fsize, limits::TEXT_BYTES.saturating_mul(2))?;
    bound(Resource::Cpu, bounds.seconds)?;
    bound(Resource::As, address_space()?.saturating_add(bounds.memory_bytes))?;
    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let rows = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let verdict = reading::read(file, layout, bounds.rows, rows);
    let text = serde_json::to_string(&verdict)?;
    io::stderr().write_all(format!("\n{text}\n").as_bytes())
}

/// Sets a bound that nothing lifts again; one that stood lower stays.
fn bound(resource: Resource, most: u64) -> io::Result<()> {
    let within = |most: u64| getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
    // The signal of processor time used up comes a second before the one that does not say why.
    let last = if resource == Resource::Cpu { most.saturating_add(1) } else { most };
    Ok(setrlimit(resource, Rlimit { current: Some(within(most)), maximum: Some(within(last)) })?)
}

/// Addresses in use, of which the program's own code and fonts are the most.
fn address_space() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB")?.parse().ok());
    let kilobytes: u64 = size.ok_or(io::ErrorKind::InvalidData)?;
    Ok(kilobytes.saturating_mul(1_024))
}
