//! What the bytes of a text file are: UTF-8, Windows-1252, or no text at all.
//!
//! Windows-1252 accepts nearly any byte, so it is only believed when the file is not a damaged UTF-8 one: names
//! would otherwise come in as « Ã©cole » without a word.

use std::io::{BufReader, ErrorKind, Read};

use super::fault::FileFault;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Windows1252,
}

pub(super) const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";

/// Starts of files that are surely something else, and what they are.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"\xD0\xCF\x11\xE0", "un ancien classeur (.xls) ou un classeur protégé par mot de passe"),
    (b"%PDF", "un PDF"),
    (b"\x1F\x8B", "une archive"),
    (b"\x89PNG", "une image"),
    (b"\xFF\xD8\xFF", "une image"),
];

/// Reads everything and tells the encoding.
///
/// # Errors
/// `empty_file`, `binary_file`, `unreadable_encoding`.
pub(super) fn encoding(mut source: impl Read) -> Result<Encoding, FileFault> {
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut scan = Scan::default();
    let (mut held, mut start) = (0, true);
    loop {
        let read = match source.read(buffer.get_mut(held..).unwrap_or_default()) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(FileFault::unreadable(&error)),
        };
        let end = held + read;
        let bytes = buffer.get(..end).unwrap_or_default();
        if start {
            recognise(bytes)?;
            scan.bom = bytes.starts_with(UTF8_BOM);
            start = false;
        }
        let consumed = scan.feed(bytes, read == 0)?;
        buffer.copy_within(consumed..end, 0);
        held = end - consumed;
        if read == 0 {
            return scan.verdict();
        }
    }
}

fn recognise(head: &[u8]) -> Result<(), FileFault> {
    if let Some((_, what)) = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)) {
        return Err(FileFault::new(
            "binary_file",
            format!("Ce fichier est {what} : enregistrer la feuille en CSV ou en classeur .xlsx sans mot de passe."),
        ));
    }
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Err(FileFault::new(
            "unreadable_encoding",
            "Le fichier est en UTF-16 (« texte Unicode ») : l'enregistrer en « CSV UTF-8 ».",
        ));
    }
    Ok(())
}

/// How the lines of a text end: by `\n`, a `\r` before it or not, or by `\r` alone as old exports do.
///
/// The first end of line out of quotes tells; a text that is one line has none.
///
/// # Errors
/// `unreadable_file`.
pub(super) fn line_end(source: impl Read) -> Result<u8, FileFault> {
    let (mut quoted, mut carriage) = (false, false);
    for byte in BufReader::new(source).bytes() {
        let byte = byte.map_err(|error| FileFault::unreadable(&error))?;
        match byte {
            b'\n' if !quoted => return Ok(b'\n'),
            _ if carriage => return Ok(b'\r'),
            b'"' => quoted = !quoted,
            b'\r' => carriage = !quoted,
            _ => {}
        }
    }
    Ok(if carriage { b'\r' } else { b'\n' })
}

#[derive(Debug, Default)]
struct Scan {
    bom: bool,
    /// Characters of several bytes that are right in UTF-8.
    wide: u64,
    /// Bytes that cannot be UTF-8.
    broken: u64,
    first_broken_line: Option<u64>,
    line_ends: u64,
    /// Line of the first byte that means nothing in Windows-1252.
    undefined_line: Option<u64>,
    anything: bool,
}

impl Scan {
    /// Looks at bytes; returns how many were used, a character cut by the end of the buffer being left.
    fn feed(&mut self, bytes: &[u8], last: bool) -> Result<usize, FileFault> {
        let mut rest = bytes;
        loop {
            let (sound, wrong, cut) = match std::str::from_utf8(rest) {
                Ok(_) => (rest, 0, true),
                Err(error) => {
                    let sound = rest.get(..error.valid_up_to()).unwrap_or_default();
                    let tail = rest.len() - sound.len();
                    (sound, error.error_len().unwrap_or(tail), error.error_len().is_none() && !last)
                }
            };
            self.sound(sound)?;
            if cut {
                return Ok(bytes.len() - (rest.len() - sound.len()));
            }
            let Some((bad, after)) = rest.get(sound.len()..).and_then(|tail| tail.split_at_checked(wrong)) else {
                return Ok(bytes.len());
            };
            self.broken += 1;
            self.first_broken_line.get_or_insert(self.line_ends + 1);
            self.undefined(bad);
            rest = after;
        }
    }

    fn sound(&mut self, bytes: &[u8]) -> Result<(), FileFault> {
        if bytes.contains(&0) {
            return Err(FileFault::new(
                "binary_file",
                "Ce fichier n'est pas du texte : un CSV ou un classeur .xlsx est attendu.",
            ));
        }
        // One plain question a pass: the compiler asks it of many bytes at a time.
        let count = |asked: fn(&u8) -> bool| bytes.iter().map(|byte| u64::from(asked(byte))).sum::<u64>();
        self.line_ends += count(|byte| *byte == b'\n');
        self.wide += count(|byte| *byte >= 0xC0);
        self.anything |= !bytes.iter().all(u8::is_ascii_whitespace);
        self.undefined(bytes);
        Ok(())
    }

    fn undefined(&mut self, bytes: &[u8]) {
        if self.undefined_line.is_none() && bytes.iter().any(|b| matches!(b, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)) {
            self.undefined_line = Some(self.line_ends + 1);
        }
    }

    fn verdict(self) -> Result<Encoding, FileFault> {
        let refuse = |line: u64| {
            FileFault::new(
                "unreadable_encoding",
                format!(
                    "Caractères illisibles vers la ligne {line} : le fichier n'est ni en UTF-8 ni en Windows-1252. L'enregistrer en « CSV UTF-8 »."
                ),
            )
        };
        match (self.first_broken_line, self.undefined_line) {
            _ if !self.anything && self.broken == 0 => Err(FileFault::empty()),
            (None, _) => Ok(Encoding::Utf8),
            (Some(line), _) if self.bom || self.wide > self.broken => Err(refuse(line)),
            (Some(_), Some(line)) => Err(refuse(line)),
            (Some(_), None) => Ok(Encoding::Windows1252),
        }
    }
}
