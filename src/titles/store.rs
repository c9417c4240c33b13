//! The tables of titles, their lines, and their approvals.
//!
//! Over 400 lines: three tables that change together in the same transactions.

use std::collections::HashSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use super::settlement::Stored;
use super::store_returns;
use super::title::{Reference, Return, Stage, Title, TitleKind, TitleLine, TitleState};
use crate::access::Signatory;
use crate::claims::{Debtor, Ground};
use crate::conventions::Reach;
use crate::kernel::ids::{BatchId, CampaignId, CollectiviteId, ConventionId, ParticipationId, TitleId, UserId};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::{Line, Note, SearchText};
use crate::kernel::{Departement, Finding, InseeCode, Instant, Money, Refused, Siret, Uai};
use crate::platform::db::json::Json;
use crate::platform::db::schema::{
    collectivites, conventions, perception_titles as titles, title_approvals, title_lines, title_resubmissions,
    title_returns,
};
use crate::platform::db::unreadable::Rows;
use crate::platform::db::{BATCH, Backend, search};
use crate::platform::page::{Page, PageView};
use crate::platform::{Error, Outcome, Tx, each, on_unique};
use crate::registry;
use crate::registry::kinds::CollectiviteKind;
use crate::{insert_batches, keyset, rows};

#[derive(Queryable, Insertable, Clone)]
#[diesel(table_name = titles, treat_none_as_default_value = false)]
struct TitleRow {
    id: TitleId,
    campaign_id: CampaignId,
    convention_id: ConventionId,
    convention_rank: i64,
    participation_id: ParticipationId,
    debtor_id: CollectiviteId,
    debtor_siret: Siret,
    debtor_departement: Option<Departement>,
    kind: TitleKind,
    corrects_id: Option<TitleId>,
    state: TitleState,
    amount_cents: Money,
    debtor: Json<Debtor>,
    ground: Json<Ground>,
    small_claim: bool,
    flagged: bool,
    threshold_cents: Money,
    findings: Json<Vec<Finding>>,
    prepared_by: UserId,
    prepared_by_label: String,
    prepared_at: Instant,
    reference: Option<String>,
    exercice: Option<i64>,
    batch_id: Option<BatchId>,
    batch_number: Option<String>,
    withdrawn_reason: Option<Note>,
    chorus_number: Option<String>,
    chorus_issued_on: Option<NaiveDate>,
    version: i64,
    updated_at: Instant,
    withdrawn_at: Option<Instant>,
}

/// A returned title stays prepared: its return is a fact beside it.
fn stored_state(t: &Title) -> TitleState {
    if t.is_returned() { TitleState::Prepared } else { t.state() }
}

impl TitleRow {
    fn new(t: &Title) -> Outcome<Self> {
        let (batch, reason) = match &t.stage {
            Stage::Transmitted(_, id, number) => (Some((*id, number.clone())), None),
            Stage::Withdrawn { reason, .. } => (None, Some(reason.clone())),
            _ => (None, None),
        };
        Ok(Self {
            id: t.id,
            campaign_id: t.campaign_id,
            convention_id: t.convention_id,
            convention_rank: t.convention_rank,
            participation_id: t.participation_id,
            debtor_id: t.debtor_id,
            debtor_siret: t.debtor.siret.clone(),
            debtor_departement: t.debtor.departement.clone(),
            kind: t.kind,
            corrects_id: t.corrects_id,
            state: stored_state(t),
            amount_cents: t.amount,
            debtor: Json::new(t.debtor.clone())?,
            ground: Json::new(t.ground.clone())?,
            small_claim: t.small_claim,
            flagged: t.flagged,
            threshold_cents: t.threshold,
            findings: Json::new(t.findings.clone())?,
            prepared_by: t.prepared_by,
            prepared_by_label: t.prepared_by_label.clone(),
            prepared_at: t.prepared_at,
            reference: t.reference().map(|r| r.text.clone()),
            exercice: t.reference().map(|r| r.exercice),
            batch_id: batch.as_ref().map(|(id, _)| *id),
            batch_number: batch.map(|(_, number)| number),
            withdrawn_reason: reason,
            chorus_number: None,
            chorus_issued_on: None,
            version: t.version,
            updated_at: t.updated_at,
            withdrawn_at: None,
        })
    }

