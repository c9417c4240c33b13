//! The laws of the plan, on made-up policies, conventions, events and outages (`plan_worlds.rs`). What is allowed on a day
//! is said here a second time, day by day and without the windows of the plan.

use std::collections::BTreeSet;

use chrono::Datelike;
use proptest::prelude::*;

use super::worlds::{HORIZON, Lived, Story, live, plus, stories, subjects, tick};
use super::*;
use crate::reminders::subject::Delivery;

/// The calendar alone: a business day in no quiet period on which no agent wrote.
fn open(policy: &ReminderPolicy, subject: &Subject, agent: &BTreeSet<NaiveDate>, day: NaiveDate) -> bool {
    let here = day.format("%m-%d").to_string();
    let quiet = policy.quiet_periods.iter().any(|period| {
        // As text, 29 February included, sorted as days are; in a common year its eve is the end.
        let (from, until) = (period.from.to_string(), period.until.to_string());
        if from <= until { from <= here && here <= until } else { from <= here || here <= until }
    });
    day.weekday().number_from_monday() <= 5
        && holiday(day, &subject.departement).is_none()
        && !quiet
        && !agent.contains(&day)
}

/// The day a step counts to, before it is moved.
fn nominal(subject: &Subject, step: &ReminderStep) -> Option<NaiveDate> {
    let date = match step.anchor {
        Anchor::IssuedOn => Some(subject.issued_on),
        Anchor::WishedOn => subject.wished_on,
        Anchor::CouncilOn => subject.council_on,
        Anchor::ExecutoryOn => return Some(plus(subject.executory_on?, step.offset_days.into())),
    };
    date.filter(|_| subject.executory_on.is_none()).map(|date| plus(date, step.offset_days.into()))
}

/// Whether a council told of silences the step for good.
fn silenced(policy: &ReminderPolicy, subject: &Subject, step: &ReminderStep) -> bool {
    let Some(council) = subject.council_on.filter(|_| subject.executory_on.is_none()) else { return false };
    let own = policy.steps.iter().filter(|step| step.anchor == Anchor::CouncilOn).map(|step| step.offset_days);
    let end = plus(council, own.min().unwrap_or(1).into());
    matches!(step.anchor, Anchor::IssuedOn | Anchor::WishedOn) && nominal(subject, step).is_some_and(|day| day < end)
}

fn siblings<'a>(policy: &'a ReminderPolicy, step: &'a ReminderStep) -> impl Iterator<Item = &'a ReminderStep> {
    policy.steps.iter().filter(|other| other.anchor == step.anchor && other.offset_days > step.offset_days)
}

