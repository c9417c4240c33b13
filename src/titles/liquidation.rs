//! Liquidation: from what is due and what was titled to what is to be titled. Pure.
//!
//! GBCP (décret 2012-1246), art. 24: the whole claim is liquidated, and its bases are stated. Art. 114: below the
//! threshold in force the ordonnateur may leave it untitled; the threshold is compared with the total of the
//! liquidation, strictly: 50.00 € is not small under a threshold of 50 €.

use crate::campaigns::SmallClaimsPolicy;
use crate::kernel::Money;

/// What a convention calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liquidation {
    /// The participation is zero: a convention, never a title.
    NothingDue,
    /// All of it is titled already.
    AlreadyTitled,
    /// A small claim the campaign leaves untitled.
    NotIssued { amount: Money },
    /// A title of this amount.
    Title { amount: Money, small: bool, flagged: bool },
}

/// Decides for one convention. `titled` is what living titles call, net of reductions.
#[must_use]
pub fn liquidate(due: Money, titled: Money, threshold: Money, policy: SmallClaimsPolicy) -> Liquidation {
    if due.is_zero() {
        return Liquidation::NothingDue;
    }
    let Some(amount) = due.checked_sub(titled).filter(|a| *a > Money::ZERO) else {
        return Liquidation::AlreadyTitled;
    };
    let small = amount < threshold;
    match (small, policy) {
        (true, SmallClaimsPolicy::DoNotIssue) => Liquidation::NotIssued { amount },
        (true, SmallClaimsPolicy::Flag) => Liquidation::Title { amount, small, flagged: true },
        _ => Liquidation::Title { amount, small, flagged: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> impl Strategy<Value = SmallClaimsPolicy> {
        proptest::sample::select(SmallClaimsPolicy::ALL)
    }

    #[test]
    fn exactly_the_threshold_is_not_small() {
        let (fifty, forty) = (Money::from_cents(5000), Money::from_cents(4000));
        let at = liquidate(fifty, Money::ZERO, fifty, SmallClaimsPolicy::DoNotIssue);
        assert_eq!(at, Liquidation::Title { amount: fifty, small: false, flagged: false });
        let below = liquidate(forty, Money::ZERO, fifty, SmallClaimsPolicy::DoNotIssue);
        assert_eq!(below, Liquidation::NotIssued { amount: forty });
    }

    proptest! {
        #[test]
        fn titled_and_to_title_sum_to_what_is_due(due in 0i64..100_000, titled in 0i64..100_000, threshold in 0i64..10_000, policy in policy()) {
            let m = Money::from_cents;
            match liquidate(m(due), m(titled), m(threshold), policy) {
                Liquidation::Title { amount, small, flagged } => {
                    prop_assert_eq!(amount.cents() + titled, due);
                    prop_assert_eq!(small, amount.cents() < threshold);
                    prop_assert_eq!(flagged, small && policy == SmallClaimsPolicy::Flag);
                }
                Liquidation::NotIssued { amount } => {
                    prop_assert_eq!(amount.cents() + titled, due);
                    prop_assert!(amount.cents() < threshold && policy == SmallClaimsPolicy::DoNotIssue);
                }
                Liquidation::AlreadyTitled => prop_assert!(titled >= due && due > 0),
                Liquidation::NothingDue => prop_assert_eq!(due, 0),
            }
        }

        #[test]
        fn a_second_liquidation_finds_nothing_left(due in 1i64..100_000, threshold in 0i64..10_000) {
            let m = Money::from_cents;
            let first = liquidate(m(due), Money::ZERO, m(threshold), SmallClaimsPolicy::Issue);
            let Liquidation::Title { amount, .. } = first else { panic!("{first:?}") };
            prop_assert_eq!(liquidate(m(due), amount, m(threshold), SmallClaimsPolicy::Issue), Liquidation::AlreadyTitled);
        }
    }
}
