//! Files that strangers send to do harm, or that harm happened to, each with the answers it may meet.
//!
//! Made by code, for they are long and say nothing; each takes the header and a sound row of the door it is sent to.

use std::iter::repeat_n;

use super::archive::{Part, parts, workbook, zip};
use super::deflate;

/// What may be answered: a problem code with the code of its first error, or an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Refused(&'static str),
    Heavy(&'static str),
    NoRows,
    /// Read: what its rows are worth is told one by one.
    Read,
}

use Answer::{Heavy, NoRows, Read, Refused};

/// One file.
pub struct Hostile {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub answers: &'static [Answer],
}

/// Of what a workbook's reader is made to fail by: which of the two it is may change with its version.
const TOO_MUCH: &[Answer] = &[Heavy("memory_bound"), Heavy("time_bound"), Refused("unreadable_workbook")];
const NO_WORKBOOK: &[Answer] = &[Refused("unreadable_workbook")];

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

fn cell(at: &str, text: &str) -> String {
    format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#)
}

/// Cells of one line, from the first column.
fn line(row: u32, cells: &str) -> String {
    let cells = ('A'..='Z').zip(cells.split(';')).map(|(column, text)| cell(&format!("{column}{row}"), text));
    format!("<row>{}</row>", cells.collect::<String>())
}

fn sheet(inner: &str) -> String {
    format!("<worksheet><sheetData>{inner}</sheetData></worksheet>")
}

/// A workbook with one part more, or another in its place.
fn with(header: &str, row: &str, part: Part) -> Vec<u8> {
    let mut all = parts(&sheet(&format!("{}{}", line(1, header), line(2, row))), "", "");
    all.retain(|known| known.name != part.name);
    all.push(part);
    zip(&all)
}

fn bomb(name: &str, head: &str, pattern: &str, length: usize) -> Part {
    Part::deflated(name, deflate::repeated(head, pattern, length), deflate::inflated(head, pattern, length))
}