    fn into_domain(self, returned: Option<Return>) -> Outcome<Title> {
        let key = self.reference.clone().unwrap_or_else(|| self.id.to_string());
        let broken = |what: &str| Error::falsified("perception_title", &key, format!("le titre est {what}"));
        let reference = match (self.reference, self.exercice) {
            (Some(text), Some(exercice)) => Some(Reference { text, exercice }),
            _ => None,
        };
        let owes = &self.debtor.value;
        if (&self.debtor_siret, &self.debtor_departement) != (&owes.siret, &owes.departement) {
            let fault = "le débiteur du titre n'est plus le même dans toutes ses colonnes";
            return Err(Error::falsified("perception_title", &key, fault));
        }
        let stage = match self.state {
            TitleState::Prepared => Stage::Prepared,
            TitleState::Approved => Stage::Approved(reference.ok_or_else(|| broken("approuvé sans référence"))?),
            TitleState::Transmitted => Stage::Transmitted(
                reference.ok_or_else(|| broken("transmis sans référence"))?,
                self.batch_id.ok_or_else(|| broken("transmis sans bordereau"))?,
                self.batch_number.ok_or_else(|| broken("transmis sans numéro de bordereau"))?,
            ),
            TitleState::Withdrawn => Stage::Withdrawn {
                reference,
                reason: self.withdrawn_reason.ok_or_else(|| broken("retiré sans motif"))?,
            },
            TitleState::Returned => {
                return Err(broken("dans un état que cette version du programme ne connaît pas"));
            }
        };
        Ok(Title {
            id: self.id,
            campaign_id: self.campaign_id,
            convention_id: self.convention_id,
            convention_rank: self.convention_rank,
            participation_id: self.participation_id,
            debtor_id: self.debtor_id,
            debtor: self.debtor.value,
            kind: self.kind,
            corrects_id: self.corrects_id,
            stage,
            amount: self.amount_cents,
            ground: self.ground.value,
            small_claim: self.small_claim,
            flagged: self.flagged,
            threshold: self.threshold_cents,
            findings: self.findings.value,
            prepared_by: self.prepared_by,
            prepared_by_label: self.prepared_by_label,
            prepared_at: self.prepared_at,
            returned,
            version: self.version,
            updated_at: self.updated_at,
        })
    }
}

#[derive(Insertable, Queryable)]
#[diesel(table_name = title_lines, treat_none_as_default_value = false)]
struct LineRow {
    title_id: TitleId,
    position: i64,
    uai: Uai,
    label: String,
    commune_name: Line,
    departement: Departement,
    quantity: i64,
    unit_amount_cents: Option<Money>,
    amount_cents: Money,
    waiver: Option<String>,
}

/// Where a row that cannot be read is looked for.
pub(super) const ROWS: &[Rows] = &[
    rows!("perception_titles": titles as TitleRow, "perception_title",
        "SELECT id, coalesce(reference, id) AS key FROM perception_titles ORDER BY id", titles::id),
    rows!("title_lines": title_lines as LineRow, "perception_title",
        "SELECT id, coalesce(reference, id) AS key FROM perception_titles ORDER BY id", title_lines::title_id),
    rows!("title_approvals": title_approvals as ApprovalRow, "perception_title",
        "SELECT title_id AS id, reference AS key FROM title_approvals ORDER BY title_id", title_approvals::title_id),
    rows!("title_returns": title_returns as Note, "perception_title",
        "SELECT DISTINCT t.id, coalesce(t.reference, t.id) AS key FROM title_returns r JOIN perception_titles t ON t.id = r.title_id ORDER BY t.id",
        title_returns::title_id, title_returns::reason),
    rows!("title_resubmissions": title_resubmissions as Note, "perception_title",
        "SELECT r.id, coalesce(t.reference, t.id) AS key FROM title_returns r JOIN perception_titles t ON t.id = r.title_id ORDER BY r.id",
        title_resubmissions::return_id, title_resubmissions::reason),
];

