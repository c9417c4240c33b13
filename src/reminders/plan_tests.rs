//! One rule at a time, on a convention issued on 5 June 2025 for which an answer is wished by 15 October.

use super::*;
use crate::kernel::Departement;
use crate::kernel::text::Note;
use crate::reminders::subject::{Delivery, Mail, Suspension};

fn day(raw: &str) -> NaiveDate {
    raw.parse().unwrap()
}

fn subject() -> Subject {
    Subject {
        standing: AnswerState::Awaiting,
        issued_on: day("2025-06-05"),
        wished_on: Some(day("2025-10-15")),
        council_on: None,
        executory_on: None,
        heard_on: None,
        suspended: None,
        excluded: None,
        departement: Departement::parse("30").unwrap(),
        address: AddressState::Known,
    }
}

fn mail(on: &str, step: &str, delivery: Delivery) -> Mail {
    Mail { on: day(on), step: (!step.is_empty()).then(|| StepKey::parse(step).unwrap()), delivery }
}

fn sent(mails: &[(&str, &str)]) -> History {
    let mails = mails.iter().map(|(on, step)| mail(on, step, Delivery::Sent)).collect();
    History { mails, ..History::default() }
}

/// What the day brings: the key of a step, or the code of a reason; then what comes next.
fn today(subject: &Subject, history: &History, on: &str) -> (String, String) {
    let policy = ReminderPolicy::default();
    let plan = policy.next(subject, history, day(on));
    let today = match plan.today {
        Today::Send(step) => format!("> {}", step.key),
        Today::Nothing(reason) => reason.code().to_owned(),
    };
    (today, plan.next.map_or(String::new(), |next| format!("{} {}", next.on, next.step.key)))
}

fn foreseen(subject: &Subject, history: &History, from: &str) -> Vec<String> {
    let policy = ReminderPolicy::default();
    let plan = policy.plan_until(subject, history, day(from), day("2027-12-31"));
    plan.iter().map(|next| format!("{} {}", next.on, next.step.key)).collect()
}

fn said(on: &str, next: &str) -> (String, String) {
    (on.to_owned(), next.to_owned())
}

#[test]
fn a_hundred_ticks_a_day_send_each_reminder_once() {
    let (policy, subject, mut history) = (ReminderPolicy::default(), subject(), sent(&[("2025-06-05", "")]));
    let mut letters = 0;
    for on in day("2025-06-05").iter_days().take(365) {
        for _ in 0..100 {
            let plan = policy.next(&subject, &history, on);
            let step = if let Today::Send(step) = plan.today { Some(step.key.clone()) } else { None };
            if plan.letter {
                letters += 1;
                history.letter_on = Some(on);
            }
            if step.is_some() {
                history.mails.push(Mail { on, step, delivery: Delivery::Queued });
            }
        }
    }
    let left: Vec<_> =
        history.mails.iter().filter_map(|mail| Some(format!("{} {}", mail.on, mail.step.as_ref()?))).collect();
    let once =
        ["2025-07-07 issued_30", "2025-08-26 issued_60", "2025-09-30 wished_15_before", "2025-10-10 wished_3_before"];
    assert_eq!((left, letters), (once.map(str::to_owned).into(), 1));
}

#[test]
fn after_an_outage_an_older_step_makes_room_and_two_families_leave_apart() {
    // Nothing ran from issue to 1 October: issued_30 was overtaken; the wished date, a later stage, goes first.
    let history = sent(&[("2025-06-05", "")]);
    assert_eq!(
        foreseen(&subject(), &history, "2025-10-01"),
        ["2025-10-01 wished_15_before", "2025-10-08 issued_60", "2025-10-15 wished_3_before"]
    );
    assert_eq!(today(&subject(), &history, "2025-10-01"), said("> wished_15_before", "2025-10-08 issued_60"));
    // A newer step that left takes the older one with it, even if it left before its day (another policy then).
    let history = sent(&[("2025-06-20", "issued_60")]);
    assert_eq!(foreseen(&subject(), &history, "2025-06-21")[0], "2025-09-30 wished_15_before");
    // On the very day of the newer one, the older one makes room.
    let autumn = Subject { issued_on: day("2025-09-01"), wished_on: None, ..subject() };
    assert_eq!(foreseen(&autumn, &History::default(), "2025-10-31"), ["2025-10-31 issued_60"]);
    assert_eq!(foreseen(&autumn, &History::default(), "2025-10-30")[0], "2025-10-30 issued_30");
}

