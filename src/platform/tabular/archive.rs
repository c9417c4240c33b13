//! Workbooks written part by part, for tests: what no program that writes workbooks would write.

/// A zip archive of parts stored as they are.
pub fn zip(parts: &[(&str, &str)]) -> Vec<u8> {
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

const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The parts of a workbook of one sheet, by their names.
pub fn parts(sheet: &str, styles: &str, properties: &str) -> Vec<(String, String)> {
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
    let all = [
        ("_rels/.rels", relations(&relation("officeDocument", "xl/workbook.xml"))),
        ("xl/_rels/workbook.xml.rels", relations(&targets.concat())),
        ("xl/workbook.xml", workbook),
        ("xl/styles.xml", format!("<styleSheet>{styles}</styleSheet>")),
        ("xl/worksheets/sheet1.xml", sheet.to_owned()),
    ];
    all.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// A workbook of one sheet.
pub fn workbook(sheet: &str, styles: &str, properties: &str) -> Vec<u8> {
    let parts = parts(sheet, styles, properties);
    zip(&parts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
}