/// Stores prepared titles and their lines, in batches.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    prepared: &[(Title, Vec<TitleLine>)],
    doubled: impl FnOnce() -> Refused,
) -> Outcome<()> {
    let rows = each(prepared.iter().collect(), |(t, _)| TitleRow::new(t))?;
    let lines: Vec<LineRow> = prepared
        .iter()
        .flat_map(|(t, lines)| {
            (1_i64..).zip(lines).map(|(position, l)| LineRow {
                title_id: t.id,
                position,
                uai: l.uai.clone(),
                label: l.label.clone(),
                commune_name: l.commune_name.clone(),
                departement: l.departement.clone(),
                quantity: l.quantity,
                unit_amount_cents: l.unit_amount,
                amount_cents: l.amount,
                waiver: l.waiver.clone(),
            })
        })
        .collect();
    let mut run = || -> QueryResult<()> {
        insert_batches!(tx, titles::table, rows);
        insert_batches!(tx, title_lines::table, lines);
        Ok(())
    };
    on_unique(run(), doubled)
}

/// Writes what moves of a changed title if nobody did since it was read.
pub(super) fn save(tx: &mut Tx<'_>, t: &mut Title) -> Outcome<()> {
    let read = t.version;
    t.version += 1;
    t.updated_at = tx.now();
    let done = diesel::update(titles::table.find(t.id).filter(titles::version.eq(read)))
        .set((
            titles::state.eq(stored_state(t)),
            titles::withdrawn_reason.eq(match &t.stage {
                Stage::Withdrawn { reason, .. } => Some(reason),
                _ => None,
            }),
            titles::withdrawn_at.eq(match &t.stage {
                Stage::Withdrawn { .. } => Some(t.updated_at),
                _ => None,
            }),
            titles::version.eq(t.version),
            titles::updated_at.eq(t.updated_at),
        ))
        .execute(tx.conn())?;
    if done == 1 {
        Ok(())
    } else {
        Err(Refused::new(&CONCURRENT_CHANGE, "Le titre a été modifié entre-temps.").into())
    }
}

fn load(tx: &mut Tx<'_>, rows: Vec<TitleRow>) -> Outcome<Vec<Title>> {
    let ids: Vec<TitleId> = rows.iter().map(|r| r.id).collect();
    let mut returned = store_returns::last(tx, &ids)?;
    each(rows, |row| {
        let own = returned.remove(&row.id);
        row.into_domain(own)
    })
}

pub(super) fn find(tx: &mut Tx<'_>, id: TitleId) -> Outcome<Option<Title>> {
    let row: Option<TitleRow> = titles::table.find(id).first(tx.conn()).optional()?;
    Ok(load(tx, row.into_iter().collect())?.pop())
}

pub(super) fn by_ids(tx: &mut Tx<'_>, ids: &[TitleId]) -> Outcome<Vec<Title>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(5000) {
        let rows = titles::table.filter(titles::id.eq_any(chunk)).load(tx.conn())?;
        found.extend(load(tx, rows)?);
    }
    Ok(found)
}

/// What each title adds to what is called, or takes from it; see [`TitleKind::net`].
pub(super) fn nets(tx: &mut Tx<'_>, reach: Reach<'_>) -> Outcome<Vec<(ConventionId, Money)>> {
    let columns = (titles::convention_id, titles::kind, titles::state, titles::amount_cents);
    let rows: Vec<(ConventionId, TitleKind, TitleState, Money)> = match reach {
        Reach::Campaign(campaign) => {
            titles::table.filter(titles::campaign_id.eq(campaign)).select(columns).load(tx.conn())?
        }
        Reach::These([id]) => titles::table.filter(titles::convention_id.eq(*id)).select(columns).load(tx.conn())?,
        Reach::These(ids) => titles::table.filter(titles::convention_id.eq_any(ids)).select(columns).load(tx.conn())?,
    };
    Ok(rows.into_iter().map(|(convention, kind, state, amount)| (convention, kind.net(state, amount))).collect())
}

/// Conventions of a campaign of which a title changed since an instant.
pub(super) fn changed_since(tx: &mut Tx<'_>, campaign: CampaignId, since: Instant) -> Outcome<HashSet<ConventionId>> {
    let changed: Vec<ConventionId> = titles::table
        .filter(titles::campaign_id.eq(campaign).and(titles::updated_at.ge(since)))
        .select(titles::convention_id)
        .load(tx.conn())?;
    Ok(changed.into_iter().collect())
}

