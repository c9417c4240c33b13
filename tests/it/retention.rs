//! What is personal, and the end of its time: the register is whole, what is past is listed, and goes on a signed list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ent_backoffice::app::personal;
use ent_backoffice::config::Config;
use ent_backoffice::kernel::Role;
use ent_backoffice::kernel::text::Note;
use ent_backoffice::oversight::{self, Eliminated, Line, Order, Signed};
use ent_backoffice::platform::retention::{End, Terms};
use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::sources::sources;
use crate::support::year::register_seed;
use crate::support::year::{active_campaign, prepare, register_communes};
use crate::support::{Base, PASSWORD, Program, TestApp};

const SIGNED: &str = "Sacha CAMARGUE, déléguée à la protection des données";

fn terms() -> Terms {
    Config::default().retention.terms()
}

/// Everybody did something: a log-in, a title approved and sealed, a small claim left without one.
fn a_year(app: &TestApp) -> String {
    // Everybody is there from the beginning.
    app.person(Role::Admin);
    register_seed(app);
    register_communes(app, 1);
    active_campaign(app, "do_not_issue");
    app.run_jobs();
    let prepared = prepare(app);
    let id = prepared["items"].as_array().unwrap().iter().find(|i| i["outcome"] == "prepared").unwrap()["id"].clone();
    let id = id.as_str().unwrap().to_owned();
    app.ordonnateur().post(&format!("/perception-titles/{id}/transitions"), json!({"action": "approve"})).expect(200);
    app.ordonnateur().post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
    app.run_jobs();
    let email = app.person(Role::Lecteur).email.to_string();
    app.anonymous().post("/auth/login", json!({"email": email, "password": PASSWORD})).expect(200);
    id
}

fn past(app: &TestApp, terms: &Terms) -> BTreeMap<&'static str, Line> {
    let lines = app.db.read(|tx| oversight::dry_run(tx, &personal(), terms)).unwrap();
    lines.into_iter().map(|line| (line.entry, line)).collect()
}

fn due(app: &TestApp, terms: &Terms) -> Vec<(&'static str, usize, usize)> {
    let some = past(app, terms).into_values().filter(|line| line.due + line.withheld > 0);
    some.map(|line| (line.entry, line.due, line.withheld)).collect()
}

fn order() -> Order {
    Order { signed: Signed::parse(SIGNED).unwrap(), reason: Note::parse("terme échu, visa AD34-2036-12").unwrap() }
}

/// As if the program had looked at its clock all the while.
fn believed(app: &TestApp) {
    app.sql("UPDATE clock_watch SET seen_at = NULL, doubted_at = NULL").unwrap();
}

fn eliminate(app: &TestApp, terms: &Terms, entry: &str) -> Eliminated {
    believed(app);
    let register = personal();
    let entry = register.entry(entry).unwrap();
    app.db.write(|tx| oversight::eliminate(tx, &register, terms, entry, &order())).unwrap()
}

fn events(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.admin().get(&format!("/audit-events?limit=200&sort=at{query}")).expect(200).json;
    page["data"].as_array().unwrap().clone()
}

fn count(app: &TestApp, table: &str) -> String {
    text_rows(&app.db, &format!("SELECT CAST(count(*) AS TEXT) AS line FROM {table}")).pop().unwrap()
}

/// Every paper and file of the year, as served.
fn papers(app: &TestApp, title: &str) -> Vec<Vec<u8>> {
    let g = app.gestionnaire();
    let ids = text_rows(&app.db, "SELECT id AS line FROM conventions ORDER BY id");
    let mut paths: Vec<String> = ids.iter().map(|id| format!("/conventions/{id}/document")).collect();
    paths.push(format!("/perception-titles/{title}/document"));
    paths.push("/accounting-batches/ENT-B-2025-0001/files/csv".into());
    paths.iter().map(|path| g.get(path).expect(200).bytes).collect()
}

