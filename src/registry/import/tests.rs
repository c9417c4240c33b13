//! Rows as people type them.

use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::*;
use crate::kernel::InseeCode;
use crate::kernel::contact::Civility;
use crate::platform::tabular::{Layout, read_here};
use crate::registry::import::communes::CommuneRow;
use crate::registry::import::contacts::{ContactKey, ContactRow};
use crate::registry::import::directory::SchoolRow;
use crate::registry::kinds::{CollectiviteKind, SchoolKind, Sector};

pub(super) fn file(bytes: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes.as_ref()).unwrap();
    file
}

pub(super) fn table(path: &Path, layout: &'static Layout) -> Result<Table, FileFault> {
    read_here(std::fs::File::open(path).unwrap(), layout)
}

pub(super) fn schools(path: &Path) -> Vec<ReadRow<SchoolRow>> {
    directory::read(&table(path, &directory::LAYOUT).unwrap()).collect::<Result<_, _>>().unwrap()
}

fn school_rows(text: &str) -> Vec<Parsed<SchoolRow>> {
    schools(file(text).path()).into_iter().map(|row| row.parsed).collect()
}

fn commune_rows(text: &str) -> Vec<Parsed<CommuneRow>> {
    let file = file(text);
    let table = table(file.path(), &communes::LAYOUT).unwrap();
    communes::read(&table).map(|row| row.unwrap().parsed).collect()
}

fn contact_rows(text: &str) -> Vec<Parsed<ContactRow>> {
    let file = file(text);
    let table = table(file.path(), &contacts::LAYOUT).unwrap();
    contacts::read(&table).map(|row| row.unwrap().parsed).collect()
}

/// The only row of a file.
fn one<T: std::fmt::Debug>(mut rows: Vec<Parsed<T>>) -> (T, Vec<Finding>) {
    assert_eq!(rows.len(), 1);
    match rows.pop() {
        Some(Parsed::Row { value, findings }) => (value, findings),
        other => panic!("{other:?}"),
    }
}

