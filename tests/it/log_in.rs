//! Who fails is slowed down, and nobody else: by account and source, by source, by account. The counters are the
//! database's, and nothing that is answered tells who has an account.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ent_backoffice::access::sessions;
use ent_backoffice::kernel::Role;
use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::{Base, PASSWORD, Program, Response, TestApp};

const ZOE: &str = "zoe@exemple.invalid";
const NOBODY: &str = "personne@exemple.invalid";
const OFFICE: &str = "203.0.113.5";
const STRANGER: &str = "198.51.100.1";

/// Each test twice, behind a proxy that may name the caller's address.
macro_rules! behind_a_proxy {
    ($(fn $name:ident($app:ident: &TestApp) $body:block)+) => {$(
        mod $name {
            use super::*;
            fn body($app: &TestApp) $body
            #[test]
            fn sqlite() {
                body(&proxied(Base::sqlite()));
            }
            #[test]
            fn postgres() {
                body(&proxied(Base::postgres()));
            }
        }
    )+};
}

fn proxied(base: Base) -> TestApp {
    TestApp::with(base, |config| config.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()])
}

fn post(app: &TestApp, source: &str, path: &str, body: &Value) -> Response {
    app.anonymous().json("POST", path, &[("x-forwarded-for", source)], body)
}

fn log_in(app: &TestApp, source: &str, email: &str, password: &str) -> Response {
    post(app, source, "/auth/login", &json!({"email": email, "password": password}))
}

fn fail(app: &TestApp, source: &str, email: &str, times: usize) {
    for _ in 0..times {
        log_in(app, source, email, "faux").problem(401, "invalid_credentials");
    }
}

/// What a caller sees of an answer, but for its own id.
fn seen(answer: &Response) -> (u16, Value, Value, String, String) {
    let header = |name: &str| answer.header(name).to_owned();
    (
        answer.status,
        answer.json["code"].clone(),
        answer.json["detail"].clone(),
        header("retry-after"),
        header("www-authenticate"),
    )
}

fn counters(app: &TestApp) -> usize {
    text_rows(&app.db, "SELECT key AS line FROM brakes").len()
}

