//! The tables of conventions and participations.
//!
//! Over 400 lines: two wide tables, each written out once as columns, row and domain value, kept side by side so that
//! a new column is added in one place.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::convention::{Acknowledgement, Convention, ConventionState, Effect, Party, Signature, Stage};
use super::participation::{ListedSchool, ParticipationLine};
use super::store_seals::{Printed, seals};
use crate::campaigns::{LineAmount, Step, Tariff};
use crate::kernel::ids::{CampaignId, CollectiviteId, ConventionId, ParticipationId};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::{Line, Note, SearchText, fold};
use crate::kernel::{Departement, InseeCode, Instant, Money, Refused, Siret, Uai};
use crate::platform::db::json::Json;
use crate::platform::db::schema::{
    convention_refusals, convention_seals, conventions, participation_lines, participations,
};
use crate::platform::db::unreadable::{self, Rows};
use crate::platform::db::{Backend, search};
use crate::platform::page::{Page, PageView};
use crate::platform::{Error, Falsified, Outcome, Tx, each, on_unique};
use crate::registry;
use crate::registry::kinds::{CollectiviteKind, SchoolKind};
use crate::{insert_batches, keyset, rows};

#[derive(Queryable, Insertable, Clone)]
#[diesel(table_name = conventions, treat_none_as_default_value = false)]
pub(super) struct ConventionRow {
    pub(super) id: ConventionId,
    pub(super) campaign_id: CampaignId,
    pub(super) collectivite_id: CollectiviteId,
    pub(super) sequence: i64,
    pub(super) sequence_reason: Option<String>,
    pub(super) number: String,
    pub(super) number_rank: i64,
    pub(super) state: ConventionState,
    pub(super) party: Json<Party>,
    pub(super) party_siret: Siret,
    pub(super) party_fold: String,
    pub(super) party_departement: Option<Departement>,
    pub(super) school_count: i64,
    pub(super) total_cents: Money,
    pub(super) ends_on: NaiveDate,
    pub(super) issued_by: String,
    pub(super) issued_at: Instant,
    pub(super) signed_on: Option<NaiveDate>,
    pub(super) signed_name: Option<Line>,
    pub(super) signed_title: Option<Line>,
    pub(super) signed_evidence: Option<Note>,
    pub(super) countersigned_on: Option<NaiveDate>,
    pub(super) countersigned_name: Option<Line>,
    pub(super) countersigned_title: Option<Line>,
    pub(super) took_effect_on: Option<NaiveDate>,
    pub(super) acknowledged: Json<Vec<Acknowledgement>>,
    pub(super) exited_on: Option<NaiveDate>,
    pub(super) exit_reason: Option<Note>,
    pub(super) version: i64,
    pub(super) updated_at: Instant,
}

/// What of a convention moves.
#[derive(AsChangeset)]
#[diesel(table_name = conventions, treat_none_as_null = true)]
struct Moves {
    state: ConventionState,
    signed_on: Option<NaiveDate>,
    signed_name: Option<Line>,
    signed_title: Option<Line>,
    signed_evidence: Option<Note>,
    countersigned_on: Option<NaiveDate>,
    countersigned_name: Option<Line>,
    countersigned_title: Option<Line>,
    took_effect_on: Option<NaiveDate>,
    acknowledged: Json<Vec<Acknowledgement>>,
    exited_on: Option<NaiveDate>,
    exit_reason: Option<Note>,
    version: i64,
    updated_at: Instant,
}

impl From<ConventionRow> for Moves {
    fn from(r: ConventionRow) -> Self {
        Self {
            state: r.state,
            signed_on: r.signed_on,
            signed_name: r.signed_name,
            signed_title: r.signed_title,
            signed_evidence: r.signed_evidence,
            countersigned_on: r.countersigned_on,
            countersigned_name: r.countersigned_name,
            countersigned_title: r.countersigned_title,
            took_effect_on: r.took_effect_on,
            acknowledged: r.acknowledged,
            exited_on: r.exited_on,
            exit_reason: r.exit_reason,
            version: r.version,
            updated_at: r.updated_at,
        }
    }
}

