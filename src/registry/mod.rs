//! Who signs and pays, which schools exist, and who pays for each at which date.
//!
//! ```text
//!   communes file ─┐                     ┌─ SIRETs with dates ── successions
//!   directory ─────┼─▶ import ─▶ collectivité ◀── payer period ──▶ school
//!   contacts ──────┘      (a person's word outlives every import; between two, a person chooses)
//! ```
//! A SIRET is stored, never derived. A school's payer is a list of dated periods that never overlap; by default the
//! commune whose present or former INSEE code is the school's.

mod actions;
mod ambiguity;
mod calendar;
pub mod codes;
mod collectivite;
mod designation;
mod events;
mod http_collectivites;
mod http_imports;
mod http_requests;
mod http_schools;
mod http_views;
pub mod import;
mod import_actions;
mod import_administrations;
mod import_collectivites;
mod import_contacts;
mod import_schools;
mod import_view;
pub mod kinds;
mod official_siret;
mod school;
mod store_collectivites;
mod store_retention;
mod store_schools;
mod taking;

pub use actions::{
    RecordSuccession, ReplaceSiret, SetPayer, change_siret, collectivite, create_collectivite, create_school, facts,
    last_successor, record_succession, set_payer,
};
pub use ambiguity::AMBIGUOUS;
pub use codes::CODES;
pub use collectivite::{Address, Chorus, Collectivite, CollectiviteIdentity, Representative};
pub use designation::Designation;
pub use events::RegistryEvent;
pub use http_requests::{CollectiviteRequest, SchoolRequest};
pub use http_views::SchoolView;
pub use import_actions::hold;
pub use import_actions::{Kept, Sifted};
pub use import_collectivites::{import_collectivites, read_collectivites};
pub use import_contacts::{ContactsFile, import_contacts, read_contacts};
pub use import_schools::{ImportSchoolsOptions, SchoolsFile, import_schools, read_schools};
pub use import_view::{ImportRow, ImportView};
pub use school::{PayerPeriod, SaidSchool, School, SchoolIdentity, payer_for_year};
pub use store_collectivites::{CollectiviteFilter, Succession, holders_of_commune, holders_of_siret, of_kind};
pub use store_schools::SchoolFilter;

use std::collections::{HashMap, HashSet};

use utoipa::ToSchema;

use crate::capability::Capability;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::{Siret, Uai};
use crate::platform::db::unreadable::Rows;
use crate::platform::tabular::Layout;
use crate::platform::{Outcome, Tx};

/// The sorts of file this room reads.
static LAYOUTS: &[&Layout] = &[
    &import::communes::LAYOUT,
    &import::directory::LAYOUT,
    &import::contacts::LAYOUT,
    &import::administrations::LAYOUT,
];

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tags: &[("Registre", "Collectivités, écoles, payeurs ; à l'unité ou par import de fichiers.")],
        routes,
        codes: CODES,
        tells: |tellers| tellers.with::<RegistryEvent>().naming(store_collectivites::called),
        omits: &[(<http_views::SchoolView as ToSchema>::name, http_views::SchoolView::SOMETIMES)],
        layouts: LAYOUTS,
        rows: ROWS,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("registry")
    }
}

/// Where a row that cannot be read is looked for.
const ROWS: &[Rows] =
    &[store_collectivites::ROWS[0], store_collectivites::ROWS[1], store_schools::ROWS[0], store_schools::ROWS[1]];

/// Mounts the routes.
fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    // `imports` before `{siret}` and `{uai}`: the first that matches serves.
    http_imports::routes(cfg);
    http_collectivites::routes(cfg);
    http_schools::routes(cfg);
}

/// Schools a filter takes.
pub fn select_schools(tx: &mut Tx<'_>, filter: &SchoolFilter) -> Outcome<Vec<School>> {
    store_schools::select(tx, filter)
}

/// Schools closed on a day, and since when.
pub fn closed_schools(tx: &mut Tx<'_>, day: chrono::NaiveDate) -> Outcome<HashMap<Uai, chrono::NaiveDate>> {
    store_schools::closed(tx, day)
}

