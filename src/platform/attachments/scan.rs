//! The house's antivirus: a command that reads a file on its standard input and ends with what it thinks of it.
//!
//! ```text
//!   no command ─▶ taken, `scan: none` said      0 ─▶ `clean`      1 ─▶ refused, journaled (clamdscan's word for a find)
//!   anything else, a signal, no answer in time ─▶ 503, nothing is kept
//! ```
//! What could not be looked at is not kept: whoever sent it still has it, and a file kept for later would have to be hidden
//! from those who may read everything else.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::time::Duration;

use crate::platform::Error;
use crate::platform::bounded::Running;
use crate::text_enum;

text_enum!(
    /// Ce que l'antivirus a dit : `none`, aucun n'est configuré ; `clean`, il n'a rien trouvé.
    Scan { None => "none", Clean => "clean" }
);

/// Most characters kept of what it says.
const SAID: usize = 200;
/// Most bytes of it that are looked at.
const SAID_BYTES: u64 = 4_096;

/// The command, and how long it may take for all the files of one attachment.
#[derive(Debug, Clone)]
pub struct Scanner {
    pub program: String,
    pub arguments: Vec<String>,
    pub patience: Duration,
}

/// What it thinks of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opinion {
    Clean,
    /// Its words, on one line.
    Infected(String),
    /// It did not answer: for the technical log.
    Silent(String),
}

impl Scanner {
    /// Shows it a file, from its first byte, and waits as long as is left.
    ///
    /// # Errors
    /// Our own: no temporary file.
    pub fn look_at(&self, file: File, patience: Duration) -> Result<Opinion, Error> {
        let disk = |cause: io::Error| Error::temporary_file(&cause);
        let mut out = tempfile::tempfile().map_err(disk)?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin")
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(file)
            .stdout(out.try_clone().map_err(disk)?);
        let ended = Running::start(&mut command).and_then(|mut running| running.wait_for_end(patience));
        let finished = match ended {
            Ok(finished) => finished,
            Err(cause) => return Ok(Opinion::Silent(format!("{} : {cause}", self.program))),
        };
        match finished.status.code() {
            _ if finished.late => Ok(Opinion::Silent(format!("no answer in {} s", self.patience.as_secs()))),
            Some(0) => Ok(Opinion::Clean),
            Some(1) => {
                let mut said = Vec::new();
                out.rewind().and_then(|()| out.take(SAID_BYTES).read_to_end(&mut said)).map_err(disk)?;
                said.extend_from_slice(b" ");
                said.extend_from_slice(finished.said.as_bytes());
                Ok(Opinion::Infected(one_line(&String::from_utf8_lossy(&said))))
            }
            _ => Ok(Opinion::Silent(finished.told())),
        }
    }
}

fn one_line(said: &str) -> String {
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().map(|c| if crate::kernel::text::printable(c) { c } else { '_' }).take(SAID).collect()
}

/// A part of a file as a file of its own, at its first byte.
///
/// # Errors
/// The file system's own.
pub fn alone(source: &File, begins: u64, length: u64) -> io::Result<File> {
    let mut copy = tempfile::tempfile()?;
    let mut buffer = vec![0; 65_536];
    let mut at = 0;
    while at < length {
        let size = usize::try_from(length - at).unwrap_or(usize::MAX).min(buffer.len());
        let slice = buffer.get_mut(..size).unwrap_or_default();
        source.read_exact_at(slice, begins + at)?;
        copy.write_all(slice)?;
        at += u64::try_from(size).unwrap_or(u64::MAX);
    }
    copy.rewind()?;
    Ok(copy)
}
