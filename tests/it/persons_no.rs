//! A person's no lasts: no act in number, import or job passes over it; who names the thing takes it up again.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::year::{active_campaign, open_campaign, prepare, register_communes, register_seed, sign_both};

const SEED: &str = "21300278500011";
const CONVENTIONS: &str = "/campaigns/2025-2026/conventions";
const TITLES: &str = "/campaigns/2025-2026/perception-titles";

fn codes(item: &Value) -> Vec<&str> {
    item["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect()
}

fn decline(app: &TestApp, id: &str) -> Value {
    let no = json!({"action": "decline", "declined_on": "2025-06-05", "declined_by": "Sylvie BARRIEU VIGNAL, maire",
                    "reason": "le conseil a voté contre"});
    app.gestionnaire().post(&format!("/conventions/{id}/transitions"), no).expect(200).json
}

/// One convention of the seed's commune, issued.
fn issued(app: &TestApp) -> String {
    register_seed(app);
    open_campaign(app, "issue");
    app.forget_jobs();
    let view = app.gestionnaire().post(CONVENTIONS, json!({})).expect(200).json;
    view["items"][0]["id"].as_str().unwrap().to_owned()
}

fn act(app: &TestApp, id: &str, action: &str) -> crate::support::Response {
    let body = json!({"action": action, "reason": format!("motif de {action}")});
    let client = if action == "resubmit" { app.gestionnaire() } else { app.ordonnateur() };
    client.post(&format!("/perception-titles/{id}/transitions"), body)
}

fn approve(app: &TestApp, body: Value) -> Value {
    app.ordonnateur().post("/perception-titles/approvals", body).expect(200).json
}

fn by_filter() -> Value {
    json!({"filter": {"campaign": "2025-2026"}})
}

on_both_databases! {
    fn a_commune_that_declined_is_not_issued_to_again_unless_named(app: &TestApp) {
        let id = issued(app);
        let declined = decline(app, &id);
        assert_eq!(declined["status"], "declined");
        let said = &declined["refusal"];
        assert_eq!((&said["declined_on"], &said["declined_by"]), (&json!("2025-06-05"), &json!("Sylvie BARRIEU VIGNAL, maire")));
        assert_eq!((&said["reason"], &said["recorded_by"]), (&json!("le conseil a voté contre"), &json!("Camille Le gestionnaire")));
        // The dry run and the act say the same, by filter or for all.
        let g = app.gestionnaire();
        for body in [json!({"dry_run": true}), json!({}), json!({"filter": {"departement": "30"}})] {
            let view = g.post(CONVENTIONS, body).expect(200).json;
            assert_eq!((&view["issued"], &view["declined"], &view["total"]), (&json!(0), &json!(1), &json!("0.00")));
            assert_eq!((&view["items"][0]["id"], codes(&view["items"][0])), (&json!(id), vec!["declined_before"]));
        }
        let list = g.get("/conventions?status=declined").expect(200).json;
        assert_eq!(list["data"][0]["refusal"]["reason"], "le conseil a voté contre");
        assert_eq!(g.get("/conventions?status=issued").json["data"], json!([]));
        // Preparation counts it too.
        let prepared = g.post(TITLES, json!({})).expect(200).json;
        assert_eq!((&prepared["declined"], codes(&prepared["items"][0])), (&json!(1), vec!["convention_declined"]));
        let named = g.post(TITLES, json!({"keys": [SEED]})).expect(200).json;
        assert_eq!((&named["refused"], codes(&named["items"][0])), (&json!(1), vec!["convention_declined"]));
        // Named, it is issued to again; the declined one can then not come back.
        let again = g.post(CONVENTIONS, json!({"keys": [SEED]})).expect(200).json;
        assert_eq!((&again["issued"], codes(&again["items"][0]).contains(&"declined_before")), (&json!(1), true));
        let reopen = json!({"action": "reopen", "reason": "le maire a rappelé"});
        g.post(&format!("/conventions/{id}/transitions"), reopen).problem(409, "convention_replaced");
        assert_eq!(g.post(CONVENTIONS, json!({})).expect(200).json["already_issued"], 1);
        assert_eq!(g.post(TITLES, json!({})).expect(200).json["declined"], 0);
    }

    fn a_refusal_is_taken_back_with_a_reason(app: &TestApp) {
        let id = issued(app);
        let g = app.gestionnaire();
        let path = format!("/conventions/{id}/transitions");
        decline(app, &id);
        assert_eq!(g.get("/campaigns/2025-2026/enrolments?covered=true").json["data"], json!([]));
        g.post(&path, json!({"action": "sign", "signed_on": "2025-06-05", "signatory": {"name": "S. B.", "title": "Maire"}})).problem(409, "convention_state");
        g.post(&path, json!({"action": "reopen"})).problem(422, "invalid_value");
        let reopened = g.post(&path, json!({"action": "reopen", "reason": "nouveau vote"})).expect(200).json;
        assert_eq!((&reopened["status"], &reopened["refusal"]), (&json!("issued"), &Value::Null));
        assert_eq!(g.get("/campaigns/2025-2026/enrolments?covered=true").json["data"].as_array().unwrap().len(), 2);
        assert_eq!(g.post(CONVENTIONS, json!({})).expect(200).json["already_issued"], 1);
        // Declined once signed, it comes back signed.
        g.post(&path, json!({"action": "sign", "signed_on": "2025-06-05", "signatory": {"name": "S. B.", "title": "Maire"}})).expect(200);
        assert_eq!(decline(app, &id)["signature"]["name"], "S. B.");
        g.post(&path, json!({"action": "reopen", "reason": "erreur de la mairie"})).expect(200);
        assert_eq!(g.get(&format!("/conventions/{id}")).json["status"], "signed");
        // A school taken elsewhere meanwhile keeps the refusal where it is.
        decline(app, &id);
        g.delete("/campaigns/2025-2026/enrolments/0301023Z").expect(204);
        g.post(&path, json!({"action": "reopen", "reason": "encore"})).problem(409, "convention_replaced");
        let journal = app.admin().get("/audit-events?action=convention.declined").expect(200).json;
        assert_eq!(journal["data"].as_array().unwrap().len(), 3);
        assert_eq!(app.admin().get("/audit-events?action=convention.reopened").json["data"].as_array().unwrap().len(), 2);
    }

    fn a_refusal_before_the_convention_or_the_signature_is_acknowledged(app: &TestApp) {
        let id = issued(app);
        app.set_time("2025-07-28T09:00:00Z");
        let g = app.gestionnaire();
        let path = format!("/conventions/{id}/transitions");
        let no = |on: &str, codes: &[&str]| {
            let lifted: Vec<Value> = codes.iter().map(|code| json!({"code": code, "reason": "délibération relue"})).collect();
            g.post(&path, json!({"action": "decline", "declined_on": on, "declined_by": "la maire", "reason": "vote", "acknowledged": lifted}))
        };
        let open = no("2025-06-04", &[]).problem(409, "findings_open").json;
        assert_eq!((&open["errors"][0]["code"], &open["errors"][0]["value"]), (&json!("declined_before_convention_date"), &json!("2025-06-04")));
        assert_eq!(g.get(&format!("/conventions/{id}")).json["status"], "issued");
        let declined = no("2025-06-04", &["declined_before_convention_date"]).expect(200).json;
        assert_eq!((&declined["status"], &declined["acknowledged"][0]["code"]), (&json!("declined"), &json!("declined_before_convention_date")));
        let journal = app.admin().get("/audit-events?action=convention.declined").expect(200).json;
        assert_eq!(journal["data"][0]["data"]["acknowledged"][0]["reason"], "délibération relue");
        g.post(&path, json!({"action": "reopen", "reason": "nouveau vote"})).expect(200);
        g.post(&path, json!({"action": "sign", "signed_on": "2025-07-25", "signatory": {"name": "S. B.", "title": "Maire"}})).expect(200);
        let open = no("2025-07-24", &[]).problem(409, "findings_open").json;
        assert_eq!((&open["errors"][0]["code"], &open["errors"][0]["value"]), (&json!("declined_before_signature"), &json!("2025-07-24")));
        no("2025-07-24", &["declined_before_signature"]).expect(200);
    }

    fn a_convention_in_effect_is_not_declined(app: &TestApp) {
        let id = issued(app);
        app.set_time("2025-07-28T09:00:00Z");
        sign_both(app, &id);
        let no = json!({"action": "decline", "declined_on": "2025-07-28", "declined_by": "le maire", "reason": "x"});
        let refused = app.gestionnaire().post(&format!("/conventions/{id}/transitions"), no).problem(409, "convention_state");
        assert_eq!(refused.json["allowed_actions"], json!(["correct_signature", "cancel"]));
    }

    fn a_cancelled_convention_is_issued_again_only_when_its_payer_is_named(app: &TestApp) {
        let id = issued(app);
        let g = app.gestionnaire();
        g.post(&format!("/conventions/{id}/transitions"), json!({"action": "cancel", "reason": "mauvaise liste"})).expect(200);
        for body in [json!({"dry_run": true}), json!({})] {
            let view = g.post(CONVENTIONS, body).expect(200).json;
            assert_eq!((&view["issued"], &view["cancelled"], codes(&view["items"][0])), (&json!(0), &json!(1), vec!["cancelled_before"]));
        }
        assert_eq!(g.post(CONVENTIONS, json!({"keys": [SEED]})).expect(200).json["issued"], 1);
    }

    fn a_returned_title_survives_the_next_acts_in_number(app: &TestApp) {
        register_seed(app);
        register_communes(app, 1);
        active_campaign(app, "issue");
        let prepared = prepare(app);
        assert_eq!(prepared["prepared"], 2);
        let item = prepared["items"].as_array().unwrap().iter().find(|i| i["key"] == SEED).unwrap();
        let id = item["id"].as_str().unwrap();
        act(app, id, "approve").problem(422, "invalid_value");
        let returned = act(app, id, "return").expect(200).json;
        assert_eq!((&returned["status"], &returned["returned"]["reason"]), (&json!("returned"), &json!("motif de return")));
        assert_eq!((&returned["returned"]["by"], &returned["returned"]["resubmitted"]), (&json!("Camille Le ordonnateur"), &Value::Null));
        act(app, id, "return").problem(409, "title_state");
        // It stays in sight, under its own state only.
        let ids = |status: &str| {
            let list = app.gestionnaire().get(&format!("/perception-titles?status={status}")).expect(200).json;
            list["data"].as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!((ids("returned"), ids("prepared").len()), (vec![id.to_owned()], 1));
        // Preparing again by filter leaves it; approving by filter too, dry run or not.
        for body in [json!({"dry_run": true}), json!({}), json!({"filter": {"departement": "30"}})] {
            let view = app.gestionnaire().post(TITLES, body).expect(200).json;
            assert_eq!((&view["prepared"], &view["returned"], &view["already_prepared"]), (&json!(0), &json!(1), &json!(1)));
        }
        let mut dry = by_filter();
        dry["dry_run"] = json!(true);
        for body in [dry, by_filter()] {
            let view = approve(app, body);
            assert_eq!((&view["approved"], &view["returned"]), (&json!(1), &json!(1)));
            let left = view["items"].as_array().unwrap().iter().find(|i| i["outcome"] == "returned").unwrap();
            assert_eq!((&left["key"], codes(left)), (&json!(id), vec!["title_returned"]));
        }
        assert_eq!(ids("returned"), [id]);
        // The campaign does not close over it.
        app.gestionnaire().post("/campaigns/2025-2026/transitions", json!({"action": "close"})).problem(409, "campaign_state");
        // Handed in again with a word, bulk approval still leaves it: an ordonnateur names it.
        app.gestionnaire().post(&format!("/perception-titles/{id}/transitions"), json!({"action": "resubmit"})).problem(422, "invalid_value");
        let again = act(app, id, "resubmit").expect(200).json;
        assert_eq!((&again["status"], &again["returned"]["resubmitted"]["reason"]), (&json!("prepared"), &json!("motif de resubmit")));
        assert_eq!((ids("returned").len(), ids("prepared")), (0, vec![id.to_owned()]));
        act(app, id, "resubmit").problem(409, "title_state");
        let view = approve(app, by_filter());
        assert_eq!((&view["approved"], &view["returned_before"], &view["already_approved"]), (&json!(0), &json!(1), &json!(1)));
        let view = approve(app, json!({"keys": [id]}));
        assert_eq!(view["approved"], 1);
        act(app, id, "return").problem(409, "title_state");
        assert_eq!(app.admin().get("/audit-events?action=title.returned").json["data"].as_array().unwrap().len(), 1);
        assert_eq!(app.admin().get("/audit-events?action=title.resubmitted").json["data"].as_array().unwrap().len(), 1);
    }

    fn a_returned_title_is_liquidated_again_when_its_payer_is_named(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        let first = prepare(app)["items"][0]["id"].as_str().unwrap().to_owned();
        act(app, &first, "return").expect(200);
        let named = |dry: bool| app.gestionnaire().post(TITLES, json!({"keys": [SEED], "dry_run": dry})).expect(200).json;
        for dry in [true, false] {
            let view = named(dry);
            assert_eq!((&view["prepared"], &view["total"]), (&json!(1), &json!("80.00")));
            assert!(codes(&view["items"][0]).contains(&"returned_before"), "{view}");
        }
        let old = app.gestionnaire().get(&format!("/perception-titles/{first}")).json;
        assert_eq!(old["status"], "withdrawn");
        assert!(old["withdrawal_reason"].as_str().unwrap().contains("motif de return"), "{old}");
        assert_eq!(named(false)["already_prepared"], 1);
        let view = approve(app, by_filter());
        assert_eq!((&view["approved"], &view["returned_before"]), (&json!(0), &json!(1)));
        let second = app.gestionnaire().get("/perception-titles?status=prepared").json["data"][0]["id"].clone();
        assert_eq!(approve(app, json!({"keys": [second]}))["approved"], 1);
    }

    fn an_ordonnateur_may_change_their_mind_on_a_title_they_name(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        let id = prepare(app)["items"][0]["id"].as_str().unwrap().to_owned();
        act(app, &id, "return").expect(200);
        let view = approve(app, json!({"keys": [id]}));
        assert_eq!(view["approved"], 1);
        assert_eq!(app.ordonnateur().get(&format!("/perception-titles/{id}")).json["status"], "approved");
    }

    fn who_hands_a_title_in_again_does_not_approve_it(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        let id = prepare(app)["items"][0]["id"].as_str().unwrap().to_owned();
        act(app, &id, "return").expect(200);
        let role = ent_backoffice::kernel::Role::Gestionnaire;
        let mut other = app.add_user("autre@exemple.invalid", role);
        let word = json!({"action": "resubmit", "reason": "débiteur vérifié"});
        app.client_of(&other).post(&format!("/perception-titles/{id}/transitions"), word).expect(200);
        app.sql(&format!("UPDATE users SET role = 'ordonnateur', capacity = 'SG', delegation_reference = 'A', \
                          delegation_published_on = '2025-01-01' WHERE id = '{}'", other.id)).unwrap();
        other.role = ent_backoffice::kernel::Role::Ordonnateur;
        let approve = json!({"action": "approve"});
        app.client_of(&other).post(&format!("/perception-titles/{id}/transitions"), approve).problem(403, "same_person");
    }

    fn a_claim_whose_title_was_withdrawn_is_left_by_approval_in_number(app: &TestApp) {
        register_seed(app);
        register_communes(app, 1);
        active_campaign(app, "issue");
        let prepared = prepare(app);
        let id = prepared["items"].as_array().unwrap().iter().find(|i| i["key"] == SEED).unwrap()["id"].as_str().unwrap();
        approve(app, by_filter());
        act(app, id, "withdraw").expect(200);
        let again = prepare(app);
        let item = again["items"].as_array().unwrap().iter().find(|i| i["outcome"] == "prepared").unwrap();
        let finding = &item["findings"].as_array().unwrap().iter().find(|f| f["code"] == "withdrawn_before").unwrap();
        assert!(finding["message"].as_str().unwrap().contains("motif de withdraw"), "{finding}");
        let view = approve(app, by_filter());
        assert_eq!((&view["approved"], &view["withdrawn_before"], &view["already_approved"]), (&json!(0), &json!(1), &json!(1)));
        assert_eq!(approve(app, json!({"keys": [item["id"]]}))["approved"], 1);
    }

    fn a_school_taken_out_comes_back_only_by_name(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        g.post("/campaigns", crate::support::year::campaign("issue")).expect(201);
        let path = "/campaigns/2025-2026/enrolments";
        let filter = json!({"filter": {"departement": "30"}});
        assert_eq!(g.post(path, filter.clone()).expect(200).json["enrolled"], 2);
        g.delete(&format!("{path}/0301023Z")).expect(204);
        let mut dry = filter.clone();
        dry["dry_run"] = json!(true);
        for body in [dry, filter.clone()] {
            let view = g.post(path, body).expect(200).json;
            assert_eq!((&view["enrolled"], &view["withdrawn"], &view["already_enrolled"]), (&json!(0), &json!(1), &json!(1)));
        }
        let list = g.upload(&format!("{path}/imports"), "liste.csv", b"uai;origine\n0301023Z;reconduction\n0301015R;mairie\n").expect(200).json;
        assert_eq!((&list["created"], &list["ignored"], &list["unchanged"]), (&json!(0), &json!(1), &json!(1)));
        assert_eq!(list["rows"][0]["findings"][0]["code"], "enrolment_withdrawn");
        assert_eq!(g.get(path).json["data"].as_array().unwrap().len(), 1);
        // Named, it comes back, and the next filter knows it as enrolled.
        assert_eq!(g.post(path, json!({"keys": ["0301023Z"]})).expect(200).json["enrolled"], 1);
        assert_eq!(g.post(path, filter.clone()).expect(200).json["already_enrolled"], 2);
        g.delete(&format!("{path}/0301023Z")).expect(204);
        g.put(&format!("{path}/0301023Z"), json!({})).expect(201);
        assert_eq!(g.post(path, filter).expect(200).json["withdrawn"], 0);
    }

    fn a_revoked_decision_is_not_taken_again_by_filter(app: &TestApp) {
        register_communes(app, 2);
        active_campaign(app, "do_not_issue");
        prepare(app);
        let g = app.gestionnaire();
        let path = "/campaigns/2025-2026/small-claim-decisions";
        let decision = g.get(path).expect(200).json["data"][0].clone();
        let revoke = json!({"action": "revoke", "reason": "la commune demande un titre"});
        app.ordonnateur().post(&format!("/small-claim-decisions/{}/transitions", decision["id"].as_str().unwrap()), revoke).expect(200);
        let decide = |body: Value| app.ordonnateur().post(path, body).expect(200).json;
        let view = decide(json!({"filter": {"departement": "30"}, "reason": "campagne de fin d'année"}));
        assert_eq!((&view["decided"], &view["revoked"], &view["already_decided"]), (&json!(0), &json!(1), &json!(1)));
        // Under the policy that decided it first, preparation titles it all the same.
        assert_eq!(prepare(app)["prepared"], 1);
    }

    fn a_revoked_decision_is_taken_again_by_who_names_it(app: &TestApp) {
        register_communes(app, 1);
        active_campaign(app, "do_not_issue");
        prepare(app);
        let g = app.gestionnaire();
        let path = "/campaigns/2025-2026/small-claim-decisions";
        let decision = g.get(path).expect(200).json["data"][0].clone();
        let revoke = json!({"action": "revoke", "reason": "erreur"});
        app.ordonnateur().post(&format!("/small-claim-decisions/{}/transitions", decision["id"].as_str().unwrap()), revoke).expect(200);
        let siret = g.get("/campaigns/2025-2026/participations").json["data"][0]["siret"].clone();
        let view = app.ordonnateur().post(path, json!({"keys": [siret], "reason": "finalement non"})).expect(200).json;
        assert_eq!(view["decided"], 1);
    }

    fn a_line_left_out_stays_out_when_an_import_opens_its_school_again(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        let g = app.gestionnaire();
        // Closed by a file, as imports do: no person wrote the day.
        app.sql("UPDATE schools SET closed_on = '2025-07-01' WHERE uai = '0301015R'").unwrap();
        let path = "/campaigns/2025-2026/line-decisions";
        let word = |choice: &str| json!({"keys": ["0301015R"], "choice": choice, "reason": "fusionnée"});
        assert_eq!(g.post(path, word("reduce")).expect(200).json["decided"], 1);
        app.sql("UPDATE schools SET closed_on = NULL WHERE uai = '0301015R'").unwrap();
        let view = g.post(TITLES, json!({"dry_run": true})).expect(200).json;
        assert_eq!((&view["prepared"], &view["total"]), (&json!(1), &json!("40.00")));
        assert!(codes(&view["items"][0]).contains(&"line_left_out"), "{view}");
        // The line stays in sight, and another word changes it.
        let lines = g.get(path).expect(200).json;
        assert_eq!((&lines["data"][0]["uai"], &lines["data"][0]["closed_on"]), (&json!("0301015R"), &Value::Null));
        assert_eq!(g.post(path, word("keep")).expect(200).json["decided"], 1);
        assert_eq!(prepare(app)["total"], "80.00");
    }

    fn an_import_reopens_no_school_that_a_person_closed(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        g.json("PATCH", "/schools/0301023Z", &[("if-match", "*")], &json!({"closed_on": "2025-06-01"})).expect(200);
        let file = "uai;nom_etablissement;type_etablissement;statut_public_prive;code_commune;nom_commune;ecole_maternelle;\
                    ecole_elementaire;siren_siret;etat;nombre_d_eleves\n0301023Z;Ecole élémentaire Charles Odoyer;Ecole;Public;30278;\
                    Saint-Laurent-des-Arbres;0;1;;OUVERT;80\n";
        let view = g.upload("/schools/imports", "annuaire.csv", file.as_bytes()).expect(200).json;
        assert_eq!(view["findings"]["kept_manual"], 1, "{view}");
        assert_eq!(g.get("/schools/0301023Z").json["closed_on"], "2025-06-01");
    }
}
