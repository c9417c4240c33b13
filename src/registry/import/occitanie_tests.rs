//! The real files of a region: every count here was also made by other means.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::tests::{file, schools, table};
use super::{Parsed, communes};
use crate::registry::kinds::{SchoolKind, Sector};

fn real(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/occitanie").join(name)
}

const DIRECTORY: &str = "annuaire_education_occitanie_2024-11-26.csv";
const COMMUNES: &str = "communes_occitanie_2026.csv";

#[test]
fn the_directory_of_occitanie_gives_its_4579_schools() {
    let rows = schools(&real(DIRECTORY));
    assert_eq!(rows.len(), 6_240);
    assert_eq!(rows.first().unwrap().row.line, 2);
    assert_eq!(rows.last().unwrap().row.line, 6_241);
    let mut ignored = 0;
    let mut kept = Vec::new();
    let mut findings = BTreeMap::new();
    for row in &rows {
        match &row.parsed {
            Parsed::Ignored { .. } => ignored += 1,
            Parsed::Rejected { key, faults } => panic!("{key}: {faults:?}"),
            Parsed::Row { value, findings: noticed } => {
                for finding in noticed {
                    *findings.entry((finding.code.as_str(), value.sector)).or_insert(0) += 1;
                }
                kept.push(value);
            }
        }
    }
    assert_eq!((ignored, kept.len()), (1_661, 4_579));
    assert_eq!(kept.iter().filter(|school| school.sector == Sector::Public).count(), 4_104);
    assert_eq!(
        findings.into_iter().collect::<Vec<_>>(),
        [
            (("school_siret_invalid", Sector::Public), 3),
            (("school_siret_missing", Sector::Public), 22),
            (("school_siret_missing", Sector::Private), 40),
        ]
    );
    let by_kind = |kind| kept.iter().filter(|school| school.kind == kind).count();
    assert_eq!(
        (by_kind(SchoolKind::Maternelle), by_kind(SchoolKind::Elementaire), by_kind(SchoolKind::Primaire)),
        (1_133, 1_313, 2_133)
    );
    assert!(kept.iter().all(|school| school.open && school.opened_on.is_some()));
    assert_eq!(kept.iter().filter(|school| school.pupils.is_some()).count(), 4_457);

    let seed = kept.iter().find(|school| school.uai.as_str() == "0301023Z").unwrap();
    assert_eq!(seed.name.as_str(), "Ecole élémentaire Charles Odoyer");
    assert_eq!(seed.insee_code.as_str(), "30278");
    assert_eq!(seed.commune_name.as_str(), "Saint-Laurent-des-Arbres");
    assert_eq!(seed.departement.as_str(), "30");
    assert_eq!(seed.official_siret.as_ref().unwrap().as_str(), "21300278500037");
    assert_eq!((seed.kind, seed.pupils), (SchoolKind::Elementaire, Some(217)));
    assert_eq!(seed.opened_on.unwrap().to_string(), "1970-06-04");
}

#[test]
fn the_communes_of_occitanie_answer_for_all_its_public_schools() {
    let table = table(&real(COMMUNES), &communes::LAYOUT).unwrap();
    let (mut by_insee, mut unusual, mut one_postal_code) = (HashMap::new(), 0, 0);
    for row in communes::read(&table) {
        let Parsed::Row { value, findings } = row.unwrap().parsed else { panic!("a sound row") };
        assert!(findings.iter().all(|finding| finding.code == "siren_insee_pattern"));
        unusual += findings.len();
        one_postal_code += usize::from(value.postal_code.is_some());
        for code in value.former_insee_codes.iter().chain([&value.insee_code]) {
            by_insee.insert(code.clone(), value.siret.clone());
        }
    }
    assert_eq!((table.row_count(), unusual, one_postal_code), (4_446, 72, 4_417));

    let mut payers = HashMap::new();
    let mut other_siren = 0;
    for row in schools(&real(DIRECTORY)) {
        let Parsed::Row { value, .. } = row.parsed else { continue };
        if value.sector == Sector::Public {
            let payer = by_insee.get(&value.insee_code).unwrap();
            let siren = value.official_siret.as_ref().and_then(|siret| siret.siren());
            other_siren += usize::from(siren.is_some_and(|siren| siren.as_str() != payer.siren().as_str()));
            *payers.entry(payer.clone()).or_insert(0) += 1;
        }
    }
    assert_eq!((payers.len(), payers.values().sum::<i32>(), other_siren), (2_386, 4_104, 62));
}

#[test]
fn the_directory_reads_the_same_in_every_form_it_comes_in() {
    let path = real(DIRECTORY);
    let expected = schools(&path);
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.trim_start_matches('\u{feff}');

    let (windows, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
    assert!(!unmappable);
    assert!(schools(file(&windows).path()) == expected, "Windows-1252");

    let mut csv = csv::ReaderBuilder::new().delimiter(b';').has_headers(false).from_reader(text.as_bytes());
    let records: Vec<csv::StringRecord> = csv.records().collect::<Result<_, _>>().unwrap();
    let mut commas = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, record) in records.iter().enumerate() {
        commas.write_record(record).unwrap();
        for (column, cell) in record.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_string(u32::try_from(row).unwrap(), u16::try_from(column).unwrap(), cell).unwrap();
        }
    }
    assert!(schools(file(commas.into_inner().unwrap()).path()) == expected, "commas");
    assert!(schools(file(workbook.save_to_buffer().unwrap()).path()) == expected, "workbook");

    let (header, rows) = text.split_once('\n').unwrap();
    let of_2023 = header
        .replace("Code_postal", "Code postal")
        .replace("coordX_origine", "coordonnee_X")
        .replace("coordY_origine", "coordonnee_Y")
        .replace("epsg_origine", "epsg")
        .replace("multi_uai", "etablissement_multi_lignes");
    for header in [of_2023, header.to_lowercase()] {
        assert!(schools(file(format!("{header}\n{rows}")).path()) == expected, "{header}");
    }
}
