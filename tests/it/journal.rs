//! The journal: one thing's whole story, whoever asks and by whatever key; who is named stands apart from what happened.

use std::collections::BTreeSet;
use std::path::Path;

use ent_backoffice::app::tellers;
use ent_backoffice::kernel::Role;
use regex::Regex;
use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::year::{active_campaign, prepare, register_communes, register_seed};
use crate::support::{DOORS, TestApp};

const SEED: &str = "21300278500011";

fn events(app: &TestApp, query: &str) -> Vec<Value> {
    let path = format!("/audit-events?limit=200&sort=at{query}");
    app.admin().get(&path).expect(200).json["data"].as_array().unwrap().clone()
}

fn story(app: &TestApp, subject: &str) -> Vec<String> {
    let told = events(app, &format!("&subject={subject}"));
    told.iter().map(|e| e["action"].as_str().unwrap().to_owned()).collect()
}

fn act(app: &TestApp, id: &str, action: &str) {
    let body = json!({"action": action, "reason": format!("motif de {action}")});
    let client = if action == "resubmit" { app.gestionnaire() } else { app.ordonnateur() };
    client.post(&format!("/perception-titles/{id}/transitions"), body).expect(200);
}

/// Two payers, four titles' worth of acts: signed, declined, left untitled, returned, approved, sealed.
fn a_year(app: &TestApp) -> String {
    register_seed(app);
    register_communes(app, 2);
    active_campaign(app, "do_not_issue");
    let prepared = prepare(app);
    let id = prepared["items"].as_array().unwrap().iter().find(|i| i["outcome"] == "prepared").unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    act(app, &id, "return");
    act(app, &id, "resubmit");
    app.ordonnateur().post(&format!("/perception-titles/{id}/transitions"), json!({"action": "approve"})).expect(200);
    app.ordonnateur().post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
    app.forget_jobs();
    id
}

