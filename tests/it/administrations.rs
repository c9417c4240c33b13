//! The State's directory of administrations, through the door of contacts: what it brings, what it leaves, whom it asks.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use ent_backoffice::registry::Collectivite;
use serde_json::{Value, json};

use crate::support::{Base, Program, Response, TestApp};

const DOOR: &str = "/contacts/imports";
const REGISTRY: &str = "insee;siret;nom;codes_postaux;anciens_codes_insee;nature\n\
                        30001;21300001100014;Aigaliers;30700;;\n\
                        30002;21300002900016;Aigremont;30350;;\n\
                        30037;21300037500013;Bessèges;30160;30118;\n\
                        30325;21300325400017;Sumène;30440;30078;\n\
                        30350;21300350200019;Le Vigan;30120;;\n\
                        30334;21300334600011;Uzès;30700;;\n\
                        30146;21300146400014;Lédignan;30350;;\n\
                        30052;20008242800018;Bréau-Mars;30120;30157;\n\
                        30329;93195338400019;Thoiras-Corbès;30140;30094;\n\
                        30221;21300221500019;Roquemaure;30150;;\n\
                        30189;21300189400012;Nîmes;30000|30900;;\n\
                        30343;24300001500012;CC Pays de l'Exemple;;;CC\n";
const AIGALIERS: &str = "21300001100014";
const AIGREMONT: &str = "21300002900016";
const BESSEGES: &str = "21300037500013";
const SUMENE: &str = "21300325400017";
const UZES: &str = "21300334600011";
const NIMES: &str = "21300189400012";
const GROUPING: &str = "24300001500012";

fn file() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/administrations.csv")).unwrap()
}

fn send(app: &TestApp, path: &str, bytes: impl AsRef<[u8]>) -> Response {
    app.gestionnaire().upload(path, "annuaire", bytes.as_ref())
}

#[track_caller]
fn import(app: &TestApp, path: &str, bytes: impl AsRef<[u8]>) -> Value {
    send(app, path, bytes).expect(200).json
}

fn register(app: &TestApp) {
    assert_eq!(import(app, "/collectivites/imports", REGISTRY)["created"], 12);
}

/// Updated, unchanged, ignored, rejected.
fn counts(view: &Value) -> [u64; 4] {
    ["updated", "unchanged", "ignored", "rejected"].map(|name| view[name].as_u64().unwrap())
}

