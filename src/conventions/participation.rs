//! What a convention makes due, and why. Pure.
//!
//! ```text
//!   schools + their counts ──waived? counted?──▶ charges ──tariff──▶ lines, total, steps
//!                                └─ a count is missing: nothing can be issued
//! ```
//! The figure can be explained to a court from the paper alone: each step names the article it rests on. Amounts are
//! [`campaigns::price`]'s; here is what each school brings to them.

use crate::campaigns::{self, Charge, LineAmount, Step, Tariff, TariffUnit};
use crate::kernel::text::Line;
use crate::kernel::{Departement, Finding, InseeCode, Money, SchoolYear, Uai};
use crate::registry::School;
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

/// What the tariff may ask of a school, as known on the day of issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub pupils: Option<i64>,
    pub classes: Option<i64>,
    /// Première année scolaire de participation.
    pub first_school_year: Option<SchoolYear>,
}

impl From<&School> for Counts {
    fn from(school: &School) -> Self {
        Self {
            pupils: school.said.pupils.map(|c| c.0),
            classes: school.said.classes.map(|c| c.0),
            first_school_year: school.said.first_school_year.clone(),
        }
    }
}

/// One line: a school and its amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipationLine {
    pub school: ListedSchool,
    pub amount: LineAmount,
    /// Why it owes nothing, if so.
    pub waiver: Option<String>,
}

/// The participation of one convention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participation {
    pub lines: Vec<ParticipationLine>,
    pub total: Money,
    pub steps: Vec<Step>,
    /// One price times one count, and no other rule at work.
    pub plain: bool,
    /// What is worth a look before signing.
    pub findings: Vec<Finding>,
}

/// Computes the participation of one payer.
///
/// `exempted` is why the payer as a whole owes nothing, if so.
///
/// # Errors
/// What stops the issue: a missing count for each school that needs one, or an amount out of range.
pub fn compute(
    tariff: &Tariff,
    year: &SchoolYear,
    exempted: Option<&str>,
    schools: Vec<(ListedSchool, Counts)>,
) -> Result<Participation, Vec<Finding>> {
    let (mut charges, mut missing, mut findings) = (Vec::with_capacity(schools.len()), Vec::new(), Vec::new());
    for (school, counts) in &schools {
        let waiver = waiver(tariff, year, exempted, school, counts, &mut findings);
        let counted = match tariff.unit {
            TariffUnit::School | TariffUnit::Flat => Some(1),
            TariffUnit::Pupil => counts.pupils,
            TariffUnit::Class => counts.classes,
        };
        let quantity = match (counted, &waiver) {
            (Some(quantity), _) => quantity,
            // A waived school owes nothing whatever its count.
            (None, Some(_)) => 0,
            (None, None) => {
                missing.push(uncounted(tariff.unit, &school.uai));
                continue;
            }
        };
        charges.push(Charge { uai: school.uai.clone(), quantity, waiver });
    }
    if !missing.is_empty() {
        return Err(missing);
    }
    let out_of_range = || vec![Finding::blocking("amount_out_of_range", "Le montant dépasse ce qui peut être compté.")];
    let priced = campaigns::price(tariff, &charges).ok_or_else(out_of_range)?;
    let lines = schools
        .into_iter()
        .zip(priced.lines)
        .zip(charges)
        .map(|(((school, _), amount), charge)| ParticipationLine { school, amount, waiver: charge.waiver })
        .collect();
    Ok(Participation { lines, total: priced.total, steps: priced.steps, plain: priced.plain, findings })
}

/// Why a school owes nothing, the widest reason first.
fn waiver(
    tariff: &Tariff,
    year: &SchoolYear,
    exempted: Option<&str>,
    school: &ListedSchool,
    counts: &Counts,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    if let Some(reason) = exempted {
        return Some(format!("collectivité exonérée ({reason})"));
    }
    if let Some(exemption) = tariff.exemptions.iter().find(|e| e.uai.as_ref() == Some(&school.uai)) {
        return Some(format!("école exonérée ({})", exemption.reason));
    }
    if !tariff.first_year_free {
        return None;
    }
    match &counts.first_school_year {
        // A later year than this one contradicts this very enrolment: this is then the first.
        Some(first) if first >= year => Some(format!("première année d'inscription ({year})")),
        Some(_) => None,
        None => {
            let message = format!("Première année d'inscription inconnue : l'école {} est facturée.", school.uai);
            let mut finding = Finding::info("first_school_year_missing", message);
            finding.found = Some(school.uai.to_string());
            findings.push(finding);
            None
        }
    }
}

fn uncounted(unit: TariffUnit, uai: &Uai) -> Finding {
    let (code, message) = match unit {
        TariffUnit::Class => ("classes_missing", format!("Nombre de classes inconnu pour l'école {uai}.")),
        _ => ("pupils_missing", format!("Nombre d'élèves inconnu pour l'école {uai}.")),
    };
    let mut finding = Finding::blocking(code, message);
    finding.found = Some(uai.to_string());
    finding
}

