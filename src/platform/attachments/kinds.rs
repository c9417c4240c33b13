//! What a file is, by its first bytes, and what to do about those that are not taken.

use serde::{Deserialize, Serialize};

use crate::text_enum;

text_enum!(
    /// Type d'un fichier, reconnu à son contenu.
    MediaType { Pdf => "application/pdf", Jpeg => "image/jpeg", Png => "image/png" }
);

impl MediaType {
    #[must_use]
    pub const fn is_photo(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png)
    }

    /// How a name of ours ends.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}

/// Why a file is not taken: a stable code, and what to do, in French.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfit {
    /// Rank of the file among those given, from 0.
    pub file: usize,
    pub code: String,
    pub message: String,
}

impl Unfit {
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { file: 0, code: code.to_owned(), message: message.into() }
    }

    #[must_use]
    pub fn at(self, file: usize) -> Self {
        Self { file, ..self }
    }
}

/// Bytes looked at to know what a file is.
pub const HEAD_BYTES: usize = 8_192;

const AS_PDF: &str = "Enregistrez-le en PDF (Fichier, Enregistrer sous ou Exporter, PDF) et envoyez ce PDF ; si \
    c'est un acte signé à la main, numérisez ou photographiez le papier signé.";
const AS_JPEG: &str = "Exportez l'image en JPEG ou en PNG, ou en PDF, puis envoyez-la.";

/// What the first bytes of a file say it is.
///
/// # Errors
/// What to do with a file that is not taken.
pub fn recognise(head: &[u8]) -> Result<MediaType, Unfit> {
    if head.is_empty() {
        return Err(Unfit::new(
            "empty_file",
            "Le fichier est vide : vérifiez qu'il s'ouvre chez vous, puis renvoyez-le.",
        ));
    }
    if head.starts_with(b"%PDF-") {
        return Ok(MediaType::Pdf);
    }
    if head.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Ok(MediaType::Jpeg);
    }
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(MediaType::Png);
    }
    Err(other(head))
}

fn other(head: &[u8]) -> Unfit {
    let (code, what, todo) = known(head);
    Unfit::new(code, format!("{what} {todo}"))
}

/// Code, what it is, what to do.
fn known(head: &[u8]) -> (&'static str, &'static str, &'static str) {
    if let Some(brand) = brand(head) {
        return isobmff(brand);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return zipped(head);
    }
    if head.starts_with(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
        return ole(head);
    }
    let starts = |magic: &[u8]| head.starts_with(magic);
    if starts(b"II*\0") || starts(b"MM\0*") || starts(b"II+\0") {
        let todo = "Réglez le numériseur sur PDF, ou exportez l'image en PDF ou en JPEG.";
        return ("tiff", "C'est une image TIFF, que peu de logiciels affichent.", todo);
    }
    if starts(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return ("webp", "C'est une image WebP.", AS_JPEG);
    }
    if starts(b"GIF8") {
        return ("gif", "C'est une image GIF.", AS_JPEG);
    }
    if starts(b"BM") {
        return ("bmp", "C'est une image BMP.", AS_JPEG);
    }
    if starts(b"\0\0\0\x0CJXL ") || starts(&[0xFF, 0x0A]) || starts(b"\0\0\0\x0CjP  ") {
        return ("other_image", "C'est une image d'un format peu répandu (JPEG XL, JPEG 2000).", AS_JPEG);
    }
    if starts(b"{\\rtf") {
        return ("rtf", "C'est un document RTF.", AS_PDF);
    }
    if starts(b"MZ") || starts(b"\x7fELF") || starts(b"#!") || starts(&[0xCF, 0xFA, 0xED, 0xFE]) {
        return (
            "program",
            "C'est un programme, pas un document.",
            "Envoyez le document lui-même, en PDF ou en photo.",
        );
    }
    if starts(b"Rar!") || starts(b"7z\xBC\xAF\x27\x1C") || starts(&[0x1F, 0x8B]) {
        let todo = "Décompressez-la et envoyez le PDF ou les photos qu'elle contient.";
        return ("archive", "C'est une archive compressée.", todo);
    }
    if starts(&[0x30, 0x82]) || starts(&[0x30, 0x83]) || starts(&[0x30, 0x80]) || starts(b"-----BEGIN") {
        let todo = "Envoyez le PDF signé que donne aussi le parapheur, plutôt que la signature détachée (.p7m, .p7s).";
        return ("signature_envelope", "C'est une enveloppe de signature électronique.", todo);
    }
    text(head)
}

