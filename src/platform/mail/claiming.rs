//! Mails taken to be sent: those that may leave now, composed, each try written before it is made.

use std::collections::HashMap;

use chrono::Duration;

use super::kind::{Composed, Draft, Settled};
use super::letter::{Letter, Outgoing};
use super::postman::{Ended, Postman, Step};
use super::secrets::struck;
use super::state::{AttemptOutcome, EmailState};
use super::store::{SentFile, domain};
use super::store_claims::{self as store, Begun, Due, Ending, Gate};
use super::{store_templates, templates};
use crate::kernel::ids::EmailId;
use crate::platform::db::{Tx, blobs};
use crate::platform::error::Outcome;

/// How long a worker may hold what it took.
const LEASE: Duration = Duration::minutes(10);
/// A mail that cannot be composed waits so long.
const MENDED_IN: Duration = Duration::minutes(15);

/// What was taken to be sent.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) outgoing: Vec<(Outgoing, i64, &'static str)>,
    /// Mails dealt with without being sent.
    pub(super) settled: usize,
    pub(super) failures: i64,
}

impl Postman {
    /// A mail that fails by itself waits, and lets the others pass.
    pub(super) fn set_first_aside(&self, tx: &mut Tx<'_>, cause: &str) -> Outcome<Step> {
        let names: Vec<&str> = self.kinds.keys().copied().collect();
        let Some(first) = store::due(tx, &self.rules, &names, 1)?.pop() else { return Ok(Step::Nothing) };
        self.set_aside(tx, &first, cause)?;
        Ok(Step::Done(1))
    }

    /// A mail that does not compose waits for whoever mends it, and is given up like one that is refused for now. What was
    /// made for this try is nobody's.
    fn set_aside(&self, tx: &mut Tx<'_>, mail: &Due, cause: &str) -> Outcome<()> {
        let words = format!("Le courriel ne se compose pas : {cause}");
        let until = tx.now().plus(MENDED_IN);
        let over = until > mail.queued_at.plus(self.rules.give_up);
        if over {
            store::close(tx, mail.id, EmailState::Refused, &words)?;
            let (outcome, stage) = (AttemptOutcome::Refused, None);
            self.tell(tx, &[Ended { id: mail.id, outcome, stage, words }])?;
        } else {
            store::postpone(tx, mail.id, until, &words)?;
        }
        match self.kind(&mail.kind) {
            Some(kind) => {
                let (attempt, outcome) = (mail.attempts + 1, AttemptOutcome::Unreachable);
                (kind.settled)(tx, &[Settled { id: mail.id, attempt, outcome, over }])
            }
            None => Ok(()),
        }
    }

    pub(super) fn claim(&self, tx: &mut Tx<'_>, most: usize) -> Outcome<Result<Taken, Step>> {
        let failures = match store::hold_gate(tx)? {
            Gate::Restored => return Ok(Err(Step::Held("la base a été restaurée (mail resume)"))),
            Gate::ClosedUntil(_) => return Ok(Err(Step::Held("le serveur n'a pas été joint"))),
            Gate::Open { failures } => failures,
        };
        let silent = self.name_the_uncertain(tx)?;
        let names: Vec<&str> = self.kinds.keys().copied().collect();
        // While the server is not known to answer, one is enough to find out.
        let due = store::due(tx, &self.rules, &names, if failures > 0 { 1 } else { most })?;
        if due.is_empty() {
            return Ok(if silent > 0 {
                Ok(Taken { settled: silent, failures, ..Taken::default() })
            } else {
                Err(Step::Nothing)
            });
        }
        let mut taken = Taken { settled: silent, failures, ..Taken::default() };
        let addresses: Vec<_> = due.iter().map(|mail| &mail.address).collect();
        let blocked = store::blocked(tx, &addresses)?;
        let mut of_kind: HashMap<&'static str, Vec<&Due>> = HashMap::new();
        for mail in &due {
            if blocked.contains(&mail.address) {
                store::close(tx, mail.id, EmailState::Cancelled, "L'adresse est signalée : il ne lui est plus écrit.")?;
                taken.settled += 1;
            } else if let Some(kind) = self.kind(&mail.kind) {
                of_kind.entry(kind.name).or_default().push(mail);
            }
        }
        let edited = store_templates::latest(tx)?;
        let mut tries = Vec::new();
        // In the order in which they are due, whatever their kind.
        let mut composed: HashMap<EmailId, Composed> = HashMap::new();
        for (name, mails) in of_kind {
            let Some(kind) = self.kind(name) else { continue };
            let posted: Vec<_> = mails.iter().map(|mail| mail.posted()).collect();
            let drafts = (kind.compose)(tx, &self.rules, &posted)?;
            composed.extend(posted.iter().map(|posted| posted.id).zip(drafts));
        }
        for mail in &due {
            let (Some(kind), Some(draft)) = (self.kind(&mail.kind), composed.remove(&mail.id)) else { continue };
            let source = edited.get(kind.name).map_or_else(|| self.templates.of(kind), |version| &version.source);
            let made = match draft {
                Composed::Gone(why) => {
                    store::close(tx, mail.id, EmailState::Cancelled, &why)?;
                    taken.settled += 1;
                    continue;
                }
                Composed::Owed(draft) => self.letter(tx, mail, source, *draft),
            };
            match made {
                Ok((letter, begun)) => {
                    tries.push(begun);
                    taken.outgoing.push((letter, mail.attempts + 1, kind.name));
                }
                Err(cause) => {
                    tracing::error!(kind = kind.name, email = %mail.id, %cause, "a mail does not compose");
                    self.set_aside(tx, mail, &cause)?;
                    taken.settled += 1;
                }
            }
        }
        let until = tx.now().plus(LEASE);
        store::begin(tx, &tries, until)?;
        Ok(Ok(taken))
    }

