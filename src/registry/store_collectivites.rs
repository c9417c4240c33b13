//! The tables of collectivités, their SIRETs, their INSEE codes and their successions.
//!
//! Over 400 lines: one wide table written out once as columns, row and domain value, and the three small ones around it.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use diesel::dsl;
use diesel::prelude::*;

use super::collectivite::{Address, Chorus, ChorusCode, Collectivite, CollectiviteIdentity, Representative, SiretView};
use super::kinds::{CollectiviteKind, SuccessionKind};
use super::school::PayerFacts;
use crate::kernel::contact::{Civility, EmailAddress, Phone, PostalCode};
use crate::kernel::ids::CollectiviteId;
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::{Line, SearchText};
use crate::kernel::{Departement, InseeCode, Instant, Refused, Siren, Siret};
use crate::platform::db::json::Json;
use crate::platform::db::schema::{collectivite_communes, collectivite_sirets, collectivites, successions};
use crate::platform::db::unreadable::Rows;
use crate::platform::db::{Backend, search};
use crate::platform::page::{Page, PageView};
use crate::platform::{Outcome, Tx, each, on_unique};
use crate::{insert_batches, keyset, on_backend, rows};

#[derive(Queryable, Insertable, AsChangeset, Clone)]
#[diesel(table_name = collectivites, treat_none_as_null = true, treat_none_as_default_value = false)]
struct CollectiviteRow {
    id: CollectiviteId,
    siret: Siret,
    siren: Siren,
    kind: CollectiviteKind,
    name: Line,
    name_fold: String,
    insee_code: Option<InseeCode>,
    departement: Option<Departement>,
    address_line1: Option<Line>,
    address_line2: Option<Line>,
    postal_code: Option<PostalCode>,
    city: Option<Line>,
    civility: Option<Civility>,
    first_name: Option<Line>,
    last_name: Option<Line>,
    representative_title: Option<Line>,
    contact_email: Option<EmailAddress>,
    contact_phone: Option<Phone>,
    chorus_service_code: Option<ChorusCode>,
    chorus_commitment_number: Option<ChorusCode>,
    chorus_third_party_number: Option<ChorusCode>,
    population: Option<i64>,
    person_fields: Json<BTreeSet<String>>,
    closed_on: Option<NaiveDate>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl CollectiviteRow {
    fn new(c: &Collectivite) -> Outcome<Self> {
        let said = c.said.clone();
        Ok(Self {
            id: c.id,
            siren: c.siren(),
            name_fold: c.name_fold(),
            siret: said.siret,
            kind: said.kind,
            name: said.name,
            insee_code: said.insee_code,
            departement: c.departement.clone(),
            address_line1: said.address.line1,
            address_line2: said.address.line2,
            postal_code: said.address.postal_code,
            city: said.address.city,
            civility: said.representative.civility,
            first_name: said.representative.first_name,
            last_name: said.representative.last_name,
            representative_title: said.representative.title,
            contact_email: said.contact_email,
            contact_phone: said.contact_phone,
            chorus_service_code: said.chorus.service_code,
            chorus_commitment_number: said.chorus.commitment_number,
            chorus_third_party_number: said.chorus.third_party_number,
            population: c.population,
            person_fields: Json::new(c.person_fields.clone())?,
            closed_on: said.closed_on,
            version: c.version,
            created_at: c.created_at,
            updated_at: c.updated_at,
        })
    }

    fn into_domain(self) -> Collectivite {
        Collectivite {
            id: self.id,
            said: CollectiviteIdentity {
                siret: self.siret,
                kind: self.kind,
                name: self.name,
                insee_code: self.insee_code,
                address: Address {
                    line1: self.address_line1,
                    line2: self.address_line2,
                    postal_code: self.postal_code,
                    city: self.city,
                },
                representative: Representative {
                    civility: self.civility,
                    first_name: self.first_name,
                    last_name: self.last_name,
                    title: self.representative_title,
                },
                contact_email: self.contact_email,
                contact_phone: self.contact_phone,
                chorus: Chorus {
                    service_code: self.chorus_service_code,
                    commitment_number: self.chorus_commitment_number,
                    third_party_number: self.chorus_third_party_number,
                },
                closed_on: self.closed_on,
            },
            departement: self.departement,
            population: self.population,
            person_fields: self.person_fields.value,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// Inserts new collectivités with their current SIRET.
pub(super) fn insert(tx: &mut Tx<'_>, new: &[Collectivite], taken: impl FnOnce() -> Refused) -> Outcome<()> {
    let rows = each(new.iter().collect(), CollectiviteRow::new)?;
    let sirets: Vec<_> = new
        .iter()
        .map(|c| (collectivite_sirets::siret.eq(&c.said.siret), collectivite_sirets::collectivite_id.eq(c.id)))
        .collect();
    let mut both = || -> QueryResult<()> {
        insert_batches!(tx, collectivites::table, rows);
        insert_batches!(tx, collectivite_sirets::table, sirets);
        Ok(())
    };
    on_unique(both(), taken)
}

/// Writes a changed collectivité if nobody did since `version` was read; its version moves by one.
pub(super) fn save(tx: &mut Tx<'_>, c: &mut Collectivite) -> Outcome<()> {
    let read = c.version;
    c.version += 1;
    c.updated_at = tx.now();
    let row = CollectiviteRow::new(c)?;
    let done = diesel::update(collectivites::table.find(c.id).filter(collectivites::version.eq(read)))
        .set(row)
        .execute(tx.conn())?;
    if done == 1 {
        Ok(())
    } else {
        Err(Refused::new(&CONCURRENT_CHANGE, "La collectivité a été modifiée entre-temps.").into())
    }
}

/// A collectivité by one of its SIRETs, present or past.
pub(super) fn find_by_siret(tx: &mut Tx<'_>, siret: &Siret) -> Outcome<Option<Collectivite>> {
    let row: Option<CollectiviteRow> = collectivites::table
        .inner_join(collectivite_sirets::table.on(collectivite_sirets::collectivite_id.eq(collectivites::id)))
        .filter(collectivite_sirets::siret.eq(siret))
        .select(collectivites::all_columns)
        .first(tx.conn())
        .optional()?;
    Ok(row.map(CollectiviteRow::into_domain))
}

/// The collectivités whose contact is an address.
pub(super) fn with_contact(tx: &mut Tx<'_>, address: &EmailAddress) -> Outcome<Vec<Collectivite>> {
    let rows: Vec<CollectiviteRow> = collectivites::table
        .filter(collectivites::contact_email.eq(address))
        .order(collectivites::id)
        .load(tx.conn())?;
    Ok(rows.into_iter().map(CollectiviteRow::into_domain).collect())
}

/// The commune registered under an INSEE code, present or past.
pub(super) fn find_by_insee(tx: &mut Tx<'_>, insee: &InseeCode) -> Outcome<Option<Collectivite>> {
    let row: Option<CollectiviteRow> = collectivites::table
        .inner_join(collectivite_communes::table.on(collectivite_communes::collectivite_id.eq(collectivites::id)))
        .filter(collectivite_communes::insee_code.eq(insee))
        .select(collectivites::all_columns)
        .first(tx.conn())
        .optional()?;
    Ok(row.map(CollectiviteRow::into_domain))
}

/// Every collectivité: some thousands of rows, for the bulk acts and imports.
pub(super) fn all(tx: &mut Tx<'_>) -> Outcome<Vec<Collectivite>> {
    let rows: Vec<CollectiviteRow> = collectivites::table.order(collectivites::id).load(tx.conn())?;
    Ok(rows.into_iter().map(CollectiviteRow::into_domain).collect())
}

/// What the checks of schools need of every payer.
pub(super) fn facts(tx: &mut Tx<'_>) -> Outcome<HashMap<CollectiviteId, PayerFacts>> {
    let rows: Vec<(CollectiviteId, Siren, Option<Departement>)> = collectivites::table
        .select((collectivites::id, collectivites::siren, collectivites::departement))
        .load(tx.conn())?;
    Ok(rows.into_iter().map(|(id, siren, departement)| (id, PayerFacts { siren, departement })).collect())
}

/// Collectivités by id.
pub(super) fn by_ids(tx: &mut Tx<'_>, ids: &[CollectiviteId]) -> Outcome<Vec<Collectivite>> {
    let rows: Vec<CollectiviteRow> = collectivites::table.filter(collectivites::id.eq_any(ids)).load(tx.conn())?;
    Ok(rows.into_iter().map(CollectiviteRow::into_domain).collect())
}

/// One collectivité. Asked by `=`, a statement is prepared once per connection; by `IN`, SQLite prepares it each time.
pub(super) fn by_id(tx: &mut Tx<'_>, id: CollectiviteId) -> Outcome<Option<Collectivite>> {
    let row: Option<CollectiviteRow> = collectivites::table.find(id).first(tx.conn()).optional()?;
    Ok(row.map(CollectiviteRow::into_domain))
}

/// INSEE codes, whose they are, and whether they are in force.
pub(super) fn insee_codes(tx: &mut Tx<'_>) -> Outcome<Vec<(InseeCode, CollectiviteId, bool)>> {
    Ok(collectivite_communes::table.load(tx.conn())?)
}

/// Every SIRET ever known, whose it is and since when.
pub(super) fn all_sirets(tx: &mut Tx<'_>) -> Outcome<Vec<(Siret, CollectiviteId, Option<NaiveDate>)>> {
    Ok(collectivite_sirets::table
        .select((collectivite_sirets::siret, collectivite_sirets::collectivite_id, collectivite_sirets::valid_from))
        .load(tx.conn())?)
}

/// Gives a known INSEE code to a collectivité, in force or as a former one.
pub(super) fn hold_insee_code(tx: &mut Tx<'_>, insee: &InseeCode, id: CollectiviteId, current: bool) -> Outcome<()> {
    diesel::update(collectivite_communes::table.find(insee))
        .set((collectivite_communes::collectivite_id.eq(id), collectivite_communes::is_current.eq(current)))
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn insert_insee_codes(tx: &mut Tx<'_>, codes: &[(InseeCode, CollectiviteId, bool)]) -> Outcome<()> {
    let rows: Vec<_> = codes
        .iter()
        .map(|(insee, id, current)| {
            (
                collectivite_communes::insee_code.eq(insee),
                collectivite_communes::collectivite_id.eq(*id),
                collectivite_communes::is_current.eq(*current),
            )
        })
        .collect();
    let mut run = || -> QueryResult<()> {
        insert_batches!(tx, collectivite_communes::table, rows);
        Ok(())
    };
    on_unique(run(), || {
        Refused::new(&CONCURRENT_CHANGE, "Un code INSEE vient d'être attribué à une autre collectivité.")
    })
}

/// Gives a free INSEE code to a collectivité; nothing happens when another took it at the same time.
pub(super) fn claim_insee_code(tx: &mut Tx<'_>, insee: &InseeCode, id: CollectiviteId) -> Outcome<()> {
    on_backend!(tx.conn(), |c| diesel::insert_into(collectivite_communes::table)
        .values((
            collectivite_communes::insee_code.eq(insee),
            collectivite_communes::collectivite_id.eq(id),
            collectivite_communes::is_current.eq(true),
        ))
        .on_conflict(collectivite_communes::insee_code)
        .do_nothing()
        .execute(c))?;
    Ok(())
}

/// Who holds an INSEE code.
pub(super) fn insee_holder(tx: &mut Tx<'_>, insee: &InseeCode) -> Outcome<Option<CollectiviteId>> {
    Ok(collectivite_communes::table
        .find(insee)
        .select(collectivite_communes::collectivite_id)
        .first(tx.conn())
        .optional()?)
}

/// The SIRETs of one collectivité, oldest first.
pub(super) fn sirets(tx: &mut Tx<'_>, id: CollectiviteId) -> Outcome<Vec<SiretView>> {
    let rows: Vec<(Siret, Option<NaiveDate>, Option<NaiveDate>)> = collectivite_sirets::table
        .filter(collectivite_sirets::collectivite_id.eq(id))
        .order((collectivite_sirets::valid_until.asc(), collectivite_sirets::siret.asc()))
        .select((collectivite_sirets::siret, collectivite_sirets::valid_from, collectivite_sirets::valid_until))
        .load(tx.conn())?;
    let mut views: Vec<SiretView> =
        rows.into_iter().map(|(siret, valid_from, valid_until)| SiretView { siret, valid_from, valid_until }).collect();
    views.sort_by_key(|v| (v.valid_until.is_none(), v.valid_until));
    Ok(views)
}

/// Ends the present SIRET and begins another.
pub(super) fn replace_siret(
    tx: &mut Tx<'_>,
    id: CollectiviteId,
    old: &Siret,
    new: &Siret,
    from: NaiveDate,
    taken: impl FnOnce() -> Refused,
) -> Outcome<()> {
    diesel::update(collectivite_sirets::table.find(old))
        .set(collectivite_sirets::valid_until.eq(from))
        .execute(tx.conn())?;
    let inserted = diesel::insert_into(collectivite_sirets::table)
        .values((
            collectivite_sirets::siret.eq(new),
            collectivite_sirets::collectivite_id.eq(id),
            collectivite_sirets::valid_from.eq(from),
        ))
        .execute(tx.conn());
    on_unique(inserted, taken).map(|_| ())
}

/// A recorded succession.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = successions, treat_none_as_default_value = false)]
pub struct Succession {
    pub predecessor_id: CollectiviteId,
    pub successor_id: CollectiviteId,
    pub kind: SuccessionKind,
    pub effective_on: NaiveDate,
    pub act_reference: Line,
    pub recorded_by: String,
    pub recorded_at: Instant,
}

/// Where a row that cannot be read is looked for.
pub(super) const ROWS: [Rows; 2] = [
    rows!("collectivites": collectivites as CollectiviteRow, "collectivite",
        "SELECT id, siret AS key FROM collectivites ORDER BY id", collectivites::id),
    rows!("successions": successions as Succession, "collectivite",
        "SELECT s.predecessor_id AS id, c.siret AS key FROM successions s JOIN collectivites c ON c.id = s.predecessor_id ORDER BY 1",
        successions::predecessor_id),
];

pub(super) fn successions(tx: &mut Tx<'_>) -> Outcome<Vec<Succession>> {
    Ok(successions::table.order(successions::predecessor_id).load(tx.conn())?)
}

pub(super) fn insert_succession(tx: &mut Tx<'_>, new: &Succession, exists: impl FnOnce() -> Refused) -> Outcome<()> {
    let inserted = diesel::insert_into(successions::table).values(new).execute(tx.conn());
    on_unique(inserted, exists).map(|_| ())
}

/// Which collectivités a list shows, or an act in number takes.
#[derive(Debug, Clone, Default)]
pub struct CollectiviteFilter {
    pub departement: Option<Departement>,
    pub kind: Option<CollectiviteKind>,
    /// INSEE code, present or former.
    pub insee_code: Option<InseeCode>,
    /// SIRET, present or former.
    pub collectivite: Option<Siret>,
    pub q: Option<SearchText>,
    pub updated_since: Option<Instant>,
}

crate::sort_keys!(CollectiviteSort, CollectiviteOrder of "collectivites" { Siret => "siret", Name => "name", Updated => "updated_at" });

/// The ids of who holds an INSEE code, present or former, to be looked for in another table's column.
pub type HoldersOfCommune = dsl::Select<
    dsl::Filter<collectivite_communes::table, dsl::Eq<collectivite_communes::insee_code, InseeCode>>,
    collectivite_communes::collectivite_id,
>;
/// The ids of who holds a SIRET, present or former.
pub type HoldersOfSiret = dsl::Select<
    dsl::Filter<collectivite_sirets::table, dsl::Eq<collectivite_sirets::siret, Siret>>,
    collectivite_sirets::collectivite_id,
>;
/// The ids of those of a nature.
pub type OfKind =
    dsl::Select<dsl::Filter<collectivites::table, dsl::Eq<collectivites::kind, CollectiviteKind>>, collectivites::id>;

#[must_use]
pub fn holders_of_commune(code: &InseeCode) -> HoldersOfCommune {
    collectivite_communes::table
        .filter(collectivite_communes::insee_code.eq(code.clone()))
        .select(collectivite_communes::collectivite_id)
}

#[must_use]
pub fn holders_of_siret(siret: &Siret) -> HoldersOfSiret {
    collectivite_sirets::table
        .filter(collectivite_sirets::siret.eq(siret.clone()))
        .select(collectivite_sirets::collectivite_id)
}

/// The collectivité a word means: by any SIRET it has or had.
pub(super) fn called(tx: &mut Tx<'_>, word: &str) -> Outcome<Vec<String>> {
    let Ok(siret) = Siret::parse(word) else { return Ok(Vec::new()) };
    let ids: Vec<CollectiviteId> = holders_of_siret(&siret).load(tx.conn())?;
    Ok(ids.into_iter().map(|id| id.to_string()).collect())
}

#[must_use]
pub fn of_kind(kind: CollectiviteKind) -> OfKind {
    collectivites::table.filter(collectivites::kind.eq(kind)).select(collectivites::id)
}

fn filtered(filter: &CollectiviteFilter) -> collectivites::BoxedQuery<'static, Backend> {
    let mut query = collectivites::table.into_boxed();
    if let Some(departement) = &filter.departement {
        query = query.filter(collectivites::departement.eq(departement.clone()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(collectivites::kind.eq(kind));
    }
    if let Some(code) = &filter.insee_code {
        query = query.filter(collectivites::id.eq_any(holders_of_commune(code)));
    }
    if let Some(siret) = &filter.collectivite {
        query = query.filter(collectivites::id.eq_any(holders_of_siret(siret)));
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(collectivites::updated_at.ge(since));
    }
    if let Some(q) = &filter.q {
        let siret = collectivites::siret.like(search::code_start(q.as_str())).escape(search::ESCAPE);
        let name = collectivites::name_fold.like(search::name(q.as_str())).escape(search::ESCAPE);
        query = query.filter(siret.or(name));
    }
    query
}

/// A page of collectivités.
pub(super) fn list(
    tx: &mut Tx<'_>,
    filter: &CollectiviteFilter,
    page: &Page<CollectiviteSort>,
) -> Outcome<PageView<Collectivite>> {
    let mut query = filtered(filter);
    keyset!(query, page, collectivites::siret, {
        CollectiviteSort::Siret => collectivites::siret, String;
        CollectiviteSort::Name => collectivites::name_fold, String;
        CollectiviteSort::Updated => collectivites::updated_at, Instant;
    });
    let rows: Vec<CollectiviteRow> = query.load(tx.conn())?;
    let place = |by, c: &Collectivite| {
        let siret = c.said.siret.to_string();
        let value = match by {
            CollectiviteSort::Siret => siret.clone(),
            CollectiviteSort::Name => c.name_fold(),
            CollectiviteSort::Updated => c.updated_at.to_string(),
        };
        (value, siret)
    };
    Ok(page.cut(rows.into_iter().map(CollectiviteRow::into_domain).collect(), tx.now(), place))
}

/// The collectivités a filter takes.
pub(super) fn select_ids(tx: &mut Tx<'_>, filter: &CollectiviteFilter) -> Outcome<Vec<CollectiviteId>> {
    Ok(filtered(filter).select(collectivites::id).load(tx.conn())?)
}
