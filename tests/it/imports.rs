//! The imports of the registry, with the real files of a region and with small ones made to hurt.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::time::Instant;

use ent_backoffice::kernel::Uai;
use ent_backoffice::registry::kinds::Sector;
use ent_backoffice::registry::{self, School, SchoolFilter};
use serde_json::{Value, json};

use crate::support::{Response, TestApp};

const COMMUNES: &str = "communes_occitanie_2026.csv";
const DIRECTORY: &str = "annuaire_education_occitanie_2024-11-26.csv";
/// Saint-Laurent-des-Arbres, one of its schools, and another establishment of the same SIREN.
const SIRET: &str = "21300278500011";
const SIRET_AFTER: &str = "21300278500037";
const UAI: &str = "0301023Z";
const TWO_COMMUNES: &str = "insee;siret;nom;codes_postaux;population;anciens_codes_insee\n\
                            30278;21300278500011;Saint-Laurent-des-Arbres;30126;3200;\n\
                            30189;21300189400012;Nîmes;30000|30900;150000;30999\n";
const SCHOOLS: &str = "uai;nom_etablissement;type_etablissement;statut_public_prive;code_commune;nom_commune;\
                       ecole_maternelle;ecole_elementaire;siren_siret;etat;nombre_d_eleves\n";

#[test]
fn the_guide_lists_every_column_of_every_import() {
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/imports.md")).unwrap();
    let titles = ["### Collectivités", "### Schools", "### Contacts", "### Administrations", "### Enrolments"];
    for (layout, title) in ent_backoffice::app::layouts().zip(titles) {
        let part = guide.split(title).nth(1).unwrap().split("\n#").next().unwrap();
        let rows: Vec<&str> = part.lines().filter(|line| line.starts_with("| `")).collect();
        let mut told = HashSet::new();
        for row in rows {
            let mut cells = row.trim_matches('|').split('|');
            let (names, required) = (cells.next().unwrap(), cells.next().unwrap().trim());
            for name in names.split('`').skip(1).step_by(2) {
                let spec =
                    layout.columns.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("{title}: no {name}"));
                let expected = if spec.required {
                    "yes"
                } else if layout.one_of.contains(&name) {
                    if layout.one_of.len() == 2 { "one of both" } else { "one of them" }
                } else {
                    ""
                };
                assert_eq!(required, expected, "{title}: {name}");
                told.insert(name);
            }
        }
        assert_eq!(
            told.len(),
            layout.columns.len(),
            "{title}: {:?}",
            layout.columns.iter().filter(|c| !told.contains(c.name)).collect::<Vec<_>>()
        );
        // The example is a file that would be read.
        let example = part.split("```csv\n").nth(1).unwrap().split("```").next().unwrap();
        let header: Vec<&str> = example.lines().next().unwrap().split(';').collect();
        assert!(header.iter().all(|name| told.contains(name)), "{title}: {header:?}");
        assert!(layout.columns.iter().filter(|c| c.required).all(|c| header.contains(&c.name)), "{title}: {header:?}");
    }
}

fn real(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/occitanie").join(name)).unwrap()
}

fn send(app: &TestApp, path: &str, bytes: impl AsRef<[u8]>) -> Response {
    app.gestionnaire().upload(path, "fichier.csv", bytes.as_ref())
}

/// Imports and gives the account.
#[track_caller]
fn import(app: &TestApp, path: &str, bytes: impl AsRef<[u8]>) -> Value {
    send(app, path, bytes).expect(200).json
}

/// Created, updated, unchanged, closed, ignored, rejected.
fn counts(view: &Value) -> [u64; 6] {
    ["created", "updated", "unchanged", "closed", "ignored", "rejected"].map(|name| view[name].as_u64().unwrap())
}

/// Codes of the findings of a row.
fn codes<'v>(view: &'v Value, key: &str) -> Vec<&'v str> {
    let rows = view["rows"].as_array().unwrap().iter().filter(|row| row["key"] == key);
    rows.flat_map(|row| row["findings"].as_array().unwrap()).map(|f| f["code"].as_str().unwrap()).collect()
}

