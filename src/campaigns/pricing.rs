//! From a tariff and a list of schools to the amount each makes due, step by step. Pure.
//!
//! Laws, proven beside: the lines sum to the total; the total is the naive sum unit by unit, held between minimum and
//! cap; a waived school owes nothing; no line is more than a cent from its exact share. Rounding happens once, half up,
//! when a total that is not a plain product is shared out: on the running sum, so that nothing is lost or made.

use serde::{Deserialize, Serialize};

use super::tariff::{Tariff, TariffUnit, TierMode};
use crate::kernel::{Money, Uai, french};

/// Articles of the convention a step rests on.
const ART_LIST: &str = "convention, art. 3.2 et 9";
const ART_PRICE: &str = "convention, art. 4";
const ART_SHARE: &str = "convention, art. 9";

/// Une étape du calcul.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    /// Article de la convention (ou d'un décret) qui fonde l'étape.
    #[schema(example = "convention, art. 4")]
    pub ground: String,
    #[schema(example = "2 écoles × 40,00 € = 80,00 €")]
    pub text: String,
    /// Montant atteint après l'étape.
    pub amount: Option<Money>,
}

impl Step {
    fn new(ground: &str, text: String, amount: Option<Money>) -> Self {
        Self { ground: ground.into(), text, amount }
    }
}

/// What one school brings to the computation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    pub uai: Uai,
    /// Units it counts for: 1 for `school` and `flat`, its pupils or its classes otherwise; at least 0.
    pub quantity: i64,
    /// Why it owes nothing, if so: printed.
    pub waiver: Option<String>,
}

/// What one school makes due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineAmount {
    pub quantity: i64,
    /// The price when `amount` is `quantity` × price; none when the amount is a share, or waived.
    pub unit_amount: Option<Money>,
    pub amount: Money,
}

/// The amounts of a list of schools, in its order, and how they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    pub lines: Vec<LineAmount>,
    pub total: Money,
    pub steps: Vec<Step>,
    /// Whether the total is one price times one count, with no other rule at work.
    pub plain: bool,
}

/// A subtotal and, when one price applies to all, that price.
struct Subtotal {
    amount: Money,
    price: Option<Money>,
}

