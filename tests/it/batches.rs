//! What happens to a sealed batch: who signed it, and what was recorded wrong.

use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::year::{active_campaign, prepare, register_seed};
use crate::support::{Client, Response, TestApp};

const MOVES: &str = "/accounting-batches/ENT-B-2025-0001/transitions";

/// One batch of one title, sealed on 28 July 2025.
fn sealed(app: &TestApp) {
    register_seed(app);
    active_campaign(app, "issue");
    prepare(app);
    let o = app.ordonnateur();
    o.post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
    o.post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
    app.forget_jobs();
    app.set_time("2025-07-30T09:00:00Z");
}

fn sign(client: &Client, on: &str) -> Response {
    let who = json!({"name": "Dominique REY", "title": "Secrétaire générale, par délégation"});
    client.post(MOVES, json!({"action": "sign", "signed_on": on, "signatory": who, "evidence": "parapheur n° 12"}))
}

fn correct(client: &Client, on: &str) -> Response {
    let who = json!({"name": "Dominique REY", "title": "Secrétaire générale"});
    client
        .post(MOVES, json!({"action": "correct_signature", "signed_on": on, "signatory": who, "reason": "jour mal lu"}))
}

fn batch(app: &TestApp) -> Value {
    app.ordonnateur().get("/accounting-batches/ENT-B-2025-0001").expect(200).json
}

/// What each action would answer: its code, or none.
fn offered(app: &TestApp) -> Vec<(String, Option<String>)> {
    let listed = app.ordonnateur().get(MOVES).expect(200).json;
    let text = |v: &Value| v.as_str().map(str::to_owned);
    listed["actions"].as_array().unwrap().iter().map(|a| (text(&a["action"]).unwrap(), text(&a["code"]))).collect()
}

on_both_databases! {
    fn a_batch_is_signed_once_and_corrected_with_a_reason(app: &TestApp) {
        sealed(app);
        let o = app.ordonnateur();
        let file = o.get("/accounting-batches/ENT-B-2025-0001/files/csv").expect(200).bytes;
        let state = || Some("batch_state".to_owned());
        assert_eq!((&batch(app)["status"], &batch(app)["signature"]), (&json!("sealed"), &Value::Null));
        assert_eq!(offered(app), [("sign".into(), None), ("correct_signature".into(), state())]);
        correct(&o, "2025-07-29").problem(409, "batch_state");

        let signed = sign(&o, "2025-07-29").expect(200);
        assert_eq!((&signed.json["status"], &signed.json["version"]), (&json!("signed"), &json!(2)));
        assert_eq!(signed.header("etag"), "\"2\"");
        assert_eq!(signed.json["signature"], json!({
            "signed_on": "2025-07-29", "evidence": "parapheur n° 12",
            "signatory": {"name": "Dominique REY", "title": "Secrétaire générale, par délégation"},
        }));
        assert_eq!(offered(app), [("sign".into(), state()), ("correct_signature".into(), None)]);
        let refused = sign(&o, "2025-07-29").problem(409, "batch_state");
        assert_eq!(refused.json["allowed_actions"], json!(["correct_signature"]));

        let corrected = correct(&o, "2025-07-28").expect(200).json;
        assert_eq!(corrected["signature"], json!({
            "signed_on": "2025-07-28", "evidence": null, "signatory": {"name": "Dominique REY", "title": "Secrétaire générale"},
        }));
        assert_eq!(batch(app), corrected);
        let listed = o.get("/accounting-batches?status=signed").expect(200).json;
        assert_eq!(listed["data"], json!([corrected]));
        assert_eq!(o.get("/accounting-batches?status=sealed").json["data"], json!([]));
        // Both are kept, and the files are what they were.
        let kept = text_rows(&app.db, "SELECT CAST(signed_on AS TEXT) AS line FROM accounting_batch_signatures ORDER BY position");
        assert_eq!(kept, ["2025-07-29", "2025-07-28"]);
        assert_eq!(o.get("/accounting-batches/ENT-B-2025-0001/files/csv").expect(200).bytes, file);
        let told = app.admin().get("/audit-events?subject=ENT-B-2025-0001&sort=at").expect(200).json;
        let told: Vec<&str> = told["data"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
        assert_eq!(told, ["batch.sealed", "batch.signed", "batch.signature_corrected"]);
    }

    fn a_signature_lies_between_the_sealing_and_today(app: &TestApp) {
        sealed(app);
        let o = app.ordonnateur();
        for (day, code) in [("2025-07-27", "date_too_early"), ("2025-07-31", "date_too_late")] {
            let refused = sign(&o, day).problem(422, "invalid_value");
            let error = &refused.json["errors"][0];
            assert_eq!((&error["pointer"], &error["code"]), (&json!("/signed_on"), &json!(code)), "{day}");
        }
        let bare = o.post(MOVES, json!({"action": "correct_signature"})).problem(422, "invalid_value");
        let missing: Vec<&str> = bare.json["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        assert_eq!(missing, ["/signed_on", "/signatory", "/reason"]);
        let who = json!({"name": "Dominique REY", "title": "SG"});
        let odd = o.post(MOVES, json!({"action": "sign", "signed_on": "2025-07-29", "signatory": who, "reason": "x"}));
        assert_eq!(odd.problem(422, "invalid_value").json["errors"][0]["code"], "field_not_for_action");
        assert_eq!(batch(app)["status"], "sealed");
        sign(&app.gestionnaire(), "2025-07-29").problem(403, "forbidden");
        sign(&o, "2025-07-28").expect(200);
    }

    fn of_ten_who_sign_at_once_one_does(app: &TestApp) {
        sealed(app);
        let mut answers: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..10).map(|_| {
                let client = app.ordonnateur();
                scope.spawn(move || sign(&client, "2025-07-29").status)
            }).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        answers.sort_unstable();
        assert_eq!(answers, [vec![200], vec![409; 9]].concat());
        assert_eq!(text_rows(&app.db, "SELECT CAST(count(*) AS TEXT) AS line FROM accounting_batch_signatures"), ["1"]);
    }

    fn another_program_neither_signs_nor_unsigns_a_batch(app: &TestApp) {
        sealed(app);
        let moved = |to: &str| app.sql(&format!("UPDATE accounting_batch_progress SET state = '{to}'"));
        for to in ["signed", "sent", "acknowledged"] {
            assert!(moved(to).unwrap_err().to_string().contains("frozen: accounting_batch_progress"), "{to}");
        }
        sign(&app.ordonnateur(), "2025-07-29").expect(200);
        for to in ["sealed", "sent", "acknowledged"] {
            assert!(moved(to).unwrap_err().to_string().contains("frozen: accounting_batch_progress"), "{to}");
        }
        app.sql("UPDATE accounting_batch_signatures SET name = 'x'").unwrap_err();
        app.sql("DELETE FROM accounting_batch_signatures").unwrap_err();
    }
}
