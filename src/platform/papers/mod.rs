//! Papers, once: what one is made of is frozen by the act that causes it; the first bytes made are kept and served ever
//! after.
//!
//! ```text
//!   act ──freeze──▶ pending ──job, or the first who asks──▶ ready (bytes, digest, made by) ──▶ served, checked
//!                      │                                       │
//!                      └── does not compose ──▶ failed ──▶ …    └── is not what the input makes ──▶ falsified, for good
//! ```
//! What is no longer what it says (withdrawn, cancelled, revoked) is made from the same input with a stamp over each page,
//! when it is asked, and not kept; the original stays, for who asks for it by name.
//!
//! A room declares a [`Kind`]: its template, what it checks before a paper is shown, what moves when one is made. It gives
//! an input per subject to [`freeze`]; the rest is done here. The job makes each paper again when somebody else stored it
//! first, and compares: another program that writes bytes of its own in the place of a pending paper is found out.

mod http;
mod making;
mod store;

use std::collections::HashMap;
use std::path::Path;

use chrono::NaiveDate;

pub use http::{OriginalQuery, answer};
pub use making::{RenderPaper, Served, handlers, serve};
pub use store::{Frozen, State, frozen, states};

use super::db::{Tx, blobs};
use super::documents::{Stamp, Template};
use super::error::Outcome;
use super::jobs;
use crate::kernel::ProblemCode;
use crate::text_enum;

text_enum!(
    /// Où en est un document : à produire, produit, modèle défaillant, ou contenu altéré (jamais servi).
    DocumentStatus { Pending => "pending", Ready => "ready", Failed => "failed", Falsified => "falsified" }
);

/// The only version there is until an act can change what a paper says.
const FIRST: i64 = 1;

/// A kind of paper, as its room declares it.
pub struct Kind {
    /// As stored: « convention ».
    pub name: &'static str,
    /// What it is about, as the journal names it.
    pub subject: &'static str,
    /// File name of its template, in the program and in the rectorat's own folder.
    pub file: &'static str,
    /// The template given with the program.
    pub template: &'static str,
    /// Whether the input goes with the paper, attached to it, and is given its digest to print.
    pub attaches: bool,
    /// What is answered when the template does not compose, and its sentence.
    pub failed: (&'static ProblemCode, &'static str),
    /// Whose paper it is, once the room has found it to be what was frozen.
    pub look: fn(&mut Tx<'_>, &str) -> Outcome<Sheet>,
    /// Told when the state of a paper has changed, in the same transaction.
    pub moved: fn(&mut Tx<'_>, &str) -> Outcome<()>,
}

impl Kind {
    /// The template given with the program, ready for the renderer.
    #[must_use]
    pub fn own(&self) -> Template {
        Template::new(self.file, self.template)
    }

    /// What a caller is told when the template does not compose; the cause is in the technical log.
    #[must_use]
    pub fn does_not_compose(&self) -> crate::kernel::Refused {
        crate::kernel::Refused::new(self.failed.0, self.failed.1)
    }
}

/// What a room says of one paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Public number: names the file, and makes the document unique.
    pub number: String,
    /// Date of the document.
    pub dated: NaiveDate,
    /// Printed over the paper when it is no longer what it says.
    pub stamp: Option<Stamp>,
}

/// A paper about to be frozen: whose, and the JSON its template reads.
#[derive(Debug, Clone)]
pub struct NewPaper {
    pub subject: String,
    pub input: String,
}

/// The templates in force: those of the program, or the rectorat's own.
#[derive(Debug, Clone, Default)]
pub struct Templates(HashMap<&'static str, Template>);

impl Templates {
    /// Reads those of a folder that has some.
    ///
    /// # Errors
    /// The file that cannot be read, and why.
    pub fn read(folder: Option<&Path>, kinds: &[&'static Kind]) -> Result<Self, (std::path::PathBuf, std::io::Error)> {
        let mut found = HashMap::new();
        for kind in kinds {
            let Some(path) = folder.map(|f| f.join(kind.file)).filter(|p| p.exists()) else { continue };
            let text = std::fs::read_to_string(&path).map_err(|cause| (path, cause))?;
            found.insert(kind.name, Template::new(kind.file, text));
        }
        Ok(Self(found))
    }

    /// With another template for a kind.
    #[must_use]
    pub fn with(mut self, kind: &Kind, template: Template) -> Self {
        self.0.insert(kind.name, template);
        self
    }

    /// The template in force for a kind.
    #[must_use]
    pub fn of(&self, kind: &Kind) -> Template {
        self.0.get(kind.name).cloned().unwrap_or_else(|| kind.own())
    }
}

/// Keeps the text of a template, and returns its digest.
pub fn keep_template(tx: &mut Tx<'_>, template: &Template) -> Outcome<String> {
    blobs::put(tx, "text/x-typst", template.text().as_bytes())
}

/// Freezes what some papers are made of, and queues their making.
pub fn freeze(tx: &mut Tx<'_>, kind: &Kind, template_sha256: &str, papers: Vec<NewPaper>) -> Outcome<()> {
    let renders: Vec<_> = papers.iter().map(|paper| RenderPaper::of(kind, &paper.subject)).collect();
    store::insert(tx, kind, template_sha256, papers)?;
    jobs::enqueue_all(tx, &renders)
}
