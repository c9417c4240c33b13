//! A year of days, told as a table: what each of six town halls gets, day by day, under the policy nobody changed.
//!
//! Every day from the issue on is run. The table shows each day on which something leaves for one of them or is to be done,
//! and some on which something is held; a day it does not show is one on which nothing happens to anybody.

use super::*;
use crate::kernel::Departement;
use crate::kernel::text::Note;
use crate::reminders::subject::{Delivery, Mail, Suspension};

const YEAR: &str = "
Convention émise le 5 juin 2025 dans le Gard, réponse souhaitée avant le 15 octobre 2025. Invitation le jour même.
1. Personne ne répond.
2. Le 1er juillet, la mairie appelle : son conseil municipal se réunit le 24 septembre.
3. Le 1er septembre, un agent suspend les rappels jusqu'au 30 septembre (élection du maire).
4. Un agent a écrit à la mairie le 7 juillet, le 26 août et le 10 octobre.
5. La réponse arrive le 20 août.
6. La délibération, exécutoire depuis le 19 septembre, arrive le 22 ; la convention signée, le 3 novembre.

« > » : un rappel part ce jour-là. « LETTRE » : une tâche « courrier postal » s'ouvre. « · » : rien à échéance.
Les jours qui ne figurent pas au tableau, il ne se passe rien pour personne.

jour          | 1 sans réponse     | 2 conseil 24/09   | 3 suspendue               | 4 agent a écrit    | 5 réponse 20/08 | 6 délibération
ve 04/07/2025 | ·                  | conseil attendu   | ·                         | ·                  | ·               | ·
sa 05/07/2025 | week-end           | conseil attendu   | week-end                  | week-end           | week-end        | week-end
lu 07/07/2025 | > issued_30        | conseil attendu   | > issued_30               | agent a écrit      | > issued_30     | > issued_30
ma 08/07/2025 | ·                  | conseil attendu   | ·                         | > issued_30        | ·               | ·
lu 04/08/2025 | période calme      | conseil attendu   | période calme             | période calme      | période calme   | période calme
me 20/08/2025 | période calme      | conseil attendu   | période calme             | période calme      | réponse reçue   | période calme
ma 26/08/2025 | > issued_60        | conseil attendu   | > issued_60               | agent a écrit      | réponse reçue   | > issued_60
me 27/08/2025 | ·                  | conseil attendu   | ·                         | > issued_60        | réponse reçue   | ·
ma 02/09/2025 | LETTRE             | conseil attendu   | suspendue                 | ·                  | réponse reçue   | LETTRE
me 03/09/2025 | ·                  | conseil attendu   | suspendue                 | LETTRE             | réponse reçue   | ·
ma 30/09/2025 | > wished_15_before | conseil attendu   | suspendue                 | > wished_15_before | réponse reçue   | ·
me 01/10/2025 | ·                  | conseil attendu   | > wished_15_before LETTRE | ·                  | réponse reçue   | ·
lu 06/10/2025 | ·                  | > council_10      | ·                         | ·                  | réponse reçue   | > executory_15
ve 10/10/2025 | > wished_3_before  | délai             | > wished_3_before         | agent a écrit      | réponse reçue   | ·
sa 11/10/2025 | plus rien          | week-end          | plus rien                 | week-end           | réponse reçue   | ·
lu 13/10/2025 | plus rien          | > wished_3_before | plus rien                 | > wished_3_before  | réponse reçue   | ·
lu 20/10/2025 | plus rien          | LETTRE            | plus rien                 | plus rien          | réponse reçue   | > executory_30
lu 03/11/2025 | plus rien          | plus rien         | plus rien                 | plus rien          | réponse reçue   | réponse reçue
je 04/06/2026 | plus rien          | plus rien         | plus rien                 | plus rien          | réponse reçue   | réponse reçue
";

fn day(raw: &str) -> NaiveDate {
    NaiveDate::parse_from_str(raw, "%d/%m/%Y").unwrap()
}

