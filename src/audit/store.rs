//! The table of the journal.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::digest::{By, Facts, commitment};
use super::may::may;
use super::personal::{joined, marked, split};
use super::told::written;
use super::{Entry, Event, EventSort, Filter, Subject, SubjectKind, Told};
use crate::kernel::bare::bare;
use crate::kernel::{
    Actor, Instant, PrincipalKind,
    ids::{AuditEventId, CampaignId, CollectiviteId, ConventionId, InvitationId, UserId},
};
use crate::platform::db::blobs;
use crate::platform::db::schema::audit_events;
use crate::platform::page::{Page, PageView};
use crate::platform::{Outcome, Tx};
use crate::{insert_batches, keyset};

/// Who is named in an entry: by whom it was done, and what its event holds, each under its pointer.
#[derive(Debug, Serialize, Deserialize)]
struct Persons {
    actor: String,
    fields: Map<String, Value>,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
struct EventRow {
    id: AuditEventId,
    at: Instant,
    actor_id: Option<UserId>,
    request_id: Option<String>,
    action: String,
    version: i64,
    subject_kind: SubjectKind,
    subject_id: String,
    subject_key: String,
    campaign_id: Option<CampaignId>,
    payer_id: Option<CollectiviteId>,
    convention_id: Option<ConventionId>,
    data: String,
    persons: Option<String>,
    salt: Option<String>,
    commitment: Option<String>,
    digest: Option<String>,
    actor_kind: Option<PrincipalKind>,
    actor_invitation_id: Option<InvitationId>,
    actor_payer_id: Option<CollectiviteId>,
}

impl EventRow {
    fn new<E: Told>(tx: &Tx<'_>, actor: &Actor, entry: &Entry<E>) -> Outcome<Self> {
        let (action, mut data) = written(&entry.event)?;
        let by = &actor.principal;
        may(by, &action)?;
        let persons = Persons { actor: actor.label.clone(), fields: split(&mut data) };
        let persons = serde_json::to_string(&persons)?;
        let salt = blobs::digest(&tx.secret());
        let subject = entry.subject.clone();
        let mut row = Self {
            id: AuditEventId::new(tx.uuid()),
            at: tx.now(),
            actor_id: by.user(),
            request_id: actor.request_id.clone(),
            action,
            version: E::VERSION,
            subject_kind: subject.kind,
            subject_id: subject.id,
            subject_key: subject.key,
            campaign_id: subject.campaign,
            payer_id: subject.payer,
            convention_id: subject.convention,
            data: data.to_string(),
            commitment: Some(commitment(&salt, &persons)),
            persons: Some(persons),
            salt: Some(salt),
            digest: None,
            actor_kind: Some(by.kind()),
            actor_invitation_id: by.invitation().map(|link| link.id),
            actor_payer_id: by.invitation().map(|link| link.payer),
        };
        row.digest = Some(row.facts().digest()?);
        Ok(row)
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            id: self.id.as_str(),
            at: self.at,
            by: By {
                kind: self.actor_kind,
                user: self.actor_id.as_ref().map(UserId::as_str),
                invitation: self.actor_invitation_id.as_ref().map(InvitationId::as_str),
                payer: self.actor_payer_id.as_ref().map(CollectiviteId::as_str),
            },
            request: self.request_id.as_deref(),
            action: &self.action,
            version: self.version,
            subject: [
                Some(self.subject_kind.as_str()),
                Some(&self.subject_id),
                Some(&self.subject_key),
                self.campaign_id.as_ref().map(CampaignId::as_str),
                self.payer_id.as_ref().map(CollectiviteId::as_str),
                self.convention_id.as_ref().map(ConventionId::as_str),
            ],
            data: &self.data,
            commitment: self.commitment.as_deref().unwrap_or_default(),
        }
    }

    /// Whether facts, and persons as long as they are there, are those that were digested.
    fn is_intact(&self) -> Outcome<Option<bool>> {
        let Some(digest) = &self.digest else { return Ok(None) };
        let named = match (&self.salt, &self.persons) {
            (Some(salt), Some(persons)) => self.commitment.as_ref() == Some(&commitment(salt, persons)),
            (None, None) => true,
            _ => false,
        };
        Ok(Some(named && self.facts().digest()? == *digest))
    }

    fn event(self) -> Outcome<Event> {
        let intact = self.is_intact()?;
        // What is no JSON any more is no longer what was written: told, and shown as falsified, beside the others.
        let data: Option<Value> = serde_json::from_str(&self.data).ok();
        let persons: Option<Option<Persons>> = self.persons.as_deref().map(|text| serde_json::from_str(text).ok());
        let broken = data.is_none() || persons.as_ref().is_some_and(Option::is_none);
        let intact = if broken { Some(false) } else { intact };
        let (data, persons) = (data.unwrap_or_else(|| json!({})), persons.flatten());
        let (actor_label, fields) = persons.map_or_else(Default::default, |p| (Some(p.actor), p.fields));
        Ok(Event {
            id: self.id,
            at: self.at,
            // Before kinds, an account or the program.
            by: self.actor_kind.unwrap_or(match self.actor_id {
                Some(_) => PrincipalKind::Staff,
                None => PrincipalKind::Program,
            }),
            actor_id: self.actor_id,
            invitation: self.actor_invitation_id.zip(self.actor_payer_id),
            actor_label,
            request_id: self.request_id,
            action: self.action,
            version: self.version,
            subject: Subject {
                kind: self.subject_kind,
                id: self.subject_id,
                key: self.subject_key,
                campaign: self.campaign_id,
                payer: self.payer_id,
                convention: self.convention_id,
            },
            data: joined(data.clone(), &fields),
            marked: marked(data, &fields),
            digest: self.digest,
            intact,
        })
    }
}