/// Titles of a campaign to which an ordonnateur said no, in the order of their ids: withdrawn, or back with who prepares.
pub(super) fn refused(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<Title>> {
    let of = |status| TitleFilter { campaign: Some(campaign), status: Some(status), ..TitleFilter::default() };
    let mut found = select(tx, &of(TitleState::Withdrawn))?;
    found.extend(select(tx, &of(TitleState::Returned))?);
    Ok(found)
}

/// How many titles of a campaign are in a state.
pub(super) fn count(tx: &mut Tx<'_>, campaign: CampaignId, state: TitleState) -> Outcome<i64> {
    Ok(titles::table
        .filter(titles::campaign_id.eq(campaign))
        .filter(titles::state.eq(state))
        .count()
        .get_result(tx.conn())?)
}

/// Lines of some titles, in order.
pub(super) fn lines(tx: &mut Tx<'_>, ids: &[TitleId]) -> Outcome<Vec<(TitleId, TitleLine)>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(5000) {
        let rows: Vec<LineRow> = title_lines::table
            .filter(title_lines::title_id.eq_any(chunk))
            .order((title_lines::title_id.asc(), title_lines::position.asc()))
            .load(tx.conn())?;
        found.extend(rows.into_iter().map(|r| {
            let line = TitleLine {
                uai: r.uai,
                label: r.label,
                commune_name: r.commune_name,
                departement: r.departement,
                quantity: r.quantity,
                unit_amount: r.unit_amount_cents,
                amount: r.amount_cents,
                waiver: r.waiver,
            };
            (r.title_id, line)
        }));
    }
    Ok(found)
}

/// The frozen approval of a title.
#[derive(Insertable, Queryable, Clone, Debug)]
#[diesel(table_name = title_approvals, treat_none_as_default_value = false)]
pub struct ApprovalRow {
    pub title_id: TitleId,
    pub reference: String,
    pub exercice: i64,
    pub number_rank: i64,
    pub approved_by: UserId,
    pub approver: Json<Signatory>,
    pub approved_on: NaiveDate,
    pub approved_at: Instant,
    pub content_sha256: String,
}

impl ApprovalRow {
    /// What is compared with the title, with the content that its paper is made of.
    pub(super) fn stored<'a>(&'a self, content: &'a str) -> Stored<'a> {
        Stored {
            reference: &self.reference,
            exercice: self.exercice,
            approver: &self.approver.value,
            approved_on: self.approved_on,
            approved_by: self.approved_by,
            approved_at: self.approved_at,
            content,
            content_sha256: &self.content_sha256,
        }
    }
}

/// Writes approvals and moves their titles; an error when one of them was no longer `prepared`.
pub(super) fn approve(tx: &mut Tx<'_>, approvals: &[ApprovalRow]) -> Outcome<()> {
    let (Some(first), Some(last)) = (approvals.first(), approvals.last()) else { return Ok(()) };
    let now = tx.now();
    insert_batches!(tx, title_approvals::table, approvals);
    // One statement for all: the approvals just written say which titles and which references.
    let moved = diesel::sql_query(
        "UPDATE perception_titles SET state = 'approved', version = version + 1, \
         updated_at = $1, exercice = $2, \
         reference = (SELECT a.reference FROM title_approvals a WHERE a.title_id = perception_titles.id) \
         WHERE state = 'prepared' AND id IN (SELECT a.title_id FROM title_approvals a \
         WHERE a.exercice = $3 AND a.number_rank BETWEEN $4 AND $5)",
    )
    .bind::<Timestamp, _>(now)
    .bind::<BigInt, _>(first.exercice)
    .bind::<BigInt, _>(first.exercice)
    .bind::<BigInt, _>(first.number_rank)
    .bind::<BigInt, _>(last.number_rank)
    .execute(tx.conn())?;
    ensure_all(moved, approvals.len())
}

/// Moves approved titles into a batch already written; an error when one was no longer `approved`.
pub(super) fn transmit(tx: &mut Tx<'_>, batch: BatchId, number: &str, ids: &[TitleId]) -> Outcome<()> {
    let now = tx.now();
    let mut moved = 0;
    for some in ids.chunks(BATCH) {
        moved += diesel::update(titles::table)
            .filter(titles::state.eq(TitleState::Approved))
            .filter(titles::id.eq_any(some))
            .set((
                titles::state.eq(TitleState::Transmitted),
                titles::batch_id.eq(batch),
                titles::batch_number.eq(number),
                titles::version.eq(titles::version + 1_i64),
                titles::updated_at.eq(now),
            ))
            .execute(tx.conn())?;
    }
    ensure_all(moved, ids.len())
}