/// What is known on a day of each story.
fn known(story: usize, today: NaiveDate) -> Subject {
    let since = |raw: &str| today >= day(raw);
    let mut subject = Subject {
        standing: AnswerState::Awaiting,
        issued_on: day("05/06/2025"),
        wished_on: Some(day("15/10/2025")),
        council_on: None,
        executory_on: None,
        heard_on: None,
        suspended: None,
        excluded: None,
        departement: Departement::parse("30").unwrap(),
        address: AddressState::Known,
    };
    match story {
        2 if since("01/07/2025") => {
            subject.heard_on = Some(day("01/07/2025"));
            subject.council_on = Some(day("24/09/2025"));
        }
        3 if since("01/09/2025") => {
            let reason = Note::parse("Élection du maire").unwrap();
            subject.suspended = Some(Suspension { until: day("30/09/2025"), reason });
        }
        5 if since("20/08/2025") => subject.standing = AnswerState::Answered,
        6 if since("22/09/2025") => {
            subject.heard_on = Some(day("22/09/2025"));
            subject.executory_on = Some(day("19/09/2025"));
            if since("03/11/2025") {
                subject.standing = AnswerState::Answered;
            }
        }
        _ => {}
    }
    subject
}

/// What a story's year brings, day by day, as the table says it; and whether something happens.
fn lived(policy: &ReminderPolicy, story: usize) -> Vec<(NaiveDate, String, bool)> {
    let issued = day("05/06/2025");
    let invitation = Mail { on: issued, step: None, delivery: Delivery::Sent };
    let mut history = History { mails: vec![invitation], ..History::default() };
    if story == 4 {
        history.agent_wrote_on = ["07/07/2025", "26/08/2025", "10/10/2025"].map(day).into();
    }
    let mut found = Vec::new();
    for today in issued.iter_days().take(365) {
        let subject = known(story, today);
        let (step, held, letter) = {
            let plan = policy.next(&subject, &history, today);
            match plan.today {
                Today::Send(step) => (Some(step.key.clone()), String::new(), plan.letter),
                Today::Nothing(reason) => (None, label(&reason).to_owned(), plan.letter),
            }
        };
        let mut cell = step.as_ref().map_or(held, |step| format!("> {step}"));
        if letter {
            history.letter_on = Some(today);
            cell = if step.is_some() { format!("{cell} LETTRE") } else { "LETTRE".to_owned() };
        }
        found.push((today, cell, step.is_some() || letter));
        if step.is_some() {
            history.mails.push(Mail { on: today, step, delivery: Delivery::Sent });
        }
    }
    found
}

fn label(reason: &Reason) -> &'static str {
    match reason.code() {
        "not_yet" => "·",
        "not_a_business_day" => "week-end",
        "quiet_period" => "période calme",
        "council_awaited" => "conseil attendu",
        "suspended" => "suspendue",
        "agent_wrote_today" => "agent a écrit",
        "cooldown" => "délai",
        "answered" => "réponse reçue",
        "nothing_left" => "plus rien",
        other => panic!("{other} is in no story"),
    }
}

#[test]
fn a_year_of_days_is_as_the_table_says() {
    let policy = ReminderPolicy::default();
    let stories: Vec<_> = (1..=6).map(|story| lived(&policy, story)).collect();
    let table = &YEAR[YEAR.find("jour  ").unwrap()..];
    let mut lines = table.trim().lines();
    let mut found = vec![lines.next().unwrap().to_owned()];
    let shown: Vec<_> = lines.map(|line| day(&line[3..13])).collect();
    for (n, (today, _, _)) in stories[0].iter().enumerate() {
        if !shown.contains(today) && stories.iter().all(|story| !story[n].2) {
            continue;
        }
        // It was issued on a Thursday.
        let name = ["je", "ve", "sa", "di", "lu", "ma", "me"][n % 7];
        let widths = [18, 17, 25, 18, 15, 15];
        let cells: Vec<_> =
            stories.iter().zip(widths).map(|(story, width)| format!("{:<width$}", story[n].1)).collect();
        found.push(format!("{name} {} | {}", today.format("%d/%m/%Y"), cells.join(" | ")).trim_end().to_owned());
    }
    let found = found.join("\n");
    assert_eq!(found, table.trim(), "\n{found}\n");
}
