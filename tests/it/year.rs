//! One whole year of the seed's commune, from its registration to the sealed file of the accountant.

use serde_json::json;

use crate::support::TestApp;
use crate::support::papers::text_of;
use crate::support::year::{open_campaign, register_seed, sign_both};

on_both_databases! {
    fn the_seed_commune_goes_from_registration_to_the_sealed_file(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        let gestionnaire = app.gestionnaire();

        let dry = gestionnaire.post("/campaigns/2025-2026/conventions", json!({"dry_run": true})).expect(200).json;
        assert_eq!((&dry["issued"], &dry["total"]), (&json!(1), &json!("80.00")));
        assert_eq!(gestionnaire.get("/conventions").json["data"], json!([]), "a dry run writes nothing");
        let issued = gestionnaire.post("/campaigns/2025-2026/conventions", json!({"dry_run": false})).expect(200).json;
        assert_eq!((&issued["issued"], &issued["total"], &issued["currency"]), (&json!(1), &json!("80.00"), &json!("EUR")));
        let again = gestionnaire.post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
        assert_eq!((&again["issued"], &again["already_issued"]), (&json!(0), &json!(1)));

        let list = gestionnaire.get("/conventions?campaign=2025-2026&collectivite=21300278500011").expect(200).json;
        let convention = &list["data"][0];
        let id = convention["id"].as_str().unwrap();
        assert_eq!(convention["number"], "ENT-C-2025-2026-00001");
        assert_eq!((&convention["status"], &convention["total"]), (&json!("issued"), &json!("80.00")));
        let lines: Vec<_> = convention["lines"].as_array().unwrap().iter().map(|l| (&l["uai"], &l["label"], &l["amount"])).collect();
        assert_eq!(
            lines,
            [
                (&json!("0301023Z"), &json!("ECOLE ELEMENTAIRE PUBLIQUE CHARLES ODOYER"), &json!("40.00")),
                (&json!("0301015R"), &json!("ECOLE MATERNELLE PUBLIQUE CHARLES ODOYER"), &json!("40.00")),
            ]
        );
        let participation = gestionnaire.get(&format!("/conventions/{id}/participation")).expect(200).json;
        assert_eq!(participation["steps"][1]["amount"], "80.00");
        assert_eq!(participation["steps"][1]["ground"], "convention, art. 4");

        // Nothing to title before the convention takes effect.
        let early = gestionnaire.post("/campaigns/2025-2026/perception-titles", json!({"keys": ["21300278500011"]})).expect(200).json;
        assert_eq!(early["items"][0]["findings"][0]["code"], "convention_not_in_effect");

        app.set_time("2025-07-28T09:00:00Z");
        sign_both(app, id);
        // Tokens of June have expired.
        let (gestionnaire, ordonnateur) = (app.gestionnaire(), app.ordonnateur());
        let active = gestionnaire.get(&format!("/conventions/{id}")).expect(200).json;
        assert_eq!((&active["status"], &active["took_effect_on"]), (&json!("active"), &json!("2025-07-25")));

        let prepared = gestionnaire.post("/campaigns/2025-2026/perception-titles", json!({"dry_run": false})).expect(200).json;
        assert_eq!((&prepared["prepared"], &prepared["total"]), (&json!(1), &json!("80.00")));
        let title_id = prepared["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/perception-titles/{title_id}");
        gestionnaire.post(&format!("{path}/transitions"), json!({"action": "approve"})).problem(403, "forbidden");
        let approved = ordonnateur.post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200).json;
        assert_eq!((&approved["approved"], &approved["total"]), (&json!(1), &json!("80.00")));
        let title = ordonnateur.get(&path).expect(200).json;
        assert_eq!(title["reference"], "ENT-T-2025-000001");
        assert_eq!(title["debtor"]["name"], "COMMUNE DE SAINT-LAURENT-DES-ARBRES");
        assert_eq!(title["approved_by"]["name"], "Camille Le ordonnateur");
        let basis = title["legal_basis"].as_str().unwrap();
        for mention in ["ENT-C-2025-2026-00001", "25/07/2025", "art. 3.2, 4 et 9", "2025-2026", "0301023Z, 0301015R", "80,00"] {
            assert!(basis.contains(mention), "{mention} in {basis}");
        }

        let batch = ordonnateur.post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
        assert_eq!(batch.header("location"), "/api/v1/accounting-batches/ENT-B-2025-0001");
        assert_eq!((&batch.json["count"], &batch.json["total"]), (&json!(1), &json!("80.00")));
        ordonnateur.post("/accounting-batches", json!({"campaign": "2025-2026"})).problem(409, "nothing_to_seal");
        let csv = app.comptable().get("/accounting-batches/ENT-B-2025-0001/files/csv").expect(200);
        assert_eq!(csv.bytes, app.comptable().get("/accounting-batches/ENT-B-2025-0001/files/csv").bytes);
        assert!(csv.bytes.starts_with(&[0xEF, 0xBB, 0xBF]));
        let text = csv.text();
        let row = text.lines().nth(1).unwrap();
        assert!(row.starts_with("ENT-T-2025-000001;ENT-B-2025-0001;2025;2025-2026;commune;COMMUNE DE SAINT-LAURENT-DES-ARBRES;213 002 785 00011;"), "{row}");
        let machine = app.comptable().get("/accounting-batches/ENT-B-2025-0001/files/json").expect(200).json;
        assert_eq!(machine["titles"][0]["debtor"]["siret"], "21300278500011");
        assert_eq!(machine["total"], "80.00");
        app.comptable().get("/accounting-batches/ENT-B-2025-0001/files/pdf").problem(422, "invalid_value");
        assert_eq!(ordonnateur.get(&path).json["batch_number"], "ENT-B-2025-0001");

        // Both documents are made once, and served as stored.
        assert_eq!(app.run_jobs(), 2);
        let view = gestionnaire.get(&format!("/conventions/{id}")).json;
        assert_eq!(view["document"]["status"], "ready");
        let pdf = gestionnaire.get(&format!("/conventions/{id}/document")).expect(200);
        assert!(pdf.bytes.starts_with(b"%PDF"));
        assert_eq!(pdf.header("content-type"), "application/pdf");
        assert_eq!(pdf.header("etag"), format!("\"{}\"", view["document"]["sha256"].as_str().unwrap()));
        let text = text_of(&pdf.bytes);
        for literal in [
            "2 écoles pour cette année scolaire, pour un montant correspondant à 2 x 40€ soit 80€",
            "SAINT-LAURENT-DES-ARBRES - 30 - ECOLE ELEMENTAIRE PUBLIQUE CHARLES ODOYER - 0301023Z",
            "SAINT-LAURENT-DES-ARBRES - 30 - ECOLE MATERNELLE PUBLIQUE CHARLES ODOYER - 0301015R",
            "représentée par Mme Sylvie BARRIEU VIGNAL, Maire",
        ] {
            assert!(text.contains(literal), "{literal}\nin\n{text}");
        }
        let demand = app.comptable().get(&format!("{path}/document")).expect(200);
        let text = text_of(&demand.bytes);
        for mention in [
            "DEMANDE D’ÉMISSION D’UN TITRE DE PERCEPTION",
            "Fiche de liquidation n° ENT-T-2025-000001 — exercice 2025",
            "Ne pas mandater au vu de ce document",
            "213 002 785 00011",
            "articles 3.2, 4 et 9",
            "quatre-vingts euros",
            "Camille Le gestionnaire",
            "Camille Le ordonnateur, Secrétaire générale de région académique",
        ] {
            assert!(text.contains(mention), "{mention}\nin\n{text}");
        }
        assert!(!text.contains("IBAN") && !text.contains("TVA 0"));

        // The year can be closed, and then nothing is issued any more.
        gestionnaire.post("/campaigns/2025-2026/transitions", json!({"action": "close"})).expect(200);
        gestionnaire.post("/campaigns/2025-2026/conventions", json!({})).problem(409, "campaign_state");
    }
}
