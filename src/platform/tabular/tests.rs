//! Files as people send them.

use std::io::Write;

use proptest::prelude::*;
use rust_xlsxwriter::{Format, Workbook};
use tempfile::NamedTempFile;

use super::*;

static SPECS: &[ColumnSpec] = &[
    ColumnSpec::required("insee", &["code_insee"], CellKind::Insee),
    ColumnSpec::required("nom", &["Nom de l'école"], CellKind::Text),
    ColumnSpec::optional("siret", &[], CellKind::Siret),
    ColumnSpec::optional("codes_postaux", &[], CellKind::PostalList),
    ColumnSpec::optional("departement", &[], CellKind::Departement),
    ColumnSpec::optional("uai", &[], CellKind::Uai),
    ColumnSpec::optional("effectif", &[], CellKind::Integer),
    ColumnSpec::optional("date", &[], CellKind::Date),
];

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn open(bytes: impl AsRef<[u8]>) -> Result<Vec<Row>, FileFault> {
    let file = file(bytes.as_ref());
    let table = Table::open(file.path(), SPECS)?;
    let rows: Vec<Row> = table.rows()?.collect::<Result<_, _>>()?;
    assert_eq!(u64::try_from(rows.len()).unwrap(), table.row_count());
    Ok(rows)
}

fn refused(bytes: impl AsRef<[u8]>) -> FileFault {
    open(bytes).expect_err("a refusal")
}

fn names(rows: &[Row]) -> Vec<(u64, &str)> {
    rows.iter().map(|row| (row.line, row.get("nom").unwrap())).collect()
}

fn workbook(fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet());
    workbook.save_to_buffer().unwrap()
}

#[test]
fn encodings_separators_and_line_ends_all_give_the_same_rows() {
    let expected = open("insee;nom\n09001;Écôle, œuvre « Ç »\n").unwrap();
    let windows = encoding_rs::WINDOWS_1252.encode("insee;nom\r\n09001;Écôle, œuvre « Ç »\r\n").0.into_owned();
    assert_eq!(open(windows).unwrap(), expected);
    for same in [
        "\u{feff}insee;nom\n09001;Écôle, œuvre « Ç »",
        "insee,nom\r\n09001,\"Écôle, œuvre « Ç »\"\r\n",
        "insee;nom\n\u{a0} 09001\u{202f};  Écôle, œuvre « Ç »\u{a0}\n\n;\n",
        "\"INSEE\",\"Nom\"\n\"09001\",\"Écôle, œuvre « Ç »\"",
        "autre;nom;Code INSEE;\nx;Écôle, œuvre « Ç »;09001;\n",
    ] {
        assert_eq!(open(same).unwrap(), expected, "{same}");
    }
}

#[test]
fn rows_are_numbered_as_a_spreadsheet_shows_them() {
    let rows = open("insee;nom\r\n\r\n09001;a\r\n09002;\"b\r\nb\"\r\n\r\n09003;c\r\n").unwrap();
    assert_eq!(names(&rows), [(3, "a"), (4, "b\nb"), (6, "c")]);
    let rows = open("\n\ninsee;nom\n09001;a\n").unwrap();
    assert_eq!(names(&rows), [(4, "a")]);
}

#[test]
fn columns_are_found_by_name_whatever_their_case_accents_and_separators() {
    for header in ["CODE-INSEE;NOM DE L'ECOLE", "code insee;nom_de_l_école", "Insee ; nom"] {
        assert_eq!(names(&open(format!("{header}\n09001;a\n")).unwrap()), [(2, "a")], "{header}");
    }
}

#[test]
fn a_missing_column_and_a_blank_cell_are_not_the_same() {
    let rows = open("insee;nom;siret\n09001;a;#\n").unwrap();
    let row = rows.first().unwrap();
    assert_eq!((row.get("siret"), row.filled("siret")), (Some(""), None), "Chorus writes # for no SIRET");
    assert_eq!((row.get("uai"), row.filled("uai")), (None, None));
    assert_eq!(row.get("nothing of the sort"), None);
}

