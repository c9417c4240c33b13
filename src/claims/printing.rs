//! The act on small claims as a kind of paper: what is looked at before one is shown.
//!
//! The content of the act is what the paper is made of, and goes with it: its printed digest is that of the attached bytes.

use super::codes::DECISION_DOCUMENT_FAILED;
use super::decision_paper;
use super::store::{self, ActRow};
use crate::kernel::french;
use crate::kernel::ids::SmallClaimActId;
use crate::platform::db::blobs;
use crate::platform::documents::Stamp;
use crate::platform::papers::{self, Kind, Sheet, subject_id};
use crate::platform::{Error, Outcome, Tx};

/// The journal's name of an act.
const ACT: &str = "small_claim_act";

/// The kind of paper.
pub const PAPER: Kind = Kind {
    name: decision_paper::KIND,
    subject: ACT,
    file: "decision.typ",
    template: decision_paper::TEMPLATE,
    attaches: true,
    failed: (&DECISION_DOCUMENT_FAILED, "Le modèle de la décision ne se laisse pas composer."),
    look,
    moved: |_, _| Ok(()),
};

/// The paper of an act that is still what was decided: its content, and the sum of its decisions.
fn look(tx: &mut Tx<'_>, subject: &str) -> Outcome<Sheet> {
    let id = subject_id(subject, SmallClaimActId::parse)?;
    let act = store::act(tx, id)?;
    let content = papers::frozen(tx, decision_paper::KIND, &[subject])?.remove(subject);
    if content.is_none_or(|content| blobs::digest(content.input.as_bytes()) != act.content_sha256) {
        return Err(Error::falsified(ACT, &act.number, "le contenu de l'acte n'a plus son empreinte"));
    }
    add_up(tx, std::slice::from_ref(&act))?;
    let stamp = stamp(tx, id, act.claim_count)?;
    Ok(Sheet { number: act.number, dated: act.decided_on, stamp })
}

/// Whether acts still have the decisions they were taken with.
pub(super) fn add_up(tx: &mut Tx<'_>, taken: &[ActRow]) -> Outcome<()> {
    match store::unsound(tx, taken)? {
        Some(act) => Err(Error::falsified(ACT, &act.number, "les créances de l'acte ne font plus son total")),
        None => Ok(()),
    }
}

/// What is printed over an act whose decisions were revoked, all or some.
fn stamp(tx: &mut Tx<'_>, id: SmallClaimActId, claims: i64) -> Outcome<Option<Stamp>> {
    let revoked = store::revoked_at(tx, id)?;
    let Some(last) = revoked.iter().max() else { return Ok(None) };
    let on = french::date_long(last.day());
    let all = i64::try_from(revoked.len()).is_ok_and(|count| count == claims);
    let (words, mark) = if all {
        (format!("DÉCISION RAPPORTÉE le {on} — sans effet"), "rapportee")
    } else {
        let some = french::count(revoked.len(), "créance");
        (format!("DÉCISION RAPPORTÉE EN PARTIE ({some} sur {claims}), en dernier lieu le {on}"), "rapportee-en-partie")
    };
    Ok(Some(Stamp { words: french::typeset(&words), mark, void: all }))
}
