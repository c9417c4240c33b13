//! What can go wrong, told so that the one who replaced a template or a font can mend it.

use std::fmt;
use std::path::PathBuf;

use chrono::NaiveDate;

/// The fonts could not be read at start-up.
#[derive(Debug, thiserror::Error)]
pub enum FontFault {
    #[error("the font folder {path} cannot be read: {cause}")]
    Folder { path: PathBuf, cause: std::io::Error },
    #[error("the font file {path} cannot be read: {cause}")]
    File { path: PathBuf, cause: std::io::Error },
    #[error("the file {path} holds no font (expected: .ttf, .otf, .ttc or .otc)")]
    NotAFont { path: PathBuf },
    #[error("the font folder {path} holds no font file (.ttf, .otf, .ttc or .otc)")]
    NoFont { path: PathBuf },
}

/// A document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderFault {
    /// The template does not compile with this input.
    #[error("template {template}: {}", Listed(problems))]
    Template { template: String, problems: Vec<Problem> },
    /// It compiles, but breaks a rule of PDF/A-3a or PDF/UA-1.
    #[error("template {template} makes no archivable, accessible PDF: {}", Listed(problems))]
    Standard { template: String, problems: Vec<Problem> },
    /// The template hides what is to be printed over each page.
    #[error("template {template} hides the stamp: leave page(foreground: …) to the program")]
    Stamp { template: String },
    /// What was frozen is no JSON.
    #[error("the input is no JSON: {0}")]
    Input(String),
    /// The date cannot be written in a PDF (year 0 to 9999).
    #[error("the date {0} cannot be written in a document")]
    Date(NaiveDate),
}

impl RenderFault {
    /// What is wrong and where, for whoever mends the template.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Template { problems, .. } | Self::Standard { problems, .. } => problems,
            Self::Stamp { .. } | Self::Input(_) | Self::Date(_) => &[],
        }
    }
}

/// One remark of the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line of the template, from 1; absent when the remark concerns the whole document.
    pub line: Option<usize>,
    pub message: String,
    pub hints: Vec<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.message)?;
        for hint in &self.hints {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

struct Listed<'a>(&'a [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}
