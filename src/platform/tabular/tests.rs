//! Files as people send them. Over 400 lines: one place for every way in which a file may be odd.

use std::io::Write;

use proptest::prelude::*;
use rust_xlsxwriter::{Format, Workbook};
use tempfile::NamedTempFile;

use super::*;

#[path = "archive.rs"]
mod archive;

static LAYOUT: Layout = Layout::alone("tests", SPECS);

const SPECS: &[ColumnSpec] = &[
    ColumnSpec::required("insee", &["code_insee"], CellKind::Insee),
    ColumnSpec::required("nom", &["Nom de l'école"], CellKind::Text),
    ColumnSpec::optional("siret", &[], CellKind::Siret),
    ColumnSpec::optional("codes_postaux", &[], CellKind::PostalList),
    ColumnSpec::optional("departement", &[], CellKind::Departement),
    ColumnSpec::optional("uai", &[], CellKind::Uai),
    ColumnSpec::optional("effectif", &[], CellKind::Integer),
    ColumnSpec::optional("date", &[], CellKind::Date),
    ColumnSpec::optional("maternelle", &[], CellKind::Flag),
];

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn open(bytes: impl AsRef<[u8]>) -> Result<Vec<Row>, FileFault> {
    let table = read_here(file(bytes.as_ref()).reopen().unwrap(), &LAYOUT)?;
    let rows: Vec<Row> = table.rows().collect::<Result<_, _>>()?;
    // From the first again, whoever else reads.
    assert_eq!(table.rows().next().map(Result::unwrap), rows.first().cloned());
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
        (b"insee;nom\n", "no_rows"),
        (b"insee;nom\r\n\r\n;\r\n \t;\xC2\xA0\r\n", "no_rows"),
        (b"insee;nom\r", "no_rows"),
    ] {
        let fault = refused(bytes);
        assert_eq!(fault.code, code, "{}: {fault}", String::from_utf8_lossy(bytes));
    }
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
    // Their cells hold the same texts; what each was in its file differs.
    let texts = |rows: &[Row]| -> Vec<_> {
        let names = ["insee", "nom", "siret", "effectif", "date"];
        rows.iter().map(|row| (row.line, names.map(|name| row.get(name).map(str::to_owned)))).collect()
    };
    assert_eq!(texts(&open(bytes).unwrap()), texts(&expected));
}

#[test]
fn lines_that_end_by_carriage_return_alone_are_rows() {
    let expected = open("insee;nom\n09001;a\n\n09002;\"b\nb\"\n").unwrap();
    assert_eq!(names(&expected), [(2, "a"), (4, "b\nb")]);
    for same in [
        "insee;nom\r09001;a\r\r09002;\"b\rb\"\r",
        "insee;nom\r09001;a\r\r09002;\"b\nb\"",
        "\u{feff}insee;nom\r09001;a\r;\r09002;\"b\rb\"",
        "insee;nom\r\n09001;a\r\n\r\n09002;\"b\r\nb\"\r\n",
    ] {
        assert_eq!(open(same).unwrap(), expected, "{same:?}");
    }
    // Within lines that end otherwise it ends none.
    assert_eq!(names(&open("insee;nom\n09001;a\rb\n").unwrap()), [(2, "a\rb")]);
    // Nor within quotes, wherever the first end of a line stands.
    assert_eq!(names(&open("insee;\"x\ry\";nom\n09001;;b\n").unwrap()), [(2, "b")]);
}

#[test]
fn a_number_or_a_date_where_an_identifier_stands_refuses_the_workbook() {
    let day = Format::new().set_num_format("dd/mm/yyyy");
    let bytes = workbook(|sheet| {
        sheet.write_row(0, 0, ["insee", "nom", "siret"]).unwrap();
        sheet.write_row(1, 0, ["09001", "a"]).unwrap();
        sheet.write_number(1, 2, 213_002_785_000_112_f64).unwrap();
        sheet.write_number(2, 0, 9001).unwrap();
        sheet.write_string(2, 1, "b").unwrap();
        sheet.write_number_with_format(3, 2, 45_000, &day).unwrap();
        sheet.write_number(4, 2, 2_130_027_850_001_f64).unwrap();
        sheet.write_number(5, 2, 21_300_278_500_011.5_f64).unwrap();
    });
    let fault = refused(bytes);
    let cells: Vec<_> = fault.cells.iter().map(|c| (c.row, c.column.as_str(), c.value.as_str(), c.code)).collect();
    assert_eq!(
        cells,
        [
            (2, "siret", "213002785000112", "identifier_as_number"),
            (3, "insee", "9001", "identifier_as_number"),
            (4, "siret", "2023-03-15", "identifier_as_number"),
            (5, "siret", "2130027850001", "identifier_as_number"),
            (6, "siret", "21300278500011.5", "identifier_as_number"),
        ]
    );
}

