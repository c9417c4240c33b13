//! Who has a file read in a process apart, and waits for it.
//!
//! ```text
//!   file ─stdin─▶ ┌──────────────────┐ ─stdout─▶ rows (a file without a name)
//!                 │ read-table       │
//!   bounds ─────▶ │ memory, time…    │ ─stderr─▶ what became of it: columns and count, or the fault
//!                 └──────────────────┘
//!        ends by itself · by a signal of its bounds · killed when its time is over ─▶ which bound was met
//! ```
//! How such a process is bounded and waited for: [`crate::platform::bounded`].

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::child::Bounds;
use super::codes::FILE_READER_BUSY;
use super::sheet::Summary;
use super::{FileFault, Layout, Table};
use crate::kernel::Refused;
use crate::platform::Error;
use crate::platform::bounded::{End, Finished, Place, Running, Slots};

/// Has files read, some at once.
#[derive(Debug, Clone)]
pub struct FileReader {
    program: PathBuf,
    bounds: Bounds,
    slots: Slots,
}

impl FileReader {
    /// `program`: this one.
    #[must_use]
    pub fn new(program: PathBuf, bounds: Bounds, at_once: usize) -> Self {
        Self { program, bounds, slots: Slots::new(at_once, Duration::ZERO) }
    }

    /// The same by another program, for tests that are none themselves.
    #[must_use]
    pub fn run_by(self, program: PathBuf) -> Self {
        Self { program, ..self }
    }

    /// Reads a whole file, of one of the sorts that come through the door of `layout`; blocks until its reader has ended.
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
            .stdout(spill.try_clone().map_err(incident)?);
        let finished = Running::start(&mut command)
            .and_then(|mut running| running.wait_for_end(Duration::from_secs(self.bounds.seconds)))
            .map_err(incident)?;
        let table = match self.verdict(&finished) {
            Some(Ok(summary)) => Table::told(spill, layout, summary),
            Some(Err(fault)) => return Err(fault.into()),
            None => None,
        };
        table.ok_or_else(|| Error::Incident(format!("file reader: {}", finished.told())))
    }

    fn enter(&self) -> Result<Place, Refused> {
        self.slots.enter().map_err(|taken| {
            let detail = format!("{taken} fichiers sont déjà en cours de lecture : renvoyer celui-ci dans un instant.");
            Refused::new(&FILE_READER_BUSY, detail)
        })
    }

    /// What a reader's end means; none when it is not one of those that a file can bring about.
    fn verdict(&self, finished: &Finished) -> Option<Result<Summary, FileFault>> {
        let met = |code, bound: String| Some(Err(FileFault::too_heavy(code, bound)));
        match finished.end() {
            End::Said => serde_json::from_str(finished.last_line()).ok(),
            End::Memory => met(
                "memory_bound",
                format!("{} Mo de mémoire au plus pour le lire", self.bounds.memory_bytes / 1_000_000),
            ),
            End::Time => met("time_bound", format!("{} secondes au plus pour le lire", self.bounds.seconds)),
            End::Written => met("text_bound", "100 Mo de texte au plus dans les colonnes lues".to_owned()),
            End::Broke => {
                tracing::warn!(status = %finished.status, "a file made its reader fail");
                Some(Err(FileFault::unreadable_workbook()))
            }
            End::Other => None,
        }
    }
}
