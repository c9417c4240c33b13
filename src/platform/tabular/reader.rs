//! Who has a file read in a process apart, and waits for it.
//!
//! ```text
//!   file ─stdin─▶ ┌──────────────────┐ ─stdout─▶ rows (a file without a name)
//!                 │ read-table       │
//!   bounds ─────▶ │ memory, time…    │ ─stderr─▶ what became of it: columns and count, or the fault
//!                 └──────────────────┘
//!        ends by itself · by a signal of its bounds · killed when its time is over ─▶ which bound was met
//! ```
//! A reader of workbooks believes what they claim: one kilobyte may ask for gigabytes, and an allocation that fails ends
//! the process it happens in. Here that is a process of which nothing is lost.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::child::Bounds;
use super::codes::FILE_READER_BUSY;
use super::sheet::Summary;
use super::{FileFault, Layout, Table};
use crate::kernel::Refused;
use crate::platform::Error;

/// Most bytes of what a reader says; twenty cells shown take a tenth.
const VERDICT_BYTES: u64 = 64 * 1024;
/// Given to a reader that has used its processor time before it is killed for good.
const GRACE: Duration = Duration::from_millis(500);

/// Has files read, some at once.
#[derive(Debug, Clone)]
pub struct FileReader {
    program: PathBuf,
    bounds: Bounds,
    at_once: usize,
    reading: Arc<Mutex<usize>>,
}

impl FileReader {
    /// `program`: this one.
    #[must_use]
    pub fn new(program: PathBuf, bounds: Bounds, at_once: usize) -> Self {
        Self { program, bounds, at_once, reading: Arc::default() }
    }

    /// The same by another program, for tests that are none themselves.
    #[must_use]
    pub fn run_by(self, program: PathBuf) -> Self {
        Self { program, ..self }
    }

    /// Reads a whole file; blocks until its reader has ended.
    ///
    /// # Errors
    /// `file_reader_busy`; what makes the file unfit, or the bound it met.
    pub fn read(&self, file: File, layout: &'static Layout) -> Result<Table, Error> {
        let _place = self.enter()?;
        let incident = |cause: io::Error| Error::Incident(format!("file reader: {cause}"));
        let spill = tempfile::tempfile().map_err(incident)?;
        let mut command = Command::new(&self.program);
        command
            .arg0("ent-backoffice")
            .args(["read-table", layout.name])
            .args(["--memory-bytes", &self.bounds.memory_bytes.to_string()])
            .args(["--seconds", &self.bounds.seconds.to_string()])
            .args(["--rows", &self.bounds.rows.to_string()])
            .env_clear()
            // The allocator would reserve a gigabyte of addresses ahead, which count here.
            .env("MIMALLOC_ARENA_RESERVE", "0")
            .current_dir("/")
            .stdin(file)
            .stdout(spill.try_clone().map_err(incident)?)
            .stderr(Stdio::piped());
        let mut running = Running(command.spawn().map_err(incident)?);
        let (status, said, late) = running.wait_for_end(Duration::from_secs(self.bounds.seconds)).map_err(incident)?;
        match self.verdict(status, &said, late) {
            Some(Ok(Summary { present, rows })) if present.len() == layout.columns.len() => {
                Ok(Table::new(spill, layout, present, rows))
            }
            Some(Err(fault)) => Err(fault.into()),
            _ => {
                Err(Error::Incident(format!("file reader: {status}, {:?}", said.chars().take(400).collect::<String>())))
            }
        }
    }

    fn enter(&self) -> Result<Place, Refused> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if *reading >= self.at_once {
            let detail =
                format!("{} fichiers sont déjà en cours de lecture : renvoyer celui-ci dans un instant.", *reading);
            return Err(Refused::new(&FILE_READER_BUSY, detail));
        }
        *reading += 1;
        Ok(Place(Arc::clone(&self.reading)))
    }

    /// What a reader's end means; none when it is not one of those that a file can bring about.
    fn verdict(&self, status: ExitStatus, said: &str, late: bool) -> Option<Result<Summary, FileFault>> {
        let met = |code, bound: String| Some(Err(FileFault::too_heavy(code, bound)));
        let memory = || {
            met("memory_bound", format!("{} Mo de mémoire au plus pour le lire", self.bounds.memory_bytes / 1_000_000))
        };
        let time = || met("time_bound", format!("{} secondes au plus pour le lire", self.bounds.seconds));
        match (status.code(), status.signal().and_then(Signal::from_named_raw)) {
            _ if late => time(),
            (Some(0), _) => serde_json::from_str(said.lines().last()?).ok(),
            (_, Some(Signal::XCPU)) => time(),
            (_, Some(Signal::XFSZ)) => met("text_bound", "100 Mo de texte au plus dans les colonnes lues".to_owned()),
            (_, Some(Signal::ABORT)) if said.contains("memory allocation") => memory(),
            // Killed, and not by us: the system had no memory left for it.
            (_, Some(Signal::KILL)) => memory(),
            // A panic, or worse, in what reads workbooks.
            (Some(101), _) | (_, Some(Signal::ABORT | Signal::SEGV | Signal::BUS | Signal::ILL | Signal::FPE)) => {
                tracing::warn!(%status, "a file made its reader fail");
                Some(Err(FileFault::unreadable_workbook()))
            }
            _ => None,
        }
    }
}

/// One of those that read at once.
struct Place(Arc<Mutex<usize>>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *reading = reading.saturating_sub(1);
    }
}

/// A reader that does not outlive who waits for it.
struct Running(Child);

impl Running {
    /// Its end, what it said, and whether it had to be killed for being late.
    fn wait_for_end(&mut self, most: Duration) -> io::Result<(ExitStatus, String, bool)> {
        let pid = Pid::from_child(&self.0);
        let stderr = self.0.stderr.take();
        let mut said = Vec::new();
        let late = std::thread::scope(|scope| {
            let (ended, end) = mpsc::channel::<()>();
            // It is waited for below, and only then: until then its number is nobody else's.
            let watch = scope.spawn(move || {
                let late = end.recv_timeout(most + GRACE) == Err(RecvTimeoutError::Timeout);
                if late {
                    let _ = kill_process(pid, Signal::KILL);
                }
                late
            });
            // The pipe ends with the process, which alone holds its other end.
            let read = stderr.map_or(Ok(0), |pipe| pipe.take(VERDICT_BYTES).read_to_end(&mut said));
            drop(ended);
            read.map(|_| watch.join().unwrap_or_default())
        })?;
        if u64::try_from(said.len()).unwrap_or(u64::MAX) >= VERDICT_BYTES {
            self.0.kill()?;
        }
        Ok((self.0.wait()?, String::from_utf8_lossy(&said).into_owned(), late))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both do nothing once it was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
