//! Workbooks written part by part, for tests: what no program that writes workbooks would write.

/// One file of an archive.
pub struct Part {
    pub name: String,
    pub bytes: Vec<u8>,
    deflated: bool,
    /// Length and checksum once inflated, as the archive announces them.
    pub inflated: usize,
    crc: u32,
}

impl Part {
    /// Kept as it is.
    pub fn stored(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let crc = crc(&bytes);
        Self { name: name.to_owned(), deflated: false, inflated: bytes.len(), crc, bytes }
    }

    /// Deflated already; its checksum is not known.
    #[allow(dead_code, reason = "one of the two suites that share this deflates")]
    pub fn deflated(name: &str, bytes: Vec<u8>, inflated: usize) -> Self {
        Self { name: name.to_owned(), deflated: true, inflated, crc: 0, bytes }
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (0..8).fold(crc, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 });
    let table: Vec<u32> = (0..256).map(step).collect();
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        let [low, ..] = (crc ^ u32::from(*byte)).to_le_bytes();
        (crc >> 8) ^ table.get(usize::from(low)).unwrap()
    })
}

/// A zip archive.
pub fn zip(parts: &[Part]) -> Vec<u8> {
    let four = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
    let two = |length: usize| u16::try_from(length).unwrap().to_le_bytes();
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for part in parts {
        let method = two(if part.deflated { 8 } else { 0 });
        let common = [
            [20, 0, 0, 0].as_slice(),
            &method,
            &[0; 4],
            &part.crc.to_le_bytes(),
            &four(part.bytes.len()),
            &four(part.inflated),
            &two(part.name.len()),
        ]
        .concat();
        directory.extend(
            [b"PK\x01\x02\x14\0".as_slice(), &common, &[0; 12], &four(out.len()), part.name.as_bytes()].concat(),
        );
        out.extend([b"PK\x03\x04".as_slice(), &common, &[0; 2], part.name.as_bytes(), &part.bytes].concat());
    }
    let (count, length, start) = (two(parts.len()), four(directory.len()), four(out.len()));
    [out, directory, [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &length, &start, &[0; 2]].concat()].concat()
}

const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The parts of a workbook of one sheet.
pub fn parts(sheet: &str, styles: &str, properties: &str) -> Vec<Part> {
    let relation =
        |kind: &str, target: &str| format!(r#"<Relationship Id="{kind}" Type="{OFFICE}/{kind}" Target="{target}"/>"#);
    let relations = |inner: &str| format!(r#"<Relationships xmlns="{RELATIONSHIPS}">{inner}</Relationships>"#);
    let targets = [
        relation("worksheet", "worksheets/sheet1.xml"),
        relation("styles", "styles.xml"),
        relation("sharedStrings", "sharedStrings.xml"),
    ];
    let workbook = format!(
        r#"<workbook xmlns:r="{OFFICE}">{properties}<sheets><sheet name="a" sheetId="1" r:id="worksheet"/></sheets></workbook>"#
    );
    vec![
        Part::stored("_rels/.rels", relations(&relation("officeDocument", "xl/workbook.xml"))),
        Part::stored("xl/_rels/workbook.xml.rels", relations(&targets.concat())),
        Part::stored("xl/workbook.xml", workbook),
        Part::stored("xl/styles.xml", format!("<styleSheet>{styles}</styleSheet>")),
        Part::stored("xl/worksheets/sheet1.xml", sheet),
    ]
}

/// A workbook of one sheet.
pub fn workbook(sheet: &str, styles: &str, properties: &str) -> Vec<u8> {
    zip(&parts(sheet, styles, properties))
}
