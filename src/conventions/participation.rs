//! What a convention makes due, and why. Pure.
//!
//! Law: the lines sum to the total, and each step names the article it rests on, so that the figure can be
//! explained to a court from the paper alone.

use serde::{Deserialize, Serialize};

use crate::campaigns::{LineAmount, Tariff};
use crate::kernel::text::Line;
use crate::kernel::{Departement, InseeCode, Money, Uai, french};
use crate::registry::kinds::SchoolKind;

/// A school as the convention lists it: a copy, untouched by later changes of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSchool {
    pub uai: Uai,
    pub name: Line,
    /// As article 9 prints it: capitals, with PUBLIQUE.
    pub label: String,
    pub kind: SchoolKind,
    pub insee_code: InseeCode,
    pub commune_name: Line,
    pub departement: Departement,
}

/// One line: a school and its amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipationLine {
    pub school: ListedSchool,
    pub amount: LineAmount,
}

/// Une étape du calcul.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    /// Article de la convention (ou d'un décret) qui fonde l'étape.
    #[schema(example = "convention, art. 4")]
    pub ground: String,
    #[schema(example = "2 école(s) × 40,00 € = 80,00 €")]
    pub text: String,
    /// Montant atteint après l'étape.
    pub amount: Option<Money>,
}

/// The participation of one convention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participation {
    pub lines: Vec<ParticipationLine>,
    pub total: Money,
    pub steps: Vec<Step>,
}

/// Computes the participation; none when an amount leaves its range.
#[must_use]
pub fn compute(tariff: &Tariff, schools: Vec<ListedSchool>) -> Option<Participation> {
    let mut lines = Vec::with_capacity(schools.len());
    let mut total = Money::ZERO;
    for school in schools {
        let amount = tariff.line()?;
        total = total.checked_add(amount.amount)?;
        lines.push(ParticipationLine { school, amount });
    }
    let count = lines.len();
    let unit = french::euros(tariff.unit_amount.cents());
    let steps = vec![
        Step {
            ground: "convention, art. 3.2 et 9".into(),
            text: format!("{count} école(s) à la charge de la collectivité et inscrite(s) pour l'année"),
            amount: None,
        },
        Step {
            ground: "convention, art. 4".into(),
            text: format!("{count} école(s) × {unit} = {}", french::euros(total.cents())),
            amount: Some(total),
        },
    ];
    Some(Participation { lines, total, steps })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::TariffUnit;
    use proptest::prelude::*;

    fn school(n: u32) -> ListedSchool {
        let number = format!("{:07}", 301_000 + n);
        let uai = ('A'..='Z').find_map(|k| Uai::parse(&format!("{number}{k}")).ok()).unwrap();
        ListedSchool {
            uai,
            name: Line::parse("Ecole").unwrap(),
            label: "ECOLE PUBLIQUE".into(),
            kind: SchoolKind::Primaire,
            insee_code: InseeCode::parse("30278").unwrap(),
            commune_name: Line::parse("Alès").unwrap(),
            departement: Departement::parse("30").unwrap(),
        }
    }

    proptest! {
        #[test]
        fn the_lines_sum_to_the_total(count in 0u32..400, cents in 1i64..1_000_000) {
            let tariff = Tariff { unit: TariffUnit::School, unit_amount: Money::from_cents(cents) };
            let p = compute(&tariff, (0..count).map(school).collect()).unwrap();
            let sum: Money = p.lines.iter().map(|l| l.amount.amount).sum();
            prop_assert_eq!(sum, p.total);
            prop_assert_eq!(p.total.cents(), cents * i64::from(count));
            prop_assert_eq!(p.steps.last().unwrap().amount, Some(p.total));
        }
    }

    #[test]
    fn an_amount_out_of_range_is_no_participation() {
        let tariff = Tariff { unit: TariffUnit::School, unit_amount: Money::from_cents(i64::MAX) };
        assert_eq!(compute(&tariff, (0..2).map(school).collect()), None);
    }
}
