//! Both signatures of a convention, its refusal, and the days they may bear. Pure.
//!
//! Recording late is normal: only the future is refused, and a day more than a year before the convention's own. A paper
//! that says otherwise than it should (signed or refused before the convention's date, countersigned before the commune
//! signed, refused before a signature that is recorded) is recorded once somebody has acknowledged it with a reason: what the paper says is what is true of it.

use chrono::NaiveDate;

use super::codes::DATE_IN_FUTURE;
use crate::kernel::dates::{Bounds, placed, refuse, years_after};
use crate::kernel::text::{Line, Note};
use crate::kernel::{FieldFault, Finding, Refused};
use crate::text_enum;

text_enum!(
    /// De qui est une signature : la collectivité qui paie, ou la région académique qui contresigne.
    SignedBy { Payer => "payer", Issuer => "issuer" }
);

/// Who signed, in what capacity, when, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub on: NaiveDate,
    pub name: Line,
    pub title: Line,
    pub evidence: Option<Note>,
}

/// What a correction changes of a signature; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    pub of: SignedBy,
    pub on: Option<NaiveDate>,
    pub signatory: Option<(Line, Line)>,
    pub evidence: Option<Note>,
}

impl Correction {
    /// The signature once corrected.
    #[must_use]
    pub fn applied(&self, mut to: Signature) -> Signature {
        if let Some(on) = self.on {
            to.on = on;
        }
        if let Some((name, title)) = &self.signatory {
            (to.name, to.title) = (name.clone(), title.clone());
        }
        if self.evidence.is_some() {
            to.evidence.clone_from(&self.evidence);
        }
        to
    }
}

/// Both signatures and the day the convention took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    pub signed: Signature,
    pub countersigned: Signature,
    /// Day of the last signature.
    pub took_effect_on: NaiveDate,
}

impl Effect {
    /// The effect of two signatures: the day of the last.
    #[must_use]
    pub fn new(signed: Signature, countersigned: Signature) -> Self {
        let took_effect_on = signed.on.max(countersigned.on);
        Self { signed, countersigned, took_effect_on }
    }
}

/// What the day of an act on a convention is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    /// Printed at the head of the convention.
    pub convention_date: NaiveDate,
    pub today: NaiveDate,
}

impl Calendar {
    /// Whether an act on a convention may bear this day.
    ///
    /// # Errors
    /// `date_in_future`; `invalid_value` (`date_too_early`) more than a year before the convention's date.
    pub fn admits(&self, pointer: &str, day: NaiveDate) -> Result<(), Refused> {
        if day > self.today {
            let message = format!("La date {day} est postérieure à aujourd'hui ({}).", self.today);
            let mut refused = Refused::new(&DATE_IN_FUTURE, message.clone());
            refused.errors.push(placed(pointer, FieldFault::new("date_in_future", message), day));
            return Err(refused);
        }
        let bounds = Bounds::happened(years_after(self.convention_date, -1), self.today);
        refuse(bounds.error(pointer, day).into_iter().collect())
    }

    /// What the days of the signatures show that somebody must have seen on the paper.
    #[must_use]
    pub fn findings(&self, signed: &Signature, countersigned: Option<&Signature>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let date = self.convention_date;
        if signed.on < date {
            let message = "La collectivité aurait signé avant la date de la convention : vérifier le papier.";
            findings.push(Finding::to_acknowledge("signed_before_convention_date", message).compared(date, signed.on));
        }
        let Some(countersigned) = countersigned else { return findings };
        if countersigned.on < date {
            let message = "Le contreseing serait antérieur à la date de la convention : vérifier le papier.";
            findings.push(
                Finding::to_acknowledge("countersigned_before_convention_date", message)
                    .compared(date, countersigned.on),
            );
        }
        if countersigned.on < signed.on {
            let message = "Le contreseing serait antérieur à la signature de la collectivité : vérifier le papier.";
            findings.push(
                Finding::to_acknowledge("countersigned_before_signature", message)
                    .compared(signed.on, countersigned.on),
            );
        }
        findings
    }

    /// The same of the day of a refusal.
    #[must_use]
    pub fn refusal_findings(&self, on: NaiveDate, signed: Option<&Signature>) -> Vec<Finding> {
        let mut findings = Vec::new();
        if on < self.convention_date {
            let message = "La collectivité aurait refusé avant la date de la convention : vérifier la délibération.";
            findings.push(
                Finding::to_acknowledge("declined_before_convention_date", message).compared(self.convention_date, on),
            );
        }
        if let Some(signed) = signed.filter(|signed| on < signed.on) {
            let message = "La collectivité aurait refusé avant de signer : vérifier lequel des deux papiers l'engage.";
            findings.push(Finding::to_acknowledge("declined_before_signature", message).compared(signed.on, on));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(raw: &str) -> NaiveDate {
        raw.parse().unwrap()
    }

    fn on(raw: &str) -> Signature {
        let line = |text| Line::parse(text).unwrap();
        Signature { on: day(raw), name: line("Sylvie B."), title: line("Maire"), evidence: None }
    }

    const CALENDAR: fn() -> Calendar = || Calendar { convention_date: day("2025-06-05"), today: day("2025-07-28") };

    #[test]
    fn a_day_is_admitted_from_a_year_before_the_convention_to_today() {
        let code = |raw| CALENDAR().admits("/signed_on", day(raw)).err().map(|r| r.errors[0].code.clone());
        assert_eq!((code("2024-06-05"), code("2025-07-28")), (None, None));
        assert_eq!(code("2024-06-04").as_deref(), Some("date_too_early"));
        assert_eq!(code("2025-07-29").as_deref(), Some("date_in_future"));
    }

    #[test]
    fn what_the_paper_should_not_say_is_found() {
        let codes = |signed, countersigned: Option<&str>| {
            let counter = countersigned.map(on);
            CALENDAR().findings(&on(signed), counter.as_ref()).into_iter().map(|f| f.code).collect::<Vec<_>>()
        };
        assert!(codes("2025-06-05", None).is_empty() && codes("2025-07-01", Some("2025-07-01")).is_empty());
        assert_eq!(codes("2025-06-04", None), ["signed_before_convention_date"]);
        assert_eq!(codes("2025-07-01", Some("2025-06-30")), ["countersigned_before_signature"]);
        assert_eq!(
            codes("2025-06-04", Some("2025-06-03")),
            ["signed_before_convention_date", "countersigned_before_convention_date", "countersigned_before_signature"]
        );
        let refused = |declined, signed: Option<&str>| {
            let signed = signed.map(on);
            let found = CALENDAR().refusal_findings(day(declined), signed.as_ref());
            found.into_iter().map(|f| f.code).collect::<Vec<_>>()
        };
        assert!(refused("2025-06-05", None).is_empty() && refused("2025-07-01", Some("2025-07-01")).is_empty());
        assert_eq!(refused("2025-06-04", None), ["declined_before_convention_date"]);
        assert_eq!(refused("2025-06-30", Some("2025-07-01")), ["declined_before_signature"]);
    }
}
