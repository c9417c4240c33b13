//! Time that goes back, and time that jumps: numbers and instants keep one order, nothing expires on the word of a clock
//! that nobody looked at twice, and nobody misses a change.

use std::sync::mpsc;
use std::time::Duration;

use ent_backoffice::audit;
use ent_backoffice::conventions;
use ent_backoffice::kernel::Actor;
use ent_backoffice::platform::db::counters;
use ent_backoffice::registry::{self, SchoolRequest};
use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::year::{active_campaign, open_campaign, prepare, register_communes, register_seed, sign_both};
use crate::support::{Base, Client, Response, TestApp, at};

fn ready(app: &TestApp) -> Value {
    app.anonymous().send("GET", "/health/ready", &[], Vec::new()).expect(200).json
}

/// Expects the refusal, which names both instants.
#[track_caller]
fn behind(answer: Response, now: &str, last: &str) {
    let answer = answer.problem(503, "clock_behind");
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(detail.contains(now) && detail.contains(last), "{detail}");
}

fn approve(app: &TestApp, id: &Value) -> Response {
    app.ordonnateur().post("/perception-titles/approvals", json!({"keys": [id]}))
}

fn journalled(app: &TestApp, action: &str) -> usize {
    app.admin().get(&format!("/audit-events?action={action}")).expect(200).json["data"].as_array().unwrap().len()
}

fn school(n: u32) -> SchoolRequest {
    serde_json::from_value(
        json!({"uai": crate::support::year::uai(n), "name": "Ecole", "kind": "primaire", "sector": "public",
                                  "insee_code": "30278", "commune_name": "Saint-Laurent"}),
    )
    .unwrap()
}

fn changed_since(client: &Client, since: &str) -> Vec<String> {
    let page = client.get(&format!("/schools?updated_since={since}")).expect(200).json;
    page["data"].as_array().unwrap().iter().map(|s| s["uai"].as_str().unwrap().to_owned()).collect()
}

