//! Acts in number that nobody waits for: `Prefer: respond-async`, 202, `/jobs/{id}`.

use ent_backoffice::kernel::Role;
use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::year::{active_campaign, prepare, register_communes};
use crate::support::{Client, Response, TestApp};

const APPROVALS: &str = "/perception-titles/approvals";

fn selection() -> Value {
    json!({"filter": {"campaign": "2025-2026"}})
}

fn later(client: &Client, path: &str, body: &Value) -> Response {
    client.json("POST", path, &[("prefer", "respond-async, wait=10")], body)
}

/// Three prepared titles.
fn prepared(app: &TestApp) {
    register_communes(app, 3);
    active_campaign(app, "issue");
    assert_eq!(prepare(app)["prepared"], 3);
    app.forget_jobs();
}

fn job(client: &Client, answer: &Response) -> Value {
    let location = answer.header("location").strip_prefix("/api/v1").unwrap().to_owned();
    client.get(&location).expect(200).json
}

fn approved(app: &TestApp) -> usize {
    text_rows(&app.db, "SELECT title_id AS line FROM title_approvals").len()
}

on_both_databases! {
    fn an_approval_asked_for_later_is_the_one_done_at_once(app: &TestApp) {
        prepared(app);
        let o = app.ordonnateur();
        let at_once = o.post(APPROVALS, json!({"filter": {"campaign": "2025-2026"}, "dry_run": true})).expect(200).json;
        let answer = later(&o, APPROVALS, &selection()).expect(202);
        assert_eq!(answer.header("preference-applied"), "respond-async");
        let waiting = job(&o, &answer);
        assert_eq!(waiting, answer.json);
        assert_eq!((&waiting["status"], &waiting["operation"], &waiting["total"], &waiting["result"]), (&json!("waiting"), &json!("approve_titles"), &Value::Null, &Value::Null));
        let path = format!("/jobs/{}", waiting["id"].as_str().unwrap());
        o.get(&format!("{path}/result")).problem(409, "job_state");
        assert_eq!(approved(app), 0);
        app.run_jobs();
        let done = job(&o, &answer);
        assert_eq!((&done["status"], &done["done"], &done["total"], &done["problem"]), (&json!("done"), &json!(3), &json!(3), &Value::Null), "{done}");
        assert_eq!(approved(app), 3);
        let mut result = o.get(&format!("{path}/result")).expect(200).json;
        assert_eq!(result["dry_run"], false);
        result["dry_run"] = json!(true);
        assert_eq!(result, at_once, "what the synchronous form said it would do");
        // Its outcomes, page by page.
        let first = o.get(&format!("{path}/items?limit=2")).expect(200).json;
        let cursor = first["meta"]["next_cursor"].as_str().unwrap();
        let second = o.get(&format!("{path}/items?limit=2&cursor={cursor}")).expect(200).json;
        let all: Vec<&Value> = [&first, &second].into_iter().flat_map(|page| page["data"].as_array().unwrap()).map(|i| &i["item"]).collect();
        assert_eq!(all, result["items"].as_array().unwrap().iter().collect::<Vec<_>>());
        // Who approved stands in the journal as if they had waited.
        let told = app.admin().get("/audit-events?action=title.approved").expect(200).json;
        assert_eq!(told["data"][0]["actor"], "Camille Le ordonnateur");
        assert_eq!(told["data"][0]["actor_id"], done["author_id"]);
    }

    fn issuing_and_preparing_are_done_later_too(app: &TestApp) {
        register_communes(app, 2);
        crate::support::year::open_campaign(app, "issue");
        app.forget_jobs();
        let g = app.gestionnaire();
        let issued = later(&g, "/campaigns/2025-2026/conventions", &json!({})).expect(202);
        app.run_jobs();
        assert_eq!((&job(&g, &issued)["status"], &job(&g, &issued)["total"]), (&json!("done"), &json!(2)));
        let prepared = later(&g, "/campaigns/2025-2026/perception-titles", &json!({"dry_run": true})).expect(202);
        app.run_jobs();
        assert_eq!(job(&g, &prepared)["status"], "done", "{}", job(&g, &prepared));
        assert_eq!(text_rows(&app.db, "SELECT id AS line FROM perception_titles").len(), 0, "a dry run writes its result only");
    }

    fn only_who_prefers_so_is_answered_later(app: &TestApp) {
        prepared(app);
        let o = app.ordonnateur();
        let dry = json!({"filter": {"campaign": "2025-2026"}, "dry_run": true});
        for (prefer, status) in [("wait=10", 200), ("return=minimal", 200), ("respond-asynchronous", 200), ("RESPOND-ASYNC", 202), ("wait=5, respond-async; x=1", 202)] {
            o.json("POST", APPROVALS, &[("prefer", prefer)], &dry).expect(status);
        }
    }

    fn the_same_key_is_the_same_job(app: &TestApp) {
        prepared(app);
        let o = app.ordonnateur();
        let ask = || o.json("POST", APPROVALS, &[("prefer", "respond-async"), ("idempotency-key", "une-fois")], &selection()).expect(202);
        let (first, second) = (ask(), ask());
        assert_eq!(first.header("location"), second.header("location"));
        assert_eq!(second.header("preference-applied"), "respond-async");
        assert_eq!(text_rows(&app.db, "SELECT id AS line FROM acts").len(), 1);
        app.run_jobs();
        assert_eq!((ask().header("location"), approved(app)), (first.header("location"), 3));
    }

    fn a_job_is_cancelled_before_it_begins_and_not_after(app: &TestApp) {
        prepared(app);
        let o = app.ordonnateur();
        let first = later(&o, APPROVALS, &selection()).expect(202).json;
        let cancelled = o.send("POST", &format!("/api/v1/jobs/{}/cancel", first["id"].as_str().unwrap()), &[], Vec::new()).expect(200).json;
        assert_eq!(cancelled["status"], "cancelled");
        app.run_jobs();
        assert_eq!(approved(app), 0);
        let second = later(&o, APPROVALS, &selection()).expect(202).json;
        // Begun, by a worker that died of it: whether anything is written is not known to who asks.
        app.sql("UPDATE acts SET state = 'running', begun_at = '2025-07-28 09:00:00' WHERE state = 'waiting'").unwrap();
        let path = format!("/api/v1/jobs/{}/cancel", second["id"].as_str().unwrap());
        let refused = o.send("POST", &path, &[], Vec::new()).problem(409, "job_state");
        assert_eq!(refused.json["current_state"], "running");
        // The next worker does it from nothing.
        app.run_jobs();
        assert_eq!(approved(app), 3);
        o.send("POST", &path, &[], Vec::new()).problem(409, "job_state");
    }

    fn who_may_no_longer_do_it_has_it_refused(app: &TestApp) {
        prepared(app);
        let (leaver, mover) = (app.add_user("part@exemple.invalid", Role::Ordonnateur), app.add_user("change@exemple.invalid", Role::Ordonnateur));
        let answers = [&leaver, &mover].map(|who| later(&app.client_of(who), APPROVALS, &selection()).expect(202));
        let admin = app.admin();
        let change = |who: &ent_backoffice::access::User, body: Value| {
            admin.json("PATCH", &format!("/users/{}", who.id), &[("if-match", "*")], &body).expect(200);
        };
        change(&leaver, json!({"active": false}));
        change(&mover, json!({"role": "lecteur"}));
        app.run_jobs();
        assert_eq!(approved(app), 0);
        for answer in &answers {
            let seen = job(&admin, answer);
            assert_eq!((&seen["status"], &seen["problem"]["code"]), (&json!("refused"), &json!("forbidden")), "{seen}");
        }
    }

    fn a_rule_that_refuses_is_told_as_the_call_would_have_been(app: &TestApp) {
        prepared(app);
        let o = app.ordonnateur();
        let nothing = json!({"filter": {"campaign": "2090-2091"}});
        let at_once = o.post(APPROVALS, nothing.clone()).problem(404, "not_found").json;
        let answer = later(&o, APPROVALS, &nothing).expect(202);
        app.run_jobs();
        let seen = job(&o, &answer);
        assert_eq!((&seen["status"], &seen["problem"]["code"], &seen["problem"]["detail"]), (&json!("refused"), &at_once["code"], &at_once["detail"]));
    }

    fn a_job_is_its_author_s_and_the_administrator_s(app: &TestApp) {
        prepared(app);
        let answer = later(&app.ordonnateur(), APPROVALS, &selection()).expect(202);
        let path = answer.header("location").strip_prefix("/api/v1").unwrap().to_owned();
        let other = app.client_of(&app.add_user("autre@exemple.invalid", Role::Ordonnateur));
        for client in [app.gestionnaire(), app.lecteur(), other] {
            for below in ["", "/items", "/result"] {
                client.get(&format!("{path}{below}")).problem(404, "not_found");
            }
            client.send("POST", &format!("/api/v1{path}/cancel"), &[], Vec::new()).problem(404, "not_found");
        }
        app.admin().get(&path).expect(200);
        app.admin().send("POST", &format!("/api/v1{path}/cancel"), &[], Vec::new()).expect(200);
    }

    fn an_act_given_up_is_failed_and_asks_a_person(app: &TestApp) {
        prepared(app);
        let o = app.ordonnateur();
        let answer = later(&o, APPROVALS, &selection()).expect(202);
        app.sql("UPDATE jobs SET state = 'running', attempts = 100, lease_until = '2025-06-05 07:59:00' WHERE kind = 'titles.approve'").unwrap();
        app.run_jobs();
        assert_eq!(job(&o, &answer)["status"], "failed");
        assert_eq!(approved(app), 0);
        let found = app.admin().get("/tasks?kind=job.given_up").expect(200).json["data"].clone();
        assert_eq!(found[0]["subject"], json!({"kind": "job", "id": answer.json["id"], "key": answer.json["id"]}));
    }

    fn what_ended_a_month_ago_is_purged(app: &TestApp) {
        prepared(app);
        let o = app.ordonnateur();
        later(&o, APPROVALS, &selection()).expect(202);
        app.run_jobs();
        let left = || text_rows(&app.db, "SELECT id AS line FROM acts").len() + text_rows(&app.db, "SELECT act_id AS line FROM act_items").len();
        let purge = || ent_backoffice::platform::jobs::daily::run_due(&app.db, ent_backoffice::acts::DAILY);
        app.set_time("2025-08-20T09:00:00Z");
        assert_eq!((purge(), left()), (1, 4));
        app.set_time("2025-08-28T09:00:00Z");
        assert_eq!((purge(), left()), (1, 0));
    }
}
