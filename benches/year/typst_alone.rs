//! Bare Typst: a process that only makes documents, from inputs given in a file, on plain threads.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};
use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::measure::{memory, process_cpu};

/// What is to be made.
#[derive(Serialize, Deserialize)]
pub struct Order {
    pub template: String,
    /// Input, date, identity.
    pub documents: Vec<(String, NaiveDate, String)>,
}

/// What it took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Made {
    pub seconds: f64,
    pub cpu_seconds: f64,
    pub peak_kib: u64,
}

struct Desk<'a> {
    library: &'a LazyHash<Library>,
    book: &'a LazyHash<FontBook>,
    fonts: &'a [Font],
    source: Source,
    input: Bytes,
    today: Datetime,
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        self.library
    }
    fn book(&self) -> &LazyHash<FontBook> {
        self.book
    }
    fn main(&self) -> FileId {
        self.source.id()
    }
    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.source.id() { Ok(self.source.clone()) } else { Err(FileError::NotFound(PathBuf::new())) }
    }
    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == file("input.json") { Ok(self.input.clone()) } else { Err(FileError::NotFound(PathBuf::new())) }
    }
    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }
    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        Some(self.today)
    }
}

fn file(name: &str) -> FileId {
    RootedPath::new(VirtualRoot::Project, VirtualPath::new(name).unwrap()).intern()
}

/// The life of the process: makes what the file orders, says on standard output what it took.
pub fn serve(order: &Path, threads: usize) {
    let order: Order = serde_json::from_slice(&std::fs::read(order).unwrap()).unwrap();
    let fonts: Vec<Font> = typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect();
    let book = LazyHash::new(FontBook::from_fonts(&fonts));
    let library = LazyHash::new(Library::default());
    let source = Source::new(file("document.typ"), order.template.clone());
    let standards = PdfStandards::new(&[PdfStandard::A_3a, PdfStandard::Ua_1]).unwrap();
    let (waiting, bytes) = (Mutex::new(order.documents.iter()), AtomicUsize::new(0));
    let pid = std::process::id();
    let (since, cpu) = (Instant::now(), process_cpu(pid));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some((input, date, ident)) = next else { break };
                    let (month, day) = (date.month().try_into().unwrap(), date.day().try_into().unwrap());
                    let today = Datetime::from_ymd_hms(date.year(), month, day, 0, 0, 0).unwrap();
                    let desk = Desk {
                        library: &library,
                        book: &book,
                        fonts: &fonts,
                        source: source.clone(),
                        input: Bytes::from_string(input.clone()),
                        today,
                    };
                    let document = typst::compile::<PagedDocument>(&desk).output.unwrap();
                    let options = PdfOptions {
                        ident: Smart::Custom(ident.clone()),
                        creator: Smart::Auto,
                        timestamp: Some(Timestamp::new_utc(today)),
                        page_ranges: None,
                        standards: standards.clone(),
                        tagged: true,
                        pretty: false,
                    };
                    bytes.fetch_add(typst_pdf::pdf(&document, &options).unwrap().len(), Ordering::Relaxed);
                    drop(document);
                    comemo::evict(0);
                }
            });
        }
    });
    let made = Made {
        seconds: since.elapsed().as_secs_f64(),
        cpu_seconds: (process_cpu(pid) - cpu).as_secs_f64(),
        peak_kib: memory(pid, "VmHWM"),
    };
    assert!(bytes.into_inner() > 10_000 * order.documents.len(), "these are no documents");
    println!("{}", serde_json::to_string(&made).unwrap());
}