/// The brand of a file of ISO's media format.
fn brand(head: &[u8]) -> Option<&[u8]> {
    (head.get(4..8)? == b"ftyp").then(|| head.get(8..12)).flatten()
}

fn isobmff(brand: &[u8]) -> (&'static str, &'static str, &'static str) {
    match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"heif" | b"mif1" | b"msf1" => (
            "heic",
            "C'est une photo HEIC (iPhone, iPad, certains Samsung).",
            "Sur l'appareil : Réglages, Appareil photo, Formats, « Le plus compatible », et reprenez la photo ; ou ouvrez-la, \
             puis exportez-la en JPEG ou enregistrez-la en PDF.",
        ),
        b"avif" | b"avis" => ("avif", "C'est une image AVIF.", AS_JPEG),
        _ => ("video", "C'est une vidéo.", "Photographiez les pages une à une, ou numérisez-les en PDF."),
    }
}

fn holds(head: &[u8], word: &[u8]) -> bool {
    head.windows(word.len()).any(|window| window == word)
}

/// A zip by what it begins with: offices write the parts that name them first.
fn zipped(head: &[u8]) -> (&'static str, &'static str, &'static str) {
    if holds(head, b"application/vnd.oasis.opendocument.text") {
        return ("odt", "C'est un document LibreOffice (ODT).", AS_PDF);
    }
    if holds(head, b"application/vnd.oasis.opendocument") {
        return ("spreadsheet", "C'est un classeur ou une présentation LibreOffice.", AS_PDF);
    }
    if holds(head, b"word/") {
        return ("word", "C'est un document Word (DOCX).", AS_PDF);
    }
    if holds(head, b"xl/") || holds(head, b"ppt/") {
        return ("spreadsheet", "C'est un classeur Excel ou une présentation PowerPoint.", AS_PDF);
    }
    if holds(head, b"[Content_Types].xml") {
        return ("office", "C'est un document bureautique (Word, Excel, PowerPoint).", AS_PDF);
    }
    if holds(head, b"application/vnd.etsi.asic") {
        let todo = "Ouvrez-le et envoyez le PDF signé qu'il contient.";
        return ("signature_envelope", "C'est un conteneur de signature électronique (ASiC).", todo);
    }
    let todo = "Décompressez-la et envoyez le PDF ou les photos qu'elle contient.";
    ("archive", "C'est une archive compressée (ZIP).", todo)
}

/// The older format of offices and mail programs; the names of its streams, in UTF-16, say which.
fn ole(head: &[u8]) -> (&'static str, &'static str, &'static str) {
    let wide = |name: &str| name.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    if holds(head, &wide("Workbook")) || holds(head, &wide("PowerPoint Document")) {
        return ("spreadsheet", "C'est un classeur Excel ou une présentation PowerPoint.", AS_PDF);
    }
    if holds(head, &wide("__nameid_version")) {
        return ("mail", "C'est un message Outlook.", "Envoyez plutôt sa pièce jointe, ou imprimez le message en PDF.");
    }
    ("word", "C'est un document Word (ou d'un autre ancien logiciel de bureau).", AS_PDF)
}

fn text(head: &[u8]) -> (&'static str, &'static str, &'static str) {
    let start = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let start = start.get(..64).unwrap_or(start).to_ascii_lowercase();
    if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") {
        return ("html", "C'est une page web.", "Imprimez-la en PDF et envoyez ce PDF.");
    }
    if start.starts_with(b"<svg") || (start.starts_with(b"<?xml") && holds(head, b"<svg")) {
        return ("svg", "C'est un dessin SVG.", "Exportez-le en PDF.");
    }
    if start.starts_with(b"<?xml") {
        return ("xml", "C'est un fichier XML.", "Envoyez le document lisible, en PDF.");
    }
    if start.starts_with(b"received:") || start.starts_with(b"return-path:") || start.starts_with(b"mime-version:") {
        return (
            "mail",
            "C'est un message électronique.",
            "Envoyez plutôt sa pièce jointe, ou imprimez le message en PDF.",
        );
    }
    // A PDF behind something else: another program would open it, one that trusts the start would not.
    if holds(head, b"%PDF-") {
        let todo = "Ouvrez-le et imprimez-le en PDF, puis envoyez ce nouveau PDF.";
        return ("pdf_not_first", "C'est un PDF précédé d'autre chose.", todo);
    }
    let todo = "Envoyez un PDF, ou des photos JPEG ou PNG des pages.";
    ("unknown_type", "Ce fichier n'est ni un PDF, ni une photo JPEG ou PNG.", todo)
}
