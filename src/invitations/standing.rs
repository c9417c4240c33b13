//! What a link is worth at an instant. Pure.

use chrono::{Days, NaiveDate};

use crate::kernel::Instant;
use crate::text_enum;

text_enum!(
    /// Ce que vaut un lien : `live` ouvre le dossier ; `expired` trop ancien ; `revoked` retiré par une personne ;
    /// `restored` d'avant une restauration de la base.
    Standing { Live => "live", Expired => "expired", Revoked => "revoked", Restored => "restored" }
);

text_enum!(
    /// Ce qui peut être fait d'un lien.
    InvitationAction { Revoke => "revoke", Replace => "replace" }
);

/// Days after the end of its campaign during which a link opens, and least days from its making.
const DAYS: Days = Days::new(60);

/// When a link of a campaign made today ends: midnight, in UTC, behind its last day.
#[must_use]
pub fn expiry(ends_on: NaiveDate, today: NaiveDate) -> Instant {
    let last = ends_on.max(today).checked_add_days(DAYS).and_then(|last| last.succ_opt()).unwrap_or(ends_on);
    Instant::new(last.and_time(chrono::NaiveTime::MIN).and_utc())
}

/// What a link is worth.
#[must_use]
pub fn standing(revoked: bool, of_this_life: bool, expires_at: Instant, now: Instant) -> Standing {
    if revoked {
        Standing::Revoked
    } else if !of_this_life {
        Standing::Restored
    } else if expires_at <= now {
        Standing::Expired
    } else {
        Standing::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(raw: &str) -> NaiveDate {
        raw.parse().unwrap()
    }

    #[test]
    fn a_link_lasts_sixty_days_beyond_its_campaign_and_never_less_than_sixty() {
        let (ends, early, late) = (day("2026-09-05"), day("2025-06-05"), day("2027-01-10"));
        assert_eq!(expiry(ends, early).to_string(), "2026-11-05T00:00:00Z");
        assert_eq!(expiry(ends, late).to_string(), "2027-03-12T00:00:00Z");
    }

    #[test]
    fn a_persons_no_stands_before_everything() {
        let now = Instant::parse("2026-01-01T00:00:00Z").unwrap();
        let (past, next) = (now.plus(chrono::Duration::days(-1)), now.plus(chrono::Duration::days(1)));
        assert_eq!(standing(true, true, next, now), Standing::Revoked);
        assert_eq!(standing(true, false, past, now), Standing::Revoked);
        assert_eq!(standing(false, false, next, now), Standing::Restored);
        assert_eq!(standing(false, true, past, now), Standing::Expired);
        assert_eq!(standing(false, true, now, now), Standing::Expired);
        assert_eq!(standing(false, true, next, now), Standing::Live);
    }
}
