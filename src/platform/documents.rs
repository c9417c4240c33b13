//! Papers: a Typst template and a JSON input become a PDF, always the same bytes.
//!
//! ```text
//!  template (.typ text) ──┐
//!  input (JSON) ──────────┼─> World ─> compile ─> PDF/A-3a + PDF/UA-1
//!  fonts, date, identity ─┘     no network, no clock, no file
//! ```
//! The compiler sees two virtual files, `document.typ` and `input.json` (and those of [`Dress`]), and nothing else: no
//! package, no image, no disk. The date is an argument, so two processes make the same bytes.
//! A warning of the compiler (unknown font, layout that does not settle) is a fault like an
//! error: these papers are signed, none may be almost right.
//!
//! Render on plain threads, never inside a rayon pool: Typst uses rayon itself, and a waiting
//! worker would steal a whole document and grow the stack.

mod dress;
mod faults;

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

pub use dress::{ATTACHED, Dress, Stamp};
pub use faults::{FontFault, Problem, RenderFault};

use crate::kernel::french;

/// Written in the PDF's properties; fixed, so that an update of the compiler does not show.
const CREATOR: &str = "ENT-école, gestion des conventions";

/// The compiler, and how this program uses it. Whatever changes the bytes of a paper changes the last of them; those
/// before stay, since papers were made by them.
const MAKERS: &[&str] = &["typst 0.15.1/1"];

/// The words of a document as they are frozen: each text with the spaces that must not end a line (`french::typeset`).
///
/// # Errors
/// A value that JSON cannot hold.
pub fn frozen<T: Serialize>(paper: &T) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(paper)?;
    set(&mut value);
    Ok(value)
}

/// The same, as the input of a template.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn input<T: Serialize>(paper: &T) -> serde_json::Result<String> {
    serde_json::to_string(&frozen(paper)?)
}

fn set(value: &mut Value) {
    match value {
        Value::String(text) => *text = french::typeset(text),
        Value::Array(items) => items.iter_mut().for_each(set),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, field)| set(field)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text of a template, parsed once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Template {
    name: String,
    source: Source,
}

impl Template {
    /// `name` is only used to speak of the template in faults (a file name, for instance).
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), source: Source::new(virtual_file("document.typ"), text.into()) }
    }

    /// The text it was made from, to be kept with what it printed.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source.text()
    }
}

/// Makes documents. `Send + Sync`: share one in an `Arc`, it is never changed.
pub struct Renderer {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    standards: PdfStandards,
    maker: String,
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renderer").field("fonts", &self.fonts.len()).finish_non_exhaustive()
    }
}

impl Renderer {
    /// The fonts bundled in the program, preceded by those of `font_dir` when there is one.
    ///
    /// # Errors
    /// [`FontFault`] when the folder or one of its font files cannot be read or holds no font.
    pub fn new(font_dir: Option<&Path>) -> Result<Self, FontFault> {
        let mut fonts = match font_dir {
            Some(folder) => read_folder(folder)?,
            None => Vec::new(),
        };
        for data in typst_assets::fonts() {
            fonts.extend(Font::iter(Bytes::new(data)));
        }
        let maker = format!("{}, fonts {}", MAKERS.last().unwrap_or(&""), fingerprint(&fonts));
        Ok(Self {
            maker,
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            standards: standards(),
        })
    }

    /// Compiles `template` with `input` (JSON text) and exports it.
    ///
    /// `date` is the document's date, `ident` what makes it unique (its number): same
    /// template, input, date and identity, same bytes.
    ///
    /// # Errors
    /// [`RenderFault`] with the lines to mend.
    pub fn render(
        &self,
        template: &Template,
        input: &[u8],
        date: NaiveDate,
        ident: &str,
    ) -> Result<Vec<u8>, RenderFault> {
        self.render_dressed(template, input, date, ident, Dress::default())
    }

    /// The same with something put around the template.
    ///
    /// # Errors
    /// [`RenderFault`] with the lines to mend.
    pub fn render_dressed(
        &self,
        template: &Template,
        input: &[u8],
        date: NaiveDate,
        ident: &str,
        dress: Dress<'_>,
    ) -> Result<Vec<u8>, RenderFault> {
        let today = typst_date(date).ok_or(RenderFault::Date(date))?;
        let source = if dress.is_plain() {
            template.source.clone()
        } else {
            Source::new(virtual_file("document.typ"), dress.around(template.text()))
        };
        let read = dress.read(input).map_err(|cause| RenderFault::Input(cause.to_string()))?;
        let stamp = dress.stamp_source().map(|text| Source::new(virtual_file("estampille.typ"), text.to_owned()));
        let desk = Desk { renderer: self, source, stamp, read, input: Bytes::new(input.to_vec()), dress, today };
        let outcome = self.compile_and_export(&desk, template, ident);
        // Without this the compiler's cache keeps every document ever made.
        comemo::evict(0);
        outcome
    }

    fn compile_and_export(&self, desk: &Desk<'_>, template: &Template, ident: &str) -> Result<Vec<u8>, RenderFault> {
        let broken = |remarks: &[SourceDiagnostic]| RenderFault::Template {
            template: template.name.clone(),
            problems: problems(desk, remarks),
        };
        let compiled = typst::compile::<PagedDocument>(desk);
        let document = compiled.output.map_err(|errors| broken(&errors))?;
        if !compiled.warnings.is_empty() {
            return Err(broken(&compiled.warnings));
        }
        if !desk.dress.is_worn(&document) {
            return Err(RenderFault::Stamp { template: template.name.clone() });
        }
        let options = PdfOptions {
            ident: Smart::Custom(ident.to_owned()),
            creator: Smart::Custom(Some(CREATOR.to_owned())),
            timestamp: Some(Timestamp::new_utc(desk.today)),
            page_ranges: None,
            standards: self.standards.clone(),
            tagged: true,
            pretty: false,
        };
        typst_pdf::pdf(&document, &options).map_err(|errors| RenderFault::Standard {
            template: template.name.clone(),
            problems: problems(desk, &errors),
        })
    }

