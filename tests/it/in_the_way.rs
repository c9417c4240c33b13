//! Rows that another program slips in beside what is there: refused where a guard can know, else a named alarm of the act
//! that meets them, never a nameless error and never money that nobody decided.

use serde_json::json;

use crate::support::databases::text_rows;
use crate::support::year::{
    active_campaign, approve, issue, open_campaign, prepare, register_communes, register_seed, seal,
};
use crate::support::{Response, TestApp};

const YEAR: &str = "/campaigns/2025-2026";

#[track_caller]
fn refused(app: &TestApp, statement: &str) {
    let answer = app.sql(statement).expect_err(statement).to_string();
    assert!(answer.contains("frozen"), "{statement}: {answer}");
}

/// Expects the fault by its name, its table in the journal, and one more in the measures.
#[track_caller]
fn named(app: &TestApp, answer: Response, table: &str) {
    answer.problem(500, "integrity_fault");
    let told = app.admin().get("/audit-events?action=integrity.fault&sort=-at").expect(200).json["data"][0].clone();
    assert!(told["data"]["fault"].as_str().unwrap().contains(table), "{table}: {told}");
    let metrics = app.anonymous().send("GET", "/metrics", &[], Vec::new()).expect(200).text();
    assert!(metrics.lines().any(|line| line.starts_with("ent_integrity_faults_total{") && !line.ends_with(" 0")));
}

fn one(app: &TestApp, sql: &str) -> String {
    text_rows(&app.db, sql).remove(0)
}

/// Two titles, prepared; their ids.
fn prepared(app: &TestApp, policy: &str) -> Vec<String> {
    register_seed(app);
    register_communes(app, 2);
    active_campaign(app, policy);
    prepare(app);
    text_rows(&app.db, "SELECT id AS line FROM perception_titles ORDER BY id")
}

fn transition(app: &TestApp, title: &str, action: &str) -> Response {
    let body = match action {
        "approve" => json!({"action": action}),
        _ => json!({"action": action, "reason": "essai"}),
    };
    app.ordonnateur().post(&format!("/perception-titles/{title}/transitions"), body)
}

const APPROVAL: &str = "INSERT INTO title_approvals (title_id, reference, exercice, number_rank, approved_by, approver, \
                        approved_on, approved_at, content_sha256) SELECT ";

