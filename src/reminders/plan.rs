//! What leaves on a day, what comes next, or why nothing: a pure function of (subject, history, day).
//!
//! Nothing here remembers when it ran last: a step that is due stays due until it left, so that a day on which the tick
//! did not run is caught up on the next one, and a second tick of the day finds the step in the history. A step waits in a
//! window of days:
//!
//! ```text
//!            its day                      the eve of the next step of its family, for which it then makes room;
//!               ▼                         for a step before its date, that date
//!   ────────────[════════════════════════]─────────▶
//!                    ▲ leaves on the first day of it on which mail may leave: a business day of the department, in no
//!                      quiet period, not suspended, no agent wrote, `cooldown_days` after the last exchange
//! ```
//! - Steps of two families due together leave one after the other, the latest stage first (executory, council, wished
//!   date, issue).
//! - What is tried is never tried again, refused or uncertain as it may be: sending again is an agent's act.
//! - A council date told silences issue and wished date until the first step after the council; what they had before that
//!   day is dropped, not sent late. A council told of twice gets its step once.
//! - A step due by the day of issue never was: the first mail said the same.
//! - A clock that goes back sends nothing: neither before the last day that was run, nor before a mail of the history.
//! - The letter is due `cooldown_days` after the second reminder to which nothing came, once.
//!
//! The day of what comes next is computed from these windows, not by trying days one by one: a nation is planned in the
//! time its rows are read.

use std::cmp::Reverse;

use chrono::{Duration, NaiveDate};

use super::policy::{Anchor, ReminderPolicy, ReminderStep, StepKey};
use super::reason::Reason;
use super::subject::{AddressState, AnswerState, History, Subject};
use crate::kernel::holidays::{holiday, is_business_day, previous_business_day};

/// A reminder and the day it leaves if nothing changes until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreseen<'a> {
    pub step: &'a ReminderStep,
    pub on: NaiveDate,
}

/// What a day brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Today<'a> {
    Send(&'a ReminderStep),
    Nothing(Reason),
}

/// The plan of a subject, seen from a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<'a> {
    pub today: Today<'a>,
    /// The first reminder after that day.
    pub next: Option<Foreseen<'a>>,
    /// Whether a letter is to be sent by an agent: true from its day until its task is in the history.
    pub letter: bool,
}

/// Jumps over closed days before giving up: so many follow only from periods that `validate` refuses.
const JUMPS_MAX: usize = 1_000;

fn after(day: NaiveDate, days: impl Into<i64>) -> NaiveDate {
    day.checked_add_signed(Duration::days(days.into())).unwrap_or(day)
}

/// A step that is neither sent nor overtaken, and the days in which it may leave.
struct Window<'a> {
    step: &'a ReminderStep,
    from: NaiveDate,
    until: NaiveDate,
}

/// A subject with its history so far, and what is foreseen after.
struct Walk<'a> {
    policy: &'a ReminderPolicy,
    subject: &'a Subject,
    history: &'a History,
    windows: Vec<Window<'a>>,
    /// The last exchange.
    last: Option<NaiveDate>,
    reached: usize,
}

impl<'a> Walk<'a> {
    fn new(policy: &'a ReminderPolicy, subject: &'a Subject, history: &'a History) -> Self {
        let mails = history.mails.iter().map(|mail| mail.on);
        let mut walk = Self {
            policy,
            subject,
            history,
            windows: Vec::new(),
            last: mails.max().max(subject.heard_on),
            reached: history.reached().count(),
        };
        walk.windows = policy.steps.iter().filter_map(|step| walk.window(step)).collect();
        walk
    }

