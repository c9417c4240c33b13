//! Mails on their way: what becomes of each, whoever fails, and when nothing may leave.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ent_backoffice::kernel::contact::EmailAddress;
use ent_backoffice::kernel::{Instant, text::Line};
use ent_backoffice::platform::db::Tx;
use ent_backoffice::platform::mail::{
    self, Composed, Draft, Handful, Kind, Letterhead, Letterheads, Memory, NewMail, Post, Postman, Rules, Sent, Source,
    Stage, Step, Templates,
};
use ent_backoffice::platform::{Error, Outcome};
use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::{Base, TestApp};

static GREETING: Kind = Kind {
    name: "test.greeting",
    french: "Essai",
    source: Source(
        "Objet : Bonjour {{ nom }}\n\nBonjour {{ nom }}.\n\n>> Ouvrir | https://exemple.invalid/{{ secret }}",
    ),
    sample: || json!({"nom": "Zoé", "secret": "x"}),
    accounts: false,
    preview: None,
    compose,
    settled: Kind::unfollowed,
};

fn compose(_: &mut Tx<'_>, _: &Rules, posted: &[mail::Posted]) -> Outcome<Vec<Composed>> {
    posted
        .iter()
        .map(|posted| {
            let name: String = posted.read()?;
            match name.as_str() {
                "gone" => Ok(Composed::Gone("La raison est passée.".into())),
                "poison" => Err(Error::falsified("email", posted.id, "un courriel empoisonné")),
                _ => {
                    let secret = format!("secret-{}-{}", name, posted.attempt);
                    let draft = Draft::of(&json!({"nom": name, "secret": secret}))?;
                    Ok(Composed::Owed(Box::new(Draft { secrets: vec![secret], ..draft })))
                }
            }
        })
        .collect()
}

fn rules() -> Rules {
    let usual = Letterhead {
        name: Line::parse("Rectorat").unwrap(),
        address: EmailAddress::parse("ent@ac.invalid").unwrap(),
        reply_to: None,
        phone: None,
        signature: vec![Line::parse("Le rectorat").unwrap()],
    };
    Rules {
        sending: true,
        trial: None,
        per_minute: 0,
        per_domain_per_minute: 0,
        give_up: chrono::Duration::hours(72),
        bounce: None,
        public_url: "https://exemple.invalid".into(),
        letterheads: Letterheads { usual, of: Vec::new() },
    }
}

fn postman(rules: Rules, way: &Memory) -> Postman {
    let kinds = vec![&GREETING];
    let templates = Templates::read(None, &kinds).unwrap();
    Postman::new(kinds, templates, rules, Arc::new(way.clone())).followed(ent_backoffice::mailroom::after)
}

fn post(app: &TestApp, names: &[&str]) -> Vec<Post> {
    let mails = names
        .iter()
        .map(|name| NewMail {
            kind: &GREETING,
            to: EmailAddress::parse(&format!("{name}@{name}.invalid")).unwrap(),
            payload: json!(name).to_string(),
            dossiers: Vec::new(),
            by: "essai".into(),
            dedup_key: None,
            resent_of: None,
        })
        .collect::<Vec<_>>();
    app.db.write(|tx| mail::post_all(tx, mails.clone())).unwrap()
}

fn states(app: &TestApp) -> Vec<String> {
    text_rows(&app.db, "SELECT address || ' ' || state AS line FROM emails ORDER BY address")
}

fn state(app: &TestApp, name: &str) -> String {
    let sql = format!("SELECT state AS line FROM emails WHERE address = '{name}@{name}.invalid'");
    text_rows(&app.db, &sql).remove(0)
}

fn tasks(app: &TestApp) -> Vec<Value> {
    app.admin().get("/tasks").expect(200).json["data"].as_array().unwrap().clone()
}

fn later(app: &TestApp, minutes: i64) {
    app.clock.set(app.clock.now().plus(chrono::Duration::minutes(minutes)));
}