#[test]
fn a_step_before_its_date_steps_back_over_a_weekend_and_lapses_with_it() {
    // The 12th is a Sunday.
    let history = sent(&[("2025-09-30", "wished_15_before"), ("2025-09-01", "issued_60")]);
    assert_eq!(today(&subject(), &history, "2025-10-09"), said("not_yet", "2025-10-10 wished_3_before"));
    assert_eq!(today(&subject(), &history, "2025-10-15"), said("> wished_3_before", ""));
    assert_eq!(today(&subject(), &history, "2025-10-16"), said("nothing_left", ""));
    // Three days before 3 January are quiet, and after them the date has passed.
    let winter = Subject { wished_on: Some(day("2026-01-03")), ..subject() };
    assert_eq!(foreseen(&winter, &history, "2025-12-01"), Vec::<String>::new());
    // With fifteen days they are 19 December.
    let history = sent(&[("2025-09-01", "issued_60")]);
    assert_eq!(foreseen(&winter, &history, "2025-12-01"), ["2025-12-19 wished_15_before"]);
    assert_eq!(today(&winter, &history, "2025-12-22"), said("quiet_period", ""));
}

#[test]
fn a_step_due_by_the_day_of_issue_never_was() {
    let late = Subject { issued_on: day("2025-10-07"), ..subject() };
    let history = sent(&[("2025-10-07", "")]);
    assert_eq!(
        foreseen(&late, &history, "2025-10-07"),
        ["2025-10-14 wished_3_before", "2025-11-06 issued_30", "2025-12-08 issued_60"]
    );
    // Not even where no invitation left: fifteen days before the 12th, nothing was issued.
    let soon = Subject { wished_on: Some(day("2025-10-12")), ..late };
    assert_eq!(foreseen(&soon, &History::default(), "2025-10-07")[0], "2025-10-09 wished_3_before");
    assert_eq!(today(&soon, &History::default(), "2025-10-08"), said("not_yet", "2025-10-09 wished_3_before"));
}

#[test]
fn the_holidays_are_those_of_the_department() {
    // Good Friday is 3 April 2026; 30 days before it is 4 March.
    for (departement, on) in [("30", "2026-04-03"), ("67", "2026-04-07")] {
        let departement = Departement::parse(departement).unwrap();
        let subject = Subject { issued_on: day("2026-03-04"), wished_on: None, departement, ..subject() };
        assert_eq!(foreseen(&subject, &History::default(), "2026-03-05")[0], format!("{on} issued_30"));
    }
}

#[test]
fn a_council_told_of_takes_the_place_of_what_was_to_leave_before_it() {
    let council = Subject { council_on: Some(day("2025-09-24")), ..subject() };
    let history = sent(&[("2025-06-05", "")]);
    let plan = ["2025-10-06 council_10", "2025-10-13 wished_3_before"];
    assert_eq!(foreseen(&council, &history, "2025-06-06"), plan);
    // What counts to after the silence does not step back into it: the 12th is a Sunday, the silence ends on the 11th.
    let close = Subject { council_on: Some(day("2025-10-01")), ..subject() };
    assert_eq!(foreseen(&close, &history, "2025-06-06"), ["2025-10-13 council_10"]);
    // It ends with the first of the steps for the council.
    let mut policy = ReminderPolicy::default();
    policy.steps.push(ReminderStep {
        key: StepKey::parse("council_40").unwrap(),
        anchor: Anchor::CouncilOn,
        offset_days: 40,
    });
    let found = policy.plan_until(&council, &history, day("2025-06-06"), day("2026-06-05"));
    let found: Vec<_> = found.iter().map(|next| format!("{} {}", next.on, next.step.key)).collect();
    assert_eq!(found, ["2025-10-06 council_10", "2025-10-13 wished_3_before", "2025-11-03 council_40"]);
    // A council after the wished date leaves nothing but its own step; told of again, it has none any more.
    let later = Subject { council_on: Some(day("2025-11-20")), ..subject() };
    assert_eq!(foreseen(&later, &history, "2025-06-06"), ["2025-12-01 council_10"]);
    let again = Subject { council_on: Some(day("2026-02-10")), ..subject() };
    assert_eq!(foreseen(&again, &sent(&[("2025-12-01", "council_10")]), "2025-12-10"), Vec::<String>::new());
    // Without a step for the council, silence ends with the day it meets.
    let policy = ReminderPolicy { steps: ReminderPolicy::default().steps[..4].to_vec(), ..ReminderPolicy::default() };
    let plan = policy.plan_until(&council, &history, day("2025-06-06"), day("2026-06-05"));
    assert_eq!(plan.iter().map(|next| next.on).collect::<Vec<_>>(), [day("2025-09-30"), day("2025-10-10")]);
}

