//! The tables of mails: what was written, to whom, and what came of each try.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::dossier::Dossier;
use super::kind::Kind;
use super::state::{AttemptOutcome, EmailState, Stage};
use crate::kernel::Instant;
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::{CampaignId, CollectiviteId, EmailId};
use crate::platform::db::schema::{email_attempts, email_dossiers, emails};
use crate::platform::db::{BATCH, Tx};
use crate::platform::error::{Error, Outcome};
use crate::platform::page::{Page, PageView};
use crate::{insert_batches, keyset};

crate::sort_keys!(EmailSort, EmailOrder of "emails", descending { QueuedAt => "queued_at", UpdatedAt => "updated_at" });

/// A mail to write.
#[derive(Clone)]
pub struct NewMail {
    pub kind: &'static Kind,
    pub to: EmailAddress,
    /// Ids, read again by its kind when it leaves.
    pub payload: String,
    pub dossiers: Vec<Dossier>,
    /// Who caused it, for people.
    pub by: String,
    /// Mails with the same key are one.
    pub dedup_key: Option<String>,
    pub resent_of: Option<EmailId>,
}

/// What became of a mail to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Post {
    Queued(EmailId),
    /// One with its key was written before.
    Already,
}

/// A mail as kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = emails)]
pub struct Email {
    pub id: EmailId,
    pub kind: String,
    pub payload: String,
    pub address: EmailAddress,
    pub state: EmailState,
    pub cause: Option<String>,
    pub attempts: i64,
    pub due_at: Instant,
    pub queued_at: Instant,
    pub queued_by: String,
    pub ended_at: Option<Instant>,
    pub resent_of: Option<EmailId>,
    pub updated_at: Instant,
}

/// A file that went with an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = EmailFile)]
pub struct SentFile {
    pub name: String,
    pub media_type: String,
    pub length: usize,
    pub sha256: String,
}

/// One try, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub number: i64,
    pub message_id: String,
    pub sender: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub files: Vec<SentFile>,
    pub begun_at: Instant,
    pub ended_at: Option<Instant>,
    pub outcome: Option<AttemptOutcome>,
    pub stage: Option<Stage>,
    pub answer: Option<String>,
}

#[derive(Insertable)]
#[diesel(table_name = emails, treat_none_as_default_value = false)]
struct EmailRow {
    id: EmailId,
    kind: &'static str,
    payload: String,
    address: EmailAddress,
    domain: String,
    state: EmailState,
    attempts: i64,
    refusals: i64,
    due_at: Instant,
    queued_at: Instant,
    queued_by: String,
    resent_of: Option<EmailId>,
    dedup_key: Option<String>,
    updated_at: Instant,
}

#[derive(Insertable)]
#[diesel(table_name = email_dossiers)]
struct DossierRow {
    email_id: EmailId,
    payer_id: CollectiviteId,
    campaign_id: CampaignId,
}

/// Writes one mail, in the transaction that causes it.
///
/// # Errors
/// Those of the database.
pub fn post(tx: &mut Tx<'_>, mail: NewMail) -> Outcome<Post> {
    let posts = post_all(tx, vec![mail])?;
    posts.into_iter().next().ok_or_else(|| Error::Incident("a mail without its account".into()))
}

/// The keys that were written before.
fn taken(tx: &mut Tx<'_>, mails: &[NewMail]) -> Outcome<HashSet<String>> {
    let keys: Vec<&String> = mails.iter().filter_map(|mail| mail.dedup_key.as_ref()).collect();
    let mut found = HashSet::new();
    for some in keys.chunks(BATCH) {
        let there: Vec<Option<String>> = emails::table
            .filter(emails::dedup_key.eq_any(some.iter().map(|key| Some(key.as_str()))))
            .select(emails::dedup_key)
            .load(tx.conn())?;
        found.extend(there.into_iter().flatten());
    }
    Ok(found)
}

/// Writes mails; what became of each, in their order.
///
/// # Errors
/// Those of the database.
pub fn post_all(tx: &mut Tx<'_>, mails: Vec<NewMail>) -> Outcome<Vec<Post>> {
    let mut taken = taken(tx, &mails)?;
    let now = tx.now();
    let (mut rows, mut dossiers, mut posts) = (Vec::new(), Vec::new(), Vec::with_capacity(mails.len()));
    for mail in mails {
        if mail.dedup_key.as_ref().is_some_and(|key| !taken.insert(key.clone())) {
            posts.push(Post::Already);
            continue;
        }
        let id = EmailId::new(tx.uuid());
        let mut about: Vec<Dossier> = mail.dossiers;
        about.sort_by_key(|d| (d.payer, d.campaign));
        about.dedup();
        let row = |Dossier { payer, campaign }| DossierRow { email_id: id, payer_id: payer, campaign_id: campaign };
        dossiers.extend(about.into_iter().map(row));
        rows.push(EmailRow {
            id,
            kind: mail.kind.name,
            payload: mail.payload,
            domain: domain(&mail.to).to_owned(),
            address: mail.to,
            state: EmailState::Queued,
            attempts: 0,
            refusals: 0,
            due_at: now,
            queued_at: now,
            queued_by: mail.by,
            resent_of: mail.resent_of,
            dedup_key: mail.dedup_key,
            updated_at: now,
        });
        posts.push(Post::Queued(id));
    }
    insert_batches!(tx, emails::table, rows);
    insert_batches!(tx, email_dossiers::table, dossiers);
    Ok(posts)
}