on_both_databases! {
    fn no_reference_and_no_batch_is_given_before_the_last_of_its_series(app: &TestApp) {
        register_seed(app);
        register_communes(app, 2);
        let ids = active_campaign(app, "issue");
        let titles = prepare(app)["items"].as_array().unwrap().clone();
        app.set_time("2025-07-28T10:00:00Z");
        approve(app, &titles[0]["id"]).expect(200);
        let (back, last) = ("2025-07-28T09:59:58Z", "2025-07-28T10:00:00Z");
        app.set_time(back);
        behind(approve(app, &titles[1]["id"]), back, last);
        let path = format!("/perception-titles/{}/transitions", titles[1]["id"].as_str().unwrap());
        behind(app.ordonnateur().post(&path, json!({"action": "approve"})), back, last);
        assert_eq!(text_rows(&app.db, "SELECT reference AS line FROM title_approvals"), ["ENT-T-2025-000001"]);
        // What gives no number goes on, and a first batch has none before it.
        app.gestionnaire().get("/perception-titles").expect(200);
        app.set_time("2025-07-28T10:00:01Z");
        approve(app, &titles[1]["id"]).expect(200);
        let seal = || app.ordonnateur().post("/accounting-batches", json!({"campaign": "2025-2026"}));
        seal().expect(201);
        approve(app, &titles[2]["id"]).expect(200);
        app.set_time("2025-07-28T09:00:00Z");
        behind(seal(), "2025-07-28T09:00:00Z", "2025-07-28T10:00:01Z");
        app.set_time("2025-07-28T10:00:01Z");
        assert_eq!(seal().expect(201).json["number"], "ENT-B-2025-0002");
        let order = text_rows(&app.db, "SELECT reference AS line FROM title_approvals ORDER BY approved_at, reference");
        assert!(order.is_sorted(), "{order:?}");
        assert_eq!(ids.len(), 3);
    }

    fn conventions_and_decisions_have_their_order_too(app: &TestApp) {
        register_seed(app);
        register_communes(app, 3);
        open_campaign(app, "issue");
        app.forget_jobs();
        let issue = |siret: &str| app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({"keys": [siret]}));
        let payers: Vec<String> = text_rows(&app.db, "SELECT siret AS line FROM collectivites WHERE insee_code <> '30278' ORDER BY siret");
        app.set_time("2025-06-05T12:00:00Z");
        let first = issue(&payers[0]).expect(200).json["items"][0]["id"].as_str().unwrap().to_owned();
        let (back, last) = ("2025-06-05T11:00:00Z", "2025-06-05T12:00:00Z");
        app.set_time(back);
        behind(issue(&payers[1]), back, last);
        // An issue that gives nothing gives no number.
        issue(&payers[0]).expect(200);
        app.set_time(last);
        let second = issue(&payers[1]).expect(200).json["items"][0]["id"].as_str().unwrap().to_owned();
        app.set_time("2025-07-28T09:00:00Z");
        // Recorded dates are a person's: they may be before anything.
        sign_both(app, &first);
        sign_both(app, &second);
        let decide = |siret: &str| app.ordonnateur().post("/campaigns/2025-2026/small-claim-decisions", json!({"keys": [siret], "reason": "sous le seuil"}));
        decide(&payers[0]).expect(200);
        app.set_time("2025-07-28T08:00:00Z");
        behind(decide(&payers[1]), "2025-07-28T08:00:00Z", "2025-07-28T09:00:00Z");
        app.set_time("2025-07-28T09:00:00Z");
        assert_eq!(decide(&payers[1]).expect(200).json["decided"], 1);
    }

    fn clocks_of_several_machines_differ_by_a_little(app: &TestApp) {
        register_seed(app);
        register_communes(app, 1);
        active_campaign(app, "issue");
        let titles = prepare(app)["items"].as_array().unwrap().clone();
        app.set_time("2025-07-28T10:00:00.500Z");
        approve(app, &titles[0]["id"]).expect(200);
        app.set_time("2025-07-28T10:00:00Z");
        approve(app, &titles[1]["id"]).expect(200);
        let instants = text_rows(&app.db, "SELECT CAST(approved_at AS TEXT) AS line FROM title_approvals ORDER BY number_rank");
        assert!(instants[0] == instants[1], "the second is not before the first: {instants:?}");
    }

    fn nothing_expires_before_a_second_look_at_a_clock_that_jumped(app: &TestApp) {
        register_seed(app);
        let id = active_campaign(app, "issue").remove(0);
        app.db.write(audit::look_at_clock).unwrap();
        let expire = || {
            app.db.write(conventions::enqueue_expiry).unwrap();
            app.run_jobs();
            app.gestionnaire().get(&format!("/conventions/{id}")).expect(200).json["status"].as_str().unwrap().to_owned()
        };
        app.set_time("2026-09-06T08:00:00Z");
        assert_eq!(expire(), "active");
        let told = ready(app);
        assert_eq!((&told["status"], &told["checks"]["clock"]["status"]), (&json!("degraded"), &json!("ahead")));
        let detail = told["checks"]["clock"]["detail"].as_str().unwrap();
        assert!(detail.contains("2026-09-06T08:00:00Z") && detail.contains("2025-07-28T09:00:00Z"), "{detail}");
        app.set_time("2026-09-06T08:10:00Z");
        assert_eq!(expire(), "active");
        assert_eq!(journalled(app, "clock.apart"), 1, "told once");
        // Set right again, the jump was none.
        app.set_time("2025-07-28T09:20:00Z");
        assert_eq!(expire(), "active");
        assert_eq!(ready(app)["checks"]["clock"], json!({"status": "ok"}));
        // The day has come: half an hour after it was first seen, it is believed.
        app.set_time("2026-09-06T08:00:00Z");
        assert_eq!(expire(), "active");
        app.set_time("2026-09-06T08:31:00Z");
        assert_eq!(expire(), "expired");
        assert_eq!(ready(app)["checks"]["clock"], json!({"status": "ok"}));
    }

    fn a_clock_that_went_back_is_told(app: &TestApp) {
        app.db.write(audit::look_at_clock).unwrap();
        app.set_time("2025-06-05T07:00:00Z");
        app.db.write(audit::look_at_clock).unwrap();
        app.db.write(audit::look_at_clock).unwrap();
        let told = ready(app);
        assert_eq!((&told["status"], &told["checks"]["clock"]["status"]), (&json!("degraded"), &json!("behind")));
        assert_eq!(journalled(app, "clock.behind"), 1);
    }

    fn who_asks_since_the_last_change_seen_misses_none_that_ends_later(app: &TestApp) {
        register_seed(app);
        let actor = Actor::program("essai");
        app.set_time("2025-06-05T10:00:00Z");
        let g = app.gestionnaire();
        app.db.write(|tx| {
            registry::create_school(tx, &actor, school(300_500).into())?;
            app.set_time("2025-06-05T10:04:00Z");
            Ok(())
        }).unwrap();
        // 10:04 is the greatest instant anybody may have seen meanwhile.
        assert_eq!(changed_since(&g, "2025-06-05T10:04:00Z"), [crate::support::year::uai(300_500)]);
        // What changed before is not told for ever.
        assert_eq!(changed_since(&g, "2025-06-05T10:10:01Z"), Vec::<String>::new());
    }

    fn a_title_and_a_decision_change_what_is_told_of_a_participation(app: &TestApp) {
        register_seed(app);
        register_communes(app, 1);
        active_campaign(app, "issue");
        let changed = |since: &str| {
            let page = app.gestionnaire().get(&format!("/campaigns/2025-2026/participations?updated_since={since}")).expect(200).json;
            page["data"].as_array().unwrap().iter().map(|p| p["number"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        app.set_time("2025-07-29T09:00:00Z");
        assert_eq!(changed("2025-07-29T09:00:00Z"), Vec::<String>::new());
        let keys = |siret: &str| json!({"keys": [siret]});
        app.gestionnaire().post("/campaigns/2025-2026/perception-titles", keys("21300278500011")).expect(200);
        assert_eq!(changed("2025-07-29T09:00:00Z").len(), 1);
        app.set_time("2025-07-30T09:00:00Z");
        let other = text_rows(&app.db, "SELECT siret AS line FROM collectivites WHERE siret <> '21300278500011'").remove(0);
        let decided = json!({"keys": [other], "reason": "sous le seuil"});
        app.ordonnateur().post("/campaigns/2025-2026/small-claim-decisions", decided).expect(200);
        assert_eq!(changed("2025-07-30T09:00:00Z").len(), 1);
        assert_eq!(changed("2025-07-29T09:00:00Z").len(), 2);
    }

    fn what_changed_while_the_clock_was_behind_is_not_missed(app: &TestApp) {
        register_seed(app);
        let actor = Actor::program("essai");
        app.set_time("2025-06-05T12:00:00Z");
        app.db.write(audit::look_at_clock).unwrap();
        let g = app.gestionnaire();
        let since = g.get("/schools").expect(200).json["meta"]["next_updated_since"].as_str().unwrap().to_owned();
        assert_eq!(since, "2025-06-05T12:00:00Z");
        app.set_time("2025-06-05T10:00:00Z");
        app.db.write(audit::look_at_clock).unwrap();
        app.db.write(|tx| registry::create_school(tx, &actor, school(300_500).into())).unwrap();
        // The clock is right again before the client comes back.
        app.set_time("2025-06-05T12:05:00Z");
        app.db.write(audit::look_at_clock).unwrap();
        assert_eq!(changed_since(&g, &since), [crate::support::year::uai(300_500)]);
    }
}

/// Two transactions, the one that begins first comes second to the lock: its instant is that of the lock.
#[test]
fn on_postgres_the_instant_is_taken_after_the_lock() {
    let app = TestApp::new(Base::postgres());
    app.db.write(|tx| counters::take(tx, "title:2025", 1)).unwrap();
    let (began, early) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let db = app.db.clone();
        let second = scope.spawn(move || {
            db.write(|tx| {
                began.send(tx.now()).unwrap();
                gone.recv().unwrap();
                let number = counters::take(tx, "title:2025", 1)?;
                Ok((number, tx.now()))
            })
        });
        assert_eq!(early.recv().unwrap(), at("2025-06-05T08:00:00Z"));
        app.set_time("2025-06-05T08:00:05Z");
        let first = app.db.write(|tx| {
            let number = counters::take(tx, "title:2025", 1)?;
            let now = tx.now();
            // The other waits for the lock while this one works on.
            go.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            app.set_time("2025-06-05T08:00:07Z");
            Ok((number, now))
        });
        assert_eq!(first.unwrap(), (2, at("2025-06-05T08:00:05Z")));
        assert_eq!(second.join().unwrap().unwrap(), (3, at("2025-06-05T08:00:07Z")));
    });
}