/// Line, outcome and codes of the rows that are told.
fn told(view: &Value) -> Vec<String> {
    let rows = view["rows"].as_array().unwrap().iter();
    let row = |row: &Value| {
        let codes = row["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap());
        let codes = codes.collect::<Vec<_>>().join(" ");
        format!("{} {} {codes}", row["line"], row["outcome"].as_str().unwrap())
    };
    rows.map(row).collect()
}

fn one(app: &TestApp, siret: &str) -> Value {
    app.gestionnaire().get(&format!("/collectivites/{siret}")).expect(200).json
}

fn versions(app: &TestApp) -> Vec<i64> {
    let mut all: Vec<Collectivite> =
        app.db.read(ent_backoffice::registry::collectivites).unwrap().into_values().collect();
    all.sort_by(|a, b| a.said.siret.cmp(&b.said.siret));
    all.iter().map(|c| c.version).collect()
}

fn tasks(app: &TestApp, status: &str) -> Vec<Value> {
    let path = format!("/tasks?kind=contacts.ambiguous&status={status}");
    app.gestionnaire().get(&path).expect(200).json["data"].as_array().unwrap().clone()
}

fn journal(app: &TestApp, action: &str) -> usize {
    app.admin().get(&format!("/audit-events?action={action}")).expect(200).json["data"].as_array().unwrap().len()
}

/// A town hall as the JSON export has it.
fn town_hall(name: &str, insee: &str, more: Value) -> Value {
    let mut row = json!({"nom": format!("Mairie - {name}"),
                         "pivot": [{"type_service_local": "mairie", "code_insee_commune": [insee]}], "adresse_courriel": null});
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

fn mail(of: &str) -> Value {
    json!({"adresse_courriel": of})
}

on_both_databases! {
    fn the_directory_gives_town_halls_and_groupings_their_addresses(app: &TestApp) {
        register(app);
        let before = versions(app);
        let dry = import(app, &format!("{DOOR}?dry_run=true"), file());
        assert_eq!((counts(&dry), &dry["dry_run"]), ([6, 1, 7, 2], &json!(true)), "{dry}");
        assert_eq!((versions(app), tasks(app, "open"), journal(app, "registry.contacts_imported")), (before, vec![], 0));

        let view = import(app, DOOR, file());
        assert_eq!((counts(&view), &view["rows"]), (counts(&dry), &dry["rows"]));
        assert_eq!(
            told(&view),
            [
                "4 updated email_in_site siret_differs",
                "7 updated email_other siren_differs",
                "11 rejected contact_ambiguous",
                "12 rejected contact_ambiguous",
                "13 unchanged school_email phone_format",
                "15 ignored insee_former",
                "16 ignored pivot_several_codes",
            ]
        );
        let reasons = view["ignored_reasons"].as_object().unwrap();
        let counted: Vec<(String, u64)> = reasons.iter().map(|(why, n)| (why.chars().take(12).collect(), n.as_u64().unwrap())).collect();
        let expected = [("Annexe, ou f", 1), ("Collectivité", 1), ("Fiche que l'", 1), ("Mairie délég", 1), ("Service qui ", 1)];
        assert_eq!(counted, expected.map(|(why, n)| (why.to_owned(), n)));

        let whole = one(app, AIGALIERS);
        assert_eq!(
            (&whole["contact_email"], &whole["contact_phone"], &whole["address"]),
            (&json!("secretariat@aigaliers.invalid"), &json!("04 65 71 10 01"),
             &json!({"line1": "Foyer rural", "line2": "1 chemin de la Fontaine", "postal_code": "30700", "city": "Aigaliers"}))
        );
        // Letters go to the Cedex, by the street of the office.
        let cedex = json!({"line1": "4 route de Quissac", "line2": "BP 14", "postal_code": "30351", "city": "Aigremont Cedex"});
        assert_eq!(one(app, AIGREMONT)["address"], cedex);
        assert_eq!((&one(app, BESSEGES)["siret"], &one(app, BESSEGES)["contact_email"]), (&json!(BESSEGES), &json!("bourg@besseges.invalid")));
        assert_eq!(one(app, SUMENE)["contact_email"], "mairie@sumene.invalid");
        assert_eq!(one(app, SUMENE)["address"]["postal_code"], "30440", "blank changes nothing");
        let grouping = one(app, GROUPING);
        assert_eq!((&grouping["contact_email"], &grouping["departement"]), (&json!("accueil@pays-exemple.invalid"), &json!("30")));
        assert_eq!(one(app, "21300221500019")["representative"]["last_name"], "EXEMPLE");
        // Neither the annex, nor the part of a commune, nor what is not diffused, nor one of two.
        for nobody in [UZES, "21300350200019", "20008242800018", "93195338400019", "21300146400014", NIMES] {
            assert_eq!((&one(app, nobody)["contact_email"], &one(app, nobody)["contact_phone"]), (&Value::Null, &Value::Null), "{nobody}");
        }
        assert_eq!(journal(app, "collectivite.changed"), 6);

        // Again, and as JSON: nothing moves, the same is told.
        let before = versions(app);
        let again = import(app, DOOR, file());
        assert_eq!((counts(&again), told(&again).len(), versions(app)), ([0, 7, 7, 2], 7, before.clone()));
        assert_eq!((tasks(app, "open").len(), journal(app, "registry.contacts_imported")), (1, 1));
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(std::io::Cursor::new(file()));
        let header = reader.headers().unwrap().clone();
        let native = |cell: &str| match serde_json::from_str(cell) {
            Ok(nested @ (Value::Array(_) | Value::Object(_))) => nested,
            _ => json!(cell),
        };
        let rows = reader.records().map(|row| {
            Value::Object(header.iter().zip(&row.unwrap()).map(|(name, cell)| (name.to_owned(), native(cell))).collect())
        });
        let exported = import(app, DOOR, json!(rows.collect::<Vec<_>>()).to_string());
        assert_eq!((counts(&exported), versions(app)), ([0, 7, 7, 2], before));
        // A row is numbered by the rank of its object.
        assert_eq!(exported["rows"][0]["line"], 3);
    }

    fn a_persons_word_outlives_the_directory(app: &TestApp) {
        register(app);
        let word = json!({"contact_email": "maire@personne.invalid", "address": {"line1": "9 rue Exemple", "postal_code": "30700", "city": "Aigaliers"}});
        app.gestionnaire().patch(&format!("/collectivites/{AIGALIERS}"), 1, word.clone()).expect(200);
        let view = import(app, DOOR, file());
        let mine = view["rows"].as_array().unwrap().iter().find(|row| row["key"] == AIGALIERS).unwrap();
        let kept: Vec<_> = mine["findings"].as_array().unwrap().iter().map(|f| (f["code"].as_str().unwrap(), f["found"].as_str().unwrap())).collect();
        assert_eq!(
            kept,
            [("kept_manual", "secretariat@aigaliers.invalid"), ("kept_manual", "Foyer rural, 1 chemin de la Fontaine, 30700 Aigaliers")]
        );
        let known = one(app, AIGALIERS);
        assert_eq!((&known["contact_email"], &known["address"]["line1"]), (&word["contact_email"], &word["address"]["line1"]));
        // What she did not write is filled.
        assert_eq!(known["contact_phone"], "04 65 71 10 01");
        // What an import wrote, another may write again.
        let moved = file().replace("accueil@aigremont", "mairie@aigremont");
        assert_eq!(counts(&import(app, DOOR, moved))[0], 1);
        assert_eq!(one(app, AIGREMONT)["contact_email"], "mairie@aigremont.invalid");
        // The postal code of the communes file does not undo the Cedex.
        let communes = import(app, "/collectivites/imports", REGISTRY);
        assert_eq!((&communes["updated"], &one(app, AIGREMONT)["address"]["postal_code"]), (&json!(0), &json!("30351")), "{communes}");
    }

    fn between_two_a_person_chooses(app: &TestApp) {
        register(app);
        import(app, DOOR, file());
        let open = tasks(app, "open");
        assert_eq!((open.len(), &open[0]["subject"]["key"]), (1, &json!(UZES)), "{open:?}");
        let why = open[0]["why"].as_str().unwrap();
        assert!(why.contains("11 et 12") && why.contains("Uzès") && !why.contains('@'), "{why}");
        assert_eq!(one(app, UZES)["contact_phone"], Value::Null, "not even what they agree on");

        // A person writes the mail: nothing is asked again, and both rows are still told.
        let version = one(app, UZES)["version"].as_i64().unwrap();
        app.gestionnaire().patch(&format!("/collectivites/{UZES}"), version, json!({"contact_phone": "04 65 71 10 10"})).expect(200);
        assert_eq!(tasks(app, "open").len(), 1, "a number is not whom to write to");
        app.gestionnaire().patch(&format!("/collectivites/{UZES}"), version + 1, json!({"contact_email": "mairie@uzes.invalid"})).expect(200);
        let closed = tasks(app, "closed");
        assert_eq!((tasks(app, "open").len(), closed.len()), (0, 1));
        assert!(closed[0]["closed"]["word"].as_str().unwrap().contains("Une personne"));
        let view = import(app, DOOR, file());
        assert_eq!((view["findings"]["contact_ambiguous"].as_u64(), tasks(app, "open").len()), (Some(2), 0));

        // An import with one left settles another.
        let two = |a: &str, b: &str| json!([town_hall("Nîmes", "30189", mail(a)), town_hall("Nîmes", "30189", mail(b))]).to_string();
        assert_eq!(counts(&import(app, DOOR, two("a@nimes.invalid", "b@nimes.invalid"))), [0, 0, 0, 2]);
        assert_eq!((tasks(app, "open").len(), &one(app, NIMES)["contact_email"]), (1, &Value::Null));
        import(app, &format!("{DOOR}?dry_run=true"), two("a@nimes.invalid", "a@nimes.invalid"));
        assert_eq!(tasks(app, "open").len(), 1, "a trial settles nothing");
        let view = import(app, DOOR, two("a@nimes.invalid", "A@nimes.invalid"));
        assert_eq!((counts(&view), view["ignored_reasons"].as_object().unwrap().len()), ([1, 0, 1, 0], 1));
        assert_eq!((tasks(app, "open").len(), &one(app, NIMES)["contact_email"]), (0, &json!("a@nimes.invalid")));

        // So does our own list, once it gives the mail.
        import(app, DOOR, two("c@nimes.invalid", "d@nimes.invalid"));
        assert_eq!((tasks(app, "open").len(), &one(app, NIMES)["contact_email"]), (1, &json!("a@nimes.invalid")));
        import(app, DOOR, format!("siret;nom;courriel\n{NIMES};Durand;\n"));
        assert_eq!(tasks(app, "open").len(), 1);
        import(app, DOOR, format!("siret;nom;courriel\n{NIMES};Durand;a@nimes.invalid\n"));
        assert_eq!((tasks(app, "open").len(), tasks(app, "closed").len()), (0, 3));
        // Closed by a person without a mail, the reason found again asks again.
        import(app, DOOR, two("c@nimes.invalid", "d@nimes.invalid"));
        let task = format!("/tasks/{}/transitions", tasks(app, "open")[0]["id"].as_str().unwrap());
        app.gestionnaire().post(&task, json!({"action": "close", "word": "vu"})).expect(200);
        import(app, DOOR, two("c@nimes.invalid", "d@nimes.invalid"));
        assert_eq!(tasks(app, "open").len(), 1);
    }

    fn a_number_that_differs_is_told_and_changes_none(app: &TestApp) {
        register(app);
        let brought = |rows: Value| import(app, DOOR, rows.to_string());
        let at = |name: &str, insee: &str, siret: &str, siren: &str, mail: &str| {
            town_hall(name, insee, json!({"siret": siret, "siren": siren, "adresse_courriel": mail}))
        };
        // Uzès' row bears the number of Nîmes: its name agrees with its code.
        let view = brought(json!([at("UZES", "30334", NIMES, "", "a@uzes.invalid")]));
        assert_eq!(told(&view), ["1 updated siren_differs"]);
        let finding = &view["rows"][0]["findings"][0];
        assert_eq!((&finding["level"], &finding["expected"], &finding["found"]), (&json!("to_acknowledge"), &json!("213003346"), &json!("213001894")));
        assert_eq!((&one(app, UZES)["siret"], &one(app, NIMES)["contact_email"]), (&json!(UZES), &Value::Null));
        // Neither name agrees: nobody's.
        let view = brought(json!([at("Ailleurs", "30334", NIMES, "", "b@uzes.invalid"), at("Nîmes", "30002", "", "213001894", "c@uzes.invalid")]));
        assert_eq!(told(&view), ["1 rejected siret_of_another", "2 rejected siret_of_another"]);
        // A code the registry does not have: the SIRET decides, else the SIREN, and only for a commune.
        let view = brought(json!([
            at("Nîmes", "30999", NIMES, "", "mairie@nimes.invalid"),
            at("Aigremont", "30998", "", "213000029", "mairie@aigremont.invalid"),
            at("Exemple", "30997", GROUPING, "", "x@exemple.invalid"),
            at("Ailleurs", "30996", "", "", "y@exemple.invalid"),
            {"nom": "Communauté de communes - X", "pivot": [{"type_service_local": "epci"}], "siren": "213000011", "adresse_courriel": "z@exemple.invalid"},
            {"nom": "Communauté de communes - X", "pivot": [{"type_service_local": "epci"}], "siret": "24300001500020", "adresse_courriel": "cc@exemple.invalid"},
        ]));
        assert_eq!(
            told(&view),
            ["1 updated insee_differs", "2 updated insee_differs", "3 rejected kind_differs", "5 rejected kind_differs", "6 updated siret_differs"]
        );
        assert_eq!((counts(&view), &one(app, GROUPING)["contact_email"]), ([3, 0, 1, 2], &json!("cc@exemple.invalid")));
        // A commune that is no more is written to no more; its number is the stale one of its heir.
        let merger = json!({"kind": "commune_nouvelle", "successor_siret": AIGALIERS, "effective_on": "2025-01-01", "act_reference": "Arrêté préfectoral"});
        app.gestionnaire().post(&format!("/collectivites/{SUMENE}/successions"), merger).expect(201);
        let view = brought(json!([
            at("Sumène", "30325", SUMENE, "", "mairie@sumene.invalid"),
            at("Commune nouvelle", "30001", SUMENE, "", "mairie@aigaliers.invalid"),
        ]));
        assert_eq!((counts(&view), told(&view)), ([1, 0, 1, 0], vec!["2 updated siren_differs".to_owned()]));
        assert_eq!(one(app, SUMENE)["contact_email"], Value::Null);
    }

    fn a_hostile_directory_is_refused_or_told_and_nothing_more(app: &TestApp) {
        register(app);
        let row = town_hall("Nîmes", "30189", mail("a@nimes.invalid"));
        let deep = "[".repeat(5_000);
        for (bytes, status, code) in [
            (format!("[{row},{{\"adresse\":\"{}\"}}]", "x".repeat(10_000_000)), "file_too_heavy", "line_bound"),
            (format!("[{row},{{\"adresse\":{deep}"), "file_refused", "unreadable_json"),
            (format!("[{row}"), "file_refused", "unreadable_json"),
            (format!("[{row}, 3]"), "file_refused", "unreadable_json"),
            ("[]".into(), "no_rows", "no_rows"),
            ("nom;pivot;adresse\nMairie - X;a\0b;c\n".into(), "file_refused", "binary_file"),
            (format!("nom;pivot;adresse\nMairie - X;;\"{}\"\n", "x\n".repeat(5_000_000)), "file_too_heavy", "line_bound"),
            ("siret;nom;statut_de_diffusion\n;Mairie - X;true\n".into(), "file_refused", "missing_column"),
        ] {
            let answer = send(app, DOOR, &bytes).problem(422, status);
            assert_eq!(answer.json["errors"][0]["code"], code, "{}", answer.text());
        }
        // Wrong types and NULs, row by row; told and kept for a repeated request as they are.
        let rows = json!([
            town_hall("Nîmes\u{0}", "30189", mail("a@nimes.invalid")),
            town_hall("Nîmes", "30189", json!({"adresse_courriel": "a\u{0}@nimes.invalid", "telephone": [{"valeur": "04\u{0}"}]})),
            town_hall("Nîmes", "30\u{0}189", mail("a@nimes.invalid")),
            town_hall("Nîmes", "30189", json!({"siret": true, "adresse": "\u{0}", "adresse_courriel": {"valeur": ["x"]}})),
            town_hall("Nîmes", "30189", json!({"nom": 12, "adresse_courriel": "a@nimes.invalid"})),
        ]);
        let parts = crate::support::operations::form("file", "annuaire.json", rows.to_string().as_bytes());
        let headers = [("content-type", crate::support::operations::FORM), ("idempotency-key", "directory-1")];
        let g = app.gestionnaire();
        let first = g.send("POST", &format!("/api/v1{DOOR}"), &headers, parts.clone()).expect(200);
        assert_eq!(
            told(&first.json),
            [
                "1 rejected unprintable_character",
                "2 unchanged email_format unprintable_character",
                "3 rejected insee_format",
                "4 rejected cell_type",
            ]
        );
        assert_eq!(g.send("POST", &format!("/api/v1{DOOR}"), &headers, parts).expect(200).bytes, first.bytes);
        assert_eq!(one(app, NIMES)["contact_email"], Value::Null);
        // The other doors take no JSON: there it is a text without the columns needed.
        for path in ["/collectivites/imports", "/schools/imports"] {
            let answer = send(app, path, format!("[{row}]")).problem(422, "file_refused");
            assert_eq!(answer.json["errors"][0]["code"], "no_header");
        }
        app.lecteur().upload(DOOR, "f.csv", file().as_bytes()).problem(403, "forbidden");
    }
}

/// A directory of many services, some of them town halls; longer than what its reader is given to hold.
fn long_directory(mut rows: usize, json: bool) -> String {
    // The column nobody reads is the most of it, as in the real one.
    let hours = "{\\\"nom_jour_debut\\\": \\\"Lundi\\\", \\\"commentaire\\\": \\\"sur rendez-vous\\\"} ".repeat(40);
    let mut text = String::from(if json { "[" } else { "nom;pivot;adresse_courriel;adresse;plage_ouverture\n" });
    let place = json!([{"type_adresse": "Adresse", "numero_voie": "1 rue Exemple", "code_postal": "30000", "nom_commune": "Nîmes"}]).to_string();
    while rows > 0 {
        rows -= 1;
        let (name, kind) =
            if rows.is_multiple_of(3) { ("Mairie - Ailleurs", "mairie") } else { ("Trésorerie", "tresorerie") };
        let pivot =
            json!([{"type_service_local": kind, "code_insee_commune": [format!("{:05}", 40_000 + rows)]}]).to_string();
        if json {
            let comma = if rows == 0 { "]" } else { ",\n" };
            write!(text, r#"{{"nom":"{name}","pivot":{pivot},"adresse_courriel":"a@b.invalid","adresse":{place},"plage_ouverture":"{hours}"}}{comma}"#).unwrap();
        } else {
            let quoted = |cell: &str| cell.replace('"', "\"\"");
            writeln!(text, "{name};\"{}\";a@b.invalid;\"{}\";\"{}\"", quoted(&pivot), quoted(&place), quoted(&hours))
                .unwrap();
        }
    }
    text
}

fn the_command_line_reads_it_too(base: &Base) {
    let url = base.url();
    if !url.starts_with("sqlite") {
        assert!(Program::run(&url, &["migrate"], "").status.success());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fichier");
    let run = |kind: &str, bytes: &str, more: &[&str]| {
        std::fs::write(&path, bytes).unwrap();
        let arguments = [&["import", kind, path.to_str().unwrap()], more].concat();
        let output = Program::run(&url, &arguments, "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default(), said)
    };
    assert_eq!(run("collectivites", REGISTRY, &[]).1["created"], 12);
    let (code, view, said) = run("contacts", &file(), &["--dry-run"]);
    assert_eq!((code, counts(&view)), (Some(0), [6, 1, 7, 2]), "{said}");
    assert_eq!(counts(&run("contacts", &file(), &[]).1), [6, 1, 7, 2]);
    assert_eq!(counts(&run("contacts", &file(), &[]).1), [0, 7, 7, 2]);
    let (code, view, said) = run("contacts", "[{\"pivot\": ", &[]);
    assert_eq!((code, view), (Some(1), Value::Null));
    assert!(said.contains("JSON s'arrête"), "{said}");
}

#[test]
fn the_command_line_reads_it_too_on_sqlite() {
    the_command_line_reads_it_too(&Base::sqlite());
}

#[test]
fn the_command_line_reads_it_too_on_postgres() {
    the_command_line_reads_it_too(&Base::postgres());
}

/// The process that reads holds one row, whatever the length of the file: it is given less than the file has bytes.
#[test]
fn a_long_directory_is_read_within_less_memory_than_it_has_bytes() {
    for json in [false, true] {
        let long = long_directory(8_000, json);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(long.as_bytes()).unwrap();
        let memory = 12_000_000;
        assert!(long.len() > 2 * memory, "{}", long.len());
        let bounds = ["--memory-bytes", &memory.to_string(), "--seconds", "120", "--rows", "200000"];
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ent-backoffice"))
            .args(["read-table", "contacts"])
            .args(bounds)
            .env_clear()
            .env("MIMALLOC_ARENA_RESERVE", "0")
            .stdin(file)
            .stdout(tempfile::tempfile().unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let verdict: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap_or_else(|_| panic!("{said}"));
        assert_eq!((&verdict["Ok"]["sort"], &verdict["Ok"]["rows"]), (&json!(1), &json!(8_000)), "{said}");
    }
}
