//! Made-up policies, conventions and what happens to them; and the tick that goes through their days.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::kernel::Departement;
use crate::kernel::text::Note;
use crate::reminders::policy::{Hours, MonthDay, QuietPeriod};
use crate::reminders::subject::{Delivery, Mail, Suspension};

/// Days that are run from the issue on.
pub const HORIZON: i64 = 420;

pub fn plus(day: NaiveDate, days: i64) -> NaiveDate {
    day + Duration::days(days)
}

fn some<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(of)
}

prop_compose! {
    fn policies()(
        offsets in (offsets(1..=120), offsets(-60..=30), offsets(1..=40), offsets(1..=60)),
        quiet in proptest::collection::vec((0_i64..366, 0_i64..60), 0..4),
        (from, length) in (7_u8..19, 1_u8..10),
        maximum in 1_u8..=9,
        cooldown_days in 1_u8..=20,
        letter_after in 1_u8..=3,
    ) -> ReminderPolicy {
        let families = [
            (Anchor::IssuedOn, offsets.0), (Anchor::WishedOn, offsets.1),
            (Anchor::CouncilOn, offsets.2), (Anchor::ExecutoryOn, offsets.3),
        ];
        let steps = families.into_iter().flat_map(|(anchor, offsets)| offsets.into_iter().map(move |offset_days| {
            let key = format!("{anchor}_{offset_days}").replace('-', "before_");
            ReminderStep { key: StepKey::parse(&key).unwrap(), anchor, offset_days }
        }));
        let leap = |n| plus("2000-01-01".parse().unwrap(), n % 366);
        let month_day = |n| MonthDay::parse(&leap(n).format("%m-%d").to_string()).unwrap();
        let quiet = quiet.into_iter().map(|(from, days)| QuietPeriod { from: month_day(from), until: month_day(from + days) });
        ReminderPolicy {
            steps: steps.collect(), quiet_periods: quiet.collect(), hours: Hours { from, until: (from + length).min(20) },
            maximum, cooldown_days, letter_after, paused: false,
        }
    }
}

/// In no order.
fn offsets(range: std::ops::RangeInclusive<i16>) -> impl Strategy<Value = Vec<i16>> {
    proptest::collection::hash_set(range, 0..=3).prop_map(|set| set.into_iter().collect())
}

prop_compose! {
    pub fn subjects()(
        issued in 0_i64..700,
        wished in some(1_i64..200),
        council in some(5_i64..250),
        executory in some(5_i64..250),
        suspended in some(0_i64..200),
        departement in select(vec!["30", "2A", "67", "971", "974", "978"]),
    ) -> Subject {
        let issued_on = plus("2024-01-01".parse().unwrap(), issued);
        let on = |days: Option<i64>| days.map(|days| plus(issued_on, days));
        Subject {
            standing: AnswerState::Awaiting,
            issued_on,
            wished_on: on(wished),
            council_on: on(council),
            executory_on: on(executory),
            heard_on: None,
            suspended: on(suspended).map(|until| Suspension { until, reason: Note::parse("essai").unwrap() }),
            excluded: None,
            departement: Departement::parse(departement).unwrap(),
            address: AddressState::Known,
        }
    }
}

/// What happens to a convention, in days from its issue.
#[derive(Debug, Clone)]
pub struct Story {
    pub policy: ReminderPolicy,
    /// As it ends, if nothing puts an end to it.
    pub last: Subject,
    /// When council, act and suspension become known.
    pub told: (i64, i64, i64),
    pub ending: Option<(i64, AnswerState)>,
    pub excluded: Option<i64>,
    pub flagged: Option<(i64, i64)>,
    pub agent: BTreeSet<i64>,
    pub deliveries: Vec<Delivery>,
    pub outages: Vec<(i64, i64)>,
}