#[test]
fn a_siret_kept_whole_as_a_number_is_read_and_told() {
    let bytes = workbook(|sheet| {
        sheet.write_row(0, 0, ["insee", "nom", "siret"]).unwrap();
        sheet.write_row(1, 0, ["09001", "a"]).unwrap();
        sheet.write_number(1, 2, 21_300_278_500_011_f64).unwrap();
    });
    let rows = open(bytes).unwrap();
    let row = rows.first().unwrap();
    assert_eq!((row.get("siret"), row.misfits().count()), (Some("21300278500011"), 0));
    let findings: Vec<_> = row.findings().map(|f| (f.code, f.found)).collect();
    assert_eq!(findings, [("siret_as_number".to_owned(), Some("21300278500011".to_owned()))]);
}

/// Columns of the only row whose cells are of another type than expected.
fn misfits(rows: &[Row]) -> Vec<&'static str> {
    let [row] = rows else { panic!("{rows:?}") };
    row.misfits().inspect(|(_, fault)| assert_eq!(fault.code, "cell_type")).map(|(column, _)| column).collect()
}

#[test]
fn a_cell_keeps_its_type() {
    type Write = fn(&mut rust_xlsxwriter::Worksheet, u16);
    let kinds: [(&str, Write, &[&str]); 8] = [
        (
            "date",
            |s, c| _ = s.write_number_with_format(1, c, 16_565, &Format::new().set_num_format("dd/mm/yyyy")).unwrap(),
            &["nom", "effectif", "maternelle"],
        ),
        (
            "date in words",
            |s, c| {
                _ = s
                    .write_number_with_format(1, c, 16_565, &Format::new().set_num_format("[$-40C]d mmmm yyyy;@"))
                    .unwrap()
            },
            &["nom", "effectif", "maternelle"],
        ),
        (
            "time",
            |s, c| _ = s.write_number_with_format(1, c, 0.5, &Format::new().set_num_format("h:mm")).unwrap(),
            &["nom", "effectif", "maternelle"],
        ),
        (
            "duration",
            |s, c| _ = s.write_number_with_format(1, c, 1.5, &Format::new().set_num_format("[h]:mm:ss")).unwrap(),
            &["nom", "effectif", "maternelle"],
        ),
        ("boolean", |s, c| _ = s.write_boolean(1, c, true).unwrap(), &["nom", "effectif", "date", "siret"]),
        (
            "error",
            |s, c| _ = s.write_formula(1, c, rust_xlsxwriter::Formula::new("=A9").set_result("#REF!")).unwrap(),
            &["nom", "effectif", "maternelle", "date", "siret"],
        ),
        ("number", |s, c| _ = s.write_number(1, c, 1).unwrap(), &[]),
        ("text", |s, c| _ = s.write_string(1, c, "1").unwrap(), &[]),
    ];
    for (what, write, expected) in kinds {
        for column in ["nom", "effectif", "maternelle", "date", "siret"] {
            let bytes = workbook(|sheet| {
                let header: Vec<&str> =
                    ["nom", column].into_iter().rev().take(if column == "nom" { 1 } else { 2 }).collect();
                sheet.write_string(0, 0, "insee").unwrap();
                sheet.write_string(1, 0, "09001").unwrap();
                for (at, name) in (1_u16..).zip(&header) {
                    sheet.write_string(0, at, *name).unwrap();
                }
                write(sheet, 1);
            });
            match open(bytes) {
                Ok(rows) => assert_eq!(
                    misfits(&rows),
                    if expected.contains(&column) { vec![column] } else { vec![] },
                    "{what} in {column}"
                ),
                Err(fault) => {
                    assert_eq!((fault.code, column), ("damaged_cells", "siret"), "{what} in {column}: {fault}")
                }
            }
        }
    }
    // A text file holds what formulas left as text.
    assert_eq!(misfits(&open("insee;nom;effectif\n09001;#REF!;25\n").unwrap()), ["nom"]);
    assert_eq!(misfits(&open("insee;nom;effectif\n09001;#REF;#N/A\n").unwrap()), ["effectif"]);
}

