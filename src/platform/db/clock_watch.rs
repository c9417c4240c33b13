//! Whether the clock is to be believed: what the base last saw of it, and what it saw go back.
//!
//! ```text
//!   looked at each minute:  about where it was ──▶ sound: seen
//!                           a day ahead, or behind ──▶ doubted ──still so half an hour later──▶ sound: seen
//! ```
//! A machine that was off for a week is « ahead », too: it is believed after its second look, and nothing is lost. What
//! cannot be undone because a day has come (an expiry) waits for a clock that is sound. A step back is remembered: who
//! asks for what changed since an instant that came twice is told of both.

use chrono::Duration;
use diesel::prelude::*;

use super::schema::clock_watch;
use super::tx::{LONGEST_WRITE, Tx};
use crate::kernel::Instant;
use crate::platform::error::Outcome;

/// Ahead of the last look by more than this, the clock is looked at again before it is believed.
pub const JUMP: Duration = Duration::days(1);
/// Behind the last look by more than this, it went back: clocks of several machines differ by less.
pub const STEP: Duration = Duration::minutes(1);
/// Between the first and the second look.
pub const SECOND_LOOK: Duration = Duration::minutes(30);
/// How long a step back is remembered for who asks what changed.
const REMEMBERED: Duration = Duration::days(30);

/// What a look showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    Sound,
    /// Far ahead of what was last seen.
    Ahead {
        seen: Instant,
        now: Instant,
    },
    /// Behind what was last seen.
    Behind {
        seen: Instant,
        now: Instant,
    },
}

impl Sight {
    #[must_use]
    pub fn is_sound(self) -> bool {
        self == Self::Sound
    }

    /// What is wrong, in French; nothing when all is well.
    #[must_use]
    pub fn told(self) -> Option<String> {
        match self {
            Self::Sound => None,
            Self::Ahead { seen, now } => Some(format!(
                "L'horloge marque {now}, loin après la dernière heure vue ({seen}) : aucune convention n'expire avant un \
                 second regard, une demi-heure plus tard."
            )),
            Self::Behind { seen, now } => Some(format!(
                "L'horloge marque {now}, avant la dernière heure vue ({seen}) : vérifier l'heure du serveur. Aucune \
                 référence n'est donnée avant la dernière de sa série."
            )),
        }
    }
}

#[derive(Queryable, AsChangeset, Clone, Copy)]
#[diesel(table_name = clock_watch, treat_none_as_null = true)]
struct Watch {
    rank: i64,
    seen_at: Option<Instant>,
    doubted_at: Option<Instant>,
    back_from: Option<Instant>,
    back_to: Option<Instant>,
}

fn read(tx: &mut Tx<'_>) -> Outcome<Watch> {
    Ok(clock_watch::table.find(1).first(tx.conn())?)
}

fn judge(watch: &Watch, now: Instant) -> Sight {
    match watch.seen_at {
        Some(seen) if now > seen.plus(JUMP) => Sight::Ahead { seen, now },
        Some(seen) if now < seen.plus(-STEP) => Sight::Behind { seen, now },
        _ => Sight::Sound,
    }
}

impl Watch {
    /// What one look makes of it, and whether it shows something new.
    fn look(self, now: Instant) -> (Self, Sight, bool) {
        let sight = judge(&self, now);
        if sight.is_sound() {
            let seen_at = Some(self.seen_at.map_or(now, |seen| seen.max(now)));
            return (Self { seen_at, doubted_at: None, ..self }, sight, false);
        }
        // The second look is of the same doubt: the clock went on from there.
        match self.doubted_at.filter(|first| now >= *first && now <= first.plus(JUMP)) {
            Some(first) if now >= first.plus(SECOND_LOOK) => {
                (Self { seen_at: Some(now), doubted_at: None, ..self }, Sight::Sound, false)
            }
            Some(_) => (self, sight, false),
            None => {
                let mut next = Self { doubted_at: Some(now), ..self };
                if let Sight::Behind { seen, .. } = sight {
                    // Steps that are still remembered make one.
                    let old = self.back_from.zip(self.back_to).filter(|(_, to)| *to > now.plus(-REMEMBERED));
                    next.back_from = Some(old.map_or(seen, |(from, _)| from.max(seen)));
                    next.back_to = Some(old.map_or(now, |(_, to)| to.min(now)));
                }
                (next, sight, true)
            }
        }
    }
}

