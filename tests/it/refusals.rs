//! Bad input is named: field, rule and value, in French; and nothing is half done.

use serde_json::{Value, json};

use crate::support::year::{campaign, open_campaign, register_seed};
use crate::support::{Response, TestApp};

fn commune() -> Value {
    json!({"siret": "21300278500011", "kind": "commune", "name": "Saint-Laurent-des-Arbres", "insee_code": "30278"})
}

fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
    body
}

/// Expects one field error: where, which rule, and the value received.
fn field(answer: Response, pointer: &str, code: &str, value: &str) {
    let answer = answer.problem(422, "invalid_value");
    let error = &answer.json["errors"][0];
    assert_eq!((error["pointer"].as_str(), error["code"].as_str()), (Some(pointer), Some(code)), "{}", answer.text());
    assert_eq!(error["value"].as_str().unwrap_or("null"), value, "{}", answer.text());
    assert!(error["message"].as_str().unwrap().len() > 10);
}

on_both_databases! {
    fn a_collectivite_is_refused_by_name_of_field_and_rule(app: &TestApp) {
        let gestionnaire = app.gestionnaire();
        let post = |body: Value| gestionnaire.post("/collectivites", body);
        field(post(with(commune(), "/siret", json!("2,13003E+13"))), "/siret", "scientific_notation", "2,13003E+13");
        field(post(with(commune(), "/siret", json!("21300278500012"))), "/siret", "siret_key", "21300278500012");
        field(post(with(commune(), "/name", json!("é".repeat(201)))), "/name", "too_long", &format!("{}…", "é".repeat(79)));
        field(post(with(commune(), "/name", json!("Al\u{0}ès"))), "/name", "unprintable_character", "Al\u{0}ès");
        field(post(with(commune(), "/name", json!(12))), "/name", "wrong_type", "12");
        field(post(with(commune(), "/kind", json!("ville"))), "/kind", "unknown_value", "ville");
        field(post(with(commune(), "/address", json!({"postal_code": "9240"}))), "/address/postal_code", "postal_code_format", "9240");
        let unknown = post(with(commune(), "/sirett", json!("x"))).problem(400, "unknown_field");
        assert_eq!(unknown.json["errors"][0]["pointer"], "/sirett");
        let missing = post(json!({"siret": "21300278500011", "kind": "commune"})).problem(422, "invalid_value");
        assert_eq!((&missing.json["errors"][0]["pointer"], &missing.json["errors"][0]["code"]), (&json!("/name"), &json!("missing_field")));
        assert_eq!(gestionnaire.get("/collectivites").json["data"], json!([]), "nothing is half done");
        post(commune()).expect(201);
        post(commune()).problem(409, "siret_taken");
    }

    fn a_school_and_a_campaign_too(app: &TestApp) {
        let gestionnaire = app.gestionnaire();
        let school = json!({"uai": "0301023A", "name": "Ecole", "kind": "primaire", "sector": "public", "insee_code": "30278",
                            "commune_name": "Saint-Laurent-des-Arbres"});
        field(gestionnaire.post("/schools", school.clone()), "/uai", "uai_key", "0301023A");
        let payer = with(with(school, "/uai", json!("0301023Z")), "/payer_siret", json!("21300278500011"));
        gestionnaire.post("/schools", payer).problem(422, "payer_unknown");
        let post = |body: Value| gestionnaire.post("/campaigns", body);
        field(post(with(campaign("issue"), "/school_year", json!("2025-2027"))), "/school_year", "school_year_not_consecutive", "2025-2027");
        field(post(with(campaign("issue"), "/tariff/unit_amount", json!("40.000"))), "/tariff/unit_amount", "amount_format", "40.000");
        field(post(with(campaign("issue"), "/tariff/unit_amount", json!("40,00"))), "/tariff/unit_amount", "amount_format", "40,00");
        field(post(with(campaign("issue"), "/tariff/unit_amount", json!(40))), "/tariff/unit_amount", "wrong_type", "40");
        field(post(with(campaign("issue"), "/ends_on", json!("2024-09-05"))), "/ends_on", "date_order", "2024-09-05");
        gestionnaire.get("/campaigns/2025-2026").problem(404, "not_found");
        gestionnaire.get("/campaigns/2025-2027").problem(422, "invalid_value");
        post(campaign("issue")).expect(201);
        post(campaign("issue")).problem(409, "campaign_exists");
        // Not open: no convention yet.
        let early = gestionnaire.post("/campaigns/2025-2026/conventions", json!({})).problem(409, "campaign_state");
        assert_eq!(early.json["allowed_actions"], json!(["open"]));
    }

    fn files_and_bodies_that_are_none_are_refused(app: &TestApp) {
        let gestionnaire = app.gestionnaire();
        for (bytes, code) in [(&b""[..], "empty_file"), (&b"\x00\x01\x02\xff\xfe binary \x00"[..], "binary_file")] {
            let refused = gestionnaire.upload("/schools/imports", "annuaire.csv", bytes).problem(422, "file_refused");
            assert_eq!(refused.json["errors"][0]["code"], code);
        }
        let big = vec![b'a'; 60 * 1024 * 1024];
        gestionnaire.upload("/schools/imports", "annuaire.csv", &big).problem(413, "payload_too_large");
        let body = json!({"name": "a".repeat(3_000_000)});
        gestionnaire.post("/collectivites", body).problem(413, "payload_too_large");
        gestionnaire.send("POST", "/api/v1/collectivites", &[("content-type", "application/json")], b"{\"siret\":".to_vec()).problem(400, "malformed_json");
        assert_eq!(gestionnaire.get("/schools").json["data"], json!([]));
    }

    fn a_convention_is_moved_only_as_its_state_allows(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let gestionnaire = app.gestionnaire();
        let id = gestionnaire.post("/campaigns/2025-2026/conventions", json!({})).expect(200).json["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/conventions/{id}/transitions");
        let who = json!({"name": "Sylvie BARRIEU VIGNAL", "title": "Maire"});
        let act = |action: &str, on: &str| gestionnaire.post(&path, json!({"action": action, "signed_on": on, "signatory": who}));
        let early = act("countersign", "2025-06-05").problem(409, "convention_state");
        assert_eq!((&early.json["current_state"], &early.json["allowed_actions"]), (&json!("issued"), &json!(["sign", "decline", "cancel"])));
        act("sign", "2025-06-06").problem(422, "date_in_future");
        gestionnaire.post(&path, json!({"action": "sign"})).problem(422, "invalid_value");
        gestionnaire.post(&path, json!({"action": "sign", "signed_on": "2025-06-05", "signatory": who, "reason": "x"})).problem(422, "invalid_value");
        app.lecteur().post(&path, json!({"action": "sign"})).problem(403, "forbidden");
        let stale = gestionnaire.json("POST", &path, &[("if-match", "\"9\"")], &json!({"action": "cancel", "reason": "essai"}));
        stale.problem(412, "precondition_failed");
        act("sign", "2025-06-05").expect(200);
        let actions = gestionnaire.get(&path).expect(200).json;
        assert_eq!(actions["current_state"], "signed");
        let sign = &actions["actions"][0];
        assert_eq!((&sign["action"], &sign["allowed"]), (&json!("sign"), &json!(false)));
        assert_eq!((&sign["code"], &sign["reason"]), (&json!("convention_state"), &json!("La signature de la collectivité est déjà enregistrée.")));
        // Last signature after the end: the convention would have no duration.
        app.set_time("2026-09-10T08:00:00Z");
        let gestionnaire = app.gestionnaire();
        let late = json!({"action": "countersign", "signed_on": "2026-09-06", "signatory": who});
        gestionnaire.post(&path, late).problem(409, "convention_ended");
        // Recording late what was signed in time is normal.
        let in_time = json!({"action": "countersign", "signed_on": "2026-08-30", "signatory": who});
        let active = gestionnaire.post(&path, in_time).expect(200).json;
        let codes: Vec<&str> = active["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
        assert!(codes.contains(&"effect_after_school_start"), "{codes:?}");
    }

    fn a_cancelled_convention_frees_its_schools(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let gestionnaire = app.gestionnaire();
        let issue = || gestionnaire.post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
        let id = issue()["items"][0]["id"].as_str().unwrap().to_owned();
        gestionnaire.delete("/campaigns/2025-2026/enrolments/0301023Z").problem(409, "enrolment_covered");
        let cancel = json!({"action": "cancel", "reason": "mauvaise liste d'écoles"});
        let cancelled = gestionnaire.post(&format!("/conventions/{id}/transitions"), cancel).expect(200).json;
        assert_eq!(cancelled["status"], "cancelled");
        gestionnaire.delete("/campaigns/2025-2026/enrolments/0301023Z").expect(204);
        assert_eq!(issue()["cancelled"], 1, "a person cancelled: only a person issues again");
        let named = json!({"keys": ["21300278500011"]});
        let again = gestionnaire.post("/campaigns/2025-2026/conventions", named).expect(200).json;
        assert_eq!((&again["issued"], &again["total"]), (&json!(1), &json!("40.00")));
        let second = &gestionnaire.get("/conventions?status=issued").json["data"][0];
        assert_eq!((&second["sequence"], &second["number"]), (&json!(2), &json!("ENT-C-2025-2026-00002")));
        assert_eq!(second["sequence_reason"], "remplace ENT-C-2025-2026-00001");
        // A school enrolled after the convention is told, not slipped in.
        gestionnaire.put("/campaigns/2025-2026/enrolments/0301023Z", json!({"origin": "mairie"})).expect(201);
        let late = issue();
        let finding = &late["items"][0]["findings"][0];
        assert_eq!((&finding["code"], &finding["found"]), (&json!("enrolment_not_covered"), &json!("0301023Z")));
    }

    fn conventions_expire_but_the_debt_stays(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let id = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).json["items"][0]["id"].as_str().unwrap().to_owned();
        app.set_time("2025-07-28T09:00:00Z");
        crate::support::year::sign_both(app, &id);
        app.set_time("2026-09-06T08:00:00Z");
        app.db.write(ent_backoffice::conventions::enqueue_expiry).unwrap();
        app.run_jobs();
        assert_eq!(app.gestionnaire().get(&format!("/conventions/{id}")).json["status"], "expired");
        let prepared = app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
        assert_eq!(prepared["prepared"], 1);
    }

    fn a_successor_owes_what_the_signatory_promised(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let id = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).json["items"][0]["id"].as_str().unwrap().to_owned();
        app.set_time("2025-07-28T09:00:00Z");
        crate::support::year::sign_both(app, &id);
        let gestionnaire = app.gestionnaire();
        let heir = json!({"siret": "21300001100014", "kind": "commune", "name": "Aigaliers", "insee_code": "30001"});
        gestionnaire.post("/collectivites", heir).expect(201);
        let succession = json!({"kind": "commune_nouvelle", "successor_siret": "21300001100014", "effective_on": "2025-07-27",
                                "act_reference": "arrêté préfectoral du 1er juillet 2025"});
        gestionnaire.post("/collectivites/21300278500011/successions", succession.clone()).expect(201);
        gestionnaire.post("/collectivites/21300278500011/successions", succession).problem(409, "succession_exists");
        let prepared = gestionnaire.post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
        assert_eq!(prepared["items"][0]["findings"][0]["code"], "debtor_changed");
        let title = &gestionnaire.get("/perception-titles").json["data"][0];
        assert_eq!(title["debtor"]["siret"], "21300001100014");
        let substitution = title["debtor"]["substitution"].as_str().unwrap();
        assert!(substitution.contains("la commune de Saint-Laurent-des-Arbres") && substitution.contains("1er juillet 2025"), "{substitution}");
    }

    fn a_list_is_no_object_at_any_depth(app: &TestApp) {
        register_seed(app);
        let gestionnaire = app.gestionnaire();
        gestionnaire.post("/campaigns", crate::support::year::campaign("issue")).expect(201);
        let refused = |answer: crate::support::Response, pointer: &str| {
            let problem = answer.problem(422, "invalid_value").json;
            assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!("wrong_type")));
        };
        refused(gestionnaire.put("/campaigns/2025-2026/enrolments/0301023Z", json!([null, null])), "");
        // An empty list would be a filter that lets every school through.
        refused(gestionnaire.post("/campaigns/2025-2026/enrolments", json!({"filter": []})), "/filter");
        assert_eq!(gestionnaire.get("/campaigns/2025-2026/enrolments").json["data"], json!([]));
        let commune = json!({"siret": "21300001100014", "kind": "commune", "name": "Aigaliers", "address": []});
        refused(gestionnaire.post("/collectivites", commune), "/address");
        let patch = gestionnaire.patch("/collectivites/21300278500011", 1, json!({"chorus": ["SERVICE", null, null]}));
        refused(patch, "/chorus");
    }

    fn a_header_that_cannot_be_read_is_not_taken_for_absent(app: &TestApp) {
        register_seed(app);
        let gestionnaire = app.gestionnaire();
        let key = gestionnaire.json("POST", "/campaigns", &[("idempotency-key", "clé")], &crate::support::year::campaign("issue"));
        assert_eq!(key.problem(422, "invalid_value").json["errors"][0]["pointer"], "header/Idempotency-Key");
        gestionnaire.post("/campaigns", crate::support::year::campaign("issue")).expect(201);
        let opening = json!({"action": "open"});
        let stale = gestionnaire.json("POST", "/campaigns/2025-2026/transitions", &[("if-match", "été")], &opening);
        stale.problem(422, "invalid_value");
        assert_eq!(gestionnaire.get("/campaigns/2025-2026").json["state"], "preparing");
    }

    fn one_siret_begins_after_another(app: &TestApp) {
        register_seed(app);
        let gestionnaire = app.gestionnaire();
        let replace = |old: &str, new: &str, from: &str| {
            gestionnaire.post(&format!("/collectivites/{old}/sirets"), json!({"siret": new, "from": from}))
        };
        replace("21300278500011", "21300278500029", "2025-06-01").expect(201);
        let early = replace("21300278500029", "21300278500037", "2025-06-01").problem(422, "invalid_value").json;
        assert_eq!((&early["errors"][0]["pointer"], &early["errors"][0]["code"]), (&json!("/from"), &json!("date_order")));
        replace("21300278500029", "21300278500037", "2025-06-02").expect(201);
    }

    fn a_siret_whose_siren_is_wrong_never_enters_the_list(app: &TestApp) {
        let gestionnaire = app.gestionnaire();
        let wrong = json!({"siret": "63535963977110", "kind": "autre", "name": "Personne"});
        let problem = gestionnaire.post("/collectivites", wrong).problem(422, "invalid_value").json;
        assert_eq!(problem["errors"][0]["code"], "siren_key");
        gestionnaire.get("/collectivites").expect(200);
    }

    fn nobody_succeeds_to_oneself(app: &TestApp) {
        register_seed(app);
        let gestionnaire = app.gestionnaire();
        let path = "/collectivites/21300278500011/successions";
        let heir = |siret: &str| json!({"kind": "transfer", "successor_siret": siret, "effective_on": "2025-01-01", "act_reference": "arrêté"});
        gestionnaire.post(path, heir("21300278500011")).problem(422, "succession_loop");
        let other = json!({"siret": "21300001100014", "kind": "commune", "name": "Aigaliers"});
        gestionnaire.post("/collectivites", other).expect(201);
        gestionnaire.post(path, heir("21300001100014")).expect(201);
        gestionnaire.post(path, heir("21300278500011")).problem(422, "succession_loop");
    }

    fn a_commune_is_in_a_department(app: &TestApp) {
        let school = json!({"uai": "0301023Z", "name": "Ecole", "kind": "primaire", "sector": "public", "insee_code": "00000",
                            "commune_name": "Nulle Part"});
        let problem = app.gestionnaire().post("/schools", school).problem(422, "invalid_value").json;
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!("/insee_code"), &json!("insee_departement")));
    }

    fn a_former_siret_still_leads_to_the_collectivite(app: &TestApp) {
        register_seed(app);
        let gestionnaire = app.gestionnaire();
        let new = json!({"siret": "21300278500029", "from": "2025-06-01"});
        gestionnaire.post("/collectivites/21300278500011/sirets", new).expect(201);
        let found = gestionnaire.get("/collectivites/21300278500011").expect(200).json;
        assert_eq!((&found["siret"], &found["findings"][0]["code"]), (&json!("21300278500029"), &json!("siret_replaced")));
        let stale = gestionnaire.patch("/collectivites/21300278500029", 1, json!({"name": "X"}));
        stale.problem(412, "precondition_failed");
        gestionnaire.json("PATCH", "/collectivites/21300278500029", &[], &json!({"name": "X"})).problem(428, "precondition_required");
    }
}
