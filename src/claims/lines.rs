//! Each line of a convention looked at again when a title is prepared. Pure.
//!
//! ```text
//!   school still open ────────────────────────────────▶ due
//!   school closed (or merged into another) ──a person──▶ keep: due all the same (convention art. 4: per school and year)
//!                                                   ├──▶ reduce: left out, the rest is priced again
//!                                                   └──▶ amendment: no title before it takes effect
//! ```
//! The registry's closing date is often the day an import noticed, not the day of closing: so any school closed today
//! asks for a person's word, unless it closed after the school year. That word outlives what the registry says next: an
//! import that opens the school again brings no line back that a person left out.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::conventions::PayerSelection;
use crate::kernel::ids::{ConventionId, UserId};
use crate::kernel::text::Note;
use crate::kernel::{Finding, Instant, SchoolYear, Uai};
use crate::text_enum;

text_enum!(
    /// Ce qu'une personne décide d'une ligne dont l'école a fermé.
    LineChoice { Keep => "keep", Reduce => "reduce", Amendment => "amendment" }
);

impl LineChoice {
    /// As it is said in a sentence.
    #[must_use]
    pub const fn french(self) -> &'static str {
        match self {
            Self::Keep => "gardée",
            Self::Reduce => "réduite",
            Self::Amendment => "laissée à un avenant",
        }
    }
}

/// The last word on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineDecision {
    pub convention_id: ConventionId,
    pub uai: Uai,
    pub choice: LineChoice,
    pub reason: Note,
    pub decided_by: UserId,
    pub decided_by_label: String,
    pub decided_at: Instant,
    pub version: i64,
}

/// What becomes of a line at liquidation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFate {
    Due,
    LeftOut,
    /// No title for the convention until a person decides.
    Undecided,
    /// No title for the convention until the amendment takes effect.
    AwaitsAmendment,
}

/// Looks at one line: its fate, and what is worth telling.
#[must_use]
pub fn look(
    uai: &Uai,
    closed_on: Option<NaiveDate>,
    year: &SchoolYear,
    decision: Option<&LineDecision>,
) -> (LineFate, Option<Finding>) {
    // Closed after the school year: it stood all the while.
    let closed_on = closed_on.filter(|day| *day <= year.ends_on());
    let found = |finding: Finding| {
        let now = closed_on.map_or_else(|| "rouverte au registre".to_owned(), |day| format!("fermée au {day}"));
        finding.compared("école ouverte", format!("{uai} {now}"))
    };
    match decision {
        None if closed_on.is_none() => (LineFate::Due, None),
        None => {
            let message =
                format!("L'école {uai} a fermé : décider de garder la ligne, de la retirer ou de passer un avenant.");
            (LineFate::Undecided, Some(found(Finding::blocking("line_to_decide", message))))
        }
        Some(d) => {
            let said = format!("{} ({}, par {})", d.reason, d.decided_at.day(), d.decided_by_label);
            match d.choice {
                LineChoice::Keep => {
                    let message = format!("École {uai} fermée, ligne gardée : {said}");
                    (LineFate::Due, Some(found(Finding::info("line_kept", message))))
                }
                LineChoice::Reduce => {
                    let message = format!("École {uai} fermée, ligne retirée : {said}");
                    (LineFate::LeftOut, Some(found(Finding::info("line_left_out", message))))
                }
                LineChoice::Amendment => {
                    let message = format!("École {uai} fermée, un avenant est attendu : {said}");
                    (LineFate::AwaitsAmendment, Some(found(Finding::blocking("amendment_awaited", message))))
                }
            }
        }
    }
}

/// Décision sur des lignes, par `filter` (toutes celles de ces payeurs qui attendent) ou par `keys` (UAI).
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LineDecisionsRequest)]
pub struct DecideLines {
    #[serde(default)]
    pub filter: Option<PayerSelection>,
    #[serde(default)]
    pub keys: Option<Vec<String>>,
    /// `true` : même traitement, rien n'est écrit.
    #[serde(default)]
    pub dry_run: bool,
    pub choice: LineChoice,
    pub reason: Note,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(raw: &str) -> NaiveDate {
        raw.parse().unwrap()
    }

    fn decided(choice: LineChoice) -> LineDecision {
        LineDecision {
            convention_id: ConventionId::parse("019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e").unwrap(),
            uai: Uai::parse("0301023Z").unwrap(),
            choice,
            reason: Note::parse("fusion avec 0301015R").unwrap(),
            decided_by: UserId::parse("019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e").unwrap(),
            decided_by_label: "Camille".into(),
            decided_at: Instant::parse("2025-11-03T09:00:00Z").unwrap(),
            version: 1,
        }
    }

    fn fate(closed_on: Option<&str>, choice: Option<LineChoice>) -> (LineFate, Option<String>) {
        let decision = choice.map(decided);
        let year = SchoolYear::parse("2025-2026").unwrap();
        let (fate, finding) = look(&Uai::parse("0301023Z").unwrap(), closed_on.map(day), &year, decision.as_ref());
        (fate, finding.map(|f| f.code))
    }

    #[test]
    fn an_open_school_and_one_closed_after_the_year_are_due() {
        assert_eq!(fate(None, None), (LineFate::Due, None));
        assert_eq!(fate(Some("2026-09-01"), None), (LineFate::Due, None));
    }

    #[test]
    fn a_closed_school_waits_for_a_person_whenever_it_was_noticed() {
        for noticed in ["2025-07-05", "2025-09-01", "2025-11-02", "2026-08-31"] {
            assert_eq!(fate(Some(noticed), None), (LineFate::Undecided, Some("line_to_decide".into())), "{noticed}");
        }
    }

    #[test]
    fn a_word_outlives_the_registry_s_change_of_mind() {
        let open_again = |choice| fate(None, Some(choice));
        assert_eq!(open_again(LineChoice::Reduce), (LineFate::LeftOut, Some("line_left_out".into())));
        assert_eq!(open_again(LineChoice::Amendment), (LineFate::AwaitsAmendment, Some("amendment_awaited".into())));
        assert_eq!(open_again(LineChoice::Keep), (LineFate::Due, Some("line_kept".into())));
    }

    #[test]
    fn each_word_has_its_effect() {
        let after = |choice| fate(Some("2025-09-01"), Some(choice));
        assert_eq!(after(LineChoice::Keep), (LineFate::Due, Some("line_kept".into())));
        assert_eq!(after(LineChoice::Reduce), (LineFate::LeftOut, Some("line_left_out".into())));
        assert_eq!(after(LineChoice::Amendment), (LineFate::AwaitsAmendment, Some("amendment_awaited".into())));
    }
}
