//! A token says what was true when it was issued: each transaction reads account and session again.

use std::sync::mpsc;
use std::time::Duration;

use diesel::RunQueryDsl as _;
use ent_backoffice::kernel::Role;
use serde_json::{Value, json};

use crate::support::year::{active_campaign, register_seed};
use crate::support::{Client, Response, TestApp};

const APPROVALS: &str = "/perception-titles/approvals";

/// Titles prepared, waiting for an approval; the first one's id.
fn prepared(app: &TestApp) -> String {
    register_seed(app);
    active_campaign(app, "issue");
    let prepared = app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
    prepared["items"][0]["id"].as_str().unwrap().to_owned()
}

fn everything() -> Value {
    json!({"filter": {"campaign": "2025-2026"}})
}

fn approve_one(client: &Client, id: &str) -> Response {
    client.post(&format!("/perception-titles/{id}/transitions"), json!({"action": "approve"}))
}

fn status_of(app: &TestApp, id: &str) -> Value {
    app.lecteur().get(&format!("/perception-titles/{id}")).expect(200).json["status"].clone()
}

fn change(app: &TestApp, role: Role, change: Value) {
    app.admin().patch(&format!("/users/{}", app.person(role).id), 1, change).expect(200);
}

fn log_out(client: &Client) {
    client.send("POST", "/api/v1/auth/logout", &[], Vec::new()).expect(204);
}

