//! A password is its owner's: chosen by a one-time code or by the one before, never by somebody else. Sessions are seen
//! and ended by their person.

use std::sync::{Barrier, mpsc};
use std::time::Duration;

use diesel::RunQueryDsl as _;
use ent_backoffice::access::passwords;
use ent_backoffice::access::refusals::Refusals;
use ent_backoffice::access::sessions::Watch;
use ent_backoffice::access::sessions::{self, Attempt, Login, Origin};
use ent_backoffice::access::{Brakes, SessionRules};
use ent_backoffice::kernel::Role;
use ent_backoffice::kernel::contact::EmailAddress;
use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::{Client, PASSWORD, Program, Response, TestApp};

const ANNE: &str = "anne.durand@exemple.invalid";
const ZOE: &str = "zoe@exemple.invalid";
const OTHER: &str = "lune-parapluie-orge-1826";

fn anne() -> Value {
    json!({"email": ANNE, "role": "ordonnateur", "first_name": "Anne", "last_name": "Durand"})
}

fn log_in(app: &TestApp, email: &str, password: &str) -> Response {
    app.anonymous().post("/auth/login", json!({"email": email, "password": password}))
}

fn set(app: &TestApp, code: &str, password: &str) -> Response {
    app.anonymous().post("/auth/password", json!({"code": code, "new_password": password}))
}

fn change(client: &Client, current: &str, new: &str) -> Response {
    client.put("/auth/password", json!({"current_password": current, "new_password": new}))
}

fn session_of(app: &TestApp, opened: &Value) -> Client {
    app.anonymous().with_token(opened["access_token"].as_str().unwrap())
}

fn refresh(app: &TestApp, opened: &Value) -> Response {
    app.anonymous().post("/auth/refresh", json!({"refresh_token": opened["refresh_token"]}))
}

/// Invites somebody; the answer and the code.
fn invite(app: &TestApp, body: Value) -> (Value, String) {
    let created = app.admin().post("/users", body).expect(201).json;
    let code = created["password_code"]["code"].as_str().unwrap().to_owned();
    (created, code)
}

fn reset(app: &TestApp, id: &str) -> Response {
    app.admin().send("POST", &format!("/api/v1/users/{id}/password-reset"), &[], Vec::new())
}

fn journal(app: &TestApp, action: &str) -> Vec<Value> {
    app.admin().get(&format!("/audit-events?action={action}")).expect(200).json["data"].as_array().unwrap().clone()
}

/// Whether a text stands anywhere in the base.
fn is_kept(app: &TestApp, text: &str) -> bool {
    let columns = text_rows(&app.db, crate::support::databases::columns_sql(&app.db));
    columns.iter().filter(|column| column.contains(" text ")).any(|column| {
        let (table, name) = column.split(' ').next().unwrap().split_once('.').unwrap();
        let found = format!("SELECT '{table}' AS line FROM {table} WHERE {name} LIKE '%{text}%'");
        !text_rows(&app.db, &found).is_empty()
    })
}

fn field_codes(refused: &Response) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    refused.json["errors"].as_array().unwrap().iter().map(|e| (text(&e["pointer"]), text(&e["code"]))).collect()
}