    fn window(&self, step: &'a ReminderStep) -> Option<Window<'a>> {
        let ready = self.ready_on(step)?;
        if ready <= self.subject.issued_on || self.history.has(&step.key) {
            return None;
        }
        let silence = self.policy.silent_until(self.subject).filter(|_| !matches!(step.anchor, Anchor::CouncilOn));
        if silence.is_some_and(|end| self.own_day(step).is_some_and(|own| own < end)) {
            return None;
        }
        let from = silence.map_or(ready, |end| ready.max(end));
        let date = self.subject.date(step.anchor).filter(|_| step.offset_days < 0);
        let mut until = date.unwrap_or(NaiveDate::MAX);
        let newer = |other: &&ReminderStep| other.anchor == step.anchor && other.offset_days > step.offset_days;
        for newer in self.policy.steps.iter().filter(newer) {
            if self.history.has(&newer.key) {
                return None;
            }
            until = until.min(self.ready_on(newer)?.pred_opt()?);
        }
        (from <= until).then_some(Window { step, from, until })
    }

    /// The day a step counts to.
    fn own_day(&self, step: &ReminderStep) -> Option<NaiveDate> {
        Some(after(self.subject.date(step.anchor)?, step.offset_days))
    }

    /// The day from which it is due: its own; before its date, stepped back over a weekend or a holiday.
    fn ready_on(&self, step: &ReminderStep) -> Option<NaiveDate> {
        let day = self.own_day(step)?;
        Some(if step.offset_days < 0 { previous_business_day(day, &self.subject.departement) } else { day })
    }

    /// The first day from one on that no rule of the calendar closes.
    fn open_from(&self, mut day: NaiveDate) -> Option<NaiveDate> {
        for _ in 0..JUMPS_MAX {
            let quiet = self.policy.quiet_periods.iter().find_map(|period| period.last_day(day));
            let shut =
                |day| self.history.agent_wrote_on.contains(&day) || !is_business_day(day, &self.subject.departement);
            let Some(last) = quiet.or_else(|| shut(day).then_some(day)) else { return Some(day) };
            day = last.succ_opt()?;
        }
        None
    }

    /// Since when the last exchange no longer holds anything.
    fn cool_from(&self) -> Option<NaiveDate> {
        self.last.map(|last| after(last, self.policy.cooldown_days.max(1)))
    }

    /// The first reminder from a day on, if nothing changes.
    fn first_from(&self, day: NaiveDate) -> Option<Foreseen<'a>> {
        if self.full() {
            return None;
        }
        let resumed = self.subject.suspended.as_ref().and_then(|suspension| suspension.until.succ_opt());
        let day = [resumed, self.cool_from(), self.history.ran_until].into_iter().flatten().fold(day, NaiveDate::max);
        let foreseen = self.windows.iter().filter_map(|window| {
            let on = self.open_from(day.max(window.from))?;
            (on <= window.until).then_some(Foreseen { step: window.step, on })
        });
        foreseen.min_by_key(|foreseen| (foreseen.on, Reverse(foreseen.step.anchor)))
    }

    fn full(&self) -> bool {
        self.reached >= usize::from(self.policy.maximum)
    }

    /// Goes on as if it had left.
    fn mark(&mut self, sent: Foreseen<'a>) {
        // The windows of the older ones of its family have ended.
        self.windows.retain(|window| window.step.key != sent.step.key);
        self.last = self.last.max(Some(sent.on));
        self.reached += 1;
    }

    /// What stops everything, whatever the day.
    fn stopped(&self) -> Option<Reason> {
        match self.subject.standing {
            AnswerState::Answered => Some(Reason::Answered),
            AnswerState::Declined => Some(Reason::Declined),
            AnswerState::Cancelled => Some(Reason::Cancelled),
            AnswerState::CampaignClosed => Some(Reason::CampaignClosed),
            AnswerState::Awaiting if self.policy.paused => Some(Reason::CampaignPaused),
            AnswerState::Awaiting => self.subject.excluded.clone().map(Reason::Excluded),
        }
    }

    fn address(&self) -> Option<Reason> {
        match self.subject.address {
            AddressState::Known => None,
            AddressState::Missing => Some(Reason::NoAddress),
            AddressState::Flagged => Some(Reason::AddressFlagged),
        }
    }

    /// What keeps a mail from leaving on a day, when it is due.
    fn shut(&self, day: NaiveDate) -> Option<Reason> {
        if let Some(suspension) = self.subject.suspended.as_ref().filter(|suspension| day <= suspension.until) {
            return Some(Reason::Suspended { until: suspension.until, reason: suspension.reason.clone() });
        }
        if self.history.agent_wrote_on.contains(&day) {
            return Some(Reason::AgentWroteToday);
        }
        if let Some(period) = self.policy.quiet(day) {
            return Some(Reason::QuietPeriod(*period));
        }
        if !is_business_day(day, &self.subject.departement) {
            return Some(Reason::NotABusinessDay { holiday: holiday(day, &self.subject.departement) });
        }
        let since = self.last.filter(|_| self.cool_from().is_some_and(|cool| day < cool))?;
        Some(Reason::Cooldown { since, days: self.policy.cooldown_days })
    }

    /// Why nothing leaves, on a day on which nothing does; `first` is what comes if the address allows it.
    fn held(&self, day: NaiveDate, first: Option<Foreseen<'a>>) -> Reason {
        if let Some(last) = self.history.ran_until.filter(|last| day < *last) {
            return Reason::DayGone { last };
        }
        let shut = self.shut(day);
        if let Some(Reason::Suspended { .. }) = shut {
            return shut.unwrap_or(Reason::NotYet);
        }
        let live = |window: &&Window| day <= window.until;
        if self.full() && self.windows.iter().any(|window| live(&window)) {
            return Reason::MaximumReached(self.policy.maximum);
        }
        let due = self.windows.iter().filter(live).any(|window| window.from <= day);
        match (first, self.address(), shut) {
            (None, _, _) if !due => Reason::NothingLeft,
            (_, Some(address), _) => address,
            (_, None, Some(shut)) if due => shut,
            _ => self.council(day).unwrap_or(Reason::NotYet),
        }
    }