/// The codes for which the only row is rejected.
fn codes<T: std::fmt::Debug>(rows: &[Parsed<T>]) -> Vec<(&'static str, &'static str)> {
    match rows {
        [Parsed::Rejected { faults, .. }] => faults.iter().map(|fault| (fault.column, fault.fault.code)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_directory_without_its_pupils_says_nothing_of_them() {
    let rows = school_rows(
        "Identifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;Code_commune;Nom_commune\n\
         0301023Z;Ecole primaire;Ecole;Public;30278;Saint-Laurent-des-Arbres\n",
    );
    let (school, findings) = one(rows);
    assert_eq!((school.pupils, &school.official_siret, school.opened_on, school.open), (None, &None, None, true));
    assert_eq!((school.kind, school.departement.as_str()), (SchoolKind::Primaire, "30"));
    assert_eq!(findings, []);
}

const HEADER: &str = "uai;nom_etablissement;type_etablissement;statut_public_prive;code_commune;nom_commune;ecole_maternelle;ecole_elementaire;siren_siret;etat;code_nature";

#[test]
fn a_row_that_is_no_school_is_set_aside_before_any_question() {
    let rows = school_rows(&format!("{HEADER}\nx;;Lycée;;;;;;;;\n0301023Z;;;;;;;;;;\n"));
    assert!(matches!(rows.as_slice(), [Parsed::Ignored { .. }, Parsed::Ignored { .. }]), "{rows:?}");
    // But a damaged identifier anywhere shows a damaged file.
    let damaged = file(format!("{HEADER}\nx;;Lycée;;;;;;2,13003E+13;;\n"));
    assert_eq!(table(damaged.path(), &directory::LAYOUT).unwrap_err().code, "damaged_cells");
}

#[test]
fn every_fault_of_a_school_is_told_at_once() {
    let rows = school_rows(&format!("{HEADER}\n0301023A;;Ecole;Associatif;302;Nîmes;0;0;;;\n"));
    assert_eq!(
        codes(&rows),
        [
            ("Identifiant_de_l_etablissement", "uai_key"),
            ("Nom_etablissement", "empty"),
            ("Statut_public_prive", "unknown_value"),
            ("Code_commune", "insee_format"),
            ("Ecole_maternelle", "school_kind_unknown"),
        ]
    );
}

#[test]
fn the_kind_comes_from_the_flags_then_the_name_then_the_nature() {
    for (name, flags, nature, kind) in [
        ("Ecole", "1;0", "", SchoolKind::Maternelle),
        ("Ecole primaire", "0;1", "", SchoolKind::Elementaire),
        ("Ecole maternelle", "1;1", "101", SchoolKind::Primaire),
        ("Ecole Maternelle Jean Jaurès", ";", "151", SchoolKind::Maternelle),
        ("ECOLE ÉLÉMENTAIRE", ";", "", SchoolKind::Elementaire),
        ("Ecole maternelle et élémentaire", ";", "", SchoolKind::Primaire),
        ("Ecole Jean Jaurès", ";", "101", SchoolKind::Maternelle),
        ("Ecole Jean Jaurès", "0;0", "151", SchoolKind::Elementaire),
    ] {
        let (school, _) =
            one(school_rows(&format!("{HEADER}\n0301023Z;{name};Ecole;Public;30278;Nîmes;{flags};;OUVERT;{nature}\n")));
        assert_eq!(school.kind, kind, "{name} {flags} {nature}");
    }
}

#[test]
fn a_false_official_siret_is_a_finding_and_not_a_refusal() {
    let line =
        |siret: &str, state: &str| format!("{HEADER}\n0121436W;Ecole;Ecole;Privé;12028;Nîmes;1;1;{siret};{state};\n");
    let (school, findings) = one(school_rows(&line("21120288800042", "FERME")));
    let siret = school.official_siret.unwrap();
    assert_eq!((siret.as_str(), siret.siren().unwrap().as_str()), ("21120288800042", "211202888"));
    assert_eq!((school.open, school.sector), (false, Sector::Private));
    assert_eq!(findings.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["school_siret_invalid"]);
    let (school, findings) = one(school_rows(&line("213002785", "A FERMER")));
    assert_eq!((school.official_siret.unwrap().siren().unwrap().as_str(), school.open), ("213002785", true));
    assert_eq!(findings, []);
    // As our own file writes it, and as it is pasted from a page.
    for spread in ["213 002 785 00037", "213\u{a0}002\u{a0}785\u{202f}00037\u{200b}"] {
        let (school, findings) = one(school_rows(&line(spread, "OUVERT")));
        assert_eq!((school.official_siret.unwrap().as_str(), findings), ("21300278500037", vec![]));
    }
}

#[test]
fn a_state_that_nobody_knows_closes_nothing() {
    let line = |state: &str| school_rows(&format!("{HEADER}\n0301023Z;Ecole;Ecole;Public;30278;Nîmes;1;1;;{state};\n"));
    for (state, open) in [("OUVERT", true), ("À fermer", true), ("", true), ("FERMÉ", false), ("A OUVRIR", false)] {
        assert_eq!(one(line(state)).0.open, open, "{state}");
    }
    for state in ["en activité", "0", "OUVER"] {
        assert_eq!(codes(&line(state)), [("etat", "unknown_value")], "{state}");
    }
    assert_eq!(codes(&line("#REF!")), [("etat", "cell_type")]);
}

#[test]
fn a_row_that_gave_no_value_still_tells_its_school_or_its_department() {
    let file = file(format!(
        "{HEADER};code_departement\n\
         0301023Z;;Ecole;Public;30278;Nîmes;1;1;;;;030\n\
         0301023A;Ecole;Ecole;Public;30278;Nîmes;1;1;;;;034\n\
         ;Ecole;Ecole;Public;x;Nîmes;1;1;;;;\n\
         0301023A;Collège;Collège;Public;30278;Nîmes;;;;;;\n\
         0301015R;Ecole;;Public;30278;Nîmes;1;1;;;;\n\
         0301023A;Ecole;;Public;30278;Nîmes;1;1;;;;\n\
         0301023A;Ecole;#N/A;Public;12076;Nîmes;1;1;;;;\n"
    ));
    let told: Vec<Option<(Option<String>, String)>> = schools(file.path())
        .iter()
        .map(|read| {
            let trace = directory::trace(read)?;
            let places: Vec<_> = trace.departements.iter().map(ToString::to_string).collect();
            Some((trace.uai.map(|uai| uai.to_string()), places.join(" ")))
        })
        .collect();
    let some = |uai: Option<&str>, places: &str| Some((uai.map(str::to_owned), places.to_owned()));
    assert_eq!(
        told,
        [
            some(Some("0301023Z"), "30"),
            some(None, "30 34"),
            some(None, ""),
            None,
            some(Some("0301015R"), "30"),
            some(None, "30"),
            some(None, "12"),
        ]
    );
}

#[test]
fn a_school_on_two_rows_is_read_once() {
    let line = |name: &str| format!("0301023Z;{name};Ecole;Public;30278;Nîmes;1;1;21300278500037;OUVERT;\n");
    let rows = school_rows(&format!("{HEADER}\n{}{}{}", line("Ecole"), line("Ecole"), line("Autre école")));
    let [Parsed::Row { .. }, Parsed::Ignored { key, .. }, Parsed::Rejected { faults, .. }] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(key.as_deref(), Some("0301023Z"));
    let fault = &faults.first().unwrap().fault;
    assert_eq!(fault.code, "duplicate_row");
    assert!(fault.message.contains("ligne 2"), "{}", fault.message);
}

#[test]
fn a_full_commune_is_read() {
    let (commune, findings) = one(commune_rows(
        "Code INSEE,Nom,SIRET,SIREN,codes_postaux,Population,anciens_codes_insee,nature,adresse,ville\n\
         30278,Saint-Laurent-des-Arbres,213 002 785 00011,213002785,30126,2 879,30278|30001,Commune,2 place de la mairie,ST LAURENT\n",
    ));
    assert_eq!(findings, []);
    assert_eq!(commune.siret.as_str(), "21300278500011");
    assert_eq!((commune.postal_code.unwrap().as_str(), commune.population), ("30126", Some(2_879)));
    assert_eq!(commune.former_insee_codes.iter().map(InseeCode::as_str).collect::<Vec<_>>(), ["30001"]);
    assert_eq!(commune.kind, Some(CollectiviteKind::Commune));
    assert_eq!(commune.address_line_1.unwrap().as_str(), "2 place de la mairie");
}

#[test]
fn a_commune_that_contradicts_itself_is_rejected() {
    let rows = commune_rows("insee;siren;siret;nom\n30278;210900015;21300278500011;A\n");
    assert_eq!(codes(&rows), [("siren", "siren_contradicts_siret")]);
    let rows =
        commune_rows("insee;siret;nom;population;codes_postaux\n3027;#;A;-3;123\n".replace("3027;", "30278;").as_str());
    assert_eq!(
        codes(&rows),
        [("siret", "empty"), ("codes_postaux", "postal_code_format"), ("population", "count_format")]
    );
    let rows = commune_rows("insee;siret;nom\n30278;21300278500011;A\n30279;21300278500011;A\n");
    assert!(matches!(rows.as_slice(), [Parsed::Row { .. }, Parsed::Rejected { .. }]), "{rows:?}");
}

#[test]
fn an_unusual_siren_is_worth_a_finding() {
    let (_, findings) = one(commune_rows("insee;siret;nom\n09056;20009918200012;Bézac\n"));
    let finding = findings.first().unwrap();
    assert_eq!((finding.code.as_str(), finding.level), ("siren_insee_pattern", crate::kernel::Level::Info));
    let (_, findings) = one(commune_rows("insee;siret;nom;nature\n09056;20009918200012;Bézac;EPCI\n"));
    assert_eq!(findings, []);
}

#[test]
fn a_contact_is_read_under_the_names_people_give_to_columns() {
    let (contact, _) = one(contact_rows(
        "Code INSEE;Civilité;Prénom;NOM;Fonction;E-mail;Tél\n30278;Mme;Anne;Durand;Maire;Mairie@Saint-Laurent.invalid;04 65 71 00 01\n",
    ));
    assert_eq!(contact.key, ContactKey::Insee(InseeCode::parse("30278").unwrap()));
    assert_eq!(contact.said.civility, Some(Civility::Madame));
    assert_eq!(contact.said.capacity.unwrap().as_str(), "Maire");
    assert_eq!(contact.said.email.unwrap().as_str(), "mairie@saint-laurent.invalid");
    assert_eq!(contact.said.phone.unwrap().as_str(), "04 65 71 00 01");
    let (contact, _) = one(contact_rows("siret;insee;civilite;titre\n21300278500011;30278;M.;\n"));
    assert!(matches!(contact.key, ContactKey::Siret(_)));
    assert_eq!(
        (contact.said.civility, contact.said.capacity, contact.said.email),
        (Some(Civility::Monsieur), None, None)
    );
}

#[test]
fn the_national_register_of_elected_officials_is_read_as_it_is() {
    let (contact, _) = one(contact_rows(
        "Code du département;Code de la commune;Libellé de la commune;Nom de l'élu;Prénom de l'élu;Code sexe\n30;30278;Saint-Laurent;DURAND;Anne;F\n",
    ));
    assert_eq!(contact.key, ContactKey::Insee(InseeCode::parse("30278").unwrap()));
    assert_eq!(contact.said.civility, Some(Civility::Madame));
    assert_eq!(
        (contact.said.last_name.unwrap().as_str(), contact.said.first_name.unwrap().as_str()),
        ("DURAND", "Anne")
    );
}

#[test]
fn a_school_s_mail_is_never_a_contact() {
    for mail in [
        "ce.0301023Z@ac-montpellier.fr",
        "CE.0301023z@ac-toulouse.fr",
        "ce.0301023a@example.invalid",
        "0311131l@ac-toulouse.fr",
    ] {
        let rows = contact_rows(&format!("insee;courriel\n30278;{mail}\n"));
        assert_eq!(codes(&rows), [("courriel", "school_email")], "{mail}");
    }
    for mail in ["mairie@ac-ville.invalid", "ce.mairie@ville.invalid", "0301023z@ville.invalid"] {
        one(contact_rows(&format!("insee;courriel\n30278;{mail}\n")));
    }
}

#[test]
fn a_contact_without_key_or_without_content() {
    assert_eq!(codes(&contact_rows("insee;nom\n;Durand\n")), [("insee", "empty")]);
    assert_eq!(
        codes(&contact_rows("siret;tel;civilite\n#;465710001;Docteur\n")),
        [("siret", "empty"), ("civilite", "unknown_value"), ("telephone", "leading_zero_lost")]
    );
    let rows = contact_rows("insee;nom;mail\n30278;;\n");
    assert!(matches!(rows.as_slice(), [Parsed::Ignored { .. }]), "{rows:?}");
    let no_key = file("nom;mail\nDurand;a@b.invalid\n");
    assert_eq!(table(no_key.path(), &contacts::LAYOUT).unwrap_err().code, "missing_column");
}

#[test]
fn dates_and_counts() {
    for (raw, expected) in
        [("2024-11-26", "2024-11-26"), ("26/11/2024", "2024-11-26"), ("2024-11-26T00:00:00+00:00", "2024-11-26")]
    {
        assert_eq!(parse_date(raw).unwrap().to_string(), expected);
    }
    for bad in ["26/11/24", "2024-02-30", "11/26/2024", "45622", ""] {
        assert_eq!(parse_date(bad).unwrap_err().code, "date_format", "{bad}");
    }
    assert_eq!(parse_count("12\u{202f}345").unwrap(), 12_345);
    for same in ["25", "25.0", "25,0", "25.00", "2\u{a0}5", " 25,00 "] {
        assert_eq!(parse_count(same).unwrap(), 25, "{same}");
    }
    for bad in ["-1", "1,5", "", "1234567890", "25.000", "25.", "25.5", ".0", "2.5.0"] {
        assert_eq!(parse_count(bad).unwrap_err().code, "count_format", "{bad}");
    }
}

/// A file with these cells under these columns, one row.
fn file_of(specs: &[crate::platform::tabular::ColumnSpec], cells: &[String]) -> NamedTempFile {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    writer.write_record(specs.iter().map(|spec| spec.name)).unwrap();
    writer.write_record(cells.iter().take(specs.len())).unwrap();
    file(writer.into_inner().unwrap())
}

/// Reads everything; the only refusal expected is that of damaged cells.
fn read_all<T: Hash>(
    table: Result<Table, FileFault>,
    read: impl FnOnce(&Table) -> ReadRows<'_, T>,
) -> Result<(), TestCaseError> {
    match table {
        Err(fault) => prop_assert_eq!(fault.code, "damaged_cells"),
        Ok(table) => {
            for row in read(&table) {
                match row.unwrap().parsed {
                    Parsed::Rejected { faults, .. } => prop_assert!(!faults.is_empty()),
                    Parsed::Ignored { .. } | Parsed::Row { .. } => {}
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_in_any_cell_is_a_value_or_is_rejected(
        mut cells in proptest::collection::vec("(\\PC{0,12}|[0-9A-Z@.]{0,15})", directory::COLUMNS.len()),
    ) {
        let contacts = file_of(contacts::COLUMNS, &cells);
        read_all(table(contacts.path(), &contacts::LAYOUT), contacts::read)?;
        let communes = file_of(communes::COLUMNS, &cells);
        read_all(table(communes.path(), &communes::LAYOUT), communes::read)?;
        // Past the first question of the directory.
        cells.splice(2..3, ["Ecole".to_owned()]);
        let directory = file_of(directory::COLUMNS, &cells);
        read_all(table(directory.path(), &directory::LAYOUT), directory::read)?;
    }
}
