//! A paper is made once, by this program: what another program puts in its place is found out, by the job or by the first
//! who asks, and never served.

use std::process::Command;

use diesel::connection::SimpleConnection as _;
use ent_backoffice::platform::db::blobs;
use serde_json::json;

use crate::support::databases::text_rows;
use crate::support::papers::{collapsed, pages, text_of};
use crate::support::year::{active_campaign, prepare, register_communes, register_seed};
use crate::support::{Client, Response, TestApp};

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
        let papers = three_papers(app);
        app.run_jobs();
        let g = app.gestionnaire();
        let before: Vec<Response> = papers.iter().map(|path| g.get(path).expect(200)).collect();
        let frozen = "SELECT kind || template_sha256 || content AS line FROM papers ORDER BY kind, subject_id";
        let contents = text_rows(&app.db, frozen);
        let folder = if app.db.is_sqlite() { "sqlite" } else { "postgres" };
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
        let run = |side: &str| {
            let mut names: Vec<_> = std::fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).collect();
            names.sort();
            let mut chosen = names.split_off(names.iter().position(|p| p.ends_with(NAME)).unwrap());
            if side == "down.sql" {
                chosen.reverse();
            }
            for folder in chosen {
                let sql = std::fs::read_to_string(folder.join(side)).unwrap();
                app.db.write(|tx| Ok(tx.conn().batch_execute(&sql)?)).unwrap();
            }
        };
        run("down.sql");
        let old = "SELECT 'convention' || template_sha256 || input AS line, convention_id AS id FROM convention_papers \
                   UNION ALL SELECT 'decision' || template_sha256 || content, id FROM small_claim_acts \
                   UNION ALL SELECT 'demand' || template_sha256 || content, title_id FROM title_approvals";
        assert_eq!(text_rows(&app.db, &format!("SELECT line FROM ({old}) AS o ORDER BY substr(line, 1, 6), id")), contents);
        let kept = "SELECT document_sha256 AS line FROM conventions WHERE document_status = 'ready' \
                    UNION SELECT sha256 FROM small_claim_papers \
                    UNION SELECT document_sha256 FROM perception_titles WHERE document_status = 'ready'";
        let kept = text_rows(&app.db, kept);
        assert!(before.iter().all(|paper| kept.contains(&paper.header("etag").trim_matches('"').to_owned())), "{kept:?}");
        run("up.sql");
        assert_eq!(text_rows(&app.db, frozen), contents);
        for (path, before) in papers.iter().zip(&before) {
            let after = g.get(path).expect(200);
            assert_eq!((before.header("etag"), &before.bytes), (after.header("etag"), &after.bytes));
        }
        assert_eq!(text_rows(&app.db, "SELECT DISTINCT made_by AS line FROM papers"), ["before"]);
    }

    fn a_reader_checks_the_printed_digest_with_tools_of_their_own(app: &TestApp) {
        let [convention, demand, decision] = three_papers(app);
        app.run_jobs();
        let g = app.gestionnaire();
        for (path, kind) in [(demand, "demand"), (decision, "decision")] {
            let served = g.get(&path).expect(200);
            to_be_looked_at(&served);
            let pdf = served.bytes;
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("acte.pdf");
            std::fs::write(&file, &pdf).unwrap();
            let detached = Command::new("pdfdetach").arg("-saveall").arg("-o").arg(folder.path()).arg(&file).status();
            assert!(detached.expect("pdfdetach (poppler-utils) is missing").success());
            let sum = Command::new("sha256sum").arg(folder.path().join("donnees.json")).output().unwrap();
            let sum = String::from_utf8(sum.stdout).unwrap();
            let digest = sum.split_whitespace().next().unwrap();
            assert!(text_of(&pdf).contains(digest), "{kind}: {digest} is not printed");
            let data = std::fs::read_to_string(folder.path().join("donnees.json")).unwrap();
            let frozen = text_rows(&app.db, &format!("SELECT content AS line FROM papers WHERE kind = '{kind}'"));
            assert!(frozen.contains(&data), "{kind}");
            assert!(["<pdfaid:part>3</pdfaid:part>", "<pdfaid:conformance>A</pdfaid:conformance>", "<pdfuaid:part>1</pdfuaid:part>"]
                .iter().all(|mark| pdf.windows(mark.len()).any(|w| w == mark.as_bytes())), "{kind}");
        }
        // A contract says what its text says, and nothing beside it.
        let pdf = g.get(&convention).expect(200).bytes;
        assert!(!pdf.windows(12).any(|w| w == b"donnees.json"));
    }

    fn what_is_without_effect_bears_it_on_each_page(app: &TestApp) {
        let [convention, demand, decision] = three_papers(app);
        app.run_jobs();
        let g = app.gestionnaire();
        let whole: Vec<Response> = [&convention, &demand, &decision].iter().map(|path| g.get(path).expect(200)).collect();
        app.set_time("2025-08-01T09:00:00Z");
        let (g, o) = (app.gestionnaire(), app.ordonnateur());
        let act = |client: &Client, path: &str, action: &str| {
            let path = path.replace("/document", "/transitions");
            client.post(&path, json!({"action": action, "reason": "essai"})).expect(200);
        };
        act(&o, &demand, "withdraw");
        act(&o, &decision, "revoke");
        act(&g, &convention, "cancel");
        // What comes after does not move the day.
        app.set_time("2025-08-20T09:00:00Z");
        let g = app.gestionnaire();
        for (path, whole, words, name) in [
            (&convention, &whole[0], "CONVENTION ANNULÉE le 1er août 2025 — sans effet", "-annulee.pdf"),
            (&demand, &whole[1], "DEMANDE RETIRÉE le 1er août 2025 — sans effet", "-retiree.pdf"),
            (&decision, &whole[2], "DÉCISION RAPPORTÉE le 1er août 2025 — sans effet", "-rapportee.pdf"),
        ] {
            let stamped = g.get(path).expect(200);
            to_be_looked_at(&stamped);
            let read = pages(&stamped.bytes);
            assert_eq!(read.len(), pages(&whole.bytes).len(), "{path}");
            assert!(read.iter().all(|page| collapsed(page).contains(words)), "{words}\n{}", read[0]);
            assert_ne!(stamped.header("etag"), whole.header("etag"));
            assert!(stamped.header("content-disposition").contains(name), "{}", stamped.header("content-disposition"));
            assert_eq!(g.get(path).expect(200).bytes, stamped.bytes);
            let original = g.get(&format!("{path}?original=true")).expect(200);
            assert_eq!((original.header("etag"), &original.bytes), (whole.header("etag"), &whole.bytes));
            assert_eq!(g.get(&format!("{path}?original=false")).expect(200).bytes, stamped.bytes);
            g.get(&format!("{path}?original=oui")).problem(422, "invalid_value");
            g.get(&format!("{path}?originale=true")).problem(400, "unknown_parameter");
        }
        // Nothing of it is kept.
        assert_eq!(text_rows(&app.db, "SELECT sha256 AS line FROM blobs WHERE media_type = 'application/pdf'").len(), 4);
    }

    fn a_convention_past_its_end_says_so_and_one_declined_too(app: &TestApp) {
        register_seed(app);
        let id = active_campaign(app, "issue").remove(0);
        app.run_jobs();
        app.set_time("2026-09-07T09:00:00Z");
        app.db.write(|tx| ent_backoffice::conventions::expire_due(tx, &ent_backoffice::kernel::Actor::program("essai"))).unwrap();
        let pdf = app.lecteur().get(&format!("/conventions/{id}/document")).expect(200);
        to_be_looked_at(&pdf);
        let read = pages(&pdf.bytes);
        assert!(read.iter().all(|page| collapsed(page).contains("CONVENTION ÉCHUE le 5 septembre 2026") && !page.contains("sans effet")));
        assert!(pdf.header("content-disposition").contains("-echue.pdf"));
    }

    fn an_act_revoked_in_part_says_how_much(app: &TestApp) {
        register_communes(app, 2);
        active_campaign(app, "do_not_issue");
        prepare(app);
        let g = app.gestionnaire();
        let list = g.get("/campaigns/2025-2026/small-claim-decisions").expect(200).json;
        let path = format!("/small-claim-decisions/{}", list["data"][0]["id"].as_str().unwrap());
        let revoke = json!({"action": "revoke", "reason": "à émettre"});
        app.ordonnateur().post(&format!("{path}/transitions"), revoke).expect(200);
        let other = format!("/small-claim-decisions/{}/document", list["data"][1]["id"].as_str().unwrap());
        for path in [format!("{path}/document"), other] {
            let pdf = g.get(&path).expect(200);
            let words = "DÉCISION RAPPORTÉE EN PARTIE (1 créance sur 2), en dernier lieu le 28 juillet 2025";
            assert!(pages(&pdf.bytes).iter().all(|page| collapsed(page).contains(words)));
            assert!(pdf.header("content-disposition").contains("-rapportee-en-partie.pdf"));
        }
    }
}