macro_rules! columns {
    () => {
        (
            conventions::id,
            conventions::campaign_id,
            conventions::collectivite_id,
            conventions::sequence,
            conventions::sequence_reason,
            conventions::number,
            conventions::number_rank,
            conventions::state,
            conventions::party,
            conventions::party_siret,
            conventions::party_fold,
            conventions::party_departement,
            conventions::school_count,
            conventions::total_cents,
            conventions::ends_on,
            conventions::issued_by,
            conventions::issued_at,
            conventions::signed_on,
            conventions::signed_name,
            conventions::signed_title,
            conventions::signed_evidence,
            conventions::countersigned_on,
            conventions::countersigned_name,
            conventions::countersigned_title,
            conventions::took_effect_on,
            conventions::acknowledged,
            conventions::exited_on,
            conventions::exit_reason,
            conventions::version,
            conventions::updated_at,
        )
    };
}

impl ConventionRow {
    fn new(c: &Convention) -> Outcome<Self> {
        let (signed, effect, exit) = match &c.stage {
            Stage::Issued => (None, None, None),
            Stage::Signed(signed) => (Some(signed), None, None),
            Stage::Active(effect) => (Some(&effect.signed), Some(effect), None),
            Stage::Expired(effect, on) => (Some(&effect.signed), Some(effect), Some((*on, None))),
            Stage::Declined { signed, on, reason } => (signed.as_ref(), None, Some((*on, Some(reason.clone())))),
            Stage::Cancelled { signed, effect, on, reason } => {
                (signed.as_ref(), effect.as_ref(), Some((*on, Some(reason.clone()))))
            }
        };
        let counter = effect.map(|e| &e.countersigned);
        Ok(Self {
            id: c.id,
            campaign_id: c.campaign_id,
            collectivite_id: c.collectivite_id,
            sequence: c.sequence,
            sequence_reason: c.sequence_reason.clone(),
            number: c.number.clone(),
            number_rank: c.rank,
            state: c.state(),
            party: Json::new(c.party.clone())?,
            party_siret: c.party.siret.clone(),
            party_fold: fold(c.party.name.as_str()),
            party_departement: c.party.departement.clone(),
            school_count: c.school_count,
            total_cents: c.total,
            ends_on: c.ends_on,
            issued_by: c.issued_by.clone(),
            issued_at: c.issued_at,
            signed_on: signed.map(|s| s.on),
            signed_name: signed.map(|s| s.name.clone()),
            signed_title: signed.map(|s| s.title.clone()),
            signed_evidence: signed.and_then(|s| s.evidence.clone()),
            countersigned_on: counter.map(|s| s.on),
            countersigned_name: counter.map(|s| s.name.clone()),
            countersigned_title: counter.map(|s| s.title.clone()),
            took_effect_on: effect.map(|e| e.took_effect_on),
            acknowledged: Json::new(c.acknowledged.clone())?,
            exited_on: exit.as_ref().map(|(on, _)| *on),
            exit_reason: exit.and_then(|(_, reason)| reason),
            version: c.version,
            updated_at: c.updated_at,
        })
    }

    /// A stored state without what it rests on is a falsification that names the convention.
    fn into_domain(self) -> Outcome<Convention> {
        let broken = |what: &str| Error::falsified("convention", &self.number, format!("la convention est {what}"));
        let signed = match (self.signed_on, self.signed_name, self.signed_title) {
            (Some(on), Some(name), Some(title)) => Some(Signature { on, name, title, evidence: self.signed_evidence }),
            _ => None,
        };
        let countersigned = match (self.countersigned_on, self.countersigned_name, self.countersigned_title) {
            (Some(on), Some(name), Some(title)) => Some(Signature { on, name, title, evidence: None }),
            _ => None,
        };
        let effect = match (signed.clone(), countersigned, self.took_effect_on) {
            (Some(signed), Some(countersigned), Some(took_effect_on)) => {
                Some(Effect { signed, countersigned, took_effect_on })
            }
            _ => None,
        };
        let stage = match self.state {
            ConventionState::Issued => Stage::Issued,
            ConventionState::Signed => Stage::Signed(signed.ok_or_else(|| broken("signée sans signature"))?),
            ConventionState::Active => {
                Stage::Active(effect.ok_or_else(|| broken("en vigueur sans ses deux signatures"))?)
            }
            ConventionState::Expired => Stage::Expired(
                effect.ok_or_else(|| broken("échue sans ses deux signatures"))?,
                self.exited_on.unwrap_or(self.ends_on),
            ),
            ConventionState::Cancelled => Stage::Cancelled {
                signed,
                effect,
                on: self.exited_on.ok_or_else(|| broken("annulée sans date"))?,
                reason: self.exit_reason.ok_or_else(|| broken("annulée sans motif"))?,
            },
            ConventionState::Declined => Stage::Declined {
                signed,
                on: self.exited_on.ok_or_else(|| broken("refusée sans date"))?,
                reason: self.exit_reason.ok_or_else(|| broken("refusée sans motif"))?,
            },
        };
        Ok(Convention {
            id: self.id,
            campaign_id: self.campaign_id,
            collectivite_id: self.collectivite_id,
            sequence: self.sequence,
            sequence_reason: self.sequence_reason,
            number: self.number,
            rank: self.number_rank,
            party: self.party.value,
            school_count: self.school_count,
            total: self.total_cents,
            ends_on: self.ends_on,
            issued_by: self.issued_by,
            issued_at: self.issued_at,
            stage,
            acknowledged: self.acknowledged.value,
            version: self.version,
            updated_at: self.updated_at,
        })
    }
}

