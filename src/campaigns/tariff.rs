//! The tariff of a campaign and what it makes of a list of schools. Pure.
//!
//! The convention copies the tariff when it is issued: a later campaign's price never touches it.

use serde::{Deserialize, Serialize};

use crate::kernel::Money;
use crate::text_enum;

text_enum!(
    /// Ce qui est compté.
    TariffUnit {
        /// Each enrolled school (convention art. 3.2 and 4).
        School => "school",
    }
);

/// Prix d'une année scolaire, toutes taxes comprises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    pub unit: TariffUnit,
    pub unit_amount: Money,
}

/// What one school costs under a tariff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineAmount {
    pub quantity: i64,
    pub unit_amount: Money,
    pub amount: Money,
}

impl Tariff {
    /// The line of one school; none when the product leaves the range of amounts.
    #[must_use]
    pub fn line(&self) -> Option<LineAmount> {
        match self.unit {
            TariffUnit::School => {
                let quantity = 1;
                let amount = self.unit_amount.checked_times(quantity)?;
                Some(LineAmount { quantity, unit_amount: self.unit_amount, amount })
            }
        }
    }
}