fn ensure_all(moved: usize, expected: usize) -> Outcome<()> {
    if moved == expected {
        return Ok(());
    }
    Err(Refused::new(&CONCURRENT_CHANGE, "Un titre a changé d'état pendant l'opération ; rien n'est enregistré.")
        .into())
}

/// The approvals of some titles.
pub(super) fn approvals(tx: &mut Tx<'_>, ids: &[TitleId]) -> Outcome<Vec<ApprovalRow>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(5000) {
        let rows: Vec<ApprovalRow> =
            title_approvals::table.filter(title_approvals::title_id.eq_any(chunk)).load(tx.conn())?;
        found.extend(rows);
    }
    Ok(found)
}

/// What a list says of an approval: without its content, which is long.
#[derive(Debug, Clone)]
pub struct Approval {
    pub title_id: TitleId,
    pub approver: Signatory,
    pub approved_on: NaiveDate,
}

/// The approvals of some titles, in short.
pub(super) fn approvals_in_short(tx: &mut Tx<'_>, ids: &[TitleId]) -> Outcome<Vec<Approval>> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(5000) {
        let rows: Vec<(TitleId, Json<Signatory>, NaiveDate)> = title_approvals::table
            .filter(title_approvals::title_id.eq_any(chunk))
            .select((title_approvals::title_id, title_approvals::approver, title_approvals::approved_on))
            .load(tx.conn())?;
        found.extend(rows.into_iter().map(|(title_id, approver, approved_on)| Approval {
            title_id,
            approver: approver.value,
            approved_on,
        }));
    }
    Ok(found)
}

/// The exercices of a campaign's titles in a state.
pub(super) fn exercices(tx: &mut Tx<'_>, campaign: CampaignId, state: TitleState) -> Outcome<Vec<i64>> {
    let years: Vec<Option<i64>> = titles::table
        .filter(titles::campaign_id.eq(campaign))
        .filter(titles::state.eq(state))
        .select(titles::exercice)
        .distinct()
        .load(tx.conn())?;
    Ok(years.into_iter().flatten().collect())
}

/// Shows among what changed that the paper of a title has; its version stays, as a convention's does.
pub(super) fn touch(tx: &mut Tx<'_>, id: TitleId) -> Outcome<()> {
    let now = tx.now();
    diesel::update(titles::table.find(id)).set(titles::updated_at.eq(now)).execute(tx.conn())?;
    Ok(())
}

/// When a title was withdrawn.
pub(super) fn withdrawn_at(tx: &mut Tx<'_>, id: TitleId) -> Outcome<Option<Instant>> {
    Ok(titles::table.find(id).select(titles::withdrawn_at).first(tx.conn())?)
}

/// Which titles a list or a bulk approval takes.
#[derive(Debug, Clone, Default)]
pub struct TitleFilter {
    pub campaign: Option<CampaignId>,
    /// SIRET, present or former, of the debtor.
    pub collectivite: Option<Siret>,
    pub departement: Option<Departement>,
    /// Nature and INSEE code of the debtor, as the registry has them.
    pub kind: Option<CollectiviteKind>,
    pub insee_code: Option<InseeCode>,
    pub status: Option<TitleState>,
    pub reference: Option<String>,
    /// Number of the convention.
    pub number: Option<String>,
    pub convention: Option<ConventionId>,
    pub q: Option<SearchText>,
    pub updated_since: Option<Instant>,
}

crate::sort_keys!(TitleSort, TitleOrder of "perception_titles" {
    Prepared => "prepared_at", Reference => "reference", Amount => "amount", Updated => "updated_at",
});

