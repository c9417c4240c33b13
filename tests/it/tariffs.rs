//! Tariffs as a rectorat would set them, from the campaign to the title; and who owes nothing.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::year::{register_seed, sign_both};

const ELEMENTAIRE: &str = "0301023Z";
const MATERNELLE: &str = "0301015R";
const PAYER: &str = "21300278500011";

fn campaign(tariff: Value) -> Value {
    json!({
        "school_year": "2025-2026", "tariff": tariff, "convention_date": "2025-06-05", "ends_on": "2026-09-05"
    })
}

/// Creates, enrols the Gard, opens.
fn open(app: &TestApp, tariff: Value) {
    let gestionnaire = app.gestionnaire();
    gestionnaire.post("/campaigns", campaign(tariff)).expect(201);
    gestionnaire.post("/campaigns/2025-2026/enrolments", json!({"filter": {"departement": "30"}})).expect(200);
    gestionnaire.post("/campaigns/2025-2026/transitions", json!({"action": "open"})).expect(200);
    app.forget_jobs();
}

fn issue(app: &TestApp) -> Value {
    app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200).json
}

fn patch_school(app: &TestApp, uai: &str, patch: Value) {
    let gestionnaire = app.gestionnaire();
    let version = gestionnaire.get(&format!("/schools/{uai}")).json["version"].as_i64().unwrap();
    gestionnaire.patch(&format!("/schools/{uai}"), version, patch).expect(200);
}

