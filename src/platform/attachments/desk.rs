//! Where files are looked at before they are kept: by the process apart, then by the house's antivirus.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use chrono::NaiveDate;

use super::codes::{ATTACHMENT_READER_BUSY, ATTACHMENT_REFUSED, SCAN_FAILED};
use super::given::{Given, GivenFile};
use super::inspect::Report;
use super::kinds::{MediaType, Unfit};
use super::scan::{Opinion, Scan, Scanner, alone};
use crate::kernel::{FieldError, Refused};
use crate::platform::bounded::{End, Running, Slots};
use crate::platform::db::blobs::digest;
use crate::platform::db::files::NewFile;
use crate::platform::{Error, Outcome};

/// What looking at one attachment may cost.
#[derive(Debug, Clone)]
pub struct DeskRules {
    /// Of the process apart, beyond what the program itself takes.
    pub memory_bytes: u64,
    /// Of that process.
    pub seconds: u64,
    /// Longest PDF made of photos.
    pub written_bytes: u64,
    /// Attachments looked at at once.
    pub at_once: usize,
    /// How long one more waits for its turn.
    pub waiting: Duration,
    pub scanner: Option<Scanner>,
}

/// Looks at files.
#[derive(Debug, Clone)]
pub struct Desk {
    program: PathBuf,
    rules: DeskRules,
    slots: Slots,
}

/// A file that may be kept.
#[derive(Debug)]
pub struct Piece {
    pub media_type: MediaType,
    /// What the person calls it.
    pub name: Option<String>,
    pub file: NewFile,
}

/// What may be kept of a form.
#[derive(Debug)]
pub struct Examined {
    /// The file given, or the PDF made of the photos.
    pub content: Piece,
    /// The photos that were given, in their order; none when the content is what was given.
    pub sources: Vec<Piece>,
    /// Of what was given, in its order: the same files give the same, whatever is made of them.
    pub given_sha256: String,
    pub scan: Scan,
}

/// What came of looking.
#[derive(Debug)]
pub enum Found {
    Fit(Box<Examined>),
    /// The antivirus refuses one of the files.
    Infected {
        name: Option<String>,
        sha256: String,
        said: String,
    },
}

impl Desk {
    /// `program`: this one.
    #[must_use]
    pub fn new(program: PathBuf, rules: DeskRules) -> Self {
        Self { program, slots: Slots::new(rules.at_once, rules.waiting), rules }
    }

    /// The same by another program, for tests that are none themselves.
    #[must_use]
    pub fn run_by(self, program: PathBuf) -> Self {
        Self { program, ..self }
    }

    /// Looks at what was sent, and writes the day in what it makes of it. Waits for other processes: no transaction may be
    /// open meanwhile.
    ///
    /// # Errors
    /// Why a file is not taken; `attachment_reader_busy`; `scan_failed`.
    pub fn look_at(&self, given: &Given, day: NaiveDate) -> Outcome<Found> {
        let _place = self.slots.enter().map_err(|taken| {
            let detail = format!("{taken} pièces sont déjà en cours d'examen : renvoyer celle-ci dans un instant.");
            Refused::new(&ATTACHMENT_READER_BUSY, detail)
        })?;
        let made = tempfile::tempfile().map_err(disk)?;
        let report = self.inspect(given, day, &made)?;
        let kept = |file: &GivenFile, is: MediaType| -> Outcome<Piece> {
            let stored = NewFile::of(&given.spool, file.begins, file.length, is.as_str()).map_err(disk)?;
            Ok(Piece { media_type: is, name: file.name.clone(), file: stored })
        };
        let mut pieces =
            given.files.iter().zip(&report.files).map(|(file, is)| kept(file, *is)).collect::<Outcome<Vec<_>>>()?;
        let scan = match self.scan(given, &pieces)? {
            Ok(scan) => scan,
            Err(infected) => return Ok(infected),
        };
        let digests: Vec<&str> = pieces.iter().map(|piece| piece.file.sha256.as_str()).collect();
        let given_sha256 =
            if let [one] = digests.as_slice() { (*one).to_owned() } else { digest(digests.join("\n").as_bytes()) };
        let (content, sources) = match report.composed {
            Some(length) => {
                let file = NewFile::of(&made, 0, length, MediaType::Pdf.as_str()).map_err(disk)?;
                (Piece { media_type: MediaType::Pdf, name: None, file }, pieces)
            }
            None => {
                let one = pieces.pop().ok_or_else(|| Error::Incident("a form without a file".into()))?;
                (one, Vec::new())
            }
        };
        Ok(Found::Fit(Box::new(Examined { content, sources, given_sha256, scan })))
    }

