//! Use cases: a mail sent again, an address flagged, a text edited.

use chrono::Duration;

use super::after::{MAIL_REFUSED, MAIL_UNCERTAIN, subject};
use super::codes::{EMAIL_STATE, EMAIL_TOO_RECENT, MAIL_TEMPLATE_REFUSED};
use super::events::MailEvent;
use crate::audit::{self, Subject, SubjectKind};
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::EmailId;
use crate::kernel::refused::FORBIDDEN;
use crate::kernel::text::Note;
use crate::kernel::{Actor, FieldError, Refused, Version};
use crate::platform::db::blobs::digest;
use crate::platform::mail::{self, Email, Faulty, Kind, NewMail, Post, Postman, TemplateVersion};
use crate::platform::{Error, Outcome, Tx};
use crate::registry;
use crate::tasks::{self, NewTask, TaskKind};

/// Between two mails of one kind to one address by hand.
const COOLDOWN: Duration = Duration::hours(1);

/// A collectivité whose address is written to no more.
pub const ADDRESS_BLOCKED: TaskKind = TaskKind("mail.address_blocked");

pub(super) fn find(tx: &mut Tx<'_>, id: EmailId) -> Outcome<Email> {
    Ok(mail::find(tx, id)?.ok_or_else(|| Refused::not_found("Courriel", id))?)
}

/// Queues a mail again: a new one, linked to the first, composed of what is true when it leaves.
///
/// # Errors
/// `email_state`, `email_too_recent`; a kind this program does not know.
pub(super) fn resend(tx: &mut Tx<'_>, actor: &Actor, id: EmailId, reason: &Note, postman: &Postman) -> Outcome<Email> {
    let email = find(tx, id)?;
    if !email.state.is_over() {
        let none: [&str; 0] = [];
        return Err(Refused::state(&EMAIL_STATE, "Le courriel est encore en route.", email.state, none).into());
    }
    let Some(kind) = postman.kind(&email.kind) else {
        return Err(Error::Incident(format!("no mail is called « {} »", email.kind)));
    };
    opens_no_account(kind)?;
    if let Some(last) = mail::last_queued(tx, kind.name, &email.address)?
        && last.plus(COOLDOWN) > tx.now()
    {
        let detail = format!("Un courriel du même genre a été mis à l'envoi vers cette adresse le {}.", last.french());
        return Err(Refused::new(&EMAIL_TOO_RECENT, detail).into());
    }
    let dossiers = mail::dossiers(tx, &[id])?.remove(&id).unwrap_or_default();
    let new = NewMail {
        kind,
        to: email.address.clone(),
        payload: email.payload.clone(),
        dossiers: dossiers.clone(),
        by: actor.label.clone(),
        dedup_key: None,
        resent_of: Some(id),
    };
    let Post::Queued(queued) = mail::post(tx, new)? else {
        return Err(Error::Incident("a mail without a key was found written".into()));
    };
    let event = MailEvent::Resent { kind: email.kind, new: queued, reason: reason.to_string().into() };
    audit::record(tx, actor, subject(id, &dossiers), event)?;
    for kind in [MAIL_REFUSED, MAIL_UNCERTAIN] {
        tasks::settle(tx, actor, kind, (SubjectKind::Email, id.as_str()), "Renvoyé.")?;
    }
    find(tx, queued)
}

/// Who edits such a text, or sends such a mail again, could read the code in it.
pub(super) fn opens_no_account(kind: &Kind) -> Result<(), Refused> {
    if !kind.accounts {
        return Ok(());
    }
    let detail = "Ce courriel ouvre un compte : son texte est celui du programme ou du dossier mail.template_dir, et un \
                  administrateur l'envoie de nouveau depuis le compte.";
    Err(Refused::new(&FORBIDDEN, detail))
}

/// An address as a subject: its digest, for the address is personal.
fn address_subject(address: &EmailAddress) -> Subject {
    Subject::known_by(SubjectKind::MailAddress, digest(address.as_str().as_bytes()))
}

/// Writes to an address no more, and asks a person for another where it is a contact; false when that was said before.
///
/// # Errors
/// Those of the database.
pub(super) fn block(tx: &mut Tx<'_>, actor: &Actor, address: &EmailAddress, reason: &Note) -> Outcome<bool> {
    if !mail::block(tx, address, reason, &actor.label)? {
        return Ok(false);
    }
    let payers = registry::with_contact(tx, address)?;
    let event = MailEvent::Blocked {
        address: address.to_string().into(),
        reason: reason.to_string().into(),
        payers: payers.len(),
    };
    audit::record(tx, actor, address_subject(address), event)?;
    for payer in payers {
        let subject = Subject::new(SubjectKind::Collectivite, payer.id, &payer.said.siret).of_payer(payer.id);
        let why = format!("L'adresse de contact est signalée ({reason}) : en trouver une autre.");
        tasks::open(tx, actor, NewTask { kind: ADDRESS_BLOCKED, subject, why, due_on: None })?;
    }
    Ok(true)
}

/// Writes to an address again; false when nothing stood against it.
///
/// # Errors
/// Those of the database.
pub(super) fn unblock(tx: &mut Tx<'_>, actor: &Actor, address: &EmailAddress, reason: &Note) -> Outcome<bool> {
    if !mail::unblock(tx, address)? {
        return Ok(false);
    }
    let event = MailEvent::Unblocked { address: address.to_string().into(), reason: reason.to_string().into() };
    audit::record(tx, actor, address_subject(address), event)?;
    for payer in registry::with_contact(tx, address)? {
        let subject = (SubjectKind::Collectivite, payer.id.as_str());
        tasks::settle(tx, actor, ADDRESS_BLOCKED, subject, "L'adresse est rétablie.")?;
    }
    Ok(true)
}

/// The refusal of a text.
pub(super) fn refused(found: &Faulty) -> Refused {
    let mut refused = Refused::new(&MAIL_TEMPLATE_REFUSED, format!("Ligne {} : {}", found.line, found.message));
    refused.errors.push(FieldError {
        pointer: "/source".to_owned(),
        code: "mail_template".to_owned(),
        message: format!("ligne {} : {}", found.line, found.message),
        value: None,
    });
    refused
}

/// Keeps a new version of a text, once it is judged.
///
/// # Errors
/// `mail_template_refused`, `precondition_failed`.
pub(super) fn edit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static Kind,
    read: &Version,
    (source, reason): (&str, &Note),
) -> Outcome<TemplateVersion> {
    opens_no_account(kind)?;
    let last = mail::versions(tx, kind.name)?.into_iter().next().map_or(0, |version| version.version);
    read.admits(last)?;
    let version = mail::add_version(tx, kind.name, last, (source, reason), &actor.label)?;
    let event = MailEvent::TemplateEdited {
        french: kind.french.to_owned(),
        version: version.version,
        sha256: digest(source.as_bytes()),
        reason: reason.to_string().into(),
    };
    audit::record(tx, actor, Subject::known_by(SubjectKind::MailTemplate, kind.name), event)?;
    Ok(version)
}
