//! What a room declares of a kind of mail, and says of one that is about to leave.

use serde::Serialize;
use serde_json::Value;

use super::dossier::Dossier;
use super::rules::Rules;
use super::state::AttemptOutcome;
use crate::kernel::ids::EmailId;
use crate::kernel::text::Line;
use crate::kernel::{Departement, contact::EmailAddress};
use crate::platform::db::Tx;
use crate::platform::error::{Error, Outcome};

/// The text of a kind, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source(pub &'static str);

/// What a mail about a dossier would print.
pub type Preview = fn(&mut Tx<'_>, &Rules, Dossier) -> Outcome<Value>;

/// A kind of mail, as its room declares it.
pub struct Kind {
    /// `room.reason`, stable: it is written with each mail.
    pub name: &'static str,
    /// What it is, in French.
    pub french: &'static str,
    /// The text given with the program.
    pub source: Source,
    /// What the template may print, made up: for tests, and for who edits it.
    pub sample: fn() -> Value,
    /// Whether it opens an account: its text is the program's or the administrator's folder's, and who caused it sends it again.
    pub accounts: bool,
    /// What it would print of a real dossier, no link being made; none for kinds that are about no dossier.
    pub preview: Option<Preview>,
    /// Whether each is still owed, and what it says now. Secrets are made here.
    pub compose: fn(&mut Tx<'_>, &Rules, &[Posted]) -> Outcome<Vec<Composed>>,
    /// Told what came of attempts, in the transaction that records it.
    pub settled: fn(&mut Tx<'_>, &[Settled]) -> Outcome<()>,
}

impl Kind {
    /// For kinds that follow nothing.
    ///
    /// # Errors
    /// Never.
    pub const fn unfollowed(_: &mut Tx<'_>, _: &[Settled]) -> Outcome<()> {
        Ok(())
    }
}

/// A mail about to leave.
#[derive(Debug, Clone)]
pub struct Posted {
    pub id: EmailId,
    /// 1 for the first try.
    pub attempt: i64,
    pub to: EmailAddress,
    /// Ids, as its room wrote them.
    pub payload: String,
}

impl Posted {
    /// What its room wrote.
    ///
    /// # Errors
    /// It is no longer what was written.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Outcome<T> {
        serde_json::from_str(&self.payload).map_err(|cause| {
            Error::falsified("email", self.id, format!("ce que le courriel désigne ne se lit plus : {cause}"))
        })
    }
}

/// A file that goes with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// What a room says of a mail that is about to leave.
#[derive(Debug, Clone)]
pub enum Composed {
    Owed(Box<Draft>),
    /// Its reason has passed; why, in French.
    Gone(String),
}

/// What a mail says, before its template is applied.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub to_name: Option<Line>,
    /// In whose name it is written.
    pub departement: Option<Departement>,
    /// What the template prints.
    pub context: Value,
    /// Texts that no copy keeps.
    pub secrets: Vec<String>,
    pub files: Vec<File>,
}

impl Draft {
    /// A draft that prints these values.
    ///
    /// # Errors
    /// They do not serialise.
    pub fn of(context: &impl Serialize) -> Outcome<Self> {
        Ok(Self { context: serde_json::to_value(context)?, ..Self::default() })
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub id: EmailId,
    pub attempt: i64,
    pub outcome: AttemptOutcome,
    /// Nothing more will be tried.
    pub over: bool,
}