    /// Has the files looked at by a process apart, which writes the PDF it makes of photos.
    fn inspect(&self, given: &Given, day: NaiveDate, made: &File) -> Outcome<Report> {
        let lengths: Vec<String> = given.files.iter().map(|file| file.length.to_string()).collect();
        let mut command = Command::new(&self.program);
        command
            .arg0("ent-backoffice")
            .arg("inspect-files")
            .args(["--memory-bytes", &self.rules.memory_bytes.to_string()])
            .args(["--seconds", &self.rules.seconds.to_string()])
            .args(["--written-bytes", &self.rules.written_bytes.to_string()])
            .args(["--day", &day.to_string()])
            .args(lengths)
            .env_clear()
            // The allocator would reserve a gigabyte of addresses ahead, which count here.
            .env("MIMALLOC_ARENA_RESERVE", "0")
            // The PDF's pictures are compressed on as many threads as there are cores, each with its stack.
            .env("RAYON_NUM_THREADS", "1")
            .current_dir("/")
            .stdin(given.spool.try_clone().map_err(disk)?)
            .stdout(made.try_clone().map_err(disk)?);
        let finished = Running::start(&mut command)
            .and_then(|mut running| running.wait_for_end(Duration::from_secs(self.rules.seconds)))
            .map_err(|cause| Error::Incident(format!("inspection of files: {cause}")))?;
        let heavy = |code: &str, bound: String| {
            let message =
                format!("L'examiner coûterait trop ({bound}) : imprimez-le en PDF, et envoyez ce nouveau PDF.");
            Err(refused(given, &Unfit::new(code, message)).into())
        };
        match finished.end() {
            End::Said => match serde_json::from_str::<Result<Report, Unfit>>(finished.last_line()) {
                Ok(Ok(report)) if report.files.len() == given.files.len() => Ok(report),
                Ok(Err(unfit)) => Err(refused(given, &unfit).into()),
                _ => Err(Error::Incident(format!("inspection of files: {}", finished.told()))),
            },
            End::Memory => heavy("memory_bound", format!("{} Mo de mémoire", self.rules.memory_bytes / 1_000_000)),
            End::Time => heavy("time_bound", format!("{} secondes", self.rules.seconds)),
            End::Written => heavy("size_bound", format!("{} Mio réunis", self.rules.written_bytes / 1_048_576)),
            End::Broke => {
                tracing::warn!(status = %finished.status, "a file made its inspection fail");
                let message = "Le fichier est abîmé : ouvrez-le, imprimez-le en PDF, et envoyez ce nouveau PDF.";
                Err(refused(given, &Unfit::new("damaged", message)).into())
            }
            End::Other => Err(Error::Incident(format!("inspection of files: {}", finished.told()))),
        }
    }

    /// Shows each file that was given to the antivirus.
    fn scan(&self, given: &Given, pieces: &[Piece]) -> Outcome<Result<Scan, Found>> {
        let Some(scanner) = &self.rules.scanner else { return Ok(Ok(Scan::None)) };
        let begun = Instant::now();
        for (file, piece) in given.files.iter().zip(pieces) {
            let left = scanner.patience.saturating_sub(begun.elapsed());
            match scanner.look_at(alone(&given.spool, file.begins, file.length).map_err(disk)?, left)? {
                Opinion::Clean => {}
                Opinion::Infected(said) => {
                    let (name, sha256) = (file.name.clone(), piece.file.sha256.clone());
                    return Ok(Err(Found::Infected { name, sha256, said }));
                }
                Opinion::Silent(cause) => {
                    tracing::error!(%cause, "the antivirus did not answer");
                    let detail = "L'antivirus de la maison n'a pas répondu ; rien n'a été gardé. Renvoyer la pièce.";
                    return Err(Refused::new(&SCAN_FAILED, detail).into());
                }
            }
        }
        Ok(Ok(Scan::Clean))
    }
}

fn disk(cause: io::Error) -> Error {
    Error::temporary_file(&cause)
}

/// The refusal of a file, named as its sender knows it.
fn refused(given: &Given, unfit: &Unfit) -> Refused {
    let name = given.files.get(unfit.file).and_then(|file| file.name.clone());
    let called = name.as_ref().map_or_else(|| format!("Fichier n° {}", unfit.file + 1), |name| format!("« {name} »"));
    let mut refused = Refused::new(&ATTACHMENT_REFUSED, format!("{called} : {}", unfit.message));
    refused.errors.push(FieldError {
        pointer: format!("file/{}", unfit.file),
        code: unfit.code.clone(),
        message: unfit.message.clone(),
        value: name,
    });
    refused
}
