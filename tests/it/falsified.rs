//! What is sealed, printed and served is what was issued and approved: a raw change is refused by the database, and what
//! somebody changed all the same, with its guards lifted, is an alarm and never a file.

use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::year::{active_campaign, luhn, prepare, register_communes, register_seed, seal};
use crate::support::{Response, TestApp};

const BATCH: &str = "/accounting-batches/ENT-B-2025-0001";

/// The seed's commune up to its approved title of 80,00 €: ids of the convention and of the title.
fn approved(app: &TestApp) -> (String, String) {
    register_seed(app);
    let convention = active_campaign(app, "issue").remove(0);
    let title = prepare(app)["items"][0]["id"].as_str().unwrap().to_owned();
    app.ordonnateur()
        .post(&format!("/perception-titles/{title}/transitions"), json!({"action": "approve"}))
        .expect(200);
    (convention, title)
}

fn alarms(app: &TestApp) -> Vec<Value> {
    app.admin().get("/audit-events?action=integrity.fault&sort=at").expect(200).json["data"].as_array().unwrap().clone()
}

fn counted(app: &TestApp) -> u64 {
    let text = app.anonymous().send("GET", "/metrics", &[], Vec::new()).expect(200).text();
    let faults = text.lines().filter(|line| line.starts_with("ent_integrity_faults_total{"));
    faults.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Expects a refusal without the falsified words, one more in the measures, and the subject's name in the journal.
#[track_caller]
fn alarmed(app: &TestApp, answer: impl Fn() -> Response, kind: &str, words: &str) {
    let before = counted(app);
    let answer = answer().problem(500, "integrity_fault");
    assert!(answer.json["detail"].as_str().unwrap().contains(words), "{}", answer.text());
    assert!(!answer.text().contains("9999") && !answer.text().contains("FAUX"), "{}", answer.text());
    assert_eq!(counted(app), before + 1);
    // Noted now, or within the hour.
    let told = |a: &Value| a["subject_kind"] == kind && a["data"]["fault"].as_str().unwrap().contains(words);
    let noted = alarms(app);
    let noted = noted.iter().find(|alarm| told(alarm)).unwrap_or_else(|| panic!("{kind} {words}: {noted:?}"));
    assert_eq!(noted["actor"], "contrôle d'intégrité");
}

/// Bytes that are not those stored, in the words of the database.
fn other_bytes(app: &TestApp) -> &'static str {
    if app.db.is_sqlite() { "CAST('FAUX' AS BLOB)" } else { "'FAUX'::bytea" }
}

fn refused(app: &TestApp, statement: &str) {
    let answer = app.sql(statement).expect_err(statement).to_string();
    assert!(answer.contains("frozen"), "{statement}: {answer}");
}

/// Undoes what was falsified.
fn restore(app: &TestApp, statement: &str) {
    assert!(app.sql(statement).unwrap() > 0, "{statement}");
}

