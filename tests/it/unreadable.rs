//! A stored row that is no value of the program stops what rests on it, in number too: the answer and the journal name the
//! row, and once it is put back everything goes on.

use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::year::{
    active_campaign, approve, expire, issue, open_campaign, prepare, register_communes, register_seed, seal, sign_both,
};
use crate::support::{Response, TestApp};

const YEAR: &str = "/campaigns/2025-2026";

fn count(app: &TestApp, table: &str) -> usize {
    text_rows(&app.db, &format!("SELECT 'x' AS line FROM {table}")).len()
}

fn alarms(app: &TestApp) -> Vec<Value> {
    app.admin().get("/audit-events?action=integrity.fault").expect(200).json["data"].as_array().unwrap().clone()
}

/// Expects the fault that names a row, here and in the journal, and not a word of what it holds.
#[track_caller]
fn named(app: &TestApp, answer: &Response, kind: &str, key: &str, words: &str) {
    let text = answer.text();
    assert_eq!((answer.status, &answer.json["code"]), (500, &json!("integrity_fault")), "{text}");
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(detail.contains(key) && detail.contains(words) && !text.contains("FAUX"), "{text}");
    let told = |a: &Value| {
        a["subject_kind"] == kind && a["subject_key"] == key && a["data"]["fault"].as_str().unwrap().contains(words)
    };
    assert!(alarms(app).iter().any(told), "{kind} {key} {words}: {:?}", alarms(app));
}

/// Writes something no program would, sees the act refused whole, and puts it back.
#[track_caller]
fn stopped(
    app: &TestApp,
    (table, column, whose): (&str, &str, &str),
    (kind, key): (&str, &str),
    acts: &[&dyn Fn() -> Response],
) {
    let before = text_rows(&app.db, &format!("SELECT {column} AS line FROM {table} WHERE {whose}")).remove(0);
    // Of the length that the table asks for, and neither JSON nor a key.
    let wrong = if before.len() == 14 { "FAUX0000000000" } else { "{FAUX" };
    app.tamper(table, &format!("UPDATE {table} SET {column} = '{wrong}' WHERE {whose}"));
    for act in acts {
        named(app, &act(), kind, key, &format!("« {table} »"));
    }
    let before = before.replace('\'', "''");
    assert!(app.sql(&format!("UPDATE {table} SET {column} = '{before}' WHERE {whose}")).unwrap() > 0);
}

