//! The demand as a kind of paper: what is looked at before one is shown, and what moves when one is made.
//!
//! The content of the approval is what the paper is made of, and goes with it: its printed digest is that of the attached
//! bytes.

use super::codes::{NOT_APPROVED_YET, TITLE_DOCUMENT_FAILED};
use super::title::{Stage, Title};
use super::{approved, document, store};
use crate::kernel::ids::TitleId;
use crate::kernel::{Refused, french};
use crate::platform::documents::Stamp;
use crate::platform::papers::{Kind, Sheet, subject_id};
use crate::platform::{Outcome, Tx};

/// The kind of paper.
pub const PAPER: Kind = Kind {
    name: document::KIND,
    subject: "perception_title",
    file: "title.typ",
    template: document::TEMPLATE,
    attaches: true,
    failed: (&TITLE_DOCUMENT_FAILED, "Le modèle de la demande d'émission ne se laisse pas composer."),
    look,
    moved: |tx, subject| store::touch(tx, subject_id(subject, TitleId::parse)?),
};

fn look(tx: &mut Tx<'_>, subject: &str) -> Outcome<Sheet> {
    let id = subject_id(subject, TitleId::parse)?;
    let title = store::find(tx, id)?.ok_or_else(|| Refused::not_found("Titre", id))?;
    if store::approvals_in_short(tx, &[id])?.is_empty() {
        let detail = "Le document existe à partir de l'approbation.";
        return Err(Refused::state(&NOT_APPROVED_YET, detail, title.state(), title.allowed()).into());
    }
    let settlement = approved::verified(tx, std::slice::from_ref(&title))?.pop().map(|a| a.settlement);
    let settlement = settlement.ok_or_else(|| Refused::not_found("Titre", id))?;
    let stamp = stamp(tx, &title)?;
    Ok(Sheet { number: settlement.reference, dated: settlement.approved_on, stamp })
}

/// What is printed over a demand that is no longer made.
fn stamp(tx: &mut Tx<'_>, title: &Title) -> Outcome<Option<Stamp>> {
    let Stage::Withdrawn { .. } = title.stage else { return Ok(None) };
    let on = store::withdrawn_at(tx, title.id)?.unwrap_or(title.updated_at).day();
    let words = format!("DEMANDE RETIRÉE le {} — sans effet", french::date_long(on));
    Ok(Some(Stamp { words: french::typeset(&words), mark: "retiree", void: true }))
}
