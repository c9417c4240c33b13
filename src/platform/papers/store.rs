//! The table of papers.

use std::collections::HashMap;

use diesel::prelude::*;

use super::kind::{DocumentStatus, FIRST, Kind, NewPaper};
use crate::insert_batches;
use crate::kernel::Instant;
use crate::platform::db::schema::papers;
use crate::platform::db::{Tx, blobs};
use crate::platform::error::Outcome;

/// « before »: made before it was noted by what.
pub(super) const BEFORE: &str = "before";

#[derive(Insertable)]
#[diesel(table_name = papers)]
struct NewRow<'a> {
    subject_kind: &'a str,
    subject_id: String,
    kind: &'a str,
    version: i64,
    content: String,
    content_sha256: String,
    template_sha256: &'a str,
    attached: bool,
    status: DocumentStatus,
    changed_at: Instant,
}

/// A paper as stored, without its bytes.
#[derive(Queryable)]
pub(super) struct Row {
    pub input: String,
    pub input_sha256: Option<String>,
    pub template_sha256: String,
    pub attached: bool,
    pub status: DocumentStatus,
    pub sha256: Option<String>,
    pub made_by: Option<String>,
    pub checked_at: Option<Instant>,
}

/// Which paper.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    pub kind: &'a Kind,
    pub subject: &'a str,
    pub version: i64,
}

impl<'a> Key<'a> {
    /// As the table has it.
    const fn columns(self) -> (&'a str, &'a str, i64) {
        (self.subject, self.kind.name, self.version)
    }
}

/// What a paper is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    pub input: String,
    pub template_sha256: String,
}

/// Where a paper stands, and the digest of its bytes once they are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub status: DocumentStatus,
    pub sha256: Option<String>,
}

pub(super) fn insert(tx: &mut Tx<'_>, kind: &Kind, template_sha256: &str, new: Vec<NewPaper>) -> Outcome<()> {
    let now = tx.now();
    let rows: Vec<NewRow<'_>> = new
        .into_iter()
        .map(|paper| NewRow {
            subject_kind: kind.subject,
            subject_id: paper.subject,
            kind: kind.name,
            version: FIRST,
            content_sha256: blobs::digest(paper.input.as_bytes()),
            content: paper.input,
            template_sha256,
            attached: kind.attaches,
            status: DocumentStatus::Pending,
            changed_at: now,
        })
        .collect();
    insert_batches!(tx, papers::table, rows);
    Ok(())
}

pub(super) fn find(tx: &mut Tx<'_>, key: Key<'_>) -> Outcome<Option<Row>> {
    Ok(papers::table
        .find(key.columns())
        .select((
            papers::content,
            papers::content_sha256,
            papers::template_sha256,
            papers::attached,
            papers::status,
            papers::sha256,
            papers::made_by,
            papers::checked_at,
        ))
        .first(tx.conn())
        .optional()?)
}

/// What the papers of some subjects are made of.
pub fn frozen(tx: &mut Tx<'_>, kind: &str, subjects: &[&str]) -> Outcome<HashMap<String, Frozen>> {
    let mut found = HashMap::with_capacity(subjects.len());
    for chunk in subjects.chunks(5000) {
        let rows: Vec<(String, String, String)> = papers::table
            .filter(papers::kind.eq(kind).and(papers::version.eq(FIRST)))
            .filter(papers::subject_id.eq_any(chunk))
            .select((papers::subject_id, papers::content, papers::template_sha256))
            .load(tx.conn())?;
        found.extend(
            rows.into_iter().map(|(subject, input, template_sha256)| (subject, Frozen { input, template_sha256 })),
        );
    }
    Ok(found)
}

/// Where the papers of some subjects stand.
pub fn states(tx: &mut Tx<'_>, kind: &str, subjects: &[&str]) -> Outcome<HashMap<String, State>> {
    let rows: Vec<(String, DocumentStatus, Option<String>)> = papers::table
        .filter(papers::kind.eq(kind).and(papers::version.eq(FIRST)))
        .filter(papers::subject_id.eq_any(subjects))
        .select((papers::subject_id, papers::status, papers::sha256))
        .load(tx.conn())?;
    let state = |status, sha256| State { status, sha256: if status == DocumentStatus::Ready { sha256 } else { None } };
    Ok(rows.into_iter().map(|(subject, status, sha256)| (subject, state(status, sha256))).collect())
}

/// Keeps the bytes of a paper that has none yet; false when others came first.
pub(super) fn keep(tx: &mut Tx<'_>, key: Key<'_>, sha256: &str, made_by: &str) -> Outcome<bool> {
    let now = tx.now();
    let blank = papers::table
        .find(key.columns())
        .filter(papers::status.eq_any([DocumentStatus::Pending, DocumentStatus::Failed]));
    let done = diesel::update(blank)
        .set((
            papers::status.eq(DocumentStatus::Ready),
            papers::sha256.eq(sha256),
            papers::made_by.eq(made_by),
            papers::changed_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(done == 1)
}

/// Notes why a paper cannot be made; false when nothing changed.
pub(super) fn fail(tx: &mut Tx<'_>, key: Key<'_>, cause: &str) -> Outcome<bool> {
    let now = tx.now();
    let pending = papers::table.find(key.columns()).filter(papers::status.eq(DocumentStatus::Pending));
    let done = diesel::update(pending)
        .set((papers::status.eq(DocumentStatus::Failed), papers::cause.eq(cause), papers::changed_at.eq(now)))
        .execute(tx.conn())?;
    Ok(done == 1)
}

/// Notes that what is kept was found to be what its input makes.
pub(super) fn check(tx: &mut Tx<'_>, key: Key<'_>) -> Outcome<()> {
    let now = tx.now();
    let ready = papers::table
        .find(key.columns())
        .filter(papers::status.eq(DocumentStatus::Ready))
        .filter(papers::checked_at.is_null());
    diesel::update(ready).set(papers::checked_at.eq(now)).execute(tx.conn())?;
    Ok(())
}

/// Notes that what is kept is not what its input makes: it is never served again.
pub(super) fn falsify(tx: &mut Tx<'_>, key: Key<'_>) -> Outcome<bool> {
    let now = tx.now();
    let ready = papers::table.find(key.columns()).filter(papers::status.eq(DocumentStatus::Ready));
    let done = diesel::update(ready)
        .set((papers::status.eq(DocumentStatus::Falsified), papers::changed_at.eq(now)))
        .execute(tx.conn())?;
    Ok(done == 1)
}
