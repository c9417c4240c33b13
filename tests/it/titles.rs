//! Approval, small claims, withdrawal; and many people at once.

use std::collections::BTreeSet;

use ent_backoffice::kernel::Role;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::year::{active_campaign, open_campaign, prepare, register_communes, register_seed, sign_both};

fn findings(item: &Value) -> Vec<&str> {
    item["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect()
}

on_both_databases! {
    fn a_small_claim_follows_the_policy_of_the_campaign(app: &TestApp) {
        register_seed(app);
        register_communes(app, 1);
        active_campaign(app, "do_not_issue");
        let first = prepare(app);
        assert_eq!((&first["prepared"], &first["not_issued"], &first["total"]), (&json!(1), &json!(1), &json!("80.00")));
        let again = prepare(app);
        assert_eq!((&again["prepared"], &again["not_issued"], &again["already_prepared"]), (&json!(0), &json!(1), &json!(1)));
        // The faculty is reversible: under another policy the claim is titled after all.
        let campaign = app.gestionnaire().get("/campaigns/2025-2026").json;
        let patch = json!({"small_claims": {"policy": "flag"}});
        app.gestionnaire().patch("/campaigns/2025-2026", campaign["version"].as_i64().unwrap(), patch).expect(200);
        let flagged = prepare(app);
        assert_eq!((&flagged["flagged"], &flagged["total"]), (&json!(1), &json!("40.00")));
        let item = flagged["items"].as_array().unwrap().iter().find(|i| i["outcome"] == "flagged").unwrap();
        assert!(findings(item).contains(&"small_claim"));
        // By filter it is left; by its id it is taken.
        let ordonnateur = app.ordonnateur();
        let by_filter = ordonnateur.post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200).json;
        assert_eq!((&by_filter["approved"], &by_filter["skipped_flagged"]), (&json!(1), &json!(1)));
        let by_id = ordonnateur.post("/perception-titles/approvals", json!({"keys": [item["id"]]})).expect(200).json;
        assert_eq!(by_id["approved"], 1);
    }

    fn nobody_approves_what_she_prepared(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        let prepared = prepare(app);
        let id = prepared["items"][0]["id"].as_str().unwrap();
        // The preparer changes role: she still may not approve her own titles.
        let person = app.person(Role::Gestionnaire);
        app.sql(&format!("UPDATE users SET role = 'ordonnateur', capacity = 'SG', delegation_reference = 'A', \
                          delegation_published_on = '2025-01-01' WHERE id = '{}'", person.id)).unwrap();
        let mut same = person.clone();
        same.role = Role::Ordonnateur;
        let client = app.client_of(&same);
        client.post(&format!("/perception-titles/{id}/transitions"), json!({"action": "approve"})).problem(403, "same_person");
        let bulk = client.post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200).json;
        assert_eq!((&bulk["approved"], &bulk["refused"]), (&json!(0), &json!(1)));
        assert_eq!(findings(&bulk["items"][0]), ["same_person"]);
        client.post("/perception-titles/approvals", json!({})).problem(422, "keys_or_filter");
    }

    fn approving_needs_a_delegation_in_force(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        prepare(app);
        let person = app.person(Role::Ordonnateur);
        let approve = || app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}}));
        // A delegation takes effect the day after its publication.
        app.sql(&format!("UPDATE users SET delegation_published_on = '2025-07-28' WHERE id = '{}'", person.id)).unwrap();
        approve().problem(409, "delegation_not_in_force");
        app.sql(&format!("UPDATE users SET capacity = NULL WHERE id = '{}'", person.id)).unwrap();
        approve().problem(409, "signatory_incomplete");
    }

    fn a_withdrawn_title_keeps_its_reference_and_is_prepared_again(app: &TestApp) {
        register_seed(app);
        let ids = active_campaign(app, "issue");
        let id = prepare(app)["items"][0]["id"].as_str().unwrap().to_owned();
        let gestionnaire = app.gestionnaire();
        let cancel = json!({"action": "cancel", "reason": "doublon"});
        gestionnaire.post(&format!("/conventions/{}/transitions", ids[0]), cancel).problem(409, "convention_titled");
        let ordonnateur = app.ordonnateur();
        let path = format!("/perception-titles/{id}/transitions");
        ordonnateur.post(&path, json!({"action": "approve"})).expect(200);
        ordonnateur.post(&path, json!({"action": "withdraw"})).problem(422, "invalid_value");
        let withdrawn = ordonnateur.post(&path, json!({"action": "withdraw", "reason": "erreur de débiteur"})).expect(200).json;
        assert_eq!((&withdrawn["status"], &withdrawn["reference"]), (&json!("withdrawn"), &json!("ENT-T-2025-000001")));
        ordonnateur.post(&path, json!({"action": "approve"})).problem(409, "title_state");
        let prepared = prepare(app);
        assert_eq!(prepared["prepared"], 1);
        let again = ordonnateur.post("/perception-titles/approvals", json!({"keys": [prepared["items"][0]["id"]]})).expect(200).json;
        assert_eq!(again["approved"], 1);
        let list = ordonnateur.get("/perception-titles?status=approved").expect(200).json;
        assert_eq!(list["data"][0]["reference"], "ENT-T-2025-000002");
    }

    fn the_exercice_is_the_year_in_paris(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        prepare(app);
        app.set_time("2025-12-31T23:30:00Z");
        app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
        let title = &app.ordonnateur().get("/perception-titles").json["data"][0];
        assert_eq!((&title["reference"], &title["approved_on"]), (&json!("ENT-T-2026-000001"), &json!("2026-01-01")));
    }

    fn many_approvers_at_once_leave_no_gap_and_no_double(app: &TestApp) {
        register_communes(app, 40);
        active_campaign(app, "issue");
        let prepared = prepare(app);
        let ids: Vec<String> = prepared["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 40);
        let outcomes: Vec<Value> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|n| {
                let client = app.ordonnateur();
                let ids = &ids;
                scope.spawn(move || {
                    let mut done = Vec::new();
                    // Each asks for overlapping slices, and now and then for everything.
                    for round in 0..5 {
                        let keys: Vec<&String> = ids.iter().skip((n * 5 + round * 7) % 40).take(12).collect();
                        let body = if round == 4 { json!({"filter": {"campaign": "2025-2026"}}) } else { json!({"keys": keys}) };
                        done.push(client.post("/perception-titles/approvals", body).expect(200).json);
                    }
                    done
                })
            }).collect();
            threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
        });
        let approved: u64 = outcomes.iter().map(|o| o["approved"].as_u64().unwrap()).sum();
        assert_eq!(approved, 40, "each title is approved once");
        let list = app.ordonnateur().get("/perception-titles?limit=200").expect(200).json;
        let references: BTreeSet<String> =
            list["data"].as_array().unwrap().iter().map(|t| t["reference"].as_str().unwrap().to_owned()).collect();
        let expected: BTreeSet<String> = (1..=40).map(|n| format!("ENT-T-2025-{n:06}")).collect();
        assert_eq!(references, expected);
    }

    fn two_agents_sealing_or_issuing_at_once_are_told(app: &TestApp) {
        register_communes(app, 10);
        open_campaign(app, "issue");
        app.forget_jobs();
        let issued: Vec<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| {
                let client = app.gestionnaire();
                scope.spawn(move || client.post("/campaigns/2025-2026/conventions", json!({})).expect(200).json["issued"].as_u64().unwrap())
            }).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(issued.iter().sum::<u64>(), 10);
        app.set_time("2025-07-28T09:00:00Z");
        for c in app.gestionnaire().get("/conventions?limit=200").json["data"].as_array().unwrap() {
            sign_both(app, c["id"].as_str().unwrap());
        }
        prepare(app);
        app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
        let mut statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| {
                let client = app.ordonnateur();
                scope.spawn(move || client.post("/accounting-batches", json!({"campaign": "2025-2026"})).status)
            }).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409]);
    }

    fn the_same_idempotency_key_gives_the_same_answer(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        prepare(app);
        let ordonnateur = app.ordonnateur();
        ordonnateur.post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
        let seal = |body: Value| ordonnateur.json("POST", "/accounting-batches", &[("idempotency-key", "bordereau-1")], &body);
        let first = seal(json!({"campaign": "2025-2026"})).expect(201);
        let second = seal(json!({"campaign": "2025-2026"})).expect(201);
        assert_eq!(first.bytes, second.bytes);
        assert_eq!(first.header("location"), second.header("location"));
        seal(json!({"campaign": "2025-2026", "exercice": 2025})).problem(422, "idempotency_key_reused");
    }
}
