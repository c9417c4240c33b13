//! The one source of time and randomness: everything else receives them.
//!
//! Instants are UTC with microseconds (what both databases keep); the business day is the day in Paris, so a
//! title approved on 31 December at 23:30 UTC belongs to the next exercice.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, SubsecRound, Timelike, Utc};
use rand::Rng;
use uuid::Uuid;
use uuid::timestamp::context::ContextV7;

use super::french;

/// Un instant en UTC, RFC 3339 avec `Z`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
    utoipa::ToSchema,
)]
#[diesel(sql_type = diesel::sql_types::Timestamp)]
#[schema(value_type = String, format = DateTime, example = "2025-07-25T09:30:00Z")]
pub struct Instant(NaiveDateTime);

impl Instant {
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(at.naive_utc().trunc_subsecs(6))
    }

    /// Reads RFC 3339.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(raw).ok().map(|at| Self::new(at.with_timezone(&Utc)))
    }

    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        self.0.and_utc()
    }

    /// As libraries of the system take it.
    #[must_use]
    pub fn system(self) -> std::time::SystemTime {
        self.utc().into()
    }

    /// The business day: the date in Paris.
    #[must_use]
    pub fn day(self) -> NaiveDate {
        self.utc().with_timezone(&chrono_tz::Europe::Paris).date_naive()
    }

    /// Day and time in Paris, as a sentence tells them: « 25 juillet 2025 à 11 h 30 ».
    #[must_use]
    pub fn french(self) -> String {
        let there = self.utc().with_timezone(&chrono_tz::Europe::Paris);
        format!("{} à {}\u{a0}h\u{a0}{:02}", french::date_long(there.date_naive()), there.hour(), there.minute())
    }

    /// The hour in Paris.
    #[must_use]
    pub fn hour_in_paris(self) -> u32 {
        self.utc().with_timezone(&chrono_tz::Europe::Paris).hour()
    }

    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.checked_add_signed(duration).unwrap_or(self.0))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn timestamp(self) -> i64 {
        self.utc().timestamp()
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

impl serde::Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = <String as serde::Deserialize>::deserialize(d)?;
        let fault = || {
            let message = "Instant attendu comme « 2025-07-25T09:30:00Z » (RFC 3339), entre 1970 et 2199.";
            serde::de::Error::custom(super::FieldFault::new("instant_format", message))
        };
        // Years of five digits do not sort as text, which is how one of the databases keeps instants.
        Self::parse(&raw).filter(|at| (1970..2200).contains(&at.0.year())).ok_or_else(fault)
    }
}

impl<DB> diesel::serialize::ToSql<diesel::sql_types::Timestamp, DB> for Instant
where
    DB: diesel::backend::Backend,
    NaiveDateTime: diesel::serialize::ToSql<diesel::sql_types::Timestamp, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Timestamp, DB> for Instant
where
    DB: diesel::backend::Backend,
    NaiveDateTime: diesel::deserialize::FromSql<diesel::sql_types::Timestamp, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        NaiveDateTime::from_sql(bytes).map(Self)
    }
}

#[derive(Clone)]
enum Source {
    System,
    /// Tests: microseconds since 1970, moved by hand.
    Fixed(Arc<AtomicU64>),
}

/// Gives the present instant; tests fix and move it.
#[derive(Clone)]
pub struct Clock(Source);

impl Clock {
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::set`].
    #[must_use]
    pub fn fixed(at: Instant) -> Self {
        let clock = Self(Source::Fixed(Arc::new(AtomicU64::new(0))));
        clock.set(at);
        clock
    }

    /// Moves a fixed clock; the system's clock is left alone.
    pub fn set(&self, at: Instant) {
        if let Source::Fixed(micros) = &self.0 {
            micros.store(u64::try_from(at.utc().timestamp_micros()).unwrap_or(0), Ordering::SeqCst);
        }
    }

    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
            Source::System => Instant::new(Utc::now()),
            Source::Fixed(micros) => {
                let micros = i64::try_from(micros.load(Ordering::SeqCst)).unwrap_or(0);
                Instant::new(DateTime::from_timestamp_micros(micros).unwrap_or_default())
            }
        }
    }
}

/// Keeps the ids of one millisecond in the order they were given: a list by id is a list by creation.
static ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// Gives identifiers and secrets: random ones; to tests, the same ones each time.
#[derive(Clone, Default)]
pub struct Ids {
    /// The last number given, when they are counted.
    counted: Option<Arc<AtomicU64>>,
}

impl Ids {
    /// Ids and secrets that are counted, not drawn: the same ones in the same order, others under another seed. Anybody
    /// can guess them: for tests.
    #[must_use]
    pub fn seeded(seed: u16) -> Self {
        Self { counted: Some(Arc::new(AtomicU64::new(u64::from(seed) << 32))) }
    }

    fn count(&self) -> Option<u64> {
        self.counted.as_ref().map(|last| last.fetch_add(1, Ordering::Relaxed).wrapping_add(1))
    }

    /// A UUIDv7 of the given instant: ids sort by creation.
    #[must_use]
    pub fn uuid(&self, at: Instant) -> Uuid {
        let utc = at.utc();
        if let Some(number) = self.count() {
            let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
            let milliseconds = u64::try_from(utc.timestamp_millis()).unwrap_or(0);
            return uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0, 0, a, b, c, d, e, f, g, h])
                .into_uuid();
        }
        let seconds = u64::try_from(utc.timestamp()).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(&ORDER, seconds, utc.timestamp_subsec_nanos()))
    }

    /// 256 random bits.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        let mut bytes = [0_u8; 32];
        if let Some(number) = self.count() {
            let mut mixed = number;
            for chunk in bytes.chunks_mut(8) {
                // SplitMix64: neighbours share nothing.
                mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let z = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes());
            }
            return bytes;
        }
        #[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
        rand::rng().fill_bytes(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: &str) -> Instant {
        Instant::parse(raw).unwrap()
    }

    #[test]
    fn the_business_day_is_the_day_in_paris() {
        assert_eq!(at("2025-12-31T23:30:00Z").day().to_string(), "2026-01-01");
        assert_eq!(at("2025-12-31T22:59:59Z").day().to_string(), "2025-12-31");
        // Both nights of a clock change: midnight in Paris is 22:00 UTC in summer, 23:00 in winter.
        assert_eq!(at("2026-03-28T23:00:00Z").day().to_string(), "2026-03-29");
        assert_eq!(at("2026-03-29T22:00:00Z").day().to_string(), "2026-03-30");
        assert_eq!(at("2026-10-24T22:00:00Z").day().to_string(), "2026-10-25");
        assert_eq!(at("2026-10-25T22:30:00Z").day().to_string(), "2026-10-25");
    }

    #[test]
    fn ids_of_one_instant_sort_as_they_were_given() {
        let ids: Vec<Uuid> = (0..5_000).map(|_| Ids::default().uuid(at("2025-06-05T08:00:00Z"))).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn an_instant_keeps_microseconds_and_prints_utc() {
        let instant = at("2025-07-25T11:30:00.123456789+02:00");
        assert_eq!(instant.to_string(), "2025-07-25T09:30:00.123456Z");
        assert_eq!(Instant::parse(&instant.to_string()).unwrap(), instant);
    }
}