on_both_databases! {
    fn nobody_says_by_hand_what_becomes_of_a_school_that_stands(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        let word = "INSERT INTO line_decisions (convention_id, uai, choice, reason, decided_by, decided_by_label, decided_at, version) \
                    SELECT v.id, '0301023Z', 'reduce', 'x', u.id, 'Personne', '2025-07-20 10:00:00', 1 FROM conventions v, users u WHERE u.role = 'gestionnaire'";
        refused(app, word);
        assert_eq!(prepare(app)["total"], "80.00");
        // Closed, a word may be said, and said again once it is open again.
        let g = app.gestionnaire();
        let title = one(app, "SELECT id AS line FROM perception_titles");
        transition(app, &title, "withdraw").expect(200);
        let close = |day: serde_json::Value| {
            g.json("PATCH", "/schools/0301023Z", &[("if-match", "*")], &json!({"closed_on": day})).expect(200);
        };
        let decide = |choice: &str| g.post(&format!("{YEAR}/line-decisions"), json!({"keys": ["0301023Z"], "choice": choice, "reason": "vue"})).expect(200).json["decided"].clone();
        close(json!("2025-07-01"));
        assert_eq!(decide("reduce"), 1);
        close(json!(null));
        assert_eq!(decide("keep"), 1);
    }

    fn a_decision_slipped_under_an_act_stops_what_rests_on_it(app: &TestApp) {
        register_seed(app);
        register_communes(app, 3);
        active_campaign(app, "issue");
        let o = app.ordonnateur();
        let siret = one(app, "SELECT party_siret AS line FROM conventions WHERE total_cents = 4000 ORDER BY number LIMIT 1");
        let body = json!({"keys": [siret], "reason": "sous le seuil"});
        assert_eq!(o.post(&format!("{YEAR}/small-claim-decisions"), body).expect(200).json["decided"], 1);
        app.run_jobs();
        let slipped = "INSERT INTO small_claim_decisions (id, convention_id, participation_id, amount_cents, threshold_cents, reason, decided_by, decided_by_label, decided_at, act_id, origin, updated_at) \
                       SELECT '019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e', p.convention_id, p.id, 4000, d.threshold_cents, d.reason, d.decided_by, d.decided_by_label, d.decided_at, d.act_id, d.origin, d.updated_at \
                       FROM small_claim_decisions d, participations p JOIN conventions v ON v.id = p.convention_id \
                       WHERE v.total_cents = 4000 AND p.convention_id <> d.convention_id ORDER BY v.number LIMIT 1";
        assert_eq!(app.sql(slipped).unwrap(), 1);
        for dry_run in [true, false] {
            let answer = app.gestionnaire().post(&format!("{YEAR}/perception-titles"), json!({"dry_run": dry_run}));
            named(app, answer, "ne font plus son total");
            let answer = o.post(&format!("{YEAR}/small-claim-decisions"), json!({"filter": {"departement": "30"}, "reason": "x", "dry_run": dry_run}));
            named(app, answer, "ne font plus son total");
        }
        assert!(text_rows(&app.db, "SELECT id AS line FROM perception_titles").is_empty());
    }

    fn a_reference_taken_before_its_title_is_named(app: &TestApp) {
        let titles = prepared(app, "issue");
        let ahead = format!("{APPROVAL} '{}', 'ENT-T-2025-000001', 2025, 1, id, '{{}}', '2025-07-28', '2025-07-28 09:00:00', '{}' FROM users WHERE role = 'ordonnateur'", titles[2], "0".repeat(64));
        app.ordonnateur().get("/me").expect(200);
        assert_eq!(app.sql(&ahead).unwrap(), 1);
        named(app, transition(app, &titles[0], "approve"), "title_approvals");
        named(app, transition(app, &titles[2], "approve"), "title_approvals");
        for dry_run in [true, false] {
            let answer = app.ordonnateur().post("/perception-titles/approvals", json!({"keys": [titles[0]], "dry_run": dry_run}));
            named(app, answer, "title_approvals");
        }
        // Taken out, the act is done as if nothing had been.
        app.tamper("title_approvals", "DELETE FROM title_approvals");
        assert_eq!(transition(app, &titles[0], "approve").expect(200).json["reference"], "ENT-T-2025-000001");
    }

    fn a_paper_before_its_title_and_a_batch_before_its_seal_are_named(app: &TestApp) {
        let titles = prepared(app, "issue");
        let paper = format!("INSERT INTO papers (subject_kind, subject_id, kind, version, content, content_sha256, template_sha256, attached, status, changed_at) \
                             SELECT 'perception_title', '{}', 'demand', 1, '{{}}', '{}', template_sha256, FALSE, 'pending', changed_at FROM papers LIMIT 1", titles[0], "0".repeat(64));
        assert_eq!(app.sql(&paper).unwrap(), 1);
        named(app, transition(app, &titles[0], "approve"), "papers");
        transition(app, &titles[1], "approve").expect(200);
        let batch = format!("INSERT INTO accounting_batches (id, number, number_rank, campaign_id, exercice, nature, comptable, title_count, total_cents, content_sha256, sealed_by, sealed_by_label, sealed_at) \
                             SELECT '019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e', 'ENT-B-2025-0001', 1, c.id, 2025, 'issue', '{{}}', 1, 4000, '{}', u.id, 'X', '2025-07-28 09:00:00' FROM campaigns c, users u WHERE u.role = 'ordonnateur'", "0".repeat(64));
        assert_eq!(app.sql(&batch).unwrap(), 1);
        named(app, seal(app), "accounting_batches");
    }

    fn a_title_is_withdrawn_with_its_date_and_no_other_has_one(app: &TestApp) {
        let titles = prepared(app, "issue");
        let dated = |id: &str| format!("UPDATE perception_titles SET withdrawn_at = '2020-01-01 00:00:00' WHERE id = '{id}'");
        refused(app, &dated(&titles[0]));
        approve(app);
        refused(app, &dated(&titles[0]));
        transition(app, &titles[1], "withdraw").expect(200);
        refused(app, &format!("UPDATE perception_titles SET exercice = 1999 WHERE id = '{}'", titles[1]));
        seal(app).expect(201);
        refused(app, &dated(&titles[0]));
    }

    fn a_refusal_taken_back_by_hand_is_named(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        let id = issue(app).remove(0);
        app.set_time("2025-07-28T09:00:00Z");
        let g = app.gestionnaire();
        let no = json!({"action": "decline", "declined_on": "2025-07-28", "declined_by": "la maire", "reason": "vote"});
        g.post(&format!("/conventions/{id}/transitions"), no).expect(200);
        let back = "INSERT INTO convention_reopenings (refusal_id, reason, reopened_by_label, reopened_at) SELECT id, 'x', 'X', '2025-07-28 10:00:00' FROM convention_refusals";
        assert_eq!(app.sql(back).unwrap(), 1);
        app.forget_jobs();
        let answer = g.post(&format!("/conventions/{id}/transitions"), json!({"action": "reopen", "reason": "retour"}));
        named(app, answer, "refus");
    }

    fn a_paper_that_is_made_meanwhile_refuses_nobody(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        let id = issue(app).remove(0);
        app.set_time("2025-07-28T09:00:00Z");
        let g = app.gestionnaire();
        let read = g.get(&format!("/conventions/{id}")).expect(200);
        assert_eq!(read.json["document"]["status"], "pending");
        app.run_jobs();
        let since = g.get(&format!("/conventions?updated_since={}", read.json["updated_at"].as_str().unwrap())).expect(200);
        assert_eq!(since.json["data"][0]["document"]["status"], "ready");
        let sign = json!({"action": "sign", "signed_on": "2025-07-25", "signatory": {"name": "S. B.", "title": "Maire"}});
        g.json("POST", &format!("/conventions/{id}/transitions"), &[("if-match", read.header("etag"))], &sign).expect(200);
    }
}
