//! Money: euro cents, checked, never a float. Rounding happens in one place.

use std::fmt;
use std::iter::Sum;

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

use super::refused::FieldFault;

/// Un montant en euros : un texte avec un point, deux décimales rendues (`"80.00"`), zéro à deux reçues.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
    utoipa::ToSchema,
)]
#[diesel(sql_type = diesel::sql_types::BigInt)]
#[schema(value_type = String, pattern = r"^[0-9]{1,10}(\.[0-9]{1,2})?$", example = "40.00")]
pub struct Money(i64);

impl Money {
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents)
    }

    #[must_use]
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// Reads `40`, `40.5` or `40.00`: at most ten digits before the point, two after.
    ///
    /// # Errors
    /// `amount_format`, saying what was wrong (comma, three decimals, sign, letters).
    pub fn parse(raw: &str) -> Result<Self, FieldFault> {
        let fault = |why: &str| FieldFault::new("amount_format", format!("Montant attendu comme « 40.00 » : {why}."));
        if raw.contains(',') {
            return Err(fault("le séparateur décimal est le point, pas la virgule"));
        }
        let (units, decimals) = raw.split_once('.').unwrap_or((raw, "0"));
        let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(units) || !all_digits(decimals) {
            return Err(fault("seuls des chiffres et un point sont admis, sans signe"));
        }
        if decimals.len() > 2 {
            return Err(fault("deux décimales au plus"));
        }
        if units.len() > 10 {
            return Err(fault("dix chiffres au plus avant le point"));
        }
        let units: i64 = units.parse().map_err(|_| fault("nombre illisible"))?;
        let cents: i64 = format!("{decimals:0<2}").parse().map_err(|_| fault("nombre illisible"))?;
        // Ten digits and two decimals are far inside an i64.
        Ok(Self(units * 100 + cents))
    }

    /// Rounds a computed amount in euros to the cent, half up (away from zero): the only rounding of the program.
    #[must_use]
    pub fn round_half_up(euros: Decimal) -> Option<Self> {
        euros
            .checked_mul(Decimal::ONE_HUNDRED)?
            .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
            .to_i64()
            .map(Self)
    }

    /// Euros, exactly.
    #[must_use]
    pub fn euros(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    #[must_use]
    pub fn checked_times(self, count: i64) -> Option<Self> {
        self.0.checked_mul(count).map(Self)
    }

    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// With a decimal comma and no thousands separator, for accountants' files: `80,00`.
    #[must_use]
    pub fn with_comma(self) -> String {
        self.to_string().replace('.', ",")
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

/// Sums of stored amounts: each is below 10^12 cents and a campaign has thousands of them, so an i64 holds the
/// sum with a margin of a million; saturation would show as an impossible figure rather than wrap.
impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        Self(iter.fold(0_i64, |acc, m| acc.saturating_add(m.0)))
    }
}

impl serde::Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = <String as serde::Deserialize>::deserialize(d)?;
        Self::parse(&raw).map_err(serde::de::Error::custom)
    }
}

impl<DB> diesel::serialize::ToSql<diesel::sql_types::BigInt, DB> for Money
where
    DB: diesel::backend::Backend,
    i64: diesel::serialize::ToSql<diesel::sql_types::BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> diesel::deserialize::FromSql<diesel::sql_types::BigInt, DB> for Money
where
    DB: diesel::backend::Backend,
    i64: diesel::deserialize::FromSql<diesel::sql_types::BigInt, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        i64::from_sql(bytes).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_that_look_like_amounts_but_are_not_are_refused() {
        for bad in ["40,00", "40.000", "-1", "+1", "1e3", "", ".5", "4 0", "12345678901", "40.", "٤٠"] {
            assert_eq!(Money::parse(bad).unwrap_err().code, "amount_format", "{bad}");
        }
        assert_eq!(Money::parse("40").unwrap().cents(), 4000);
        assert_eq!(Money::parse("40.5").unwrap().cents(), 4050);
        assert_eq!(Money::parse("9999999999.99").unwrap().cents(), 999_999_999_999);
    }

    #[test]
    fn halves_round_away_from_zero() {
        assert_eq!(Money::round_half_up(Decimal::new(10_005, 3)).unwrap().cents(), 1001);
        assert_eq!(Money::round_half_up(Decimal::new(10_004, 3)).unwrap().cents(), 1000);
        assert_eq!(Money::round_half_up(Decimal::new(-10_005, 3)).unwrap().cents(), -1001);
    }

    proptest! {
        #[test]
        fn printing_then_parsing_gives_the_same(cents in 0i64..1_000_000_000_000) {
            let money = Money::from_cents(cents);
            prop_assert_eq!(Money::parse(&money.to_string()).unwrap(), money);
            prop_assert_eq!(Money::round_half_up(money.euros()).unwrap(), money);
        }
    }
}
