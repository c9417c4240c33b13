//! Liquidation: from what is due and what was titled to what is to be titled. Pure.
//!
//! GBCP (décret 2012-1246), art. 24: the whole claim is liquidated, and its bases are stated. Art. 114: below the
//! threshold in force the ordonnateur may leave it untitled; the threshold is compared with the total of the
//! liquidation, strictly: 50.00 € is not small under a threshold of 50 €. A person's word on one claim outweighs the
//! campaign's policy, both ways.

use super::decision::Origin;
use crate::campaigns::SmallClaimsPolicy;
use crate::kernel::Money;

/// What was last decided of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Nothing, or nothing that still counts.
    None,
    /// Not to issue, by the policy or by a person.
    NotToIssue(Origin),
    /// A person ended such a decision: it is to be titled.
    ToIssue,
}

/// What a convention calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liquidation {
    /// The participation is zero: a convention, never a title.
    NothingDue,
    /// All of it is titled already.
    AlreadyTitled,
    /// A small claim left untitled.
    NotIssued { amount: Money },
    /// A title of this amount.
    Title { amount: Money, small: bool, flagged: bool },
}

/// Decides for one convention. `titled` is what living titles call, net of reductions.
#[must_use]
pub fn liquidate(due: Money, titled: Money, threshold: Money, policy: SmallClaimsPolicy, word: Word) -> Liquidation {
    if due.is_zero() {
        return Liquidation::NothingDue;
    }
    let Some(amount) = due.checked_sub(titled).filter(|a| *a > Money::ZERO) else {
        return Liquidation::AlreadyTitled;
    };
    let small = amount < threshold;
    match (word, small, policy) {
        (Word::NotToIssue(Origin::Person), ..) => Liquidation::NotIssued { amount },
        (Word::None | Word::NotToIssue(Origin::Policy), true, SmallClaimsPolicy::DoNotIssue) => {
            Liquidation::NotIssued { amount }
        }
        (Word::None | Word::NotToIssue(Origin::Policy), true, SmallClaimsPolicy::Flag) => {
            Liquidation::Title { amount, small, flagged: true }
        }
        _ => Liquidation::Title { amount, small, flagged: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WORDS: [Word; 4] =
        [Word::None, Word::NotToIssue(Origin::Policy), Word::NotToIssue(Origin::Person), Word::ToIssue];

    fn policy() -> impl Strategy<Value = SmallClaimsPolicy> {
        proptest::sample::select(SmallClaimsPolicy::ALL)
    }

    fn word() -> impl Strategy<Value = Word> {
        proptest::sample::select(&WORDS[..])
    }

    #[test]
    fn exactly_the_threshold_is_not_small() {
        let (fifty, forty) = (Money::from_cents(5000), Money::from_cents(4000));
        let at = liquidate(fifty, Money::ZERO, fifty, SmallClaimsPolicy::DoNotIssue, Word::None);
        assert_eq!(at, Liquidation::Title { amount: fifty, small: false, flagged: false });
        let below = liquidate(forty, Money::ZERO, fifty, SmallClaimsPolicy::DoNotIssue, Word::None);
        assert_eq!(below, Liquidation::NotIssued { amount: forty });
    }

    #[test]
    fn a_person_s_word_outweighs_the_policy() {
        let (fifty, forty) = (Money::from_cents(5000), Money::from_cents(4000));
        for policy in SmallClaimsPolicy::ALL {
            let of = |word| liquidate(forty, Money::ZERO, fifty, *policy, word);
            assert_eq!(of(Word::NotToIssue(Origin::Person)), Liquidation::NotIssued { amount: forty });
            assert_eq!(of(Word::ToIssue), Liquidation::Title { amount: forty, small: true, flagged: false });
        }
        // What the policy decided goes with the policy.
        let after = liquidate(forty, Money::ZERO, fifty, SmallClaimsPolicy::Issue, Word::NotToIssue(Origin::Policy));
        assert_eq!(after, Liquidation::Title { amount: forty, small: true, flagged: false });
    }

    proptest! {
        #[test]
        fn titled_and_to_title_sum_to_what_is_due(
            due in 0i64..100_000, titled in 0i64..100_000, threshold in 0i64..10_000, policy in policy(), word in word()
        ) {
            let m = Money::from_cents;
            match liquidate(m(due), m(titled), m(threshold), policy, word) {
                Liquidation::Title { amount, small, flagged } => {
                    prop_assert_eq!(amount.cents() + titled, due);
                    prop_assert_eq!(small, amount.cents() < threshold);
                    prop_assert_eq!(flagged, small && policy == SmallClaimsPolicy::Flag && word != Word::ToIssue);
                }
                Liquidation::NotIssued { amount } => {
                    prop_assert_eq!(amount.cents() + titled, due);
                    let by_policy = amount.cents() < threshold && policy == SmallClaimsPolicy::DoNotIssue;
                    prop_assert!(by_policy || word == Word::NotToIssue(Origin::Person));
                }
                Liquidation::AlreadyTitled => prop_assert!(titled >= due && due > 0),
                Liquidation::NothingDue => prop_assert_eq!(due, 0),
            }
        }

        #[test]
        fn a_second_liquidation_finds_nothing_left(due in 1i64..100_000, threshold in 0i64..10_000) {
            let m = Money::from_cents;
            let first = liquidate(m(due), Money::ZERO, m(threshold), SmallClaimsPolicy::Issue, Word::None);
            let Liquidation::Title { amount, .. } = first else { panic!("{first:?}") };
            let second = liquidate(m(due), amount, m(threshold), SmallClaimsPolicy::Issue, Word::None);
            prop_assert_eq!(second, Liquidation::AlreadyTitled);
        }
    }
}
