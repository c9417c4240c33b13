//! A PDF looked at without being opened: it has a beginning, objects and an end; it is not locked; and nothing in it runs.
//!
//! ```text
//!   bytes ──▶ names outside of strings and streams ──┬─▶ /Encrypt, /JavaScript, /JS, /Launch…      refused
//!         └─▶ streams that hold objects, inflated ───┘   /RichMedia, attached programs
//! ```
//! Names are read as the format writes them (`/J#61vaScript` is `/JavaScript`). Compressed object streams are inflated
//! within a bound; other streams are pictures and text, in which a name means nothing. An author who wants to can still
//! hide (in a stream filtered twice, for instance): this keeps out what offices and tool kits write, the antivirus and
//! the reader's own sandbox are for the rest.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::kinds::Unfit;

/// Bytes that all the object streams of a file may inflate to.
const INFLATED: u64 = 64 * 1024 * 1024;
/// Bytes behind the last `startxref` in which the end must stand.
const TAIL: usize = 2_048;
/// Streams of one file: a page takes a few.
const STREAMS: usize = 200_000;

/// Looks through the whole file.
///
/// # Errors
/// Why it is not taken.
pub fn look(bytes: &[u8]) -> Result<(), Unfit> {
    let version = bytes.get(5..8).unwrap_or_default();
    if !matches!(version, [b'1' | b'2', b'.', b'0'..=b'9']) {
        return Err(damaged());
    }
    let tail = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
    if !holds(tail, b"%%EOF") {
        let message =
            "Le PDF est incomplet : il a été coupé en route, ou mal enregistré. Ouvrez l'original et renvoyez-le.";
        return Err(Unfit::new("truncated", message));
    }
    if !holds(bytes, b"startxref") || !holds(bytes, b"obj") {
        return Err(damaged());
    }
    let mut names = Names::default();
    let mut left = INFLATED;
    for piece in pieces(bytes) {
        match piece {
            Piece::Text(text) => names.read(text),
            Piece::Stream { head, data } => {
                if holds(head, b"ObjStm") || holds(head, b"ObjS#") {
                    let inflated = inflate(data, left)?;
                    left = left.saturating_sub(u64::try_from(inflated.len()).unwrap_or(u64::MAX));
                    // One that is not compressed gives nothing, and is read as it is.
                    names.read(if inflated.is_empty() { data } else { &inflated });
                } else if holds(head, b"EmbeddedFile") && is_program(head, data) {
                    names.program = true;
                }
            }
        }
    }
    names.verdict()
}

/// What stands between streams, and streams with what is said of them.
enum Piece<'b> {
    Text(&'b [u8]),
    Stream { head: &'b [u8], data: &'b [u8] },
}

fn pieces(bytes: &[u8]) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = find(bytes.get(at..).unwrap_or_default(), b"stream") {
        let keyword = at + step;
        // `endstream` and names that end alike begin no data; neither does the word in a text.
        let before = bytes.get(at..keyword).unwrap_or_default();
        let opens = before.trim_ascii_end().ends_with(b">>");
        let after = bytes.get(keyword + 6..).unwrap_or_default();
        let data =
            after.strip_prefix(b"\r\n").or_else(|| after.strip_prefix(b"\n")).or_else(|| after.strip_prefix(b"\r"));
        let (true, Some(data)) = (opens, data) else {
            found.push(Piece::Text(bytes.get(at..keyword + 6).unwrap_or_default()));
            at = keyword + 6;
            continue;
        };
        let length = find(data, b"endstream").unwrap_or(data.len());
        found.push(Piece::Text(before));
        let head = before.get(before.len().saturating_sub(2_048)..).unwrap_or_default();
        let head = rfind(head, b"obj").and_then(|object| head.get(object..)).unwrap_or(head);
        found.push(Piece::Stream { head, data: data.get(..length).unwrap_or_default() });
        at = bytes.len() - data.len() + length;
        if found.len() > STREAMS * 2 {
            break;
        }
    }
    found.push(Piece::Text(bytes.get(at..).unwrap_or_default()));
    found
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, word)
}

