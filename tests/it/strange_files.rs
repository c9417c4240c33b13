//! What imports do with files that are not quite what they should be: no rows, cells of another type, identifiers
//! written in other ways, rows that could not be read.

use ent_backoffice::kernel::Uai;
use ent_backoffice::registry::{self, SchoolFilter};
use rust_xlsxwriter::{Format, Workbook, Worksheet};
use serde_json::{Value, json};

use crate::support::year::{campaign, uai};
use crate::support::{Base, DOORS, Program, Response, TestApp};

const SIRET: &str = "21300278500011";
const NIMES: &str = "21300189400012";
fn send(app: &TestApp, path: &str, bytes: impl AsRef<[u8]>) -> Response {
    app.gestionnaire().upload(path, "fichier.csv", bytes.as_ref())
}

#[track_caller]
fn import(app: &TestApp, path: &str, bytes: impl AsRef<[u8]>) -> Value {
    send(app, path, bytes).expect(200).json
}

/// What a row of the account was told: outcome, and codes of its findings.
fn told(view: &Value, key: &str) -> (String, Vec<String>) {
    let row = view["rows"].as_array().unwrap().iter().find(|row| row["key"] == key);
    let row = row.unwrap_or_else(|| panic!("{key} is not told: {view}"));
    let codes = row["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap().to_owned());
    (row["outcome"].as_str().unwrap().to_owned(), codes.collect())
}

fn told_as(outcome: &str, codes: &[&str]) -> (String, Vec<String>) {
    (outcome.to_owned(), codes.iter().map(|code| (*code).to_owned()).collect())
}

fn workbook(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet());
    workbook.save_to_buffer().unwrap()
}

/// Schools that are open today.
fn open_schools(app: &TestApp) -> Vec<String> {
    let all = app.db.read(|tx| registry::select_schools(tx, &SchoolFilter::default())).unwrap();
    let mut open: Vec<_> =
        all.into_iter().filter(|s| s.said.closed_on.is_none()).map(|s| s.said.uai.to_string()).collect();
    open.sort();
    open
}

fn two_communes(app: &TestApp) {
    let file = format!("insee;siret;nom\n30278;{SIRET};Saint-Laurent-des-Arbres\n30189;{NIMES};Nîmes\n");
    import(app, "/collectivites/imports", file);
}