prop_compose! {
    pub fn stories()(
        policy in policies(),
        last in subjects(),
        told in (0_i64..200, 0_i64..250, 0_i64..200),
        ending in some((0_i64..HORIZON, select(AnswerState::ALL[1..].to_vec()))),
        excluded in proptest::option::weighted(0.1, 0_i64..HORIZON),
        flagged in proptest::option::weighted(0.2, (0_i64..200, 1_i64..100)),
        agent in proptest::collection::btree_set(0_i64..HORIZON, 0..60),
        deliveries in proptest::collection::vec(select(Delivery::ALL.to_vec()), 1..8),
        outages in proptest::collection::vec((0_i64..HORIZON, 1_i64..60), 0..3),
    ) -> Story {
        Story { policy, last, told, ending, excluded, flagged, agent, deliveries, outages }
    }
}

impl Story {
    pub fn on(&self, days: i64) -> NaiveDate {
        plus(self.last.issued_on, days)
    }

    /// What is known on a day.
    pub fn at(&self, today: NaiveDate) -> Subject {
        let since = |days: i64| today >= self.on(days);
        let mut subject = self.last.clone();
        let (council, act, suspension) = self.told;
        subject.council_on = subject.council_on.filter(|_| since(council));
        subject.executory_on = subject.executory_on.filter(|_| since(act));
        let heard = [subject.council_on.map(|_| council), subject.executory_on.map(|_| act)];
        subject.heard_on = heard.into_iter().flatten().max().map(|days| self.on(days));
        subject.suspended = subject.suspended.filter(|_| since(suspension));
        subject.excluded = self.excluded.filter(|days| since(*days)).map(|_| Note::parse("essai").unwrap());
        if let Some((_, standing)) = self.ending.filter(|(days, _)| since(*days)) {
            subject.standing = standing;
        }
        if self.flagged.is_some_and(|(from, days)| since(from) && !since(from + days)) {
            subject.address = AddressState::Flagged;
        }
        subject
    }

    pub fn agent(&self) -> BTreeSet<NaiveDate> {
        self.agent.iter().map(|days| self.on(*days)).collect()
    }

    /// The days on which the tick runs.
    pub fn ticks(&self) -> Vec<NaiveDate> {
        let out = |n: i64| self.outages.iter().any(|(from, days)| (*from..from + days).contains(&n));
        (0..HORIZON).filter(|n| !out(*n)).map(|n| self.on(n)).collect()
    }
}

/// What left, and when the letter was to be done.
#[derive(Debug, Default, PartialEq)]
pub struct Lived {
    pub history: History,
    pub letters: Vec<NaiveDate>,
}

impl Lived {
    pub fn reminders(&self) -> Vec<(NaiveDate, StepKey)> {
        self.history.mails.iter().filter_map(|mail| Some((mail.on, mail.step.clone()?))).collect()
    }
    pub fn steps(&self) -> BTreeSet<StepKey> {
        self.reminders().into_iter().map(|(_, step)| step).collect()
    }
}

/// One tick: what is due is written down, as the outbox would have it.
pub fn tick(policy: &ReminderPolicy, subject: &Subject, deliveries: &[Delivery], lived: &mut Lived, on: NaiveDate) {
    let plan = policy.next(subject, &lived.history, on);
    let step = if let Today::Send(step) = plan.today { Some(step.key.clone()) } else { None };
    if plan.letter {
        lived.letters.push(on);
        lived.history.letter_on = Some(on);
    }
    if step.is_some() {
        let delivery = deliveries[lived.history.mails.len() % deliveries.len()];
        lived.history.mails.push(Mail { on, step, delivery });
    }
}

pub fn live(story: &Story, ticks: &[NaiveDate]) -> Lived {
    let invitation = Mail { on: story.last.issued_on, step: None, delivery: Delivery::Sent };
    let history = History { mails: vec![invitation], agent_wrote_on: story.agent(), ..History::default() };
    let mut lived = Lived { history, letters: Vec::new() };
    for on in ticks {
        tick(&story.policy, &story.at(*on), &story.deliveries, &mut lived, *on);
    }
    lived
}
