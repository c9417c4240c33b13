//! Where one convention's claim stands, and what became of its participation. Pure.
//!
//! ```text
//!   due 0 ─▶ nothing_due   titled ≥ due ─▶ titled   no effect yet ─▶ not_in_effect
//!   left untitled ─▶ not_issued   a line waits ─▶ blocked   else ─▶ to_title              the first that holds
//! ```

use super::claim::Claim;
use super::decision::{Decision, Origin};
use super::liquidation::Word;
use crate::conventions::{Convention, StoredParticipation};
use crate::kernel::Money;
use crate::text_enum;

text_enum!(
    /// Ce qu'il est advenu d'une participation.
    Titling {
        /// La convention n'a pas pris effet.
        NotInEffect => "not_in_effect",
        /// Rien n'est dû.
        NothingDue => "nothing_due",
        /// Un titre reste à préparer.
        ToTitle => "to_title",
        /// Une école a fermé : une décision ou un avenant est attendu.
        Blocked => "blocked",
        /// Laissée sans titre par une décision (décret 2012-1246, art. 114).
        NotIssued => "not_issued",
        /// Tout est appelé par un titre, préparé ou émis.
        Titled => "titled",
    }
);

/// What the fate of a participation rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What it makes due today.
    pub due: Money,
    /// What living titles call.
    pub titled: Money,
    /// Both parties signed the convention.
    pub in_effect: bool,
    /// A decision not to issue is in force.
    pub not_issued: bool,
    /// A line waits for a person's word or for an amendment.
    pub blocked: bool,
}

/// What became of a participation.
#[must_use]
pub fn titling(facts: Facts) -> Titling {
    match facts {
        Facts { due, .. } if due.is_zero() => Titling::NothingDue,
        Facts { due, titled, .. } if titled >= due => Titling::Titled,
        Facts { in_effect: false, .. } => Titling::NotInEffect,
        Facts { not_issued: true, .. } => Titling::NotIssued,
        Facts { blocked: true, .. } => Titling::Blocked,
        Facts { .. } => Titling::ToTitle,
    }
}

/// One convention's claim, and where it stands.
pub struct Standing<'s> {
    pub participation: &'s StoredParticipation,
    pub claim: Claim,
    pub titled: Money,
    pub decision: Option<&'s Decision>,
}

impl Standing<'_> {
    /// The decision not to issue it, while it is in force.
    #[must_use]
    pub fn not_issued(&self) -> Option<&Decision> {
        self.decision.filter(|d| d.revoked.is_none())
    }

    /// What became of it.
    #[must_use]
    pub fn titling(&self, convention: &Convention) -> Titling {
        titling(Facts {
            due: self.claim.due,
            titled: self.titled,
            in_effect: convention.effect().is_some(),
            not_issued: self.not_issued().is_some(),
            blocked: !self.claim.blocking.is_empty(),
        })
    }

    /// What was last decided of the claim.
    #[must_use]
    pub fn word(&self) -> Word {
        match self.decision {
            None => Word::None,
            Some(d) => match &d.revoked {
                None => Word::NotToIssue(d.origin),
                Some(r) if r.origin == Origin::Person => Word::ToIssue,
                Some(_) => Word::None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::SmallClaimsPolicy;
    use crate::claims::{Liquidation, liquidate};
    use proptest::prelude::*;

    fn facts(due: i64, titled: i64) -> Facts {
        let (due, titled) = (Money::from_cents(due), Money::from_cents(titled));
        Facts { due, titled, in_effect: true, not_issued: false, blocked: false }
    }

    #[test]
    fn each_fate_has_its_facts() {
        assert_eq!(titling(facts(4000, 0)), Titling::ToTitle);
        assert_eq!(titling(facts(4000, 3999)), Titling::ToTitle);
        assert_eq!(titling(facts(4000, 4000)), Titling::Titled);
        assert_eq!(titling(facts(4000, 4001)), Titling::Titled, "a line was left out after the title");
        assert_eq!(titling(facts(0, 0)), Titling::NothingDue);
        assert_eq!(titling(Facts { in_effect: false, ..facts(4000, 0) }), Titling::NotInEffect);
        assert_eq!(titling(Facts { not_issued: true, ..facts(4000, 0) }), Titling::NotIssued);
        assert_eq!(titling(Facts { blocked: true, ..facts(4000, 0) }), Titling::Blocked);
    }

    #[test]
    fn what_is_settled_outweighs_what_waits() {
        let all = |facts: Facts| Facts { in_effect: false, not_issued: true, blocked: true, ..facts };
        assert_eq!(titling(all(facts(0, 0))), Titling::NothingDue);
        assert_eq!(titling(all(facts(4000, 4000))), Titling::Titled);
        assert_eq!(titling(all(facts(4000, 0))), Titling::NotInEffect);
        let decided = Facts { not_issued: true, blocked: true, ..facts(4000, 0) };
        assert_eq!(titling(decided), Titling::NotIssued, "the act was taken knowing of the line");
    }

    proptest! {
        /// A preparation finds something to title exactly where a reader is told that something is left.
        #[test]
        fn the_fate_agrees_with_the_liquidation(
            due in 0i64..20_000, titled in 0i64..20_000,
            in_effect: bool, not_issued: bool, blocked: bool
        ) {
            let fate = titling(Facts { in_effect, not_issued, blocked, ..facts(due, titled) });
            let (due, titled) = (Money::from_cents(due), Money::from_cents(titled));
            match liquidate(due, titled, Money::ZERO, SmallClaimsPolicy::Issue, Word::None) {
                Liquidation::NothingDue => prop_assert_eq!(fate, Titling::NothingDue),
                Liquidation::AlreadyTitled => prop_assert_eq!(fate, Titling::Titled),
                Liquidation::Title { .. } | Liquidation::NotIssued { .. } => {
                    prop_assert!(!matches!(fate, Titling::NothingDue | Titling::Titled));
                    prop_assert_eq!(fate == Titling::NotInEffect, !in_effect);
                    prop_assert_eq!(fate == Titling::NotIssued, in_effect && not_issued);
                    prop_assert_eq!(fate == Titling::Blocked, in_effect && !not_issued && blocked);
                }
            }
        }
    }
}