/// Prices again some lines of a convention under its own frozen tariff: what is due when others are left out.
///
/// None when an amount leaves its range, which the whole list did not.
#[must_use]
pub fn reprice(tariff: &Tariff, lines: &[ParticipationLine]) -> Option<Participation> {
    let charges: Vec<Charge> = lines
        .iter()
        .map(|l| Charge { uai: l.school.uai.clone(), quantity: l.amount.quantity, waiver: l.waiver.clone() })
        .collect();
    let priced = campaigns::price(tariff, &charges)?;
    let lines = lines.iter().zip(priced.lines).map(|(l, amount)| ParticipationLine { amount, ..l.clone() }).collect();
    Some(Participation { lines, total: priced.total, steps: priced.steps, plain: priced.plain, findings: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::Exemption;
    use crate::kernel::text::Note;
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

    fn year(raw: &str) -> SchoolYear {
        SchoolYear::parse(raw).unwrap()
    }

    fn schools(count: u32) -> Vec<(ListedSchool, Counts)> {
        (0..count).map(|n| (school(n), Counts::default())).collect()
    }

    fn plain() -> Tariff {
        Tariff::per_school(Money::from_cents(4000))
    }

    fn codes(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|f| f.code.as_str()).collect()
    }

    proptest! {
        #[test]
        fn the_lines_sum_to_the_total(count in 1u32..400, cents in 1i64..1_000_000) {
            let tariff = Tariff::per_school(Money::from_cents(cents));
            let p = compute(&tariff, &year("2025-2026"), None, schools(count)).unwrap();
            let sum: Money = p.lines.iter().map(|l| l.amount.amount).sum();
            prop_assert_eq!(sum, p.total);
            prop_assert_eq!(p.total.cents(), cents * i64::from(count));
            prop_assert_eq!(p.steps.last().unwrap().amount, Some(p.total));
        }

        #[test]
        fn leaving_out_no_line_changes_nothing(count in 1u32..30, cap in 1i64..200_000) {
            let tariff = Tariff { cap: Some(Money::from_cents(cap)), ..plain() };
            let p = compute(&tariff, &year("2025-2026"), None, schools(count)).unwrap();
            let again = reprice(&tariff, &p.lines).unwrap();
            prop_assert_eq!(&again.lines, &p.lines);
            prop_assert_eq!(again.total, p.total);
        }
    }

    #[test]
    fn the_first_year_is_that_of_each_school() {
        // The seed's commune: elementary school since 2017, maternelle since 2022.
        let tariff = Tariff { first_year_free: true, ..plain() };
        let listed = |first: [&str; 2]| -> Vec<(ListedSchool, Counts)> {
            (0..)
                .zip(first)
                .map(|(n, y)| (school(n), Counts { first_school_year: Some(year(y)), ..Counts::default() }))
                .collect()
        };
        let total = |in_year: &str| {
            compute(&tariff, &year(in_year), None, listed(["2017-2018", "2022-2023"])).unwrap().total.cents()
        };
        assert_eq!(total("2025-2026"), 8000);
        assert_eq!(total("2022-2023"), 4000, "the maternelle's first year");
        let first = compute(&tariff, &year("2022-2023"), None, listed(["2017-2018", "2022-2023"])).unwrap();
        assert_eq!(first.lines[1].waiver.as_deref(), Some("première année d'inscription (2022-2023)"));
        // Unknown: charged, and told.
        let unknown = compute(&tariff, &year("2025-2026"), None, schools(1)).unwrap();
        assert_eq!((unknown.total.cents(), codes(&unknown.findings)), (4000, vec!["first_school_year_missing"]));
    }

    #[test]
    fn a_missing_count_blocks_unless_the_school_owes_nothing() {
        let tariff = Tariff { unit: TariffUnit::Pupil, ..Tariff::per_school(Money::from_cents(120)) };
        let mut listed = schools(3);
        listed[0].1.pupils = Some(90);
        let blocked = compute(&tariff, &year("2025-2026"), None, listed.clone()).unwrap_err();
        assert_eq!(codes(&blocked), ["pupils_missing", "pupils_missing"]);
        assert_eq!(blocked[0].found.as_deref(), Some(school(1).uai.as_str()));
        let spared =
            |n| Exemption { uai: Some(school(n).uai), siret: None, reason: Note::parse("école pilote").unwrap() };
        let tariff = Tariff { exemptions: vec![spared(1), spared(2)], ..tariff };
        let priced = compute(&tariff, &year("2025-2026"), None, listed).unwrap();
        assert_eq!(priced.total.cents(), 10_800);
        assert_eq!(priced.lines[2].waiver.as_deref(), Some("école exonérée (école pilote)"));
        let classes = Tariff { unit: TariffUnit::Class, ..plain() };
        assert_eq!(codes(&compute(&classes, &year("2025-2026"), None, schools(1)).unwrap_err()), ["classes_missing"]);
    }

    #[test]
    fn an_exempted_payer_owes_nothing_and_it_is_said_for_each_school() {
        let p = compute(&plain(), &year("2025-2026"), Some("commune sinistrée"), schools(2)).unwrap();
        assert_eq!(p.total, Money::ZERO);
        assert!(p.lines.iter().all(|l| l.waiver.as_deref() == Some("collectivité exonérée (commune sinistrée)")));
        assert_eq!(p.steps.last().unwrap().amount, Some(Money::ZERO));
    }

    #[test]
    fn an_amount_out_of_range_is_no_participation() {
        let tariff = Tariff::per_school(Money::from_cents(i64::MAX));
        assert_eq!(
            codes(&compute(&tariff, &year("2025-2026"), None, schools(2)).unwrap_err()),
            ["amount_out_of_range"]
        );
    }
}
