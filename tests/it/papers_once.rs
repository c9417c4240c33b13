//! A paper is made once, by this program: what another program puts in its place is found out, by the job or by the first
//! who asks, and never served.

use diesel::connection::SimpleConnection as _;
use ent_backoffice::platform::db::blobs;
use serde_json::json;

use crate::schema::text_rows;
use crate::support::TestApp;
use crate::titles::active_campaign;
use crate::year::register_seed;

/// A PDF that is none of ours, with its true digest, in the place of what is still to be made.
fn usurp(app: &TestApp, kind: &str, made_by: &str) {
    let sha256 = app.db.write(|tx| blobs::put(tx, "application/pdf", b"%PDF-1.7 FAUX")).unwrap();
    let put = format!(
        "UPDATE papers SET status = 'ready', sha256 = '{sha256}', made_by = '{made_by}' WHERE kind = '{kind}' AND status = 'pending'"
    );
    assert!(app.sql(&put).unwrap() > 0);
}

fn maker(app: &TestApp, kind: &str) -> String {
    let found = format!("SELECT DISTINCT made_by AS line FROM papers WHERE kind = '{kind}' AND status = 'ready'");
    text_rows(&app.db, &found).remove(0)
}

fn status(app: &TestApp, id: &str) -> String {
    let checked = "CASE WHEN checked_at IS NULL THEN '' ELSE ' checked' END";
    text_rows(&app.db, &format!("SELECT status || {checked} AS line FROM papers WHERE subject_id = '{id}'")).remove(0)
}

fn jobs(app: &TestApp) -> Vec<String> {
    text_rows(&app.db, "SELECT state AS line FROM jobs WHERE kind = 'papers.render' ORDER BY 1")
}

/// The seed's convention, its paper still to be made, and the name this program signs papers with.
fn pending(app: &TestApp) -> (String, String) {
    register_seed(app);
    let first = active_campaign(app, "issue").remove(0);
    app.run_jobs();
    let maker = maker(app, "convention");
    let g = app.gestionnaire();
    g.post(&format!("/conventions/{first}/transitions"), json!({"action": "cancel", "reason": "essai"})).expect(200);
    let again = g.post("/campaigns/2025-2026/conventions", json!({"keys": ["21300278500011"]})).expect(200).json;
    (again["items"][0]["id"].as_str().unwrap().to_owned(), maker)
}

on_both_databases! {
    fn the_job_finds_out_what_another_program_stored(app: &TestApp) {
        let (id, maker) = pending(app);
        app.forget_jobs();
        usurp(app, "convention", &maker);
        app.run_jobs_unread();
        assert_eq!(jobs(app).last().unwrap(), "failed");
        assert_eq!(status(app, &id), "falsified");
        let g = app.gestionnaire();
        let answer = g.get(&format!("/conventions/{id}/document")).problem(500, "integrity_fault");
        assert!(!answer.text().contains("FAUX"));
        assert_eq!(g.get(&format!("/conventions/{id}")).expect(200).json["document"], json!({"status": "falsified", "sha256": null}));
        let alarm = &app.admin().get("/audit-events?action=integrity.fault").expect(200).json["data"][0];
        assert_eq!((&alarm["subject_kind"], &alarm["subject_key"]), (&json!("convention"), &json!("ENT-C-2025-2026-00002")));
    }

    fn who_asks_first_finds_it_out_too(app: &TestApp) {
        let (id, maker) = pending(app);
        app.forget_jobs();
        app.sql("DELETE FROM jobs").unwrap();
        usurp(app, "convention", &maker);
        app.gestionnaire().get(&format!("/conventions/{id}/document")).problem(500, "integrity_fault");
        assert_eq!(status(app, &id), "falsified");
        app.gestionnaire().get(&format!("/conventions/{id}/document")).problem(500, "integrity_fault");
    }

    fn a_maker_this_program_never_was_is_no_maker(app: &TestApp) {
        let (id, _) = pending(app);
        app.forget_jobs();
        // « before » is said by the migration alone.
        let sha256 = app.db.write(|tx| blobs::put(tx, "application/pdf", b"%PDF-1.7 FAUX")).unwrap();
        let before = format!("UPDATE papers SET status = 'ready', sha256 = '{sha256}', made_by = 'before' WHERE subject_id = '{id}'");
        assert!(app.sql(&before).unwrap_err().to_string().contains("frozen"));
        usurp(app, "convention", "Word");
        app.gestionnaire().get(&format!("/conventions/{id}/document")).problem(500, "integrity_fault");
        assert_eq!(status(app, &id), "falsified");
    }

    fn what_other_fonts_made_is_left_to_a_person(app: &TestApp) {
        let (id, maker) = pending(app);
        app.forget_jobs();
        let (compiler, _) = maker.split_once(", fonts ").unwrap();
        usurp(app, "convention", &format!("{compiler}, fonts 000000000000"));
        app.run_jobs_unread();
        assert_eq!(jobs(app).last().unwrap(), "failed");
        assert_eq!(status(app, &id), "ready");
    }

    fn the_paper_of_who_asked_first_is_made_again_by_the_job_and_is_the_same(app: &TestApp) {
        let (id, _) = pending(app);
        let g = app.gestionnaire();
        let first = g.get(&format!("/conventions/{id}/document")).expect(200);
        assert_eq!(status(app, &id), "ready");
        assert_eq!(app.run_jobs(), 1);
        assert_eq!(status(app, &id), "ready checked");
        let again = g.get(&format!("/conventions/{id}/document")).expect(200);
        assert_eq!((first.header("etag"), &first.bytes), (again.header("etag"), &again.bytes));
        assert_eq!(again.header("content-disposition"), "attachment; filename=\"ENT-C-2025-2026-00002.pdf\"");
    }

    fn papers_of_before_are_those_of_after_and_back(app: &TestApp) {
        register_seed(app);
        let id = active_campaign(app, "issue").remove(0);
        app.run_jobs();
        let g = app.gestionnaire();
        let before = g.get(&format!("/conventions/{id}/document")).expect(200);
        let frozen = "SELECT template_sha256 || content AS line FROM papers ORDER BY subject_id";
        let inputs = text_rows(&app.db, frozen);
        let folder = if app.db.is_sqlite() { "sqlite" } else { "postgres" };
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
        let run = |side: &str| {
            let mut names: Vec<_> = std::fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).collect();
            names.sort();
            let from = names.iter().position(|p| p.ends_with(NAME)).unwrap();
            let mut chosen = names.split_off(from);
            if side == "down.sql" { chosen.reverse(); }
            for folder in chosen {
                let sql = std::fs::read_to_string(folder.join(side)).unwrap();
                app.db.write(|tx| Ok(tx.conn().batch_execute(&sql)?)).unwrap();
            }
        };
        run("down.sql");
        let old = "SELECT p.template_sha256 || p.input AS line FROM convention_papers p ORDER BY p.convention_id";
        assert_eq!(text_rows(&app.db, old), inputs);
        assert_eq!(text_rows(&app.db, "SELECT document_status || ' ' || document_sha256 AS line FROM conventions"), [format!("ready {}", before.header("etag").trim_matches('"'))]);
        run("up.sql");
        assert_eq!(text_rows(&app.db, frozen), inputs);
        let after = g.get(&format!("/conventions/{id}/document")).expect(200);
        assert_eq!((before.header("etag"), &before.bytes), (after.header("etag"), &after.bytes));
        assert_eq!(maker(app, "convention"), "before");
    }
}

/// The migration that made one table of papers.
const NAME: &str = "00000000000020_papers_once";