/// Takes dossiers out of mails that leave without them.
///
/// # Errors
/// Those of the database.
pub fn leave_out(tx: &mut Tx<'_>, left: &[(EmailId, Dossier)]) -> Outcome<()> {
    for (email, Dossier { payer, campaign }) in left {
        diesel::delete(email_dossiers::table.find((*email, *payer, *campaign))).execute(tx.conn())?;
    }
    Ok(())
}

/// What stands behind the at sign.
pub(super) fn domain(address: &EmailAddress) -> &str {
    address.as_str().rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Which mails to read.
#[derive(Debug, Clone, Default)]
pub struct EmailFilter {
    pub state: Option<EmailState>,
    pub kind: Option<String>,
    pub address: Option<EmailAddress>,
    pub payer: Option<CollectiviteId>,
    pub campaign: Option<CampaignId>,
    pub updated_since: Option<Instant>,
}

/// A page of mails.
///
/// # Errors
/// A cursor of another list; those of the database.
pub fn list(tx: &mut Tx<'_>, filter: &EmailFilter, page: &Page<EmailSort>) -> Outcome<PageView<Email>> {
    let mut query = emails::table.select(Email::as_select()).into_boxed();
    if let Some(state) = filter.state {
        query = query.filter(emails::state.eq(state));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(emails::kind.eq(kind));
    }
    if let Some(address) = &filter.address {
        query = query.filter(emails::address.eq(address));
    }
    if let Some(payer) = filter.payer {
        let about = email_dossiers::table.filter(email_dossiers::payer_id.eq(payer));
        query = query.filter(emails::id.eq_any(about.select(email_dossiers::email_id)));
    }
    if let Some(campaign) = filter.campaign {
        let about = email_dossiers::table.filter(email_dossiers::campaign_id.eq(campaign));
        query = query.filter(emails::id.eq_any(about.select(email_dossiers::email_id)));
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(emails::updated_at.ge(since));
    }
    keyset!(query, page, emails::id, {
        EmailSort::QueuedAt => emails::queued_at, Instant;
        EmailSort::UpdatedAt => emails::updated_at, Instant;
    });
    let rows: Vec<Email> = query.load(tx.conn())?;
    Ok(page.cut(rows, tx.now(), |sort, email| {
        let at = match sort {
            EmailSort::QueuedAt => email.queued_at,
            EmailSort::UpdatedAt => email.updated_at,
        };
        (at.to_string(), email.id.to_string())
    }))
}

/// One mail.
///
/// # Errors
/// Those of the database.
pub fn find(tx: &mut Tx<'_>, id: EmailId) -> Outcome<Option<Email>> {
    Ok(emails::table.find(id).select(Email::as_select()).first(tx.conn()).optional()?)
}

/// When the last mail of a kind to an address was queued.
///
/// # Errors
/// Those of the database.
pub fn last_queued(tx: &mut Tx<'_>, kind: &str, address: &EmailAddress) -> Outcome<Option<Instant>> {
    let of = emails::table.filter(emails::kind.eq(kind).and(emails::address.eq(address)));
    Ok(of.select(diesel::dsl::max(emails::queued_at)).first(tx.conn())?)
}

/// Whose dossiers some mails are about.
///
/// # Errors
/// Those of the database.
pub fn dossiers(tx: &mut Tx<'_>, ids: &[EmailId]) -> Outcome<HashMap<EmailId, Vec<Dossier>>> {
    let rows: Vec<(EmailId, CollectiviteId, CampaignId)> = email_dossiers::table
        .filter(email_dossiers::email_id.eq_any(ids))
        .order((email_dossiers::email_id, email_dossiers::payer_id, email_dossiers::campaign_id))
        .load(tx.conn())?;
    let mut found: HashMap<EmailId, Vec<Dossier>> = HashMap::new();
    for (email, payer, campaign) in rows {
        found.entry(email).or_default().push(Dossier { payer, campaign });
    }
    Ok(found)
}

#[derive(Queryable)]
struct AttemptRow {
    number: i64,
    message_id: String,
    sender: String,
    subject: String,
    text: String,
    html: String,
    files: String,
    begun_at: Instant,
    ended_at: Option<Instant>,
    outcome: Option<AttemptOutcome>,
    stage: Option<Stage>,
    answer: Option<String>,
}

/// Every try of a mail, the first first.
///
/// # Errors
/// Those of the database.
pub fn attempts(tx: &mut Tx<'_>, id: EmailId) -> Outcome<Vec<Attempt>> {
    let rows: Vec<AttemptRow> = email_attempts::table
        .filter(email_attempts::email_id.eq(id))
        .order(email_attempts::number)
        .select((
            email_attempts::number,
            email_attempts::message_id,
            email_attempts::sender,
            email_attempts::subject,
            email_attempts::body,
            email_attempts::html,
            email_attempts::files,
            email_attempts::begun_at,
            email_attempts::ended_at,
            email_attempts::outcome,
            email_attempts::stage,
            email_attempts::answer,
        ))
        .load(tx.conn())?;
    rows.into_iter()
        .map(|row| {
            Ok(Attempt {
                files: serde_json::from_str(&row.files)?,
                number: row.number,
                message_id: row.message_id,
                sender: row.sender,
                subject: row.subject,
                text: row.text,
                html: row.html,
                begun_at: row.begun_at,
                ended_at: row.ended_at,
                outcome: row.outcome,
                stage: row.stage,
                answer: row.answer,
            })
        })
        .collect()
}