fn codes(item: &Value) -> Vec<&str> {
    item["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect()
}

on_both_databases! {
    fn pupils_are_counted_at_issue_and_explained_to_the_title(app: &TestApp) {
        register_seed(app);
        open(app, json!({"unit": "pupil", "unit_amount": "1.20", "tier_mode": "marginal",
                         "tiers": [{"from": 101, "unit_amount": "1.00"}], "cap": "250.00"}));
        let blocked = issue(app);
        assert_eq!((&blocked["issued"], &blocked["refused"]), (&json!(0), &json!(1)));
        assert_eq!(codes(&blocked["items"][0]), ["pupils_missing", "pupils_missing"]);
        assert_eq!(blocked["items"][0]["findings"][0]["level"], "blocking");
        patch_school(app, ELEMENTAIRE, json!({"pupils": 217}));
        patch_school(app, MATERNELLE, json!({"pupils": 110}));
        let issued = issue(app);
        // 100 × 1.20 + 227 × 1.00 = 347.00, capped at 250.00.
        assert_eq!((&issued["issued"], &issued["total"]), (&json!(1), &json!("250.00")));
        let id = issued["items"][0]["id"].as_str().unwrap().to_owned();
        let participation = app.gestionnaire().get(&format!("/conventions/{id}/participation")).expect(200).json;
        let steps: Vec<String> =
            participation["steps"].as_array().unwrap().iter().map(|s| s["text"].as_str().unwrap().replace('\u{202f}', " ")).collect();
        assert_eq!(
            steps,
            [
                "2 écoles à la charge de la collectivité et inscrites pour l'année",
                "Nombre d’élèves : 217 (0301023Z) + 110 (0301015R) = 327",
                "De 1 à 100 : 100 élèves × 1,20 € = 120,00 €",
                "De 101 à 327 : 227 élèves × 1,00 € = 227,00 €",
                "Plafond par collectivité : 250,00 € au lieu de 347,00 €",
                "Réparti entre 2 écoles au prorata des élèves, arrondi au centime sur le cumul",
            ]
        );
        assert!(participation["steps"].as_array().unwrap().iter().all(|s| s["ground"].as_str().unwrap().starts_with("convention, art. ")));
        let lines: Vec<(&Value, &Value)> =
            participation["lines"].as_array().unwrap().iter().map(|l| (&l["amount"], &l["unit_amount"])).collect();
        // 250 × 217 / 327 = 165.902…, rounded half up.
        assert_eq!(lines, [(&json!("165.90"), &Value::Null), (&json!("84.10"), &Value::Null)]);
        // What the registry learns later changes nothing of the convention.
        patch_school(app, ELEMENTAIRE, json!({"pupils": 50}));
        app.set_time("2025-07-28T09:00:00Z");
        sign_both(app, &id);
        let prepared = app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
        assert_eq!((&prepared["prepared"], &prepared["total"]), (&json!(1), &json!("250.00")));
        let title = app.gestionnaire().get("/perception-titles").json["data"][0].clone();
        let basis = title["legal_basis"].as_str().unwrap().replace('\u{202f}', " ");
        for words in ["Plafond par collectivité : 250,00 € au lieu de 347,00 €", "UAI 0301023Z (165,90 €), 0301015R (84,10 €)"] {
            assert!(basis.contains(words), "{words}\nin\n{basis}");
        }
        app.ordonnateur().post("/perception-titles/approvals", json!({"keys": [title["id"]]})).expect(200);
        app.ordonnateur().post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
        let csv = app.comptable().get("/accounting-batches/ENT-B-2025-0001/files/csv").expect(200).text();
        let row: Vec<&str> = csv.lines().nth(1).unwrap().split(';').collect();
        // Units, no single price, the amount.
        assert!(row.windows(3).any(|w| w == ["327", "", "250,00"]), "{row:?}");
    }

    fn a_free_first_year_and_exemptions_make_conventions_without_a_title(app: &TestApp) {
        register_seed(app);
        // The seed: the elementary school since 2017, the maternelle since 2022; told by the list of schools to enrol.
        let gestionnaire = app.gestionnaire();
        gestionnaire.post("/campaigns", campaign(json!({"unit": "school", "unit_amount": "40.00", "first_year_free": true}))).expect(201);
        let file = "uai;premiere_annee\n0301023Z;2017/2018\n0301015R;2025-2026\n";
        let imported = gestionnaire.upload("/campaigns/2025-2026/enrolments/imports", "liste.csv", file.as_bytes()).expect(200).json;
        assert_eq!(imported["created"], 2);
        assert_eq!(gestionnaire.get("/schools/0301023Z").json["first_school_year"], "2017-2018");
        gestionnaire.post("/campaigns/2025-2026/transitions", json!({"action": "open"})).expect(200);
        app.forget_jobs();
        let issued = issue(app);
        assert_eq!(issued["total"], "40.00");
        let id = issued["items"][0]["id"].as_str().unwrap();
        let lines = gestionnaire.get(&format!("/conventions/{id}")).json["lines"].clone();
        assert_eq!(
            (&lines[1]["amount"], &lines[1]["waiver"]),
            (&json!("0.00"), &json!("première année d'inscription (2025-2026)"))
        );
        let pdf = gestionnaire.get(&format!("/conventions/{id}/document")).expect(200);
        let text = crate::support::papers::text_of(&pdf.bytes);
        for words in [
            "2 écoles pour cette année scolaire, pour un montant correspondant à 1 x 40€ soit 40€",
            "La première année scolaire d’inscription d’une école est gratuite.",
            "École 0301015R : première année d'inscription (2025-2026), rien n'est dû",
        ] {
            assert!(text.contains(words), "{words}\nin\n{text}");
        }
    }

    fn an_import_corrects_an_import_but_never_a_person(app: &TestApp) {
        register_seed(app);
        let gestionnaire = app.gestionnaire();
        gestionnaire.post("/campaigns", campaign(json!({"unit": "school", "unit_amount": "40.00"}))).expect(201);
        let import = |year: &str| {
            let file = format!("uai;premiere_annee\n0301023Z;{year}\n");
            gestionnaire.upload("/campaigns/2025-2026/enrolments/imports", "liste.csv", file.as_bytes()).expect(200).json
        };
        import("2017-2018");
        import("2018-2019");
        assert_eq!(gestionnaire.get("/schools/0301023Z").json["first_school_year"], "2018-2019");
        patch_school(app, ELEMENTAIRE, json!({"first_school_year": "2016-2017"}));
        let kept = import("2018-2019");
        assert_eq!(kept["rows"][0]["findings"][0]["code"], "kept_manual");
        assert_eq!(gestionnaire.get("/schools/0301023Z").json["first_school_year"], "2016-2017");
    }

    fn a_payer_is_exempted_by_a_former_siret_too(app: &TestApp) {
        register_seed(app);
        app.gestionnaire().post(&format!("/collectivites/{PAYER}/sirets"), json!({"siret": "21300278500029", "from": "2025-06-01"})).expect(201);
        open(app, json!({"unit": "school", "unit_amount": "40.00",
                         "exemptions": [{"siret": PAYER, "reason": "commune sinistrée"}, {"uai": "0300001N", "reason": "inconnue"}]}));
        let campaign = app.gestionnaire().get("/campaigns/2025-2026").expect(200).json;
        let unknown: Vec<&Value> = campaign["findings"].as_array().unwrap().iter().filter(|f| f["code"] == "exemption_unknown").collect();
        assert_eq!(unknown.len(), 1);
        assert_eq!(unknown[0]["found"], "0300001N");
        let issued = issue(app);
        assert_eq!((&issued["issued"], &issued["total"]), (&json!(1), &json!("0.00")));
        let id = issued["items"][0]["id"].as_str().unwrap().to_owned();
        // The convention keeps the exemption that concerns it, and no other.
        let participation = app.gestionnaire().get(&format!("/conventions/{id}/participation")).json;
        assert_eq!(participation["tariff"]["exemptions"].as_array().unwrap().len(), 1);
        app.set_time("2025-07-28T09:00:00Z");
        sign_both(app, &id);
        // Zero due: convention yes, title never.
        let prepared = app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
        assert_eq!((&prepared["prepared"], &prepared["nothing_due"]), (&json!(0), &json!(1)));
        assert_eq!(app.gestionnaire().get(&format!("/conventions/{id}/participation")).json["titling"], "nothing_due");
    }

    fn a_tariff_that_does_not_hold_is_refused_field_by_field(app: &TestApp) {
        let gestionnaire = app.gestionnaire();
        let refused = |tariff: Value| -> Vec<(String, String)> {
            let answer = gestionnaire.post("/campaigns", campaign(tariff)).problem(422, "invalid_value");
            let errors = answer.json["errors"].as_array().unwrap().clone();
            errors.iter().map(|e| (e["pointer"].as_str().unwrap().to_owned(), e["code"].as_str().unwrap().to_owned())).collect()
        };
        let both = refused(json!({"unit": "flat", "unit_amount": "10", "tiers": [{"from": 1, "unit_amount": "5"}],
                                  "minimum": "30", "cap": "20"}));
        let codes: Vec<&str> = both.iter().map(|(_, code)| code.as_str()).collect();
        assert_eq!(codes, ["tiers_not_for_flat", "missing_field", "tier_order", "minimum_above_cap"]);
        assert_eq!(refused(json!({"unit": "canton", "unit_amount": "10"}))[0].1, "unknown_value");
        assert_eq!(refused(json!({"unit": "school", "unit_amount": "10", "tiers": [{"from": "2", "unit_amount": "5"}]}))[0].0, "/tariff/tiers/0/from");
        assert_eq!(gestionnaire.get("/campaigns").json["data"], json!([]));
        // More costs less: allowed, and told.
        let drop = json!({"unit": "school", "unit_amount": "40", "tier_mode": "bracket", "tiers": [{"from": 11, "unit_amount": "30"}]});
        let created = gestionnaire.post("/campaigns", campaign(drop)).expect(201).json;
        assert!(created["findings"].as_array().unwrap().iter().any(|f| f["code"] == "tier_threshold_effect"));
    }
}

on_both_databases! {
    fn counts_and_first_years_come_with_the_directory_too(app: &TestApp) {
        register_seed(app);
        let gestionnaire = app.gestionnaire();
        let head = "Identifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;Code_commune;\
                    Nom_commune;Ecole_maternelle;Ecole_elementaire;Nombre_d_eleves;Nombre_de_classes;premiere_annee\n";
        let row = |pupils: &str| format!("{head}0300001N;Ecole de Aigaliers;Ecole;Public;30001;Aigaliers;0;1;{pupils};4;2017-2018\n");
        let import = |file: String| gestionnaire.upload("/schools/imports", "liste.csv", file.as_bytes()).expect(200).json;
        // A count no person could write is refused, row by row: else nothing of the school could be changed after.
        let refused = import(row("5001"));
        assert_eq!((&refused["rejected"], &refused["rows"][0]["findings"][0]["code"]), (&json!(1), &json!("count_range")));
        assert_eq!(import(row("90"))["created"], 1);
        let school = gestionnaire.get("/schools/0300001N").expect(200).json;
        assert_eq!((&school["pupils"], &school["classes"], &school["first_school_year"]), (&json!(90), &json!(4), &json!("2017-2018")));
        patch_school(app, "0300001N", json!({"classes": 5}));
        let kept = import(row("91"));
        assert_eq!((&kept["updated"], &kept["rows"][0]["findings"][0]["code"]), (&json!(1), &json!("kept_manual")));
        let school = gestionnaire.get("/schools/0300001N").json;
        assert_eq!((&school["pupils"], &school["classes"]), (&json!(91), &json!(5)));
    }
}
