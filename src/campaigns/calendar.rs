//! The dates of a campaign: in order, and near the school year they speak of. Pure.
//!
//! Recording late is normal, a campaign may be of years ago; what is refused is a date of another age.

use chrono::{Datelike, NaiveDate};

use super::terms::CampaignTerms;
use crate::kernel::dates::{Bounds, first_of, placed, years_after};
use crate::kernel::{FieldError, FieldFault, SchoolYear};

/// School years are prepared two years ahead at most.
const AHEAD_YEARS: i32 = 2;
/// A convention is dated, and a school asked for, at the earliest this long before its school year begins.
const BEFORE_YEARS: i32 = -2;

/// When something may have been asked or dated for a school year: from two years before it begins.
#[must_use]
pub fn earliest(year: &SchoolYear) -> NaiveDate {
    years_after(year.starts_on(), BEFORE_YEARS)
}

/// Why a request for a school cannot bear this date: it has happened, for this school year.
#[must_use]
pub fn requested_fault(year: &SchoolYear, on: Option<NaiveDate>, today: NaiveDate) -> Option<FieldFault> {
    Bounds::happened(earliest(year), today).fault(on?)
}

impl CampaignTerms {
    /// The rules its dates break, each on its field.
    pub(super) fn date_faults(&self, today: NaiveDate) -> Vec<FieldError> {
        let year = &self.school_year;
        let last = years_after(year.ends_on(), 1);
        let mut errors = Vec::new();
        let order = |pointer: &str, message: String, day| placed(pointer, FieldFault::new("date_order", message), day);
        if first_of(year.first_year()) > first_of(today.year() + AHEAD_YEARS) {
            let message = format!("Année scolaire attendue jusqu'à {AHEAD_YEARS} ans après l'année en cours.");
            errors.push(FieldError {
                pointer: "/school_year".into(),
                code: "date_too_late".into(),
                message,
                value: Some(year.to_string()),
            });
        }
        if self.ends_on < year.starts_on() {
            let message = format!("La convention ne peut finir avant la rentrée ({}).", year.starts_on());
            errors.push(order("/ends_on", message, self.ends_on));
        } else {
            errors.extend(Bounds { from: year.starts_on(), until: last }.error("/ends_on", self.ends_on));
        }
        if self.convention_date > self.ends_on {
            let message = format!("La date de la convention ne peut suivre sa fin ({}).", self.ends_on);
            errors.push(order("/convention_date", message, self.convention_date));
        } else {
            errors.extend(Bounds { from: earliest(year), until: last }.error("/convention_date", self.convention_date));
        }
        if let Some(deadline) = self.response_deadline {
            if deadline < self.convention_date {
                let message = format!(
                    "La réponse ne peut être attendue avant la date de la convention ({}).",
                    self.convention_date
                );
                errors.push(order("/response_deadline", message, deadline));
            } else if deadline > self.ends_on {
                let message = format!("La réponse ne peut être attendue après la fin ({}).", self.ends_on);
                errors.push(order("/response_deadline", message, deadline));
            }
        }
        if let Some(validated) = self.texts.as_ref().and_then(|t| t.courts.validated_on) {
            errors.extend(Bounds::happened(first_of(2000), today).error("/texts/courts/validated_on", validated));
        }
        errors
    }

    /// Whether each date is as it was.
    pub(super) fn same_dates(&self, before: &Self) -> bool {
        let validated = |said: &Self| said.texts.as_ref().and_then(|t| t.courts.validated_on);
        (self.convention_date, self.ends_on, self.response_deadline, validated(self))
            == (before.convention_date, before.ends_on, before.response_deadline, validated(before))
    }
}