/// Looks at the clock, and notes what was seen; says whether it shows something that was not known.
pub fn look(tx: &mut Tx<'_>) -> Outcome<(Sight, bool)> {
    let (next, sight, new) = read(tx)?.look(tx.now());
    diesel::update(clock_watch::table.find(1)).set(next).execute(tx.conn())?;
    Ok((sight, new))
}

/// What the last look makes of the present instant; notes nothing.
pub fn sight(tx: &mut Tx<'_>) -> Outcome<Sight> {
    let now = tx.now();
    Ok(judge(&read(tx)?, now))
}

impl Tx<'_> {
    /// From when on to look for what changed since an instant, so that nothing is missed.
    ///
    /// A change bears the instant at which its transaction began, and is seen once it ends: one that ends later may bear an
    /// earlier instant than another that was seen already. None lasts longer than [`LONGEST_WRITE`]; as much again is for
    /// the clocks of several machines. And where the clock went back, the same instants came twice.
    ///
    /// # Errors
    /// The database's own.
    pub fn changed_since(&mut self, asked: Option<Instant>) -> Outcome<Option<Instant>> {
        let Some(asked) = asked else { return Ok(None) };
        let margin = -LONGEST_WRITE * 2;
        let from = asked.plus(margin);
        let watch = read(self)?;
        let step = watch.back_from.zip(watch.back_to).filter(|(_, to)| *to > self.now().plus(-REMEMBERED));
        Ok(Some(match step {
            Some((back_from, back_to)) if from <= back_from => from.min(back_to.plus(margin)),
            _ => from,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: &str) -> Instant {
        Instant::parse(&format!("2025-{raw}Z")).unwrap()
    }

    fn seen(raw: &str) -> Watch {
        Watch { rank: 1, seen_at: Some(at(raw)), doubted_at: None, back_from: None, back_to: None }
    }

    #[test]
    fn a_new_base_believes_its_first_look() {
        let (next, sight, _) = Watch { seen_at: None, ..seen("06-05T08:00:00") }.look(at("06-05T08:00:00"));
        assert_eq!((next.seen_at, sight), (Some(at("06-05T08:00:00")), Sight::Sound));
    }

    #[test]
    fn a_jump_is_believed_at_its_second_look_only() {
        let (first, sight, new) = seen("06-05T08:00:00").look(at("09-06T08:00:00"));
        assert!(new && !sight.is_sound() && sight.told().unwrap().contains("2025-06-05T08:00:00Z"));
        let (again, sight, new) = first.look(at("09-06T08:29:59"));
        assert!(!new && !sight.is_sound());
        let (second, sight, _) = again.look(at("09-06T08:30:00"));
        assert_eq!((second.seen_at, sight), (Some(at("09-06T08:30:00")), Sight::Sound));
        // Back where it was before: the jump was none.
        let (back, sight, _) = first.look(at("06-05T08:30:00"));
        assert_eq!((back.doubted_at, sight), (None, Sight::Sound));
        // Another jump from there is another doubt.
        let (other, sight, new) = first.look(at("12-01T08:00:00"));
        assert!(new && !sight.is_sound() && other.doubted_at == Some(at("12-01T08:00:00")));
    }

    #[test]
    fn a_step_back_is_told_once_and_remembered() {
        let (same, sight, _) = seen("06-05T08:00:00").look(at("06-05T07:59:30"));
        assert_eq!((same.seen_at, sight, same.back_to), (Some(at("06-05T08:00:00")), Sight::Sound, None));
        let (first, sight, new) = same.look(at("06-05T06:00:00"));
        assert!(new && matches!(sight, Sight::Behind { .. }));
        assert_eq!((first.back_from, first.back_to), (Some(at("06-05T08:00:00")), Some(at("06-05T06:00:00"))));
        let (again, _, new) = first.look(at("06-05T06:10:00"));
        assert!(!new);
        // It stays so: the clock was ahead before.
        let (second, sight, _) = again.look(at("06-05T06:31:00"));
        assert_eq!((second.seen_at, sight), (Some(at("06-05T06:31:00")), Sight::Sound));
        let (third, _, _) = second.look(at("06-05T05:00:00"));
        assert_eq!((third.back_from, third.back_to), (Some(at("06-05T08:00:00")), Some(at("06-05T05:00:00"))));
    }
}