fn schools(app: &TestApp) -> HashMap<String, School> {
    let all = app.db.read(|tx| registry::select_schools(tx, &SchoolFilter::default())).unwrap();
    all.into_iter().map(|s| (s.said.uai.to_string(), s)).collect()
}

fn collectivites(app: &TestApp) -> Vec<registry::Collectivite> {
    app.db.read(registry::collectivites).unwrap().into_values().collect()
}

/// SIRETs that pay for a school, in time.
fn payers(app: &TestApp, uai: &str) -> Vec<String> {
    let (mut periods, all) = app.db.read(|tx| Ok((registry::payers(tx)?, registry::collectivites(tx)?))).unwrap();
    let mine = periods.remove(&Uai::parse(uai).unwrap()).unwrap_or_default();
    mine.iter().map(|p| all[&p.collectivite_id].said.siret.to_string()).collect()
}

fn journal(app: &TestApp, action: &str) -> Vec<Value> {
    let page = app.admin().get(&format!("/audit-events?action={action}")).expect(200);
    page.json["data"].as_array().unwrap().clone()
}

fn school(uai: &str, insee: &str, state: &str) -> String {
    format!("{uai};Ecole élémentaire;Ecole;Public;{insee};Commune;0;1;;{state};100\n")
}

on_both_databases! {
    fn the_files_of_occitanie_make_its_registry(app: &TestApp) {
        let (communes, directory) = (real(COMMUNES), real(DIRECTORY));
        let dry = import(app, "/collectivites/imports?dry_run=true", &communes);
        assert_eq!((counts(&dry), &dry["dry_run"]), ([4_446, 0, 0, 0, 0, 0], &json!(true)));
        assert_eq!((collectivites(app).len(), journal(app, "registry.collectivites_imported").len()), (0, 0));

        let start = Instant::now();
        let view = import(app, "/collectivites/imports", &communes);
        let communes_took = start.elapsed();
        assert_eq!(counts(&view), [4_446, 0, 0, 0, 0, 0]);
        assert_eq!(view["findings"], json!({"siren_insee_pattern": 72}));

        let dry = import(app, "/schools/imports?dry_run=true", &directory);
        assert_eq!(counts(&dry), [4_579, 0, 0, 0, 1_661, 0]);
        assert!(schools(app).is_empty());
        let start = Instant::now();
        let view = import(app, "/schools/imports", &directory);
        let schools_took = start.elapsed();
        eprintln!("communes in {communes_took:?}, schools in {schools_took:?}: {}", view["findings"]);
        assert_eq!(counts(&view), [4_579, 0, 0, 0, 1_661, 0]);
        assert_eq!(view["rows"], dry["rows"]);
        assert_eq!(view["findings"]["school_siret_missing"], 62);
        let known = schools(app);
        let mut found: BTreeMap<(Sector, String), usize> = BTreeMap::new();
        for row in view["rows"].as_array().unwrap() {
            let key = row["key"].as_str().unwrap();
            for code in codes(&json!({"rows": [row]}), key) {
                *found.entry((known[key].said.sector, code.to_owned())).or_default() += 1;
            }
        }
        let public = |code: &str| found.get(&(Sector::Public, code.to_owned())).copied().unwrap_or_default();
        assert_eq!(
            (public("siren_differs"), public("school_siret_missing"), public("school_siret_invalid"), public("payer_missing")),
            (62, 22, 3, 0),
            "{found:?}"
        );
        let periods = app.db.read(registry::payers).unwrap();
        let paid: Vec<_> = known.values().filter(|s| s.said.sector == Sector::Public).map(|s| &periods[&s.said.uai]).collect();
        assert!(paid.iter().all(|p| p.len() == 1));
        let payers: HashSet<_> = paid.iter().map(|p| p[0].collectivite_id).collect();
        assert_eq!((paid.len(), payers.len()), (4_104, 2_386));

        assert_eq!(counts(&import(app, "/collectivites/imports", &communes)), [0, 0, 4_446, 0, 0, 0]);
        assert_eq!(counts(&import(app, "/schools/imports", &directory)), [0, 0, 4_579, 0, 1_661, 0]);
        assert!(collectivites(app).iter().all(|c| c.version == 1));
        assert!(schools(app).values().all(|s| s.version == 1));
        for (action, created) in [("registry.collectivites_imported", 4_446), ("registry.schools_imported", 4_579)] {
            let lines = journal(app, action);
            assert_eq!((lines.len(), &lines[0]["data"]["created"]), (1, &json!(created)));
        }
    }

    fn a_persons_word_outlives_the_imports(app: &TestApp) {
        import(app, "/collectivites/imports", TWO_COMMUNES);
        let client = app.gestionnaire();
        client.patch(&format!("/collectivites/{SIRET}"), 1, json!({"name": "Mairie de Saint-Laurent"})).expect(200);
        let view = import(app, "/collectivites/imports", TWO_COMMUNES.replace("3200", "3300"));
        assert_eq!(counts(&view), [0, 1, 1, 0, 0, 0]);
        assert_eq!(codes(&view, SIRET), ["kept_manual"]);
        let kept = client.get(&format!("/collectivites/{SIRET}")).expect(200).json;
        assert_eq!((&kept["name"], &kept["population"]), (&json!("Mairie de Saint-Laurent"), &json!(3300)));

        let file = format!("{SCHOOLS}{}", school(UAI, "30278", "OUVERT"));
        import(app, "/schools/imports", &file);
        assert_eq!(payers(app, UAI), [SIRET]);
        client.patch(&format!("/schools/{UAI}"), 1, json!({"name": "Charles Odoyer", "payer_siret": "21300189400012"})).expect(200);
        let view = import(app, "/schools/imports", &file);
        assert_eq!(counts(&view), [0, 0, 1, 0, 0, 0]);
        assert_eq!(codes(&view, UAI), ["school_siret_missing", "kept_manual"]);
        assert_eq!(payers(app, UAI), ["21300189400012"]);
        assert_eq!(schools(app)[UAI].said.name.as_str(), "Charles Odoyer");
    }

    fn a_siret_changes_within_its_siren_only(app: &TestApp) {
        import(app, "/collectivites/imports", TWO_COMMUNES);
        let moved = TWO_COMMUNES.replace(SIRET, SIRET_AFTER);
        let view = import(app, "/collectivites/imports", &moved);
        assert_eq!((counts(&view), codes(&view, SIRET_AFTER)), ([0, 1, 1, 0, 0, 0], vec!["siret_replaced"]));
        assert_eq!(counts(&import(app, "/collectivites/imports", &moved)), [0, 0, 2, 0, 0, 0]);
        let one = app.gestionnaire().get(&format!("/collectivites/{SIRET}")).expect(200).json;
        assert_eq!((&one["siret"], one["sirets"].as_array().unwrap().len()), (&json!(SIRET_AFTER), 2));
        // The older file comes back: it takes nothing back.
        let view = import(app, "/collectivites/imports", TWO_COMMUNES);
        assert_eq!((counts(&view), codes(&view, SIRET)), ([0, 0, 2, 0, 0, 0], vec!["siret_former"]));
        let other = "insee;siret;nom\n30278;21300001100014;Autre\n";
        let view = import(app, "/collectivites/imports", other);
        assert_eq!((counts(&view), codes(&view, "21300001100014")), ([0, 0, 0, 0, 0, 1], vec!["siren_changed"]));
        let taken = "insee;siret;nom\n30278;21300189400012;Nîmes\n";
        let view = import(app, "/collectivites/imports", taken);
        assert_eq!(codes(&view, "21300189400012"), ["siret_taken"]);
    }

    fn absence_closes_only_where_the_file_is_complete(app: &TestApp) {
        let [a, b, c] = [school(UAI, "30278", "OUVERT"), school("0301015R", "30189", "OUVERT"), school("0121436W", "12076", "OUVERT")];
        import(app, "/collectivites/imports", TWO_COMMUNES);
        let view = import(app, "/schools/imports", format!("{SCHOOLS}{a}{b}{c}"));
        assert_eq!(codes(&view, "0121436W"), ["school_siret_missing", "payer_missing"]);
        let only = format!("{SCHOOLS}{a}");
        assert_eq!(counts(&import(app, "/schools/imports", &only)), [0, 0, 1, 0, 0, 0]);
        let refused = send(app, "/schools/imports?complete_for=12", &only).problem(422, "invalid_value");
        assert_eq!(refused.json["errors"][0]["code"], "departement_absent");
        send(app, "/schools/imports?complete_for=30,xx", &only).problem(422, "invalid_value");
        let view = import(app, "/schools/imports?complete_for=30", &only);
        assert_eq!(counts(&view), [0, 0, 1, 1, 0, 0]);
        let gone = view["rows"].as_array().unwrap().iter().find(|r| r["outcome"] == "closed").unwrap();
        assert_eq!((&gone["line"], &gone["key"]), (&Value::Null, &json!("0301015R")));
        let known = schools(app);
        assert_eq!(known["0301015R"].said.closed_on.unwrap().to_string(), "2025-06-05");
        assert!(known[UAI].said.closed_on.is_none() && known["0121436W"].said.closed_on.is_none());
        assert_eq!(counts(&import(app, "/schools/imports?complete_for=30", &only)), [0, 0, 1, 0, 0, 0]);
        // It comes back, then the file says it is closed.
        assert_eq!(counts(&import(app, "/schools/imports", format!("{SCHOOLS}{a}{b}"))), [0, 1, 1, 0, 0, 0]);
        assert!(schools(app)["0301015R"].said.closed_on.is_none());
        let closed = format!("{SCHOOLS}{}", school("0301015R", "30189", "FERME"));
        assert_eq!(counts(&import(app, "/schools/imports", &closed)), [0, 0, 0, 1, 0, 0]);
        assert_eq!(counts(&import(app, "/schools/imports", &closed)), [0, 0, 1, 0, 0, 0]);
        // A person closed it: the file does not reopen it.
        app.gestionnaire().patch(&format!("/schools/{UAI}"), 1, json!({"closed_on": "2025-01-01"})).expect(200);
        let view = import(app, "/schools/imports", &only);
        assert_eq!((counts(&view), codes(&view, UAI)), ([0, 0, 1, 0, 0, 0], vec!["school_siret_missing", "kept_manual"]));
    }

    fn a_blank_cell_and_a_missing_column_change_nothing(app: &TestApp) {
        import(app, "/collectivites/imports", TWO_COMMUNES);
        import(app, "/schools/imports", format!("{SCHOOLS}{}", school(UAI, "30278", "OUVERT")));
        let bare = "uai;nom_etablissement;type_etablissement;statut_public_prive;code_commune;nom_commune\n\
                    0301023Z;Ecole élémentaire;Ecole;Public;30278;Commune\n";
        assert_eq!(counts(&import(app, "/schools/imports", bare)), [0, 0, 1, 0, 0, 0]);
        assert_eq!(schools(app)[UAI].said.pupils.unwrap().0, 100);
        let bare = "insee;siret;nom\n30278;21300278500011;Saint-Laurent-des-Arbres\n";
        assert_eq!(counts(&import(app, "/collectivites/imports", bare)), [0, 0, 1, 0, 0, 0]);
    }

    fn the_payer_follows_the_commune_of_the_school(app: &TestApp) {
        import(app, "/schools/imports", format!("{SCHOOLS}{}", school(UAI, "30999", "OUVERT")));
        assert!(payers(app, UAI).is_empty());
        import(app, "/collectivites/imports", TWO_COMMUNES);
        let file = format!("{SCHOOLS}{}", school(UAI, "30999", "OUVERT"));
        assert_eq!(counts(&import(app, "/schools/imports", &file)), [0, 1, 0, 0, 0, 0]);
        assert_eq!(payers(app, UAI), ["21300189400012"]);
        let file = format!("{SCHOOLS}{}", school(UAI, "30278", "OUVERT"));
        assert_eq!(counts(&import(app, "/schools/imports", &file)), [0, 1, 0, 0, 0, 0]);
        assert_eq!(payers(app, UAI), [SIRET]);
        // A school first seen after a succession has both payers, each from its date.
        let transfer = json!({"kind": "transfer", "successor_siret": SIRET, "effective_on": "2026-01-01", "act_reference": "Arrêté préfectoral"});
        app.gestionnaire().post("/collectivites/21300189400012/successions", transfer).expect(201);
        import(app, "/schools/imports", format!("{SCHOOLS}{}", school("0301015R", "30189", "OUVERT")));
        assert_eq!(payers(app, "0301015R"), ["21300189400012", SIRET]);
    }

    fn a_file_that_cannot_be_trusted_is_refused_whole(app: &TestApp) {
        let refused = |path: &str, bytes: &[u8], code: &str| {
            let answer = send(app, path, bytes).problem(422, "file_refused");
            assert_eq!(answer.json["errors"][0]["code"], code, "{}", answer.text());
            answer.json["errors"][0].clone()
        };
        let sick = "insee;siret;nom\n30278;21300278500011;Saint-Laurent\n30189;2,13002E+13;Nîmes\n";
        let error = refused("/collectivites/imports", sick.as_bytes(), "scientific_notation");
        assert_eq!((&error["pointer"], &error["value"]), (&json!("ligne 3, colonne siret"), &json!("2,13002E+13")));
        let short = [
            ("/collectivites/imports", "insee;nom\n30278;A\n"),
            ("/schools/imports", "uai;nom_commune\n0301023Z;A\n"),
            ("/contacts/imports", "nom;courriel\nA;a@exemple.fr\n"),
        ];
        for (path, text) in short {
            refused(path, b"", "empty_file");
            refused(path, b"\x00\x01\x02\x7fELF\x00\x00", "binary_file");
            refused(path, b"une;autre\n1;2\n", "no_header");
            refused(path, text.as_bytes(), "missing_column");
        }
        refused("/collectivites/imports", b"insee;siret;siret;nom\n30278;21300278500011;21300278500011;A\n", "doubled_column");
        assert!(collectivites(app).is_empty());
        app.lecteur().upload("/collectivites/imports", "f.csv", TWO_COMMUNES.as_bytes()).problem(403, "forbidden");
        app.gestionnaire().upload("/collectivites/imports", "f.csv", &vec![b'x'; 60_000_000]).problem(413, "payload_too_large");
    }

    fn contacts_find_their_collectivite(app: &TestApp) {
        import(app, "/collectivites/imports", TWO_COMMUNES);
        let file = "siret;insee;civilite;prenom;nom;qualite;courriel;telephone\n\
                    21300278500011;;Mme;Marie;Durand;Maire;mairie@exemple.fr;0466000000\n\
                    ;30189;M.;Paul;Petit;;;\n\
                    21300001100014;;;;Inconnu;;;\n\
                    ;30999;;;Ancien;;;\n\
                    ;30278;;;Double;;;\n";
        let view = import(app, "/contacts/imports", file);
        assert_eq!(counts(&view), [0, 2, 0, 0, 0, 3]);
        assert_eq!(codes(&view, "21300001100014"), ["collectivite_unknown"]);
        assert_eq!((codes(&view, "30999"), codes(&view, "30278")), (vec!["insee_former"], vec!["duplicate_row"]));
        let client = app.gestionnaire();
        let one = client.get(&format!("/collectivites/{SIRET}")).expect(200).json;
        assert_eq!(one["representative"], json!({"civility": "madame", "first_name": "Marie", "last_name": "Durand", "title": "Maire"}));
        assert_eq!(one["contact_email"], "mairie@exemple.fr");
        assert_eq!(counts(&import(app, "/contacts/imports", file)), [0, 0, 2, 0, 0, 3]);
        assert_eq!(journal(app, "registry.contacts_imported").len(), 1);
        client.patch(&format!("/collectivites/{SIRET}"), 2, json!({"contact_email": "accueil@exemple.fr"})).expect(200);
        let view = import(app, "/contacts/imports", file.replace("Maire;", "Maire déléguée;"));
        assert_eq!((counts(&view), codes(&view, SIRET)), ([0, 1, 1, 0, 0, 3], vec!["kept_manual"]));
    }
}
