//! What is taken and what is not: a corpus that grows, each file with what is said of it.

use std::io::Write as _;

use super::inspect::{Report, inspect};
use super::kinds::{MediaType, Unfit};
use super::samples::{deflated, jpeg, jpeg_claiming, pdf, png, png_claiming, stream};

fn looked_at(files: &[Vec<u8>]) -> (Result<Report, Unfit>, Vec<u8>) {
    let mut spool = tempfile::tempfile().unwrap();
    files.iter().for_each(|file| spool.write_all(file).unwrap());
    let lengths: Vec<u64> = files.iter().map(|file| u64::try_from(file.len()).unwrap()).collect();
    let mut made = Vec::new();
    let report = inspect(&spool, &lengths, "2025-06-05".parse().unwrap(), &mut made);
    (report, made)
}

fn grey(width: u32, height: u32) -> Vec<u8> {
    jpeg(width, height, None, |x, y| [u8::try_from((x + y) % 200).unwrap(); 3])
}

/// Code of the refusal of a file alone, or what it is.
fn verdict(file: &[u8]) -> String {
    match looked_at(&[file.to_vec()]).0 {
        Ok(report) => report.files[0].to_string(),
        Err(unfit) => {
            // Says what to do, in a sentence or two of French.
            assert!(unfit.message.len() > 35 && unfit.message.ends_with('.'), "{unfit:?}");
            unfit.code
        }
    }
}