    /// The council that silences a day.
    fn council(&self, day: NaiveDate) -> Option<Reason> {
        let silent = self.policy.silent_until(self.subject).is_some_and(|end| day < end);
        self.subject.council_on.filter(|_| silent).map(|on| Reason::CouncilAwaited { on })
    }
}

impl ReminderPolicy {
    /// What is due on a day (one reminder at most), what comes next and when, or why nothing.
    #[must_use]
    pub fn next<'a>(&'a self, subject: &'a Subject, history: &'a History, day: NaiveDate) -> Plan<'a> {
        let mut walk = Walk::new(self, subject, history);
        if let Some(reason) = walk.stopped() {
            return Plan { today: Today::Nothing(reason), next: None, letter: false };
        }
        let letter = self.letter_is_due(subject, history, day);
        let first = walk.first_from(day);
        let reachable = first.filter(|_| walk.address().is_none());
        match reachable.filter(|first| first.on == day) {
            Some(first) => {
                walk.mark(first);
                let next = day.succ_opt().and_then(|day| walk.first_from(day));
                Plan { today: Today::Send(first.step), next, letter }
            }
            None => Plan { today: Today::Nothing(walk.held(day, first)), next: reachable, letter },
        }
    }

    /// Every reminder foreseen between two days, both included, if nothing changes.
    #[must_use]
    pub fn plan_until<'a>(
        &'a self,
        subject: &'a Subject,
        history: &'a History,
        from: NaiveDate,
        until: NaiveDate,
    ) -> Vec<Foreseen<'a>> {
        let mut walk = Walk::new(self, subject, history);
        let mut found = Vec::new();
        if walk.stopped().or_else(|| walk.address()).is_some() {
            return found;
        }
        let mut day = Some(from);
        while let Some(next) = day.and_then(|day| walk.first_from(day)).filter(|next| next.on <= until) {
            found.push(next);
            walk.mark(next);
            day = next.on.succ_opt();
        }
        found
    }

    /// Whether a reminder planned earlier may leave now: its reason is looked at again just before sending.
    ///
    /// `others` is the history without that reminder; `hour` is the hour in Paris.
    ///
    /// # Errors
    /// Why it may not. [`Reason::passes`] tells whether to keep it for later or to give it up.
    pub fn check_again(
        &self,
        subject: &Subject,
        others: &History,
        step: &StepKey,
        (day, hour): (NaiveDate, u32),
    ) -> Result<(), Reason> {
        let walk = Walk::new(self, subject, others);
        if let Some(reason) = walk.stopped().or_else(|| walk.address()) {
            return Err(reason);
        }
        let window = walk.windows.iter().find(|window| window.step.key == *step && day <= window.until);
        let Some(window) = window else { return Err(walk.council(day).unwrap_or(Reason::StepGone)) };
        let reason = match () {
            () if walk.full() => Some(Reason::MaximumReached(self.maximum)),
            () if day < window.from => Some(Reason::NotYet),
            () => walk.shut(day),
        };
        match reason {
            Some(reason) => Err(reason),
            None if !self.hours.hold(hour) => Err(Reason::OutsideHours(self.hours)),
            None => Ok(()),
        }
    }

    /// Until when, that day not included, a council date told silences issue and wished date.
    fn silent_until(&self, subject: &Subject) -> Option<NaiveDate> {
        let council = subject.date(Anchor::CouncilOn)?;
        let steps = self.steps.iter().filter(|step| step.anchor == Anchor::CouncilOn);
        Some(after(council, steps.map(|step| step.offset_days).min().unwrap_or(1).max(1)))
    }

    /// Whether the letter is due: enough reminders had their time for an answer, and nothing came since.
    fn letter_is_due(&self, subject: &Subject, history: &History, day: NaiveDate) -> bool {
        let held = history.letter_on.is_some()
            || history.ran_until.is_some_and(|last| day < last)
            || subject.suspended.as_ref().is_some_and(|suspension| day <= suspension.until)
            || self.silent_until(subject).is_some_and(|end| day < end);
        let answered = subject.answered_until();
        let unanswered = |on: &NaiveDate| {
            answered.is_none_or(|answered| answered < *on) && after(*on, self.cooldown_days.max(1)) <= day
        };
        !held && history.reached().filter(unanswered).count() >= usize::from(self.letter_after.max(1))
    }
}

#[cfg(test)]
#[path = "plan_laws.rs"]
mod laws;
#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
#[cfg(test)]
#[path = "plan_worlds.rs"]
mod worlds;
#[cfg(test)]
#[path = "plan_year.rs"]
mod year;
