//! The tables of schools and their payers.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use super::kinds::{SchoolKind, Sector, SetBy};
use super::official_siret::OfficialSiret;
use super::school::{Count, PayerPeriod, School, SchoolIdentity};
use crate::kernel::ids::CollectiviteId;
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::{Line, SearchText};
use crate::kernel::{Departement, InseeCode, Instant, Refused, SchoolYear, Siret, Uai};
use crate::platform::db::json::Json;
use crate::platform::db::schema::{collectivite_sirets, school_payers, schools};
use crate::platform::db::unreadable::Rows;
use crate::platform::db::{BATCH, Backend, placeholders};
use crate::platform::page::{Page, PageView};
use crate::platform::{Outcome, Tx, each, on_unique};
use crate::{insert_batches, keyset, rows};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = schools, treat_none_as_null = true, treat_none_as_default_value = false)]
struct SchoolRow {
    uai: Uai,
    name: Line,
    name_fold: String,
    kind: SchoolKind,
    sector: Sector,
    insee_code: InseeCode,
    commune_name: Line,
    commune_fold: String,
    departement: Departement,
    official_siret: Option<OfficialSiret>,
    official_siren: Option<OfficialSiret>,
    pupils: Option<i64>,
    classes: Option<i64>,
    opened_on: Option<NaiveDate>,
    closed_on: Option<NaiveDate>,
    first_school_year: Option<SchoolYear>,
    person_fields: Json<BTreeSet<String>>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl SchoolRow {
    fn new(s: &School) -> Outcome<Self> {
        let said = s.said.clone();
        Ok(Self {
            name_fold: s.name_fold(),
            commune_fold: s.commune_fold(),
            uai: said.uai,
            name: said.name,
            kind: said.kind,
            sector: said.sector,
            insee_code: said.insee_code,
            commune_name: said.commune_name,
            departement: s.departement.clone(),
            official_siret: s.official_siret.clone(),
            official_siren: s.official_siren.clone(),
            pupils: said.pupils.map(|c| c.0),
            classes: said.classes.map(|c| c.0),
            opened_on: said.opened_on,
            closed_on: said.closed_on,
            first_school_year: said.first_school_year,
            person_fields: Json::new(s.person_fields.clone())?,
            version: s.version,
            created_at: s.created_at,
            updated_at: s.updated_at,
        })
    }

    fn into_domain(self) -> School {
        School {
            said: SchoolIdentity {
                uai: self.uai,
                name: self.name,
                kind: self.kind,
                sector: self.sector,
                insee_code: self.insee_code,
                commune_name: self.commune_name,
                pupils: self.pupils.map(Count),
                classes: self.classes.map(Count),
                opened_on: self.opened_on,
                closed_on: self.closed_on,
                first_school_year: self.first_school_year,
            },
            departement: self.departement,
            // Written before identifiers were read without their spaces, the SIREN was cut out of the raw text.
            official_siren: match &self.official_siret {
                Some(siret) => siret.siren(),
                None => self.official_siren.and_then(|siren| siren.siren()),
            },
            official_siret: self.official_siret,
            person_fields: self.person_fields.value,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

pub(super) fn insert(tx: &mut Tx<'_>, new: &[School], taken: impl FnOnce() -> Refused) -> Outcome<()> {
    let rows = each(new.iter().collect(), SchoolRow::new)?;
    let mut run = || -> QueryResult<()> {
        insert_batches!(tx, schools::table, rows);
        Ok(())
    };
    on_unique(run(), taken)
}

pub(super) fn save(tx: &mut Tx<'_>, school: &mut School) -> Outcome<()> {
    let read = school.version;
    school.version += 1;
    school.updated_at = tx.now();
    let row = SchoolRow::new(school)?;
    let done = diesel::update(schools::table.find(&school.said.uai).filter(schools::version.eq(read)))
        .set(row)
        .execute(tx.conn())?;
    if done == 1 {
        Ok(())
    } else {
        Err(Refused::new(&CONCURRENT_CHANGE, "L'école a été modifiée entre-temps.").into())
    }
}

pub(super) fn find(tx: &mut Tx<'_>, uai: &Uai) -> Outcome<Option<School>> {
    let row: Option<SchoolRow> = schools::table.find(uai).first(tx.conn()).optional()?;
    Ok(row.map(SchoolRow::into_domain))
}

/// Where a row that cannot be read is looked for.
pub(super) const ROWS: [Rows; 2] = [
    rows!("schools": schools as SchoolRow, "school", "SELECT uai AS id, uai AS key FROM schools ORDER BY uai", schools::uai),
    rows!("school_payers": school_payers as PeriodRow, "school", "SELECT DISTINCT uai AS id, uai AS key FROM school_payers ORDER BY uai",
        school_payers::uai),
];

type PeriodRow = (Uai, NaiveDate, Option<NaiveDate>, CollectiviteId, SetBy);

fn group(rows: Vec<PeriodRow>) -> HashMap<Uai, Vec<PayerPeriod>> {
    let mut periods: HashMap<Uai, Vec<PayerPeriod>> = HashMap::new();
    for (uai, from, until, collectivite_id, set_by) in rows {
        periods.entry(uai).or_default().push(PayerPeriod { from, until, collectivite_id, set_by });
    }
    periods
}

/// Payer periods of every school.
pub(super) fn all_payers(tx: &mut Tx<'_>) -> Outcome<HashMap<Uai, Vec<PayerPeriod>>> {
    Ok(group(school_payers::table.order((school_payers::uai, school_payers::valid_from)).load(tx.conn())?))
}

/// Payer periods of some schools.
pub(super) fn payers_of(tx: &mut Tx<'_>, uais: &[Uai]) -> Outcome<HashMap<Uai, Vec<PayerPeriod>>> {
    Ok(group(
        school_payers::table
            .filter(school_payers::uai.eq_any(uais))
            .order((school_payers::uai, school_payers::valid_from))
            .load(tx.conn())?,
    ))
}

/// Writes the periods of schools that had none.
pub(super) fn insert_payers(tx: &mut Tx<'_>, periods: &[(Uai, PayerPeriod)]) -> Outcome<()> {
    let rows: Vec<_> = periods
        .iter()
        .map(|(uai, p)| {
            (
                school_payers::uai.eq(uai),
                school_payers::valid_from.eq(p.from),
                school_payers::valid_until.eq(p.until),
                school_payers::collectivite_id.eq(p.collectivite_id),
                school_payers::set_by.eq(p.set_by),
            )
        })
        .collect();
    let mut run = || -> QueryResult<()> {
        insert_batches!(tx, school_payers::table, rows);
        Ok(())
    };
    on_unique(run(), || {
        Refused::new(&CONCURRENT_CHANGE, "Le payeur de cette école vient d'être fixé par quelqu'un d'autre.")
    })
}

/// Replaces the periods of one school.
pub(super) fn replace_payers(tx: &mut Tx<'_>, uai: &Uai, periods: &[PayerPeriod]) -> Outcome<()> {
    diesel::delete(school_payers::table.filter(school_payers::uai.eq(uai))).execute(tx.conn())?;
    let rows: Vec<(Uai, PayerPeriod)> = periods.iter().map(|p| (uai.clone(), p.clone())).collect();
    insert_payers(tx, &rows)
}

/// Which schools a list or a bulk enrolment takes.
#[derive(Debug, Clone, Default)]
pub struct SchoolFilter {
    pub departement: Option<Departement>,
    pub sector: Option<Sector>,
    pub kind: Option<SchoolKind>,
    pub insee_code: Option<InseeCode>,
    /// SIRET, present or former, of who pays today.
    pub collectivite: Option<Siret>,
    pub q: Option<SearchText>,
    pub updated_since: Option<Instant>,
}

/// Keeps what a [`SchoolFilter`] takes in any boxed query over `schools`, joined or not: whoever lists by school
/// selects as `GET /schools` does.
#[macro_export]
macro_rules! school_filters {
    ($query:ident, $filter:expr, $today:expr) => {
        let (filter, today): (&$crate::registry::SchoolFilter, chrono::NaiveDate) = ($filter, $today);
        if let Some(departement) = &filter.departement {
            $query = $query.filter(schools::departement.eq(departement.clone()));
        }
        if let Some(sector) = filter.sector {
            $query = $query.filter(schools::sector.eq(sector));
        }
        if let Some(kind) = filter.kind {
            $query = $query.filter(schools::kind.eq(kind));
        }
        if let Some(insee) = &filter.insee_code {
            $query = $query.filter(schools::insee_code.eq(insee.clone()));
        }
        if let Some(siret) = &filter.collectivite {
            let payer = collectivite_sirets::table
                .filter(collectivite_sirets::siret.eq(siret.clone()))
                .select(collectivite_sirets::collectivite_id);
            let open = school_payers::valid_until.is_null().or(school_payers::valid_until.gt(today).assume_not_null());
            let paid = school_payers::table
                .filter(school_payers::collectivite_id.eq_any(payer))
                .filter(school_payers::valid_from.le(today))
                .filter(open)
                .select(school_payers::uai);
            $query = $query.filter(schools::uai.eq_any(paid));
        }
        if let Some(q) = &filter.q {
            use $crate::platform::db::search;
            let name = search::name(q.as_str());
            let uai = schools::uai.like(search::code_start(q.as_str())).escape(search::ESCAPE);
            let school = schools::name_fold.like(name.clone()).escape(search::ESCAPE);
            $query = $query.filter(school.or(schools::commune_fold.like(name).escape(search::ESCAPE)).or(uai));
        }
    };
}

fn filtered(filter: &SchoolFilter, today: NaiveDate) -> schools::BoxedQuery<'static, Backend> {
    let mut query = schools::table.into_boxed();
    school_filters!(query, filter, today);
    if let Some(since) = filter.updated_since {
        query = query.filter(schools::updated_at.ge(since));
    }
    query
}

crate::sort_keys!(SchoolSort, SchoolOrder of "schools" {
    Uai => "uai", Name => "name", Commune => "commune_name", Updated => "updated_at",
});

/// A page of schools.
pub(super) fn list(tx: &mut Tx<'_>, filter: &SchoolFilter, page: &Page<SchoolSort>) -> Outcome<PageView<School>> {
    let mut query = filtered(filter, tx.today());
    keyset!(query, page, schools::uai, {
        SchoolSort::Uai => schools::uai, String;
        SchoolSort::Name => schools::name_fold, String;
        SchoolSort::Commune => schools::commune_fold, String;
        SchoolSort::Updated => schools::updated_at, Instant;
    });
    let rows: Vec<SchoolRow> = query.load(tx.conn())?;
    let place = |by, s: &School| {
        let uai = s.said.uai.to_string();
        let value = match by {
            SchoolSort::Uai => uai.clone(),
            SchoolSort::Name => s.name_fold(),
            SchoolSort::Commune => s.commune_fold(),
            SchoolSort::Updated => s.updated_at.to_string(),
        };
        (value, uai)
    };
    Ok(page.cut(rows.into_iter().map(SchoolRow::into_domain).collect(), tx.now(), place))
}

/// Every school a filter takes, by UAI.
pub(super) fn select(tx: &mut Tx<'_>, filter: &SchoolFilter) -> Outcome<Vec<School>> {
    let rows: Vec<SchoolRow> = filtered(filter, tx.today()).order(schools::uai.asc()).load(tx.conn())?;
    Ok(rows.into_iter().map(SchoolRow::into_domain).collect())
}

/// Schools by UAI, as many as are found.
pub(super) fn by_uais(tx: &mut Tx<'_>, uais: &[Uai]) -> Outcome<Vec<School>> {
    // One school, as most payers have: asked by `=`, the statement is prepared once per connection.
    if let [uai] = uais {
        return Ok(find(tx, uai)?.into_iter().collect());
    }
    let mut found = Vec::new();
    for chunk in uais.chunks(5000) {
        let rows: Vec<SchoolRow> = schools::table.filter(schools::uai.eq_any(chunk)).load(tx.conn())?;
        found.extend(rows.into_iter().map(SchoolRow::into_domain));
    }
    Ok(found)
}

/// Schools closed on a day, and since when.
pub(super) fn closed(tx: &mut Tx<'_>, day: NaiveDate) -> Outcome<HashMap<Uai, NaiveDate>> {
    let rows: Vec<(Uai, NaiveDate)> = schools::table
        .filter(schools::closed_on.le(day))
        .select((schools::uai, schools::closed_on.assume_not_null()))
        .load(tx.conn())?;
    Ok(rows.into_iter().collect())
}

/// The same, among some schools.
pub(super) fn closed_among(tx: &mut Tx<'_>, day: NaiveDate, uais: &[Uai]) -> Outcome<HashMap<Uai, NaiveDate>> {
    let mut found = HashMap::new();
    for chunk in uais.chunks(5000) {
        let rows: Vec<(Uai, NaiveDate)> = schools::table
            .filter(schools::uai.eq_any(chunk))
            .filter(schools::closed_on.le(day))
            .select((schools::uai, schools::closed_on.assume_not_null()))
            .load(tx.conn())?;
        found.extend(rows);
    }
    Ok(found)
}

/// Notes the first school year of some schools.
pub(super) fn note_first_school_years(tx: &mut Tx<'_>, years: &[(Uai, SchoolYear)]) -> Outcome<()> {
    let now = tx.now();
    for chunk in years.chunks(BATCH) {
        let mut update = diesel::sql_query(format!(
            "UPDATE schools SET first_school_year = v.column2, version = version + 1, updated_at = $1 \
             FROM (VALUES {}) AS v WHERE schools.uai = v.column1",
            placeholders(2, chunk.len(), 2),
        ))
        .into_boxed::<Backend>()
        .bind::<Timestamp, _>(now);
        for (uai, year) in chunk {
            update = update.bind::<Text, _>(uai).bind::<Text, _>(year);
        }
        update.execute(tx.conn())?;
    }
    Ok(())
}