#[test]
fn an_executory_act_leaves_only_the_steps_for_the_signature() {
    let signed = Subject { executory_on: Some(day("2025-09-19")), heard_on: Some(day("2025-10-03")), ..subject() };
    // Handed in late, it does not bring a reminder at once.
    assert_eq!(today(&signed, &History::default(), "2025-10-06"), said("cooldown", "2025-10-10 executory_15"));
    assert_eq!(
        foreseen(&signed, &History::default(), "2025-10-04"),
        ["2025-10-10 executory_15", "2025-10-20 executory_30"]
    );
}

#[test]
fn what_was_tried_is_not_tried_again_and_only_what_arrived_counts() {
    let policy = ReminderPolicy { maximum: 2, ..ReminderPolicy::default() };
    for (delivery, left, letter) in [
        (Delivery::Sent, "maximum_reached", true),
        (Delivery::Uncertain, "maximum_reached", true),
        (Delivery::Queued, "maximum_reached", true),
        (Delivery::Refused, "not_yet", false),
    ] {
        let mails = vec![mail("2025-07-07", "issued_30", delivery), mail("2025-08-26", "issued_60", delivery)];
        let (subject, history) = (subject(), History { mails, ..History::default() });
        let plan = policy.next(&subject, &history, day("2025-09-03"));
        let Today::Nothing(reason) = plan.today else { panic!("{delivery} was tried again") };
        assert_eq!((reason.code(), plan.letter), (left, letter), "{delivery}");
    }
}

#[test]
fn a_letter_is_due_once_its_second_mail_had_the_time_for_an_answer() {
    let policy = ReminderPolicy::default();
    let history = sent(&[("2025-06-05", ""), ("2025-07-07", "issued_30"), ("2025-08-26", "issued_60")]);
    let letter = |subject: &Subject, history: &History, on: &str| policy.next(subject, history, day(on)).letter;
    assert!(!letter(&subject(), &history, "2025-09-01"));
    assert!(letter(&subject(), &history, "2025-09-02") && letter(&subject(), &history, "2025-11-02"));
    let done = History { letter_on: Some(day("2025-09-02")), ..history.clone() };
    assert!(!letter(&subject(), &done, "2025-11-02"));
    // What was heard in between, or on its very day, answers the first of the two.
    for heard in ["2025-07-10", "2025-07-07"] {
        let heard = Subject { heard_on: Some(day(heard)), ..subject() };
        assert!(!letter(&heard, &history, "2025-11-02"));
    }
    // An answer recorded by an agent, an exclusion, a pause end this too.
    assert!(!letter(&Subject { standing: AnswerState::Answered, ..subject() }, &history, "2025-11-02"));
    assert!(!letter(&Subject { excluded: Some(Note::parse("ici").unwrap()), ..subject() }, &history, "2025-11-02"));
    let paused = ReminderPolicy { paused: true, ..ReminderPolicy::default() };
    assert!(!paused.next(&subject(), &history, day("2025-11-02")).letter);
    // A flagged address keeps mail from leaving; a letter is what remains.
    assert!(letter(&Subject { address: AddressState::Flagged, ..subject() }, &history, "2025-09-02"));
}

