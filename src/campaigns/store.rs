//! The tables of campaigns and enrolments.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use super::campaign::{Campaign, CampaignState};
use super::enrolment::{Enrolment, EnrolmentOrigin};
use super::tariff::Tariff;
use super::terms::{CampaignTerms, CountersignPolicy, SmallClaims, SmallClaimsPolicy};
use super::texts::CampaignTexts;
use crate::kernel::ids::{CampaignId, ConventionId, EnrolmentId};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::Line;
use crate::kernel::{Departement, Instant, Money, Refused, SchoolYear, Uai};
use crate::platform::db::json::Json;
use crate::platform::db::schema::{campaigns, collectivite_sirets, enrolments, school_payers, schools};
use crate::platform::db::unreadable::Rows;
use crate::platform::db::{BATCH, Backend, placeholders};
use crate::platform::page::{Page, PageView};
use crate::platform::{Outcome, Tx, on_unique};
use crate::registry::SchoolFilter;
use crate::{insert_batches, keyset, rows, school_filters};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = campaigns, treat_none_as_null = true, treat_none_as_default_value = false)]
struct CampaignRow {
    id: CampaignId,
    school_year: SchoolYear,
    state: CampaignState,
    tariff: Json<Tariff>,
    convention_date: NaiveDate,
    ends_on: NaiveDate,
    response_deadline: Option<NaiveDate>,
    small_claims_policy: SmallClaimsPolicy,
    small_claims_threshold_cents: Option<Money>,
    countersign_policy: CountersignPolicy,
    texts: Option<Json<CampaignTexts>>,
    opened_at: Option<Instant>,
    closed_at: Option<Instant>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl CampaignRow {
    fn new(c: &Campaign) -> Outcome<Self> {
        let said = c.said.clone();
        Ok(Self {
            id: c.id,
            school_year: said.school_year,
            state: c.state,
            tariff: Json::new(said.tariff)?,
            convention_date: said.convention_date,
            ends_on: said.ends_on,
            response_deadline: said.response_deadline,
            small_claims_policy: said.small_claims.policy,
            small_claims_threshold_cents: said.small_claims.threshold,
            countersign_policy: said.countersign_policy,
            texts: said.texts.map(Json::new).transpose()?,
            opened_at: c.opened_at,
            closed_at: c.closed_at,
            version: c.version,
            created_at: c.created_at,
            updated_at: c.updated_at,
        })
    }

    fn into_domain(self) -> Campaign {
        Campaign {
            id: self.id,
            said: CampaignTerms {
                school_year: self.school_year,
                tariff: self.tariff.value,
                convention_date: self.convention_date,
                ends_on: self.ends_on,
                response_deadline: self.response_deadline,
                small_claims: SmallClaims {
                    threshold: self.small_claims_threshold_cents,
                    policy: self.small_claims_policy,
                },
                countersign_policy: self.countersign_policy,
                texts: self.texts.map(|t| t.value),
            },
            state: self.state,
            opened_at: self.opened_at,
            closed_at: self.closed_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// Where a row that cannot be read is looked for.
pub(super) const ROWS: &[Rows] = &[
    rows!("campaigns": campaigns as CampaignRow, "campaign", "SELECT id, school_year AS key FROM campaigns ORDER BY id", campaigns::id),
    rows!("enrolments": enrolments as EnrolmentRow, "enrolment", "SELECT id, uai AS key FROM enrolments ORDER BY id", enrolments::id),
];

pub(super) fn insert(tx: &mut Tx<'_>, c: &Campaign, exists: impl FnOnce() -> Refused) -> Outcome<()> {
    let inserted = diesel::insert_into(campaigns::table).values(CampaignRow::new(c)?).execute(tx.conn());
    on_unique(inserted, exists).map(|_| ())
}

/// Writes a changed campaign if nobody did since it was read; what did not change keeps its very text, which is frozen.
pub(super) fn save(tx: &mut Tx<'_>, c: &mut Campaign) -> Outcome<()> {
    let read = c.version;
    c.version += 1;
    c.updated_at = tx.now();
    let mut row = CampaignRow::new(c)?;
    let stored: Option<(Json<Tariff>, Option<Json<CampaignTexts>>)> =
        campaigns::table.find(c.id).select((campaigns::tariff, campaigns::texts)).first(tx.conn()).optional()?;
    if let Some((tariff, texts)) = stored {
        row.tariff = row.tariff.unless_said(tariff);
        row.texts = match (row.texts, texts) {
            (Some(said), Some(stored)) => Some(said.unless_said(stored)),
            (said, _) => said,
        };
    }
    let done =
        diesel::update(campaigns::table.find(c.id).filter(campaigns::version.eq(read))).set(row).execute(tx.conn())?;
    if done == 1 {
        Ok(())
    } else {
        Err(Refused::new(&CONCURRENT_CHANGE, "La campagne a été modifiée entre-temps.").into())
    }
}

pub(super) fn find(tx: &mut Tx<'_>, year: &SchoolYear) -> Outcome<Option<Campaign>> {
    let row: Option<CampaignRow> =
        campaigns::table.filter(campaigns::school_year.eq(year)).first(tx.conn()).optional()?;
    Ok(row.map(CampaignRow::into_domain))
}

/// The campaigns in a state, the last year first.
pub(super) fn in_state(tx: &mut Tx<'_>, state: CampaignState) -> Outcome<Vec<Campaign>> {
    let rows: Vec<CampaignRow> =
        campaigns::table.filter(campaigns::state.eq(state)).order(campaigns::school_year.desc()).load(tx.conn())?;
    Ok(rows.into_iter().map(CampaignRow::into_domain).collect())
}

/// The school year of a campaign, without its tariff and texts.
pub(super) fn school_year(tx: &mut Tx<'_>, id: CampaignId) -> Outcome<Option<SchoolYear>> {
    Ok(campaigns::table.find(id).select(campaigns::school_year).first(tx.conn()).optional()?)
}

pub(super) fn by_id(tx: &mut Tx<'_>, id: CampaignId) -> Outcome<Option<Campaign>> {
    let row: Option<CampaignRow> = campaigns::table.find(id).first(tx.conn()).optional()?;
    Ok(row.map(CampaignRow::into_domain))
}

crate::sort_keys!(CampaignSort, CampaignOrder of "campaigns", descending { SchoolYear => "school_year", Updated => "updated_at" });

/// A page of campaigns.
pub(super) fn list(
    tx: &mut Tx<'_>,
    status: Option<CampaignState>,
    updated_since: Option<Instant>,
    page: &Page<CampaignSort>,
) -> Outcome<PageView<Campaign>> {
    let mut query = campaigns::table.into_boxed();
    if let Some(status) = status {
        query = query.filter(campaigns::state.eq(status));
    }
    if let Some(since) = updated_since {
        query = query.filter(campaigns::updated_at.ge(since));
    }
    keyset!(query, page, campaigns::school_year, {
        CampaignSort::SchoolYear => campaigns::school_year, String;
        CampaignSort::Updated => campaigns::updated_at, Instant;
    });
    let rows: Vec<CampaignRow> = query.load(tx.conn())?;
    let place = |by, c: &Campaign| match by {
        CampaignSort::SchoolYear => (c.said.school_year.to_string(), c.said.school_year.to_string()),
        CampaignSort::Updated => (c.updated_at.to_string(), c.said.school_year.to_string()),
    };
    Ok(page.cut(rows.into_iter().map(CampaignRow::into_domain).collect(), tx.now(), place))
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = enrolments, treat_none_as_default_value = false)]
struct EnrolmentRow {
    id: EnrolmentId,
    campaign_id: CampaignId,
    uai: Uai,
    origin: EnrolmentOrigin,
    requester: Option<Line>,
    requested_on: Option<NaiveDate>,
    convention_id: Option<ConventionId>,
    created_by: String,
    created_at: Instant,
    version: i64,
    updated_at: Instant,
}

impl From<EnrolmentRow> for Enrolment {
    fn from(r: EnrolmentRow) -> Self {
        Self {
            id: r.id,
            campaign_id: r.campaign_id,
            uai: r.uai,
            origin: r.origin,
            requester: r.requester,
            requested_on: r.requested_on,
            convention_id: r.convention_id,
            created_by: r.created_by,
            created_at: r.created_at,
            version: r.version,
            updated_at: r.updated_at,
        }
    }
}

pub(super) fn insert_enrolments(tx: &mut Tx<'_>, new: &[Enrolment]) -> Outcome<()> {
    let rows: Vec<EnrolmentRow> = new
        .iter()
        .map(|e| EnrolmentRow {
            id: e.id,
            campaign_id: e.campaign_id,
            uai: e.uai.clone(),
            origin: e.origin,
            requester: e.requester.clone(),
            requested_on: e.requested_on,
            convention_id: e.convention_id,
            created_by: e.created_by.clone(),
            created_at: e.created_at,
            version: e.version,
            updated_at: e.updated_at,
        })
        .collect();
    insert_batches!(tx, enrolments::table, rows);
    Ok(())
}

/// Every enrolment of a campaign, by UAI.
pub(super) fn enrolments(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<Enrolment>> {
    let rows: Vec<EnrolmentRow> =
        enrolments::table.filter(enrolments::campaign_id.eq(campaign)).order(enrolments::uai).load(tx.conn())?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(super) fn enrolment(tx: &mut Tx<'_>, campaign: CampaignId, uai: &Uai) -> Outcome<Option<Enrolment>> {
    let row: Option<EnrolmentRow> = enrolments::table
        .filter(enrolments::campaign_id.eq(campaign))
        .filter(enrolments::uai.eq(uai))
        .first(tx.conn())
        .optional()?;
    Ok(row.map(Into::into))
}

/// Writes what a person says of an enrolment, if nobody did since it was read.
pub(super) fn save_enrolment(tx: &mut Tx<'_>, e: &mut Enrolment) -> Outcome<()> {
    let read = e.version;
    e.version += 1;
    e.updated_at = tx.now();
    let done = diesel::update(enrolments::table.find(e.id).filter(enrolments::version.eq(read)))
        .set((
            enrolments::origin.eq(e.origin),
            enrolments::requester.eq(e.requester.clone()),
            enrolments::requested_on.eq(e.requested_on),
            enrolments::version.eq(e.version),
            enrolments::updated_at.eq(e.updated_at),
        ))
        .execute(tx.conn())?;
    if done == 1 {
        Ok(())
    } else {
        Err(Refused::new(&CONCURRENT_CHANGE, "L'inscription a été modifiée entre-temps.").into())
    }
}

/// Removes an enrolment no convention covers; false when one does.
pub(super) fn delete_enrolment(tx: &mut Tx<'_>, id: EnrolmentId) -> Outcome<bool> {
    let done =
        diesel::delete(enrolments::table.find(id).filter(enrolments::convention_id.is_null())).execute(tx.conn())?;
    Ok(done == 1)
}

/// Removes a campaign and its enrolments; returns how many there were. What was said of its schools stays said.
pub(super) fn delete(tx: &mut Tx<'_>, id: CampaignId) -> Outcome<usize> {
    let enrolments = diesel::delete(enrolments::table.filter(enrolments::campaign_id.eq(id))).execute(tx.conn())?;
    diesel::delete(campaigns::table.find(id)).execute(tx.conn())?;
    Ok(enrolments)
}

/// Pins uncovered enrolments to the convention of each school, in batches; returns how many were pinned.
pub(super) fn pin(tx: &mut Tx<'_>, campaign: CampaignId, covered: &[(Uai, ConventionId)]) -> Outcome<usize> {
    let now = tx.now();
    let mut pinned = 0;
    for chunk in covered.chunks(BATCH) {
        let mut update = diesel::sql_query(format!(
            "UPDATE enrolments SET convention_id = v.column2, version = version + 1, updated_at = $1 \
             FROM (VALUES {}) AS v \
             WHERE enrolments.campaign_id = ${} AND enrolments.uai = v.column1 AND enrolments.convention_id IS NULL",
            placeholders(2, chunk.len(), 2),
            chunk.len() * 2 + 2,
        ))
        .into_boxed::<Backend>();
        update = update.bind::<Timestamp, _>(now);
        for (uai, convention) in chunk {
            update = update.bind::<Text, _>(uai).bind::<Text, _>(*convention);
        }
        pinned += update.bind::<Text, _>(campaign).execute(tx.conn())?;
    }
    Ok(pinned)
}

/// Frees the enrolments of a convention that leaves.
pub(super) fn unpin(tx: &mut Tx<'_>, convention: ConventionId) -> Outcome<usize> {
    let now = tx.now();
    Ok(diesel::update(enrolments::table.filter(enrolments::convention_id.eq(convention)))
        .set((
            enrolments::convention_id.eq(None::<ConventionId>),
            enrolments::version.eq(enrolments::version + 1),
            enrolments::updated_at.eq(now),
        ))
        .execute(tx.conn())?)
}

/// Which enrolments a list shows.
#[derive(Debug, Clone, Default)]
pub struct EnrolmentFilter {
    /// The schools enrolled, as `GET /schools` takes them.
    pub schools: SchoolFilter,
    pub covered: Option<bool>,
    pub updated_since: Option<Instant>,
}

/// An enrolment and what is shown of its school.
pub(super) struct EnrolmentLine {
    pub enrolment: Enrolment,
    pub name: Line,
    pub name_fold: String,
    pub commune_name: Line,
    pub departement: Departement,
}

crate::sort_keys!(EnrolmentSort, EnrolmentOrder of "enrolments" { Uai => "uai", Name => "name", Updated => "updated_at" });

/// A page of enrolments.
pub(super) fn list_enrolments(
    tx: &mut Tx<'_>,
    campaign: CampaignId,
    filter: &EnrolmentFilter,
    page: &Page<EnrolmentSort>,
) -> Outcome<PageView<EnrolmentLine>> {
    let mut query = enrolments::table
        .inner_join(schools::table.on(schools::uai.eq(enrolments::uai)))
        .filter(enrolments::campaign_id.eq(campaign))
        .select((
            enrolments::all_columns,
            schools::name,
            schools::name_fold,
            schools::commune_name,
            schools::departement,
        ))
        .into_boxed();
    school_filters!(query, &filter.schools, tx.today());
    match filter.covered {
        Some(true) => query = query.filter(enrolments::convention_id.is_not_null()),
        Some(false) => query = query.filter(enrolments::convention_id.is_null()),
        None => {}
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(enrolments::updated_at.ge(since));
    }
    keyset!(query, page, enrolments::uai, {
        EnrolmentSort::Uai => enrolments::uai, String;
        EnrolmentSort::Name => schools::name_fold, String;
        EnrolmentSort::Updated => enrolments::updated_at, Instant;
    });
    let rows: Vec<(EnrolmentRow, Line, String, Line, Departement)> = query.load(tx.conn())?;
    let lines = rows.into_iter().map(|(e, name, name_fold, commune_name, departement)| EnrolmentLine {
        enrolment: e.into(),
        name,
        name_fold,
        commune_name,
        departement,
    });
    let place = |by, line: &EnrolmentLine| {
        let uai = line.enrolment.uai.to_string();
        let value = match by {
            EnrolmentSort::Uai => uai.clone(),
            EnrolmentSort::Name => line.name_fold.clone(),
            EnrolmentSort::Updated => line.enrolment.updated_at.to_string(),
        };
        (value, uai)
    };
    Ok(page.cut(lines.collect(), tx.now(), place))
}