fn rfind(bytes: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::rfind(bytes, word)
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    find(bytes, word).is_some()
}

/// What can be inflated of a stream: readers show what they can, so that is what is looked at.
fn inflate(data: &[u8], most: u64) -> Result<Vec<u8>, Unfit> {
    let mut inflated = Vec::new();
    let _ = ZlibDecoder::new(data).take(most.saturating_add(1)).read_to_end(&mut inflated);
    if u64::try_from(inflated.len()).unwrap_or(u64::MAX) > most {
        let message = "Ce PDF se déploie au-delà de toute mesure : imprimez-le en PDF, et envoyez ce nouveau PDF.";
        return Err(Unfit::new("inflates_too_much", message));
    }
    Ok(inflated)
}

/// Whether an attached file begins as a program does.
fn is_program(head: &[u8], data: &[u8]) -> bool {
    let mut first = [0; 4];
    let read = if holds(head, b"FlateDecode") {
        ZlibDecoder::new(data).read(&mut first).unwrap_or(0)
    } else {
        (&mut &*data).read(&mut first).unwrap_or(0)
    };
    let first = first.get(..read).unwrap_or_default();
    first.starts_with(b"MZ") || first.starts_with(b"\x7fELF") || first.starts_with(b"#!")
}

/// The telling names met.
#[derive(Debug, Default)]
struct Names {
    encrypted: bool,
    runs: bool,
    program: bool,
}

impl Names {
    /// Reads names as they are written; strings and comments are passed over.
    fn read(&mut self, text: &[u8]) {
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            match byte {
                b'(' => at = after_string(text, at),
                b'%' => {
                    let rest = text.get(at..).unwrap_or_default();
                    at += rest.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
                }
                b'/' => {
                    let rest = text.get(at + 1..).unwrap_or_default();
                    let length = rest.iter().position(|b| is_delimiter(*b)).unwrap_or(rest.len());
                    self.meet(&decoded(rest.get(..length).unwrap_or_default()));
                    at += 1 + length;
                }
                _ => at += 1,
            }
        }
    }

    fn meet(&mut self, name: &[u8]) {
        match name {
            b"Encrypt" => self.encrypted = true,
            b"JavaScript" | b"JS" | b"Launch" | b"RichMedia" | b"ImportData" | b"SubmitForm" | b"XFA" => {
                self.runs = true
            }
            _ => {}
        }
    }

    fn verdict(&self) -> Result<(), Unfit> {
        if self.encrypted {
            let message = "Ce PDF est protégé (mot de passe ou restrictions) : personne ne pourra l'ouvrir dans dix ans. \
                Enregistrez-en une copie sans protection, ou imprimez-le en PDF, et envoyez cette copie.";
            return Err(Unfit::new("pdf_encrypted", message));
        }
        if self.program {
            let message = "Ce PDF transporte un programme : imprimez-le en PDF, et envoyez ce nouveau PDF.";
            return Err(Unfit::new("pdf_program", message));
        }
        if self.runs {
            let message = "Ce PDF contient un script, un formulaire dynamique, ou une commande : une pièce n'en a pas besoin. \
                Imprimez-le en PDF, et envoyez ce nouveau PDF.";
            return Err(Unfit::new("pdf_script", message));
        }
        Ok(())
    }
}

/// Where a string in parentheses ends; one that never does is taken for a single parenthesis.
fn after_string(text: &[u8], open: usize) -> usize {
    let (mut at, mut depth) = (open, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
        // Longer than any string of a document: garbage, whose names count.
        if at - open > 65_536 {
            break;
        }
    }
    open + 1
}

const fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        0 | b'\t' | b'\n' | 12 | b'\r' | b' ' | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

/// `J#61vaScript`: a number sign and two digits are one character.
fn decoded(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len().min(64));
    let mut rest = name;
    while let Some((&first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let code = pair.filter(|_| first == b'#').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
        plain.push(code.unwrap_or(first));
    }
    plain
}

fn damaged() -> Unfit {
    let message = "Ce PDF est abîmé : ouvrez-le, imprimez-le en PDF, et envoyez ce nouveau PDF.";
    Unfit::new("damaged", message)
}
