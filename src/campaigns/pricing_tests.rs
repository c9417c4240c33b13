//! Pricing against a naive reference that counts unit by unit, and its laws.

use proptest::prelude::*;

use super::*;
use crate::campaigns::tariff::Tier;

fn uai(n: usize) -> Uai {
    let number = format!("{:07}", 300_000 + n);
    ('A'..='Z').find_map(|key| Uai::parse(&format!("{number}{key}")).ok()).unwrap()
}

fn charges(counts: &[(i64, bool)]) -> Vec<Charge> {
    let waiver = |waived: bool| waived.then(|| "exonérée".to_owned());
    counts
        .iter()
        .enumerate()
        .map(|(n, (quantity, waived))| Charge { uai: uai(n), quantity: *quantity, waiver: waiver(*waived) })
        .collect()
}

/// Adds one price per unit, one unit after the other, in cents: no product, no shortcut.
fn naive_total(tariff: &Tariff, charges: &[Charge]) -> i64 {
    let charged: Vec<&Charge> = charges.iter().filter(|c| c.waiver.is_none()).collect();
    if charged.is_empty() {
        return 0;
    }
    let mut total = 0;
    if tariff.unit == TariffUnit::Flat {
        total = tariff.unit_amount.cents();
    } else {
        let units: i64 = charged.iter().map(|c| c.quantity).sum();
        for rank in 1..=units {
            // The tier that a unit is priced by: that of its own rank, or that of the last one.
            let looked_at = if tariff.tier_mode == Some(TierMode::Marginal) { rank } else { units };
            let mut price = tariff.unit_amount;
            for tier in &tariff.tiers {
                if looked_at >= tier.from {
                    price = tier.unit_amount;
                }
            }
            total += price.cents();
        }
    }
    if let Some(minimum) = tariff.minimum {
        total = total.max(minimum.cents());
    }
    if let Some(cap) = tariff.cap {
        total = total.min(cap.cents());
    }
    total
}

fn money() -> impl Strategy<Value = Money> {
    (1_i64..20_000).prop_map(Money::from_cents)
}

prop_compose! {
    fn any_tariff()(
        unit in proptest::sample::select(TariffUnit::ALL),
        unit_amount in money(),
        gaps in proptest::collection::vec((1_i64..40, money()), 0..4),
        mode in proptest::sample::select(TierMode::ALL),
        bounds in (proptest::option::of(money()), proptest::option::of(money())),
    ) -> Tariff {
        let mut from = 1;
        let mut tiers: Vec<Tier> = gaps.into_iter().map(|(gap, unit_amount)| { from += gap; Tier { from, unit_amount } }).collect();
        if unit == TariffUnit::Flat {
            tiers.clear();
        }
        let (minimum, cap) = match bounds {
            (Some(a), Some(b)) => (Some(a.min(b)), Some(a.max(b))),
            other => other,
        };
        let tier_mode = (!tiers.is_empty()).then_some(mode);
        Tariff { unit, unit_amount, tiers, tier_mode, minimum, cap, ..Tariff::per_school(unit_amount) }
    }
}

fn any_charges() -> impl Strategy<Value = Vec<(i64, bool)>> {
    proptest::collection::vec((0_i64..120, proptest::bool::weighted(0.2)), 1..12)
}