on_both_databases! {
    fn each_end_is_told_for_what_it_is(app: &TestApp) {
        let way = Memory::default();
        let postman = postman(rules(), &way);
        way.script([
            Sent::Accepted("250 ok".into()),
            Sent::Refused(Stage::Recipient, "550 unknown user".into()),
            Sent::Deferred(Stage::Recipient, "450 greylisted".into()),
            Sent::Uncertain("connection reset".into()),
        ]);
        post(app, &["a", "b", "c", "d", "gone"]);
        postman.drain(&app.db).unwrap();
        assert_eq!(states(app), ["a@a.invalid sent", "b@b.invalid refused", "c@c.invalid deferred", "d@d.invalid uncertain", "gone@gone.invalid cancelled"]);
        let found = tasks(app);
        let kinds: Vec<(&str, bool)> = found.iter().map(|t| (t["kind"].as_str().unwrap(), t["why"].as_str().unwrap().contains("550 unknown user"))).collect();
        assert_eq!(kinds, [("mail.refused", true), ("mail.uncertain", false)]);
        // What was refused for now comes back; the rest never by itself.
        drop(way.take());
        later(app, 2);
        postman.drain(&app.db).unwrap();
        assert_eq!(state(app, "c"), "sent");
        later(app, 60 * 24);
        assert_eq!(postman.drain(&app.db).unwrap(), 0);
        assert_eq!(way.take().len(), 1);
        // What was said is kept, its secret struck out.
        let kept = text_rows(&app.db, "SELECT body AS line FROM email_attempts ORDER BY email_id, number");
        assert!(kept.iter().all(|body| body.contains("/[secret-non-conserve]") && body.matches("secret-").count() == 1), "{kept:?}");
    }

    fn what_is_refused_for_now_is_given_up_in_the_end(app: &TestApp) {
        let way = Memory::default();
        let postman = postman(rules(), &way);
        post(app, &["a"]);
        let mut tries = 0;
        while state(app, "a") != "refused" {
            way.script([Sent::Deferred(Stage::Recipient, "450 later".into())]);
            tries += postman.drain(&app.db).unwrap();
            later(app, 5 * 60);
            assert!(tries < 100);
        }
        assert!((12..40).contains(&tries), "{tries} tries in three days");
        assert_eq!(tasks(app).len(), 1);
    }

    fn a_server_that_is_not_reached_costs_no_mail_a_try_and_holds_all_back(app: &TestApp) {
        let way = Memory::default();
        let postman = postman(rules(), &way);
        post(app, &["a", "b", "c"]);
        way.script([Sent::Unreachable(Stage::Login, "535 no".into())]);
        let (mut session, mut handful, stop) = (mail::Transport::open(&way), Handful::default(), AtomicBool::new(false));
        for _ in 0..6 {
            handful.learn(handful.size(), std::time::Duration::ZERO);
        }
        assert_eq!(postman.step(&app.db, &mut *session, &mut handful, &stop).unwrap(), Step::Done(3));
        assert_eq!(states(app), ["a@a.invalid queued", "b@b.invalid queued", "c@c.invalid queued"]);
        assert!(matches!(postman.step(&app.db, &mut *session, &mut handful, &stop).unwrap(), Step::Held(_)));
        assert_eq!(text_rows(&app.db, "SELECT outcome AS line FROM email_attempts"), ["unreachable"]);
        // Once it is, the first one tells, and the others follow.
        later(app, 1);
        postman.drain(&app.db).unwrap();
        assert_eq!(way.take().len(), 3);
        assert_eq!(text_rows(&app.db, "SELECT CAST(failures AS TEXT) AS line FROM mail_gate"), ["0"]);
        assert_eq!(tasks(app).len(), 0);
    }

    fn a_worker_that_died_while_sending_leaves_mails_of_which_nobody_knows(app: &TestApp) {
        let way = Memory::default();
        let postman = postman(rules(), &way);
        post(app, &["a", "b"]);
        postman.drain(&app.db).unwrap();
        app.sql("UPDATE emails SET state = 'sending', ended_at = NULL, lease_until = '2025-06-05 08:10:00' WHERE address LIKE 'a@%'").unwrap();
        drop(way.take());
        assert_eq!(postman.drain(&app.db).unwrap(), 0, "its worker may still be at it");
        later(app, 11);
        postman.drain(&app.db).unwrap();
        assert_eq!((state(app, "a"), way.take().len()), ("uncertain".into(), 0), "never sent again by itself");
        assert_eq!(tasks(app)[0]["kind"], "mail.uncertain");
    }

    fn nothing_leaves_while_the_switch_is_off_and_a_trial_reaches_its_list_only(app: &TestApp) {
        let way = Memory::default();
        post(app, &["a", "b"]);
        let off = postman(Rules { sending: false, ..rules() }, &way);
        assert_eq!(off.drain(&app.db).unwrap(), 0);
        let list = [EmailAddress::parse("b@b.invalid").unwrap()].into();
        let trial = postman(Rules { trial: Some(list), ..rules() }, &way);
        trial.drain(&app.db).unwrap();
        assert_eq!(states(app), ["a@a.invalid queued", "b@b.invalid sent"]);
        postman(rules(), &way).drain(&app.db).unwrap();
        assert_eq!(way.take().len(), 2);
    }

    fn the_pace_is_kept_by_all_programs_of_a_base_together(app: &TestApp) {
        let way = Memory::default();
        let slow = || postman(Rules { per_minute: 3, per_domain_per_minute: 0, ..rules() }, &way);
        let names: Vec<String> = (0..8).map(|n| format!("n{n}")).collect();
        post(app, &names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((slow().drain(&app.db).unwrap(), slow().drain(&app.db).unwrap()), (3, 0));
        later(app, 1);
        app.clock.set(app.clock.now().plus(chrono::Duration::seconds(1)));
        assert_eq!((slow().drain(&app.db).unwrap(), slow().drain(&app.db).unwrap()), (3, 0));
        // One domain that is full keeps no other waiting.
        let mails = (0..4).map(|n| NewMail {
            kind: &GREETING, to: EmailAddress::parse(&format!("x{n}@orange.invalid")).unwrap(), payload: json!("x").to_string(),
            dossiers: Vec::new(), by: "essai".into(), dedup_key: None, resent_of: None,
        }).collect::<Vec<_>>();
        app.db.write(|tx| mail::post_all(tx, mails.clone())).unwrap();
        let by_domain = postman(Rules { per_domain_per_minute: 1, ..rules() }, &way);
        drop(way.take());
        by_domain.drain(&app.db).unwrap();
        let to: Vec<String> = way.take().iter().map(|mail| mail.to.to_string()).collect();
        assert_eq!(to.iter().filter(|to| to.ends_with("@orange.invalid")).count(), 1, "{to:?}");
        assert_eq!(to.len(), 3);
    }

    fn a_mail_that_cannot_be_composed_lets_the_others_pass(app: &TestApp) {
        let way = Memory::default();
        let postman = postman(rules(), &way);
        post(app, &["a", "poison", "b", "c"]);
        postman.drain(&app.db).unwrap();
        assert_eq!(way.take().len(), 3);
        assert_eq!(state(app, "poison"), "deferred");
        assert!(text_rows(&app.db, "SELECT cause AS line FROM emails WHERE address LIKE 'poison%'")[0].contains("ne se compose pas"));
    }

    fn a_mail_of_a_kind_this_program_does_not_know_waits_for_one_that_does(app: &TestApp) {
        post(app, &["a"]);
        assert_eq!(app.send_mails().len(), 0);
        assert_eq!(state(app, "a"), "queued");
    }

    fn mails_with_one_key_are_one(app: &TestApp) {
        let new = |key: &str| NewMail {
            kind: &GREETING, to: EmailAddress::parse("a@a.invalid").unwrap(), payload: json!("a").to_string(), dossiers: Vec::new(),
            by: "essai".into(), dedup_key: Some(key.into()), resent_of: None,
        };
        let posts = app.db.write(|tx| mail::post_all(tx, vec![new("k"), new("k"), new("l")])).unwrap();
        assert!(matches!(posts[..], [Post::Queued(_), Post::Already, Post::Queued(_)]), "{posts:?}");
        assert!(matches!(app.db.write(|tx| mail::post(tx, new("l"))).unwrap(), Post::Already));
    }

    fn an_address_that_is_flagged_is_written_to_no_more_until_it_is_restored(app: &TestApp) {
        let way = Memory::default();
        let postman = postman(rules(), &way);
        post(app, &["a"]);
        let g = app.gestionnaire();
        let flag = |action: &str| g.post("/mail-blocks", json!({"action": action, "address": "A@a.invalid", "reason": "boîte fermée"})).expect(200).json;
        assert_eq!((&flag("block")["changed"], &flag("block")["changed"]), (&json!(true), &json!(false)));
        postman.drain(&app.db).unwrap();
        assert_eq!((state(app, "a"), way.take().len()), ("cancelled".into(), 0));
        assert_eq!(g.get("/mail-blocks").expect(200).json["data"][0]["reason"], "boîte fermée");
        app.lecteur().post("/mail-blocks", json!({"action": "unblock", "address": "a@a.invalid", "reason": "x"})).problem(403, "forbidden");
        assert_eq!(flag("unblock")["changed"], true);
        post(app, &["b"]);
        postman.drain(&app.db).unwrap();
        assert_eq!(way.take().len(), 1);
    }
}

#[test]
fn programs_that_send_at_once_send_each_mail_once() {
    for base in [Base::sqlite(), Base::postgres()] {
        let app = TestApp::new(base);
        let names: Vec<String> = (0..120).map(|n| format!("n{n}")).collect();
        post(&app, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let way = Memory::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| postman(rules(), &way).drain(&app.db).unwrap());
            }
        });
        let mut to: Vec<String> = way.take().iter().map(|mail| mail.to.to_string()).collect();
        to.sort();
        let sent = to.len();
        to.dedup();
        assert_eq!((sent, to.len()), (120, 120));
        let _: Instant = app.clock.now();
    }
}