/// A convention about to be stored, with what its paper prints.
pub(super) struct Issued {
    pub convention: Convention,
    pub paper_input: String,
    pub participation_id: ParticipationId,
    pub lines: Vec<ParticipationLine>,
    pub tariff: Tariff,
    pub steps: Vec<Step>,
}

#[derive(Insertable, Queryable)]
#[diesel(table_name = participations, treat_none_as_default_value = false)]
pub(super) struct ParticipationRow {
    pub(super) id: ParticipationId,
    pub(super) convention_id: ConventionId,
    pub(super) version: i64,
    pub(super) total_cents: Money,
    pub(super) tariff: Json<Tariff>,
    pub(super) steps: Json<Vec<Step>>,
    pub(super) computed_at: Instant,
}

#[derive(Insertable, Queryable)]
#[diesel(table_name = participation_lines, treat_none_as_default_value = false)]
pub(super) struct LineRow {
    pub(super) participation_id: ParticipationId,
    pub(super) position: i64,
    pub(super) uai: Uai,
    pub(super) name: Line,
    pub(super) label: String,
    pub(super) kind: SchoolKind,
    pub(super) insee_code: InseeCode,
    pub(super) commune_name: Line,
    pub(super) departement: Departement,
    pub(super) quantity: i64,
    pub(super) unit_amount_cents: Option<Money>,
    pub(super) amount_cents: Money,
    pub(super) waiver: Option<String>,
}

impl LineRow {
    fn into_domain(self) -> ParticipationLine {
        ParticipationLine {
            school: ListedSchool {
                uai: self.uai,
                name: self.name,
                label: self.label,
                kind: self.kind,
                insee_code: self.insee_code,
                commune_name: self.commune_name,
                departement: self.departement,
            },
            amount: LineAmount {
                quantity: self.quantity,
                unit_amount: self.unit_amount_cents,
                amount: self.amount_cents,
            },
            waiver: self.waiver,
        }
    }
}

/// Stores issued conventions, their participations and lines, in batches.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    issued: &[Issued],
    template_sha256: &str,
    doubled: impl FnOnce() -> Refused,
) -> Outcome<()> {
    let now = tx.now();
    let mut convention_rows = Vec::with_capacity(issued.len());
    let mut participation_rows = Vec::with_capacity(issued.len());
    let mut line_rows = Vec::new();
    for i in issued {
        convention_rows.push(ConventionRow::new(&i.convention)?);
        participation_rows.push(ParticipationRow {
            id: i.participation_id,
            convention_id: i.convention.id,
            version: 1,
            total_cents: i.convention.total,
            tariff: Json::new(i.tariff.clone())?,
            steps: Json::new(i.steps.clone())?,
            computed_at: now,
        });
        for (position, line) in (1_i64..).zip(&i.lines) {
            line_rows.push(LineRow {
                participation_id: i.participation_id,
                position,
                uai: line.school.uai.clone(),
                name: line.school.name.clone(),
                label: line.school.label.clone(),
                kind: line.school.kind,
                insee_code: line.school.insee_code.clone(),
                commune_name: line.school.commune_name.clone(),
                departement: line.school.departement.clone(),
                quantity: line.amount.quantity,
                unit_amount_cents: line.amount.unit_amount,
                amount_cents: line.amount.amount,
                waiver: line.waiver.clone(),
            });
        }
    }
    let papers: Vec<Printed<'_>> = issued.iter().map(|i| Printed { input: &i.paper_input, template_sha256 }).collect();
    let seals = seals(&convention_rows, &papers, &participation_rows, &line_rows)?;
    let mut run = || -> QueryResult<()> {
        insert_batches!(tx, conventions::table, convention_rows);
        insert_batches!(tx, participations::table, participation_rows);
        insert_batches!(tx, participation_lines::table, line_rows);
        // Last: nothing is added to what is sealed.
        insert_batches!(tx, convention_seals::table, seals);
        Ok(())
    };
    on_unique(run(), doubled)
}

