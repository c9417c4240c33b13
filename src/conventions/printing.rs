//! The convention as a kind of paper: what is looked at before one is shown, and what moves when one is made.
//!
//! Its data is not attached to it: a convention is a contract, whose signatories answer for the text they read.

use super::codes::DOCUMENT_FAILED;
use super::convention::{Convention, Stage};
use super::{document, store, store_seals};
use crate::kernel::ids::ConventionId;
use crate::kernel::{Refused, french};
use crate::platform::documents::Stamp;
use crate::platform::papers::{Kind, Sheet, subject_id};
use crate::platform::{Outcome, Tx};

/// The kind of paper.
pub const PAPER: Kind = Kind {
    name: document::KIND,
    subject: "convention",
    file: "convention.typ",
    template: document::TEMPLATE,
    attaches: false,
    failed: (&DOCUMENT_FAILED, "Le modèle de la convention ne se laisse pas composer."),
    look,
    moved: |tx, subject| store::touch(tx, subject_id(subject, ConventionId::parse)?),
};

fn look(tx: &mut Tx<'_>, subject: &str) -> Outcome<Sheet> {
    let id = subject_id(subject, ConventionId::parse)?;
    let found = store::find(tx, id)?.ok_or_else(|| Refused::not_found("Convention", id))?;
    store_seals::verify(tx, &[id])?;
    Ok(Sheet { dated: found.issued_at.day(), stamp: stamp(&found), number: found.number })
}

/// What is printed over a convention that no longer binds.
fn stamp(convention: &Convention) -> Option<Stamp> {
    let (words, mark, void) = match &convention.stage {
        Stage::Cancelled { on, .. } => {
            (format!("CONVENTION ANNULÉE le {} — sans effet", french::date_long(*on)), "annulee", true)
        }
        Stage::Declined { on, .. } => {
            let on = french::date_long(*on);
            (format!("CONVENTION REFUSÉE PAR LA COLLECTIVITÉ le {on} — sans effet"), "refusee", true)
        }
        // What it made due stays due.
        Stage::Expired(..) => {
            (format!("CONVENTION ÉCHUE le {}", french::date_long(convention.ends_on)), "echue", false)
        }
        Stage::Issued | Stage::Signed(_) | Stage::Active(_) => return None,
    };
    Some(Stamp { words: french::typeset(&words), mark, void })
}
