//! The tables of attachments, of the photos behind them, and of what untied them: facts that nobody changes.

use std::collections::HashMap;

use diesel::prelude::*;

use super::attachment::{Attachment, AttachmentId, AttachmentState, Detachment, Source};
use crate::audit::SubjectKind;
use crate::kernel::text::{Line, Note};
use crate::kernel::{Actor, Instant};
use crate::platform::attachments::{MediaType, Scan};
use crate::platform::db::schema::{attachment_detachments as detachments, attachment_sources as sources, attachments};
use crate::platform::db::unreadable::Rows;
use crate::platform::page::{Page, PageView};
use crate::platform::{Outcome, Tx};
use crate::{keyset, rows};

crate::sort_keys!(AttachmentSort, AttachmentOrder of "attachments" { AttachedAt => "attached_at" });

/// Which attachments of a thing to read.
#[derive(Debug, Clone)]
pub struct Filter {
    pub subject_kind: SubjectKind,
    pub subject_id: String,
    pub purpose: Option<String>,
    pub status: Option<AttachmentState>,
    /// Attached or detached since.
    pub updated_since: Option<Instant>,
}

type Fact =
    (AttachmentId, SubjectKind, String, String, MediaType, String, i64, Option<Line>, String, Scan, String, Instant);
type Untied = Option<(Note, String, Instant)>;

macro_rules! columns {
    () => {
        (
            (
                attachments::id,
                attachments::subject_kind,
                attachments::subject_id,
                attachments::purpose,
                attachments::media_type,
                attachments::sha256,
                attachments::length,
                attachments::file_name,
                attachments::given_sha256,
                attachments::scan,
                attachments::attached_by_label,
                attachments::attached_at,
            ),
            (detachments::reason, detachments::detached_by_label, detachments::detached_at).nullable(),
        )
    };
}

/// Where a row that cannot be read is looked for.
pub(super) const ROWS: &[Rows] = &[
    rows!("attachments": attachments as Fact, "attachment", "SELECT id, id AS key FROM attachments ORDER BY id",
        attachments::id, columns!().0),
    rows!("attachment_detachments": detachments as (Note, String, Instant), "attachment",
        "SELECT attachment_id AS id, attachment_id AS key FROM attachment_detachments ORDER BY attachment_id",
        detachments::attachment_id, (detachments::reason, detachments::detached_by_label, detachments::detached_at)),
];

fn attachment((fact, untied): (Fact, Untied)) -> Attachment {
    let (id, subject_kind, subject_id, purpose, media_type, sha256, length, file_name, given_sha256, scan, by, at) =
        fact;
    Attachment {
        id,
        subject_kind,
        subject_id,
        purpose,
        media_type,
        sha256,
        length,
        file_name,
        given_sha256,
        scan,
        attached_by: by,
        attached_at: at,
        detached: untied.map(|(reason, by, at)| Detachment { reason, by, at }),
    }
}

/// One attachment of a thing.
pub(super) fn find(
    tx: &mut Tx<'_>,
    (kind, subject): (SubjectKind, &str),
    id: AttachmentId,
) -> Outcome<Option<Attachment>> {
    let row: Option<(Fact, Untied)> = attachments::table
        .left_join(detachments::table.on(detachments::attachment_id.eq(attachments::id)))
        .filter(attachments::id.eq(id))
        .filter(attachments::subject_kind.eq(kind))
        .filter(attachments::subject_id.eq(subject))
        .select(columns!())
        .first(tx.conn())
        .optional()?;
    Ok(row.map(attachment))
}

/// The attachment that holds the same files for the same purpose, and is not detached.
pub(super) fn standing(
    tx: &mut Tx<'_>,
    (kind, subject): (SubjectKind, &str),
    purpose: &str,
    given_sha256: &str,
) -> Outcome<Option<AttachmentId>> {
    Ok(attachments::table
        .left_join(detachments::table.on(detachments::attachment_id.eq(attachments::id)))
        .filter(attachments::subject_kind.eq(kind))
        .filter(attachments::subject_id.eq(subject))
        .filter(attachments::purpose.eq(purpose))
        .filter(attachments::given_sha256.eq(given_sha256))
        .filter(detachments::attachment_id.nullable().is_null())
        .select(attachments::id)
        .first(tx.conn())
        .optional()?)
}