/// Writes what moves of a changed convention if nobody did since it was read; acknowledgements that an act does not bring
/// keep their very text, which is frozen.
pub(super) fn save(tx: &mut Tx<'_>, c: &mut Convention) -> Outcome<()> {
    let read = c.version;
    c.version += 1;
    c.updated_at = tx.now();
    let mut row = ConventionRow::new(c)?;
    let stored = conventions::table.find(c.id).select(conventions::acknowledged).first(tx.conn()).optional()?;
    if let Some(stored) = stored {
        row.acknowledged = row.acknowledged.unless_said(stored);
    }
    let done = diesel::update(conventions::table.find(c.id).filter(conventions::version.eq(read)))
        .set(Moves::from(row))
        .execute(tx.conn())?;
    if done == 1 {
        Ok(())
    } else {
        Err(Refused::new(&CONCURRENT_CHANGE, "La convention a été modifiée entre-temps.").into())
    }
}

pub(super) fn find(tx: &mut Tx<'_>, id: ConventionId) -> Outcome<Option<Convention>> {
    let row: Option<ConventionRow> = conventions::table.find(id).select(columns!()).first(tx.conn()).optional()?;
    row.map(ConventionRow::into_domain).transpose()
}

/// Some conventions.
pub(super) fn by_ids(tx: &mut Tx<'_>, ids: &[ConventionId]) -> Outcome<Vec<Convention>> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(5000) {
        let rows: Vec<ConventionRow> =
            conventions::table.filter(conventions::id.eq_any(chunk)).select(columns!()).load(tx.conn())?;
        found.extend(each(rows, ConventionRow::into_domain)?);
    }
    Ok(found)
}

/// Some participations, whatever their versions.
pub(super) fn participations_by_ids(tx: &mut Tx<'_>, ids: &[ParticipationId]) -> Outcome<Vec<StoredParticipation>> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(5000) {
        let rows: Vec<ParticipationRow> =
            participations::table.filter(participations::id.eq_any(chunk)).load(tx.conn())?;
        found.extend(rows.into_iter().map(participation));
    }
    Ok(found)
}