#[test]
fn a_date_is_one_however_the_workbook_says_so() {
    let sheet = |cell: &str, styles: &str, properties: &str| {
        let head = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>insee</t></is></c><c r="B1" t="inlineStr"><is><t>nom</t></is></c></row>"#;
        styled(
            &format!("{head}<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>09001</t></is></c>{cell}</row>"),
            styles,
            properties,
        )
    };
    let builtin = r#"<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>"#;
    let custom = r#"<numFmts count="1"><numFmt numFmtId="164" formatCode="&quot;le &quot;dd\-mm\-yy"/></numFmts><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs>"#;
    for (what, cell, styles, properties, text) in [
        ("built-in format", r#"<c r="B2" s="1"><v>16565</v></c>"#, builtin, "", "1945-05-08"),
        ("custom format", r#"<c r="B2" s="1"><v>16565</v></c>"#, custom, "", "1945-05-08"),
        ("1904", r#"<c r="B2" s="1"><v>15103</v></c>"#, builtin, r#"<workbookPr date1904="1"/>"#, "1945-05-08"),
        ("ISO", r#"<c r="B2" t="d"><v>1945-05-08T00:00:00</v></c>"#, builtin, "", "1945-05-08"),
        ("formula", r#"<c r="B2" s="1"><f>DATE(1945,5,8)</f><v>16565</v></c>"#, builtin, "", "1945-05-08"),
    ] {
        let rows = open(sheet(cell, styles, properties)).unwrap();
        assert_eq!((rows.first().unwrap().get("nom"), misfits(&rows)), (Some(text), vec!["nom"]), "{what}");
    }
    // What a formula gave as text is text.
    let rows = open(sheet(r#"<c r="B2" s="1" t="str"><f>A9</f><v>Les Lilas</v></c>"#, builtin, "")).unwrap();
    assert_eq!((names(&rows), misfits(&rows)), (vec![(2, "Les Lilas")], vec![]));
}

#[test]
fn a_workbook_is_bounded() {
    let mut heavy = b"PK\x03\x04".to_vec();
    heavy.resize(usize::try_from(limits::WORKBOOK_BYTES).unwrap() + 1, b'x');
    assert_eq!(refused(heavy).code, "workbook_bound");
    // The directory announces four gigabytes for one part.
    let mut bomb = workbook(|sheet| {
        sheet.write_row(0, 0, ["insee", "nom"]).unwrap();
    });
    let entry = bomb.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    bomb.splice(entry + 24..entry + 28, [0xFE, 0xFF, 0xFF, 0xFF]);
    let fault = refused(bomb);
    assert_eq!((fault.code, fault.refusal), ("inflated_bound", Refusal::TooHeavy));
    for text in ["x".repeat(limits::CELL_BYTES + 1), "é".repeat(limits::CELL_CHARACTERS + 1)] {
        let fault = refused(handmade(&format!(
            r#"<row><c r="A1" t="inlineStr"><is><t>insee</t></is></c><c r="B1" t="inlineStr"><is><t>nom</t></is></c></row>
               <row><c r="A2" t="inlineStr"><is><t>09001</t></is></c><c r="B2" t="inlineStr"><is><t>{text}</t></is></c></row>"#
        )));
        assert_eq!((fault.code, fault.refusal), ("cell_bound", Refusal::TooHeavy));
        let fault = refused(format!("insee;nom\n09001;{}\n", "é".repeat(limits::CELL_CHARACTERS + 1)));
        assert!(fault.code == "cell_bound" && fault.message.contains("ligne 2, colonne « nom »"), "{fault}");
    }
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

/// A workbook whose sheet has these cells.
fn handmade(rows: &str) -> Vec<u8> {
    styled(rows, "", "")
}

/// The same with number formats and properties of its own.
fn styled(rows: &str, styles: &str, properties: &str) -> Vec<u8> {
    archive::workbook(&format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"), styles, properties)
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
fn a_header_is_as_wide_as_a_spreadsheet_at_most() {
    let header =
        |columns: usize| format!("insee;nom;{}\n09001;a;{}\n", ";".repeat(columns - 3), ";".repeat(columns - 3));
    assert_eq!(names(&open(header(limits::COLUMNS)).unwrap()), [(2, "a")]);
    let start = std::time::Instant::now();
    let wide = "x".to_owned() + &";x".repeat(120_000);
    for wide in [wide, header(limits::COLUMNS + 1)] {
        let fault = refused(wide);
        assert_eq!((fault.code, fault.refusal), ("columns_bound", Refusal::TooHeavy));
        assert!(fault.message.contains("16384 colonnes"), "{fault}");
    }
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn a_line_without_end_is_too_long_and_a_quote_may_be_why() {
    for (text, why) in [
        ("x".repeat(2_000_000), "pas un tableau"),
        (format!("insee;nom\n09001;\"{}", "x\n".repeat(1_000_000)), "guillemet"),
    ] {
        let fault = refused(text);
        assert_eq!((fault.code, fault.refusal), ("line_bound", Refusal::TooHeavy));
        assert!(fault.message.contains(why), "{fault}");
    }
}

#[test]
fn a_file_has_so_many_rows_at_most() {
    let read = |rows: usize, most: u64| {
        let file = file(format!("insee;nom\n{}", "09001;a\n".repeat(rows)).as_bytes());
        reading::read(file.reopen().unwrap(), &LAYOUT, most, std::io::sink())
    };
    assert_eq!(read(50, 50).unwrap().rows, 50);
    let fault = read(51, 50).unwrap_err();
    assert!(fault.code == "rows_bound" && fault.message.contains("50 lignes"), "{fault}");
}

#[test]
fn what_a_reader_wrote_is_measured_before_it_is_held() {
    let row =
        |is: u8, size: u32, text: &[u8]| [&1_u64.to_le_bytes(), [is].as_slice(), &size.to_le_bytes(), text].concat();
    let read = |bytes: Vec<u8>| frames::read(&mut bytes.as_slice(), SPECS, &[true]).map(|row| row.cells);
    assert_eq!(read(row(0, 1, b"a")).unwrap(), [Some(Cell::new(CellType::Text, "a"))]);
    for bad in [row(9, 1, b"a"), row(0, 1, b"\xFF"), row(0, u32::MAX, b"a"), row(0, 2, b"a"), b"short".to_vec()] {
        read(bad).unwrap_err();
    }
    // Nor is a code that none of ours is.
    let fault = r#"{"refusal":"Unfit","code":"empty_file","message":"","cells":[],"total_cells":0}"#;
    assert_eq!(serde_json::from_str::<FileFault>(fault).unwrap().code, "empty_file");
    serde_json::from_str::<FileFault>(&fault.replace("empty_file", "made_up")).unwrap_err();
}

proptest! {
    #[test]
    fn a_row_that_was_written_is_read_as_it_was(line in any::<u64>(), cells in proptest::collection::vec(proptest::option::of("\\PC{0,9}"), 8)) {
        let present: Vec<bool> = cells.iter().map(Option::is_some).collect();
        let types = [CellType::Text, CellType::Number, CellType::Date, CellType::Boolean, CellType::Error];
        let cells = cells.into_iter().zip(types.into_iter().cycle()).map(|(text, is)| Some(Cell::new(is, text?))).collect();
        let row = Row { line, specs: SPECS, cells };
        let mut bytes = Vec::new();
        let length = frames::write(&mut bytes, &row).unwrap();
        prop_assert_eq!(length, u64::try_from(bytes.len()).unwrap());
        prop_assert_eq!(frames::read(&mut bytes.as_slice(), SPECS, &present).unwrap(), row);
    }
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
        let expected: Vec<&Vec<String>> = cells.iter().filter(|row| row.iter().any(|c| !c.trim().is_empty())).collect();
        let bytes = writer.into_inner().unwrap();
        if expected.is_empty() {
            prop_assert_eq!(refused(bytes).code, "no_rows");
            return Ok(());
        }
        let rows = open(bytes).unwrap();
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
