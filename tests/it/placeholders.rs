//! EXEMPLE never leaves the house: what is still to be written opens no campaign, issues no convention, signs nothing;
//! and what was opened by mistake can be put right until something was issued.

use serde_json::{Value, json};

use crate::support::papers::text_of;
use crate::support::year::{campaign, open_campaign, register_seed};
use crate::support::{Base, TestApp};

const PATH: &str = "/campaigns/2025-2026";

fn patch(app: &TestApp, body: Value) -> crate::support::Response {
    app.gestionnaire().json("PATCH", PATH, &[("if-match", "*")], &body)
}

fn transition(app: &TestApp, body: Value) -> crate::support::Response {
    app.gestionnaire().post(&format!("{PATH}/transitions"), body)
}

fn shipped(base: Base) -> TestApp {
    TestApp::with(base, |config| config.texts = ent_backoffice::campaigns::texts::CampaignTexts::default())
}

fn shipped_texts_open_no_campaign(app: &TestApp) {
    register_seed(app);
    let g = app.gestionnaire();
    g.post("/campaigns", campaign("issue")).expect(201);
    let listed = g.get(&format!("{PATH}/transitions")).expect(200).json;
    assert_eq!(
        (&listed["actions"][0]["allowed"], &listed["actions"][0]["code"]),
        (&json!(false), &json!("placeholder_texts"))
    );
    let refused = transition(app, json!({"action": "open"})).problem(409, "placeholder_texts").json;
    let named: Vec<&str> =
        refused["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    for pointer in [
        "/texts/issuer/name",
        "/texts/signatory/first_name",
        "/texts/signatory/last_name",
        "/texts/dpo/email",
        "/texts/comptable_assignataire/address_lines",
        "/texts/courts/convention",
    ] {
        assert!(named.contains(&pointer), "{pointer} in {named:?}");
    }
    assert_eq!(g.get(PATH).json["state"], "preparing");
    // Real texts given to the campaign itself open it, all but one do not.
    let mut texts = serde_json::to_value(crate::support::texts()).unwrap();
    for (pointer, odd) in [
        ("/signatory/delegation", "Arrêté À COMPLÉTER"),
        ("/dpo/email", "dpd@example.org"),
        ("/issuer/contact_phone", "XXX"),
    ] {
        let mut one = texts.clone();
        *one.pointer_mut(pointer).unwrap() = json!(odd);
        patch(app, json!({"texts": one})).expect(200);
        let refused = transition(app, json!({"action": "open"})).problem(409, "placeholder_texts").json;
        assert_eq!(
            (refused["errors"].as_array().unwrap().len(), &refused["errors"][0]["pointer"]),
            (1, &json!(format!("/texts{pointer}")))
        );
        assert_eq!(refused["errors"][0]["value"], odd);
    }
    texts["signatory"]["delegation"] = json!("Arrêté R76-2025-03-14-00002");
    patch(app, json!({"texts": texts})).expect(200);
    transition(app, json!({"action": "open"})).expect(200);
}

#[test]
fn shipped_texts_open_no_campaign_on_sqlite() {
    shipped_texts_open_no_campaign(&shipped(Base::sqlite()));
}

#[test]
fn shipped_texts_open_no_campaign_on_postgres() {
    shipped_texts_open_no_campaign(&shipped(Base::postgres()));
}

fn a_broken_template_is_told_before_anything_is_issued(base: Base) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("convention.typ"), "#panic(\"abîmé\")").unwrap();
    let app = TestApp::with(base, |config| config.documents.template_dir = Some(folder.path().to_owned()));
    app.gestionnaire().post("/campaigns", campaign("issue")).expect(201);
    app.lecteur().get(&format!("{PATH}/specimen")).problem(409, "document_failed");
}

#[test]
fn a_broken_template_is_told_before_anything_is_issued_on_sqlite() {
    a_broken_template_is_told_before_anything_is_issued(Base::sqlite());
}

#[test]
fn a_broken_template_is_told_before_anything_is_issued_on_postgres() {
    a_broken_template_is_told_before_anything_is_issued(Base::postgres());
}

