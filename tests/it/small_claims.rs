//! Claims under the threshold: what each policy would leave untitled, decisions with their paper, and back.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::papers::text_of;
use crate::support::year::{active_campaign, prepare, register_communes, register_seed};

fn set_policy(app: &TestApp, policy: &str) {
    let campaign = app.gestionnaire().get("/campaigns/2025-2026").json;
    let patch = json!({"small_claims": {"policy": policy}});
    app.gestionnaire().patch("/campaigns/2025-2026", campaign["version"].as_i64().unwrap(), patch).expect(200);
}

fn decisions(app: &TestApp, query: &str) -> Vec<Value> {
    let list = app.comptable().get(&format!("/campaigns/2025-2026/small-claim-decisions{query}")).expect(200).json;
    list["data"].as_array().unwrap().clone()
}

/// The seed's commune owes 80 €; three others 40 € each.
fn four_payers(app: &TestApp, policy: &str) {
    register_seed(app);
    register_communes(app, 3);
    active_campaign(app, policy);
}

on_both_databases! {
    fn a_dry_run_says_what_each_policy_would_leave_untitled(app: &TestApp) {
        four_payers(app, "issue");
        let dry = app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({"dry_run": true})).expect(200).json;
        let seen = &dry["small_claims"];
        assert_eq!((&seen["threshold"], &seen["policy"]), (&json!("50.00"), &json!("issue")));
        assert_eq!((&seen["payers"], &seen["total"]), (&json!(3), &json!("120.00")));
        let by_policy: Vec<_> = seen["by_policy"].as_array().unwrap().iter()
            .map(|p| (p["policy"].as_str().unwrap(), &p["untitled_payers"], &p["untitled_total"], &p["flagged_payers"], &p["flagged_total"]))
            .collect();
        let (three, much, zero, none) = (json!(3), json!("120.00"), json!(0), json!("0.00"));
        assert_eq!(
            by_policy,
            [("issue", &zero, &none, &zero, &none), ("do_not_issue", &three, &much, &zero, &none), ("flag", &zero, &none, &three, &much)]
        );
        assert_eq!(app.gestionnaire().get("/perception-titles").json["data"], json!([]), "a dry run writes nothing");
        let sums = app.gestionnaire().get("/campaigns/2025-2026/participations").expect(200).json;
        assert_eq!(sums["small_claims"]["payers"], 3);
    }

    fn a_page_says_what_reading_the_whole_campaign_would(app: &TestApp) {
        four_payers(app, "issue");
        let g = app.gestionnaire();
        let year = "/campaigns/2025-2026";
        let all = g.get(&format!("{year}/participations?sort=-amount")).expect(200).json;
        let siret = |n: usize| all["data"][n]["siret"].clone();
        // The seed loses one of its two schools and becomes small; of the others one is titled, one left untitled.
        g.patch("/schools/0301015R", g.get("/schools/0301015R").json["version"].as_i64().unwrap(), json!({"closed_on": "2025-07-27"})).expect(200);
        let blocked = g.get(&format!("{year}/participations?titling=blocked")).expect(200).json;
        assert_eq!((&blocked["conventions"], &blocked["data"][0]["siret"]), (&json!(1), &siret(0)));
        let word = json!({"keys": ["0301015R"], "choice": "reduce", "reason": "fusion"});
        assert_eq!(g.post(&format!("{year}/line-decisions"), word).expect(200).json["decided"], 1);
        assert_eq!(g.post(&format!("{year}/perception-titles"), json!({"keys": [siret(1)]})).expect(200).json["prepared"], 1);
        let left = json!({"keys": [siret(2)], "reason": "insolvable"});
        assert_eq!(app.ordonnateur().post(&format!("{year}/small-claim-decisions"), left).expect(200).json["decided"], 1);
        for query in ["limit=200", "departement=30", "departement=31", "sort=-amount", "sort=name", "q=commune", "status=active", "kind=commune", "status=issued"] {
            let page = g.get(&format!("{year}/participations?{query}")).expect(200).json;
            let whole = g.get(&format!("{year}/participations?{query}&updated_since=2000-01-01T00:00:00Z")).expect(200).json;
            for field in ["conventions", "schools", "total", "departements", "small_claims", "data"] {
                assert_eq!(page[field], whole[field], "{query}: {field}");
            }
        }
        let page = g.get(&format!("{year}/participations?sort=-amount")).expect(200).json;
        assert_eq!((&page["total"], &page["small_claims"]["payers"], &page["small_claims"]["total"]), (&json!("200.00"), &json!(4), &json!("160.00")));
        let mut fates: Vec<&str> = page["data"].as_array().unwrap().iter().map(|row| row["titling"].as_str().unwrap()).collect();
        fates.sort_unstable();
        assert_eq!(fates, ["not_issued", "titled", "to_title", "to_title"]);
        // Page by page, and one by one, the same is said.
        let (mut walked, mut cursor) = (Vec::new(), String::new());
        loop {
            let part = g.get(&format!("{year}/participations?sort=-amount&limit=1{cursor}")).expect(200).json;
            assert_eq!(part["small_claims"], page["small_claims"], "sums are of all pages");
            walked.extend(part["data"].as_array().unwrap().clone());
            let Some(next) = part["meta"]["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(json!(walked), page["data"]);
        for row in &walked {
            let one = g.get(&format!("/conventions/{}/participation", row["convention_id"].as_str().unwrap())).expect(200).json;
            for field in ["number", "total", "titling", "due", "titled", "untitled", "small_claim", "threshold", "decision"] {
                assert_eq!(one[field], row[field], "{field}");
            }
        }
    }

    fn decisions_are_one_act_with_its_paper_and_are_seen_in_participations(app: &TestApp) {
        four_payers(app, "do_not_issue");
        let dry = app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({"dry_run": true})).expect(200).json;
        assert_eq!((&dry["not_issued"], decisions(app, "").len()), (&json!(3), 0));
        let prepared = prepare(app);
        assert_eq!((&prepared["prepared"], &prepared["not_issued"]), (&json!(1), &json!(3)));
        let taken = decisions(app, "");
        assert_eq!(taken.len(), 3);
        for d in &taken {
            assert_eq!((&d["status"], &d["act_number"], &d["amount"], &d["threshold"]), (&json!("in_force"), &json!("ENT-D-2025-0001"), &json!("40.00"), &json!("50.00")));
            assert_eq!((&d["origin"], &d["decided_by"]), (&json!("policy"), &json!("Camille Le gestionnaire")));
        }
        // The paper is made by its job, once; every decision of the act leads to the same bytes.
        assert_eq!(app.run_jobs() % 5, 0, "four conventions' papers and the act's");
        let papers: Vec<_> = taken.iter().map(|d| app.comptable().get(&format!("/small-claim-decisions/{}/document", d["id"].as_str().unwrap())).expect(200)).collect();
        assert!(papers.iter().all(|p| p.bytes == papers[0].bytes && p.header("etag") == papers[0].header("etag")));
        let text = text_of(&papers[0].bytes);
        for words in [
            "DÉCISION DE NE PAS ÉMETTRE DE TITRE DE PERCEPTION",
            "n° ENT-D-2025-0001 — année scolaire 2025-2026",
            "faculté ouverte par l’article 114 du décret n° 2012-1246",
            "les 3 créances énumérées ci-dessous",
            "cent vingt euros",
            "Camille Le gestionnaire",
        ] {
            assert!(text.contains(words), "{words}\nin\n{text}");
        }
        let rows = app.gestionnaire().get("/campaigns/2025-2026/participations?titling=not_issued").expect(200).json;
        assert_eq!((&rows["conventions"], &rows["total"]), (&json!(3), &json!("120.00")));
        let row = &rows["data"][0];
        assert_eq!((&row["small_claim"], &row["untitled"], &row["decision"]["act_number"]), (&json!(true), &json!("40.00"), &json!("ENT-D-2025-0001")));
        let one = app.gestionnaire().get(&format!("/conventions/{}/participation", row["convention_id"].as_str().unwrap())).json;
        assert_eq!((&one["titling"], &one["decision"]["id"]), (&json!("not_issued"), &row["decision"]["id"]));
        // Asked again, nothing new is decided.
        assert_eq!((&prepare(app)["not_issued"], decisions(app, "").len()), (&json!(3), 3));
    }

    fn a_decision_is_revoked_with_a_reason_until_the_campaign_closes(app: &TestApp) {
        four_payers(app, "do_not_issue");
        prepare(app);
        let taken = decisions(app, "");
        let path = format!("/small-claim-decisions/{}/transitions", taken[0]["id"].as_str().unwrap());
        let (gestionnaire, ordonnateur) = (app.gestionnaire(), app.ordonnateur());
        // The policy left it untitled when the gestionnaire prepared; going back on it is the ordonnateur's.
        gestionnaire.post(&path, json!({"action": "revoke", "reason": "essai"})).problem(403, "forbidden");
        gestionnaire.post("/campaigns/2025-2026/small-claim-decisions", json!({"filter": {}, "reason": "essai"})).problem(403, "forbidden");
        ordonnateur.post(&path, json!({"action": "revoke"})).problem(422, "invalid_value");
        app.lecteur().post(&path, json!({"action": "revoke", "reason": "essai"})).problem(403, "forbidden");
        assert_eq!(ordonnateur.get(&path).expect(200).json["actions"][0]["allowed"], true);
        let revoked = ordonnateur.post(&path, json!({"action": "revoke", "reason": "la commune demande son titre"})).expect(200).json;
        assert_eq!((&revoked["status"], &revoked["revoked_reason"]), (&json!("revoked"), &json!("la commune demande son titre")));
        ordonnateur.post(&path, json!({"action": "revoke", "reason": "encore"})).problem(409, "decision_state");
        assert_eq!((decisions(app, "?status=revoked").len(), decisions(app, "?status=in_force").len()), (1, 2));
        // The policy is still `do_not_issue`: this one is titled all the same, the others stay untitled.
        let again = prepare(app);
        assert_eq!((&again["prepared"], &again["not_issued"], &again["total"]), (&json!(1), &json!(2), &json!("40.00")));
        // Closing makes decisions final.
        ordonnateur.post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
        ordonnateur.post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
        gestionnaire.post("/campaigns/2025-2026/transitions", json!({"action": "close"})).expect(200);
        let other = format!("/small-claim-decisions/{}/transitions", taken[1]["id"].as_str().unwrap());
        ordonnateur.post(&other, json!({"action": "revoke", "reason": "trop tard"})).problem(409, "campaign_state");
        let final_now = ordonnateur.get(&other).json["actions"][0].clone();
        assert_eq!((&final_now["allowed"], &final_now["code"]), (&json!(false), &json!("campaign_state")));
        let refused = gestionnaire.post("/campaigns/2025-2026/perception-titles", json!({})).problem(409, "campaign_state");
        assert_eq!(refused.json["allowed_actions"], json!(["reopen"]));
        // Nothing due is lost: the campaign opens again, with a reason.
        let reopen = "/campaigns/2025-2026/transitions";
        gestionnaire.post(reopen, json!({"action": "reopen"})).problem(422, "invalid_value");
        gestionnaire.post(reopen, json!({"action": "reopen", "reason": "titre réclamé par la commune"})).expect(200);
        ordonnateur.post(&other, json!({"action": "revoke", "reason": "titre réclamé"})).expect(200);
        assert_eq!(prepare(app)["prepared"], 1);
    }

    fn a_person_decides_for_chosen_payers_whatever_the_policy(app: &TestApp) {
        four_payers(app, "issue");
        let ordonnateur = app.ordonnateur();
        let path = "/campaigns/2025-2026/small-claim-decisions";
        ordonnateur.post(path, json!({"reason": "x"})).problem(422, "keys_or_filter");
        ordonnateur.post(path, json!({"keys": []})).problem(422, "invalid_value");
        let small = decisions_of(app);
        let body = json!({"keys": [small[0], "21300278500011", "21300278500012"], "reason": "commune sinistrée"});
        let decided = ordonnateur.post(path, body.clone()).expect(200).json;
        assert_eq!((&decided["decided"], &decided["not_small"], &decided["refused"], &decided["total"]), (&json!(1), &json!(1), &json!(1), &json!("40.00")));
        assert_eq!(ordonnateur.post(path, body).expect(200).json["already_decided"], 1);
        let taken = decisions(app, "");
        assert_eq!((&taken[0]["origin"], &taken[0]["reason"]), (&json!("person"), &json!("commune sinistrée")));
        // Under `issue` the others are titled; hers stays untitled, and so it does under `flag`.
        assert_eq!((&prepare(app)["prepared"], &prepare(app)["not_issued"]), (&json!(3), &json!(1)));
        set_policy(app, "flag");
        assert_eq!(prepare(app)["not_issued"], 1);
        assert_eq!(decisions(app, "?status=in_force").len(), 1);
        // Titled already: nothing to decide any more.
        let late = ordonnateur.post(path, json!({"keys": [small[1]], "reason": "trop tard"})).expect(200).json;
        assert_eq!(late["already_prepared"], 1);
    }

    fn no_campaign_says_a_threshold_above_the_decree(app: &TestApp) {
        let g = app.gestionnaire();
        let with = |threshold: &str| {
            let mut body = crate::support::year::campaign("do_not_issue");
            body["small_claims"]["threshold"] = json!(threshold);
            body
        };
        let refused = g.post("/campaigns", with("50.01")).problem(422, "invalid_value").json;
        let error = &refused["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"], &error["value"]),
            (&json!("/small_claims/threshold"), &json!("threshold_above_regulation"), &json!("50.01"))
        );
        assert!(error["message"].as_str().unwrap().contains("50.00"), "{error}");
        g.post("/campaigns", with("50.00")).expect(201);
        let patch = |threshold: &str| g.json("PATCH", "/campaigns/2025-2026", &[("if-match", "*")], &json!({"small_claims": {"threshold": threshold}}));
        let refused = patch("100").problem(422, "invalid_value").json;
        assert_eq!((&refused["errors"][0]["pointer"], &refused["errors"][0]["value"]), (&json!("/small_claims/threshold"), &json!("100.00")));
        assert_eq!(patch("45").expect(200).json["small_claims"]["threshold"], "45.00");
    }

    fn the_threshold_is_that_of_the_day_and_never_above_the_decree(app: &TestApp) {
        register_seed(app);
        register_communes(app, 1);
        active_campaign(app, "do_not_issue");
        // Stored before such thresholds were refused: capped, told, and no obstacle to another change.
        app.sql("UPDATE campaigns SET small_claims_threshold_cents = 10000").unwrap();
        let campaign = app.gestionnaire().get("/campaigns/2025-2026").json;
        assert!(campaign["findings"].as_array().unwrap().iter().any(|f| f["code"] == "threshold_above_regulation"));
        let version = campaign["version"].as_i64().unwrap();
        app.gestionnaire().patch("/campaigns/2025-2026", version, json!({"response_deadline": "2025-11-01"})).expect(200);
        let prepared = prepare(app);
        assert_eq!((&prepared["prepared"], &prepared["not_issued"], &prepared["small_claims"]["threshold"]), (&json!(1), &json!(1), &json!("50.00")));
    }
}

/// SIRETs of the payers of 40 €.
fn decisions_of(app: &TestApp) -> Vec<String> {
    let rows = app.gestionnaire().get("/campaigns/2025-2026/participations").expect(200).json;
    let small = rows["data"].as_array().unwrap().iter().filter(|r| r["small_claim"] == true);
    small.map(|r| r["siret"].as_str().unwrap().to_owned()).collect()
}