on_both_databases! {
    fn a_year_is_listed_when_its_time_is_past_and_eliminated_once(app: &TestApp) {
        let title = a_year(app);
        let terms = terms();
        assert!(due(app, &terms).is_empty());
        let before = (papers(app, &title), text_rows(&app.db, "SELECT data || commitment || digest AS line FROM audit_events ORDER BY id"));
        // Eighteen months on: traces of connection only.
        app.set_time("2027-02-01T09:00:00Z");
        let names: BTreeSet<&str> = due(app, &terms).into_iter().map(|(entry, ..)| entry).collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["journal_connections", "known_sources", "refresh_tokens", "sessions"]);
        let line = &past(app, &terms)["journal_connections"];
        assert_eq!((line.due, line.withheld, line.oldest.unwrap().to_string().as_str()), (1, 0, "2025-07-28"));
        assert_eq!(line.keys, [events(app, "&action=session.opened")[0]["id"].as_str().unwrap()]);
        assert_eq!((count(app, "eliminations"), line.term.as_str()), ("0".into(), "12 mois"));
        let connections = events(app, "&action=session.opened")[0].clone();
        assert_eq!((&connections["actor"], &connections["data"]["address"]), (&json!("Camille Le lecteur"), &json!("127.0.0.1")));
        for (entry, rows) in [("sessions", past(app, &terms)["sessions"].due), ("journal_connections", 1)] {
            assert_eq!(eliminate(app, &terms, entry), Eliminated::Done { rows, withheld: 0 });
        }
        assert_eq!(past(app, &terms)["sessions"].due, 0);
        let gone = events(app, "&action=session.opened")[0].clone();
        assert_eq!((&gone["intact"], &gone["actor"], &gone["data"]["address"]), (&json!(true), &Value::Null, &Value::Null));
        assert_eq!((&gone["digest"], &gone["id"]), (&connections["digest"], &connections["id"]));
        // Told: a count, a digest, who signed; nothing of what went.
        let told = events(app, "&action=retention.eliminated");
        assert_eq!(told.len(), 2);
        assert_eq!((&told[1]["subject_key"], &told[1]["data"]["rows"], &told[1]["actor"]), (&json!("journal_connections"), &json!(1), &json!(SIGNED)));
        assert_eq!(told[1]["data"]["rows_sha256"], ent_backoffice::platform::db::blobs::digest(gone["id"].as_str().unwrap().as_bytes()));
        assert!(!told.iter().any(|entry| entry.to_string().contains("Le lecteur") || entry.to_string().contains("127.0.0.1")));
        assert_eq!(text_rows(&app.db, "SELECT signed_by || '|' || capacity || '|' || reason AS line FROM eliminations WHERE entry = 'sessions'"),
            ["Sacha CAMARGUE|déléguée à la protection des données|terme échu, visa AD34-2036-12"]);
        // Again: nothing is done, nothing is written.
        let (lists, entries) = (count(app, "eliminations"), count(app, "audit_events"));
        for entry in ["sessions", "journal_connections"] {
            assert_eq!(eliminate(app, &terms, entry), Eliminated::Nothing);
        }
        assert_eq!((count(app, "eliminations"), count(app, "audit_events")), (lists, entries));
        // Past every term: the persons of the whole journal go, the facts and the papers stay.
        app.set_time("2036-01-02T09:00:00Z");
        for entry in personal().entries().filter(|entry| !matches!(entry.end, End::With(_))) {
            let done = eliminate(app, &terms, entry.key);
            assert!(!matches!(done, Eliminated::Withheld { .. }), "{}: {done:?}", entry.key);
        }
        let facts = text_rows(&app.db, "SELECT data || commitment || digest AS line FROM audit_events ORDER BY id");
        assert_eq!(facts[..before.1.len()], before.1);
        assert_eq!(count(app, "audit_events WHERE persons IS NOT NULL AND action <> 'retention.eliminated'"), "0");
        assert!(events(app, "").iter().all(|entry| entry["intact"] == true));
        assert_eq!(events(app, "&action=convention.signed")[0]["sentence"], "Convention signée par la collectivité le 25 juillet 2025.");
        assert_eq!(papers(app, &title), before.0);
        // What an act says is proposed to the Archives, and stays.
        assert!(due(app, &terms).is_empty());
    }

    fn what_accounting_needs_is_withheld_until_its_last_day(app: &TestApp) {
        a_year(app);
        let early = Terms { journal_years: 1, accounts_years: 1, contacts_years: 1, ..terms() };
        let person = |role| app.person(role).id;
        let (prepares, reads) = (person(Role::Gestionnaire), person(Role::Lecteur));
        for id in [prepares, reads] {
            app.admin().json("PATCH", &format!("/users/{id}"), &[("if-match", "*")], &json!({"active": false})).expect(200);
        }
        // The seed's commune owes a title; the other was left without one.
        app.sql("UPDATE collectivites SET closed_on = '2025-09-01', last_name = 'Durand'").unwrap();
        app.set_time("2035-12-31T09:00:00Z");
        let lines = past(app, &early);
        for (entry, rows) in [("accounts", 1), ("contacts", 1)] {
            assert_eq!((lines[entry].due, lines[entry].withheld), (rows, 1), "{entry}");
            assert_eq!(lines[entry].withheld_until.unwrap().to_string(), "2035-12-31");
            assert_eq!(eliminate(app, &early, entry), Eliminated::Done { rows, withheld: 1 });
            let refused = eliminate(app, &early, entry);
            assert!(matches!(refused, Eliminated::Withheld { rows: 1, until: Some(_) }), "{entry}: {refused:?}");
        }
        let users = app.admin().get("/users?limit=200").expect(200).json["data"].clone();
        let named = |id: &str| users.as_array().unwrap().iter().find(|u| u["id"] == id).unwrap().clone();
        let gone = named(reads.as_str());
        assert_eq!((&gone["first_name"], &gone["last_name"], &gone["email"]), (&json!("Compte"), &json!("effacé"), &json!(format!("{reads}@efface.invalid"))));
        assert_eq!(named(prepares.as_str())["last_name"], "Le gestionnaire");
        assert_eq!(text_rows(&app.db, "SELECT COALESCE(last_name, '') AS line FROM collectivites ORDER BY siret DESC"), ["Durand", ""]);
        // Of the journal, what belongs to no campaign.
        let journal = &lines["journal_acts"];
        assert!(journal.due > 0 && journal.withheld > 0, "{journal:?}");
        assert_eq!(eliminate(app, &early, "journal_acts"), Eliminated::Done { rows: journal.due, withheld: journal.withheld });
        assert_eq!(events(app, "&action=collectivite.created")[0]["actor"], Value::Null);
        assert_eq!(events(app, "&action=convention.signed")[0]["actor"], "Camille Le gestionnaire");
        assert!(matches!(eliminate(app, &early, "journal_acts"), Eliminated::Withheld { .. }));
        // The file is needed as long; then it is the Archives' to decide.
        assert!(matches!(eliminate(app, &early, "files"), Eliminated::WithTheFile { rows: 0 }));
        app.set_time("2036-01-01T09:00:00Z");
        assert_eq!(eliminate(app, &early, "accounts"), Eliminated::Done { rows: 1, withheld: 0 });
        assert_eq!(eliminate(app, &early, "contacts"), Eliminated::Done { rows: 1, withheld: 0 });
        assert!(matches!(eliminate(app, &early, "journal_acts"), Eliminated::Done { withheld: 0, .. }));
        assert_eq!(events(app, "&action=convention.signed")[0]["actor"], Value::Null);
        assert!(events(app, "").iter().all(|entry| entry["intact"] == true));
    }

    fn the_journal_lets_go_of_persons_on_a_list_and_of_nothing_else(app: &TestApp) {
        register_seed(app);
        let ids = text_rows(&app.db, "SELECT id AS line FROM audit_events WHERE persons IS NOT NULL ORDER BY CASE WHEN actor_id IS NULL THEN 1 ELSE 0 END, id");
        let (listed, other) = (&ids[0], &ids[1]);
        let set = |what: &str, id: &str| app.sql(&format!("UPDATE audit_events SET {what} WHERE id = '{id}'"));
        let emptied = "persons = NULL, salt = NULL";
        assert!(set(emptied, listed).unwrap_err().to_string().contains("frozen"));
        app.sql("INSERT INTO eliminations (id, at, entry, term, signed_by, capacity, reason, row_count, oldest_on) \
                 VALUES ('l', '2025-06-05 08:00:00', 'journal_acts', '10 ans', 'A B', 'x', 'x', 1, '2025-06-05')").unwrap();
        // Of another table, the same key is another row.
        app.sql(&format!("INSERT INTO elimination_rows VALUES ('l', 'sessions', '{listed}')")).unwrap();
        assert!(set(emptied, listed).unwrap_err().to_string().contains("frozen"));
        app.sql(&format!("INSERT INTO elimination_rows VALUES ('l', 'audit_events', '{listed}')")).unwrap();
        for what in [
            "persons = 'autre'", "persons = NULL, salt = salt", "persons = NULL, salt = 'x'", "data = '{}'", "digest = digest",
            "persons = NULL, salt = NULL, data = '{}'", "persons = NULL, salt = NULL, actor_id = NULL",
            "persons = NULL, salt = NULL, at = '2020-01-01 00:00:00'", "persons = NULL, salt = NULL, digest = NULL",
            "persons = NULL, salt = NULL, commitment = NULL", "persons = NULL, salt = NULL, request_id = 'x'",
            "persons = NULL, salt = NULL, actor_kind = 'program'", "persons = NULL, salt = NULL, id = 'x'",
        ] {
            let refused = set(what, listed).expect_err(what).to_string();
            assert!(refused.contains("frozen"), "{what}: {refused}");
        }
        assert!(set(emptied, other).unwrap_err().to_string().contains("frozen"));
        assert!(app.sql(&format!("DELETE FROM audit_events WHERE id = '{listed}'")).unwrap_err().to_string().contains("frozen"));
        assert_eq!(set(emptied, listed).unwrap(), 1);
        // Once: there is nothing to put back.
        assert!(set("persons = 'autre', salt = NULL", listed).unwrap_err().to_string().contains("frozen"));
        assert!(set(emptied, listed).unwrap_err().to_string().contains("frozen"));
    }

    fn nothing_goes_on_the_word_of_a_clock_that_jumped(app: &TestApp) {
        a_year(app);
        app.sql("UPDATE clock_watch SET seen_at = '2025-07-28 09:00:00', doubted_at = NULL").unwrap();
        app.set_time("2037-02-01T09:00:00Z");
        let (register, terms) = (personal(), terms());
        let entry = register.entry("sessions").unwrap();
        let refused = app.db.write(|tx| oversight::eliminate(tx, &register, &terms, entry, &order())).unwrap_err().to_string();
        assert!(refused.contains("horloge") && refused.contains("Rien n'est éliminé"), "{refused}");
        assert_eq!(count(app, "eliminations"), "0");
        assert!(matches!(eliminate(app, &terms, "sessions"), Eliminated::Done { .. }));
    }

    fn an_administrator_lists_and_eliminates_from_the_command_line(app: &TestApp) {
        believed(app);
        let person = app.person(Role::Lecteur).id;
        app.sql(&format!("INSERT INTO sessions (id, user_id, opened_at, ends_at, address) VALUES \
                 ('019832f0-1c7a-7bd2-9d3e-000000000001', '{person}', '2020-01-01 08:00:00', '2020-02-01 08:00:00', '203.0.113.5')")).unwrap();
        let run = |arguments: &[&str]| {
            let ran = Program::run(&app.database_url(), &[&["retention"][..], arguments].concat(), "");
            (ran.status.code().unwrap(), String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap())
        };
        let (code, out, err) = run(&["--dry-run"]);
        assert_eq!(code, 0, "{err}");
        for words in ["Sessions closes", "conservé 12 mois, à compter de la fin de la session", "1 ligne à éliminer, la plus ancienne du 1er février 2020", "Rien n'a été écrit."] {
            assert!(out.contains(words), "{words}\n{out}");
        }
        assert!(!out.contains("203.0.113.5"));
        let (code, out, _) = run(&["--dry-run", "--json", "--entry", "sessions"]);
        let listed: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &listed["entries"][0]["due"], &listed["entries"][0]["oldest"]), (0, &json!(1), &json!("2020-02-01")));
        assert_eq!(listed["entries"][0]["keys"], json!(["019832f0-1c7a-7bd2-9d3e-000000000001"]));
        // Unsigned, half signed, unknown: ill-written, and nothing is done.
        for bad in [
            &["--eliminate"][..], &["--eliminate", "--signed-by", SIGNED], &["--eliminate", "--reason", "x"], &[],
            &["--eliminate", "--signed-by", "Sacha", "--reason", "x"], &["--dry-run", "--entry", "inconnue"],
            &["--dry-run", "--eliminate", "--signed-by", SIGNED, "--reason", "x"],
        ] {
            let (code, _, err) = run(bad);
            assert_eq!(code, 2, "{bad:?}: {err}");
        }
        assert_eq!(count(app, "eliminations"), "0");
        let signed = ["--eliminate", "--signed-by", SIGNED, "--reason", "terme échu", "--entry", "sessions"];
        let (code, _, err) = run(&signed);
        assert!(code == 0 && err.contains("1 ligne éliminée"), "{err}");
        let (code, _, err) = run(&signed);
        assert!(code == 0 && err.contains("rien à éliminer"), "{err}");
        assert_eq!((count(app, "eliminations"), count(app, "sessions WHERE ends_at < '2021-01-01'")), ("1".into(), "0".into()));
    }
}