fn filtered(filter: &TitleFilter) -> titles::BoxedQuery<'static, Backend> {
    let mut query = titles::table.into_boxed();
    if let Some(campaign) = filter.campaign {
        query = query.filter(titles::campaign_id.eq(campaign));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(titles::debtor_id.eq_any(registry::of_kind(kind)));
    }
    if let Some(code) = &filter.insee_code {
        query = query.filter(titles::debtor_id.eq_any(registry::holders_of_commune(code)));
    }
    if let Some(siret) = &filter.collectivite {
        query = query.filter(titles::debtor_id.eq_any(registry::holders_of_siret(siret)));
    }
    if let Some(departement) = &filter.departement {
        query = query.filter(titles::debtor_departement.eq(departement.clone()));
    }
    if let Some(status) = filter.status {
        use crate::platform::db::schema::{title_resubmissions as again, title_returns as returns};
        let standing =
            returns::table.filter(returns::id.ne_all(again::table.select(again::return_id))).select(returns::title_id);
        query = match status {
            TitleState::Returned => {
                query.filter(titles::state.eq(TitleState::Prepared)).filter(titles::id.eq_any(standing))
            }
            TitleState::Prepared => query.filter(titles::state.eq(status)).filter(titles::id.ne_all(standing)),
            _ => query.filter(titles::state.eq(status)),
        };
    }
    if let Some(reference) = &filter.reference {
        query = query.filter(titles::reference.eq(reference.clone()));
    }
    if let Some(number) = &filter.number {
        let numbered = conventions::table.filter(conventions::number.eq(number.clone())).select(conventions::id);
        query = query.filter(titles::convention_id.eq_any(numbered));
    }
    if let Some(convention) = filter.convention {
        query = query.filter(titles::convention_id.eq(convention));
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(titles::updated_at.ge(since));
    }
    if let Some(q) = &filter.q {
        let name = collectivites::name_fold.like(search::name(q.as_str())).escape(search::ESCAPE);
        let siret = collectivites::siret.like(search::code_start(q.as_str())).escape(search::ESCAPE);
        let debtors = collectivites::table.filter(name.or(siret)).select(collectivites::id);
        let numbered = conventions::table
            .filter(conventions::number.like(search::code(q.as_str())).escape(search::ESCAPE))
            .select(conventions::id);
        let reference = reference().like(search::code(q.as_str())).escape(search::ESCAPE);
        query =
            query.filter(titles::debtor_id.eq_any(debtors).or(titles::convention_id.eq_any(numbered)).or(reference));
    }
    query
}

/// The reference, blank before approval: databases differ on where they sort what is null.
fn reference() -> diesel::expression::SqlLiteral<Text> {
    diesel::dsl::sql::<Text>("COALESCE(perception_titles.reference, '')")
}

/// A page of titles. Their ids sort as they were prepared.
pub(super) fn list(tx: &mut Tx<'_>, filter: &TitleFilter, page: &Page<TitleSort>) -> Outcome<PageView<Title>> {
    let mut query = filtered(filter);
    keyset!(query, page, titles::id, {
        TitleSort::Prepared => titles::id, String;
        TitleSort::Reference => reference(), String;
        TitleSort::Amount => titles::amount_cents, i64;
        TitleSort::Updated => titles::updated_at, Instant;
    });
    let rows = query.load(tx.conn())?;
    let found = load(tx, rows)?;
    let place = |by, t: &Title| {
        let value = match by {
            TitleSort::Prepared => t.id.to_string(),
            TitleSort::Reference => t.reference().map_or_else(String::new, |r| r.text.clone()),
            TitleSort::Amount => t.amount.cents().to_string(),
            TitleSort::Updated => t.updated_at.to_string(),
        };
        (value, t.id.to_string())
    };
    Ok(page.cut(found, tx.now(), place))
}

/// Whether a title lives for a convention.
pub(super) fn is_titled(tx: &mut Tx<'_>, convention: ConventionId) -> Outcome<bool> {
    let gone = [TitleState::Withdrawn];
    let living = titles::table.filter(titles::convention_id.eq(convention)).filter(titles::state.ne_all(gone));
    Ok(diesel::select(diesel::dsl::exists(living)).get_result(tx.conn())?)
}

/// Every title a filter takes.
pub(super) fn select(tx: &mut Tx<'_>, filter: &TitleFilter) -> Outcome<Vec<Title>> {
    let rows = filtered(filter).order(titles::id.asc()).load(tx.conn())?;
    load(tx, rows)
}