/// Every convention of a campaign, in the order of numbers.
pub(super) fn of_campaign(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<Convention>> {
    let rows: Vec<ConventionRow> = conventions::table
        .filter(conventions::campaign_id.eq(campaign))
        .order(conventions::number_rank.asc())
        .select(columns!())
        .load(tx.conn())?;
    each(rows, ConventionRow::into_domain)
}

/// The conventions of some payers in a campaign, in the order of numbers.
pub(super) fn of_payers(tx: &mut Tx<'_>, campaign: CampaignId, payers: &[CollectiviteId]) -> Outcome<Vec<Convention>> {
    let mut found = Vec::with_capacity(payers.len());
    for chunk in payers.chunks(5000) {
        let rows: Vec<ConventionRow> = conventions::table
            .filter(conventions::campaign_id.eq(campaign).and(conventions::collectivite_id.eq_any(chunk)))
            .order(conventions::number_rank.asc())
            .select(columns!())
            .load(tx.conn())?;
        found.extend(each(rows, ConventionRow::into_domain)?);
    }
    Ok(found)
}

/// Active conventions whose end is past, and those of them that cannot be read: one that is damaged keeps no other from
/// expiring.
pub(super) fn overdue(tx: &mut Tx<'_>, today: NaiveDate) -> Outcome<(Vec<Convention>, Vec<Falsified>)> {
    let due: Vec<(String, String)> = conventions::table
        .filter(conventions::state.eq(ConventionState::Active))
        .filter(conventions::ends_on.lt(today))
        .order(conventions::id.asc())
        .select((conventions::id, conventions::number))
        .load(tx.conn())?;
    let (mut sound, mut damaged) = (Vec::with_capacity(due.len()), Vec::new());
    for (id, number) in due {
        let read: QueryResult<ConventionRow> = conventions::table.find(&id).select(columns!()).first(tx.conn());
        match read.map(ConventionRow::into_domain) {
            Ok(Ok(convention)) => sound.push(convention),
            Ok(Err(Error::Falsified(found))) => damaged.push(*found),
            Err(diesel::result::Error::DeserializationError(cause)) => {
                tracing::error!(%number, %cause, "a convention cannot be read");
                let fault = unreadable::fault("conventions");
                damaged.push(Falsified { kind: "convention", key: number, fault });
            }
            Ok(Err(other)) => return Err(other),
            Err(other) => return Err(other.into()),
        }
    }
    Ok((sound, damaged))
}

/// Where a row that cannot be read is looked for.
pub(super) const ROWS: &[Rows] = &[
    rows!("conventions": conventions as ConventionRow, "convention", "SELECT id, number AS key FROM conventions ORDER BY id",
        conventions::id, columns!()),
    rows!("participations": participations as ParticipationRow, "convention",
        "SELECT p.id, v.number AS key FROM participations p JOIN conventions v ON v.id = p.convention_id ORDER BY p.id",
        participations::id),
    rows!("participation_lines": participation_lines as LineRow, "convention",
        "SELECT p.id, v.number AS key FROM participations p JOIN conventions v ON v.id = p.convention_id ORDER BY p.id",
        participation_lines::participation_id),
    rows!("convention_refusals": convention_refusals as (Line, Note), "convention",
        "SELECT DISTINCT v.id, v.number AS key FROM convention_refusals r JOIN conventions v ON v.id = r.convention_id ORDER BY v.id",
        convention_refusals::convention_id, (convention_refusals::declined_by, convention_refusals::reason)),
];

/// Shows among what changed that the paper of a convention has. The version stays: who read it has read all a person can
/// change, and is not refused because a printer was at work.
pub(super) fn touch(tx: &mut Tx<'_>, id: ConventionId) -> Outcome<()> {
    let now = tx.now();
    diesel::update(conventions::table.find(id)).set(conventions::updated_at.eq(now)).execute(tx.conn())?;
    Ok(())
}

/// Number of the convention that lives for a payer in a campaign, if one does.
pub(super) fn living_number(tx: &mut Tx<'_>, campaign: CampaignId, payer: CollectiviteId) -> Outcome<Option<String>> {
    Ok(conventions::table
        .filter(conventions::campaign_id.eq(campaign))
        .filter(conventions::collectivite_id.eq(payer))
        .filter(conventions::state.ne_all([ConventionState::Cancelled, ConventionState::Declined]))
        .select(conventions::number)
        .first(tx.conn())
        .optional()?)
}

/// A participation as stored.
#[derive(Debug, Clone)]
pub struct StoredParticipation {
    pub id: ParticipationId,
    pub convention_id: ConventionId,
    pub version: i64,
    pub total: Money,
    pub tariff: Tariff,
    pub steps: Vec<Step>,
    pub computed_at: Instant,
}

fn participation(row: ParticipationRow) -> StoredParticipation {
    StoredParticipation {
        id: row.id,
        convention_id: row.convention_id,
        version: row.version,
        total: row.total_cents,
        tariff: row.tariff.value,
        steps: row.steps.value,
        computed_at: row.computed_at,
    }
}

/// Which conventions are read together.
#[derive(Debug, Clone, Copy)]
pub enum Reach<'r> {
    Campaign(CampaignId),
    These(&'r [ConventionId]),
}

/// The latest participation of each convention.
pub(super) fn latest_participations(tx: &mut Tx<'_>, reach: Reach<'_>) -> Outcome<Vec<StoredParticipation>> {
    let order = (participations::convention_id.asc(), participations::version.asc());
    let rows: Vec<ParticipationRow> = match reach {
        Reach::Campaign(campaign) => participations::table
            .inner_join(conventions::table.on(conventions::id.eq(participations::convention_id)))
            .filter(conventions::campaign_id.eq(campaign))
            .order(order)
            .select(participations::all_columns)
            .load(tx.conn())?,
        // Asked by `=`, the statement of a single reading is prepared once per connection.
        Reach::These([id]) => {
            participations::table.filter(participations::convention_id.eq(*id)).order(order).load(tx.conn())?
        }
        Reach::These(ids) => {
            participations::table.filter(participations::convention_id.eq_any(ids)).order(order).load(tx.conn())?
        }
    };
    let mut latest: Vec<StoredParticipation> = Vec::with_capacity(rows.len());
    for row in rows.into_iter().map(participation) {
        match latest.last_mut() {
            Some(last) if last.convention_id == row.convention_id => *last = row,
            _ => latest.push(row),
        }
    }
    Ok(latest)
}

/// The latest participation of one convention.
pub(super) fn latest_participation(tx: &mut Tx<'_>, id: ConventionId) -> Outcome<StoredParticipation> {
    let row: ParticipationRow = participations::table
        .filter(participations::convention_id.eq(id))
        .order(participations::version.desc())
        .first(tx.conn())?;
    Ok(participation(row))
}

/// Lines of some participations, in order.
pub(super) fn lines(tx: &mut Tx<'_>, ids: &[ParticipationId]) -> Outcome<Vec<(ParticipationId, ParticipationLine)>> {
    // Asked by `=`, the statement of a single reading is prepared once per connection.
    if let [id] = ids {
        let rows: Vec<LineRow> = participation_lines::table
            .filter(participation_lines::participation_id.eq(*id))
            .order(participation_lines::position.asc())
            .load(tx.conn())?;
        return Ok(rows.into_iter().map(|r| (r.participation_id, r.into_domain())).collect());
    }
    let mut lines = Vec::new();
    for chunk in ids.chunks(5000) {
        let rows: Vec<LineRow> = participation_lines::table
            .filter(participation_lines::participation_id.eq_any(chunk))
            .order((participation_lines::participation_id.asc(), participation_lines::position.asc()))
            .load(tx.conn())?;
        lines.extend(rows.into_iter().map(|r| (r.participation_id, r.into_domain())));
    }
    Ok(lines)
}

/// Which conventions a list shows.
#[derive(Debug, Clone, Default)]
pub struct ConventionFilter {
    pub campaign: Option<CampaignId>,
    /// SIRET, present or former, of the payer.
    pub collectivite: Option<Siret>,
    /// Department of the payer, as the convention has it.
    pub departement: Option<Departement>,
    /// Nature and INSEE code of the payer, as the registry has them.
    pub kind: Option<CollectiviteKind>,
    pub insee_code: Option<InseeCode>,
    pub status: Option<ConventionState>,
    pub number: Option<String>,
    pub q: Option<SearchText>,
    pub updated_since: Option<Instant>,
    /// Leave out those cancelled or declined.
    pub live: bool,
    /// Only some, by id.
    pub among: Option<Vec<ConventionId>>,
}

crate::sort_keys!(ConventionSort, ConventionOrder of "conventions" {
    Number => "number", Name => "name", Amount => "amount", Updated => "updated_at",
});

/// Narrows a query of conventions, whatever it selects, to what a filter takes.
macro_rules! narrowed {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        if let Some(campaign) = $filter.campaign {
            query = query.filter(conventions::campaign_id.eq(campaign));
        }
        if let Some(kind) = $filter.kind {
            query = query.filter(conventions::collectivite_id.eq_any(registry::of_kind(kind)));
        }
        if let Some(code) = &$filter.insee_code {
            query = query.filter(conventions::collectivite_id.eq_any(registry::holders_of_commune(code)));
        }
        if let Some(siret) = &$filter.collectivite {
            query = query.filter(conventions::collectivite_id.eq_any(registry::holders_of_siret(siret)));
        }
        if let Some(departement) = &$filter.departement {
            query = query.filter(conventions::party_departement.eq(departement.clone()));
        }
        if let Some(among) = &$filter.among {
            query = query.filter(conventions::id.eq_any(among.clone()));
        }
        if let Some(status) = $filter.status {
            query = query.filter(conventions::state.eq(status));
        }
        if $filter.live {
            query = query.filter(conventions::state.ne_all([ConventionState::Cancelled, ConventionState::Declined]));
        }
        if let Some(number) = &$filter.number {
            query = query.filter(conventions::number.eq(number.clone()));
        }
        if let Some(since) = $filter.updated_since {
            query = query.filter(conventions::updated_at.ge(since));
        }
        if let Some(q) = &$filter.q {
            let name = conventions::party_fold.like(search::name(q.as_str())).escape(search::ESCAPE);
            query = query.filter(name.or(conventions::number.like(search::code(q.as_str())).escape(search::ESCAPE)));
        }
        query
    }};
}