#[test]
fn each_reason_has_its_sentence() {
    let note = |raw| Note::parse(raw).unwrap();
    let suspended = Some(Suspension { until: day("2025-09-15"), reason: note("Élection du maire.") });
    let wrote = History { agent_wrote_on: [day("2025-07-07")].into(), ..History::default() };
    let ran = History { ran_until: Some(day("2025-07-08")), ..History::default() };
    let many: Vec<_> = (1..=6).map(|n| mail("2025-06-10", &format!("old_{n}"), Delivery::Sent)).collect();
    let (empty, many) = (History::default(), History { mails: many, ..History::default() });
    let all = sent(&[("2025-08-26", "issued_60"), ("2025-10-10", "wished_3_before")]);
    for (subject, history, on, sentence) in [
        (Subject { standing: AnswerState::Answered, ..subject() }, &empty, "2025-07-07", "Réponse reçue."),
        (
            Subject { standing: AnswerState::Declined, ..subject() },
            &empty,
            "2025-07-07",
            "Convention déclinée par la collectivité.",
        ),
        (Subject { standing: AnswerState::Cancelled, ..subject() }, &empty, "2025-07-07", "Convention annulée."),
        (Subject { standing: AnswerState::CampaignClosed, ..subject() }, &empty, "2025-07-07", "Campagne close."),
        (
            Subject { excluded: Some(note("Traitée à part")), ..subject() },
            &empty,
            "2025-07-07",
            "Collectivité exclue des rappels : Traitée à part.",
        ),
        (
            Subject { suspended, ..subject() },
            &empty,
            "2025-07-07",
            "Rappels suspendus jusqu'au 15 septembre 2025 inclus : Élection du maire.",
        ),
        (subject(), &all, "2025-10-20", "Plus aucun rappel prévu."),
        (subject(), &many, "2025-07-07", "Nombre maximal de rappels atteint (6)."),
        (
            Subject { address: AddressState::Missing, ..subject() },
            &empty,
            "2025-07-07",
            "Aucune adresse de courriel connue.",
        ),
        (
            Subject { address: AddressState::Flagged, ..subject() },
            &empty,
            "2025-07-07",
            "Adresse de courriel signalée comme mauvaise : à corriger.",
        ),
        (subject(), &wrote, "2025-07-07", "Un agent a écrit à la collectivité ce jour-là."),
        (subject(), &empty, "2025-08-04", "Période calme, du 14 juillet au 25 août."),
        (subject(), &empty, "2025-07-06", "Samedi ou dimanche."),
        (
            Subject { issued_on: day("2025-10-12"), wished_on: None, ..subject() },
            &empty,
            "2025-11-11",
            "Jour férié (11 novembre).",
        ),
        (
            subject(),
            &sent(&[("2025-07-02", "")]),
            "2025-07-07",
            "Dernier échange le 2 juillet 2025 : 7 jour(s) à laisser passer.",
        ),
        (
            Subject { council_on: Some(day("2025-09-24")), ..subject() },
            &empty,
            "2025-07-07",
            "Conseil municipal annoncé pour le 24 septembre 2025.",
        ),
        (subject(), &ran, "2025-07-07", "Jour passé : les rappels ont été faits jusqu'au 8 juillet 2025."),
        (subject(), &empty, "2025-07-04", "Aucun rappel à échéance ce jour-là."),
    ] {
        let plan = ReminderPolicy::default();
        let plan = plan.next(&subject, history, day(on));
        let Today::Nothing(reason) = plan.today else { panic!("{on}: {sentence}") };
        assert_eq!(reason.to_string(), sentence);
    }
    // A missing address is told before it is needed.
    let missing = Subject { address: AddressState::Missing, ..subject() };
    assert_eq!(today(&missing, &empty, "2025-07-04"), said("no_address", ""));
    let paused = ReminderPolicy { paused: true, ..ReminderPolicy::default() };
    let plan = paused.next(&subject(), &empty, day("2025-07-07")).today == Today::Nothing(Reason::CampaignPaused);
    assert!(plan);
    assert_eq!(Reason::CampaignPaused.to_string(), "Rappels de la campagne en pause.");
}

#[test]
fn a_mail_is_checked_again_when_it_is_to_leave() {
    let policy = ReminderPolicy::default();
    let step = StepKey::parse("issued_30").unwrap();
    let check = |subject: &Subject, others: &History, on: &str, hour: u32| {
        policy.check_again(subject, others, &step, (day(on), hour)).map_err(|reason| (reason.code(), reason.passes()))
    };
    let (empty, council) = (History::default(), Subject { council_on: Some(day("2025-09-24")), ..subject() });
    assert_eq!(check(&subject(), &empty, "2025-07-07", 9), Ok(()));
    assert_eq!(check(&subject(), &empty, "2025-07-07", 17), Err(("outside_hours", true)));
    assert_eq!(check(&subject(), &empty, "2025-07-12", 10), Err(("not_a_business_day", true)));
    assert_eq!(check(&subject(), &empty, "2025-07-15", 10), Err(("quiet_period", true)));
    assert_eq!(check(&subject(), &empty, "2025-07-04", 10), Err(("not_yet", true)));
    assert_eq!(check(&subject(), &empty, "2025-08-26", 10), Err(("step_gone", false)));
    assert_eq!(check(&subject(), &sent(&[("2025-07-07", "")]), "2025-07-07", 10), Err(("cooldown", true)));
    assert_eq!(check(&council, &empty, "2025-07-07", 10), Err(("council_awaited", false)));
    assert_eq!(
        check(&Subject { address: AddressState::Flagged, ..subject() }, &empty, "2025-07-07", 10),
        Err(("address_flagged", false))
    );
    assert_eq!(
        check(&Subject { standing: AnswerState::Answered, ..subject() }, &empty, "2025-07-07", 10),
        Err(("answered", false))
    );
    let unknown =
        policy.check_again(&subject(), &empty, &StepKey::parse("issued_90").unwrap(), (day("2025-07-07"), 10));
    assert_eq!(unknown, Err(Reason::StepGone));
}