/// Every text column of the migrated base: `table.column`.
fn text_columns(app: &TestApp) -> BTreeSet<String> {
    let sql = "SELECT m.name || '.' || c.name AS line FROM sqlite_master m JOIN pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND c.type = 'TEXT' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'";
    text_rows(&app.db, sql).into_iter().collect()
}

#[test]
fn every_text_column_is_in_the_register_or_names_nobody() {
    let app = TestApp::new(Base::sqlite());
    let (mut named, mut nobody) = (BTreeSet::new(), BTreeSet::new());
    for room in personal().0 {
        for place in room.personal.iter().flat_map(|entry| entry.places) {
            named.insert(place.split('#').next().unwrap().to_owned());
        }
        for (table, columns) in room.impersonal {
            for column in *columns {
                assert!(nobody.insert(format!("{table}.{column}")), "{table}.{column}: twice");
            }
        }
    }
    assert_eq!(named.intersection(&nobody).collect::<Vec<_>>(), Vec::<&String>::new(), "both");
    let (declared, columns) = (named.union(&nobody).cloned().collect::<BTreeSet<_>>(), text_columns(&app));
    let missing: Vec<_> = columns.difference(&declared).collect();
    assert!(missing.is_empty(), "say in the room's store_retention.rs whether these name somebody: {missing:?}");
    let gone: Vec<_> = declared.difference(&columns).collect();
    assert!(gone.is_empty(), "no such text column: {gone:?}");
}