    /// What makes the bytes what they are: the compiler, how it is used, the fonts.
    #[must_use]
    pub fn maker(&self) -> &str {
        &self.maker
    }

    /// Whether this program, today or before, calls itself so.
    #[must_use]
    pub fn is_maker(by: &str) -> bool {
        by.split_once(", fonts ").is_some_and(|(compiler, _)| MAKERS.contains(&compiler))
    }

    /// The first character that no font here can print; a line feed and a space always can.
    ///
    /// Control, invisible and private-use characters are answered too: the first two print
    /// nothing, PDF/A forbids the third.
    #[must_use]
    pub fn unsupported_char(&self, text: &str) -> Option<char> {
        text.chars().find(|&character| character != '\n' && !self.prints(character))
    }

    fn prints(&self, character: char) -> bool {
        let private = matches!(u32::from(character),
            0xE000..=0xF8FF | 0xF_0000..=0xF_FFFD | 0x10_0000..=0x10_FFFD);
        if private || character.is_control() || typst::text::is_default_ignorable(character) {
            return false;
        }
        // Typst falls back from one font to the next, so any of them will do.
        self.fonts.iter().any(|font| font.info().coverage.contains(u32::from(character)))
    }
}

/// What the compiler may look at for one document.
struct Desk<'a> {
    renderer: &'a Renderer,
    source: Source,
    stamp: Option<Source>,
    /// What the template reads, and the bytes it was frozen as.
    read: Bytes,
    input: Bytes,
    dress: Dress<'a>,
    today: Datetime,
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.renderer.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.renderer.book
    }

    fn main(&self) -> FileId {
        self.source.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let sources = [Some(&self.source), self.stamp.as_ref()];
        sources.into_iter().flatten().find(|source| source.id() == id).cloned().ok_or_else(|| not_found(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == virtual_file("input.json") {
            Ok(self.read.clone())
        } else if id == self.source.id() {
            Ok(Bytes::from_string(self.source.text().to_owned()))
        } else {
            self.dress.file(id.vpath().get_without_slash(), &self.input).ok_or_else(|| not_found(id))
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.renderer.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        Some(self.today)
    }
}

/// Short digest of some fonts, in their order.
fn fingerprint(fonts: &[Font]) -> String {
    let mut all = Sha256::new();
    for font in fonts {
        all.update(Sha256::digest(font.data()));
        all.update(font.index().to_le_bytes());
    }
    all.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn not_found(id: FileId) -> FileError {
    FileError::NotFound(PathBuf::from(id.vpath().get_without_slash()))
}

fn virtual_file(name: &'static str) -> FileId {
    #[expect(clippy::expect_used, reason = "Typst's paths are fallible; both names are plain literals of this file")]
    let path = VirtualPath::new(name).expect("a plain file name is a path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

fn standards() -> PdfStandards {
    #[expect(clippy::expect_used, reason = "whether two standards go together does not depend on any input; tested")]
    PdfStandards::new(&[PdfStandard::A_3a, PdfStandard::Ua_1]).expect("A-3a and UA-1 agree")
}

/// Midnight UTC of that day: one convention, whatever the machine's zone.
fn typst_date(date: NaiveDate) -> Option<Datetime> {
    let month = u8::try_from(date.month()).ok()?;
    let day = u8::try_from(date.day()).ok()?;
    (0..=9999).contains(&date.year()).then(|| Datetime::from_ymd_hms(date.year(), month, day, 0, 0, 0))?
}

fn problems(desk: &Desk<'_>, remarks: &[SourceDiagnostic]) -> Vec<Problem> {
    remarks
        .iter()
        .map(|remark| Problem {
            // A remark about the input has a place too, but not in the template.
            line: (remark.span.id() == Some(desk.source.id()))
                .then(|| desk.range(remark.span))
                .flatten()
                .and_then(|range| desk.source.lines().byte_to_line(range.start))
                .map(|line| line + 1),
            message: remark.message.to_string(),
            hints: remark.hints.iter().map(|hint| hint.v.to_string()).collect(),
        })
        .collect()
}

/// The folder's fonts in the order of their names: the order decides between equal faces.
fn read_folder(folder: &Path) -> Result<Vec<Font>, FontFault> {
    let unreadable = |cause| FontFault::Folder { path: folder.to_owned(), cause };
    let mut paths = std::fs::read_dir(folder)
        .map_err(unreadable)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    paths.retain(|path| is_font_name(path));
    paths.sort();
    let mut fonts = Vec::new();
    for path in paths {
        let data = std::fs::read(&path).map_err(|cause| FontFault::File { path: path.clone(), cause })?;
        let before = fonts.len();
        fonts.extend(Font::iter(Bytes::new(data)));
        if fonts.len() == before {
            return Err(FontFault::NotAFont { path });
        }
    }
    if fonts.is_empty() {
        return Err(FontFault::NoFont { path: folder.to_owned() });
    }
    Ok(fonts)
}

fn is_font_name(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| ["ttf", "otf", "ttc", "otc"].iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests;
