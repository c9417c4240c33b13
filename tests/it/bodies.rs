//! What callers read and what papers print, whole: literal copies of one year (see `support::snapshot`).

use serde_json::Value;

use crate::support::databases::text_rows;
use crate::support::snapshot::same;
use crate::support::year::{approve, issue, open_campaign, prepare, register_communes, register_seed, seal, sign_both};
use crate::support::{TestApp, year};

const YEAR: &str = "/campaigns/2025-2026";
const SEED: &str = "21300278500011";

fn stored(app: &TestApp, sql: &str) -> Value {
    serde_json::from_str(&text_rows(&app.db, sql).remove(0)).unwrap()
}

on_both_databases! {
    fn one_of_each_resource_reads_as_its_copy(app: &TestApp) {
        let g = app.gestionnaire();
        register_seed(app);
        register_communes(app, 1);
        open_campaign(app, "do_not_issue");
        let one = |name: &str, path: &str| same(name, &g.get(path).expect(200).json);
        one("collectivite", &format!("/collectivites/{SEED}"));
        one("school", "/schools/0301023Z");
        one("campaign", YEAR);
        one("enrolments", &format!("{YEAR}/enrolments?limit=2"));
        let ids = issue(app);
        app.run_jobs();
        app.set_time("2025-07-28T09:00:00Z");
        ids.iter().for_each(|id| sign_both(app, id));
        let g = app.gestionnaire();
        let one = |name: &str, path: &str| same(name, &g.get(path).expect(200).json);
        let mine = g.get(&format!("/conventions?collectivite={SEED}")).expect(200).json["data"][0]["id"].as_str().unwrap().to_owned();
        one("convention", &format!("/conventions/{mine}"));
        one("participation", &format!("/conventions/{mine}/participation"));
        one("convention_transitions", &format!("/conventions/{mine}/transitions"));
        same("convention_paper", &stored(app, &format!("SELECT content AS line FROM papers WHERE subject_id = '{mine}'")));
        same("preparation", &prepare(app));
        let title = g.get("/perception-titles").expect(200).json["data"][0]["id"].as_str().unwrap().to_owned();
        one("title_prepared", &format!("/perception-titles/{title}"));
        one("small_claim_decisions", &format!("{YEAR}/small-claim-decisions"));
        same("decision_paper", &stored(app, "SELECT content AS line FROM papers WHERE kind = 'decision'"));
        app.set_time("2025-07-29T09:00:00Z");
        approve(app);
        app.run_jobs();
        let g = app.gestionnaire();
        let one = |name: &str, path: &str| same(name, &g.get(path).expect(200).json);
        one("title_approved", &format!("/perception-titles/{title}"));
        same("title_paper", &stored(app, "SELECT content AS line FROM papers WHERE kind = 'demand'"));
        same("batch", &seal(app).expect(201).json);
        let story = app.admin().get(&format!("/audit-events?subject={mine}&sort=at")).expect(200).json;
        same("journal_of_a_convention", &story);
    }

    fn one_problem_of_each_family_reads_as_its_copy(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        let send = |name: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
            let headers = [&[("x-request-id", "requete-de-test")], headers].concat();
            let answer = g.send(method, &format!("/api/v1{path}"), &headers, body.as_bytes().to_vec());
            assert!(answer.status >= 400, "{name}: {}", answer.text());
            same(&format!("problem_{name}"), &answer.json);
        };
        let json = ("content-type", "application/json");
        send("malformed_json", "POST", "/campaigns", &[json], "{");
        send("unknown_field", "POST", "/campaigns", &[json], "{\"annee\": 1}");
        send("unknown_parameter", "GET", "/conventions?annee=2025", &[], "");
        send("bad_value", "POST", "/campaigns", &[json], &year::campaign("issue").to_string().replace("\"40.00\"", "\"quarante\""));
        send("bad_key", "GET", "/collectivites/21300278500012", &[], "");
        send("not_found", "GET", "/campaigns/2030-2031", &[], "");
        send("method_not_allowed", "DELETE", "/conventions", &[], "");
        send("media_type", "POST", "/campaigns", &[("content-type", "text/plain")], "x");
        send("precondition_required", "PATCH", "/schools/0301023Z", &[json], "{}");
        send("precondition_failed", "PATCH", "/schools/0301023Z", &[json, ("if-match", "\"9\"")], "{}");
        send("forbidden", "POST", "/accounting-batches", &[json], "{\"campaign\": \"2025-2026\"}");
        open_campaign(app, "issue");
        send("state", "POST", &format!("{YEAR}/transitions"), &[json], "{\"action\": \"open\"}");
        send("taken", "POST", "/campaigns", &[json], &year::campaign("issue").to_string());
        let nobody = app.anonymous().send("GET", "/api/v1/me", &[("x-request-id", "requete-de-test")], Vec::new());
        same("problem_unauthenticated", &nobody.json);
        app.tamper("campaigns", "UPDATE campaigns SET tariff = '{'");
        send("integrity_fault", "GET", YEAR, &[], "");
    }
}