behind_a_proxy! {
    fn who_guesses_from_one_address_keeps_nobody_out_at_another(app: &TestApp) {
        app.add_user(ZOE, Role::Gestionnaire);
        fail(app, STRANGER, ZOE, 5);
        let held = log_in(app, STRANGER, ZOE, PASSWORD).problem(429, "too_many_attempts");
        assert_eq!(held.header("retry-after"), "5");
        // However long the stranger goes on.
        for _ in 0..20 {
            log_in(app, STRANGER, ZOE, "faux").problem(429, "too_many_attempts");
        }
        log_in(app, OFFICE, ZOE, PASSWORD).expect(200);
        // The stranger's own account is another matter.
        fail(app, STRANGER, NOBODY, 1);
        // The success of one source is no pardon for the other.
        log_in(app, STRANGER, ZOE, PASSWORD).problem(429, "too_many_attempts");
        app.set_time("2025-06-05T08:00:05Z");
        log_in(app, STRANGER, ZOE, PASSWORD).expect(200);
    }

    fn each_failure_doubles_the_wait_up_to_a_bound(app: &TestApp) {
        app.add_user(ZOE, Role::Gestionnaire);
        fail(app, STRANGER, ZOE, 5);
        let mut at = crate::support::at(crate::support::MORNING);
        for seconds in [5, 10, 20, 40, 80, 160, 320, 640, 900, 900] {
            let held = log_in(app, STRANGER, ZOE, "faux").problem(429, "too_many_attempts");
            assert_eq!(held.header("retry-after"), seconds.to_string());
            assert!(held.json["detail"].as_str().unwrap().contains(&format!("{seconds} secondes")));
            // What is asked while waiting does not make the wait longer.
            app.clock.set(at.plus(chrono::Duration::seconds(seconds - 1)));
            assert_eq!(log_in(app, STRANGER, ZOE, PASSWORD).problem(429, "too_many_attempts").header("retry-after"), "1");
            at = at.plus(chrono::Duration::seconds(seconds));
            app.clock.set(at);
            fail(app, STRANGER, ZOE, 1);
        }
        // A long silence, and the counter is forgotten.
        app.clock.set(at.plus(chrono::Duration::hours(1)));
        fail(app, STRANGER, ZOE, 4);
        log_in(app, STRANGER, ZOE, PASSWORD).expect(200);
    }

    fn an_account_that_exists_and_one_that_does_not_are_answered_alike(app: &TestApp) {
        app.add_user(ZOE, Role::Gestionnaire);
        let gone = app.add_user("partie@exemple.invalid", Role::Lecteur);
        app.admin().patch(&format!("/users/{}", gone.id), 1, json!({"active": false})).expect(200);
        // Each from a source of its own, so that one is no excuse for the other.
        let people = [(ZOE, "198.51.100.1"), (NOBODY, "198.51.100.2"), ("partie@exemple.invalid", "198.51.100.3")];
        let mut at = crate::support::at(crate::support::MORNING);
        for round in 0..9 {
            let told = people.map(|(email, source)| seen(&log_in(app, source, email, "faux")));
            assert!(told.iter().all(|one| *one == told[0]), "round {round}: {told:?}");
            assert_eq!(told[0].0, if round == 5 || round == 7 { 429 } else { 401 }, "round {round}");
            if told[0].0 == 429 {
                at = at.plus(chrono::Duration::seconds(told[0].3.parse().unwrap()));
                app.clock.set(at);
            }
        }
    }

    fn one_source_that_tries_many_accounts_is_slowed_down(app: &TestApp) {
        app.add_user(ZOE, Role::Gestionnaire);
        for n in 0..30 {
            fail(app, STRANGER, &format!("p{n}@exemple.invalid"), 1);
        }
        for email in [ZOE, NOBODY] {
            let held = log_in(app, STRANGER, email, PASSWORD).problem(429, "too_many_attempts");
            assert_eq!(held.header("retry-after"), "5");
        }
        log_in(app, OFFICE, ZOE, PASSWORD).expect(200);
        app.set_time("2025-06-05T08:00:05Z");
        log_in(app, STRANGER, ZOE, PASSWORD).expect(200);
        // A success of one's own account is no pardon for the guesses at others.
        fail(app, STRANGER, NOBODY, 1);
        assert_eq!(log_in(app, STRANGER, ZOE, PASSWORD).problem(429, "too_many_attempts").header("retry-after"), "10");
    }

    fn a_network_of_ipv6_addresses_is_one_source(app: &TestApp) {
        app.add_user(ZOE, Role::Gestionnaire);
        for n in 1..=5 {
            fail(app, &format!("2001:db8:1:2::{n:x}"), ZOE, 1);
        }
        log_in(app, "2001:db8:1:2:ffff::1", ZOE, PASSWORD).problem(429, "too_many_attempts");
        log_in(app, "2001:db8:1:3::1", ZOE, PASSWORD).expect(200);
    }

    fn a_guess_spread_over_many_sources_holds_no_place_the_person_is_known_at(app: &TestApp) {
        app.add_user(ZOE, Role::Gestionnaire);
        log_in(app, OFFICE, ZOE, PASSWORD).expect(200);
        let spread = |email: &str| {
            for n in 0..50 {
                fail(app, &format!("198.51.100.{}", n / 4), email, 1);
            }
        };
        spread(ZOE);
        app.set_time("2025-06-05T08:20:00Z");
        spread(NOBODY);
        app.set_time(crate::support::MORNING);
        // Elsewhere even the right password waits, a little while.
        assert_eq!(log_in(app, "192.0.2.1", ZOE, PASSWORD).problem(429, "too_many_attempts").header("retry-after"), "5");
        // Where the person is known it opens; what is wrong is answered as anywhere else.
        log_in(app, OFFICE, ZOE, PASSWORD).expect(200);
        let known = seen(&log_in(app, OFFICE, ZOE, "faux"));
        assert_eq!((known.0, known.3.as_str()), (429, "5"));
        assert_eq!(known, seen(&log_in(app, "192.0.2.2", ZOE, "faux")));
        app.set_time("2025-06-05T08:20:00Z");
        assert_eq!(known, seen(&log_in(app, OFFICE, NOBODY, "faux")));
        app.set_time("2025-06-05T08:20:05Z");
        log_in(app, "192.0.2.1", ZOE, PASSWORD).expect(200);
    }

    fn tokens_that_are_none_are_slowed_down_and_those_that_are_one_pass(app: &TestApp) {
        app.add_user(ZOE, Role::Gestionnaire);
        let opened = log_in(app, STRANGER, ZOE, PASSWORD).expect(200).json;
        let refresh = |source: &str, token: &str| post(app, source, "/auth/refresh", &json!({"refresh_token": token}));
        for n in 0..30 {
            refresh(STRANGER, &format!("inconnu-{n}")).problem(401, "refresh_token_invalid");
        }
        assert_eq!(refresh(STRANGER, "inconnu").problem(429, "too_many_attempts").header("retry-after"), "5");
        refresh(OFFICE, "inconnu").problem(401, "refresh_token_invalid");
        let renewed = refresh(STRANGER, opened["refresh_token"].as_str().unwrap()).expect(200).json;
        refresh(STRANGER, opened["refresh_token"].as_str().unwrap()).problem(401, "refresh_token_reused");
        // Repeated for ever, it is told in the journal once.
        refresh(STRANGER, opened["refresh_token"].as_str().unwrap()).problem(401, "refresh_token_reused");
        let journal = app.admin().get("/audit-events?action=session.reuse_detected").expect(200).json;
        assert_eq!(journal["data"].as_array().unwrap().len(), 1);
        assert!(renewed["refresh_token"].is_string());
        // And log-ins are another matter.
        log_in(app, STRANGER, ZOE, PASSWORD).expect(200);
    }

    fn failures_are_journaled_without_what_was_typed(app: &TestApp) {
        let zoe = app.add_user(ZOE, Role::Gestionnaire);
        let lines = |action: &str| app.admin().get(&format!("/audit-events?action={action}&sort=at")).expect(200).json["data"].clone();
        fail(app, STRANGER, ZOE, 4);
        let told = lines("session.refused");
        let counts: Vec<_> = told.as_array().unwrap().iter().map(|line| line["data"]["count"].as_u64().unwrap()).collect();
        assert_eq!(counts, [1, 2, 4]);
        let first = &told[0];
        assert_eq!((&first["data"]["email"], &first["actor"], &first["actor_id"]), (&json!(ZOE), &json!("connexion"), &Value::Null));
        assert_eq!(first["data"], json!({"account": zoe.id, "email": ZOE, "address": STRANGER, "source": STRANGER, "count": 1}));
        assert!(first["request_id"].is_string());
        // A password typed in the place of the address is not kept; a list of addresses is one kind.
        for email in ["motdepasse-de-zoe@gmail.fr", "p1@exemple.invalid", "p2@exemple.invalid", "p3@exemple.invalid"] {
            fail(app, OFFICE, email, 1);
        }
        let told = lines("session.refused");
        let others: Vec<&Value> = told.as_array().unwrap().iter().filter(|line| line["data"]["address"] == OFFICE).collect();
        assert_eq!(others.iter().map(|line| line["data"]["email"].as_str().unwrap()).collect::<Vec<_>>(), ["m…@….fr", "p…@….invalid", "p…@….invalid"]);
        assert_eq!((&others[0]["data"]["account"], &others[2]["data"]["count"]), (&Value::Null, &json!(4)));
        assert!(!told.to_string().contains("motdepasse") && !told.to_string().contains("faux"));
        // What is only told to wait writes nothing; the next hour is told anew.
        fail(app, STRANGER, ZOE, 1);
        for _ in 0..20 {
            log_in(app, STRANGER, ZOE, "faux").problem(429, "too_many_attempts");
        }
        assert_eq!(lines("session.refused").as_array().unwrap().len(), 6);
        app.set_time("2025-06-05T09:00:00Z");
        fail(app, STRANGER, ZOE, 1);
        assert_eq!(lines("session.refused").as_array().unwrap().len(), 7);
        // Codes that are none, and a wrong present password.
        post(app, STRANGER, "/auth/password", &json!({"code": "7K3QF-9TZ2M-4HXVC-0PB8D-RN6WG", "new_password": "lune-parapluie-orge-1826"}))
            .problem(401, "password_code_invalid");
        assert_eq!(lines("password_code.refused")[0]["data"]["address"], STRANGER);
        let wrong = json!({"current_password": "faux", "new_password": "lune-parapluie-orge-1826"});
        app.client_of(&zoe).put("/auth/password", wrong).problem(422, "invalid_value");
        assert_eq!(lines("password.refused")[0]["data"]["email"], ZOE);
    }

    fn doors_that_stay_shut_are_journaled_and_a_flood_of_them_is_not(app: &TestApp) {
        let lines = || app.admin().get("/audit-events?action=access.refused&sort=at").expect(200).json["data"].as_array().unwrap().clone();
        let lecteur = app.lecteur();
        lecteur.json("GET", "/users?limit=5", &[("x-forwarded-for", STRANGER), ("x-request-id", "appel-refuse-1")], &json!({})).problem(403, "forbidden");
        let told = lines();
        assert_eq!(told.len(), 1);
        assert_eq!((&told[0]["actor"], &told[0]["subject_key"]), (&json!("Camille Le lecteur"), &json!("GET /api/v1/users")));
        assert_eq!((&told[0]["actor_id"], &told[0]["request_id"]), (&json!(app.person(Role::Lecteur).id), &json!("appel-refuse-1")));
        assert_eq!(told[0]["data"], json!({"code": "forbidden", "needed": "Administer", "role": "lecteur", "address": STRANGER, "count": 1}));
        for _ in 0..99 {
            lecteur.get("/users").problem(403, "forbidden");
        }
        let counts: Vec<_> = lines().iter().map(|line| line["data"]["count"].as_u64().unwrap()).collect();
        assert_eq!(counts, [1, 2, 4, 8, 16, 32, 64]);
        // Another route is another matter, and so is a role lost since the token was issued.
        lecteur.post("/campaigns", json!({})).problem(403, "forbidden");
        let g = app.gestionnaire();
        app.sql(&format!("UPDATE users SET role = 'lecteur' WHERE id = '{}'", app.person(Role::Gestionnaire).id)).unwrap();
        g.delete("/campaigns/2025-2026").problem(403, "forbidden");
        let told = lines();
        assert_eq!(told.len(), 9);
        assert_eq!((&told[8]["subject_key"], &told[8]["data"]["needed"]), (&json!("DELETE /api/v1/campaigns/{school_year}"), &json!("ManageCampaigns")));
        // Nobody without a token is anybody.
        app.anonymous().get("/users").problem(401, "unauthenticated");
        assert_eq!(lines().len(), 9);
    }

    fn what_is_counted_names_nobody_and_is_forgotten(app: &TestApp) {
        for n in 0..200 {
            let (source, email) = (format!("198.51.100.{n}"), format!("p{n}@exemple.invalid"));
            fail(app, &source, &email, 1);
        }
        assert_eq!(counters(app), 600);
        let told = text_rows(&app.db, "SELECT key AS line FROM brakes").join("\n");
        assert!(!told.contains("exemple.invalid"), "{told}");
        // The next attempts of an hour later take the old counters away.
        app.set_time("2025-06-05T09:00:00Z");
        fail(app, STRANGER, ZOE, 1);
        for n in 0..60 {
            fail(app, &format!("192.0.2.{n}"), &format!("q{n}@exemple.invalid"), 1);
        }
        assert_eq!(counters(app), 61 * 3);
        app.set_time("2025-06-06T09:00:00Z");
        assert_eq!(app.db.write(sessions::purge).unwrap(), 61 * 3);
        assert_eq!(counters(app), 0);
    }
}