pub(super) fn insert<E: Told>(tx: &mut Tx<'_>, actor: &Actor, entries: &[Entry<E>]) -> Outcome<()> {
    let rows = entries.iter().map(|entry| EventRow::new(tx, actor, entry)).collect::<Outcome<Vec<_>>>()?;
    insert_batches!(tx, audit_events::table, rows);
    Ok(())
}

pub(super) fn last_called(tx: &mut Tx<'_>, kind: SubjectKind, key: &str) -> Outcome<Option<Subject>> {
    type Row = (String, Option<CampaignId>, Option<CollectiviteId>, Option<ConventionId>);
    let row: Option<Row> = audit_events::table
        .filter(audit_events::subject_kind.eq(kind))
        .filter(audit_events::subject_key.eq(key).or(audit_events::subject_id.eq(key)))
        .order(audit_events::id.desc())
        .select((
            audit_events::subject_id,
            audit_events::campaign_id,
            audit_events::payer_id,
            audit_events::convention_id,
        ))
        .first(tx.conn())
        .optional()?;
    let subject =
        |(id, campaign, payer, convention)| Subject { kind, id, key: key.to_owned(), campaign, payer, convention };
    Ok(row.map(subject))
}

pub(super) fn last_told(tx: &mut Tx<'_>, kind: SubjectKind, id: &str) -> Outcome<Option<Subject>> {
    let row: Option<EventRow> = audit_events::table
        .filter(audit_events::subject_kind.eq(kind).and(audit_events::subject_id.eq(id)))
        .order(audit_events::id.desc())
        .select(EventRow::as_select())
        .first(tx.conn())
        .optional()?;
    Ok(row.map(EventRow::event).transpose()?.map(|event| event.subject))
}

/// A thing had few keys: an id, a SIRET or two, a reference.
const KEYS: i64 = 50;

/// Every id the word may mean: things that had it as a key, and itself; with a payer, its conventions, whose titles may
/// be those of a successor.
fn meant(tx: &mut Tx<'_>, word: &str, known: &[String]) -> Outcome<Vec<String>> {
    // Spaces and case are forgiven in identifiers.
    let words = [word.to_owned(), bare(word).into_owned()];
    let mut ids: Vec<String> = audit_events::table
        .filter(audit_events::subject_key.eq_any(words.clone()))
        .select(audit_events::subject_id)
        .distinct()
        .limit(KEYS)
        .load(tx.conn())?;
    ids.extend(words);
    ids.extend_from_slice(known);
    let own: Vec<String> = audit_events::table
        .filter(audit_events::payer_id.assume_not_null().eq_any(ids.clone()))
        .filter(audit_events::subject_kind.eq(SubjectKind::Convention))
        .select(audit_events::subject_id)
        .distinct()
        .limit(KEYS)
        .load(tx.conn())?;
    ids.extend(own);
    Ok(ids)
}

pub(super) fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page<EventSort>) -> Outcome<PageView<Event>> {
    let mut query = audit_events::table.select(EventRow::as_select()).into_boxed();
    if let Some(word) = &filter.subject {
        let ids = meant(tx, word, &filter.meant)?;
        query = query.filter(
            audit_events::subject_id
                .eq_any(ids.clone())
                .or(audit_events::campaign_id.assume_not_null().eq_any(ids.clone()))
                .or(audit_events::payer_id.assume_not_null().eq_any(ids.clone()))
                .or(audit_events::convention_id.assume_not_null().eq_any(ids)),
        );
    }
    if let Some(kind) = filter.subject_kind {
        query = query.filter(audit_events::subject_kind.eq(kind));
    }
    if let Some(key) = &filter.subject_key {
        // A SIRET or a UAI as people write it; ids and school years stand as they are.
        query = query.filter(audit_events::subject_key.eq_any([key.clone(), bare(key).into_owned()]));
    }
    if let Some(action) = &filter.action {
        query = query.filter(audit_events::action.eq(action));
    }
    if let Some(actor) = filter.actor {
        query = query.filter(audit_events::actor_id.eq(actor));
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(audit_events::at.ge(since));
    }
    keyset!(query, page, audit_events::id, { EventSort::At => audit_events::id, String; });
    let rows: Vec<EventRow> = query.load(tx.conn())?;
    let events = rows.into_iter().map(EventRow::event).collect::<Outcome<Vec<_>>>()?;
    Ok(page.cut(events, tx.now(), |EventSort::At, event| (event.id.to_string(), event.id.to_string())))
}
