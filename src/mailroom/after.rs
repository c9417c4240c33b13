//! What follows from a mail that ended otherwise than well: something for a person to do.

use crate::audit::{Subject, SubjectKind};
use crate::kernel::Actor;
use crate::kernel::ids::EmailId;
use crate::platform::mail::{self, AttemptOutcome, Dossier, Ended, Stage};
use crate::platform::{Outcome, Tx};
use crate::tasks::{self, NewTask, TaskKind};

/// A mail that was refused for good, or given up.
pub const MAIL_REFUSED: TaskKind = TaskKind("mail.refused");
/// A mail that may have left, and may not.
pub const MAIL_UNCERTAIN: TaskKind = TaskKind("mail.uncertain");

/// A mail as a subject: by its id, in the story of the dossier it is about when it is about one.
pub(super) fn subject(id: EmailId, dossiers: &[Dossier]) -> Subject {
    let own = Subject::known_by(SubjectKind::Email, id);
    match dossiers {
        [one] => own.of_campaign(one.campaign).of_payer(one.payer),
        _ => own,
    }
}

/// Opens a task for each mail that a person has to look at, in the transaction that records its end.
///
/// # Errors
/// Those of the database.
pub fn after(tx: &mut Tx<'_>, ended: &[Ended]) -> Outcome<()> {
    let actor = Actor::program("envoi des courriels");
    let ids: Vec<EmailId> = ended.iter().map(|ended| ended.id).collect();
    let about = mail::dossiers(tx, &ids)?;
    for Ended { id, outcome, stage, words } in ended {
        let (kind, why) = match outcome {
            AttemptOutcome::Accepted | AttemptOutcome::Unreachable => continue,
            AttemptOutcome::Uncertain => (
                MAIL_UNCERTAIN,
                format!(
                    "La réponse du serveur a été perdue : le courriel est peut-être parti. Demander s'il est arrivé avant de le renvoyer ({words})."
                ),
            ),
            AttemptOutcome::Refused if *stage == Some(Stage::Recipient) => {
                (MAIL_REFUSED, format!("L'adresse a été refusée : en trouver une autre ({words})."))
            }
            AttemptOutcome::Refused => (MAIL_REFUSED, format!("Le courriel a été refusé par le serveur ({words}).")),
            AttemptOutcome::Deferred => {
                (MAIL_REFUSED, format!("Le courriel a été abandonné, le serveur le repoussant toujours ({words})."))
            }
        };
        let subject = subject(*id, about.get(id).map_or(&[][..], Vec::as_slice));
        tasks::open(tx, &actor, NewTask { kind, subject, why, due_on: None })?;
    }
    Ok(())
}