on_both_databases! {
    fn who_was_deactivated_acts_no_more_with_the_token_of_before(app: &TestApp) {
        let title = prepared(app);
        let before = app.ordonnateur();
        change(app, Role::Ordonnateur, json!({"active": false}));
        approve_one(&before, &title).problem(401, "unauthenticated");
        before.post(APPROVALS, everything()).problem(401, "unauthenticated");
        before.post("/accounting-batches", json!({"campaign": "2025-2026"})).problem(401, "unauthenticated");
        before.get("/perception-titles").problem(401, "unauthenticated");
        assert_eq!(status_of(app, &title), "prepared");
    }

    fn who_lost_the_role_acts_no_more_with_the_token_of_before(app: &TestApp) {
        let title = prepared(app);
        let before = app.ordonnateur();
        change(app, Role::Ordonnateur, json!({"role": "gestionnaire"}));
        approve_one(&before, &title).problem(401, "unauthenticated");
        before.post(APPROVALS, everything()).problem(401, "unauthenticated");
        assert_eq!(status_of(app, &title), "prepared");
    }

    fn a_role_changed_behind_the_sessions_is_read_at_each_act(app: &TestApp) {
        let title = prepared(app);
        let before = app.ordonnateur();
        let id = app.person(Role::Ordonnateur).id;
        app.sql(&format!("UPDATE users SET role = 'lecteur' WHERE id = '{id}'")).unwrap();
        let refused = approve_one(&before, &title).problem(403, "forbidden");
        assert!(refused.text().contains("lecteur"), "{}", refused.text());
        before.post(APPROVALS, everything()).problem(403, "forbidden");
        // The new role may read, but the token still names the old one: it is to be renewed.
        before.get("/perception-titles").problem(401, "token_expired");
        assert_eq!(status_of(app, &title), "prepared");
    }

    fn a_dismissed_administrator_makes_no_other(app: &TestApp) {
        let second = app.add_user("second@exemple.invalid", Role::Admin);
        let before = app.client_of(&second);
        app.admin().patch(&format!("/users/{}", second.id), 1, json!({"active": false})).expect(200);
        let own = format!("/users/{}", second.id);
        before.patch(&own, 2, json!({"active": true})).problem(401, "unauthenticated");
        before.get("/users").problem(401, "unauthenticated");
        assert_eq!(app.admin().get(&own).expect(200).json["active"], false);
    }

    fn after_log_out_the_access_token_is_worth_nothing(app: &TestApp) {
        let (one, other) = (app.gestionnaire(), app.gestionnaire());
        one.get("/me").expect(200);
        log_out(&one);
        one.get("/me").problem(401, "unauthenticated");
        one.post("/collectivites", json!({"siret": "21300189400012", "kind": "commune", "name": "Nîmes",
            "insee_code": "30189"})).problem(401, "unauthenticated");
        // Another session of the same person has nothing to do with it.
        other.get("/me").expect(200);
    }

    fn a_repeated_answer_is_not_given_to_who_may_no_longer_ask(app: &TestApp) {
        prepared(app);
        let before = app.ordonnateur();
        let key = [("idempotency-key", "approbation-1")];
        before.json("POST", APPROVALS, &key, &everything()).expect(200);
        before.json("POST", APPROVALS, &key, &everything()).expect(200);
        log_out(&before);
        before.json("POST", APPROVALS, &key, &everything()).problem(401, "unauthenticated");
    }

    fn a_token_of_another_persons_session_is_refused(app: &TestApp) {
        let client = app.lecteur();
        let (lecteur, admin) = (app.person(Role::Lecteur).id, app.person(Role::Admin).id);
        app.sql(&format!("UPDATE sessions SET user_id = '{admin}' WHERE user_id = '{lecteur}'")).unwrap();
        client.get("/me").problem(401, "unauthenticated");
    }

    fn an_approval_that_waits_for_a_dismissal_is_refused(app: &TestApp) {
        let title = prepared(app);
        let (single, bulk) = (app.ordonnateur(), app.ordonnateur());
        let id = app.person(Role::Ordonnateur).id;
        let (begun, wait) = mpsc::channel();
        std::thread::scope(|scope| {
            let db = &app.db;
            let dismissal = scope.spawn(move || {
                app_write(db, &format!("UPDATE users SET active = FALSE WHERE id = '{id}'"), &begun);
            });
            wait.recv().unwrap();
            // Both begin while the dismissal is neither done nor undone.
            let one = scope.spawn(|| approve_one(&single, &title));
            let all = scope.spawn(|| bulk.post(APPROVALS, everything()));
            dismissal.join().unwrap();
            one.join().unwrap().problem(401, "unauthenticated");
            all.join().unwrap().problem(401, "unauthenticated");
        });
        assert_eq!(status_of(app, &title), "prepared");
    }

    fn two_administrators_who_dismiss_each_other_at_once_leave_one_of_them(app: &TestApp) {
        for round in 0..5 {
            let people = ["a", "b"].map(|n| app.add_user(&format!("{n}{round}@exemple.invalid"), Role::Admin));
            let clients = people.each_ref().map(|person| app.client_of(person));
            let barrier = std::sync::Barrier::new(2);
            let mut answers = std::thread::scope(|scope| {
                let threads = [(0, 1), (1, 0)].map(|(who, whom)| {
                    let (client, path, barrier) = (&clients[who], format!("/users/{}", people[whom].id), &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        client.patch(&path, 1, json!({"active": false})).status
                    })
                });
                threads.map(|thread| thread.join().unwrap())
            });
            answers.sort_unstable();
            assert_eq!(answers, [200, 401]);
        }
    }

    fn a_session_ends_however_often_it_is_renewed(app: &TestApp) {
        app.add_user("zoe@exemple.invalid", Role::Gestionnaire);
        let log_in = json!({"email": "zoe@exemple.invalid", "password": crate::support::PASSWORD});
        let mut session = app.anonymous().post("/auth/login", log_in).expect(200).json;
        for day in ["2025-06-15", "2025-06-25", "2025-07-04"] {
            app.set_time(&format!("{day}T08:00:00Z"));
            session = app.anonymous().post("/auth/refresh", json!({"refresh_token": session["refresh_token"]})).expect(200).json;
        }
        // Thirty days after log-in, eleven before the last refresh token would have ended by itself.
        app.set_time("2025-07-05T08:00:00Z");
        app.anonymous().post("/auth/refresh", json!({"refresh_token": session["refresh_token"]}))
            .problem(401, "refresh_token_invalid");
    }
}

/// Runs a statement, says so, and commits only after a while.
fn app_write(db: &ent_backoffice::platform::db::Database, sql: &str, begun: &mpsc::Sender<()>) {
    db.write(|tx| {
        diesel::sql_query(sql).execute(tx.conn())?;
        begun.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(700));
        Ok(())
    })
    .unwrap();
}