#[test]
fn what_is_no_table_is_refused_by_its_own_code() {
    for (bytes, code) in [
        (b"".as_slice(), "empty_file"),
        (b" \r\n \n", "empty_file"),
        (b"\xEF\xBB\xBF", "empty_file"),
        (b"insee;nom\n09001;a\0b\n", "binary_file"),
        (b"%PDF-1.7\n", "binary_file"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "binary_file"),
        (b"PK\x03\x04 not a workbook", "unreadable_workbook"),
        (b"\xFF\xFEi\0n\0s\0", "unreadable_encoding"),
        // Neither UTF-8 nor Windows-1252.
        (b"insee;nom\n09001;\x81\xE9\n", "unreadable_encoding"),
        // UTF-8 with one byte lost is not Windows-1252.
        (b"insee;nom\n09001;\xC3\xA9\xC3\xA8\xC3\n", "unreadable_encoding"),
        (b"\xEF\xBB\xBFinsee;nom\n09001;\xE9\n", "unreadable_encoding"),
        (b"09001;Aigues-Juntes\n09002;Aigues-Vives\n", "no_header"),
        (b"insee;siret\n09001;\n", "missing_column"),
        (b"insee;Code INSEE;nom\n09001;09001;a\n", "doubled_column"),
        (b"insee;nom;nom\n09001;a;a\n", "doubled_column"),
        (b"insee;nom\n09001;\"a\n09002;b\n", "unclosed_quote"),
        (b"insee;nom\n09001\n", "ragged_rows"),
    ] {
        let fault = refused(bytes);
        assert_eq!(fault.code, code, "{}: {fault}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(Table::open(Path::new("/nowhere/at/all.csv"), SPECS).unwrap_err().code, "unreadable_file");
    assert!(refused("insee;siret\n").message.contains("nom"));
    assert!(refused(b"insee;nom\n09001;a\n09002;\xC3\xA9\xC3\xA8\xC3\n").message.contains("ligne 3"));
}

#[test]
fn a_row_of_another_width_is_shown() {
    let fault = refused("insee;nom;uai\n09001;a;\n\n09002;b;;\n09003\n;;;;;\n");
    assert_eq!(fault.total_cells, 2);
    let shown: Vec<_> = fault.cells.iter().map(|c| (c.row, c.value.as_str(), c.code)).collect();
    assert_eq!(shown, [(4, "4 cellules", "ragged_row"), (5, "1 cellules", "ragged_row")]);
}

#[test]
fn what_a_spreadsheet_damages_refuses_the_file_and_names_the_cells() {
    for (column, value, code) in [
        ("siret", "2,13003E+13", "scientific_notation"),
        ("siret", "2.13003e13", "scientific_notation"),
        ("insee", "9001", "leading_zero_lost"),
        ("uai", "301023Z", "leading_zero_lost"),
        ("uai", "90123a", ""),
        ("departement", "9", "leading_zero_lost"),
        ("departement", "30", ""),
        ("departement", "2A", ""),
        ("codes_postaux", "9240", "leading_zero_lost"),
        ("codes_postaux", "09240|9600", "leading_zero_lost"),
        ("codes_postaux", "09240|09600", ""),
        ("insee", "2A04", ""),
        ("effectif", "1,2E+3", ""),
    ] {
        let others: Vec<&str> = ["insee", "nom"].into_iter().filter(|name| *name != column).collect();
        let header = format!("{column};{}", others.join(";"));
        let found = open(format!("{header}\n{value}{}\n", ";x".repeat(others.len())));
        match found {
            Ok(_) => assert_eq!(code, "", "{column} {value}"),
            Err(fault) => {
                assert_eq!((fault.code, fault.total_cells), ("damaged_cells", 1), "{fault}");
                let cell = fault.cells.first().unwrap();
                assert_eq!((cell.row, cell.column.as_str(), cell.value.as_str(), cell.code), (2, column, value, code));
            }
        }
    }
}

#[test]
fn a_refusal_shows_twenty_cells_and_counts_them_all() {
    let rows: Vec<String> = (0..50).map(|n| format!("9{n:03};a")).collect();
    let fault = refused(format!("Code_INSEE;nom\n{}\n", rows.join("\n")));
    assert_eq!((fault.cells.len(), fault.total_cells), (20, 50));
    let first = fault.cells.first().unwrap();
    assert_eq!((first.row, first.column.as_str()), (2, "Code_INSEE"));
    assert!(fault.message.contains("50") && first.message.contains("09000"), "{fault:?}");
}

#[test]
fn a_workbook_gives_the_same_rows() {
    let bytes = workbook(|sheet| {
        let day = Format::new().set_num_format("dd/mm/yyyy");
        for (column, name) in ["Date", "insee", "nom", "effectif"].iter().enumerate() {
            sheet.write_string(0, u16::try_from(column).unwrap(), *name).unwrap();
        }
        let date = rust_xlsxwriter::ExcelDateTime::parse_from_str("2024-11-26").unwrap();
        sheet.write_datetime_with_format(2, 0, &date, &day).unwrap();
        sheet.write_string(2, 1, "09001").unwrap();
        sheet.write_string(2, 2, " Aigues-Juntes\u{a0}").unwrap();
        sheet.write_number(2, 3, 1217).unwrap();
        sheet.write_string(5, 0, " ").unwrap();
        sheet.write_string(4, 9, "a note beside the table").unwrap();
    });
    let expected = open("insee;nom;date;effectif\n\n09001;Aigues-Juntes;2024-11-26;1217\n").unwrap();
    assert_eq!(open(bytes).unwrap(), expected);
}

#[test]
fn a_number_or_an_error_where_an_identifier_stands_refuses_the_workbook() {
    let bytes = workbook(|sheet| {
        sheet.write_row(0, 0, ["insee", "nom", "siret"]).unwrap();
        sheet.write_row(1, 0, ["09001", "a"]).unwrap();
        sheet.write_number(1, 2, 21_300_278_500_011_f64).unwrap();
        sheet.write_number(2, 0, 9001).unwrap();
        sheet.write_string(2, 1, "b").unwrap();
        sheet.write_formula(3, 1, rust_xlsxwriter::Formula::new("=NA()").set_result("#N/A")).unwrap();
    });
    let fault = refused(bytes);
    let cells: Vec<_> = fault.cells.iter().map(|c| (c.row, c.column.as_str(), c.value.as_str(), c.code)).collect();
    assert_eq!(
        cells,
        [
            (2, "siret", "21300278500011", "identifier_as_number"),
            (3, "insee", "9001", "identifier_as_number"),
            (4, "nom", "#N/A", "cell_error"),
        ]
    );
}

#[test]
fn a_workbook_is_bounded() {
    let long = workbook(|sheet| {
        sheet.write_row(0, 0, ["insee", "nom"]).unwrap();
        sheet.write_row(100_000, 0, ["09001", "a"]).unwrap();
    });
    assert_eq!(refused(long).code, "too_many_rows");
    let mut heavy = b"PK\x03\x04".to_vec();
    heavy.resize(usize::try_from(limits::WORKBOOK_BYTES).unwrap() + 1, b'x');
    assert_eq!(refused(heavy).code, "file_too_large");
    // The directory announces four gigabytes for one part.
    let mut bomb = workbook(|sheet| {
        sheet.write_row(0, 0, ["insee", "nom"]).unwrap();
    });
    let entry = bomb.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    bomb.splice(entry + 24..entry + 28, [0xFE, 0xFF, 0xFF, 0xFF]);
    assert_eq!(refused(bomb).code, "file_too_large");
}

#[test]
fn a_part_that_outgrows_what_it_announces_is_refused() {
    let mut bytes = workbook(|sheet| {
        sheet.write_row(0, 0, ["insee", "nom"]).unwrap();
        for row in 1..5_000 {
            sheet.write_row(row, 0, ["09001", "a"]).unwrap();
        }
    });
    let entries: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes.get(*at..at + 4) == Some(b"PK\x01\x02")).collect();
    for entry in entries {
        bytes.splice(entry + 24..entry + 28, 100_u32.to_le_bytes());
    }
    assert_eq!(refused(bytes).code, "unreadable_workbook");
}

/// A zip archive of parts stored as they are.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
        })
    };
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in parts {
        let size = u32::try_from(text.len()).unwrap().to_le_bytes();
        let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let common = [
            [20, 0, 0, 0, 0, 0, 0, 0, 0, 0].as_slice(),
            &crc(text.as_bytes()).to_le_bytes(),
            &size,
            &size,
            &name_length,
        ]
        .concat();
        directory.extend(
            [
                b"PK\x01\x02\x14\0".as_slice(),
                &common,
                &[0; 12],
                &u32::try_from(out.len()).unwrap().to_le_bytes(),
                name.as_bytes(),
            ]
            .concat(),
        );
        out.extend([b"PK\x03\x04".as_slice(), &common, &[0; 2], name.as_bytes(), text.as_bytes()].concat());
    }
    let (count, length) =
        (u16::try_from(parts.len()).unwrap().to_le_bytes(), u32::try_from(directory.len()).unwrap().to_le_bytes());
    let start = u32::try_from(out.len()).unwrap().to_le_bytes();
    [out, directory, [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &length, &start, &[0; 2]].concat()].concat()
}