fn filtered(filter: &ConventionFilter) -> conventions::BoxedQuery<'static, Backend> {
    narrowed!(conventions::table.into_boxed(), filter)
}

/// What the conventions of a department come to, those of a payer without a department together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    pub departement: Option<Departement>,
    pub conventions: i64,
    pub schools: i64,
    pub total: Money,
    /// Those whose total is due and below the threshold given.
    pub small: i64,
    pub small_total: Money,
}

/// Sums, by department of the payer, over every convention a filter takes.
pub fn sums(tx: &mut Tx<'_>, filter: &ConventionFilter, threshold: Money) -> Outcome<Vec<Sum>> {
    use diesel::dsl::sql;
    use diesel::sql_types::BigInt;
    type Row = (Option<Departement>, i64, i64, Money, i64, Money);
    // Sums are cast: PostgreSQL adds big integers up to a numeric.
    let small = || {
        sql::<BigInt>("CAST(SUM(CASE WHEN conventions.total_cents > 0 AND conventions.total_cents < ")
            .bind::<BigInt, _>(threshold)
    };
    let by_departement = conventions::table
        .group_by(conventions::party_departement)
        .select((
            conventions::party_departement,
            sql::<BigInt>("COUNT(*)"),
            sql::<BigInt>("CAST(SUM(conventions.school_count) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(conventions.total_cents) AS BIGINT)"),
            small().sql(" THEN 1 ELSE 0 END) AS BIGINT)"),
            small().sql(" THEN conventions.total_cents ELSE 0 END) AS BIGINT)"),
        ))
        .into_boxed();
    let rows: Vec<Row> = narrowed!(by_departement, filter).load(tx.conn())?;
    let sum = |(departement, conventions, schools, total, small, small_total): Row| Sum {
        departement,
        conventions,
        schools,
        total,
        small,
        small_total,
    };
    Ok(rows.into_iter().map(sum).collect())
}