on_both_databases! {
    fn texts_are_corrected_with_a_reason_until_a_convention_is_issued(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let court = |name: &str| json!({"courts": {"convention": name}});
        let correction = json!({"texts": court("tribunal administratif de Nîmes")});
        let bare = patch(app, correction.clone()).problem(422, "invalid_value").json;
        assert_eq!((&bare["errors"][0]["pointer"], &bare["errors"][0]["code"]), (&json!("/reason"), &json!("missing_field")));
        let with_reason = |texts: Value| json!({"texts": texts, "reason": "ressort vérifié"});
        patch(app, with_reason(court("tribunal administratif EXEMPLE"))).problem(409, "placeholder_texts");
        patch(app, with_reason(Value::Null)).problem(422, "invalid_value");
        patch(app, json!({"texts": {}, "reason": 12})).problem(422, "invalid_value");
        let done = patch(app, with_reason(court("tribunal administratif de Nîmes"))).expect(200).json;
        assert_eq!((&done["state"], &done["texts"]["courts"]["convention"]), (&json!("open"), &json!("tribunal administratif de Nîmes")));
        let journal = app.admin().get("/audit-events?action=campaign.changed").expect(200).json["data"][0]["data"].clone();
        assert_eq!(journal["reason"], "ressort vérifié");
        assert_eq!(journal["changes"]["texts"]["before"]["courts"]["convention"], "tribunal administratif de Montpellier");
        assert_eq!(journal["changes"]["texts"]["after"]["courts"]["convention"], "tribunal administratif de Nîmes");
        // The rest of an open campaign stays frozen, reason or not; what may change takes no reason.
        patch(app, json!({"ends_on": "2026-09-06", "reason": "x"})).problem(409, "campaign_state");
        patch(app, json!({"response_deadline": "2025-11-01"})).expect(200);
        // A dry run issues nothing: texts may still be corrected after it.
        app.gestionnaire().post(&format!("{PATH}/conventions"), json!({"dry_run": true})).expect(200);
        patch(app, with_reason(court("tribunal administratif de Toulouse"))).expect(200);
        let issued = app.gestionnaire().post(&format!("{PATH}/conventions"), json!({})).expect(200).json;
        patch(app, with_reason(court("tribunal administratif de Nîmes"))).problem(409, "campaign_state");
        // Cancelled, it was issued all the same.
        let cancel = json!({"action": "cancel", "reason": "essai"});
        app.gestionnaire().post(&format!("/conventions/{}/transitions", issued["items"][0]["id"].as_str().unwrap()), cancel).expect(200);
        patch(app, with_reason(court("tribunal administratif de Nîmes"))).problem(409, "campaign_state");
    }

    fn a_campaign_in_preparation_is_tried_without_trace(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        g.post("/campaigns", campaign("issue")).expect(201);
        g.post(&format!("{PATH}/enrolments"), json!({"filter": {"departement": "30"}})).expect(200);
        g.post(&format!("{PATH}/conventions"), json!({})).problem(409, "campaign_state");
        let dry = g.post(&format!("{PATH}/conventions"), json!({"dry_run": true})).expect(200).json;
        assert_eq!((&dry["issued"], &dry["total"], &dry["dry_run"]), (&json!(1), &json!("80.00"), &json!(true)));
        assert_eq!(g.get("/conventions").json["data"], json!([]));
        assert_eq!(g.get(PATH).json["texts"], Value::Null);
        // And its paper is looked at, for a payer made up or known, and one that has no school enrolled.
        let other = json!({"siret": "21300189400012", "kind": "commune", "name": "Nîmes", "insee_code": "30189"});
        g.post("/collectivites", other).expect(201);
        for (query, words) in [
            ("", ["VILLENEUVE-LA-FICTIVE", "2 x 40€ soit 80€"]),
            ("?collectivite=21300278500011", ["SAINT-LAURENT-DES-ARBRES - 30 - ECOLE ELEMENTAIRE PUBLIQUE CHARLES ODOYER", "Sylvie BARRIEU VIGNAL"]),
            ("?collectivite=21300189400012", ["0300001N", "2 x 40€ soit 80€"]),
        ] {
            let answer = app.lecteur().get(&format!("{PATH}/specimen{query}")).expect(200);
            assert_eq!(answer.header("content-type"), "application/pdf");
            let text = text_of(&answer.bytes);
            for words in words.iter().chain(&["SPÉCIMEN", "tribunal administratif de Montpellier", "SPECIMEN-2025-2026"]) {
                assert!(text.contains(words), "{words}\nin\n{text}");
            }
        }
        app.lecteur().get(&format!("{PATH}/specimen?collectivite=35600000000048")).problem(404, "not_found");
        // Nothing was stored, queued or journaled, no number taken.
        assert_eq!(crate::support::databases::text_rows(&app.db, "SELECT id AS line FROM jobs").len(), 0);
        assert_eq!(crate::support::databases::text_rows(&app.db, "SELECT sha256 AS line FROM blobs").len(), 0);
        transition(app, json!({"action": "open"})).expect(200);
        app.forget_jobs();
        let issued = g.post(&format!("{PATH}/conventions"), json!({})).expect(200).json;
        let id = issued["items"][0]["id"].as_str().unwrap();
        assert_eq!(g.get(&format!("/conventions/{id}")).json["number"], "ENT-C-2025-2026-00001");
        // A tariff that counts what nobody knows is shown all the same.
        let pupils = json!({"school_year": "2024-2025", "tariff": {"unit": "pupil", "unit_amount": "1.20"}, "convention_date": "2024-06-05", "ends_on": "2025-09-05"});
        g.post("/campaigns", pupils).expect(201);
        app.lecteur().get("/campaigns/2024-2025/specimen?collectivite=21300278500011").expect(200);
    }

    fn a_campaign_opened_by_mistake_is_undone_until_something_is_issued(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let g = app.gestionnaire();
        transition(app, json!({"action": "unopen"})).problem(422, "invalid_value");
        let back = transition(app, json!({"action": "unopen", "reason": "tarif à revoir"})).expect(200).json;
        assert_eq!((&back["state"], &back["opened_at"]), (&json!("preparing"), &Value::Null));
        patch(app, json!({"tariff": {"unit_amount": "45.00"}})).expect(200);
        transition(app, json!({"action": "unopen", "reason": "x"})).problem(409, "campaign_state");
        transition(app, json!({"action": "open"})).expect(200);
        assert_eq!(g.get(&format!("{PATH}/enrolments")).json["data"].as_array().unwrap().len(), 2);
        // Deleted, it is gone with its enrolments; the journal keeps it; another may take its year, with the first number.
        g.delete(&format!("{PATH}/enrolments/0301015R")).expect(204);
        app.lecteur().delete(PATH).problem(403, "forbidden");
        g.delete(PATH).expect(204);
        g.delete(PATH).problem(404, "not_found");
        g.get(PATH).problem(404, "not_found");
        let journal = app.admin().get("/audit-events?action=campaign.deleted").expect(200).json["data"][0]["data"].clone();
        assert_eq!((&journal["enrolments"], &journal["terms"]["tariff"]["unit_amount"]), (&json!(1), &json!("45.00")));
        open_campaign(app, "issue");
        let issued = g.post(&format!("{PATH}/conventions"), json!({})).expect(200).json;
        assert_eq!(issued["issued"], 1);
        for refused in [g.delete(PATH), transition(app, json!({"action": "unopen", "reason": "x"}))] {
            refused.problem(409, "campaign_issued");
        }
    }

    fn a_campaign_opened_before_on_shipped_texts_prints_nothing_more_until_they_are_written(app: &TestApp) {
        register_seed(app);
        crate::support::year::register_communes(app, 1);
        crate::support::year::active_campaign(app, "do_not_issue");
        let shipped = serde_json::to_string(&ent_backoffice::campaigns::texts::CampaignTexts::default()).unwrap();
        app.sql(&format!("UPDATE campaigns SET texts = '{}'", shipped.replace('\'', "''"))).unwrap();
        let g = app.gestionnaire();
        let prepare = || g.post(&format!("{PATH}/perception-titles"), json!({}));
        g.post(&format!("{PATH}/conventions"), json!({})).problem(409, "placeholder_texts");
        // The act that leaves a small claim untitled would print them too.
        prepare().problem(409, "placeholder_texts");
        patch(app, json!({"small_claims": {"policy": "issue"}})).expect(200);
        prepare().expect(200);
        let approve = || app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}}));
        approve().problem(409, "placeholder_texts");
        let texts = serde_json::to_value(crate::support::texts()).unwrap();
        patch(app, json!({"texts": texts, "reason": "textes livrés encore en place"})).expect(200);
        assert_eq!(approve().expect(200).json["approved"], 2);
        // Written, they are frozen like those of any campaign that has issued.
        patch(app, json!({"texts": texts, "reason": "x"})).problem(409, "campaign_state");
    }

    fn a_payer_still_to_be_written_is_not_printed(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let g = app.gestionnaire();
        let write = |body: Value| g.json("PATCH", "/collectivites/21300278500011", &[("if-match", "*")], &body).expect(200);
        write(json!({"representative": {"first_name": "Prénom", "last_name": "EXEMPLE"}, "address": {"line1": "À COMPLÉTER"}}));
        let view = g.post(&format!("{PATH}/conventions"), json!({})).expect(200).json;
        assert_eq!((&view["issued"], &view["refused"]), (&json!(0), &json!(1)));
        let found: Vec<&str> = view["items"][0]["findings"].as_array().unwrap().iter().map(|f| f["found"].as_str().unwrap()).collect();
        assert_eq!(found, ["À COMPLÉTER", "Prénom", "EXEMPLE"]);
        write(json!({"representative": {"first_name": "Sylvie", "last_name": "BARRIEU VIGNAL"}, "address": {"line1": "2 place de la Mairie"}}));
        assert_eq!(g.post(&format!("{PATH}/conventions"), json!({})).expect(200).json["issued"], 1);
    }

    fn who_signs_with_a_word_to_replace_does_not_approve(app: &TestApp) {
        register_seed(app);
        crate::support::year::active_campaign(app, "issue");
        crate::support::year::prepare(app);
        let person = app.person(ent_backoffice::kernel::Role::Ordonnateur);
        let approve = || app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}}));
        for field in ["delegation_reference = 'Arrêté À COMPLÉTER'", "capacity = 'XXX'"] {
            app.sql(&format!("UPDATE users SET {field} WHERE id = '{}'", person.id)).unwrap();
            approve().problem(409, "signatory_incomplete");
        }
    }
}