    /// Writes one mail, and the copy that is kept of it.
    fn letter(&self, tx: &Tx<'_>, mail: &Due, source: &str, draft: Draft) -> Result<(Outgoing, Begun), String> {
        let head = self.rules.letterheads.for_departement(draft.departement.as_ref());
        let words = templates::words(source, &draft.context, head)
            .map_err(|found| format!("ligne {} : {}", found.line, found.message))?;
        let number = mail.attempts + 1;
        let message_id = format!("{}.{number}@{}", mail.id, domain(&head.address));
        // Written from values without secrets, whatever a text does to them.
        let kept = templates::words(source, &struck(&draft.context, &draft.secrets), head)
            .map_err(|found| format!("ligne {} : {}", found.line, found.message))?;
        let files: Vec<SentFile> = draft
            .files
            .iter()
            .map(|file| SentFile {
                name: file.name.clone(),
                media_type: file.media_type.to_owned(),
                length: file.bytes.len(),
                sha256: blobs::digest(&file.bytes),
            })
            .collect();
        let begun = Begun {
            email_id: mail.id,
            number,
            message_id: message_id.clone(),
            domain: mail.domain.clone(),
            sender: head.address.clone(),
            subject: kept.subject,
            body: kept.text,
            html: kept.html,
            files: serde_json::to_string(&files).map_err(|cause| cause.to_string())?,
            begun_at: tx.now(),
        };
        let letter = Letter {
            email: mail.id,
            message_id,
            date: tx.now(),
            from: head.clone(),
            to: mail.address.clone(),
            to_name: draft.to_name,
            subject: words.subject,
            text: words.text,
            html: words.html,
            files: draft.files,
            secrets: draft.secrets,
            bounce: self.rules.bounce.clone(),
        };
        Ok((letter.outgoing()?, begun))
    }

    /// Mails of workers that fell silent while sending.
    fn name_the_uncertain(&self, tx: &mut Tx<'_>) -> Outcome<usize> {
        let silent = store::abandoned(tx)?;
        let words = "Le programme s'est arrêté pendant l'envoi : le serveur a pu prendre le message.";
        let mut ended = Vec::new();
        for (id, number, kind) in &silent {
            let (outcome, state) = (AttemptOutcome::Uncertain, EmailState::Uncertain);
            let ending = Ending { id: *id, number: *number, outcome, stage: None, words, state, due_at: None };
            store::end(tx, &ending)?;
            if let Some(kind) = self.kind(kind) {
                (kind.settled)(tx, &[Settled { id: *id, attempt: *number, outcome, over: true }])?;
            }
            ended.push(Ended { id: *id, outcome, stage: None, words: words.to_owned() });
        }
        self.tell(tx, &ended)?;
        Ok(silent.len())
    }
}