/// Every rule on one mail that left, said plainly.
fn keeps_the_rules(story: &Story, lived: &Lived, n: usize) -> Result<(), TestCaseError> {
    let Story { policy, .. } = story;
    let mail = &lived.history.mails[n];
    let (day, before) = (mail.on, &lived.history.mails[..n]);
    let step = policy.step(mail.step.as_ref().unwrap()).unwrap();
    let subject = story.at(day);
    prop_assert!(!before.iter().any(|other| other.step == mail.step), "{} twice", step.key);
    prop_assert!(open(policy, &subject, &story.agent(), day), "{} is no day to write", day);
    let gone = subject.standing != AnswerState::Awaiting
        || subject.excluded.is_some()
        || subject.address != AddressState::Known;
    prop_assert!(!gone, "{} after its reason was gone", step.key);
    prop_assert!(subject.suspended.as_ref().is_none_or(|suspension| suspension.until < day), "suspended");
    let last = before.iter().map(|mail| mail.on).max().max(subject.heard_on);
    prop_assert!(last.is_none_or(|last| plus(last, policy.cooldown_days.into()) <= day), "too soon after {:?}", last);
    let reached = before.iter().filter(|mail| mail.step.is_some() && mail.delivery != Delivery::Refused).count();
    prop_assert!(reached < usize::from(policy.maximum), "more than {}", policy.maximum);
    let Some(due) = nominal(&subject, step) else { panic!("{} counts from nothing", step.key) };
    prop_assert!(due > subject.issued_on, "{} was due by the day of issue", step.key);
    if step.offset_days < 0 {
        prop_assert!(day <= plus(due, (-step.offset_days).into()), "{} after its date", step.key);
        // A day before its own, only because the days between are no business days.
        let mut free = day.iter_days().skip(1).take_while(|next| *next <= due);
        prop_assert!(free.all(|next| !is_business_day(next, &subject.departement)), "{} too early", step.key);
    } else {
        prop_assert!(due <= day, "{} before its day", step.key);
    }
    for newer in siblings(policy, step) {
        prop_assert!(nominal(&subject, newer).is_none_or(|due| day < due), "{} late after {}", step.key, newer.key);
        prop_assert!(
            !before.iter().any(|mail| mail.step.as_ref() == Some(&newer.key)),
            "{} after {}",
            step.key,
            newer.key
        );
    }
    prop_assert!(!silenced(policy, &subject, step), "{} in spite of the council", step.key);
    // Outside its hours it does not leave.
    let mut others = History { mails: before.to_vec(), ..lived.history.clone() };
    for hour in 0..24 {
        let may = policy.check_again(&subject, &others, &step.key, (day, hour));
        let within = (u32::from(policy.hours.from)..u32::from(policy.hours.until)).contains(&hour);
        prop_assert_eq!(may, if within { Ok(()) } else { Err(Reason::OutsideHours(policy.hours)) });
    }
    let over = Subject { standing: AnswerState::Answered, ..subject.clone() };
    let noon = (day, u32::from(policy.hours.from));
    prop_assert_eq!(policy.check_again(&over, &others, &step.key, noon), Err(Reason::Answered));
    others.agent_wrote_on.insert(day);
    prop_assert_eq!(policy.check_again(&subject, &others, &step.key, noon), Err(Reason::AgentWroteToday));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_leaves_keeps_every_rule(story in stories()) {
        prop_assert_eq!(story.policy.validate(""), []);
        let lived = live(&story, &story.ticks());
        for n in 1..lived.history.mails.len() {
            keeps_the_rules(&story, &lived, n)?;
        }
    }

    #[test]
    fn nothing_that_could_leave_is_forgotten(mut story in stories(), last in subjects()) {
        // All is known from the start, but the tick has its outages.
        (story.last, story.told) = (last, (0, 0, 0));
        (story.ending, story.excluded, story.flagged) = (None, None, None);
        let (policy, subject, ticks) = (&story.policy, story.at(story.last.issued_on), story.ticks());
        let lived = live(&story, &ticks);
        let full = lived.history.reached().count() >= usize::from(policy.maximum);
        let left = lived.steps();
        for step in policy.steps.iter().filter(|step| !left.contains(&step.key) && !full) {
            let Some(due) = nominal(&subject, step) else { continue };
            // Of its window, these days are certain.
            let date = plus(due, i64::from(-step.offset_days));
            let newer = siblings(policy, step).filter_map(|newer| nominal(&subject, newer)).min();
            let mut end = newer.map_or(story.on(HORIZON - 1), |newer| plus(newer, -7));
            if step.offset_days < 0 {
                end = end.min(date);
            }
            if due <= plus(subject.issued_on, 6) || silenced(policy, &subject, step) {
                continue;
            }
            let overtaken = siblings(policy, step).any(|newer| left.contains(&newer.key));
            for day in ticks.iter().filter(|day| due <= **day && **day <= end) {
                let held = !open(policy, &subject, &story.agent(), *day)
                    || subject.suspended.as_ref().is_some_and(|suspension| *day <= suspension.until)
                    || subject.heard_on.is_some_and(|heard| *day < plus(heard, policy.cooldown_days.into()))
                    || lived.history.mails.iter().any(|mail| {
                        mail.on <= *day && *day < plus(mail.on, policy.cooldown_days.into())
                    });
                prop_assert!(held, "{} could have left on {} (newer left: {})", step.key, day, overtaken);
            }
        }
    }

    #[test]
    fn a_missed_day_is_caught_up(mut story in stories(), outage in 1_i64..15, which in 0_usize..6) {
        story.outages.clear();
        let all = story.ticks();
        let lived = live(&story, &all);
        let left = lived.reminders();
        prop_assume!(!left.is_empty());
        // The tick fails from the day of a reminder on.
        let (missed, key) = &left[which % left.len()];
        let back = plus(*missed, outage);
        let ticks: Vec<_> = all.iter().copied().filter(|day| day < missed || back <= *day).collect();
        let again = live(&story, &ticks);
        // Its next allowed day, if nothing changed in between.
        let (policy, subject, agent) = (&story.policy, story.at(*missed), story.agent());
        let step = policy.step(key).unwrap();
        let next = ticks.iter().copied().find(|day| back <= *day && open(policy, &subject, &agent, *day));
        let Some(next) = next.filter(|next| story.at(*next) == subject) else { return Ok(()) };
        let mut due = policy.steps.iter().filter(|other| other.key != *key).filter_map(|other| nominal(&subject, other));
        let lapsed = step.offset_days < 0 && next > plus(nominal(&subject, step).unwrap(), i64::from(-step.offset_days));
        let calm = plus(next, i64::from(policy.cooldown_days) + 7);
        prop_assume!(!lapsed && !due.any(|due| plus(*missed, -40) <= due && due <= calm));
        let others = left.iter().filter(|(day, _)| plus(*missed, -21) <= *day && *day <= plus(calm, 21)).count();
        prop_assume!(others == 1);
        prop_assert!(again.reminders().contains(&(next, key.clone())), "{} on {}: {:?}", key, next, again.reminders());
        let unchanged = |all: &[(NaiveDate, StepKey)]| {
            all.iter().filter(|(day, _)| day < missed).cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(unchanged(&again.reminders()), unchanged(&left));
        prop_assert_eq!(again.steps(), lived.steps());
    }

    #[test]
    fn a_clock_that_goes_back_sends_nothing(story in stories(), reached in 1_i64..HORIZON, back in proptest::collection::vec(0_i64..HORIZON, 1..40)) {
        let ticks: Vec<_> = story.ticks().into_iter().filter(|day| *day <= story.on(reached)).collect();
        let Some(last) = ticks.last().copied() else { return Ok(()) };
        let mut lived = live(&story, &ticks);
        let (history, letters) = (lived.history.clone(), lived.letters.clone());
        // Knowing how far it ran, nothing at all, whatever became known since.
        lived.history.ran_until = Some(last);
        for days in &back {
            let day = story.on(*days).min(last);
            let plan = story.policy.next(&story.last, &lived.history, day);
            let nothing = !matches!(plan.today, Today::Send(_)) && !plan.letter;
            prop_assert!(day == last || nothing, "on {}", day);
            prop_assert!(plan.next.is_none_or(|next| next.on >= last));
        }
        lived.history.ran_until = None;
        // Not knowing it, nothing again and nothing before what left; with nothing new to know, nothing.
        let reminders = lived.reminders();
        for days in back {
            let day = story.on(days).min(last);
            tick(&story.policy, &story.at(day), &story.deliveries, &mut lived, day);
        }
        if story.outages.is_empty() {
            prop_assert_eq!(&lived.history.mails, &history.mails);
            prop_assert_eq!(&lived.letters, &letters);
        }
        prop_assert_eq!(&lived.reminders()[..reminders.len()], &reminders[..]);
        prop_assert_eq!(lived.steps().len(), lived.reminders().len());
    }

    #[test]
    fn many_ticks_a_day_are_one(story in stories(), times in 2_usize..8) {
        let ticks = story.ticks();
        let often: Vec<_> = ticks.iter().flat_map(|day| std::iter::repeat_n(*day, times)).collect();
        prop_assert_eq!(live(&story, &often), live(&story, &ticks));
    }

    #[test]
    fn the_plan_foresees_what_the_days_bring(mut story in stories(), last in subjects(), from in 0_i64..HORIZON) {
        (story.last, story.told) = (last, (0, 0, 0));
        (story.ending, story.excluded, story.flagged, story.outages) = (None, None, None, Vec::new());
        story.deliveries = vec![Delivery::Sent];
        let (from, until) = (story.on(from), story.on(HORIZON - 1));
        let ticks = story.ticks();
        let before: Vec<_> = ticks.iter().copied().filter(|day| *day < from).collect();
        let (lived, start) = (live(&story, &ticks), live(&story, &before));
        let subject = story.at(from);
        let plan = story.policy.plan_until(&subject, &start.history, from, until);
        let plan: Vec<_> = plan.into_iter().map(|next| (next.on, next.step.key.clone())).collect();
        let after = &lived.reminders()[start.reminders().len()..];
        prop_assert_eq!(&plan[..], after);
        // What comes next, said on any day, comes.
        let next = story.policy.next(&subject, &start.history, from);
        let first = after.iter().find(|(day, _)| *day > from);
        let said = next.next.filter(|next| next.on <= until).map(|next| (next.on, next.step.key.clone()));
        prop_assert_eq!(said.as_ref(), first);
        let sent = if let Today::Send(step) = next.today { Some((from, step.key.clone())) } else { None };
        prop_assert_eq!(sent.as_ref(), after.first().filter(|(day, _)| *day == from));
    }

    #[test]
    fn the_letter_comes_exactly_after_the_last_unanswered_mail(story in stories()) {
        let lived = live(&story, &story.ticks());
        prop_assert!(lived.letters.len() <= 1);
        let due = |day: NaiveDate| {
            let subject = story.at(day);
            let answered = subject.heard_on.max(subject.council_on).max(subject.executory_on);
            let mut mails: Vec<_> = lived.history.mails.iter()
                .filter(|mail| mail.step.is_some() && mail.delivery != Delivery::Refused && mail.on < day)
                .map(|mail| mail.on)
                .filter(|on| answered.is_none_or(|answered| *on > answered))
                .collect();
            mails.sort();
            let last = mails.get(usize::from(story.policy.letter_after) - 1);
            let own = story.policy.steps.iter().filter(|step| step.anchor == Anchor::CouncilOn).map(|step| step.offset_days);
            let silence = subject.council_on.filter(|_| subject.executory_on.is_none())
                .map(|council| plus(council, own.min().unwrap_or(1).into()));
            subject.standing == AnswerState::Awaiting && subject.excluded.is_none()
                && silence.is_none_or(|end| end <= day)
                && subject.suspended.is_none_or(|suspension| suspension.until < day)
                && last.is_some_and(|last| plus(*last, story.policy.cooldown_days.into()) <= day)
        };
        prop_assert_eq!(lived.letters.first().copied(), story.ticks().into_iter().find(|day| due(*day)));
    }
}