/// Schools count for one each unless pupils or classes are counted.
fn counted(unit: TariffUnit, counts: &[(i64, bool)]) -> Vec<Charge> {
    let one = matches!(unit, TariffUnit::School | TariffUnit::Flat);
    charges(&counts.iter().map(|(q, w)| (if one { 1 } else { *q }, *w)).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn the_total_is_the_naive_sum(tariff in any_tariff(), counts in any_charges()) {
        prop_assert_eq!(tariff.faults(), vec![]);
        let charges = counted(tariff.unit, &counts);
        let priced = price(&tariff, &charges).unwrap();
        prop_assert_eq!(priced.total.cents(), naive_total(&tariff, &charges));
    }

    #[test]
    fn the_lines_sum_to_the_total_and_waived_schools_owe_nothing(tariff in any_tariff(), counts in any_charges()) {
        let charges = counted(tariff.unit, &counts);
        let priced = price(&tariff, &charges).unwrap();
        prop_assert_eq!(priced.lines.len(), charges.len());
        prop_assert_eq!(priced.lines.iter().map(|l| l.amount).sum::<Money>(), priced.total);
        for (line, charge) in priced.lines.iter().zip(&charges) {
            prop_assert_eq!(line.quantity, charge.quantity);
            if charge.waiver.is_some() {
                prop_assert_eq!((line.amount, line.unit_amount), (Money::ZERO, None));
            }
            if let Some(unit) = line.unit_amount {
                prop_assert_eq!(unit.cents() * line.quantity, line.amount.cents());
            }
        }
        prop_assert_eq!(priced.steps.iter().rev().find_map(|s| s.amount), Some(priced.total), "the last step reaches the total");
        prop_assert!(priced.steps.iter().all(|s| s.ground.starts_with("convention, art. ") && !s.text.is_empty()));
    }

    #[test]
    fn a_share_is_within_a_cent_of_its_exact_value_and_none_is_negative(
        total in 0_i64..1_000_000, weights in proptest::collection::vec(0_i64..500, 1..40)
    ) {
        let shares = share(Money::from_cents(total), &weights).unwrap();
        prop_assert_eq!(shares.iter().map(|s| s.cents()).sum::<i64>(), total);
        let whole: i64 = weights.iter().sum();
        for (share, weight) in shares.iter().zip(&weights) {
            let (weight, whole) = if whole == 0 { (1, i64::try_from(weights.len()).unwrap()) } else { (*weight, whole) };
            // |share − total × weight / whole| ≤ 1 cent, in integers.
            prop_assert!((share.cents() * whole - total * weight).abs() <= whole, "{} of {total} for {weight}/{whole}", share.cents());
            prop_assert!(share.cents() >= 0);
        }
    }

    #[test]
    fn the_order_of_schools_never_changes_the_total(tariff in any_tariff(), counts in any_charges()) {
        let mut charges = counted(tariff.unit, &counts);
        let total = price(&tariff, &charges).unwrap().total;
        charges.reverse();
        prop_assert_eq!(price(&tariff, &charges).unwrap().total, total);
    }

    #[test]
    fn minimum_and_cap_hold(tariff in any_tariff(), counts in any_charges()) {
        let charges = counted(tariff.unit, &counts);
        let total = price(&tariff, &charges).unwrap().total;
        if charges.iter().any(|c| c.waiver.is_none()) {
            prop_assert!(tariff.minimum.is_none_or(|m| total >= m));
            prop_assert!(tariff.cap.is_none_or(|c| total <= c));
        } else {
            prop_assert_eq!(total, Money::ZERO);
        }
    }
}

fn texts(priced: &Priced) -> Vec<String> {
    priced.steps.iter().map(|s| s.text.replace('\u{202f}', " ")).collect()
}

#[test]
fn the_seed_costs_eighty_euros_in_two_steps() {
    let priced = price(&Tariff::per_school(Money::from_cents(4000)), &charges(&[(1, false), (1, false)])).unwrap();
    assert_eq!(priced.total, Money::from_cents(8000));
    assert!(priced.plain);
    assert_eq!(texts(&priced)[1], "2 écoles × 40,00 € = 80,00 €");
    assert_eq!(priced.steps.len(), 2);
}

#[test]
fn every_rule_at_work_has_its_step() {
    let tier = |from, cents| Tier { from, unit_amount: Money::from_cents(cents) };
    let tariff = Tariff {
        unit: TariffUnit::Pupil,
        unit_amount: Money::from_cents(120),
        tiers: vec![tier(101, 100), tier(151, 80)],
        tier_mode: Some(TierMode::Marginal),
        cap: Some(Money::from_cents(18_000)),
        ..Tariff::per_school(Money::ZERO)
    };
    let priced = price(&tariff, &charges(&[(90, false), (110, false), (30, true)])).unwrap();
    assert_eq!(
        texts(&priced),
        [
            "3 écoles à la charge de la collectivité et inscrites pour l'année",
            "École 0300002B : exonérée, rien n'est dû".replace("0300002B", uai(2).as_str()).as_str(),
            format!("Nombre d’élèves : 90 ({}) + 110 ({}) = 200", uai(0), uai(1)).as_str(),
            "De 1 à 100 : 100 élèves × 1,20 € = 120,00 €",
            "De 101 à 150 : 50 élèves × 1,00 € = 50,00 €",
            "De 151 à 200 : 50 élèves × 0,80 € = 40,00 €",
            "Plafond par collectivité : 180,00 € au lieu de 210,00 €",
            "Réparti entre 2 écoles au prorata des élèves, arrondi au centime sur le cumul",
        ]
    );
    assert_eq!(priced.lines.iter().map(|l| l.amount.cents()).collect::<Vec<_>>(), [8_100, 9_900, 0]);
}

#[test]
fn a_bracket_prices_every_unit_and_says_which_tier() {
    let tariff = Tariff {
        tiers: vec![Tier { from: 3, unit_amount: Money::from_cents(3_000) }],
        tier_mode: Some(TierMode::Bracket),
        ..Tariff::per_school(Money::from_cents(4_000))
    };
    let two = price(&tariff, &charges(&[(1, false); 2])).unwrap();
    let three = price(&tariff, &charges(&[(1, false); 3])).unwrap();
    assert_eq!((two.total.cents(), three.total.cents()), (8_000, 9_000));
    assert!(texts(&three)[1].ends_with("= 90,00 € (tranche atteinte : à partir de 3 écoles)"), "{:?}", texts(&three));
}

#[test]
fn thirds_of_a_hundred_euros_lose_no_cent() {
    let tariff = Tariff { unit: TariffUnit::Flat, ..Tariff::per_school(Money::from_cents(10_000)) };
    let priced = price(&tariff, &charges(&[(1, false); 3])).unwrap();
    assert_eq!(priced.lines.iter().map(|l| l.amount.cents()).collect::<Vec<_>>(), [3_333, 3_334, 3_333]);
}

#[test]
fn an_amount_out_of_range_is_no_price() {
    let tariff = Tariff::per_school(Money::from_cents(i64::MAX));
    assert_eq!(price(&tariff, &charges(&[(1, false); 2])), None);
    let counts = Tariff { unit: TariffUnit::Pupil, ..Tariff::per_school(Money::from_cents(1)) };
    assert_eq!(price(&counts, &charges(&[(i64::MAX, false), (1, false)])), None);
}
