//! The making of a paper, by its job or by the first who asks, and the check of what somebody else stored.
//!
//! ```text
//!   asked  pending: make, keep, serve      ready: serve; never checked: make, compare first
//!   job    pending: make, keep             ready: make, compare, always: who stored it was perhaps not this program
//! ```
//! Bytes are compared only with those of the same compiler and fonts ([`Renderer::maker`]). A paper kept by others is not
//! taken on trust: the job says so and is given up, for a person to look at.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::kind::{DocumentStatus, FIRST, Kind, Sheet};
use super::store::{self, BEFORE, Key, Row};
use crate::kernel::Refused;
use crate::platform::db::{Database, blobs};
use crate::platform::documents::{Dress, Renderer, Stamp, Template};
use crate::platform::error::{Error, Outcome};
use crate::platform::jobs::{About, Handlers, Job, JobError, Queue};

/// Longest cause noted.
const CAUSE: usize = 2000;

/// Where papers are made: every kind of them, and what composes them.
pub struct Press {
    renderer: Arc<Renderer>,
    kinds: Vec<&'static Kind>,
}

impl Press {
    fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds.iter().copied().find(|kind| kind.name == name)
    }
}

/// Makes a paper, or makes it again to compare it with what somebody else stored.
#[derive(Serialize, Deserialize)]
pub struct RenderPaper {
    kind: String,
    subject: String,
    version: i64,
}

impl RenderPaper {
    pub(super) fn of(kind: &Kind, subject: &str) -> Self {
        Self { kind: kind.name.to_owned(), subject: subject.to_owned(), version: FIRST }
    }
}

impl Job for RenderPaper {
    type World = Press;
    const KIND: &'static str = "papers.render";
    const QUEUE: Queue = Queue::Papers;

    fn dedup_key(&self) -> Option<String> {
        Some(format!("{}:{}:{}", self.kind, self.subject, self.version))
    }

    fn about(&self, press: &Press) -> Option<About> {
        Some(About { kind: press.kind(&self.kind)?.subject, key: self.subject.clone() })
    }

    fn run(&self, db: &Database, press: &Press) -> Result<(), JobError> {
        let renderer = &press.renderer;
        let kind =
            press.kind(&self.kind).ok_or_else(|| JobError::GiveUp(format!("no paper is called « {} »", self.kind)))?;
        run(&Desk { db, renderer, key: Key { kind, subject: &self.subject, version: self.version } })
    }
}

/// Registers the job of every kind of paper.
#[must_use]
pub fn handlers(handlers: Handlers, renderer: Arc<Renderer>, kinds: Vec<&'static Kind>) -> Handlers {
    handlers.with::<RenderPaper>(Press { renderer, kinds })
}

/// A paper as served.
#[derive(Debug, Clone)]
pub struct Served {
    pub file_name: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// The paper of a subject as it was frozen: the stored bytes, made now if they are not yet.
///
/// # Errors
/// What the room refuses; the refusal of its kind when the template does not compose; something falsified.
pub fn serve(db: &Database, renderer: &Renderer, kind: &Kind, subject: &str) -> Outcome<Served> {
    match serve_or_stamp(db, renderer, kind, subject, true)? {
        Answer::Kept(served) => Ok(served),
        Answer::ToStamp(paper) => paper.make(renderer),
    }
}

/// The paper as it was frozen, or what is needed to stamp it.
pub(super) enum Answer {
    Kept(Served),
    ToStamp(Box<ToStamp>),
}

/// A paper that bears a stamp, still to be made.
pub(super) struct ToStamp {
    kind: &'static str,
    refused: Refused,
    template: Template,
    found: Found,
    stamp: Stamp,
}

impl ToStamp {
    /// Renders what was frozen with the stamp over each page.
    pub(super) fn make(&self, renderer: &Renderer) -> Outcome<Served> {
        let (sheet, stamp) = (&self.found.sheet, &self.stamp);
        let dress = Dress { attached: self.found.row.attached, stamp: Some(stamp) };
        let name = format!("{}-{}", sheet.number, stamp.mark);
        let input = self.found.row.input.as_bytes();
        let made = renderer.render_dressed(&self.template, input, sheet.dated, &name, dress).map_err(|fault| {
            tracing::error!(kind = self.kind, number = %sheet.number, %fault, "a stamped paper does not compose");
            self.refused.clone()
        })?;
        Ok(Served { file_name: format!("{name}.pdf"), sha256: blobs::digest(&made), bytes: made })
    }
}

/// What is served of a paper: as it was frozen, or stamped when it is no longer what it says, unless `original`.
pub(super) fn serve_or_stamp(
    db: &Database,
    renderer: &Renderer,
    kind: &Kind,
    subject: &str,
    original: bool,
) -> Outcome<Answer> {
    let desk = Desk { db, renderer, key: Key { kind, subject, version: FIRST } };
    let found = desk.open()?;
    if let (false, Some(stamp)) = (original, found.sheet.stamp.clone()) {
        let (template, refused) = (desk.template(&found)?, kind.does_not_compose());
        return Ok(Answer::ToStamp(Box::new(ToStamp { kind: kind.name, refused, template, found, stamp })));
    }
    let (sha256, bytes) = match &found.kept {
        None => desk.keep(&found)?,
        Some(kept) => {
            if found.row.checked_at.is_none() && desk.is_comparable(&found.row) {
                desk.compare(&found, &kept.0)?;
            } else if !desk.is_known(&found.row) {
                return desk.falsified(&found.sheet);
            }
            kept.clone()
        }
    };
    Ok(Answer::Kept(Served { file_name: format!("{}.pdf", found.sheet.number), sha256, bytes }))
}

fn run(desk: &Desk<'_>) -> Result<(), JobError> {
    let found = desk.open()?;
    match &found.kept {
        None => {
            desk.keep(&found)?;
            desk.check()?;
        }
        Some((sha256, _)) if desk.is_comparable(&found.row) => desk.compare(&found, sha256)?,
        Some(_) if !desk.is_known(&found.row) => desk.falsified(&found.sheet)?,
        Some(_) if found.row.made_by.as_deref() == Some(BEFORE) => {}
        Some(_) => {
            let by = found.row.made_by.as_deref().unwrap_or_default();
            return Err(JobError::GiveUp(format!("made by « {by} »: cannot be compared with what its input makes")));
        }
    }
    Ok(())
}

/// One paper in hand.
struct Desk<'a> {
    db: &'a Database,
    renderer: &'a Renderer,
    key: Key<'a>,
}