/// Prices a list of schools for one payer; none when an amount leaves its range.
#[must_use]
pub fn price(tariff: &Tariff, charges: &[Charge]) -> Option<Priced> {
    let mut steps = vec![Step::new(
        ART_LIST,
        format!(
            "{} à la charge de la collectivité et {} pour l'année",
            french::count(charges.len(), "école"),
            french::agree(&charges.len(), "inscrite")
        ),
        None,
    )];
    for (charge, why) in charges.iter().filter_map(|c| Some((c, c.waiver.as_ref()?))) {
        steps.push(Step::new(ART_PRICE, format!("École {} : {why}, rien n'est dû", charge.uai), Some(Money::ZERO)));
    }
    let charged: Vec<&Charge> = charges.iter().filter(|c| c.waiver.is_none()).collect();
    if charged.is_empty() {
        steps.push(Step::new(
            ART_PRICE,
            "Aucune école à facturer : la participation est nulle".into(),
            Some(Money::ZERO),
        ));
        let lines = charges.iter().map(|c| nothing(c.quantity)).collect();
        return Some(Priced { lines, total: Money::ZERO, steps, plain: false });
    }
    let subtotal = subtotal(tariff, &charged, &mut steps)?;
    let total = bounded(tariff, subtotal.amount, &mut steps);
    let price = subtotal.price.filter(|_| total == subtotal.amount);
    let amounts = match price {
        Some(price) => charged.iter().map(|c| price.checked_times(c.quantity)).collect::<Option<Vec<_>>>()?,
        None => {
            let shares = share(total, &charged.iter().map(|c| c.quantity).collect::<Vec<_>>())?;
            if charged.len() > 1 {
                let by = match tariff.unit {
                    TariffUnit::Pupil => "au prorata des élèves",
                    TariffUnit::Class => "au prorata des classes",
                    TariffUnit::School | TariffUnit::Flat => "à parts égales",
                };
                let schools = french::count(charged.len(), "école");
                let text = format!("Réparti entre {schools} {by}, arrondi au centime sur le cumul");
                steps.push(Step::new(ART_SHARE, text, Some(total)));
            }
            shares
        }
    };
    let mut amounts = amounts.into_iter();
    let lines = charges
        .iter()
        .map(|c| match c.waiver {
            Some(_) => Some(nothing(c.quantity)),
            None => amounts.next().map(|amount| LineAmount { quantity: c.quantity, unit_amount: price, amount }),
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Priced { lines, total, steps, plain: price.is_some() && charged.len() == charges.len() })
}

fn nothing(quantity: i64) -> LineAmount {
    LineAmount { quantity, unit_amount: None, amount: Money::ZERO }
}

/// The tariff applied to the count, before minimum and cap.
fn subtotal(tariff: &Tariff, charged: &[&Charge], steps: &mut Vec<Step>) -> Option<Subtotal> {
    let euros = |m: Money| french::euros(m.cents());
    let noun = tariff.unit.noun();
    if tariff.unit == TariffUnit::Flat {
        let amount = tariff.unit_amount;
        steps.push(Step::new(ART_PRICE, format!("Forfait par collectivité : {}", euros(amount)), Some(amount)));
        return Some(Subtotal { amount, price: (charged.len() == 1).then_some(amount) });
    }
    let count = charged.iter().try_fold(0_i64, |sum, c| sum.checked_add(c.quantity))?;
    if tariff.unit != TariffUnit::School {
        let each: Vec<String> = charged.iter().map(|c| format!("{} ({})", c.quantity, c.uai)).collect();
        let sum = if each.len() > 1 { format!(" = {count}") } else { String::new() };
        steps.push(Step::new(ART_PRICE, format!("Nombre {} : {}{sum}", tariff.unit.of_many(), each.join(" + ")), None));
    }
    if let (Some(TierMode::Marginal), Some(first)) = (tariff.tier_mode, tariff.tiers.first())
        && count >= first.from
    {
        return marginal(tariff, count, steps);
    }
    let (price, tier) = match tariff.tier_mode {
        Some(TierMode::Bracket) => tariff.price_at(count),
        _ => (tariff.unit_amount, None),
    };
    let amount = price.checked_times(count)?;
    let reached =
        tier.map_or_else(String::new, |t| format!(" (tranche atteinte : à partir de {})", french::count(t.from, noun)));
    let text = format!("{} × {} = {}{reached}", french::count(count, noun), euros(price), euros(amount));
    steps.push(Step::new(ART_PRICE, text, Some(amount)));
    Some(Subtotal { amount, price: Some(price) })
}

/// Each unit at the price of its tier: one step per tier reached, with the running sum.
fn marginal(tariff: &Tariff, count: i64, steps: &mut Vec<Step>) -> Option<Subtotal> {
    let euros = |m: Money| french::euros(m.cents());
    let noun = tariff.unit.noun();
    let mut amount = Money::ZERO;
    let starts = std::iter::once((1, tariff.unit_amount)).chain(tariff.tiers.iter().map(|t| (t.from, t.unit_amount)));
    let ends = tariff.tiers.iter().map(|t| t.from - 1).chain(std::iter::once(i64::MAX));
    for ((from, price), end) in starts.zip(ends).take_while(|((from, _), _)| *from <= count) {
        let last = end.min(count);
        let units = last - from + 1;
        let part = price.checked_times(units)?;
        amount = amount.checked_add(part)?;
        let counted = french::count(units, noun);
        let text = format!("De {from} à {last} : {counted} × {} = {}", euros(price), euros(part));
        steps.push(Step::new(ART_PRICE, text, Some(amount)));
    }
    Some(Subtotal { amount, price: None })
}

/// Minimum, then cap; a tariff has its minimum at or below its cap.
fn bounded(tariff: &Tariff, subtotal: Money, steps: &mut Vec<Step>) -> Money {
    let mut amount = subtotal;
    let bounds = [
        ("Minimum par collectivité", tariff.minimum.filter(|m| *m > subtotal)),
        ("Plafond par collectivité", tariff.cap.filter(|c| *c < subtotal)),
    ];
    for (name, bound) in bounds {
        if let Some(bound) = bound {
            let euros = |m: Money| french::euros(m.cents());
            let text = format!("{name} : {} au lieu de {}", euros(bound), euros(amount));
            amount = bound;
            steps.push(Step::new(ART_PRICE, text, Some(amount)));
        }
    }
    amount
}

/// Shares a total by weights (equally when all are zero): the running sum is rounded half up to the cent, each share
/// is the difference of two running sums, so the shares sum to the total and none is a cent from its exact value.
fn share(total: Money, weights: &[i64]) -> Option<Vec<Money>> {
    let whole = weights.iter().try_fold(0_i64, |sum, w| sum.checked_add(*w))?;
    let equal = whole == 0;
    let whole = if equal { i64::try_from(weights.len()).ok()? } else { whole };
    let (mut running, mut given) = (0_i64, Money::ZERO);
    weights
        .iter()
        .map(|weight| {
            running = running.checked_add(if equal { 1 } else { *weight })?;
            let exact = total.euros().checked_mul(running.into())?.checked_div(whole.into())?;
            let reached = Money::round_half_up(exact)?;
            let share = reached.checked_sub(given)?;
            given = reached;
            Some(share)
        })
        .collect()
}

#[cfg(test)]
#[path = "pricing_tests.rs"]
mod tests;
