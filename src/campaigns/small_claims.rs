//! What each policy for small claims would leave untitled. Pure.
//!
//! Décret 2012-1246 (GBCP), art. 114: below a minimum set by decree the ordonnateur *may* leave a claim untitled. The
//! minimum is compared with the whole liquidation of a debtor, strictly. Most payers of a plain tariff have one school,
//! so the choice weighs: a dry run shows it in payers and in euros before anything is written.
//!
//! A campaign may set its threshold lower than the decree's, never higher: a higher one is refused when it is said, and
//! one that stands from before (or from a decree that came down) is capped, and told when the campaign is read.

use serde::Serialize;

use super::terms::{SmallClaims, SmallClaimsPolicy};
use super::thresholds::Thresholds;
use crate::kernel::{FieldError, Money};

impl SmallClaims {
    /// The threshold that applies on a day: the campaign's, but never above the decree's.
    #[must_use]
    pub fn threshold_on(&self, day: chrono::NaiveDate, thresholds: &Thresholds) -> Money {
        let regulation = thresholds.on(day);
        self.threshold.map_or(regulation, |own| own.min(regulation))
    }

    /// Why this threshold cannot be said today: no decree lets the ordonnateur leave so much untitled.
    #[must_use]
    pub fn fault(&self, today: chrono::NaiveDate, thresholds: &Thresholds) -> Option<FieldError> {
        let regulation = thresholds.on(today);
        let own = self.threshold.filter(|own| *own > regulation)?;
        Some(FieldError {
            pointer: "/small_claims/threshold".into(),
            code: "threshold_above_regulation".into(),
            message: format!(
                "Seuil au-dessus de celui du décret, {regulation} € à ce jour : au-delà, rien ne permet de ne pas émettre \
                 de titre (décret 2012-1246, art. 114)."
            ),
            value: Some(own.to_string()),
        })
    }
}

/// Ce qu'une politique laisserait sans titre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PolicyForecast {
    pub policy: SmallClaimsPolicy,
    /// Payeurs laissés sans titre par une décision de ne pas émettre.
    pub untitled_payers: usize,
    pub untitled_total: Money,
    /// Payeurs dont le titre, signalé, ne serait approuvé que nommément.
    pub flagged_payers: usize,
    pub flagged_total: Money,
}

/// Les petites créances d'un acte en nombre, et ce que chaque politique en ferait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SmallClaimsForecast {
    /// Seuil en vigueur : une créance strictement inférieure est petite (décret 2012-1246, art. 114).
    pub threshold: Money,
    /// Politique de la campagne.
    pub policy: SmallClaimsPolicy,
    /// Payeurs dont la liquidation est sous le seuil, et leur total.
    pub payers: usize,
    pub total: Money,
    #[schema(example = "EUR")]
    pub currency: &'static str,
    pub by_policy: Vec<PolicyForecast>,
}

/// Whether an amount is a small claim: something is owed, strictly below the threshold (décret 2012-1246, art. 114).
#[must_use]
pub fn is_small(amount: Money, threshold: Money) -> bool {
    amount > Money::ZERO && amount < threshold
}

impl SmallClaimsForecast {
    /// Looks at the liquidations of some payers; zero amounts are no claim.
    #[must_use]
    pub fn of(amounts: impl IntoIterator<Item = Money>, threshold: Money, policy: SmallClaimsPolicy) -> Self {
        let small: Vec<Money> = amounts.into_iter().filter(|amount| is_small(*amount, threshold)).collect();
        Self::counted(small.len(), small.into_iter().sum(), threshold, policy)
    }

    /// The same of small claims already counted.
    #[must_use]
    pub fn counted(payers: usize, total: Money, threshold: Money, policy: SmallClaimsPolicy) -> Self {
        let nobody = (0, Money::ZERO);
        let by_policy = SmallClaimsPolicy::ALL
            .iter()
            .map(|policy| {
                let (untitled, flagged) = match policy {
                    SmallClaimsPolicy::Issue => (nobody, nobody),
                    SmallClaimsPolicy::DoNotIssue => ((payers, total), nobody),
                    SmallClaimsPolicy::Flag => (nobody, (payers, total)),
                };
                PolicyForecast {
                    policy: *policy,
                    untitled_payers: untitled.0,
                    untitled_total: untitled.1,
                    flagged_payers: flagged.0,
                    flagged_total: flagged.1,
                }
            })
            .collect();
        Self { threshold, policy, payers, total, currency: "EUR", by_policy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forecast_counts_what_is_strictly_below_the_threshold() {
        let m = Money::from_cents;
        let seen =
            SmallClaimsForecast::of([m(4000), m(4999), m(5000), m(8000), m(0)], m(5000), SmallClaimsPolicy::Issue);
        assert_eq!((seen.payers, seen.total), (2, m(8999)));
        let left: Vec<_> =
            seen.by_policy.iter().map(|p| (p.untitled_payers, p.untitled_total, p.flagged_payers)).collect();
        assert_eq!(left, [(0, m(0), 0), (2, m(8999), 0), (0, m(0), 2)]);
    }

    #[test]
    fn a_campaign_never_goes_above_the_decree() {
        let day = |s: &str| s.parse::<chrono::NaiveDate>().unwrap();
        let m = Money::from_cents;
        let thresholds = Thresholds::new(vec![(day("2002-01-01"), m(3000)), (day("2024-05-25"), m(5000))]);
        let own = |threshold| SmallClaims { threshold, policy: SmallClaimsPolicy::Issue };
        assert_eq!(own(None).threshold_on(day("2025-06-05"), &thresholds), m(5000));
        assert_eq!(own(None).threshold_on(day("2024-05-24"), &thresholds), m(3000));
        assert_eq!(own(Some(m(4500))).threshold_on(day("2025-06-05"), &thresholds), m(4500));
        assert_eq!(own(Some(m(5000))).threshold_on(day("2024-05-24"), &thresholds), m(3000));
        assert_eq!(own(Some(m(10_000))).threshold_on(day("2025-06-05"), &thresholds), m(5000));
        let said = |threshold, on| own(threshold).fault(day(on), &thresholds).map(|f| f.value.unwrap());
        assert_eq!((said(None, "2025-06-05"), said(Some(m(5000)), "2025-06-05")), (None, None));
        assert_eq!(said(Some(m(5001)), "2025-06-05").as_deref(), Some("50.01"));
        assert_eq!(said(Some(m(5000)), "2024-05-24").as_deref(), Some("50.00"));
    }
}