/// What a client saw of one transaction does not hide another that began before and ends after.
#[test]
fn on_postgres_overlapping_transactions_hide_nothing_from_who_asks_what_changed() {
    let app = TestApp::new(Base::postgres());
    register_seed(&app);
    app.set_time("2025-06-05T10:00:00Z");
    let g = app.gestionnaire();
    let actor = Actor::program("essai");
    let (mut seen, mut given) = (String::new(), String::new());
    app.db
        .write(|tx| {
            registry::create_school(tx, &actor, school(300_500).into())?;
            app.set_time("2025-06-05T10:03:00Z");
            // Another transaction begins and ends meanwhile, and a client sees it.
            std::thread::scope(|scope| {
                let (db, actor) = (app.db.clone(), actor.clone());
                scope
                    .spawn(move || db.write(|tx| registry::create_school(tx, &actor, school(300_501).into())))
                    .join()
                    .unwrap()
            })?;
            let page = g.get("/schools?updated_since=2025-06-05T09:50:00Z").expect(200).json;
            assert_eq!(page["data"].as_array().unwrap().len(), 1, "{page}");
            seen = page["data"][0]["updated_at"].as_str().unwrap().to_owned();
            given = page["meta"]["next_updated_since"].as_str().unwrap().to_owned();
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, "2025-06-05T10:03:00Z");
    for since in [seen, given] {
        assert!(changed_since(&g, &since).contains(&crate::support::year::uai(300_500)), "{since}");
    }
}