on_both_databases! {
    fn an_issue_in_number_stops_at_a_convention_nobody_can_read(app: &TestApp) {
        register_communes(app, 3);
        open_campaign(app, "issue");
        app.forget_jobs();
        let g = app.gestionnaire();
        let siret = text_rows(&app.db, "SELECT siret AS line FROM collectivites ORDER BY siret").remove(0);
        g.post(&format!("{YEAR}/conventions"), json!({"keys": [siret]})).expect(200);
        let all = || g.post(&format!("{YEAR}/conventions"), json!({}));
        let number = "ENT-C-2025-2026-00001";
        app.tamper("conventions", "UPDATE conventions SET state = 'cancelled'");
        for act in [&all as &dyn Fn() -> Response, &|| g.get("/conventions"), &|| g.post(&format!("{YEAR}/perception-titles"), json!({}))] {
            named(app, &act(), "convention", number, "annulée sans date");
        }
        assert_eq!(count(app, "conventions"), 1);
        app.sql("UPDATE conventions SET state = 'issued'").unwrap();
        stopped(app, ("conventions", "party", "number_rank = 1"), ("convention", number), &[&all, &|| g.get("/conventions")]);
        stopped(app, ("schools", "person_fields", "uai = (SELECT min(uai) FROM schools)"), ("school", &text_rows(&app.db, "SELECT min(uai) AS line FROM schools")[0]), &[&all]);
        stopped(app, ("campaigns", "tariff", "1 = 1"), ("campaign", "2025-2026"), &[&all]);
        assert_eq!(count(app, "conventions"), 1);
        assert_eq!(issue(app).len(), 3);
        assert_eq!(count(app, "conventions"), 3);
    }

    fn titles_and_decisions_in_number_stop_at_what_nobody_can_read(app: &TestApp) {
        register_seed(app);
        register_communes(app, 2);
        active_campaign(app, "issue");
        let g = app.gestionnaire();
        let prepared = || g.post(&format!("{YEAR}/perception-titles"), json!({}));
        let decide = || app.ordonnateur().post(&format!("{YEAR}/small-claim-decisions"), json!({"keys": ["21300278500011"], "reason": "essai"}));
        let word = || g.post(&format!("{YEAR}/line-decisions"), json!({"keys": ["0301015R"], "choice": "keep", "reason": "essai"}));
        let number = text_rows(&app.db, "SELECT number AS line FROM conventions WHERE party_siret = '21300278500011'").remove(0);
        let mine = format!("id = (SELECT p.id FROM participations p JOIN conventions v ON v.id = p.convention_id WHERE v.number = '{number}')");
        let acts: [&dyn Fn() -> Response; 3] = [&prepared, &decide, &word];
        stopped(app, ("participations", "tariff", &mine), ("convention", &number), &acts);
        stopped(app, ("participations", "steps", &mine), ("convention", &number), &acts);
        stopped(app, ("conventions", "party_siret", &format!("number = '{number}'")), ("convention", &number), &acts);
        stopped(app, ("conventions", "acknowledged", &format!("number = '{number}'")), ("convention", &number), &acts);
        assert_eq!(count(app, "perception_titles"), 0);
        prepare(app);
        let titles = text_rows(&app.db, "SELECT id AS line FROM perception_titles ORDER BY id");
        let all = json!({"filter": {"campaign": "2025-2026"}});
        let approvals = || app.ordonnateur().post("/perception-titles/approvals", all.clone());
        let first = format!("id = '{}'", titles[0]);
        for column in ["debtor", "ground", "findings"] {
            stopped(app, ("perception_titles", column, &first), ("perception_title", &titles[0]), &[&approvals, &|| g.get("/perception-titles")]);
        }
        approve(app);
        let sealed = || seal(app);
        let reference = "ENT-T-2025-000001";
        stopped(app, ("title_approvals", "approver", "number_rank = 1"), ("perception_title", reference), &[&sealed]);
        stopped(app, ("perception_titles", "ground", &format!("reference = '{reference}'")), ("perception_title", reference), &[&sealed]);
        assert_eq!(count(app, "accounting_batches"), 0);
        sealed().expect(201);
        app.forget_jobs();
    }

    fn what_a_person_said_that_nobody_can_read_is_named(app: &TestApp) {
        register_communes(app, 2);
        open_campaign(app, "issue");
        let ids = issue(app);
        app.forget_jobs();
        app.set_time("2025-07-28T09:00:00Z");
        let (g, o) = (app.gestionnaire(), app.ordonnateur());
        let no = json!({"action": "decline", "declined_on": "2025-07-26", "declined_by": "la maire", "reason": "essai"});
        let declined = g.post(&format!("/conventions/{}/transitions", ids[1]), no).expect(200).json["number"].clone();
        sign_both(app, &ids[0]);
        let title = prepare(app)["items"].as_array().unwrap().iter().find(|i| i["outcome"] == "prepared").unwrap()["id"].clone();
        let title = title.as_str().unwrap();
        let moved = |client: &crate::support::Client, action: &str| {
            let mut body = json!({"action": action});
            if action != "approve" {
                body["reason"] = json!("essai");
            }
            client.post(&format!("/perception-titles/{title}/transitions"), body).expect(200);
        };
        let lost = |(table, column): (&str, &str), (kind, key): (&str, &str), path: &str| {
            let before = text_rows(&app.db, &format!("SELECT {column} AS line FROM {table}")).remove(0);
            app.tamper(table, &format!("UPDATE {table} SET {column} = ''"));
            named(app, &g.get(path), kind, key, &format!("« {table} »"));
            assert_eq!(app.sql(&format!("UPDATE {table} SET {column} = '{before}'")).unwrap(), 1);
            g.get(path).expect(200);
        };
        for column in ["declined_by", "reason"] {
            lost(("convention_refusals", column), ("convention", declined.as_str().unwrap()), "/conventions");
        }
        moved(&o, "return");
        lost(("title_returns", "reason"), ("perception_title", title), "/perception-titles");
        moved(&g, "resubmit");
        lost(("title_resubmissions", "reason"), ("perception_title", title), "/perception-titles");
        moved(&o, "approve");
        let batch = seal(app).expect(201).json["number"].clone();
        let path = format!("/accounting-batches/{}", batch.as_str().unwrap());
        let who = json!({"name": "Dominique REY", "title": "Secrétaire générale"});
        o.post(&format!("{path}/transitions"), json!({"action": "sign", "signed_on": "2025-07-28", "signatory": who, "evidence": "parapheur"})).expect(200);
        for column in ["name", "title", "evidence"] {
            lost(("accounting_batch_signatures", column), ("accounting_batch", batch.as_str().unwrap()), &path);
        }
    }

    fn an_import_stops_at_a_row_of_the_registry_nobody_can_read(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        g.post("/campaigns", crate::support::year::campaign("issue")).expect(201);
        let files: Vec<_> = crate::support::DOORS.iter().map(|(path, header, row)| (*path, format!("{header}\r\n{row}\r\n"))).collect();
        let send = |n: usize| g.upload(files[n].0, "f.csv", files[n].1.as_bytes());
        let (communes, schools, contacts, enrolments) = (|| send(0), || send(1), || send(2), || send(3));
        stopped(app, ("collectivites", "person_fields", "1 = 1"), ("collectivite", "21300278500011"), &[&communes, &contacts]);
        let uai = "uai = '0301023Z'";
        stopped(app, ("schools", "person_fields", uai), ("school", "0301023Z"), &[&schools, &enrolments]);
        stopped(app, ("campaigns", "tariff", "1 = 1"), ("campaign", "2025-2026"), &[&enrolments]);
        [communes().status, schools().status, contacts().status, enrolments().status].iter().for_each(|status| assert_eq!(*status, 200));
    }

    fn what_the_daily_expiry_cannot_read_is_left_and_told(app: &TestApp) {
        register_communes(app, 3);
        active_campaign(app, "issue");
        app.tamper("conventions", "UPDATE conventions SET signed_name = NULL WHERE number_rank = 1");
        app.tamper("conventions", "UPDATE conventions SET party = '{FAUX' WHERE number_rank = 2");
        expire(app);
        assert_eq!(text_rows(&app.db, "SELECT state AS line FROM conventions ORDER BY number_rank"), ["active", "active", "expired"]);
        let mut told: Vec<String> = alarms(app).iter().map(|a| format!("{} {}", a["subject_key"].as_str().unwrap(), a["data"]["fault"].as_str().unwrap())).collect();
        told.sort();
        assert_eq!(told, [
            "ENT-C-2025-2026-00001 la convention est en vigueur sans ses deux signatures",
            "ENT-C-2025-2026-00002 la ligne de la table « conventions » ne se lit plus",
        ]);
    }

    fn an_entry_of_the_journal_that_is_no_json_is_shown_as_falsified(app: &TestApp) {
        register_seed(app);
        app.tamper("audit_events", "UPDATE audit_events SET data = '{FAUX' WHERE action = 'collectivite.created'");
        let list = app.admin().get("/audit-events?action=collectivite.created").expect(200).json;
        assert_eq!((&list["data"][0]["intact"], &list["data"][0]["data"]), (&json!(false), &json!({})));
    }
}