/// Names of the fields of a type `Personal`, in one source.
fn personal_fields(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("Personal<") {
        let before = text[..at].trim_end_matches("Option<").trim_end_matches("Box<").trim_end();
        let Some(before) = before.strip_suffix(':') else { continue };
        let name: String = before.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        found.insert(name.chars().rev().collect());
    }
    found
}

#[test]
fn every_personal_field_of_the_journal_is_in_the_register() {
    let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.starts_with("audit/personal")) {
        let room = path.split(['/', '.']).next().unwrap().to_owned();
        fields.entry(room).or_default().extend(personal_fields(&text));
    }
    fields.retain(|_, fields| !fields.is_empty());
    assert!(fields.len() > 5, "{fields:?}");
    let declared: BTreeMap<String, BTreeSet<String>> = personal()
        .0
        .iter()
        .map(|room| (room.room.to_owned(), room.named.iter().map(|n| n.field.to_owned()).collect()))
        .filter(|(_, fields): &(String, BTreeSet<String>)| !fields.is_empty())
        .collect();
    assert_eq!(declared, fields);
}

#[test]
fn the_register_is_sound() {
    let register = personal();
    let mut keys = BTreeSet::new();
    for entry in register.entries() {
        assert!(keys.insert(entry.key), "{}: twice", entry.key);
        assert!(!entry.what.is_empty() && !entry.purpose.is_empty() && entry.basis.contains("RGPD"), "{}", entry.key);
        if let End::With(other) = entry.end {
            let with = register.entry(other).unwrap_or_else(|| panic!("{}: no entry {other}", entry.key));
            assert!(with.end.rows().is_some(), "{}", entry.key);
        }
    }
    for need in register.0.iter().flat_map(|room| room.needs) {
        assert!(keys.contains(need.entry), "{}", need.entry);
    }
}

