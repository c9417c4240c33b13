//! One convention's claim: its lines looked at again, what they make due, and the bases stated in one sentence. Pure.
//!
//! ```text
//!   participation (frozen) ──lines left out? priced again──▶ due ──liquidate──▶ title, decision, nothing
//! ```

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::lines::{LineDecision, LineFate, look};
use crate::campaigns::Step;
use crate::conventions::{self, Convention, ParticipationLine, StoredParticipation};
use crate::kernel::{Finding, Money, SchoolYear, Uai, french};

/// What a convention makes due today.
#[derive(Debug, Clone)]
pub struct Claim {
    pub due: Money,
    pub lines: Vec<ParticipationLine>,
    pub steps: Vec<Step>,
    /// What stops a title: a line that waits for a word or an amendment.
    pub blocking: Vec<Finding>,
    pub findings: Vec<Finding>,
    /// Lines left out, with the words that say why.
    left_out: Vec<String>,
}

/// Looks at each line again, leaves out those a person left out, and prices what stays under the frozen tariff.
///
/// None when an amount leaves its range: the frozen participation did not.
#[must_use]
pub fn claim(
    participation: &StoredParticipation,
    lines: &[ParticipationLine],
    closed: &HashMap<Uai, NaiveDate>,
    year: &SchoolYear,
    decisions: &HashMap<Uai, LineDecision>,
) -> Option<Claim> {
    let (mut kept, mut blocking, mut findings, mut left_out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        let uai = &line.school.uai;
        let decision = decisions.get(uai);
        let (fate, finding) = look(uai, closed.get(uai).copied(), year, decision);
        match fate {
            LineFate::Due => kept.push(line.clone()),
            LineFate::LeftOut => left_out.extend(decision.map(|d| {
                let (day, who) = (french::date_short(d.decided_at.day()), &d.decided_by_label);
                format!("{uai} non retenue (école fermée ; {} ; décision du {day}, {who})", d.reason)
            })),
            LineFate::Undecided | LineFate::AwaitsAmendment => {
                kept.push(line.clone());
                blocking.extend(finding);
                continue;
            }
        }
        findings.extend(finding);
    }
    if left_out.is_empty() {
        let (due, steps) = (participation.total, participation.steps.clone());
        return Some(Claim { due, lines: kept, steps, blocking, findings, left_out });
    }
    if kept.is_empty() {
        let steps = participation.steps.clone();
        return Some(Claim { due: Money::ZERO, lines: kept, steps, blocking, findings, left_out });
    }
    let again = conventions::reprice(&participation.tariff, &kept)?;
    Some(Claim { due: again.total, lines: again.lines, steps: again.steps, blocking, findings, left_out })
}

/// Ce qui fonde la dette, tel qu'imprimé.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ground {
    pub school_year: SchoolYear,
    #[schema(example = "ENT-C-2025-2026-00001")]
    pub convention_number: String,
    pub payer_signed_on: NaiveDate,
    pub issuer_signed_on: NaiveDate,
    pub took_effect_on: NaiveDate,
    /// Bases de liquidation in one sentence (décret 2012-1246, art. 24).
    pub legal_basis: String,
    /// The computation, step by step, each with the article it rests on.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Écoles de la convention qui ne sont pas retenues, chacune avec la décision qui l'a dit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

impl Claim {
    /// Bases de liquidation in one sentence (décret 2012-1246, art. 24): precise enough to stand alone in court.
    ///
    /// None when the convention has no effect.
    #[must_use]
    pub fn ground(&self, convention: &Convention, year: &SchoolYear) -> Option<Ground> {
        let effect = convention.effect()?;
        let evident = self.lines.iter().all(|l| l.amount.unit_amount.is_some() && l.amount.quantity == 1);
        let schools: Vec<String> = self
            .lines
            .iter()
            .map(|l| match (&l.waiver, evident) {
                (Some(why), _) => format!("{} ({why})", l.school.uai),
                (None, true) => l.school.uai.to_string(),
                (None, false) => format!("{} ({})", l.school.uai, french::euros(l.amount.amount.cents())),
            })
            .chain(self.left_out.iter().cloned())
            .collect();
        let steps: Vec<String> = self.steps.iter().skip(1).map(|s| french::agreed(&s.text)).collect();
        let legal_basis = format!(
            "Convention n° {} signée le {} par la collectivité et le {} par la région académique, art. 3.2, 4 et 9 ; \
             année scolaire {year} ; {} ; UAI {}.",
            convention.number,
            french::date_short(effect.signed.on),
            french::date_short(effect.countersigned.on),
            steps.join(" ; "),
            schools.join(", "),
        );
        Some(Ground {
            school_year: year.clone(),
            convention_number: convention.number.clone(),
            payer_signed_on: effect.signed.on,
            issuer_signed_on: effect.countersigned.on,
            took_effect_on: effect.took_effect_on,
            legal_basis,
            steps: self.steps.clone(),
            left_out: self.left_out.clone(),
        })
    }
}

/// What is said of a claim under the threshold.
#[must_use]
pub fn small_claim(amount: Money, threshold: Money) -> Finding {
    let message = "Créance sous le seuil d'émission : faculté ouverte par l'art. 114 du décret 2012-1246.";
    Finding::info("small_claim", message).compared(threshold, amount)
}