fn zip(first: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    bytes.extend_from_slice(&[length, length].concat());
    bytes.extend_from_slice(&u16::try_from(first.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(first.as_bytes());
    bytes.extend_from_slice(content);
    bytes
}

fn ole(stream: &str) -> Vec<u8> {
    let mut bytes = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    bytes.resize(1_024, 0);
    bytes.extend(stream.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

#[test]
fn what_is_no_proof_is_refused_with_what_to_do() {
    let corpus: &[(&str, Vec<u8>)] = &[
        ("empty_file", Vec::new()),
        ("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
        ("heic", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic".to_vec()),
        ("heic", b"\0\0\0\x18ftypheif\0\0\0\0".to_vec()),
        ("avif", b"\0\0\0\x18ftypavif\0\0\0\0".to_vec()),
        ("video", b"\0\0\0\x18ftypisom\0\0\0\0".to_vec()),
        ("word", zip("word/document.xml", b"<w:document/>")),
        ("word", ole("WordDocument")),
        ("odt", zip("mimetype", b"application/vnd.oasis.opendocument.text")),
        ("spreadsheet", zip("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")),
        ("spreadsheet", zip("xl/workbook.xml", b"<workbook/>")),
        ("spreadsheet", ole("Workbook")),
        ("office", zip("[Content_Types].xml", b"<Types/>")),
        ("mail", ole("__nameid_version1.0")),
        ("mail", b"Received: from x\r\nSubject: y\r\n".to_vec()),
        ("signature_envelope", zip("mimetype", b"application/vnd.etsi.asic-e+zip")),
        ("signature_envelope", vec![0x30, 0x82, 0x10, 0, 6, 9]),
        ("archive", zip("lettre.pdf", b"%PDF-1.7")),
        ("archive", b"Rar!\x1a\x07\0".to_vec()),
        ("tiff", b"II*\0\x08\0\0\0".to_vec()),
        ("tiff", b"MM\0*\0\0\0\x08".to_vec()),
        ("webp", b"RIFF\0\0\0\0WEBPVP8 ".to_vec()),
        ("gif", b"GIF89a\x01\0\x01\0".to_vec()),
        ("bmp", b"BM\0\0\0\0".to_vec()),
        ("other_image", b"\0\0\0\x0CJXL \r\n\x87\n".to_vec()),
        ("rtf", b"{\\rtf1\\ansi}".to_vec()),
        ("program", b"MZ\x90\0\x03".to_vec()),
        ("program", b"\x7fELF\x02\x01".to_vec()),
        ("program", b"#!/bin/sh\n".to_vec()),
        ("html", b"\xEF\xBB\xBF  <!DOCTYPE html><script>alert(1)</script>".to_vec()),
        ("svg", b"<svg onload='alert(1)'/>".to_vec()),
        ("xml", b"<?xml version='1.0'?><a/>".to_vec()),
        ("unknown_type", "Délibération n° 12".as_bytes().to_vec()),
        ("unknown_type", vec![0; 100]),
        // A PDF behind a web page: a polyglot that another program would show.
        ("html", [b"<html><script>1</script>".to_vec(), pdf(&[], "")].concat()),
        ("pdf_not_first", [b"\n\n".to_vec(), pdf(&[], "")].concat()),
    ];
    for (code, file) in corpus {
        assert_eq!(verdict(file), *code, "{:?}", String::from_utf8_lossy(&file[..file.len().min(40)]));
    }
}

#[test]
fn a_file_is_whole_or_refused() {
    let (paper, photo, drawing) = (pdf(&[], ""), grey(40, 30), png(20, 20, |_, _| [1, 2, 3, 255]));
    assert_eq!(verdict(&paper), "application/pdf");
    assert_eq!(verdict(&photo), "image/jpeg");
    assert_eq!(verdict(&drawing), "image/png");
    // What a telephone or an office writes behind the end does no harm.
    assert_eq!(verdict(&[paper.clone(), b"\r\n\0\0".to_vec()].concat()), "application/pdf");
    assert_eq!(verdict(&[photo.clone(), zip("film.mp4", b"x")].concat()), "image/jpeg");
    assert_eq!(verdict(&[drawing.clone(), b"rest".to_vec()].concat()), "image/png");
    for (file, length) in [(&paper, paper.len() - 20), (&photo, photo.len() - 2), (&drawing, drawing.len() - 12)] {
        assert_eq!(verdict(&file[..length]), "truncated", "{length}");
    }
    // Wherever it is cut, it is refused, and nothing breaks.
    for whole in [&photo, &drawing] {
        for length in 1..whole.len() - 12 {
            assert!(looked_at(&[whole[..length].to_vec()]).0.is_err(), "{length} of {}", whole.len());
        }
    }
    let mut bent = drawing.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 0xFF;
    assert_eq!(verdict(&bent), "damaged");
    assert_eq!(verdict(b"%PDF-x.y\nobj startxref %%EOF"), "damaged");
    assert_eq!(verdict(b"%PDF-1.7\n%%EOF"), "damaged");
    assert_eq!(verdict(&[0xFF, 0xD8, 0xFF, 0xD9]), "damaged");
    assert_eq!(verdict(&[0xFF, 0xD8, 0xFF, 0xFF, 0xFF]), "truncated");
}

#[test]
fn what_runs_in_a_pdf_is_refused_and_what_is_inert_is_taken() {
    let inside = |names: &[u8]| stream("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", &deflated(names));
    let attached = |data: &[u8]| stream("/Type /EmbeddedFile /Filter /FlateDecode", &deflated(data));
    let object = |text: &str| text.as_bytes().to_vec();
    let cases: &[(&str, Vec<u8>)] = &[
        ("pdf_encrypted", pdf(&[], "/Encrypt 9 0 R")),
        ("pdf_script", pdf(&[object("<< /S /JavaScript /JS (app.alert\\(1\\)) >>")], "")),
        ("pdf_script", pdf(&[object("<< /S /J#61vaScript /J#53 (x) >>")], "")),
        ("pdf_script", pdf(&[object("<< /S /Launch /F (cmd.exe) >>")], "")),
        ("pdf_script", pdf(&[object("<< /Type /Annot /Subtype /RichMedia >>")], "")),
        ("pdf_script", pdf(&[object("<< /S /SubmitForm /F (https://example.fr) >>")], "")),
        ("pdf_script", pdf(&[object("<< /AcroForm << /XFA [(template) 5 0 R] >> >>")], "")),
        ("pdf_script", pdf(&[inside(b"9 0 << /S /JavaScript /JS (x) >>")], "")),
        ("pdf_script", pdf(&[stream("/Type /ObjStm /N 1 /First 4", b"9 0 << /S /JavaScript /JS (x) >>")], "")),
        // The object stream is damaged at its end: what can be read of it counts.
        ("pdf_script", {
            let mut cut = deflated(b"9 0 << /S /JavaScript /JS (x) >> and some more of it, to be cut off");
            cut.truncate(cut.len() - 4);
            pdf(&[stream("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", &cut)], "")
        }),
        ("pdf_program", pdf(&[attached(b"MZ\x90\0 a program")], "")),
        ("pdf_program", pdf(&[stream("/Type /EmbeddedFile", b"#!/bin/sh\nrm")], "")),
        ("inflates_too_much", pdf(&[inside(&vec![b' '; 70_000_000])], "")),
        // Taken: data attached (our own papers have some), forms, signatures, links; the words themselves.
        ("application/pdf", pdf(&[attached(b"{\"input\":1}")], "")),
        ("application/pdf", pdf(&[object("<< /Type /Sig /Filter /Adobe.PPKLite /Contents <00> >>")], "")),
        ("application/pdf", pdf(&[object("<< /S /URI /URI (https://exemple.invalid/JavaScript) >>")], "")),
        ("application/pdf", pdf(&[object("<< /Title (Un /JavaScript \\(et /Launch\\) dans le texte) >>")], "")),
        ("application/pdf", pdf(&[stream("", b"BT (/JavaScript /Launch /Encrypt) Tj ET /JS")], "")),
        ("application/pdf", pdf(&[object("<< /EncryptMetadata true /JSON 1 >>")], "")),
        ("application/pdf", pdf(&[inside(b"9 0 << /Type /Font >>")], "")),
    ];
    for (expected, file) in cases {
        assert_eq!(verdict(file), *expected, "{}", String::from_utf8_lossy(&file[..file.len().min(600)]));
    }
}

#[test]
fn photos_become_pages_and_a_bomb_does_not() {
    let several = |files: &[Vec<u8>]| looked_at(files);
    let (report, made) = several(&[grey(300, 200), png(50, 80, |_, _| [0, 0, 0, 0])]);
    let report = report.unwrap();
    assert_eq!(report.files, [MediaType::Jpeg, MediaType::Png]);
    assert_eq!(report.composed, Some(u64::try_from(made.len()).unwrap()));
    assert!(made.starts_with(b"%PDF-") && super::pdf::look(&made).is_ok());
    let code = |files: &[Vec<u8>]| several(files).0.map_err(|unfit| (unfit.file, unfit.code)).unwrap_err();
    assert_eq!(code(&[grey(10, 10), jpeg_claiming(65_000, 65_000)]), (1, "too_many_pixels".to_owned()));
    assert_eq!(code(&[png_claiming(100_000, 100_000), grey(10, 10)]), (0, "too_many_pixels".to_owned()));
    // Within the bound by its header, and nothing of the kind behind it.
    assert_eq!(code(&[grey(10, 10), png_claiming(8_000, 8_000)]), (1, "damaged".to_owned()));
    let inks = include_bytes!("../../../tests/data/photos/cmyk.jpg").to_vec();
    assert_eq!(code(&[grey(10, 10), inks.clone()]), (1, "four_colours".to_owned()));
    assert_eq!(verdict(&inks), "image/jpeg");
    assert_eq!(code(&[grey(10, 10), pdf(&[], "")]), (1, "pdf_among_photos".to_owned()));
    assert_eq!(code(&[grey(10, 10), grey(10, 10), Vec::new()]), (2, "empty_file".to_owned()));
    // Alone it is decoded by nobody here, and kept, but for what would make its readers fall over.
    assert_eq!(verdict(&jpeg_claiming(16_000, 12_000)), "image/jpeg");
    assert_eq!(verdict(&jpeg_claiming(65_000, 65_000)), "too_many_pixels");
    assert_eq!(verdict(&png_claiming(2_000_000_000, 1)), "too_many_pixels");
}

#[test]
fn the_same_photos_make_the_same_pdf() {
    let photos = [grey(300, 200), grey(200, 300)];
    assert_eq!(looked_at(&photos).1, looked_at(&photos).1);
    assert_ne!(looked_at(&photos).1, looked_at(&[photos[1].clone(), photos[0].clone()]).1);
}

#[test]
fn a_name_is_a_text_and_nothing_else() {
    let shown = super::given::shown_name;
    assert_eq!(shown("C:\\Users\\mairie\\Convention signée.pdf").as_deref(), Some("Convention signée.pdf"));
    assert_eq!(shown("../../etc/passwd").as_deref(), Some("passwd"));
    assert_eq!(shown("a\u{202E}fdp.exe\r\n").as_deref(), Some("a_fdp.exe__"));
    assert_eq!(shown("dossier/"), None);
    assert_eq!(shown(&"é".repeat(300)).unwrap().chars().count(), 200);
}