fn at_once(calls: Vec<Box<dyn FnOnce() -> Response + Send + '_>>) -> Vec<Response> {
    let barrier = Barrier::new(calls.len());
    std::thread::scope(|scope| {
        let barrier = &barrier;
        let threads: Vec<_> = calls
            .into_iter()
            .map(|call| {
                scope.spawn(move || {
                    barrier.wait();
                    call()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn live_sessions(app: &TestApp, email: &str) -> usize {
    let sql = format!(
        "SELECT s.id AS line FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email = '{email}' AND s.revoked_at IS NULL"
    );
    text_rows(&app.db, &sql).len()
}

on_both_databases! {
    fn a_first_password_is_set_by_its_person_alone(app: &TestApp) {
        let mut chosen = anne();
        chosen["password"] = json!(PASSWORD);
        app.admin().post("/users", chosen).problem(400, "unknown_field");
        let (created, code) = invite(app, anne());
        let path = format!("/users/{}", created["id"].as_str().unwrap());
        assert_eq!((&created["status"], &created["password_set_at"]), (&json!("invited"), &Value::Null));
        assert_eq!((&created["invited_by"], &created["password_code"]["expires_at"]), (&json!("Camille Le admin"), &json!("2025-06-08T08:00:00Z")));
        assert!(!is_kept(app, &code) && !is_kept(app, &code.replace('-', "")), "a code is kept as it is");
        // Nobody logs in before.
        for password in ["none", "", PASSWORD] {
            log_in(app, ANNE, password).problem(401, "invalid_credentials");
        }
        app.set_time("2025-06-05T09:00:00Z");
        // As somebody types what was told on the telephone.
        assert!(set(app, &code.to_lowercase().replace('-', " "), PASSWORD).expect(204).bytes.is_empty());
        set(app, &code, OTHER).problem(401, "password_code_invalid");
        let opened = log_in(app, ANNE, PASSWORD).expect(200).json;
        assert_eq!((&opened["password_set_at"], &opened["previous_login_at"]), (&json!("2025-06-05T09:00:00Z"), &Value::Null));
        let after = app.admin().get(&path).expect(200);
        assert_eq!((&after.json["status"], &after.json["password_set_at"]), (&json!("active"), &json!("2025-06-05T09:00:00Z")));
        assert_eq!((after.header("etag"), &after.json["last_login_at"]), ("\"2\"", &json!("2025-06-05T09:00:00Z")));
        let event = &journal(app, "user.password_set")[0];
        assert_eq!((&event["actor"], &event["actor_id"], &event["subject_id"]), (&json!("Anne Durand"), &created["id"], &created["id"]));
        assert_eq!(event["data"], json!({"by": "code", "issued_by": "Camille Le admin", "issued_at": "2025-06-05T08:00:00Z", "address": "127.0.0.1"}));
        assert!(event["request_id"].is_string());
        assert_eq!(journal(app, "user.invited")[0]["actor"], "Camille Le admin");
    }

    fn a_password_that_is_refused_does_not_use_the_code_up(app: &TestApp) {
        let (_, code) = invite(app, anne());
        for (password, why) in [
            ("tropcourt", "password_length"),
            ("            ", "password_predictable"),
            ("aaaaaaaaaaaa", "password_predictable"),
            ("password1234", "password_common"),
            ("Rectorat2026!", "password_personal"),
            (ANNE, "password_personal"),
            ("Anne-Durand-34", "password_personal"),
        ] {
            let refused = set(app, &code, password).problem(422, "invalid_value");
            assert_eq!(field_codes(&refused), [("/new_password".to_owned(), why.to_owned())], "{password}");
            assert!(!refused.text().contains(password) && refused.json["errors"][0]["value"].is_null(), "{}", refused.text());
            assert!(refused.json["detail"].as_str().unwrap().contains("quatre mots"), "{}", refused.text());
        }
        set(app, &code, PASSWORD).expect(204);
        // A code that is none is told by its form, or not at all.
        let shape = set(app, "ABC-DEF", PASSWORD).problem(422, "invalid_value");
        assert_eq!(field_codes(&shape), [("/code".to_owned(), "password_code_format".to_owned())]);
        assert!(!shape.text().contains("ABC-DEF"));
    }

    fn a_code_lives_for_three_days_and_a_new_one_ends_it(app: &TestApp) {
        let (created, first) = invite(app, anne());
        let id = created["id"].as_str().unwrap();
        app.set_time("2025-06-08T08:00:00Z");
        let late = set(app, &first, PASSWORD).problem(401, "password_code_invalid");
        let second = reset(app, id).expect(200).json["password_code"]["code"].as_str().unwrap().to_owned();
        let third = reset(app, id).expect(200).json["password_code"]["code"].as_str().unwrap().to_owned();
        let former = set(app, &second, PASSWORD).problem(401, "password_code_invalid");
        // Unknown, too old or replaced: nobody is told which.
        let unknown = set(app, "7K3QF-9TZ2M-4HXVC-0PB8D-RN6WG", PASSWORD).problem(401, "password_code_invalid");
        assert!(late.json["detail"] == former.json["detail"] && former.json["detail"] == unknown.json["detail"]);
        set(app, &third, PASSWORD).expect(204);
        log_in(app, ANNE, PASSWORD).expect(200);
    }

    fn codes_that_are_none_are_slowed_down_and_one_that_is_good_passes(app: &TestApp) {
        let (_, code) = invite(app, anne());
        for n in 0..30 {
            set(app, &format!("7K3QF-9TZ2M-4HXVC-0PB8D-RN6{n:02}"), PASSWORD).problem(401, "password_code_invalid");
        }
        let held = set(app, "7K3QF-9TZ2M-4HXVC-0PB8D-RN6WG", PASSWORD).problem(429, "too_many_attempts");
        assert_eq!(held.header("retry-after"), "5");
        set(app, &code, PASSWORD).expect(204);
    }

    fn a_creation_repeated_under_its_key_shows_no_code_again(app: &TestApp) {
        let key = [("idempotency-key", "invitation-1")];
        let first = app.admin().json("POST", "/users", &key, &anne()).expect(201).json;
        let again = app.admin().json("POST", "/users", &key, &anne()).expect(201).json;
        let code = first["password_code"]["code"].as_str().unwrap();
        assert_eq!(again["password_code"], json!({"code": null, "expires_at": first["password_code"]["expires_at"]}));
        assert_eq!(again["id"], first["id"]);
        assert!(!is_kept(app, code));
        let path = format!("/api/v1/users/{}/password-reset", first["id"].as_str().unwrap());
        let once = app.admin().send("POST", &path, &[("idempotency-key", "remise-1")], Vec::new()).expect(200).json;
        let twice = app.admin().send("POST", &path, &[("idempotency-key", "remise-1")], Vec::new()).expect(200).json;
        assert!(once["password_code"]["code"].is_string() && twice["password_code"]["code"].is_null());
        assert!(!is_kept(app, once["password_code"]["code"].as_str().unwrap()));
        // The repetition has not replaced the code.
        set(app, once["password_code"]["code"].as_str().unwrap(), PASSWORD).expect(204);
    }

    fn the_last_administrator_takes_no_password_away_from_themselves(app: &TestApp) {
        let own = app.person(Role::Admin).id.to_string();
        reset(app, &own).problem(409, "last_admin");
        app.admin().get("/me").expect(200);
        // With another who can log in, one may.
        app.add_user("autre@exemple.invalid", Role::Admin);
        reset(app, &own).expect(200);
    }

    fn a_code_ends_with_the_account(app: &TestApp) {
        let zoe = app.add_user(ZOE, Role::Ordonnateur);
        let code = reset(app, &zoe.id.to_string()).expect(200).json["password_code"]["code"].as_str().unwrap().to_owned();
        let path = format!("/users/{}", zoe.id);
        app.admin().patch(&path, 2, json!({"active": false})).expect(200);
        app.admin().patch(&path, 3, json!({"active": true})).expect(200);
        set(app, &code, OTHER).problem(401, "password_code_invalid");
    }

    fn a_reset_ends_password_and_sessions_and_is_journaled(app: &TestApp) {
        let zoe = app.add_user(ZOE, Role::Ordonnateur);
        let opened = log_in(app, ZOE, PASSWORD).expect(200).json;
        let done = reset(app, &zoe.id.to_string()).expect(200);
        assert_eq!((&done.json["status"], done.header("etag"), &done.json["password_set_at"]), (&json!("invited"), "\"2\"", &Value::Null));
        session_of(app, &opened).get("/me").problem(401, "unauthenticated");
        refresh(app, &opened).problem(401, "refresh_token_invalid");
        log_in(app, ZOE, PASSWORD).problem(401, "invalid_credentials");
        let event = &journal(app, "user.password_reset")[0];
        assert_eq!((&event["actor"], &event["subject_id"]), (&json!("Camille Le admin"), &json!(zoe.id)));
        // Whoever uses it leaves a trace that its person sees at the next log-in.
        app.set_time("2025-06-06T06:00:00Z");
        set(app, done.json["password_code"]["code"].as_str().unwrap(), OTHER).expect(204);
        app.set_time("2025-06-06T09:00:00Z");
        let told = log_in(app, ZOE, OTHER).expect(200).json;
        assert_eq!((&told["password_set_at"], &told["previous_login_at"]), (&json!("2025-06-06T06:00:00Z"), &json!("2025-06-05T08:00:00Z")));
        let me = session_of(app, &told).get("/me").expect(200).json;
        assert_eq!((&me["password_set_at"], &me["invited_by"]), (&json!("2025-06-06T06:00:00Z"), &json!("Camille Le admin")));
        // Nobody sets a password for somebody else.
        app.admin().json("PATCH", &format!("/users/{}", zoe.id), &[("if-match", "*")], &json!({"password": PASSWORD})).problem(400, "unknown_field");
        app.admin().json("PATCH", &format!("/users/{}", zoe.id), &[("if-match", "*")], &json!({"active": false})).expect(200);
        reset(app, &zoe.id.to_string()).problem(409, "account_inactive");
        reset(app, "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e").problem(404, "not_found");
        app.gestionnaire().send("POST", &format!("/api/v1/users/{}/password-reset", zoe.id), &[], Vec::new()).problem(403, "forbidden");
    }

    fn a_code_of_a_dismissed_person_opens_nothing(app: &TestApp) {
        let (created, code) = invite(app, anne());
        app.admin().patch(&format!("/users/{}", created["id"].as_str().unwrap()), 1, json!({"active": false})).expect(200);
        set(app, &code, PASSWORD).problem(401, "password_code_invalid");
    }

    fn one_code_used_by_ten_at_once_serves_once(app: &TestApp) {
        for round in 0..3 {
            let (_, code) = invite(app, json!({"email": format!("p{round}@exemple.invalid"), "role": "lecteur", "first_name": "Paul", "last_name": "Dupuis"}));
            let client = app.anonymous();
            let calls = (0..10).map(|n| -> Box<dyn FnOnce() -> Response + Send + '_> {
                let (client, code) = (&client, &code);
                Box::new(move || client.post("/auth/password", json!({"code": code, "new_password": format!("lune-parapluie-orge-{n}")})))
            });
            let answers = at_once(calls.collect());
            let won: Vec<usize> = answers.iter().enumerate().filter(|(_, a)| a.status == 204).map(|(n, _)| n).collect();
            assert_eq!(won.len(), 1, "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
            assert!(answers.iter().all(|a| a.status == 204 || a.json["code"] == "password_code_invalid"));
            log_in(app, &format!("p{round}@exemple.invalid"), &format!("lune-parapluie-orge-{}", won[0])).expect(200);
        }
    }

    fn ones_own_password_is_changed_with_the_present_one(app: &TestApp) {
        app.add_user(ZOE, Role::Gestionnaire);
        let (here, there) = (log_in(app, ZOE, PASSWORD).expect(200).json, log_in(app, ZOE, PASSWORD).expect(200).json);
        let zoe = session_of(app, &here);
        let wrong = change(&zoe, "faux", OTHER).problem(422, "invalid_value");
        assert_eq!(field_codes(&wrong), [("/current_password".to_owned(), "password_wrong".to_owned())]);
        for (new, why) in [("password1234", "password_common"), ("zoe@exemple.invalid", "password_personal"), (PASSWORD, "password_unchanged")] {
            let refused = change(&zoe, PASSWORD, new).problem(422, "invalid_value");
            assert_eq!(field_codes(&refused), [("/new_password".to_owned(), why.to_owned())]);
            assert!(!refused.text().contains(new));
        }
        log_in(app, ZOE, PASSWORD).expect(200);
        assert!(change(&zoe, PASSWORD, OTHER).expect(204).bytes.is_empty());
        zoe.get("/me").expect(200);
        session_of(app, &there).get("/me").problem(401, "unauthenticated");
        refresh(app, &there).problem(401, "refresh_token_invalid");
        refresh(app, &here).expect(200);
        log_in(app, ZOE, PASSWORD).problem(401, "invalid_credentials");
        log_in(app, ZOE, OTHER).expect(200);
        let event = &journal(app, "user.password_set")[0];
        assert_eq!(event["data"], json!({"by": "password", "sessions_ended": 2, "address": "127.0.0.1"}));
        app.anonymous().put("/auth/password", json!({"current_password": PASSWORD, "new_password": OTHER})).problem(401, "unauthenticated");
    }

    fn a_stolen_session_guesses_no_better_than_a_log_in(app: &TestApp) {
        let zoe = app.client_of(&app.add_user(ZOE, Role::Gestionnaire));
        for _ in 0..5 {
            change(&zoe, "faux", OTHER).problem(422, "invalid_value");
        }
        assert_eq!(change(&zoe, PASSWORD, OTHER).problem(429, "too_many_attempts").header("retry-after"), "5");
        log_in(app, ZOE, PASSWORD).problem(429, "too_many_attempts");
        app.set_time("2025-06-05T08:00:05Z");
        change(&zoe, PASSWORD, OTHER).expect(204);
    }

    fn a_password_changed_while_a_session_is_renewed_ends_that_session(app: &TestApp) {
        let user = app.add_user(ZOE, Role::Lecteur);
        let mut current = PASSWORD.to_owned();
        for round in 0..5 {
            let (mine, other) = (app.client_of(&user), log_in(app, ZOE, &current).expect(200).json);
            let (anonymous, next) = (app.anonymous(), format!("lune-parapluie-orge-{round}"));
            let answers = at_once(vec![
                Box::new(|| change(&mine, &current, &next)),
                Box::new(|| anonymous.post("/auth/refresh", json!({"refresh_token": other["refresh_token"]}))),
            ]);
            assert_eq!(answers[0].status, 204, "{}", answers[0].text());
            // Renewed just before, or refused just after: nothing of it is worth anything now.
            if answers[1].status == 200 {
                session_of(app, &answers[1].json).get("/me").problem(401, "unauthenticated");
                refresh(app, &answers[1].json).problem(401, "refresh_token_invalid");
            }
            session_of(app, &other).get("/me").problem(401, "unauthenticated");
            mine.get("/me").expect(200);
            current = next;
        }
    }

    fn a_log_in_under_way_opens_nothing_after_a_reset(app: &TestApp) {
        let user = app.add_user(ZOE, Role::Ordonnateur);
        let (email, source) = (EmailAddress::parse(ZOE).unwrap(), "203.0.113.5".parse().unwrap());
        let seen = match app.db.read(|tx| sessions::attempt(tx, &email, source)).unwrap() {
            Attempt::Verify(seen) => seen,
            other => panic!("{other:?}"),
        };
        assert!(passwords::verify(PASSWORD, seen.hash.as_ref()));
        // It was right when it was judged.
        reset(app, &user.id.to_string()).expect(200);
        let minutes = chrono::Duration::minutes;
        let watch = Watch { brakes: Brakes::new(5, 30, 50, minutes(15), minutes(15)), refusals: Refusals::default() };
        let rules = (SessionRules { refresh_token_days: 14, session_days: 30 }, &watch);
        let login = app.db.write(|tx| sessions::log_in(tx, rules, &email, true, &seen, Origin::default())).unwrap();
        assert!(matches!(login, Login::Denied), "{login:?}");
        assert_eq!(live_sessions(app, ZOE), 0);
    }

    fn a_log_in_that_waits_for_a_reset_is_refused(app: &TestApp) {
        let id = app.add_user(ZOE, Role::Ordonnateur).id;
        let (begun, wait) = mpsc::channel();
        std::thread::scope(|scope| {
            let (db, client) = (&app.db, app.anonymous());
            let reset = scope.spawn(move || {
                db.write(|tx| {
                    diesel::sql_query(format!("UPDATE users SET password_hash = 'none', password_set_at = NULL WHERE id = '{id}'")).execute(tx.conn())?;
                    begun.send(()).unwrap();
                    std::thread::sleep(Duration::from_millis(700));
                    Ok(())
                })
                .unwrap();
            });
            wait.recv().unwrap();
            client.post("/auth/login", json!({"email": ZOE, "password": PASSWORD})).problem(401, "invalid_credentials");
            reset.join().unwrap();
        });
        assert_eq!(live_sessions(app, ZOE), 0);
    }

    fn log_ins_and_a_reset_at_once_leave_no_session(app: &TestApp) {
        for round in 0..5 {
            let email = format!("p{round}@exemple.invalid");
            let id = app.add_user(&email, Role::Lecteur).id.to_string();
            let (admin, anonymous) = (app.admin(), app.anonymous());
            let body = json!({"email": email, "password": PASSWORD});
            let mut calls: Vec<Box<dyn FnOnce() -> Response + Send + '_>> = Vec::new();
            for _ in 0..3 {
                calls.push(Box::new(|| anonymous.post("/auth/login", body.clone())));
            }
            calls.push(Box::new(|| admin.send("POST", &format!("/api/v1/users/{id}/password-reset"), &[], Vec::new())));
            let answers = at_once(calls);
            assert_eq!(answers[3].status, 200, "{}", answers[3].text());
            for opened in answers[..3].iter().filter(|answer| answer.status == 200) {
                session_of(app, &opened.json).get("/me").problem(401, "unauthenticated");
            }
            assert_eq!(live_sessions(app, &email), 0);
        }
    }

    fn an_administrator_who_never_came_replaces_nobody(app: &TestApp) {
        let second = json!({"email": ANNE, "role": "admin", "first_name": "Anne", "last_name": "Durand"});
        let (_, code) = invite(app, second);
        let own = format!("/users/{}", app.person(Role::Admin).id);
        app.admin().patch(&own, 1, json!({"active": false})).problem(409, "last_admin");
        set(app, &code, PASSWORD).expect(204);
        app.admin().patch(&own, 1, json!({"active": false})).expect(200);
    }

    fn a_person_sees_and_ends_their_sessions(app: &TestApp) {
        let user = app.add_user(ZOE, Role::Gestionnaire);
        let agent = format!("Mozilla/5.0 {}", "x".repeat(300));
        let body = json!({"email": ZOE, "password": PASSWORD});
        let first = app.anonymous().json("POST", "/auth/login", &[("user-agent", &agent)], &body).expect(200).json;
        app.set_time("2025-06-05T08:05:00Z");
        let second = log_in(app, ZOE, PASSWORD).expect(200).json;
        app.set_time("2025-06-05T08:10:00Z");
        let second = refresh(app, &second).expect(200).json;
        let third = log_in(app, ZOE, PASSWORD).expect(200).json;
        let zoe = session_of(app, &second);
        let list = |client: &Client| client.get("/auth/sessions").expect(200).json["data"].as_array().unwrap().clone();
        let seen = list(&zoe);
        let of = |field: &str| seen.iter().map(|one| one[field].clone()).collect::<Vec<_>>();
        assert_eq!(of("created_at"), [json!("2025-06-05T08:10:00Z"), json!("2025-06-05T08:05:00Z"), json!("2025-06-05T08:00:00Z")]);
        assert_eq!(of("last_used_at"), [json!("2025-06-05T08:10:00Z"), json!("2025-06-05T08:10:00Z"), json!("2025-06-05T08:00:00Z")]);
        assert_eq!(of("current"), [json!(false), json!(true), json!(false)]);
        assert!(of("source").iter().all(|source| source == "127.0.0.1"));
        assert_eq!(seen[2]["user_agent"].as_str().unwrap(), &agent[..200]);
        assert_eq!(seen[2]["expires_at"], "2025-06-19T08:00:00Z");
        let page = zoe.get("/auth/sessions?limit=2").expect(200).json;
        let rest = zoe.get(&format!("/auth/sessions?limit=2&cursor={}", page["meta"]["next_cursor"].as_str().unwrap())).expect(200).json;
        assert_eq!(rest["data"], json!([seen[2]]));
        // One, and only one's own.
        let oldest = format!("/auth/sessions/{}", seen[2]["id"].as_str().unwrap());
        app.lecteur().delete(&oldest).problem(404, "not_found");
        zoe.delete(&oldest).expect(204);
        zoe.delete(&oldest).problem(404, "not_found");
        session_of(app, &first).get("/me").problem(401, "unauthenticated");
        assert_eq!(list(&zoe).len(), 2);
        zoe.delete("/auth/sessions").expect(204);
        session_of(app, &third).get("/me").problem(401, "unauthenticated");
        assert_eq!(list(&zoe).len(), 1);
        // An administrator ends them all.
        let all = format!("/users/{}/sessions", user.id);
        app.gestionnaire().delete(&all).problem(403, "forbidden");
        app.admin().delete(&all).expect(204);
        zoe.get("/me").problem(401, "unauthenticated");
        app.admin().delete("/users/019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e/sessions").problem(404, "not_found");
        for (action, count) in [("session.ended", 1), ("session.others_ended", 1), ("session.all_ended", 1)] {
            assert_eq!(journal(app, action).len(), count, "{action}");
        }
        // What can be renewed no more is not listed.
        log_in(app, ZOE, PASSWORD).expect(200);
        app.set_time("2025-06-20T08:00:00Z");
        let now = log_in(app, ZOE, PASSWORD).expect(200).json;
        assert_eq!(list(&session_of(app, &now)).len(), 1);
    }

    fn the_command_line_invites_and_resets(app: &TestApp) {
        let database = app.database_url();
        let told = |arguments: &[&str]| {
            let done = Program::run(&database, arguments, "");
            (done.status.code(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
        };
        let person = ["--email", ANNE, "--role", "admin", "--first-name", "Anne", "--last-name", "Durand"];
        let (code, out, err) = told(&[&["user", "invite"], &person[..]].concat());
        assert_eq!(code, Some(0), "{err}");
        assert!(err.contains("une seule fois") && !err.contains(out.trim()), "{err}");
        let program = Program::serve(&database, &["--no-worker"], &[]);
        let set = |code: &str, password: &str| program.client().post("/auth/password", json!({"code": code.trim(), "new_password": password}));
        let log_in = |password: &str| program.client().post("/auth/login", json!({"email": ANNE, "password": password}));
        set(&out, PASSWORD).expect(204);
        log_in(PASSWORD).expect(200);
        let (code, second, err) = told(&["user", "reset", "--email", ANNE]);
        assert_eq!(code, Some(0), "{err}");
        log_in(PASSWORD).problem(401, "invalid_credentials");
        set(&second, OTHER).expect(204);
        log_in(OTHER).expect(200);
        let (code, out, err) = told(&["user", "reset", "--email", "personne@exemple.invalid"]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        // A password on standard input is judged like any other.
        let weak = Program::run(&database, &[&["user", "add", "--password-stdin"], &person[..]].concat(), "anne.durand@exemple\n");
        assert_eq!(weak.status.code(), Some(2));
        assert!(String::from_utf8(weak.stderr).unwrap().contains("deviner"));
    }
}