/// A page of conventions.
pub fn list(tx: &mut Tx<'_>, filter: &ConventionFilter, page: &Page<ConventionSort>) -> Outcome<PageView<Convention>> {
    let mut query = filtered(filter);
    keyset!(query, page, conventions::number, {
        ConventionSort::Number => conventions::number, String;
        ConventionSort::Name => conventions::party_fold, String;
        ConventionSort::Amount => conventions::total_cents, i64;
        ConventionSort::Updated => conventions::updated_at, Instant;
    });
    let rows: Vec<ConventionRow> = query.select(columns!()).load(tx.conn())?;
    let found = rows.into_iter().map(ConventionRow::into_domain).collect::<Outcome<Vec<_>>>()?;
    Ok(page.cut(found, tx.now(), place))
}

/// A convention's place in an order.
#[must_use]
pub fn place(by: ConventionSort, c: &Convention) -> (String, String) {
    let value = match by {
        ConventionSort::Number => c.number.clone(),
        ConventionSort::Name => fold(c.party.name.as_str()),
        ConventionSort::Amount => c.total.cents().to_string(),
        ConventionSort::Updated => c.updated_at.to_string(),
    };
    (value, c.number.clone())
}

/// Every convention a filter takes, in an order.
pub fn select(tx: &mut Tx<'_>, filter: &ConventionFilter, order: ConventionOrder) -> Outcome<Vec<Convention>> {
    let mut query = filtered(filter);
    let page = Page::whole(order);
    keyset!(query, page, conventions::number, {
        ConventionSort::Number => conventions::number, String;
        ConventionSort::Name => conventions::party_fold, String;
        ConventionSort::Amount => conventions::total_cents, i64;
        ConventionSort::Updated => conventions::updated_at, Instant;
    });
    let rows: Vec<ConventionRow> = query.select(columns!()).load(tx.conn())?;
    each(rows, ConventionRow::into_domain)
}

/// Which participation each convention of a page has now; its tariff and steps are not read for a list of lines.
pub(super) fn latest_participation_ids(
    tx: &mut Tx<'_>,
    ids: &[ConventionId],
) -> Outcome<HashMap<ConventionId, ParticipationId>> {
    let order = (participations::convention_id.asc(), participations::version.asc());
    let columns = (participations::convention_id, participations::id);
    let rows: Vec<(ConventionId, ParticipationId)> = match ids {
        [id] => participations::table
            .filter(participations::convention_id.eq(*id))
            .order(order)
            .select(columns)
            .load(tx.conn())?,
        _ => participations::table
            .filter(participations::convention_id.eq_any(ids))
            .order(order)
            .select(columns)
            .load(tx.conn())?,
    };
    Ok(rows.into_iter().collect())
}