on_both_databases! {
    fn a_title_has_one_story_under_each_of_its_keys(app: &TestApp) {
        let id = a_year(app);
        let whole = ["title.prepared", "title.returned", "title.resubmitted", "title.approved", "title.transmitted"];
        assert_eq!(story(app, &id), whole);
        assert_eq!(story(app, "ENT-T-2025-000001"), whole);
        let told = events(app, "&subject=ENT-T-2025-000001");
        let keys: Vec<&Value> = told.iter().map(|e| &e["subject_key"]).collect();
        let (by_id, by_reference) = (json!(id), json!("ENT-T-2025-000001"));
        assert_eq!(keys, [&by_id, &by_id, &by_id, &by_reference, &by_reference]);
        assert!(told.iter().all(|e| e["subject_id"] == json!(id)));
        assert_eq!(told[3]["sentence"], "Titre ENT-T-2025-000001 de 80,00\u{202f}€ approuvé pour 21300278500011.");
        assert_eq!(told[1]["sentence"], "Titre rendu au préparateur : motif de return");
        assert!(story(app, "ENT-T-2025-999999").is_empty());
    }

    fn what_belongs_to_a_thing_is_in_its_story(app: &TestApp) {
        a_year(app);
        let convention = app.gestionnaire().get(&format!("/conventions?collectivite={SEED}")).json["data"][0].clone();
        let of_convention = story(app, convention["number"].as_str().unwrap());
        assert_eq!(&of_convention[..4], ["convention.issued", "convention.signed", "convention.countersigned", "title.prepared"]);
        assert_eq!(of_convention.len(), 8);
        assert_eq!(story(app, convention["id"].as_str().unwrap()), of_convention);
        // The payer's: its own entry, then all of the above.
        let of_payer = story(app, SEED);
        assert_eq!((of_payer[0].as_str(), &of_payer[1..]), ("collectivite.created", &of_convention[..]));
        // A small claim: left, then called after all; told under the act, the decision and the convention.
        let decisions = app.comptable().get("/campaigns/2025-2026/small-claim-decisions").expect(200).json["data"].clone();
        let decision = decisions[0]["id"].as_str().unwrap();
        app.ordonnateur().post(&format!("/small-claim-decisions/{decision}/transitions"), json!({"action": "revoke", "reason": "à appeler"})).expect(200);
        assert_eq!(story(app, decision), ["title.not_issued", "small_claims.revoked"]);
        assert_eq!(story(app, "ENT-D-2025-0001"), ["small_claims.decided", "title.not_issued", "title.not_issued", "small_claims.revoked"]);
        let number = decisions[0]["convention_number"].as_str().unwrap();
        assert!(story(app, number).ends_with(&["title.not_issued".to_owned(), "small_claims.revoked".to_owned()]));
        // The year's: whatever happened in it.
        let of_year: BTreeSet<String> = story(app, "2025-2026").into_iter().collect();
        for action in ["campaign.created", "campaign.school_enrolled", "convention.issued", "title.not_issued", "batch.sealed"] {
            assert!(of_year.contains(action), "{action}");
        }
        assert!(!of_year.contains("collectivite.created"));
    }

    fn a_collectivite_answers_to_its_former_siret_and_an_account_to_its_address(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        g.post(&format!("/collectivites/{SEED}/sirets"), json!({"siret": "21300278500029", "from": "2025-01-01"})).expect(201);
        assert_eq!(story(app, SEED), ["collectivite.created", "collectivite.siret_replaced"]);
        assert_eq!(story(app, "21300278500029"), ["collectivite.created", "collectivite.siret_replaced"]);
        let user = app.add_user("anne.durand@exemple.invalid", Role::Lecteur);
        app.admin().patch(&format!("/users/{}", user.id), 1, json!({"first_name": "Anna"})).expect(200);
        assert_eq!(story(app, "anne.durand@exemple.invalid"), ["user.created", "user.changed"]);
        assert_eq!(story(app, user.id.as_str()), ["user.created", "user.changed"]);
        assert!(story(app, "personne@exemple.invalid").is_empty());
        // A school and its enrolment share its UAI.
        crate::support::year::open_campaign(app, "issue");
        assert_eq!(story(app, "0301023Z"), ["school.created", "campaign.school_enrolled"]);
        g.delete("/campaigns/2025-2026/enrolments/0301023Z").expect(204);
        assert_eq!(story(app, "0301023Z").last().unwrap(), "campaign.school_withdrawn");
    }

    fn what_a_file_changes_of_a_thing_is_in_its_story(app: &TestApp) {
        const MOVED: &str = "21300278500037";
        let g = app.gestionnaire();
        let send = |path: &str, text: String| g.upload(path, "f.csv", text.as_bytes()).expect(200).json;
        let commune = |siret: &str| format!("insee;siret;nom\n30278;{siret};Saint-Laurent-des-Arbres\n");
        // What a file brings begins with the import's own entry.
        assert_eq!(send("/collectivites/imports", commune(SEED))["created"], 1);
        assert_eq!(story(app, SEED), Vec::<String>::new());
        let (path, header, row) = DOORS[1];
        assert_eq!(send(path, format!("{header}\n{row}\n"))["created"], 1);
        active_campaign(app, "issue");
        let g = app.gestionnaire();
        let send = |path: &str, text: String| g.upload(path, "f.csv", text.as_bytes()).expect(200).json;
        // What was done with it is told under its SIRET, which no line of the journal bears.
        assert_eq!(story(app, SEED), ["convention.issued", "convention.signed", "convention.countersigned"]);
        assert_eq!(send("/collectivites/imports?dry_run=true", commune(MOVED))["updated"], 1);
        assert_eq!(story(app, SEED).len(), 3, "a trial leaves nothing");
        assert_eq!(send("/collectivites/imports", commune(MOVED))["updated"], 1);
        assert_eq!(send("/collectivites/imports", commune(MOVED))["unchanged"], 1);
        assert_eq!(send("/contacts/imports", format!("siret;nom\n{MOVED};Durand\n"))["updated"], 1);
        assert_eq!(story(app, SEED), story(app, MOVED), "former SIRETs, too");
        let told = events(app, &format!("&subject={MOVED}")).split_off(3);
        let actions: Vec<&str> = told.iter().map(|e| e["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["collectivite.siret_replaced", "collectivite.changed", "collectivite.changed"]);
        assert_eq!(told[1]["data"]["changes"], json!({"siret": {"before": SEED, "after": MOVED}}));
        assert!(told.iter().all(|e| e["intact"] == true && e["actor_kind"] == "staff"), "{told:?}");
        // Who represents it is named apart from what happened.
        let kept = text_rows(&app.db, "SELECT data AS line FROM audit_events WHERE action = 'collectivite.changed'").join("");
        assert!(!kept.contains("Durand") && told[2]["data"].to_string().contains("Durand"), "{kept}");

        let renamed = format!("{header}\n{}\n", row.replace("0301023Z;Ecole;", "0301023Z;Ecole Odoyer;"));
        assert_eq!(send(path, renamed.clone())["updated"], 1);
        assert_eq!(send(path, renamed)["unchanged"], 1);
        let other = format!("{header}\n{}\n", row.replace("0301023Z", "0301015R"));
        assert_eq!(send(&format!("{path}?complete_for=30"), other)["closed"], 1);
        let told = events(app, "&subject=0301023Z");
        let changes = told.iter().filter_map(|e| e["data"]["changes"].as_object());
        let mut fields: Vec<Vec<&String>> = changes.map(|c| c.keys().collect()).collect();
        assert_eq!(fields.split_off(fields.len() - 2), [["name"], ["closed_on"]], "{told:?}");
    }

    fn a_title_holds_its_signatures_and_its_place_against_another_program(app: &TestApp) {
        let id = a_year(app);
        for set in ["signed_on = '2020-01-01'", "countersigned_name = 'Forge'", "took_effect_on = '2020-01-01'", "signed_title = NULL"] {
            let titled = format!("UPDATE conventions SET {set} WHERE id = (SELECT convention_id FROM perception_titles WHERE id = '{id}')");
            let answer = app.sql(&titled).expect_err(set).to_string();
            assert!(answer.contains("frozen"), "{set}: {answer}");
        }
        for state in ["rejected", "paid", "registered", "prepared"] {
            let answer = app.sql(&format!("UPDATE perception_titles SET state = '{state}' WHERE id = '{id}'")).expect_err(state).to_string();
            assert!(answer.contains("frozen"), "{state}: {answer}");
        }
        // Where no title states them, they move.
        assert!(app.sql("UPDATE conventions SET signed_name = 'M' WHERE id NOT IN (SELECT convention_id FROM perception_titles)").unwrap() > 0);
    }

    fn every_entry_of_a_year_is_told_by_its_type_and_answers_to_its_digest(app: &TestApp) {
        a_year(app);
        let tellers = tellers();
        let names: BTreeSet<&str> = tellers.acts().map(|(_, name)| *name).collect();
        let mut verbs = BTreeSet::new();
        // Ids, instants as machines write them, words with an underscore, names of types.
        let code = Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}|\d{4}-\d\d-\d\dT|\b[a-z]+_[a-z_]+|\b[A-Z][a-z]+[A-Z][a-z]+").unwrap();
        for event in events(app, "") {
            let (action, sentence) = (event["action"].as_str().unwrap(), event["sentence"].as_str().unwrap());
            assert!(!names.contains(sentence), "{action}: only its name is told: {}", event["data"]);
            // What changed is named as the API names it.
            let (told, _) = sentence.split_once("modifiée (").unwrap_or((sentence, ""));
            assert!(!code.is_match(told), "{action} tells codes: {sentence}");
            assert_eq!((&event["intact"], &event["version"]), (&json!(true), &json!(1)), "{action}");
            verbs.insert(action.to_owned());
        }
        assert!(verbs.len() > 12, "{verbs:?}");
        assert_eq!(tellers.acts().map(|(verb, _)| verb).collect::<BTreeSet<_>>().len(), tellers.acts().count(), "a verb told twice");
    }

    fn who_is_named_stands_apart_from_what_happened(app: &TestApp) {
        a_year(app);
        app.gestionnaire().patch(&format!("/collectivites/{SEED}"), 1, json!({"contact_email": "mairie@exemple.invalid", "chorus": {"service_code": "SVC1"}})).expect(200);
        let facts = text_rows(&app.db, "SELECT data || subject_key || subject_id AS line FROM audit_events");
        for name in ["BARRIEU", "Drucker", "Camille", "motif de", "@", "argon2", "R76-2025"] {
            let found: Vec<&String> = facts.iter().filter(|data| data.contains(name)).collect();
            assert!(found.is_empty(), "{name}: {found:?}");
        }
        let changed = events(app, "&action=collectivite.changed")[0].clone();
        assert_eq!(changed["data"]["changes"]["contact_email"]["after"], "mairie@exemple.invalid");
        assert!(facts.iter().any(|data| data.contains("SVC1")));
        // Once the persons are gone, the entry is still told, and still answers to its digest.
        let signed = events(app, "&action=convention.signed")[0].clone();
        let id = signed["id"].as_str().unwrap();
        assert!(signed["sentence"].as_str().unwrap().contains("Sylvie BARRIEU VIGNAL, Maire"), "{signed}");
        app.tamper("audit_events", &format!("UPDATE audit_events SET persons = NULL, salt = NULL WHERE id = '{id}'"));
        let gone = events(app, "&action=convention.signed").into_iter().find(|e| e["id"] == signed["id"]).unwrap();
        assert_eq!((&gone["intact"], &gone["actor"], &gone["digest"]), (&json!(true), &Value::Null, &signed["digest"]));
        assert_eq!(gone["sentence"], "Convention signée par la collectivité le 25 juillet 2025.");
    }

    fn an_entry_somebody_changed_says_so(app: &TestApp) {
        a_year(app);
        let intact = |action: &str| events(app, &format!("&action={action}"))[0]["intact"].clone();
        for (action, change) in [
            ("batch.sealed", "data = replace(data, '80.00', '90.00')"),
            ("campaign.opened", "actor_kind = 'program', actor_id = NULL"),
            ("title.approved", "subject_key = 'ENT-T-2025-000009'"),
            ("title.prepared", "at = '2025-07-29 09:00:00'"),
            ("title.returned", "persons = replace(persons, 'motif', 'Motif')"),
            ("title.resubmitted", "persons = NULL"),
        ] {
            assert_eq!(intact(action), json!(true), "{action}");
            // Half an elimination is none, and is refused by the table itself; the rest is seen.
            let half = change == "persons = NULL";
            let statement = format!("UPDATE audit_events SET {change} WHERE action = '{action}'");
            assert!(app.sql(&statement).is_err(), "{action}: frozen");
            if !half {
                app.tamper("audit_events", &statement);
                assert_eq!(intact(action), json!(false), "{action}");
            }
            restore_guards(app);
        }
    }

    fn what_was_written_before_events_had_types_finds_its_subject(app: &TestApp) {
        let title = a_year(app);
        let ids = |sql: &str| text_rows(&app.db, sql).pop().unwrap();
        let convention = ids("SELECT convention_id AS line FROM small_claim_decisions ORDER BY id LIMIT 1");
        let number = ids(&format!("SELECT number AS line FROM conventions WHERE id = '{convention}'"));
        MIGRATIONS.iter().rev().for_each(|name| run(app, name, "down.sql"));
        app.tamper("audit_events", "DELETE FROM audit_events");
        let old = [
            ("convention.issued", "convention", number.as_str(), "{}"),
            ("title.prepared", "perception_title", title.as_str(), "{}"),
            ("title.approved", "perception_title", "ENT-T-2025-000001", "{}"),
            ("title.not_issued", "convention", number.as_str(), r#"{"act":"ENT-D-2025-0001"}"#),
            ("small_claims.decided", "small_claim_act", "ENT-D-2025-0001", "{}"),
            ("batch.sealed", "accounting_batch", "ENT-B-2025-0001", "{}"),
            ("campaign.opened", "campaign", "2025-2026", "{}"),
            ("collectivite.created", "collectivite", SEED, "{}"),
            ("user.created", "user", "admin@exemple.invalid", "{}"),
            ("user.changed", "user", "inconnu@exemple.invalid", r#"{"role":{"before":"lecteur"}}"#),
            ("school.changed", "school", "0301023Z", "{}"),
        ];
        for (rank, (action, kind, key, data)) in old.iter().enumerate() {
            app.sql(&format!(
                "INSERT INTO audit_events (id, at, actor_label, action, subject_kind, subject_key, data) \
                 VALUES ('019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d{rank:02}', '2025-06-05 08:00:00', 'Zoé Martin', '{action}', '{kind}', '{key}', '{data}')"
            ))
            .unwrap();
        }
        MIGRATIONS.iter().for_each(|name| run(app, name, "up.sql"));
        assert_eq!(story(app, "ENT-T-2025-000001"), ["title.prepared", "title.approved"]);
        assert_eq!(story(app, &title), ["title.prepared", "title.approved"]);
        assert_eq!(story(app, &number), ["convention.issued", "title.not_issued"]);
        assert_eq!(story(app, "ENT-D-2025-0001"), ["small_claims.decided"]);
        assert_eq!(story(app, "admin@exemple.invalid"), ["user.created"]);
        let of_year = story(app, "2025-2026");
        for action in ["convention.issued", "title.prepared", "title.approved", "title.not_issued", "small_claims.decided", "batch.sealed", "campaign.opened"] {
            assert!(of_year.contains(&action.to_owned()), "{action}: {of_year:?}");
        }
        let issued = events(app, "&action=convention.issued")[0].clone();
        assert_eq!((&issued["sentence"], &issued["actor"], &issued["version"]), (&json!("Convention émise"), &json!("Zoé Martin"), &json!(0)));
        assert_eq!((&issued["digest"], &issued["intact"]), (&Value::Null, &Value::Null));
        assert_eq!(events(app, "&action=user.changed")[0]["data"]["role"]["before"], "lecteur");
        assert!(story(app, SEED).contains(&"collectivite.created".to_owned()));
    }
}

/// Those of the journal, in their order.
const MIGRATIONS: &[&str] = &["_journal", "_principals", "_retention"];

/// A migration of the journal, one way or the other.
fn run(app: &TestApp, name: &str, direction: &str) {
    let tree = if app.db.is_sqlite() { "sqlite" } else { "postgres" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(tree);
    let journal = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let journal = journal.into_iter().find(|path| path.to_string_lossy().ends_with(name)).unwrap();
    let sql = std::fs::read_to_string(journal.join(direction)).unwrap();
    app.db
        .write(|tx| {
            use diesel::connection::SimpleConnection as _;
            Ok(tx.conn().batch_execute(&sql)?)
        })
        .unwrap();
}

/// Puts the journal's guards back after [`TestApp::tamper`].
fn restore_guards(app: &TestApp) {
    if app.db.is_sqlite() {
        for verb in ["UPDATE", "DELETE"] {
            let name = format!("audit_events_frozen_{}", verb.to_lowercase());
            app.sql(&format!("DROP TRIGGER IF EXISTS {name}")).unwrap();
            app.sql(&format!(
                "CREATE TRIGGER {name} BEFORE {verb} ON audit_events BEGIN SELECT RAISE(ABORT, 'frozen'); END"
            ))
            .unwrap();
        }
    } else {
        app.sql("ALTER TABLE audit_events ENABLE TRIGGER USER").unwrap();
    }
}