/// A workbook whose sheet has these cells.
fn handmade(rows: &str) -> Vec<u8> {
    let relation = |id: &str, kind: &str, target: &str| {
        format!(
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="{id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>"#
        )
    };
    archive(&[
        ("_rels/.rels", &relation("r1", "officeDocument", "xl/workbook.xml")),
        ("xl/_rels/workbook.xml.rels", &relation("r1", "worksheet", "worksheets/sheet1.xml")),
        (
            "xl/workbook.xml",
            r#"<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>"#,
        ),
        ("xl/worksheets/sheet1.xml", &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")),
    ])
}

#[test]
fn a_hostile_cell_reference_does_not_bring_the_program_down() {
    let cell = |at: &str, text: &str| format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#);
    let header = format!("<row>{}{}</row>", cell("A1", "insee"), cell("B1", "nom"));
    assert_eq!(names(&open(handmade(&format!("{header}<row>{}</row>", cell("B2", "a")))).unwrap()), [(2, "a")]);
    for at in ["ZZZZZZZZZ2", "XFE2", "A99999999999", "é2", "2", ""] {
        let fault = refused(handmade(&format!("{header}<row>{}</row>", cell(at, "a"))));
        assert_eq!(fault.code, "unreadable_workbook", "{at}");
    }
    // Rows that go back up.
    let fault = refused(handmade(&format!("{header}<row>{}</row><row>{}</row>", cell("A3", "a"), cell("A2", "b"))));
    assert_eq!(fault.code, "unreadable_workbook");
}

#[test]
fn a_damaged_workbook_ends_in_rows_or_in_a_refusal() {
    let sheet = workbook(|sheet| {
        sheet.write_row(0, 0, ["insee", "nom"]).unwrap();
    });
    for at in (0..sheet.len()).step_by(7) {
        let _ = open(sheet.get(..at).unwrap());
        let mut changed = sheet.clone();
        changed.splice(at..=at, [0xFF]);
        let _ = open(changed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_give_rows_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Err(fault) = open(&bytes) {
            prop_assert!(!fault.message.is_empty());
        }
        let _ = open([b"insee;nom\n".as_slice(), &bytes].concat());
        let _ = open([b"PK\x03\x04".as_slice(), &bytes].concat());
    }

    #[test]
    fn cells_are_cut_as_the_csv_crate_cuts_them(cells in proptest::collection::vec(proptest::collection::vec("[a-z\"; \n,é]{0,6}", 3), 1..6), comma in any::<bool>()) {
        let delimiter = if comma { b',' } else { b';' };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(["insee", "nom", "autre"]).unwrap();
        for row in &cells {
            writer.write_record(row).unwrap();
        }
        let rows = open(writer.into_inner().unwrap()).unwrap();
        let expected: Vec<&Vec<String>> = cells.iter().filter(|row| row.iter().any(|c| !c.trim().is_empty())).collect();
        prop_assert_eq!(rows.len(), expected.len());
        for (row, cells) in rows.iter().zip(expected) {
            prop_assert_eq!(row.get("insee"), cells.first().map(|c| c.trim()));
            prop_assert_eq!(row.get("nom"), cells.get(1).map(|c| c.trim()));
        }
    }

    #[test]
    fn the_order_of_the_columns_changes_nothing(order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(), rows in proptest::collection::vec("[A-Za-zé]{1,9}", 1..5)) {
        let text = |order: &[usize]| {
            let mut lines = vec![["insee", "nom", "uai", "ignored"].map(str::to_owned)];
            lines.extend(rows.iter().map(|name| ["09001".to_owned(), name.clone(), "0301023Z".to_owned(), "x".to_owned()]));
            lines.iter().map(|line| order.iter().map(|i| line.get(*i).unwrap().as_str()).collect::<Vec<_>>().join(";")).collect::<Vec<_>>().join("\n")
        };
        prop_assert_eq!(open(text(&order)).unwrap(), open(text(&[0, 1, 2, 3])).unwrap());
    }
}
