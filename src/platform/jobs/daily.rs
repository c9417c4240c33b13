//! Work that each business day asks for, declared by its room.
//!
//! ```text
//!   look ──▶ the hour has come, the clock is believed ──▶ day claimed (unique name + day) ──▶ run, in that transaction
//!                                                          └─ another instance has it: nothing
//! ```
//! A run that fails is undone with its claim, and tried again at the next look. Days missed while the program was stopped
//! are caught up by one run, unless the work asks for each of them.

use chrono::NaiveDate;

use super::store_daily;
use crate::platform::db::{Database, Tx};
use crate::platform::error::Outcome;

/// What becomes of the days on which the program did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// One run does for all.
    Once,
    /// Each has its run, oldest first.
    EachDay,
}

/// Work of each day: short, for it holds one transaction; what is long is a job it enqueues.
#[derive(Clone, Copy)]
pub struct Daily {
    /// Stable, `room.verb`: it is written with each day it ran.
    pub name: &'static str,
    /// Hour in Paris before which the day has not begun for it.
    pub from_hour: u32,
    pub missed: Missed,
    pub run: fn(&mut Tx<'_>, NaiveDate) -> Outcome<()>,
}

/// Days looked back for those that were missed.
const LOOKED_BACK: chrono::Days = chrono::Days::new(366);

impl Daily {
    /// Daily work from midnight on, for which one run makes up for many days.
    #[must_use]
    pub const fn new(name: &'static str, run: fn(&mut Tx<'_>, NaiveDate) -> Outcome<()>) -> Self {
        Self { name, from_hour: 0, missed: Missed::Once, run }
    }

    /// The days it is to be run for, now.
    fn due(&self, tx: &mut Tx<'_>, today: NaiveDate) -> Outcome<Vec<NaiveDate>> {
        let earliest = today.checked_sub_days(LOOKED_BACK).unwrap_or(today);
        let first = match self.missed {
            Missed::Once => today,
            // Of the days before it ever ran, none was missed.
            Missed::EachDay => store_daily::last_before(tx, self.name, today)?
                .and_then(|last| last.succ_opt())
                .map_or(today, |next| next.max(earliest)),
        };
        let mut due = Vec::new();
        for day in first.iter_days().take_while(|day| *day <= today) {
            if !store_daily::ran(tx, self.name, day)? {
                due.push(day);
            }
        }
        Ok(due)
    }

    /// Runs what is due; returns how many days.
    fn run_due(&self, db: &Database) -> Outcome<usize> {
        let now = db.clock().now();
        if now.hour_in_paris() < self.from_hour {
            return Ok(0);
        }
        let mut ran = 0;
        for day in db.read(|tx| self.due(tx, now.day()))? {
            let mine = db.write(|tx| {
                let mine = store_daily::claim(tx, self.name, day)?;
                if mine {
                    (self.run)(tx, day)?;
                }
                Ok(mine)
            })?;
            if mine {
                tracing::info!(work = self.name, %day, "daily work");
                ran += 1;
            }
        }
        Ok(ran)
    }
}

/// Runs what is due of each, whatever becomes of the others; returns how many runs there were here.
pub fn run_due(db: &Database, all: &[Daily]) -> usize {
    let ran = all.iter().map(|work| {
        work.run_due(db).unwrap_or_else(|cause| {
            tracing::error!(work = work.name, %cause, "daily work");
            0
        })
    });
    ran.sum()
}