/// Text files.
fn texts(header: &str, row: &str) -> Vec<Hostile> {
    let columns = |count: usize| format!("{header}{}\n{row}{}\n", ";x".repeat(count), ";".repeat(count));
    let first = header.split(';').next().unwrap();
    let file = |name, bytes: Vec<u8>, answers| Hostile { name, bytes, answers };
    vec![
        file("nothing", Vec::new(), &[Refused("empty_file")]),
        file("blank lines", b"\r\n \t\r\n\xC2\xA0\r\n".to_vec(), &[Refused("empty_file")]),
        file("a mark of order alone", b"\xEF\xBB\xBF".to_vec(), &[Refused("empty_file")]),
        file("a header alone", header.into(), &[NoRows]),
        file("a header alone, lines ended by CR", format!("{header}\r\r").into(), &[NoRows]),
        file("NUL bytes", format!("{header}\n{row}\0\n").into(), &[Refused("binary_file")]),
        file(
            "UTF-16",
            [b"\xFF\xFE".to_vec(), utf16(&format!("{header}\n{row}\n"), false)].concat(),
            &[Refused("unreadable_encoding")],
        ),
        file(
            "UTF-16 the other way",
            [b"\xFE\xFF".to_vec(), utf16(&format!("{header}\n{row}\n"), true)].concat(),
            &[Refused("unreadable_encoding")],
        ),
        file("UTF-16 without its mark", utf16(&format!("{header}\n{row}\n"), false), &[Refused("binary_file")]),
        file(
            "UTF-8 cut in two",
            [format!("{header}\n{row}").as_bytes(), b"\xC3\xA9\xC3\xA8\xC3\n"].concat(),
            &[Refused("unreadable_encoding")],
        ),
        file(
            "bytes of no encoding",
            [format!("{header}\n{row}").as_bytes(), b"\x81\x8D\xE9\n"].concat(),
            &[Refused("unreadable_encoding")],
        ),
        file("a quote never closed", format!("{header}\n\"{row}\n{row}\n").into(), &[Refused("unclosed_quote")]),
        file(
            "a quote never closed in a long file",
            format!("{header}\n\"{}", format!("{row}\n").repeat(100_000)).into(),
            &[Heavy("line_bound")],
        ),
        file("one cell of 12 MB", format!("{header}\n{}\n", "x".repeat(12_000_000)).into(), &[Heavy("line_bound")]),
        file(
            "one quoted cell of 12 MB",
            format!("{header}\n\"{}\"\n", "x\n".repeat(6_000_000)).into(),
            &[Heavy("line_bound")],
        ),
        file(
            "a cell of 40,000 characters",
            format!("{first}\n{}\n", "x".repeat(40_000)).into(),
            &[Heavy("cell_bound"), Refused("missing_column")],
        ),
        file("120,000 columns", format!("x{}\n", ";x".repeat(120_000)).into(), &[Heavy("columns_bound")]),
        file("one column more than a spreadsheet has", columns(16_384).into(), &[Heavy("columns_bound")]),
        file(
            "the same column ten thousand times",
            format!("{header}{}\n", format!(";{first}").repeat(10_000)).into(),
            &[Refused("doubled_column")],
        ),
        file(
            "rows of every width",
            format!("{header}\n{}", (0..5_000).map(|n| ";x".repeat(n % 50) + "\n").collect::<String>()).into(),
            &[Refused("ragged_rows")],
        ),
        file(
            "12 MB of rows that are all rejected",
            {
                let wrong = format!("x;{}\n", "y;".repeat(header.split(';').count() - 2) + &"z".repeat(70));
                format!("{header}\n{}", wrong.repeat(12_000_000 / wrong.len())).into()
            },
            &[Read],
        ),
        file(
            "more rows than are read",
            format!("{header}\n{}", format!("x{}\n", ";".repeat(header.split(';').count() - 1)).repeat(200_001)).into(),
            &[Heavy("rows_bound")],
        ),
        file(
            "separators alone",
            ";".repeat(900_000).into(),
            &[Refused("empty_file"), Refused("no_header"), Heavy("columns_bound")],
        ),
        file("quotes alone", "\"".repeat(900_000).into(), &[Refused("empty_file"), Refused("no_header")]),
        file("a PDF", b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec(), &[Refused("binary_file")]),
        file("an image", b"\x89PNG\r\n\x1a\n".to_vec(), &[Refused("binary_file")]),
        file("an archive of another kind", b"\x1F\x8B\x08\0\0\0\0\0".to_vec(), &[Refused("binary_file")]),
        file(
            "an old or encrypted workbook",
            [b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec(), vec![0; 4_096]].concat(),
            &[Refused("binary_file")],
        ),
        file("a program", b"\x7FELF\x02\x01\x01\0\0\0".to_vec(), &[Refused("binary_file")]),
    ]
}

/// Archives.
fn archives(header: &str, row: &str) -> Vec<Hostile> {
    let file = |name, bytes: Vec<u8>, answers| Hostile { name, bytes, answers };
    let sound = || workbook(&sheet(&format!("{}{}", line(1, header), line(2, row))), "", "");
    let odt =
        |mime: &str| zip(&[Part::stored("mimetype", mime), Part::stored("content.xml", "<office:document-content/>")]);
    let lying = |announced: u32| {
        let mut bytes = sound();
        let entries: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes[*at..*at + 4] == *b"PK\x01\x02").collect();
        for entry in entries {
            bytes.splice(entry + 24..entry + 28, announced.to_le_bytes());
        }
        bytes
    };
    let mut cut = sound();
    cut.truncate(cut.len() / 2);
    let mut twice = parts(&sheet(&line(1, header)), "", "");
    twice.extend(parts(&sheet(&format!("{}{}", line(1, header), line(2, row))), "", ""));
    vec![
        file("half an archive", cut, NO_WORKBOOK),
        file("the first bytes of an archive", b"PK\x03\x04".to_vec(), NO_WORKBOOK),
        file("an archive behind other bytes", [b"PK\x03\x04 prelude".to_vec(), sound()].concat(), NO_WORKBOOK),
        file("an empty archive", zip(&[]), NO_WORKBOOK),
        file("a sheet of another program", odt("application/vnd.oasis.opendocument.spreadsheet"), NO_WORKBOOK),
        file(
            "a letter",
            zip(&[Part::stored("[Content_Types].xml", "<Types/>"), Part::stored("word/document.xml", "<w:document/>")]),
            NO_WORKBOOK,
        ),
        file("sizes too small", lying(10), &[Read, Refused("unreadable_workbook")]),
        file(
            "sizes of four gigabytes",
            lying(u32::MAX - 1),
            &[Heavy("inflated_bound"), Refused("unreadable_workbook")],
        ),
        file("every part twice", zip(&twice), &[Read, NoRows, Refused("unreadable_workbook")]),
        file(
            "names that climb out of their folder",
            with(header, row, Part::stored("../../../../tmp/dehors", "x")),
            &[Read],
        ),
        file(
            "200 MB of blanks in some kilobytes",
            with(header, row, bomb("xl/worksheets/sheet1.xml", "<worksheet>", "  ", 200_000_000)),
            &[Heavy("inflated_bound")],
        ),
        file(
            "140 MB of blanks in some kilobytes",
            with(header, row, bomb("xl/worksheets/sheet1.xml", "<worksheet>", "  ", 140_000_000)),
            TOO_MUCH,
        ),
        file(
            "11 MB of workbook",
            with(header, row, Part::stored("xl/media/image1.png", vec![b'x'; 11_000_000])),
            &[Heavy("workbook_bound")],
        ),
    ]
}

