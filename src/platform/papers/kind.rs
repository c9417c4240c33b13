//! What a room declares of a kind of paper, and says of one of them.

use chrono::NaiveDate;

use crate::kernel::{FieldFault, ProblemCode, Refused};
use crate::platform::db::Tx;
use crate::platform::documents::{Stamp, Template};
use crate::platform::error::{Error, Outcome};
use crate::text_enum;

text_enum!(
    /// Où en est un document : à produire, produit, modèle défaillant, ou contenu altéré (jamais servi).
    DocumentStatus { Pending => "pending", Ready => "ready", Failed => "failed", Falsified => "falsified" }
);

/// The only version there is until an act can change what a paper says.
pub(super) const FIRST: i64 = 1;

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
    pub fn does_not_compose(&self) -> Refused {
        Refused::new(self.failed.0, self.failed.1)
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

/// Whose paper it is, as its room names its things: `subject_id(subject, TitleId::parse)`.
///
/// # Errors
/// A row of the table that is none of the room's.
pub fn subject_id<T>(subject: &str, parse: impl FnOnce(&str) -> Result<T, FieldFault>) -> Outcome<T> {
    parse(subject).map_err(|fault| Error::inconsistent("stored_file", "papers", subject, &fault))
}
