//! The main job on the real directory of Occitanie: its figures are known and must come out to the cent.

use serde_json::json;

use crate::support::TestApp;
use crate::support::year::{campaign, sign_all};

fn real(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/occitanie/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

on_both_databases! {
    fn occitanie_makes_2386_conventions_for_164160_euros(app: &TestApp) {
        app.forget_jobs();
        let gestionnaire = app.gestionnaire();
        let communes = gestionnaire.upload("/collectivites/imports", "communes.csv", &real("communes_occitanie_2026.csv")).expect(200).json;
        assert_eq!(communes["created"], 4446);
        let schools = gestionnaire
            .upload("/schools/imports", "annuaire.csv", &real("annuaire_education_occitanie_2024-11-26.csv"))
            .expect(200)
            .json;
        assert_eq!((&schools["created"], &schools["ignored"], &schools["rejected"]), (&json!(4579), &json!(1661), &json!(0)));
        assert_eq!(schools["findings"]["siren_differs"], 62);

        gestionnaire.post("/campaigns", campaign("issue")).expect(201);
        let enrolled = gestionnaire.post("/campaigns/2025-2026/enrolments", json!({"filter": {"sector": "public"}})).expect(200).json;
        assert_eq!((&enrolled["enrolled"], &enrolled["refused"]), (&json!(4104), &json!(0)));
        gestionnaire.post("/campaigns/2025-2026/transitions", json!({"action": "open"})).expect(200);
        let dry = gestionnaire.post("/campaigns/2025-2026/conventions", json!({"dry_run": true})).expect(200).json;
        let issued = gestionnaire.post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
        for view in [&dry, &issued] {
            assert_eq!((&view["issued"], &view["refused"], &view["total"]), (&json!(2386), &json!(0), &json!("164160.00")));
        }
        let sums = gestionnaire.get("/campaigns/2025-2026/participations?limit=1").expect(200).json;
        assert_eq!((&sums["conventions"], &sums["schools"], &sums["total"]), (&json!(2386), &json!(4104), &json!("164160.00")));
        assert_eq!(sums["departements"].as_array().unwrap().len(), 13);
        let again = gestionnaire.post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
        assert_eq!((&again["issued"], &again["already_issued"]), (&json!(0), &json!(2386)));

        sign_all(app, "2025-06-05");
        let prepared = gestionnaire.post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
        assert_eq!((&prepared["prepared"], &prepared["total"]), (&json!(2386), &json!("164160.00")));
        let small = prepared["items"].as_array().unwrap().iter()
            .filter(|i| i["findings"].as_array().unwrap().iter().any(|f| f["code"] == "small_claim"))
            .count();
        assert_eq!(small, 1801, "payers of exactly one school owe less than 50 €");
        let ordonnateur = app.ordonnateur();
        let approved = ordonnateur.post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200).json;
        assert_eq!((&approved["approved"], &approved["total"]), (&json!(2386), &json!("164160.00")));
        let batch = ordonnateur.post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201).json;
        assert_eq!((&batch["count"], &batch["total"]), (&json!(2386), &json!("164160.00")));
        let csv = ordonnateur.get("/accounting-batches/ENT-B-2025-0001/files/csv").expect(200).text();
        let rows: Vec<&str> = csv.split("\r\n").skip(1).filter(|r| !r.is_empty()).collect();
        assert_eq!(rows.len(), 2386);
        assert!(rows[0].starts_with("ENT-T-2025-000001;") && rows[2385].starts_with("ENT-T-2025-002386;"));
    }
}