/// Workbooks.
fn workbooks(header: &str, row: &str) -> Vec<Hostile> {
    let file = |name, bytes: Vec<u8>, answers| Hostile { name, bytes, answers };
    let head = line(1, header);
    let both = format!("{head}{}", line(2, row));
    let of = |inner: &str| workbook(&sheet(inner), "", "");
    let part = |part: Part| with(header, row, part);
    let strings = |count: u64| format!(r#"<sst count="{count}" uniqueCount="{count}"><si><t>a</t></si></sst>"#);
    let laughs: String = (1..10)
        .map(|n| format!(r#"<!ENTITY l{n} "{}">"#, repeat_n(format!("&l{};", n - 1), 10).collect::<String>()))
        .collect();
    let with_entities = |entities: &str, text: &str| {
        let inner = format!("{head}<row>{}</row>", cell("A2", text));
        workbook(&format!("<!DOCTYPE worksheet [{entities}]>{}", sheet(&inner)), "", "")
    };
    let at = |reference: &str| of(&format!("{head}<row>{}</row>", cell(reference, "x")));
    let second = |cells: &str| of(&format!("{head}<row>{cells}</row>"));
    vec![
        file(
            "shared texts that claim to be 2^30",
            part(Part::stored("xl/sharedStrings.xml", strings(1 << 30))),
            TOO_MUCH,
        ),
        file(
            "shared texts that claim to be 2^62",
            part(Part::stored("xl/sharedStrings.xml", strings(1 << 62))),
            TOO_MUCH,
        ),
        file(
            "shared texts that claim to be all there may be",
            part(Part::stored("xl/sharedStrings.xml", strings(u64::MAX))),
            &[Read, Heavy("memory_bound"), Refused("unreadable_workbook")],
        ),
        file(
            "millions of formats",
            part(bomb("xl/styles.xml", "<styleSheet><cellXfs>", "<xf/>", 60_000_000)),
            TOO_MUCH,
        ),
        file(
            "tags within tags",
            part(bomb("xl/worksheets/sheet1.xml", "<worksheet><sheetData>", "<a>", 60_000_000)),
            TOO_MUCH,
        ),
        file(
            "a row without end",
            part(bomb("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row>", "<c/>", 12_000_000)),
            TOO_MUCH,
        ),
        file(
            "a sheet that claims every cell",
            workbook(
                &format!(r#"<worksheet><dimension ref="A1:XFD1048576"/><sheetData>{both}</sheetData></worksheet>"#),
                "",
                "",
            ),
            &[Read],
        ),
        file(
            "a sheet that claims cells beyond number",
            workbook(
                &format!(
                    r#"<worksheet><dimension ref="A1:ZZZZZZZZ99999999999"/><sheetData>{both}</sheetData></worksheet>"#
                ),
                "",
                "",
            ),
            NO_WORKBOOK,
        ),
        file("a column beyond number", at("ZZZZZZZZZ2"), NO_WORKBOOK),
        file("a column beyond the last", at("XFE2"), NO_WORKBOOK),
        file("a row beyond number", at("A99999999999"), NO_WORKBOOK),
        file("row zero", at("A0"), NO_WORKBOOK),
        file("a negative row", at("A-2"), NO_WORKBOOK),
        file("rows that go back up", of(&format!("{head}{}{}", line(9, row), line(3, row))), NO_WORKBOOK),
        file(
            "shared formulas without number",
            second(&format!(
                r#"<c r="A2"><f t="shared" ref="A1:XFD1048576" si="4294967295">A1</f><v>1</v></c>{}"#,
                r#"<c><f t="shared" si="4294967295"/><v>1</v></c>"#.repeat(10_000)
            )),
            &[Refused("damaged_cells")],
        ),
        file("a style that is none", second(r#"<c r="A2" s="99999999999" t="str"><v>x</v></c>"#), &[Read]),
        file("a shared text that is none", second(r#"<c r="A2" t="s"><v>4294967295</v></c>"#), NO_WORKBOOK),
        file("numbers without end", second(r#"<c r="A2"><v>1e308</v></c>"#), &[Refused("damaged_cells")]),
        file("no number", second(r#"<c r="A2"><v>NaN</v></c>"#), &[Read]),
        file("a cell of an unknown type", second(r#"<c r="A2" t="zzz"><v>1</v></c>"#), NO_WORKBOOK),
        file(
            "a date beyond time",
            workbook(
                &sheet(&format!(r#"{head}<row><c r="A2" s="1"><v>1e300</v></c></row>"#)),
                r#"<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>"#,
                "",
            ),
            &[Refused("damaged_cells"), Refused("unreadable_workbook")],
        ),
        file(
            "entities within entities",
            with_entities(&format!(r#"<!ENTITY l0 "lol">{laughs}"#), "&l9;"),
            &[Read, Refused("unreadable_workbook")],
        ),
        file(
            "an entity of this machine",
            with_entities(r#"<!ENTITY f SYSTEM "file:///etc/passwd">"#, "&f;"),
            NO_WORKBOOK,
        ),
        file("a cell of 200,000 characters", second(&cell("A2", &"x".repeat(200_000))), &[Heavy("cell_bound")]),
        file(
            "one long text in every cell",
            {
                let mut all =
                    parts(&sheet(&format!("{head}<row>{}</row>", r#"<c t="s"><v>0</v></c>"#.repeat(10_000))), "", "");
                all.push(Part::stored(
                    "xl/sharedStrings.xml",
                    format!("<sst><si><t>{}</t></si></sst>", "x".repeat(9_000_000)),
                ));
                zip(&all)
            },
            &[Heavy("cell_bound")],
        ),
        file(
            "a workbook without a sheet",
            part(Part::stored("xl/workbook.xml", "<workbook><sheets/></workbook>")),
            NO_WORKBOOK,
        ),
        file(
            "a sheet that is hidden",
            {
                let mut all = parts(&sheet(&both), "", "");
                let book = all.iter_mut().find(|part| part.name == "xl/workbook.xml").unwrap();
                let text =
                    String::from_utf8(book.bytes.clone()).unwrap().replace("sheetId", "state=\"hidden\" sheetId");
                *book = Part::stored("xl/workbook.xml", text);
                zip(&all)
            },
            NO_WORKBOOK,
        ),
        file("a sheet cut short", workbook(&format!("<worksheet><sheetData>{head}<row>"), "", ""), NO_WORKBOOK),
        file("a header alone, in a workbook", of(&head), &[NoRows]),
        file("no cell at all", of(""), &[Refused("empty_file")]),
    ]
}

/// Every hostile file, for a door that reads this header and this row.
pub fn all(header: &str, row: &str) -> Vec<Hostile> {
    [texts(header, row), archives(header, row), workbooks(header, row)].into_iter().flatten().collect()
}
