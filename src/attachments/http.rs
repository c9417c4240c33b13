//! Routes of the attachments of one kind of thing, mounted by its room: [`attachment_routes!`](crate::attachment_routes).
//!
//! ```text
//!   …/attachments                       POST a form · GET the list
//!   …/attachments/{attachment_id}       GET
//!       /content                        GET the file, inert
//!       /sources/{position}             GET one of the photos, as given
//!       /transitions                    GET what may be done · POST detach, with a reason
//! ```

use actix_web::web;
use serde::Deserialize;

use super::actions;
use super::attachment::{Attachment, AttachmentAction, AttachmentId, AttachmentState, Purpose};
use super::store::{self, AttachmentOrder, Filter};
use super::views::{AttachmentTransitionRequest, AttachmentView};
use crate::access::refusal;
use crate::audit::Subject;
use crate::kernel::text::excerpt;
use crate::kernel::{Actor, FieldFault, Instant, Refused, Role};
use crate::platform::attachments::{Desk, Found, Given, MediaType, examine, served};
use crate::platform::db::blobs::digest;
use crate::platform::db::files;
use crate::platform::web::{Answer, Body, CallContext, Page, Problem, Reply, State, TransitionsView};
use crate::platform::{Outcome, Tx};
use crate::{path_keys, permissions};

path_keys!(AttachmentId => "attachment_id", Position => "position");

permissions! {
    /// Read the content of an attachment that was detached: it may be another payer's.
    ReadDetached: Gestionnaire | Admin;
}

/// Rank of a photo among those given, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position(i64);

impl Position {
    fn parse(raw: &str) -> Result<Self, FieldFault> {
        let position = raw.parse().ok().filter(|n| (1..=40).contains(n) && raw.len() < 3);
        position.map(Self).ok_or_else(|| FieldFault::new("position_range", "Rang de page attendu entre 1 et 40."))
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What a room says of its attachments.
pub struct Room<K> {
    /// The thing, as the journal knows it; refuses a key that names nothing.
    pub subject: fn(&mut Tx<'_>, K) -> Outcome<Subject>,
    pub purposes: &'static [Purpose],
}

/// Which attachments to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Jointes, ou détachées ; toutes par défaut.
    status: Option<AttachmentState>,
    /// Ce que les pièces montrent.
    purpose: Option<String>,
    /// Jointes ou détachées depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<AttachmentOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// `POST …/attachments`.
pub async fn attaching<K: Copy + Send + 'static>(
    room: &'static Room<K>,
    (key, at): (K, String),
    (state, actor, call): (State, Actor, CallContext),
    desk: web::Data<Desk>,
    given: Given,
) -> Answer {
    let fault = |fault: &FieldFault| Refused::field("purpose", fault, given.purpose.as_ref().map(|p| excerpt(p)));
    let purpose = Purpose::parse(room.purposes, given.purpose.as_deref()).map_err(|f| fault(&f))?;
    // Before anything is looked at for it.
    state.read(move |tx| (room.subject)(tx, key)).await?;
    let examined = match examine(&state, &desk, given).await? {
        Found::Fit(examined) => examined,
        Found::Infected { name, sha256, said } => {
            let called = name.clone().unwrap_or_else(|| "Le fichier".to_owned());
            let told = (name, sha256, said);
            state
                .write(move |tx| {
                    let subject = (room.subject)(tx, key)?;
                    actions::tell_infected(tx, &actor, subject, purpose, told)
                })
                .await?;
            let detail = format!("{called} : refusé par l'antivirus de la maison. Rien n'a été gardé.");
            return Err(Problem::new(&crate::platform::attachments::ATTACHMENT_INFECTED, detail));
        }
    };
    let names = examined.sources.iter().chain([&examined.content]).map(|piece| piece.name.as_deref());
    let names: Vec<&str> = names.map(Option::unwrap_or_default).collect();
    let body = digest(format!("{}\n{}\n{}", purpose.code, examined.given_sha256, names.join("\n")).as_bytes());
    state
        .post(actor.principal, call, body, move |tx| {
            let subject = (room.subject)(tx, key)?;
            let (attachment, sources) = actions::attach(tx, &actor, subject, purpose, &examined)?;
            let place = format!("{at}/{}", attachment.id);
            let version = attachment.version();
            Reply::created(place, &AttachmentView::of(attachment, sources), version)
        })
        .await
}

/// `GET …/attachments`.
pub async fn listed<K: Copy + Send + 'static>(
    room: &'static Room<K>,
    key: K,
    state: State,
    query: ListQuery,
) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let purpose = query.purpose.map(|raw| {
        let fault = |fault: &FieldFault| Refused::field("purpose", fault, Some(excerpt(&raw)));
        Purpose::parse(room.purposes, Some(&raw)).map_err(|f| fault(&f))
    });
    let purpose = purpose.transpose()?.map(|purpose| purpose.code.to_owned());
    let reply = state
        .read(move |tx| {
            let subject = (room.subject)(tx, key)?;
            let filter = Filter {
                subject_kind: subject.kind,
                subject_id: subject.id,
                purpose,
                status: query.status,
                updated_since: tx.changed_since(query.updated_since)?,
            };
            let page = store::list(tx, &filter, &page)?;
            let ids: Vec<AttachmentId> = page.data.iter().map(|attachment| attachment.id).collect();
            let mut sources = store::sources_of(tx, &ids)?;
            Reply::ok(&page.map(|found| {
                let photos = sources.remove(&found.id).unwrap_or_default();
                AttachmentView::of(found, photos)
            }))
        })
        .await?;
    Ok(reply.into_response())
}