on_both_databases! {
    fn what_was_issued_or_approved_refuses_a_raw_change(app: &TestApp) {
        let (convention, title) = approved(app);
        app.run_jobs();
        // The issue's own example: 9 999,00 € for an approved 80,00 €.
        refused(app, "UPDATE perception_titles SET amount_cents = 999900");
        let digest = text_rows(&app.db, "SELECT min(sha256) AS line FROM blobs WHERE media_type = 'text/x-typst'").remove(0);
        for set in [
            "debtor = '{}'", "debtor_siret = '35600000000048'", "debtor_departement = '34'", "ground = '{}'", "findings = '[1]'",
            "reference = 'ENT-T-2025-000009'", "reference = NULL", "exercice = 2026", "kind = 'complement', corrects_id = id",
            "small_claim = NOT small_claim", "flagged = NOT flagged", "threshold_cents = 1", "prepared_by_label = 'X'",
            "prepared_at = '2025-01-01 00:00:00'", "convention_rank = 7", "state = 'prepared'",
        ] {
            refused(app, &format!("UPDATE perception_titles SET {set} WHERE id = '{title}'"));
        }
        for set in [
            "party = '{}'", "party_siret = '35600000000048'", "total_cents = 999900", "school_count = 9", "number = 'X'",
            "number_rank = 9", "ends_on = '2030-01-01'", "issued_at = '2025-01-01 00:00:00'", "issued_by = 'X'", "sequence = 2",
            "sequence_reason = 'X'",
        ] {
            refused(app, &format!("UPDATE conventions SET {set} WHERE id = '{convention}'"));
        }
        for set in [
            "subject_kind = 'x'", "subject_id = 'x'", "kind = 'x'", "version = 2", "content = '{}'", "content_sha256 = sha256", "attached = NOT attached",
            &format!("template_sha256 = '{digest}', content = '{{}}'"), "sha256 = NULL, made_by = NULL, status = 'pending'",
            "sha256 = NULL, made_by = NULL, status = 'failed', cause = 'x'", &format!("sha256 = '{digest}'"), "made_by = 'x'",
            "checked_at = NULL", "status = 'pending'",
        ] {
            refused(app, &format!("UPDATE papers SET {set} WHERE subject_id = '{convention}'"));
        }
        // None comes made.
        let made = format!("SELECT 'convention', 'x', 'convention', 1, '{{}}', '{digest}', '{digest}', FALSE, 'ready', '{digest}', NULL, 'x', NULL, changed_at FROM papers");
        refused(app, &format!("INSERT INTO papers {made} WHERE subject_id = '{convention}'"));
        for table in ["conventions", "papers", "perception_titles", "accounting_batch_progress", "counters", "small_claim_decisions"] {
            if !text_rows(&app.db, &format!("SELECT 'x' AS line FROM {table}")).is_empty() {
                refused(app, &format!("DELETE FROM {table}"));
            }
        }
        // A reference is never given again.
        refused(app, "UPDATE counters SET value = 0 WHERE name = 'title:2025'");
        // Nothing is added to what is whole.
        refused(app, "INSERT INTO title_lines SELECT title_id, 9, uai, label, commune_name, departement, 1, 4000, 4000, NULL FROM title_lines WHERE position = 1");
        refused(app, "INSERT INTO participation_lines SELECT participation_id, 9, uai, name, label, kind, insee_code, commune_name, departement, 1, 4000, 4000, NULL FROM participation_lines WHERE position = 1");
        let batch = seal(app).expect(201).json;
        assert_eq!((&batch["total"], &batch["count"]), (&json!("80.00"), &json!(1)));
        for set in ["state = 'approved'", "state = 'withdrawn', withdrawn_reason = 'X'", "batch_id = NULL, state = 'approved'", "batch_number = 'X'"] {
            refused(app, &format!("UPDATE perception_titles SET {set} WHERE id = '{title}'"));
        }
        refused(app, "INSERT INTO accounting_batch_titles SELECT batch_id, 2, title_id FROM accounting_batch_titles");
        refused(app, "UPDATE accounting_batch_progress SET batch_id = 'x'");
        assert!(alarms(app).is_empty(), "a refusal of the database is no falsification");
    }

    fn a_decision_is_revoked_once_and_nothing_else_of_it_changes(app: &TestApp) {
        register_communes(app, 1);
        active_campaign(app, "do_not_issue");
        prepare(app);
        for set in ["amount_cents = 1", "threshold_cents = 999900", "reason = 'X'", "decided_by_label = 'X'", "act_id = NULL", "origin = 'person'"] {
            refused(app, &format!("UPDATE small_claim_decisions SET {set}"));
        }
        let list = app.gestionnaire().get("/campaigns/2025-2026/small-claim-decisions").expect(200).json;
        let path = format!("/small-claim-decisions/{}/transitions", list["data"][0]["id"].as_str().unwrap());
        app.ordonnateur().post(&path, json!({"action": "revoke", "reason": "à émettre"})).expect(200);
        refused(app, "UPDATE small_claim_decisions SET revoked_at = NULL, revoked_by = NULL");
        refused(app, "UPDATE small_claim_decisions SET revoked_reason = 'X'");
    }

    fn a_title_changed_after_its_approval_is_neither_sealed_nor_printed_nor_read(app: &TestApp) {
        let (_, title) = approved(app);
        app.forget_jobs();
        let path = format!("/perception-titles/{title}");
        let (comptable, g) = (app.comptable(), app.gestionnaire());
        let debtor = text_rows(&app.db, "SELECT debtor AS line FROM perception_titles").remove(0);
        let other = debtor.replace("SAINT-LAURENT-DES-ARBRES", "FAUX").replace('\'', "''");
        let debtor = debtor.replace('\'', "''");
        let siret = luhn(&format!("{}0009", luhn("21300278")));
        for (change, back, words) in [
            ("amount_cents = 999900", "amount_cents = 8000".to_owned(), "montant"),
            (&format!("debtor = '{other}'"), format!("debtor = '{debtor}'"), "débiteur"),
            ("reference = 'ENT-T-2025-000009'", "reference = 'ENT-T-2025-000001'".to_owned(), "référence"),
            (&format!("small_claim = NOT small_claim, debtor_siret = '{siret}'"), "small_claim = NOT small_claim, debtor_siret = '21300278500011'".to_owned(), "toutes ses colonnes"),
        ] {
            app.tamper("perception_titles", &format!("UPDATE perception_titles SET {change}"));
            alarmed(app, || seal(app), "perception_title", words);
            alarmed(app, || g.get(&format!("{path}/document")), "perception_title", words);
            alarmed(app, || comptable.get(&path), "perception_title", words);
            restore(app, &format!("UPDATE perception_titles SET {back}"));
            // Found three times within the hour, noted once.
            assert_eq!(alarms(app).iter().filter(|a| a["data"]["fault"].as_str().unwrap().contains(words)).count(), 1, "{words}");
        }
        app.tamper("title_lines", "UPDATE title_lines SET amount_cents = 995900 WHERE position = 1");
        alarmed(app, || seal(app), "perception_title", "lignes");
        restore(app, "UPDATE title_lines SET amount_cents = 4000 WHERE position = 1");
        let content = text_rows(&app.db, "SELECT content AS line FROM papers WHERE kind = 'demand'").remove(0).replace('\'', "''");
        app.tamper("papers", &format!("UPDATE papers SET content = '{}' WHERE kind = 'demand'", content.replace("\"80.00\"", "\"9999.00\"")));
        alarmed(app, || seal(app), "perception_title", "empreinte");
        alarmed(app, || g.get(&format!("{path}/document")), "perception_title", "empreinte");
        restore(app, &format!("UPDATE papers SET content = '{content}' WHERE kind = 'demand'"));
        app.tamper("title_approvals", "UPDATE title_approvals SET approver = replace(approver, 'Camille', 'FAUX')");
        alarmed(app, || seal(app), "perception_title", "approbation");
        restore(app, "UPDATE title_approvals SET approver = replace(approver, 'FAUX', 'Camille')");
        app.sql("CREATE TABLE given AS SELECT * FROM title_approvals").unwrap();
        for set in ["approved_at = '2025-07-28 09:00:01'", &format!("approved_by = '{}'", app.person(ent_backoffice::kernel::Role::Gestionnaire).id)] {
            restore(app, &format!("UPDATE title_approvals SET {set}"));
            alarmed(app, || seal(app), "perception_title", "approbation");
            restore(app, "DELETE FROM title_approvals");
            restore(app, "INSERT INTO title_approvals SELECT * FROM given");
        }
        // A lone approval that was never given.
        app.sql("CREATE TABLE aside AS SELECT * FROM title_approvals").unwrap();
        restore(app, "DELETE FROM title_approvals");
        alarmed(app, || seal(app), "perception_title", "pas d'approbation");
        restore(app, "INSERT INTO title_approvals SELECT * FROM aside");
        assert_eq!(text_rows(&app.db, "SELECT number AS line FROM accounting_batches"), Vec::<String>::new());
        // Whole again, the approved 80,00 € are sealed, printed and read.
        let batch = seal(app).expect(201).json;
        assert_eq!((&batch["number"], &batch["total"]), (&json!("ENT-B-2025-0001"), &json!("80.00")));
        g.get(&format!("{path}/document")).expect(200);
        comptable.get(&path).expect(200);
    }

    fn a_title_approved_before_settlements_were_frozen_is_held_to_what_its_paper_prints(app: &TestApp) {
        let (_, title) = approved(app);
        app.forget_jobs();
        let content = text_rows(&app.db, "SELECT content AS line FROM papers WHERE kind = 'demand'").remove(0);
        let mut content: Value = serde_json::from_str(&content).unwrap();
        let settlement = content.as_object_mut().unwrap().remove("settlement").unwrap();
        let printed = json!({
            "reference": settlement["reference"], "convention": settlement["ground"]["convention_number"],
            "siret": settlement["debtor"]["siret"], "amount": settlement["amount"], "lines": settlement["lines"],
        });
        content["digest"] = ent_backoffice::platform::db::blobs::digest(printed.to_string().as_bytes()).into();
        let content = content.to_string();
        let digest = ent_backoffice::platform::db::blobs::digest(content.as_bytes());
        app.tamper("papers", &format!("UPDATE papers SET content = '{}', content_sha256 = '{digest}' WHERE kind = 'demand'", content.replace('\'', "''")));
        app.tamper("title_approvals", &format!("UPDATE title_approvals SET content_sha256 = '{digest}'"));
        app.tamper("perception_titles", "UPDATE perception_titles SET amount_cents = 999900");
        alarmed(app, || seal(app), "perception_title", "n'est plus celui");
        restore(app, "UPDATE perception_titles SET amount_cents = 8000, debtor = replace(debtor, 'place de la Mairie', 'FAUX')");
        alarmed(app, || seal(app), "perception_title", "n'est plus celui");
        restore(app, "UPDATE perception_titles SET debtor = replace(debtor, 'FAUX', 'place de la Mairie')");
        app.comptable().get(&format!("/perception-titles/{title}")).expect(200);
        assert_eq!(seal(app).expect(201).json["total"], "80.00");
    }

    fn a_convention_changed_after_its_issue_is_neither_printed_nor_titled(app: &TestApp) {
        register_seed(app);
        let id = active_campaign(app, "issue").remove(0);
        app.forget_jobs();
        let g = app.gestionnaire();
        let print = || g.get(&format!("/conventions/{id}/document"));
        let title = || g.post("/campaigns/2025-2026/perception-titles", json!({}));
        for (table, change, back, words) in [
            ("conventions", "total_cents = 999900", "total_cents = 8000", "total de la convention"),
            ("conventions", "party = replace(party, 'Mairie', 'FAUX')", "party = replace(party, 'FAUX', 'Mairie')", "ce qui a été émis"),
            ("conventions", "ends_on = '2030-01-01'", "ends_on = '2026-09-05'", "ce qui a été émis"),
            ("participation_lines", "amount_cents = amount_cents + 995900, unit_amount_cents = 999900", "amount_cents = amount_cents - 995900, unit_amount_cents = 4000", "somme des lignes"),
            ("participation_lines", "label = 'FAUX ' || label", "label = substr(label, 6)", "ce qui a été émis"),
            ("participations", "tariff = tariff || ' '", "tariff = substr(tariff, 1, length(tariff) - 1)", "ce qui a été émis"),
            ("papers", "content = replace(content, '80€', '9999€')", "content = replace(content, '9999€', '80€')", "ce qui a été émis"),
        ] {
            app.tamper(table, &format!("UPDATE {table} SET {change}"));
            alarmed(app, print, "convention", words);
            alarmed(app, title, "convention", words);
            restore(app, &format!("UPDATE {table} SET {back}"));
        }
        // All amounts together, so that sums hold: the seal still does not.
        for (table, factor) in [("conventions", "total_cents = 800000"), ("participations", "total_cents = 800000"), ("participation_lines", "amount_cents = 400000, unit_amount_cents = 400000")] {
            app.tamper(table, &format!("UPDATE {table} SET {factor}"));
        }
        alarmed(app, title, "convention", "ce qui a été émis");
        for back in ["conventions SET total_cents = 8000", "participations SET total_cents = 8000", "participation_lines SET amount_cents = 4000, unit_amount_cents = 4000"] {
            restore(app, &format!("UPDATE {back}"));
        }
        app.sql("CREATE TABLE aside AS SELECT * FROM convention_seals").unwrap();
        app.tamper("convention_seals", "DELETE FROM convention_seals");
        alarmed(app, print, "convention", "sceau");
        alarmed(app, title, "convention", "sceau");
        // Nobody is listed any more among those issued before seals were kept, and the program gives no seal back.
        refused(app, "INSERT INTO convention_unsealed SELECT participation_id FROM aside");
        assert_eq!(ent_backoffice::conventions::seal_what_is_older(&app.db).unwrap(), 0);
        alarmed(app, print, "convention", "sceau");
        restore(app, "INSERT INTO convention_seals SELECT * FROM aside");
        print().expect(200);
        assert_eq!(title().expect(200).json["total"], "80.00");
    }

    fn what_was_issued_before_seals_is_sealed_once_by_the_migration(app: &TestApp) {
        register_communes(app, 3);
        let ids = active_campaign(app, "issue");
        app.forget_jobs();
        let seals = || text_rows(&app.db, "SELECT participation_id || ' ' || coalesce(sha256, '-') AS line FROM convention_seals ORDER BY 1");
        let whole = seals();
        let run = |sql: &str| {
            app.db.write(|tx| {
                use diesel::connection::SimpleConnection as _;
                Ok(tx.conn().batch_execute(sql)?)
            }).unwrap();
        };
        let (up, down) = if app.db.is_sqlite() {
            (include_str!("../../migrations/sqlite/00000000000024_facts_stay/up.sql"), include_str!("../../migrations/sqlite/00000000000024_facts_stay/down.sql"))
        } else {
            (include_str!("../../migrations/postgres/00000000000024_facts_stay/up.sql"), include_str!("../../migrations/postgres/00000000000024_facts_stay/down.sql"))
        };
        run(down);
        assert_eq!(seals(), whole);
        app.tamper("convention_seals", "UPDATE convention_seals SET sha256 = NULL");
        // One does not add up any more.
        let of = |id: &str| format!("SELECT id FROM participations WHERE convention_id = '{id}'");
        app.tamper("participation_lines", &format!("UPDATE participation_lines SET amount_cents = amount_cents + 1 WHERE participation_id = ({})", of(&ids[2])));
        if app.db.is_sqlite() {
            // Lifting its guards took this one away: the migration looks for it.
            run("CREATE TRIGGER participation_lines_whole BEFORE INSERT ON participation_lines BEGIN SELECT 1; END");
        }
        run(up);
        let path = |id: &str| format!("/conventions/{id}/document");
        let g = app.gestionnaire();
        alarmed(app, || g.get(&path(&ids[0])), "convention", "sceau");
        assert_eq!(ent_backoffice::conventions::seal_what_is_older(&app.db).unwrap(), 2);
        assert_eq!(seals().iter().filter(|seal| whole.contains(seal)).count(), 2, "the same rows, the same seals");
        assert_eq!(ent_backoffice::conventions::seal_what_is_older(&app.db).unwrap(), 0);
        g.get(&path(&ids[0])).expect(200);
        alarmed(app, || g.get(&path(&ids[2])), "convention", "somme des lignes");
    }

    fn a_falsified_stored_file_is_never_served(app: &TestApp) {
        register_seed(app);
        register_communes(app, 1);
        let conventions = active_campaign(app, "do_not_issue");
        prepare(app);
        let o = app.ordonnateur();
        o.post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
        seal(app).expect(201);
        app.run_jobs();
        let (g, comptable) = (app.gestionnaire(), app.comptable());
        let fetch = |path: &str| if path.starts_with(BATCH) { comptable.get(path) } else { g.get(path) };
        let title = g.get("/perception-titles?status=transmitted").json["data"][0]["id"].as_str().unwrap().to_owned();
        let decision = g.get("/campaigns/2025-2026/small-claim-decisions").json["data"][0]["id"].as_str().unwrap().to_owned();
        let served = [
            (format!("/conventions/{}/document", conventions[0]), "convention"),
            (format!("/perception-titles/{title}/document"), "perception_title"),
            (format!("/small-claim-decisions/{decision}/document"), "small_claim_act"),
            (format!("{BATCH}/files/csv"), "accounting_batch"),
            (format!("{BATCH}/files/json"), "accounting_batch"),
        ];
        let whole: Vec<Response> = served.iter().map(|(path, _)| fetch(path).expect(200)).collect();
        app.sql("CREATE TABLE aside AS SELECT sha256, bytes FROM blobs").unwrap();
        app.tamper("blobs", &format!("UPDATE blobs SET bytes = {}", other_bytes(app)));
        for (path, kind) in &served {
            alarmed(app, || fetch(path), kind, "empreinte");
        }
        restore(app, "UPDATE blobs SET bytes = (SELECT a.bytes FROM aside a WHERE a.sha256 = blobs.sha256)");
        for ((path, _), whole) in served.iter().zip(&whole) {
            assert_eq!(fetch(path).expect(200).bytes, whole.bytes, "{path}");
        }
        // The right bytes of another length, or of another batch.
        let csv = whole[3].header("etag").trim_matches('"').to_owned();
        app.tamper("accounting_batch_files", &format!("UPDATE accounting_batch_files SET length = length + 1 WHERE sha256 = '{csv}'"));
        alarmed(app, || comptable.get(&served[3].0), "accounting_batch", "longueur");
        restore(app, &format!("UPDATE accounting_batch_files SET length = length - 1 WHERE sha256 = '{csv}'"));
        // What the files say is held to what they were made of.
        let read = || comptable.get(BATCH);
        app.tamper("perception_titles", &format!("UPDATE perception_titles SET amount_cents = 999900 WHERE id = '{title}'"));
        alarmed(app, || comptable.get(&served[3].0), "accounting_batch", "total");
        alarmed(app, read, "accounting_batch", "total");
        restore(app, &format!("UPDATE perception_titles SET amount_cents = 8000 WHERE id = '{title}'"));
        app.tamper("accounting_batches", "UPDATE accounting_batches SET total_cents = 999900");
        alarmed(app, || comptable.get(&served[4].0), "accounting_batch", "total");
        restore(app, "UPDATE accounting_batches SET total_cents = 8000");
        app.tamper("title_approvals", "UPDATE title_approvals SET content_sha256 = substr(content_sha256, 33) || substr(content_sha256, 1, 32)");
        alarmed(app, || comptable.get(&served[3].0), "accounting_batch", "scellés");
        restore(app, "UPDATE title_approvals SET content_sha256 = substr(content_sha256, 33) || substr(content_sha256, 1, 32)");
        // The act: its content, and the claims it lists.
        let act = || g.get(&served[2].0);
        app.tamper("papers", "UPDATE papers SET content = replace(content, '40,00', '9999,00') WHERE kind = 'decision'");
        alarmed(app, act, "small_claim_act", "empreinte");
        restore(app, "UPDATE papers SET content = replace(content, '9999,00', '40,00') WHERE kind = 'decision'");
        app.tamper("small_claim_decisions", "UPDATE small_claim_decisions SET amount_cents = 100");
        alarmed(app, act, "small_claim_act", "total");
        restore(app, "UPDATE small_claim_decisions SET amount_cents = 4000");
        for (path, _) in &served {
            fetch(path).expect(200);
        }
    }

    fn a_job_that_finds_a_falsification_gives_up_and_raises_the_alarm(app: &TestApp) {
        approved(app);
        app.forget_jobs();
        app.tamper("papers", "UPDATE papers SET content = replace(content, '80,00', '9999,00') WHERE kind = 'demand'");
        app.run_jobs();
        assert_eq!(text_rows(&app.db, "SELECT state AS line FROM jobs WHERE payload LIKE '%demand%'"), ["failed"]);
        assert_eq!(alarms(app)[0]["subject_key"], "ENT-T-2025-000001");
        assert_eq!(counted(app), 1);
    }

    fn a_prepared_title_whose_lines_do_not_make_its_amount_is_not_approved(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        prepare(app);
        app.forget_jobs();
        app.tamper("perception_titles", "UPDATE perception_titles SET amount_cents = 999900");
        let approve = || app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}}));
        alarmed(app, approve, "perception_title", "montant du titre préparé");
        assert_eq!(text_rows(&app.db, "SELECT state AS line FROM perception_titles"), ["prepared"]);
    }

    fn a_prepared_title_that_a_raw_change_moved_is_not_approved(app: &TestApp) {
        register_seed(app);
        register_communes(app, 1);
        active_campaign(app, "issue");
        prepare(app);
        app.forget_jobs();
        let seed = "debtor_siret = '21300278500011'";
        let approve = || app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}}));
        let other = text_rows(&app.db, "SELECT id AS line FROM collectivites WHERE siret <> '21300278500011'").remove(0);
        let own = text_rows(&app.db, "SELECT id AS line FROM collectivites WHERE siret = '21300278500011'").remove(0);
        let rank = text_rows(&app.db, &format!("SELECT CAST(convention_rank AS TEXT) AS line FROM perception_titles WHERE {seed}")).remove(0);
        for (set, back, words) in [
            ("ground = replace(ground, '2025-07-25', '2025-07-24')", "ground = replace(ground, '2025-07-24', '2025-07-25')", "signatures"),
            (&format!("debtor_id = '{other}'"), &format!("debtor_id = '{own}'"), "débiteur"),
            ("convention_rank = 77", &format!("convention_rank = {rank}"), "celui de sa convention"),
            ("debtor_siret = '35600000000048'", "debtor_siret = '21300278500011'", "toutes ses colonnes"),
        ] {
            app.tamper("perception_titles", &format!("UPDATE perception_titles SET {set} WHERE {seed}"));
            alarmed(app, approve, "perception_title", words);
            restore(app, &format!("UPDATE perception_titles SET {back} WHERE convention_id = (SELECT id FROM conventions WHERE party_siret = '21300278500011')"));
        }
        // Half of what is due, lines and amount together.
        app.sql("CREATE TABLE aside AS SELECT * FROM title_lines").unwrap();
        app.tamper("title_lines", &format!("DELETE FROM title_lines WHERE position = 2 AND title_id = (SELECT id FROM perception_titles WHERE {seed})"));
        restore(app, &format!("UPDATE perception_titles SET amount_cents = 4000 WHERE {seed}"));
        alarmed(app, approve, "perception_title", "lignes");
        restore(app, "DELETE FROM title_lines");
        restore(app, "INSERT INTO title_lines SELECT * FROM aside");
        restore(app, &format!("UPDATE perception_titles SET amount_cents = 8000 WHERE {seed}"));
        // A convention that is no longer what was issued.
        app.tamper("participation_lines", "UPDATE participation_lines SET label = label || ' FAUX'");
        alarmed(app, approve, "convention", "ce qui a été émis");
        restore(app, "UPDATE participation_lines SET label = substr(label, 1, length(label) - 5)");
        // What the registry learns meanwhile is no falsification.
        app.gestionnaire().json("PATCH", "/schools/0301015R", &[("if-match", "*")], &json!({"closed_on": "2025-07-20"})).expect(200);
        assert_eq!(approve().expect(200).json["approved"], 2);
    }
}