/// The register, as its document prints it.
fn printed() -> String {
    let mut text = String::from(
        "| entrée | de qui, quoi | où | pourquoi, sur quel fondement | durée, par défaut | comment |\n|---|---|---|---|---|---|\n",
    );
    let terms = terms();
    for entry in personal().entries() {
        let places = entry.places.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ");
        let how = match entry.end {
            End::Removed(_) => "lignes supprimées".to_owned(),
            End::Emptied(..) => "noms effacés, la ligne reste".to_owned(),
            End::WithTheFile(_) => "listé ; éliminé hors du programme, sur visa des Archives".to_owned(),
            End::With(other) => format!("avec `{other}`"),
        };
        text += &format!(
            "| `{}` | {} | {places} | {}. {} | {}, à compter {} | {how} |\n",
            entry.key,
            entry.what,
            entry.purpose,
            entry.basis,
            terms.french(entry.term),
            entry.from
        );
    }
    text += "\nChamps personnels du journal, tous dans `audit_events.persons` :\n\n| pièce | champ | quoi |\n|---|---|---|\n";
    for room in personal().0 {
        for named in room.named {
            text += &format!("| {} | `{}` | {} |\n", room.room, named.field, named.what);
        }
    }
    text
}

#[test]
fn the_document_prints_the_register() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/retention.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once("<!-- registre -->\n").unwrap();
    let (table, tail) = rest.split_once("<!-- fin du registre -->").unwrap();
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        let whole = format!("{head}<!-- registre -->\n{}<!-- fin du registre -->{tail}", printed());
        std::fs::write(&path, whole).unwrap();
        return;
    }
    assert_eq!(table, printed(), "UPDATE_EXAMPLES=1 writes it anew");
}