on_both_databases! {
    fn a_file_that_yields_no_row_is_no_success(app: &TestApp) {
        app.gestionnaire().post("/campaigns", campaign("issue")).expect(201);
        for (path, header, row) in DOORS {
            for empty in [
                header.to_owned(),
                format!("{header}\r\n"),
                format!("\u{feff}{header}\r\n\r\n;;\r\n \u{a0};\t\r\n"),
                format!("{header}\r"),
                format!("{header}\r\r\r"),
            ] {
                for path in [path.to_owned(), format!("{path}?dry_run=true")] {
                    let answer = send(app, &path, &empty).problem(422, "no_rows");
                    assert_eq!(answer.json["errors"][0]["code"], "no_rows");
                }
            }
            let header_only = workbook(|sheet| {
                sheet.write_row(0, 0, header.split(';')).unwrap();
                sheet.write_string(3, 1, "  ").unwrap();
            });
            send(app, path, header_only).problem(422, "no_rows");
            send(app, path, "\n\n \n").problem(422, "file_refused");
            let wide = send(app, path, ";x".repeat(120_000)).problem(422, "file_too_heavy");
            assert_eq!(wide.json["errors"][0]["code"], "columns_bound");
            // Lines that end by carriage return alone are rows as others are.
            let view = import(app, path, format!("{header}\r{row}\r"));
            assert_eq!((&view["rejected"], &view["ignored"]), (&json!(0), &json!(0)), "{path}: {view}");
            assert!(view["created"] == 1 || view["updated"] == 1, "{path}: {view}");
        }
    }

    fn a_cell_of_another_type_sets_its_row_aside(app: &TestApp) {
        two_communes(app);
        app.gestionnaire().post("/campaigns", campaign("issue")).expect(201);
        let day = Format::new().set_num_format("dd/mm/yyyy");
        for (path, header, row) in DOORS {
            // The second column that is text: the name.
            let at = header.split(';').position(|name| name.contains("nom") || name == "demandeur").unwrap();
            for kind in ["date", "boolean", "error"] {
                let bytes = workbook(|sheet| {
                    sheet.write_row(0, 0, header.split(';')).unwrap();
                    sheet.write_row(1, 0, row.split(';')).unwrap();
                    let column = u16::try_from(at).unwrap();
                    match kind {
                        "date" => sheet.write_number_with_format(1, column, 16_565, &day).unwrap(),
                        "boolean" => sheet.write_boolean(1, column, true).unwrap(),
                        _ => sheet.write_formula(1, column, rust_xlsxwriter::Formula::new("=A9").set_result("#REF!")).unwrap(),
                    };
                });
                let view = import(app, path, bytes);
                let key = row.split(';').find(|cell| cell.len() >= 8).unwrap();
                assert_eq!(told(&view, key), told_as("rejected", &["cell_type"]), "{kind} in {path}: {view}");
                assert_eq!(view["rejected"], 1);
            }
        }
        let view = import(app, "/contacts/imports", format!("siret;nom;courriel\n{SIRET};#N/A;a@exemple.fr\n"));
        assert_eq!(told(&view, SIRET), told_as("rejected", &["cell_type"]));
        let known = app.gestionnaire().get(&format!("/collectivites/{SIRET}")).expect(200).json;
        assert_eq!((&known["name"], &known["contact_email"]), (&json!("Saint-Laurent-des-Arbres"), &Value::Null));
        assert!(open_schools(app).is_empty());
    }

    fn dates_and_counts_are_read_alike_in_both_formats(app: &TestApp) {
        two_communes(app);
        let header = "uai;nom_etablissement;type_etablissement;statut_public_prive;code_commune;nom_commune;ecole_elementaire;\
                      nombre_d_eleves;date_ouverture";
        let row = ["0301023Z", "Ecole", "Ecole", "Public", "30278", "Saint-Laurent-des-Arbres"];
        let day = Format::new().set_num_format("d mmmm yyyy");
        let bytes = workbook(|sheet| {
            sheet.write_row(0, 0, header.split(';')).unwrap();
            sheet.write_row(1, 0, row).unwrap();
            sheet.write_boolean(1, 6, true).unwrap();
            sheet.write_number(1, 7, 25.0).unwrap();
            sheet.write_number_with_format(1, 8, 25_723, &day).unwrap();
        });
        assert_eq!(import(app, "/schools/imports", bytes)["created"], 1);
        let school = app.gestionnaire().get("/schools/0301023Z").expect(200).json;
        assert_eq!(
            (&school["pupils"], &school["opened_on"], &school["kind"]),
            (&json!(25), &json!("1970-06-04"), &json!("elementaire"))
        );
        for (flag, pupils, opened) in [("1", "25", "04/06/1970"), ("1.0", "25.0", "1970-06-04"), ("VRAI", "25,0", "1970-06-04T00:00:00+00:00")] {
            let file = format!("{header}\n{};{flag};{pupils};{opened}\n", row.join(";"));
            assert_eq!(import(app, "/schools/imports", file)["unchanged"], 1, "{flag} {pupils} {opened}");
        }
    }

    fn a_siret_that_the_spreadsheet_kept_whole_is_read_and_told(app: &TestApp) {
        let file = |siret: f64| workbook(|sheet| {
            sheet.write_row(0, 0, ["insee", "nom"]).unwrap();
            sheet.write_string(0, 2, "siret").unwrap();
            sheet.write_row(1, 0, ["30278", "Saint-Laurent-des-Arbres"]).unwrap();
            sheet.write_number(1, 2, siret).unwrap();
        });
        let view = import(app, "/collectivites/imports", file(21_300_278_500_011.0));
        assert_eq!((told(&view, SIRET), &view["created"]), (told_as("created", &["siret_as_number"]), &json!(1)));
        assert_eq!(view["findings"], json!({"siret_as_number": 1}));
        for damaged in [213_002_785_000_112.0, 2_130_027_850_001.0, 2.13e20, -21_300_278_500_011.0] {
            let answer = send(app, "/collectivites/imports", file(damaged)).problem(422, "file_refused");
            assert_eq!(answer.json["errors"][0]["code"], "identifier_as_number", "{damaged}");
        }
        let text = "insee;siret;nom\n30278;2,13003E+13;Saint-Laurent\n";
        let answer = send(app, "/collectivites/imports", text).problem(422, "file_refused");
        assert_eq!(answer.json["errors"][0]["code"], "scientific_notation");
    }

    fn spaces_marks_and_case_count_at_no_door(app: &TestApp) {
        let g = app.gestionnaire();
        // Files: grouped digits, no-break spaces, a mark of direction.
        let file = "insee;siret;nom\n30\u{a0}278;213 002 785 00011;Saint-Laurent-des-Arbres\n\u{200e}30189;213\u{202f}001\u{202f}894\u{202f}00012\u{2060};Nîmes\n";
        assert_eq!(import(app, "/collectivites/imports", file)["created"], 2);
        let header = DOORS[1].1;
        let line = |uai: &str| format!("{header}\n{uai};Ecole;Ecole;Public;30\u{2009}278;Saint-Laurent-des-Arbres;1;\n");
        assert_eq!(import(app, "/schools/imports", line("0301 023z"))["created"], 1);
        assert_eq!(import(app, "/schools/imports", line("\u{feff}0301023\u{ad}Z"))["unchanged"], 1);
        let contacts = "siret;nom\n213\u{a0}002\u{a0}785\u{a0}00011\u{200b};Durand\n";
        assert_eq!(import(app, "/contacts/imports", contacts)["updated"], 1);
        // JSON.
        let school = json!({"uai": "0301 015\u{a0}r", "name": "Ecole", "kind": "primaire", "sector": "public",
                            "insee_code": "\u{200b}30 189", "commune_name": "Nîmes", "payer_siret": "213 002 785\t00011"});
        let made = g.post("/schools", school).expect(201);
        assert_eq!((&made.json["uai"], made.header("location")), (&json!("0301015R"), "/api/v1/schools/0301015R"));
        assert_eq!((&made.json["insee_code"], &made.json["payer"]["siret"]), (&json!("30189"), &json!(SIRET)));
        // Paths and parameters.
        for path in ["/schools/0301015r", "/schools/0301%20015R", "/schools/%C2%A00301015R%E2%80%8B"] {
            assert_eq!(g.get(path).expect(200).json["uai"], "0301015R", "{path}");
        }
        for path in ["/collectivites/213%20002%20785%2000011", "/collectivites/213%E2%80%AF002%E2%80%AF785%E2%80%AF00011"] {
            assert_eq!(g.get(path).expect(200).json["siret"], SIRET, "{path}");
        }
        for (query, count) in [
            ("collectivite=213+002+785%C2%A000011", 2),
            ("insee_code=30%20189", 1),
            ("insee_code=30189%09", 1),
            ("departement=%E2%80%8B030", 2),
            ("q=0301%C2%A0015r", 1),
            ("q=0301015%E2%80%8Br", 1),
        ] {
            assert_eq!(g.get(&format!("/schools?{query}")).expect(200).json["data"].as_array().unwrap().len(), count, "{query}");
        }
        let journal = app.admin().get("/audit-events?subject_key=0301%20015r").expect(200).json;
        assert_eq!(journal["data"][0]["subject_key"], "0301015R");
        // Acts in number: each named once, however it is written, and told under its one form.
        g.post("/campaigns", campaign("issue")).expect(201);
        let keys = json!({"keys": ["0301015r", "0301 015R", "0301015R\u{feff}"]});
        let enrolled = g.post("/campaigns/2025-2026/enrolments", keys).expect(200).json;
        assert_eq!((&enrolled["enrolled"], enrolled["items"].as_array().unwrap().len()), (&json!(1), 1));
        g.post("/campaigns/2025-2026/transitions", json!({"action": "open"})).expect(200);
        app.forget_jobs();
        let issued = g.post("/campaigns/2025-2026/conventions", json!({"keys": ["213 002 785 00011", SIRET]})).expect(200).json;
        assert_eq!((&issued["issued"], &issued["items"][0]["key"], issued["items"].as_array().unwrap().len()), (&json!(1), &json!(SIRET), 1));
        let prepared = json!({"keys": ["213\u{a0}002\u{a0}785\u{a0}00011"]});
        let prepared = g.post("/campaigns/2025-2026/perception-titles", prepared).expect(200).json;
        assert_eq!(prepared["items"][0]["key"], SIRET, "{prepared}");
        // The document says so.
        let document = ent_backoffice::app::openapi_document().to_string();
        assert!(document.matches("Les espaces et la casse ne comptent pas").count() >= 2);
    }

    fn the_siren_of_the_directory_is_compared_by_its_digits(app: &TestApp) {
        two_communes(app);
        let header = DOORS[1].1;
        let line = |siret: &str| format!("{header}\n0301023Z;Ecole;Ecole;Public;30278;Saint-Laurent-des-Arbres;1;{siret}\n");
        let finding = || {
            let school = app.gestionnaire().get("/schools/0301023Z").expect(200).json;
            school["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        // As our own files write it: no false difference.
        for same in ["213 002 785 00037", "213 002 785", "\u{a0}21300278500037", "213\u{202f}002\u{202f}785\u{202f}00037"] {
            let view = import(app, "/schools/imports", line(same));
            assert_eq!((&view["findings"], finding()), (&json!({}), vec![]), "{same:?}");
        }
        // A true difference is not hidden.
        for other in ["21300001100014", "213 000 011 00014", "213\u{a0}000\u{a0}011\u{a0}00014", "\u{feff}213000011"] {
            let view = import(app, "/schools/imports", line(other));
            assert_eq!((&view["findings"], finding()), (&json!({"siren_differs": 1}), vec!["siren_differs".to_owned()]), "{other:?}");
        }
        // What is no SIRET at all tells no SIREN to differ.
        import(app, "/schools/imports", line("néant"));
        assert_eq!(finding(), ["school_siret_invalid"]);
        // Rows written before, with the raw text cut at nine characters.
        app.sql("UPDATE schools SET official_siret = '213 002 785 00037', official_siren = '213 002 7'").unwrap();
        assert_eq!(finding(), Vec::<String>::new());
        app.sql("UPDATE schools SET official_siret = NULL, official_siren = '213 000 0'").unwrap();
        assert_eq!(finding(), ["school_siret_missing"]);
    }

    fn an_absence_proves_nothing_where_a_row_could_not_be_read(app: &TestApp) {
        two_communes(app);
        let header = format!("{};code_departement", DOORS[1].1);
        let line = |uai: &str, insee: &str, departement: &str| format!("{uai};Ecole;Ecole;Public;{insee};Commune;1;;{departement}\n");
        let other = uai(340_001);
        let all = format!("{header}\n{}{}{}{}", line("0301023Z", "30278", "030"), line("0301015R", "30189", "030"),
                          line(&uai(300_002), "30189", "030"), line(&other, "34172", "034"));
        assert_eq!(import(app, "/schools/imports", &all)["created"], 4);
        let everything = open_schools(app);
        let path = "/schools/imports?complete_for=30,34";
        // One school's key is damaged, another school is gone: nothing is closed in their department.
        for damaged in ["0301015S", "030I015R", "0301015", "", "0301015RR"] {
            let file = format!("{header}\n{}{}{}", line("0301023Z", "30278", "030"), line(damaged, "30189", ""), line(&other, "34172", "034"));
            let view = import(app, path, file);
            assert_eq!((&view["closed"], &view["not_closed"], &view["rejected"]), (&json!(0), &json!(2), &json!(1)), "{damaged}: {view}");
            assert_eq!(told(&view, "0301015R"), told_as("not_closed", &["absence_unproven"]));
            assert_eq!(told(&view, &uai(300_002)), told_as("not_closed", &["absence_unproven"]));
            assert_eq!(open_schools(app), everything, "{damaged}");
        }
        // An inner space damages nothing, nor does a row whose key could be read.
        let spaced = format!("{header}\n{}{}{}{}", line("0301023Z", "30278", "030"), line("0301 015R", "30189", "030"),
                             line(&uai(300_002), "xxx", "030"), line(&other, "34172", "034"));
        let view = import(app, path, spaced);
        assert_eq!((&view["closed"], &view["not_closed"], &view["rejected"]), (&json!(0), &json!(0), &json!(1)), "{view}");
        // A row that tells no department may be of any: nothing is closed anywhere.
        let nowhere = format!("{header}\n{}{}{}", line("0301023Z", "30278", "030"), line("0301015S", "", ""), line(&uai(340_002), "34172", "034"));
        let view = import(app, path, nowhere);
        assert_eq!((&view["closed"], &view["not_closed"]), (&json!(0), &json!(3)), "{view}");
        assert_eq!(told(&view, &other), told_as("not_closed", &["absence_unproven"]));
        // A school whose kind cannot be read is there all the same.
        let untyped = format!("{header}\n{}{}{}{}", line("0301023Z", "30278", "030"), line("0301015R", "30189", "030").replace(";Ecole;Public", ";;Public"),
                              line(&uai(300_002), "30189", "030").replace(";Ecole;Public", ";#REF!;Public"), line(&other, "34172", "034"));
        let view = import(app, path, untyped);
        assert_eq!((&view["not_closed"], told(&view, &uai(340_002))), (&json!(0), told_as("closed", &[])), "{view}");
        // Elsewhere what is absent is closed: the other department is none of a damaged row's business.
        let file = format!("{header}\n{}{}{}", line("0301023Z", "30278", "030"), line("0301015S", "30189", ""), line(&uai(340_002), "34172", "034"));
        let view = import(app, path, file);
        assert_eq!((&view["closed"], &view["not_closed"]), (&json!(1), &json!(2)), "{view}");
        assert_eq!(told(&view, &other), told_as("closed", &[]));
        let line = app.admin().get("/audit-events?action=registry.schools_imported").expect(200).json;
        assert_eq!((&line["data"][0]["data"]["closed"], &line["data"][0]["data"]["not_closed"]), (&json!(1), &json!(2)));
    }
}

fn the_command_line_says_the_same(base: &Base) {
    let url = base.url();
    if !url.starts_with("sqlite") {
        assert!(Program::run(&url, &["migrate"], "").status.success());
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |kind: &str, bytes: &str, more: &[&str]| {
        let file = folder.path().join("fichier.csv");
        std::fs::write(&file, bytes).unwrap();
        let arguments = [&["import", kind, file.to_str().unwrap()], more].concat();
        let output = Program::run(&url, &arguments, "");
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (kind, header) in [("collectivites", DOORS[0].1), ("schools", DOORS[1].1), ("contacts", DOORS[2].1)] {
        for empty in [format!("{header}\n"), format!("{header}\r\r"), format!("{header}\n;;\n")] {
            let (code, out, err) = run(kind, &empty, &[]);
            assert_eq!((code, out.as_str()), (Some(1), ""), "{kind}: {err}");
            assert!(err.contains("aucune ligne"), "{kind}: {err}");
        }
    }
    let communes = format!("insee;siret;nom\r30278;213 002 785 00011;Saint-Laurent\r30189;{NIMES};Nîmes\r");
    let (code, out, err) = run("collectivites", &communes, &[]);
    assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()["created"].clone()), (Some(0), json!(2)), "{err}");
    let row = |uai: &str| format!("{uai};Ecole;Ecole;Public;30278;Saint-Laurent;1;\n");
    let (code, ..) = run("schools", &format!("{}\n{}{}", DOORS[1].1, row("0301023Z"), row("0301015r")), &[]);
    assert_eq!(code, Some(0));
    let damaged = format!("{}\n{}{}", DOORS[1].1, row("0301023Z"), row("0301015S"));
    let (code, out, err) = run("schools", &damaged, &["--complete-for", " 030"]);
    assert_eq!(code, Some(0), "{err}");
    let view: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&view["closed"], &view["not_closed"]), (&json!(0), &json!(1)));
    assert!(err.contains("laissées ouvertes : 1"), "{err}");
    assert!(Uai::parse(view["rows"][2]["key"].as_str().unwrap()).is_ok(), "{view}");
}

#[test]
fn the_command_line_says_the_same_on_sqlite() {
    the_command_line_says_the_same(&Base::sqlite());
}

#[test]
fn the_command_line_says_the_same_on_postgres() {
    the_command_line_says_the_same(&Base::postgres());
}
