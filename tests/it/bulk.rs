//! What an act in number answers adds up: one item for each thing it was asked about, one outcome for each item.
//!
//! Worlds are drawn: conventions issued, signed, in effect, declined, issued again, cancelled; titles prepared, approved,
//! returned, withdrawn; claims decided and revoked. Whatever has come before, no act passes over a thing in silence.

use std::collections::BTreeSet;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::year::{open_campaign, register_communes, sign_both};
use crate::support::{Client, TestApp};

const PATH: &str = "/campaigns/2025-2026";
const PAYERS: u32 = 9;

/// The counts of an answer sum up to its items; gives how many, and what each is about.
#[track_caller]
fn adds_up(view: &Value, what: &str) -> Vec<String> {
    let counted: u64 = view
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "small_claims")
        .filter_map(|(_, v)| v.as_u64())
        .sum();
    let items = view["items"].as_array().unwrap();
    assert_eq!(counted, u64::try_from(items.len()).unwrap(), "{what}: {view}");
    for item in items {
        assert!(view[item["outcome"].as_str().unwrap()].as_u64() > Some(0), "{what}: {item}");
    }
    items.iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect()
}

/// Everything of a list, by one of its fields.
fn all(client: &Client, path: &str, field: &str) -> Vec<String> {
    let mark = if path.contains('?') { '&' } else { '?' };
    let list = client.get(&format!("{path}{mark}limit=200")).expect(200).json;
    assert!(list["meta"]["next_cursor"].is_null());
    list["data"].as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
}

/// The payers whose convention a preparation is about: the living ones, and those who said no since.
fn asked(app: &TestApp) -> BTreeSet<String> {
    let list = app.gestionnaire().get("/conventions?limit=200").expect(200).json;
    let rows = list["data"].as_array().unwrap();
    let over = |row: &&Value| row["status"] == "cancelled";
    rows.iter().filter(|row| !over(row)).map(|row| row["collectivite"]["siret"].as_str().unwrap().to_owned()).collect()
}

fn same(found: Vec<String>, expected: impl IntoIterator<Item = String>, what: &str) {
    let count = found.len();
    let found: BTreeSet<String> = found.into_iter().collect();
    assert_eq!(found.len(), count, "{what}: told twice");
    assert_eq!(found, expected.into_iter().collect(), "{what}");
}

fn transition(client: &Client, path: &str, body: Value) {
    client.post(&format!("{path}/transitions"), body).expect(200);
}

fn live_through(app: &TestApp, id: &str, siret: &str, fate: u8) {
    let g = app.gestionnaire();
    let path = format!("/conventions/{id}");
    let no = json!({"action": "decline", "declined_on": "2025-07-28", "declined_by": "la maire", "reason": "vote"});
    match fate {
        0 => {}
        1 => transition(
            &g,
            &path,
            json!({"action": "sign", "signed_on": "2025-07-25", "signatory": {"name": "S. B.", "title": "Maire"}}),
        ),
        2 => transition(&g, &path, no),
        3 => transition(&g, &path, json!({"action": "cancel", "reason": "erreur"})),
        4 => {
            transition(&g, &path, no);
            g.post(&format!("{PATH}/conventions"), json!({"keys": [siret]})).expect(200);
        }
        5 => {
            sign_both(app, id);
            transition(&g, &path, json!({"action": "cancel", "reason": "erreur"}));
        }
        _ => sign_both(app, id),
    }
}

