//! Use cases of attachments: tie a file to a thing, untie it. Each leaves its line in the journal, under that thing.

use super::attachment::{Attachment, AttachmentId, Detachment, Purpose, Source};
use super::codes::ALREADY_ATTACHED;
use super::events::AttachmentEvent;
use super::store;
use crate::audit::{self, Subject};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::{Line, Note};
use crate::kernel::{Actor, Refused, Version};
use crate::platform::attachments::{Examined, Piece};
use crate::platform::db::{counters, files};
use crate::platform::{Outcome, Tx, on_unique};

/// One attachment of a thing.
pub fn find(tx: &mut Tx<'_>, subject: &Subject, id: AttachmentId) -> Outcome<Attachment> {
    Ok(store::find(tx, (subject.kind, &subject.id), id)?.ok_or_else(|| Refused::not_found("Pièce", id))?)
}

/// Ties what was examined to a thing, and stores it.
pub fn attach(
    tx: &mut Tx<'_>,
    actor: &Actor,
    subject: Subject,
    purpose: Purpose,
    examined: &Examined,
) -> Outcome<(Attachment, Vec<Source>)> {
    // Two forms sent at once come one after the other; a few names stand for all the things there are.
    counters::lock(tx, &format!("attachments:{}", subject.id.chars().last().unwrap_or('-')))?;
    // In one order for everybody: who attaches the same photos in another waits, and never for each other.
    let mut all: Vec<&Piece> = examined.sources.iter().chain([&examined.content]).collect();
    all.sort_by(|a, b| a.file.sha256.cmp(&b.file.sha256));
    for piece in all {
        files::put(tx, &piece.file)?;
    }
    // Once what stands there was looked at: a file that is damaged is not told to be attached.
    let there = store::standing(tx, (subject.kind, &subject.id), purpose.code, &examined.given_sha256)?;
    if let Some(id) = there {
        let detail = format!("Les mêmes fichiers sont déjà joints ({}) : pièce {id}.", purpose.label);
        return Err(Refused::new(&ALREADY_ATTACHED, detail).into());
    }
    let length = |piece: &Piece| i64::try_from(piece.file.length).unwrap_or(i64::MAX);
    let name = |piece: &Piece| piece.name.as_deref().and_then(|name| Line::parse(name).ok());
    let content = &examined.content;
    let new = Attachment {
        id: AttachmentId::new(tx.uuid()),
        subject_kind: subject.kind,
        subject_id: subject.id.clone(),
        purpose: purpose.code.to_owned(),
        media_type: content.media_type,
        sha256: content.file.sha256.clone(),
        length: length(content),
        file_name: name(content),
        given_sha256: examined.given_sha256.clone(),
        scan: examined.scan,
        attached_by: actor.label.clone(),
        attached_at: tx.now(),
        detached: None,
    };
    let photos: Vec<Source> = (1..)
        .zip(&examined.sources)
        .map(|(position, piece)| Source {
            position,
            media_type: piece.media_type,
            sha256: piece.file.sha256.clone(),
            length: length(piece),
            file_name: name(piece),
        })
        .collect();
    store::insert(tx, actor, &new, &photos)?;
    let event = AttachmentEvent::Attached {
        attachment: new.id,
        purpose: new.purpose.clone(),
        shows: purpose.label.to_owned(),
        media_type: new.media_type,
        sha256: new.sha256.clone(),
        length: new.length,
        file_name: new.file_name.as_ref().map(ToString::to_string).into(),
        sources: photos.iter().map(|photo| photo.sha256.clone()).collect(),
        scan: new.scan,
    };
    audit::record(tx, actor, subject, event)?;
    Ok((new, photos))
}

/// Unties an attachment from a thing it should not be tied to.
pub fn detach(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (subject, purposes): (Subject, &[Purpose]),
    (id, read): (AttachmentId, Option<&Version>),
    reason: Note,
) -> Outcome<Attachment> {
    let found = find(tx, &subject, id)?;
    read.map_or(Ok(()), |read| read.admits(found.version()))?;
    let why = reason.to_string();
    let said = Detachment { reason, by: actor.label.clone(), at: tx.now() };
    let next = found.detach(said.clone())?;
    on_unique(store::detach(tx, actor, id, &said), || {
        Refused::new(&CONCURRENT_CHANGE, "La pièce vient d'être détachée par une autre personne.")
    })?;
    let event = AttachmentEvent::Detached {
        attachment: id,
        purpose: next.purpose.clone(),
        shows: Purpose::label(purposes, &next.purpose).to_owned(),
        sha256: next.sha256.clone(),
        reason: why.into(),
    };
    audit::record(tx, actor, subject, event)?;
    Ok(next)
}

/// Leaves the trace of a file that the antivirus refused.
pub(super) fn tell_infected(
    tx: &mut Tx<'_>,
    actor: &Actor,
    subject: Subject,
    purpose: Purpose,
    (name, sha256, said): (Option<String>, String, String),
) -> Outcome<()> {
    let Purpose { code, label } = purpose;
    let (purpose, shows) = (code.to_owned(), label.to_owned());
    let event = AttachmentEvent::Infected { purpose, shows, sha256, file_name: name.into(), scanner: said };
    audit::record(tx, actor, subject, event)
}
