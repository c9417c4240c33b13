//! The tables of campaigns and enrolments.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::campaign::{Campaign, CampaignRequest, CampaignState, CountersignPolicy, SmallClaims, SmallClaimsPolicy};
use super::enrolment::{Enrolment, EnrolmentOrigin};
use super::tariff::Tariff;
use super::texts::CampaignTexts;
use crate::insert_batches;
use crate::kernel::ids::{CampaignId, ConventionId, EnrolmentId};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::Line;
use crate::kernel::{Departement, Instant, Money, Refused, SchoolYear, Uai};
use crate::platform::db::json::Json;
use crate::platform::db::schema::{campaigns, enrolments, schools};
use crate::platform::db::{BATCH, Backend, placeholders};
use crate::platform::web::Page;
use crate::platform::{Outcome, Tx, on_unique};
use crate::registry::kinds::Sector;

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
            said: CampaignRequest {
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

pub(super) fn insert(tx: &mut Tx<'_>, c: &Campaign, exists: impl FnOnce() -> Refused) -> Outcome<()> {
    let inserted = diesel::insert_into(campaigns::table).values(CampaignRow::new(c)?).execute(tx.conn());
    on_unique(inserted, exists).map(|_| ())
}

pub(super) fn save(tx: &mut Tx<'_>, c: &mut Campaign) -> Outcome<()> {
    let read = c.version;
    c.version += 1;
    c.updated_at = tx.now();
    let done = diesel::update(campaigns::table.find(c.id).filter(campaigns::version.eq(read)))
        .set(CampaignRow::new(c)?)
        .execute(tx.conn())?;
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

pub(super) fn by_id(tx: &mut Tx<'_>, id: CampaignId) -> Outcome<Option<Campaign>> {
    let row: Option<CampaignRow> = campaigns::table.find(id).first(tx.conn()).optional()?;
    Ok(row.map(CampaignRow::into_domain))
}

pub(super) fn list(tx: &mut Tx<'_>, page: &Page) -> Outcome<Vec<Campaign>> {
    let mut query = campaigns::table.into_boxed();
    if let Some(year) = page.after(0) {
        query = query.filter(campaigns::school_year.lt(year.to_owned()));
    }
    let rows: Vec<CampaignRow> = query.order(campaigns::school_year.desc()).limit(page.fetch()).load(tx.conn())?;
    Ok(rows.into_iter().map(CampaignRow::into_domain).collect())
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

/// Removes an enrolment no convention covers; false when one does.
pub(super) fn delete_enrolment(tx: &mut Tx<'_>, id: EnrolmentId) -> Outcome<bool> {
    let done =
        diesel::delete(enrolments::table.find(id).filter(enrolments::convention_id.is_null())).execute(tx.conn())?;
    Ok(done == 1)
}

/// Pins uncovered enrolments to the convention of each school, in batches; returns how many were pinned.
pub(super) fn pin(tx: &mut Tx<'_>, campaign: CampaignId, covered: &[(Uai, ConventionId)]) -> Outcome<usize> {
    let mut pinned = 0;
    for chunk in covered.chunks(BATCH) {
        let mut update = diesel::sql_query(format!(
            "UPDATE enrolments SET convention_id = v.column2 FROM (VALUES {}) AS v \
             WHERE enrolments.campaign_id = ${} AND enrolments.uai = v.column1 AND enrolments.convention_id IS NULL",
            placeholders(1, chunk.len(), 2),
            chunk.len() * 2 + 1,
        ))
        .into_boxed::<Backend>();
        for (uai, convention) in chunk {
            update = update.bind::<Text, _>(uai).bind::<Text, _>(*convention);
        }
        pinned += update.bind::<Text, _>(campaign).execute(tx.conn())?;
    }
    Ok(pinned)
}

/// Frees the enrolments of a convention that leaves.
pub(super) fn unpin(tx: &mut Tx<'_>, convention: ConventionId) -> Outcome<usize> {
    Ok(diesel::update(enrolments::table.filter(enrolments::convention_id.eq(convention)))
        .set(enrolments::convention_id.eq(None::<ConventionId>))
        .execute(tx.conn())?)
}

/// Which enrolments a list shows.
#[derive(Debug, Clone, Default)]
pub struct EnrolmentFilter {
    pub departement: Option<Departement>,
    pub sector: Option<Sector>,
    pub covered: Option<bool>,
}

/// An enrolment and its school's name.
pub(super) type EnrolmentLine = (Enrolment, Line, Line, Departement);

/// A page of enrolments by UAI.
pub(super) fn list_enrolments(
    tx: &mut Tx<'_>,
    campaign: CampaignId,
    filter: &EnrolmentFilter,
    page: &Page,
) -> Outcome<Vec<EnrolmentLine>> {
    let mut query = enrolments::table
        .inner_join(schools::table.on(schools::uai.eq(enrolments::uai)))
        .filter(enrolments::campaign_id.eq(campaign))
        .select((enrolments::all_columns, schools::name, schools::commune_name, schools::departement))
        .into_boxed();
    if let Some(departement) = &filter.departement {
        query = query.filter(schools::departement.eq(departement.clone()));
    }
    if let Some(sector) = filter.sector {
        query = query.filter(schools::sector.eq(sector));
    }
    match filter.covered {
        Some(true) => query = query.filter(enrolments::convention_id.is_not_null()),
        Some(false) => query = query.filter(enrolments::convention_id.is_null()),
        None => {}
    }
    if let Some(uai) = page.after(0) {
        query = query.filter(enrolments::uai.gt(uai.to_owned()));
    }
    let rows: Vec<(EnrolmentRow, Line, Line, Departement)> =
        query.order(enrolments::uai.asc()).limit(page.fetch()).load(tx.conn())?;
    Ok(rows.into_iter().map(|(e, name, commune, departement)| (e.into(), name, commune, departement)).collect())
}