on_both_databases! {
    fn every_act_in_number_accounts_for_what_it_was_asked(app: &TestApp) {
        let mut runner = TestRunner::deterministic();
        let mut drawn = |most: u8| (0..=most).new_tree(&mut runner).unwrap().current();
        register_communes(app, PAYERS);
        let g = app.gestionnaire();
        // A school without a payer: its commune is not registered.
        g.post("/schools", json!({"uai": "0300999Y", "name": "Ecole", "kind": "primaire", "sector": "public", "insee_code": "30999", "commune_name": "X"}));
        let enrolled = all(&g, "/schools?departement=30", "uai");
        open_campaign(app, "issue");
        app.set_time("2025-07-28T09:00:00Z");
        let (g, o) = (app.gestionnaire(), app.ordonnateur());
        same(adds_up(&g.post(&format!("{PATH}/enrolments"), json!({"filter": {"departement": "30"}, "dry_run": true})).expect(200).json, "enrol"), enrolled.clone(), "enrol");
        let keys = json!({"keys": [enrolled[0], "0301023Z", "nonsense"]});
        assert_eq!(adds_up(&g.post(&format!("{PATH}/enrolments"), keys).expect(200).json, "enrol by keys").len(), 3);
        let payers: Vec<String> = all(&g, "/collectivites", "siret");
        let orphans = enrolled.iter().filter(|uai| uai.as_str() == "0300999Y").cloned();
        let everyone: Vec<String> = payers.iter().cloned().chain(orphans).collect();
        let issue = |body: Value| g.post(&format!("{PATH}/conventions"), body).expect(200).json;
        same(adds_up(&issue(json!({"dry_run": true})), "issue"), everyone.clone(), "issue");
        let issued = issue(json!({}));
        app.forget_jobs();
        for item in issued["items"].as_array().unwrap().iter().filter(|item| item["outcome"] == "issued") {
            live_through(app, item["id"].as_str().unwrap(), item["key"].as_str().unwrap(), drawn(9));
        }
        app.forget_jobs();
        same(adds_up(&issue(json!({"dry_run": true})), "issue again"), everyone, "issue again");
        let by_keys = json!({"keys": [payers[0], payers[1], "21300278500011", "nonsense"], "dry_run": true});
        let by_keys = issue(by_keys);
        assert_eq!(adds_up(&by_keys, "issue by keys").len(), 4, "{by_keys}");

        let mut states = BTreeSet::new();
        for round in 0..4 {
            let what = format!("round {round}");
            let prepared = g.post(&format!("{PATH}/perception-titles"), json!({})).expect(200).json;
            states.extend(prepared["items"].as_array().unwrap().iter().map(|i| i["outcome"].as_str().unwrap().to_owned()));
            same(adds_up(&prepared, &what), asked(app), &what);
            same(adds_up(&g.post(&format!("{PATH}/perception-titles"), json!({"filter": {"departement": "30"}, "dry_run": true})).expect(200).json, &what), asked(app), &what);
            let named = g.post(&format!("{PATH}/perception-titles"), json!({"keys": payers, "dry_run": true})).expect(200).json;
            same(adds_up(&named, &what), payers.clone(), &what);
            let small = json!({"filter": {"departement": "30"}, "reason": "sous le seuil", "dry_run": round % 2 == 0});
            same(adds_up(&o.post(&format!("{PATH}/small-claim-decisions"), small).expect(200).json, &what), asked(app), &what);
            let small = json!({"keys": payers, "reason": "sous le seuil", "dry_run": true});
            same(adds_up(&o.post(&format!("{PATH}/small-claim-decisions"), small).expect(200).json, &what), payers.clone(), &what);
            let waiting: Vec<String> = all(&o, "/perception-titles", "id");
            let living = o.get("/perception-titles?limit=200").expect(200).json;
            let living = living["data"].as_array().unwrap().iter().filter(|t| t["status"] != "withdrawn").map(|t| t["id"].as_str().unwrap().to_owned());
            let approvals = |body: Value| o.post("/perception-titles/approvals", body).expect(200).json;
            same(adds_up(&approvals(json!({"filter": {"campaign": "2025-2026"}, "dry_run": round % 2 == 0})), &what), living, &what);
            same(adds_up(&approvals(json!({"keys": waiting, "dry_run": true})), &what), waiting.clone(), &what);
            app.forget_jobs();
            for id in waiting {
                let action = ["return", "withdraw"][usize::from(drawn(1))];
                if drawn(2) == 0 {
                    o.post(&format!("/perception-titles/{id}/transitions"), json!({"action": action, "reason": "essai"}));
                }
            }
            let closed = all(&g, "/schools?departement=30", "uai")[usize::from(drawn(8))].clone();
            g.json("PATCH", &format!("/schools/{closed}"), &[("if-match", "*")], &json!({"closed_on": "2025-07-01"})).expect(200);
            let lines = g.get(&format!("{PATH}/line-decisions?limit=200")).expect(200).json;
            let lines: Vec<String> = lines["data"].as_array().unwrap().iter().map(|l| l["uai"].as_str().unwrap().to_owned()).collect();
            if !lines.is_empty() {
                let keep = json!({"keys": lines, "choice": "keep", "reason": "vue", "dry_run": true});
                same(adds_up(&g.post(&format!("{PATH}/line-decisions"), keep).expect(200).json, &what), lines, &what);
            }
        }
        assert!(states.contains("not_in_effect") && states.contains("prepared"), "{states:?}");
    }

    fn preparing_counts_conventions_that_wait_for_a_signature(app: &TestApp) {
        register_communes(app, 3);
        open_campaign(app, "issue");
        let g = app.gestionnaire();
        let issued = g.post(&format!("{PATH}/conventions"), json!({})).expect(200).json;
        app.forget_jobs();
        app.set_time("2025-07-28T09:00:00Z");
        let g = app.gestionnaire();
        let id = |n: usize| issued["items"][n]["id"].as_str().unwrap();
        sign_both(app, id(0));
        transition(&g, &format!("/conventions/{}", id(1)), json!({"action": "sign", "signed_on": "2025-07-25", "signatory": {"name": "S. B.", "title": "Maire"}}));
        let view = g.post(&format!("{PATH}/perception-titles"), json!({"dry_run": true})).expect(200).json;
        assert_eq!((&view["prepared"], &view["not_in_effect"], &view["total"]), (&json!(1), &json!(2), &json!("40.00")));
        let waiting: Vec<&Value> = view["items"].as_array().unwrap().iter().filter(|i| i["outcome"] == "not_in_effect").collect();
        assert_eq!((waiting[0]["id"].as_str(), waiting[0]["findings"][0]["code"].as_str()), (Some(id(1)), Some("convention_not_in_effect")));
        assert_eq!((&waiting[0]["findings"][0]["found"], &waiting[1]["findings"][0]["found"]), (&json!("signed"), &json!("issued")));
        let named = g.post(&format!("{PATH}/perception-titles"), json!({"keys": [issued["items"][2]["key"]]})).expect(200).json;
        assert_eq!((&named["not_in_effect"], &named["refused"]), (&json!(1), &json!(0)));
    }
}
