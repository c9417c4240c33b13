//! The dates of the registry: what has happened, however long ago it is recorded, and what is announced. Pure.
//!
//! A commune nouvelle, the closing of a school, another payer are known before their day: two years ahead at most. A
//! SIRET takes effect as soon as it is recorded: it never begins in the future. SIRETs exist since 1973.

use chrono::NaiveDate;

use super::collectivite::CollectiviteIdentity;
use super::school::{SaidSchool, SchoolIdentity};
use crate::kernel::dates::{Bounds, first_of, placed, refuse};
use crate::kernel::{FieldError, FieldFault, Refused};

/// Schools are older than the registry; requests admit no year before.
const SCHOOLS_SINCE: i32 = 1900;
/// Closings, mergers and successions that may still matter.
const BODIES_SINCE: i32 = 1970;
const SIRETS_SINCE: i32 = 1973;
/// Nobody paid for an ENT before.
const PAYERS_SINCE: i32 = 2000;

/// When a school may have opened, or be going to.
#[must_use]
pub fn openings(today: NaiveDate) -> Bounds {
    Bounds::announced(SCHOOLS_SINCE, today)
}

/// A date, when it is not the one known before: what stands is not judged again.
fn new(said: Option<NaiveDate>, before: Option<NaiveDate>) -> Option<NaiveDate> {
    said.filter(|day| before != Some(*day))
}

/// Whether what a person says of a school bears likely dates.
///
/// # Errors
/// `invalid_value`, each date on its field.
pub fn school(said: &SaidSchool, before: Option<&SchoolIdentity>, today: NaiveDate) -> Result<(), Refused> {
    let (payer_from, said) = (said.payer_from, &said.identity);
    let opened = new(said.opened_on, before.and_then(|b| b.opened_on));
    let closed = new(said.closed_on, before.and_then(|b| b.closed_on));
    let mut errors: Vec<FieldError> =
        opened.and_then(|day| openings(today).error("/opened_on", day)).into_iter().collect();
    errors.extend(closed.and_then(|day| Bounds::announced(BODIES_SINCE, today).error("/closed_on", day)));
    if let (Some(first), Some(last)) = (said.opened_on, said.closed_on)
        && last < first
        && (opened.is_some() || closed.is_some())
    {
        let fault = FieldFault::new("date_order", format!("L'école a ouvert le {first} : elle n'a pu fermer avant."));
        errors.push(placed("/closed_on", fault, last));
    }
    errors.extend(payer_from.and_then(|day| payer_fault(day, today)));
    refuse(errors)
}

fn payer_fault(from: NaiveDate, today: NaiveDate) -> Option<FieldError> {
    Bounds::announced(PAYERS_SINCE, today).error("/payer_from", from)
}

/// Whether a payer may pay from a day on.
///
/// # Errors
/// `invalid_value`.
pub fn payer(from: Option<NaiveDate>, today: NaiveDate) -> Result<(), Refused> {
    refuse(from.and_then(|day| payer_fault(day, today)).into_iter().collect())
}

/// Whether what a person says of a collectivité bears likely dates.
///
/// # Errors
/// `invalid_value`.
pub fn collectivite(
    said: &CollectiviteIdentity,
    before: Option<&CollectiviteIdentity>,
    today: NaiveDate,
) -> Result<(), Refused> {
    let closed = new(said.closed_on, before.and_then(|b| b.closed_on));
    let bounds = Bounds::announced(BODIES_SINCE, today);
    refuse(closed.and_then(|day| bounds.error("/closed_on", day)).into_iter().collect())
}

/// Whether a SIRET may begin on a day.
///
/// # Errors
/// `invalid_value`.
pub fn siret(from: NaiveDate, today: NaiveDate) -> Result<(), Refused> {
    refuse(Bounds::happened(first_of(SIRETS_SINCE), today).error("/from", from).into_iter().collect())
}

/// Whether a succession may take effect on a day.
///
/// # Errors
/// `invalid_value`.
pub fn succession(effective_on: NaiveDate, today: NaiveDate) -> Result<(), Refused> {
    let bounds = Bounds::announced(BODIES_SINCE, today);
    refuse(bounds.error("/effective_on", effective_on).into_iter().collect())
}
