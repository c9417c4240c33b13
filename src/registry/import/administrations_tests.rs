//! The State's directory of administrations, with every trap its rows have, and cells made to hurt.
//!
//! Over 400 lines: one place for what one file may hold, good and bad.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::administrations::{AdministrationRow, Body, LAYOUT, read};
use super::tests::{file, table};
use super::*;
use crate::kernel::contact::Civility;
use crate::kernel::{InseeCode, Level};
use crate::platform::tabular::Refusal;

const FILE: &str = include_str!("../../../tests/data/administrations.csv");
const TOWN_HALL: &str = r#"[{"type_service_local": "mairie", "code_insee_commune": ["30278"]}]"#;

/// As the door of contacts reads it.
fn rows(bytes: impl AsRef<[u8]>) -> Vec<(u64, Parsed<AdministrationRow>)> {
    let file = file(bytes);
    let table = table(file.path(), &contacts::LAYOUT).unwrap();
    assert_eq!(*table.layout(), LAYOUT);
    read(&table).map(|row| row.map(|row| (row.row.line, row.parsed)).unwrap()).collect()
}

fn refused(bytes: impl AsRef<[u8]>) -> FileFault {
    table(file(bytes).path(), &contacts::LAYOUT).unwrap_err()
}

/// One town hall, with some cells of its own.
fn cells(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all = vec![("nom".to_owned(), "Mairie - Saint-Laurent".to_owned()), ("pivot".into(), TOWN_HALL.into())];
    for (name, cell) in more {
        all.retain(|(known, _)| known != name);
        all.push(((*name).to_owned(), (*cell).to_owned()));
    }
    if !more.iter().any(|(name, _)| *name == "adresse_courriel") {
        all.push(("adresse_courriel".into(), "mairie@exemple.invalid".into()));
    }
    all
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

fn csv(cells: &[(String, String)]) -> String {
    let line = |cells: Vec<&String>| cells.into_iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(";");
    format!("{}\n{}\n", line(cells.iter().map(|c| &c.0).collect()), line(cells.iter().map(|c| &c.1).collect()))
}

#[track_caller]
fn parsed(more: &[(&str, &str)]) -> Parsed<AdministrationRow> {
    let mut rows = rows(csv(&cells(more)));
    assert_eq!(rows.len(), 1);
    rows.remove(0).1
}

#[track_caller]
fn one(more: &[(&str, &str)]) -> (AdministrationRow, Vec<String>) {
    match parsed(more) {
        Parsed::Row { value, findings } => {
            assert!(findings.iter().all(|finding| finding.level == Level::Info));
            (value, findings.into_iter().map(|finding| finding.code).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn aside(more: &[(&str, &str)]) -> &'static str {
    match parsed(more) {
        Parsed::Ignored { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

fn lines_of(row: &AdministrationRow) -> [String; 4] {
    let address = row.told.address.clone().unwrap();
    [address.line1, address.line2, address.postal_code.map(|code| Line::parse(code.as_str()).unwrap()), address.city]
        .map(|part| part.map(|part| part.to_string()).unwrap_or_default())
}

use crate::kernel::text::Line;

#[test]
fn the_file_of_all_traps_is_read_row_by_row() {
    let mut told = Vec::new();
    for (line, parsed) in rows(FILE) {
        told.push(match parsed {
            Parsed::Ignored { reason, .. } => format!("{line} ignored {}", reason.split([' ', ',']).next().unwrap()),
            Parsed::Rejected { key, .. } => format!("{line} rejected {key}"),
            Parsed::Row { value, findings } => {
                let codes: Vec<_> = findings.iter().map(|finding| finding.code.as_str()).collect();
                format!("{line} {} {}", value.name, codes.join(" ")).trim_end().to_owned()
            }
        });
    }
    // A cell of two lines makes one row, as a spreadsheet shows it.
    assert_eq!(
        told,
        [
            "2 Mairie - Aigaliers",
            "3 Mairie - Aigremont",
            "4 Mairie - Bessèges email_in_site",
            "5 ignored Annexe",
            "6 ignored Mairie",
            "7 Mairie - Sumène email_other",
            "8 Communauté de communes - Pays de l'Exemple",
            "9 ignored Service",
            "10 ignored Fiche",
            "11 Mairie - Uzès",
            "12 Mairie - Uzès",
            "13 Mairie - Lédignan school_email phone_format",
            "14 Mairie - Ailleurs",
            "15 Mairie - Mars",
            "16 Mairie - Thoiras-Corbès",
            "17 Mairie - Roquemaure",
        ]
    );
}

#[test]
fn its_columns_tell_it_and_few_are_needed() {
    let minimal = format!("Pivot,NOM,Adresse Courriel\n{},Mairie - X,a@b.invalid\n", quoted(TOWN_HALL));
    assert_eq!(rows(minimal).len(), 1);
    // Our own list stays our own, whatever it shares.
    let own = file("siret;nom;adresse_courriel;telephone\n21300278500011;Durand;a@b.invalid;\n");
    assert_eq!(*table(own.path(), &contacts::LAYOUT).unwrap().layout(), contacts::LAYOUT);
    // What only the directory has makes its other columns needed: « nom » is not somebody's.
    for (header, missing) in [
        ("siret;nom;adresse_courriel;statut_de_diffusion", "pivot"),
        ("siret;pivot;adresse_courriel", "nom"),
        ("siret;pivot;nom", "adresse ou telephone"),
    ] {
        let fault = refused(format!("{header}\n;;;\n"));
        assert_eq!(fault.code, "missing_column", "{header}");
        assert!(fault.message.contains(missing), "{}", fault.message);
    }
    // Without any of them, its services are no people.
    let extract = file("siret;nom;adresse_courriel\n21300278500011;Mairie - Saint-Laurent;a@b.invalid\n");
    let extract = table(extract.path(), &contacts::LAYOUT).unwrap();
    let Parsed::Rejected { faults, .. } = contacts::read(&extract).next().unwrap().unwrap().parsed else { panic!() };
    assert_eq!(
        faults.iter().map(|fault| (fault.column, fault.fault.code)).collect::<Vec<_>>(),
        [("nom", "name_of_service")]
    );
}

#[test]
fn blank_is_written_in_three_ways() {
    for blank in ["", "[]", "null", "{}", " "] {
        let names =
            ["siret", "siren", "adresse", "telephone", "site_internet", "affectation_personne", "statut_de_diffusion"];
        let (row, findings) = one(&names.map(|name| (name, blank)));
        assert_eq!((row.siret, row.siren, row.told.address, row.told.contact.phone), (None, None, None, None));
        assert_eq!(findings, Vec::<String>::new(), "{blank:?}");
        assert!(aside(&[("adresse_courriel", blank)]).starts_with("Aucun renseignement"));
        assert!(aside(&[("pivot", blank)]).starts_with("Service qui n'est"));
    }
}

#[test]
fn annexes_and_parts_of_communes_are_set_aside() {
    for name in [
        "Mairie annexe - Nîmes",
        "Mairie - Nîmes - annexe de Courbessac",
        "Annexe de la mairie",
        "Hôtel de ville",
        "Nîmes",
    ] {
        assert!(aside(&[("nom", name)]).starts_with("Annexe"), "{name}");
    }
    for name in [
        "Mairie déléguée - Corbès",
        "MAIRIE DELEGUEE - CORBES",
        "Mairie - Corbès (commune déléguée)",
        "Mairie associée - X",
    ] {
        assert!(aside(&[("nom", name)]).starts_with("Mairie déléguée"), "{name}");
    }
    for name in ["Mairie - Nîmes", "MAIRIE - NÎMES", "Mairie – Nîmes", "Mairie-Nîmes", " Mairie  -  Le Quartier "]
    {
        one(&[("nom", name)]);
    }
    for diffused in ["false", "False", "FAUX", "0", "non"] {
        assert!(aside(&[("statut_de_diffusion", diffused)]).starts_with("Fiche"), "{diffused}");
    }
    one(&[("statut_de_diffusion", "true")]);
}

#[test]
fn the_pivot_says_what_a_row_is() {
    let body = |pivot: &str| one(&[("pivot", pivot)]).0.body;
    let codes = |codes: &[&str]| Body::TownHall(codes.iter().map(|code| InseeCode::parse(code).unwrap()).collect());
    assert_eq!(body(TOWN_HALL), codes(&["30278"]));
    // A lone object, a lone code, a second service beside, the same code twice, a number.
    assert_eq!(body(r#"{"type_service_local":"mairie","code_insee_commune":"30278"}"#), codes(&["30278"]));
    assert_eq!(
        body(
            r#"[{"type_service_local":"caf","code_insee_commune":["30189"]},{"type_service_local":"mairie_com","code_insee_commune":["30278","30278",30278]}]"#
        ),
        codes(&["30278"])
    );
    assert_eq!(
        body(r#"[{"type_service_local":"mairie","code_insee_commune":["30329","30094"]}]"#),
        codes(&["30094", "30329"])
    );
    assert_eq!(body(r#"[{"type_service_local":"epci","code_insee_commune":["30001"]}]"#), Body::Grouping);
    // Without a code in the pivot, its column is looked at.
    let bare = r#"[{"type_service_local":"mairie"}]"#;
    assert_eq!(body(bare), codes(&[]));
    assert_eq!(one(&[("pivot", bare), ("code_insee_commune", "30278")]).0.body, codes(&["30278"]));
    assert!(aside(&[("pivot", r#"[{"type_service_local":"prefecture"}]"#)]).starts_with("Service"));
    assert!(aside(&[("pivot", "[{}]")]).starts_with("Service"));
}

#[test]
fn a_pivot_that_cannot_be_read_rejects_its_row() {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for bad in [
        "mairie",
        "[",
        "[1]",
        "[\"mairie\"]",
        "[[]]",
        "12",
        "true",
        r#"[{"type_service_local":["mairie"]}]"#,
        &deep,
        r#"[{"type_service_local":"mairie","code_insee_commune":[["30278"]]}]"#,
        "{\"a\":",
        "[{}] x",
    ] {
        let Parsed::Rejected { faults, .. } = parsed(&[("pivot", bad)]) else {
            panic!("{}", &bad[..bad.len().min(60)])
        };
        assert_eq!(
            faults.iter().map(|fault| (fault.column, fault.fault.code)).collect::<Vec<_>>(),
            [("pivot", "json_format")]
        );
        assert!(faults[0].value.chars().count() <= 80);
    }
    let Parsed::Rejected { faults, .. } = parsed(&[("pivot", &TOWN_HALL.replace("30278", "302"))]) else { panic!() };
    assert_eq!((faults[0].column, faults[0].fault.code), ("pivot", "insee_format"));
}

#[test]
fn what_cannot_be_read_elsewhere_is_told_and_the_rest_stands() {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for bad in ["[", "[[]]", "[true]", r#"[{"valeur":{}}]"#, r#"[{"valeur":[]}]"#, &deep] {
        let (row, findings) = one(&[("telephone", bad)]);
        assert_eq!((row.told.contact.phone, findings), (None, vec!["json_format".to_owned()]));
    }
    for bad in ["Rue Exemple", "[", "[1]", "[[]]", r#"[{"code_postal":{}}]"#, r#"[{"numero_voie":["x"]}]"#, &deep] {
        let (row, findings) = one(&[("adresse", bad)]);
        assert_eq!((row.told.address, findings), (None, vec!["json_format".to_owned()]));
    }
    for bad in ["x", "[1]", r#"[{"fonction":["Maire"]}]"#, &deep] {
        let (row, findings) = one(&[("affectation_personne", bad)]);
        assert_eq!((row.told.contact.last_name, findings), (None, vec!["json_format".to_owned()]));
    }
    for (bad, code) in [
        (
            json!([{"type_adresse": "Adresse", "numero_voie": "1 rue", "code_postal": "", "nom_commune": "Nîmes"}]),
            "address_incomplete",
        ),
        (json!([{"type_adresse": "Adresse", "numero_voie": "1 rue", "code_postal": "30000"}]), "address_incomplete"),
        (json!([{"numero_voie": "1 rue", "code_postal": "3000", "nom_commune": "Nîmes"}]), "postal_code_format"),
        (
            json!([{"numero_voie": "1 rue\u{0}", "code_postal": "30000", "nom_commune": "Nîmes"}]),
            "unprintable_character",
        ),
        (json!([{"numero_voie": "x".repeat(201), "code_postal": "30000", "nom_commune": "Nîmes"}]), "too_long"),
    ] {
        let (row, findings) = one(&[("adresse", &bad.to_string())]);
        assert_eq!((row.told.address, findings), (None, vec![code.to_owned()]), "{bad}");
    }
    // Numbers that are none: told, and the row is found otherwise.
    let (row, findings) = one(&[("siret", "21300278500012"), ("siren", "21300278")]);
    assert_eq!((row.siret, row.siren, findings), (None, None, vec!["siret_key".to_owned(), "siren_length".to_owned()]));
    // What is no text at all is a row at fault.
    let rows = rows(csv(&cells(&[("nom", "#REF!")])));
    assert!(matches!(&rows[0].1, Parsed::Rejected { faults, .. } if faults[0].fault.code == "cell_type"));
}

#[test]
fn the_first_mail_that_can_be_written_to_is_taken_and_the_others_told() {
    let email = |more: &[(&str, &str)]| {
        let (row, findings) = one(more);
        (row.told.contact.email.map(|email| email.to_string()).unwrap_or_default(), findings.join(" "))
    };
    let told = |email: &str, findings: &str| (email.to_owned(), findings.to_owned());
    for two in [
        "A@b.invalid;c@d.invalid",
        "a@b.invalid ; c@d.invalid;",
        "a@b.invalid, c@d.invalid",
        r#"["a@b.invalid", "c@d.invalid"]"#,
        r#"[{"valeur": "a@b.invalid"}, {"valeur": "c@d.invalid"}]"#,
        "mailto:a@b.invalid c@d.invalid",
    ] {
        assert_eq!(email(&[("adresse_courriel", two)]), told("a@b.invalid", "email_other"), "{two}");
    }
    assert_eq!(email(&[("adresse_courriel", "a@b.invalid;A@B.invalid")]), told("a@b.invalid", ""));
    assert_eq!(email(&[("adresse_courriel", "mairie;a@b.invalid")]), told("a@b.invalid", "email_format"));
    let school = "ce.0301023z@ac-montpellier.fr";
    assert_eq!(email(&[("adresse_courriel", school)]), told("", "school_email"));
    assert_eq!(email(&[("adresse_courriel", &format!("{school};a@b.invalid"))]), told("a@b.invalid", "school_email"));
    let site = r#"[{"libelle": "", "valeur": "https://b.invalid"}, {"libelle": "", "valeur": "a@b.invalid"}]"#;
    assert_eq!(email(&[("adresse_courriel", ""), ("site_internet", site)]), told("a@b.invalid", "email_in_site"));
    assert_eq!(email(&[("adresse_courriel", "c@d.invalid"), ("site_internet", site)]), told("c@d.invalid", ""));
    assert_eq!(
        email(&[("adresse_courriel", ""), ("site_internet", "a@b.invalid")]),
        told("a@b.invalid", "email_in_site")
    );
    // A school's is none there either, nor is an address of the web.
    for none in [school, "https://a@b.invalid/x", r#"[{"valeur": "www.b.invalid"}]"#, "[[", "[true]"] {
        assert!(aside(&[("adresse_courriel", ""), ("site_internet", none)]).starts_with("Aucun"), "{none}");
    }
}

#[test]
fn the_first_number_that_is_one_is_taken() {
    let phone = |cell: &str| one(&[("telephone", cell)]).0.told.contact.phone.map(|phone| phone.to_string());
    assert_eq!(
        phone(r#"[{"valeur": "3230"}, {"valeur": "04 65 71 00 01", "description": "accueil"}]"#).as_deref(),
        Some("04 65 71 00 01")
    );
    assert_eq!(phone(r#"[{"valeur": ""}, {"valeur": "+33 4 65 71 00 02"}]"#).as_deref(), Some("+33 4 65 71 00 02"));
    assert_eq!(phone("04 65 71 00 03").as_deref(), Some("04 65 71 00 03"));
    assert_eq!(one(&[("telephone", r#"[{"valeur": "3230"}]"#)]).1, ["phone_format"]);
    assert_eq!(one(&[("telephone", r#"[{"valeur": 465710001}]"#)]).1, ["leading_zero_lost"]);
}

#[test]
fn letters_go_to_the_postal_address_by_the_street_of_the_office() {
    let place = |kind: &str, complement: &str, street: &str, delivery: &str, code: &str, city: &str| {
        json!({"type_adresse": kind, "complement1": complement, "complement2": null, "numero_voie": street,
               "service_distribution": delivery, "code_postal": code, "nom_commune": city})
    };
    let address = |places: &[Value]| lines_of(&one(&[("adresse", &json!(places).to_string())]).0);
    let office = place("Adresse", "Hôtel de ville", "2 place Exemple", "", "30126", "Saint-Laurent");
    assert_eq!(address(std::slice::from_ref(&office)), ["Hôtel de ville", "2 place Exemple", "30126", "Saint-Laurent"]);
    let postal = place("Adresse postale", "", "9 rue Exemple", "CS 12", "30033", "Nîmes Cedex 9");
    for both in [[office.clone(), postal.clone()], [postal.clone(), office.clone()]] {
        assert_eq!(address(&both), ["9 rue Exemple", "CS 12", "30033", "Nîmes Cedex 9"]);
    }
    let boxed = place("Adresse postale", "", "", "BP 14", "30351", "Aigremont Cedex");
    assert_eq!(
        address(&[office, boxed.clone()]),
        ["Hôtel de ville", "2 place Exemple, BP 14", "30351", "Aigremont Cedex"]
    );
    assert_eq!(address(&[boxed]), ["BP 14", "", "30351", "Aigremont Cedex"]);
    // An address that cannot be one leaves its place to the other.
    let half = place("Adresse postale", "", "9 rue Exemple", "", "", "");
    let other = place("Adresse", "", "Le Bourg", "", "30 126", "Saint-Laurent");
    assert_eq!(address(&[half, other]), ["Le Bourg", "", "30126", "Saint-Laurent"]);
}

#[test]
fn the_head_of_a_body_is_one_person() {
    let person = |name: &str, office: &str| json!({"personne": {"nom": name, "prenom": "Inès", "civilite": "Mme"}, "fonction": office});
    let head = |people: &[Value]| one(&[("affectation_personne", &json!(people).to_string())]);
    let (row, findings) =
        head(&[person("EXEMPLE", "Maire"), person("AUTRE", "Maire adjoint"), person("TIERS", "Maire délégué")]);
    let contact = row.told.contact;
    assert_eq!(
        (contact.civility, contact.last_name.unwrap().as_str(), contact.capacity.unwrap().as_str()),
        (Some(Civility::Madame), "EXEMPLE", "Maire")
    );
    assert_eq!(findings, Vec::<String>::new());
    let (row, findings) = head(&[person("EXEMPLE", "Maire"), person("AUTRE", "Maire")]);
    assert_eq!((row.told.contact.last_name, findings), (None, vec!["representative_ambiguous".to_owned()]));
    assert_eq!(head(&[person("", "Maire")]).0.told.contact.last_name, None);
    let grouping = r#"[{"type_service_local": "epci"}]"#;
    let people = json!([person("EXEMPLE", "Présidente"), person("AUTRE", "Vice-président")]).to_string();
    let (row, _) =
        one(&[("pivot", grouping), ("nom", "Communauté de communes - X"), ("affectation_personne", &people)]);
    assert_eq!(row.told.contact.last_name.unwrap().as_str(), "EXEMPLE");
}

/// The same cells as the JSON export has them: lists native where they are lists.
fn objects(cells: &[(String, String)], native: bool) -> Value {
    let value = |cell: &String| match serde_json::from_str(cell) {
        Ok(nested @ (Value::Array(_) | Value::Object(_))) if native => nested,
        _ if native && cell.is_empty() => Value::Null,
        _ => Value::String(cell.clone()),
    };
    Value::Object(cells.iter().map(|(name, cell)| (name.clone(), value(cell))).collect())
}

fn parsed_rows(bytes: impl AsRef<[u8]>) -> Vec<Parsed<AdministrationRow>> {
    rows(bytes).into_iter().map(|(_, parsed)| parsed).collect()
}

#[test]
fn the_json_export_says_the_same_as_the_csv() {
    let mut reader = ::csv::ReaderBuilder::new().delimiter(b';').from_reader(FILE.as_bytes());
    let header = reader.headers().unwrap().clone();
    let all: Vec<Vec<(String, String)>> = reader
        .records()
        .map(|record| {
            header.iter().zip(&record.unwrap()).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
        })
        .collect();
    let expected = parsed_rows(FILE);
    for native in [true, false] {
        let values: Vec<Value> = all.iter().map(|cells| objects(cells, native)).collect();
        let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
        for text in [
            json!(values).to_string(),
            serde_json::to_string_pretty(&values).unwrap(),
            format!("\u{feff} {lines}"),
            lines,
        ] {
            let read = rows(text);
            assert_eq!(read.iter().map(|(line, _)| *line).collect::<Vec<_>>(), (1..=16).collect::<Vec<u64>>());
            assert!(read.into_iter().map(|(_, parsed)| parsed).eq(expected.iter().cloned()));
        }
    }
    // A flag may be one, and what an object has nothing to say of may be left out: the header is made of all of them.
    let text = json!([
        {"nom": "Préfecture"},
        {"nom": "Mairie - X", "pivot": [{"type_service_local": "mairie"}], "statut_de_diffusion": false, "siret": null},
        {"nom": "Mairie - Y", "pivot": [{"type_service_local": "mairie"}], "siret": 21300278500011_u64, "adresse_courriel": ["a@b.invalid"]},
        {},
        {"autre": {"profond": [[[]]]}, "nom": ""},
    ]);
    let read = rows(text.to_string());
    assert_eq!(read.len(), 3);
    assert!(matches!(read[1].1, Parsed::Ignored { reason, .. } if reason.starts_with("Fiche")));
    let Parsed::Row { value, findings } = &read[2].1 else { panic!("{read:?}") };
    assert_eq!(
        (read[2].0, value.siret.as_ref().unwrap().as_str(), findings[0].code.as_str()),
        (3, "21300278500011", "siret_as_number")
    );
}

#[test]
fn hostile_json_refuses_the_file_and_says_where() {
    let row = objects(&cells(&[]), true).to_string();
    let deep = "[".repeat(2_000_000);
    for (bytes, code) in [
        ("[1, 2]".to_owned(), "unreadable_json"),
        ("[[]]".into(), "unreadable_json"),
        ("[\"a\"]".into(), "unreadable_json"),
        ("[null]".into(), "unreadable_json"),
        (deep.clone(), "unreadable_json"),
        (format!("[{row}"), "unreadable_json"),
        (format!("[{row}] {row}"), "unreadable_json"),
        (format!("[{row},]"), "unreadable_json"),
        (format!("{row}\n[]"), "unreadable_json"),
        (format!("[{row}, {{\"pivot\": 1e999}}]"), "unreadable_json"),
        (format!("{row}\n{{\"pivot\": {deep}}}"), "line_bound"),
        (format!("{row}\n{{\"pivot\": {}}}", &deep[..1_000]), "unreadable_json"),
        (format!("[{}]", row.replace("\"nom\"", "\"nom\":\"x\",\"nom\"")), "doubled_column"),
        (format!("[{row},{}]", row.replace("\"nom\"", "\"Nom\"")), "doubled_column"),
        (format!("[{row},{{\"x\":\"{}\"}}]", "a".repeat(10_000_000)), "line_bound"),
        (format!("[{row},{{\"adresse\":\"{}\"}}]", "a".repeat(10_000_000)), "line_bound"),
        (format!("[{row},{{\"{}\":1}}]", "a".repeat(2_000_000)), "line_bound"),
        ("[]".into(), "no_rows"),
        ("[{}]".into(), "no_rows"),
        ("{}".into(), "no_rows"),
        ("[{\"a\":1}]".into(), "no_header"),
        ("[{\"nom\":\"x\"}]".into(), "missing_column"),
        (format!("[{}]", row.replace("\"Mairie - Saint-Laurent\"", "\"x\",\"siret\":213002785")), "damaged_cells"),
    ] {
        let fault = refused(&bytes);
        assert_eq!(fault.code, code, "{}: {}", &bytes[..bytes.len().min(90)], fault.message);
        assert_eq!(fault.refusal == Refusal::TooHeavy, code.ends_with("_bound"));
    }
    let names: Vec<String> = (0..20_000).map(|n| format!("\"c{n}\":1")).collect();
    assert_eq!(refused(format!("[{{{}}}]", names.join(","))).code, "columns_bound");
    let mut broken = format!("[{row}]").into_bytes();
    broken.splice(10..10, [0xFF]);
    assert_eq!(refused(broken).code, "unreadable_json");
    let fault = refused(format!("[{row},\n{row},\n{{\"nom\": }}]"));
    assert!(fault.message.contains("ligne 3") && fault.message.contains("objet n° 3"), "{}", fault.message);
    // What is in a column nobody reads may be as deep as it likes, within its line.
    let ignored =
        format!("[{}]", row.replacen('{', &format!("{{\"x\":{}{},", &deep[..200_000], "]".repeat(200_000)), 1));
    assert_eq!(rows(ignored).len(), 1);
}

#[test]
fn a_long_list_is_no_long_cell() {
    // A region's pivot is longer than a spreadsheet's cell; it must not refuse the file in which it stands.
    let codes: Vec<String> = (0..9_000).map(|n| format!("{:05}", 1_000 + n)).collect();
    let long = json!([{"type_service_local": "cr", "code_insee_commune": codes}]).to_string();
    assert!(long.len() > 70_000);
    assert!(aside(&[("pivot", &long)]).starts_with("Service"));
    assert_eq!(refused(csv(&cells(&[("nom", &"x".repeat(40_000))]))).code, "cell_bound");
    assert_eq!(refused(csv(&cells(&[("adresse", &"x".repeat(10_000_000))]))).code, "line_bound");
    assert_eq!(refused(csv(&cells(&[("adresse", "a\u{0}b")]))).code, "binary_file");
}

fn any_cell() -> impl Strategy<Value = String> {
    let text = || "[a-zé0-9 ,;@.\"\\\\-]{0,12}";
    let place = (text(), text(), text(), "[0-9]{0,6}", text(), any::<bool>()).prop_map(
        |(complement, street, delivery, code, city, postal)| {
            json!([{"type_adresse": if postal { "Adresse postale" } else { "Adresse" }, "complement1": complement,
                "numero_voie": street, "service_distribution": delivery, "code_postal": code, "nom_commune": city}])
            .to_string()
        },
    );
    let values = proptest::collection::vec(text(), 0..3)
        .prop_map(|all| Value::Array(all.into_iter().map(|v| json!({"valeur": v})).collect()).to_string());
    let mails = proptest::collection::vec("[a-c]{1,3}@[a-c]{1,3}\\.fr", 0..3).prop_map(|all| all.join(";"));
    let odd = proptest::sample::select(vec!["", "null", "[]", "{}", "[", "[1]", "[[[]]]", "true", TOWN_HALL]);
    prop_oneof![place, values, mails, odd.prop_map(str::to_owned), text().prop_map(|text| text)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever stands in its cells, a row is read, alike from both exports.
    #[test]
    fn both_exports_of_any_row_are_read_alike(
        found in proptest::collection::vec(any_cell(), 5),
        name in "(Mairie - |Mairie annexe - |)[a-zé]{1,8}", pivot in prop_oneof![Just(TOWN_HALL.to_owned()), any_cell()],
    ) {
        let names = ["adresse", "telephone", "adresse_courriel", "site_internet", "affectation_personne"];
        let mut more: Vec<(&str, &str)> = names.into_iter().zip(found.iter().map(String::as_str)).collect();
        more.extend([("nom", name.as_str()), ("pivot", pivot.as_str())]);
        let cells = cells(&more);
        let told = parsed_rows(csv(&cells));
        prop_assert_eq!(&parsed_rows(json!([objects(&cells, false)]).to_string()), &told);
        if let Parsed::Row { value, .. } = &told[0] {
            // Nothing is brought that papers could not print, or letters not be sent to.
            let school = |email: &str| email.starts_with("ce.03");
            prop_assert!(value.told.contact.email.as_ref().is_none_or(|email| !school(email.as_str())));
            prop_assert!(value.told.address.as_ref().is_none_or(|a| a.postal_code.is_some() && a.city.is_some()));
        }
    }
}