/// A person whose password costs what it costs in earnest.
fn add_in_earnest(app: &TestApp, email: &str) {
    use ent_backoffice::access::{NewPassword, passwords};
    let user = app.add_user(email, Role::Gestionnaire);
    let hash = passwords::hash(&NewPassword::parse(PASSWORD).unwrap(), [7; 32]).unwrap();
    app.sql(&format!("UPDATE users SET password_hash = '{}' WHERE id = '{}'", hash.as_str(), user.id)).unwrap();
}

fn together(count: usize, call: impl Fn(usize) -> Response + Sync) -> Vec<Response> {
    let barrier = std::sync::Barrier::new(count);
    std::thread::scope(|scope| {
        let (barrier, call) = (&barrier, &call);
        let threads: Vec<_> = (0..count)
            .map(|n| {
                scope.spawn(move || {
                    barrier.wait();
                    call(n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn by_status(answers: &[Response]) -> BTreeMap<u16, usize> {
    let mut counted = BTreeMap::new();
    answers.iter().for_each(|answer| *counted.entry(answer.status).or_default() += 1);
    counted
}

on_both_databases! {
    fn forty_log_ins_at_once_all_succeed_and_starve_nobody(app: &TestApp) {
        add_in_earnest(app, ZOE);
        let (client, nobody) = (app.lecteur(), app.anonymous());
        let (done, mut waits) = (AtomicBool::new(false), Vec::new());
        let answers = std::thread::scope(|scope| {
            let log_ins = scope.spawn(|| {
                let answers = together(40, |_| nobody.post("/auth/login", json!({"email": ZOE, "password": PASSWORD})));
                done.store(true, Ordering::SeqCst);
                answers
            });
            while !done.load(Ordering::SeqCst) {
                let asked = Instant::now();
                client.get("/me").expect(200);
                waits.push(asked.elapsed());
            }
            log_ins.join().unwrap()
        });
        assert_eq!(by_status(&answers), BTreeMap::from([(200, 40)]));
        waits.sort_unstable();
        let (median, longest) = (waits[waits.len() / 2], waits[waits.len() - 1]);
        println!("GET /me beside 40 log-ins: {} answers, median {median:?}, longest {longest:?}", waits.len());
        assert!(waits.len() >= 5 && longest < Duration::from_secs(3), "{} answers, longest {longest:?}", waits.len());
    }

    fn no_more_guesses_pass_at_once_than_one_after_the_other(app: &TestApp) {
        let program = Program::serve(&app.database_url(), &["--no-worker"], &[("ENT__ACCESS__HASHINGS_AT_ONCE", "1")]);
        app.add_user(ZOE, Role::Gestionnaire);
        let answers = together(25, |n| program.client().post("/auth/login", json!({"email": ZOE, "password": format!("faux {n}")})));
        assert_eq!(by_status(&answers), BTreeMap::from([(401, 5), (429, 20)]));
    }

    fn beyond_the_line_a_caller_is_told_to_come_back(app: &TestApp) {
        add_in_earnest(app, ZOE);
        let settings = [("ENT__ACCESS__HASHINGS_AT_ONCE", "1"), ("ENT__ACCESS__HASHINGS_WAITING", "3")];
        let program = Program::serve(&app.database_url(), &["--no-worker"], &settings);
        let log_in = || program.client().post("/auth/login", json!({"email": ZOE, "password": PASSWORD}));
        let answers = together(30, |_| log_in());
        let counted = by_status(&answers);
        assert_eq!(counted.values().sum::<usize>(), 30);
        assert!(counted.keys().eq([&200, &503]), "{counted:?}");
        for refused in answers.into_iter().filter(|answer| answer.status == 503) {
            assert_eq!(refused.problem(503, "unavailable").header("retry-after"), "1");
        }
        log_in().expect(200);
    }

    fn a_restart_and_a_second_instance_know_of_the_failures(app: &TestApp) {
        app.add_user(ZOE, Role::Gestionnaire);
        let database = app.database_url();
        let wrong = json!({"email": ZOE, "password": "faux"});
        let (first, second) = (Program::serve(&database, &["--no-worker"], &[]), Program::serve(&database, &["--no-worker"], &[]));
        for n in 0..5 {
            let program = if n % 2 == 0 { &first } else { &second };
            program.client().post("/auth/login", wrong.clone()).problem(401, "invalid_credentials");
        }
        second.client().post("/auth/login", wrong.clone()).problem(429, "too_many_attempts");
        first.stop();
        second.stop();
        let third = Program::serve(&database, &["--no-worker"], &[]);
        let held = third.client().post("/auth/login", wrong).problem(429, "too_many_attempts");
        assert!((1..=5).contains(&held.header("retry-after").parse::<i64>().unwrap()));
    }
}