pub(super) fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page<AttachmentSort>) -> Outcome<PageView<Attachment>> {
    let mut query = attachments::table
        .left_join(detachments::table.on(detachments::attachment_id.eq(attachments::id)))
        .filter(attachments::subject_kind.eq(filter.subject_kind))
        .filter(attachments::subject_id.eq(filter.subject_id.clone()))
        .select(columns!())
        .into_boxed();
    if let Some(purpose) = &filter.purpose {
        query = query.filter(attachments::purpose.eq(purpose.clone()));
    }
    match filter.status {
        None => {}
        Some(AttachmentState::Attached) => query = query.filter(detachments::attachment_id.nullable().is_null()),
        Some(AttachmentState::Detached) => query = query.filter(detachments::attachment_id.nullable().is_not_null()),
    }
    if let Some(since) = filter.updated_since {
        let detached = detachments::detached_at.nullable().assume_not_null().ge(since);
        query = query.filter(attachments::attached_at.ge(since).or(detached));
    }
    // Ids sort by the instant they were made at.
    keyset!(query, page, attachments::id, { AttachmentSort::AttachedAt => attachments::id, String; });
    let rows: Vec<(Fact, Untied)> = query.load(tx.conn())?;
    let rows = rows.into_iter().map(attachment).collect();
    Ok(page.cut(rows, tx.now(), |AttachmentSort::AttachedAt, a: &Attachment| (a.id.to_string(), a.id.to_string())))
}

/// The photos behind each attachment, in their order.
pub(super) fn sources_of(tx: &mut Tx<'_>, ids: &[AttachmentId]) -> Outcome<HashMap<AttachmentId, Vec<Source>>> {
    let mut found: HashMap<AttachmentId, Vec<Source>> = HashMap::new();
    for chunk in ids.chunks(5000) {
        let rows: Vec<(AttachmentId, i64, MediaType, String, i64, Option<Line>)> = sources::table
            .filter(sources::attachment_id.eq_any(chunk))
            .order((sources::attachment_id.asc(), sources::position.asc()))
            .select((
                sources::attachment_id,
                sources::position,
                sources::media_type,
                sources::sha256,
                sources::length,
                sources::file_name,
            ))
            .load(tx.conn())?;
        for (id, position, media_type, sha256, length, file_name) in rows {
            found.entry(id).or_default().push(Source { position, media_type, sha256, length, file_name });
        }
    }
    Ok(found)
}

pub(super) fn insert(tx: &mut Tx<'_>, actor: &Actor, new: &Attachment, photos: &[Source]) -> Outcome<()> {
    diesel::insert_into(attachments::table)
        .values((
            attachments::id.eq(new.id),
            attachments::subject_kind.eq(new.subject_kind),
            attachments::subject_id.eq(&new.subject_id),
            attachments::purpose.eq(&new.purpose),
            attachments::media_type.eq(new.media_type),
            attachments::sha256.eq(&new.sha256),
            attachments::length.eq(new.length),
            attachments::file_name.eq(&new.file_name),
            attachments::given_sha256.eq(&new.given_sha256),
            attachments::scan.eq(new.scan),
            attachments::attached_by.eq(actor.user()),
            attachments::attached_by_label.eq(&new.attached_by),
            attachments::attached_at.eq(new.attached_at),
        ))
        .execute(tx.conn())?;
    for photo in photos {
        diesel::insert_into(sources::table)
            .values((
                sources::attachment_id.eq(new.id),
                sources::position.eq(photo.position),
                sources::media_type.eq(photo.media_type),
                sources::sha256.eq(&photo.sha256),
                sources::length.eq(photo.length),
                sources::file_name.eq(&photo.file_name),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// Writes what unties an attachment; the key says no to a second.
pub(super) fn detach(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: AttachmentId,
    said: &Detachment,
) -> diesel::QueryResult<usize> {
    diesel::insert_into(detachments::table)
        .values((
            detachments::attachment_id.eq(id),
            detachments::reason.eq(&said.reason),
            detachments::detached_by.eq(actor.user()),
            detachments::detached_by_label.eq(&said.by),
            detachments::detached_at.eq(said.at),
        ))
        .execute(tx.conn())
}