/// Those of some schools that are closed on a day, and since when.
pub fn closed_among(tx: &mut Tx<'_>, day: chrono::NaiveDate, uais: &[Uai]) -> Outcome<HashMap<Uai, chrono::NaiveDate>> {
    store_schools::closed_among(tx, day, uais)
}

/// Schools by UAI, as many as are known.
pub fn schools_by_uai(tx: &mut Tx<'_>, uais: &[Uai]) -> Outcome<Vec<School>> {
    store_schools::by_uais(tx, uais)
}

/// Payer periods of every school.
pub fn payers(tx: &mut Tx<'_>) -> Outcome<HashMap<Uai, Vec<PayerPeriod>>> {
    store_schools::all_payers(tx)
}

/// Every collectivité, by id.
pub fn collectivites(tx: &mut Tx<'_>) -> Outcome<HashMap<CollectiviteId, Collectivite>> {
    Ok(store_collectivites::all(tx)?.into_iter().map(|c| (c.id, c)).collect())
}

/// Some collectivités, by id.
pub fn collectivites_by_id(tx: &mut Tx<'_>, ids: &[CollectiviteId]) -> Outcome<HashMap<CollectiviteId, Collectivite>> {
    Ok(store_collectivites::by_ids(tx, ids)?.into_iter().map(|c| (c.id, c)).collect())
}

/// The collectivités a filter takes.
pub fn select_collectivites(tx: &mut Tx<'_>, filter: &CollectiviteFilter) -> Outcome<HashSet<CollectiviteId>> {
    Ok(store_collectivites::select_ids(tx, filter)?.into_iter().collect())
}

/// The collectivités whose contact is an address.
pub fn with_contact(tx: &mut Tx<'_>, address: &crate::kernel::contact::EmailAddress) -> Outcome<Vec<Collectivite>> {
    store_collectivites::with_contact(tx, address)
}

/// Whose a SIRET is, or was.
pub fn holder_of(tx: &mut Tx<'_>, siret: &Siret) -> Outcome<Option<CollectiviteId>> {
    Ok(store_collectivites::find_by_siret(tx, siret)?.map(|c| c.id))
}

/// Who pays for a school today.
pub fn payer_of_school(tx: &mut Tx<'_>, uai: &Uai) -> Outcome<Option<CollectiviteId>> {
    let periods = store_schools::payers_of(tx, std::slice::from_ref(uai))?.remove(uai).unwrap_or_default();
    Ok(school::payer_on(&periods, tx.today()).map(|period| period.collectivite_id))
}

/// Whose each SIRET ever known is.
pub fn sirets(tx: &mut Tx<'_>) -> Outcome<HashMap<Siret, CollectiviteId>> {
    Ok(store_collectivites::all_sirets(tx)?.into_iter().map(|(siret, id, _)| (siret, id)).collect())
}

/// Every succession, by predecessor.
pub fn successions(tx: &mut Tx<'_>) -> Outcome<HashMap<CollectiviteId, Succession>> {
    Ok(store_collectivites::successions(tx)?.into_iter().map(|s| (s.predecessor_id, s)).collect())
}

/// Who has or had each SIRET ever known.
pub fn payers_by_siret(tx: &mut Tx<'_>) -> Outcome<HashMap<crate::kernel::Siret, CollectiviteId>> {
    Ok(store_collectivites::all_sirets(tx)?.into_iter().map(|(siret, id, _)| (siret, id)).collect())
}

/// Notes the first school year some schools took part; who calls has left aside what a person wrote.
pub fn note_first_school_years(tx: &mut Tx<'_>, years: &[(Uai, crate::kernel::SchoolYear)]) -> Outcome<()> {
    store_schools::note_first_school_years(tx, years)
}

/// A collectivité by its id.
pub fn collectivite_by_id(tx: &mut Tx<'_>, id: CollectiviteId) -> Outcome<Option<Collectivite>> {
    store_collectivites::by_id(tx, id)
}