/// Kept in the folder PAPERS_TO, if there is one, for a person to look at.
fn to_be_looked_at(paper: &Response) {
    if let Some(folder) = std::env::var_os("PAPERS_TO") {
        let name = paper.header("content-disposition").split('"').nth(1).unwrap().to_owned();
        std::fs::write(std::path::Path::new(&folder).join(name), &paper.bytes).unwrap();
    }
}

/// A convention, a demand and an act on small claims: where their papers are.
fn three_papers(app: &TestApp) -> [String; 3] {
    register_seed(app);
    register_communes(app, 1);
    let conventions = active_campaign(app, "do_not_issue");
    prepare(app);
    app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
    let g = app.gestionnaire();
    let title = g.get("/perception-titles?status=approved").expect(200).json["data"][0].clone();
    let decision = g.get("/campaigns/2025-2026/small-claim-decisions").expect(200).json["data"][0]["id"].clone();
    // That of the act: its convention is titled no more, and may be cancelled.
    let convention = conventions.into_iter().find(|id| title["convention_id"] != json!(id)).unwrap();
    [
        format!("/conventions/{convention}/document"),
        format!("/perception-titles/{}/document", title["id"].as_str().unwrap()),
        format!("/small-claim-decisions/{}/document", decision.as_str().unwrap()),
    ]
}

/// The migration that made one table of papers.
const NAME: &str = "00000000000020_papers_once";