/// What is stored of it, once its room has found it to be what was frozen.
struct Found {
    sheet: Sheet,
    row: Row,
    template: Vec<u8>,
    kept: Option<(String, Vec<u8>)>,
}

impl Desk<'_> {
    fn open(&self) -> Outcome<Found> {
        let Key { kind, subject, .. } = self.key;
        self.db.read(|tx| {
            let sheet = (kind.look)(tx, subject)?;
            let about = |e: Error| e.about(kind.subject, &sheet.number);
            let row = store::find(tx, self.key)?.ok_or_else(|| {
                Error::falsified(kind.subject, &sheet.number, "ce que le document imprime n'est plus dans la base")
            })?;
            if row.input_sha256.as_ref().is_some_and(|kept| blobs::digest(row.input.as_bytes()) != *kept) {
                return Err(Error::falsified(
                    kind.subject,
                    &sheet.number,
                    "ce que le document imprime n'a plus son empreinte",
                ));
            }
            let kept = match (&row.status, &row.sha256) {
                (DocumentStatus::Falsified, _) => {
                    return Err(Error::falsified(kind.subject, &sheet.number, NOT_OURS));
                }
                (_, Some(sha256)) => Some((sha256.clone(), blobs::get(tx, sha256).map_err(about)?)),
                (_, None) => None,
            };
            let template = blobs::get(tx, &row.template_sha256).map_err(about)?;
            Ok(Found { sheet, row, template, kept })
        })
    }

    fn template(&self, found: &Found) -> Outcome<Template> {
        let text = String::from_utf8(found.template.clone());
        let text = text.map_err(|e| Error::Incident(format!("template: {e}")))?;
        Ok(Template::new(self.key.kind.file, text))
    }

    /// Renders it from what was frozen.
    fn make(&self, found: &Found) -> Outcome<Vec<u8>> {
        let template = self.template(found)?;
        let (input, sheet) = (found.row.input.as_bytes(), &found.sheet);
        let dress = Dress { attached: found.row.attached, stamp: None };
        let made = self.renderer.render_dressed(&template, input, sheet.dated, &sheet.number, dress);
        made.map_err(|fault| {
            let (kind, number) = (self.key.kind.name, &found.sheet.number);
            tracing::error!(kind, %number, %fault, "a paper does not compose");
            let cause: String = fault.to_string().chars().take(CAUSE).collect();
            let noted = self.db.write(|tx| {
                if store::fail(tx, self.key, &cause)? { (self.key.kind.moved)(tx, self.key.subject) } else { Ok(()) }
            });
            noted.err().unwrap_or_else(|| Refused::into(self.key.kind.does_not_compose()))
        })
    }

    /// Makes it and keeps it; when others came first, what they kept is the paper, if it is the same.
    fn keep(&self, found: &Found) -> Outcome<(String, Vec<u8>)> {
        let bytes = self.make(found)?;
        let sha256 = self.db.write(|tx| {
            let sha256 = blobs::put(tx, "application/pdf", &bytes)?;
            if store::keep(tx, self.key, &sha256, self.renderer.maker())? {
                (self.key.kind.moved)(tx, self.key.subject)?;
                return Ok(sha256);
            }
            let row = store::find(tx, self.key)?;
            row.and_then(|row| row.sha256).ok_or_else(|| Error::Incident("a paper kept by others has no digest".into()))
        })?;
        if sha256 == blobs::digest(&bytes) { Ok((sha256, bytes)) } else { self.falsified(&found.sheet) }
    }

    fn check(&self) -> Outcome<()> {
        self.db.write(|tx| store::check(tx, self.key))
    }

    /// Whether the same compiler and fonts made what is kept.
    fn is_comparable(&self, row: &Row) -> bool {
        row.made_by.as_deref() == Some(self.renderer.maker())
    }

    /// Whether what is kept may be this program's, at another time or with other fonts.
    fn is_known(&self, row: &Row) -> bool {
        row.made_by.as_deref().is_some_and(|by| by == BEFORE || Renderer::is_maker(by))
    }

    /// Makes it again, and compares with what is kept.
    fn compare(&self, found: &Found, kept: &str) -> Outcome<()> {
        let bytes = self.make(found)?;
        if blobs::digest(&bytes) != kept {
            return self.falsified(&found.sheet);
        }
        if found.row.checked_at.is_none() { self.check() } else { Ok(()) }
    }

    /// Notes that what is kept is not ours, and raises the alarm.
    fn falsified<T>(&self, sheet: &Sheet) -> Outcome<T> {
        let Key { kind, subject, .. } = self.key;
        self.db.write(|tx| if store::falsify(tx, self.key)? { (kind.moved)(tx, subject) } else { Ok(()) })?;
        self.db.read(|_| Err(Error::falsified(kind.subject, &sheet.number, NOT_OURS)))
    }
}

const NOT_OURS: &str = "le document conservé n'est pas celui que donne ce qui a été figé";