fn view(tx: &mut Tx<'_>, found: Attachment) -> Outcome<AttachmentView> {
    let sources = store::sources_of(tx, &[found.id])?.remove(&found.id).unwrap_or_default();
    Ok(AttachmentView::of(found, sources))
}

/// `GET …/attachments/{attachment_id}`.
pub async fn one<K: Copy + Send + 'static>(
    room: &'static Room<K>,
    (key, id): (K, AttachmentId),
    state: State,
) -> Answer {
    let reply = state
        .read(move |tx| {
            let subject = (room.subject)(tx, key)?;
            let found = actions::find(tx, &subject, id)?;
            let version = found.version();
            Reply::versioned(&view(tx, found)?, version)
        })
        .await?;
    Ok(reply.into_response())
}

/// The bytes of a file; when they are no longer what was given, the alarm is that of the thing it is tied to.
fn spooled(tx: &mut Tx<'_>, subject: &Subject, sha256: &str) -> Outcome<std::fs::File> {
    files::spool(tx, sha256).map_err(|e| e.about(subject.kind.as_str(), &subject.key))
}

/// A stored file about to be served.
struct Out {
    file: std::fs::File,
    media_type: MediaType,
    name: String,
    sha256: String,
    length: i64,
}

impl Out {
    fn answer(self) -> Answer {
        let length = u64::try_from(self.length).unwrap_or_default();
        Ok(served(self.file, self.media_type, &self.name, &self.sha256, length))
    }
}

/// The content of a detached attachment may be somebody else's: fewer may read it.
fn readable(found: &Attachment, role: Role) -> Outcome<()> {
    match refusal::<ReadDetached>(role).filter(|_| found.detached.is_some()) {
        Some(refused) => Err(refused.into()),
        None => Ok(()),
    }
}

/// `ENT-C-2025-2026-00123 convention signée 1.pdf`: a name of ours.
fn file_name(room: &[Purpose], subject: &Subject, found: &Attachment, rest: &str, media_type: MediaType) -> String {
    let label = Purpose::label(room, &found.purpose);
    let short = found.sha256.get(..8).unwrap_or_default();
    format!("{} {label} {short}{rest}.{}", subject.key, media_type.extension())
}

/// `GET …/attachments/{attachment_id}/content`.
pub async fn content<K: Copy + Send + 'static>(
    room: &'static Room<K>,
    (key, id): (K, AttachmentId),
    (state, role): (State, Role),
) -> Answer {
    let out = state
        .read(move |tx| {
            let subject = (room.subject)(tx, key)?;
            let found = actions::find(tx, &subject, id)?;
            readable(&found, role)?;
            let file = spooled(tx, &subject, &found.sha256)?;
            let name = file_name(room.purposes, &subject, &found, "", found.media_type);
            Ok(Out { file, media_type: found.media_type, name, sha256: found.sha256, length: found.length })
        })
        .await?;
    out.answer()
}

/// `GET …/attachments/{attachment_id}/sources/{position}`.
pub async fn source<K: Copy + Send + 'static>(
    room: &'static Room<K>,
    (key, id, Position(position)): (K, AttachmentId, Position),
    (state, role): (State, Role),
) -> Answer {
    let out = state
        .read(move |tx| {
            let subject = (room.subject)(tx, key)?;
            let found = actions::find(tx, &subject, id)?;
            readable(&found, role)?;
            let mut photos = store::sources_of(tx, &[id])?.remove(&id).unwrap_or_default();
            photos.retain(|photo| photo.position == position);
            let photo = photos.pop().ok_or_else(|| Refused::not_found("Photo", position))?;
            let file = spooled(tx, &subject, &photo.sha256)?;
            let name = file_name(room.purposes, &subject, &found, &format!(" {position}"), photo.media_type);
            Ok(Out { file, media_type: photo.media_type, name, sha256: photo.sha256, length: photo.length })
        })
        .await?;
    out.answer()
}

/// `GET …/attachments/{attachment_id}/transitions`; `by_role`: why the caller may do none of them.
pub async fn transitions<K: Copy + Send + 'static>(
    room: &'static Room<K>,
    (key, id): (K, AttachmentId),
    state: State,
    by_role: Option<Refused>,
) -> Answer {
    let reply = state
        .read(move |tx| {
            let subject = (room.subject)(tx, key)?;
            let found = actions::find(tx, &subject, id)?;
            let refused = |action| Ok::<_, crate::platform::Error>(by_role.clone().or(found.admits(action).err()));
            Reply::ok(&TransitionsView::of(found.state(), AttachmentAction::ALL, refused)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// `POST …/attachments/{attachment_id}/transitions`.
pub async fn transition<K: Copy + Send + 'static>(
    room: &'static Room<K>,
    (key, id): (K, AttachmentId),
    (state, actor, mut call): (State, Actor, CallContext),
    body: Body<AttachmentTransitionRequest>,
) -> Answer {
    let version = call.optional_version()?;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let subject = (room.subject)(tx, key)?;
            let AttachmentTransitionRequest { action: AttachmentAction::Detach, reason } = body.value;
            let next = actions::detach(tx, &actor, (subject, room.purposes), (id, version.as_ref()), reason)?;
            let version = next.version();
            Reply::versioned(&view(tx, next)?, version)
        })
        .await
}
