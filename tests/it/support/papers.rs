//! Papers read back by a reader that is not ours (poppler), and proofread: none escapes.
//!
//! ```text
//!   Client: a PDF is fetched ──┐
//!                              ├──▶ proofread: the absurd things a template or a blank field can print
//!   TestApp: a job made one ───┘
//! ```

use std::collections::HashSet;
use std::process::Command;
use std::sync::{LazyLock, Mutex};

use ent_backoffice::platform::db::blobs::digest;
use regex::Regex;

fn poppler(pdf: &[u8], arguments: &[&str]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pdf).unwrap();
    let read = Command::new("pdftotext").args(arguments).arg(file.path()).arg("-").output();
    let read = read.expect("pdftotext (poppler-utils) is missing: run « make test », which installs it");
    assert!(read.status.success(), "{read:?}");
    String::from_utf8(read.stdout).unwrap()
}

/// One space for every run of white space, unbreakable ones too; a word cut at the end of a line is whole again.
pub fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("\u{AD} ", "")
}

/// The text of each page, in reading order, line by line.
pub fn pages(pdf: &[u8]) -> Vec<String> {
    let mut pages: Vec<String> = poppler(pdf, &[]).split('\u{c}').map(str::to_owned).collect();
    // A form feed ends each page.
    pages.pop();
    pages
}

/// The whole text, white space collapsed.
pub fn text_of(pdf: &[u8]) -> String {
    collapsed(&poppler(pdf, &[]))
}

/// The lines as they are seen, columns side by side, white space collapsed.
pub fn rows(pdf: &[u8]) -> Vec<String> {
    poppler(pdf, &["-layout"]).lines().map(collapsed).filter(|line| !line.is_empty()).collect()
}

/// A word where it stands, in hundredths of a point from the left and from the top of its page.
#[derive(Debug, Clone)]
pub struct Word {
    pub page: usize,
    pub left: i64,
    pub top: i64,
    pub right: i64,
    pub bottom: i64,
    pub text: String,
}

pub fn words(pdf: &[u8]) -> Vec<Word> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"<page |<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>"#)
            .unwrap()
    });
    let page_of_words = poppler(pdf, &["-bbox"]);
    let (mut found, mut page) = (Vec::new(), 0);
    for word in WORD.captures_iter(&page_of_words) {
        let Some(text) = word.get(5) else {
            page += 1;
            continue;
        };
        // « 469.431093 »: two decimals are enough.
        let at = |n: usize| {
            let (whole, rest) = word[n].split_once('.').unwrap_or((&word[n], ""));
            format!("{whole}{:0<2.2}", rest).parse::<i64>().unwrap()
        };
        let text = text.as_str().replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
        found.push(Word { page, left: at(1), top: at(2), right: at(3), bottom: at(4), text });
    }
    found
}

/// What no sentence of a paper holds, on a page whose white space is collapsed.
const ABSURD: &[&str] = &[
    // Elision, contraction.
    r"\b[dD]e une?\b",
    r"\b[cC]ommune de Les? ",
    r"COMMUNE DE LES? ",
    r"COMMUNE DE [AEIOUÉÈÊÎ]",
    r"\b[dl]['’]onze\b",
    r"\b(d|D|l|L)[’'] ",
    // A body called twice, or by its file's form.
    r"COMMUNE (DE |D'|DU |DES )?(COMMUNE|MAIRIE|CNE|VILLE D[EU' ]|CC|CA|CU|SI|SM|SIVOM|SIVU|SYNDICAT|COMMUNAUTE)\b",
    r"\bde plein droit à (COMMUNE|COMMUNAUTE|SYNDICAT)\b",
    // Plurals.
    r"\w\((s|e|es|x|ne)\)",
    r"\b[01] (écoles|élèves|classes|créances)\b",
    r"\b([2-9]|[1-9]\d+) (école|élève|classe|créance)\b",
    // Parts that are missing.
    r",\s*[,;.:]",
    // « Fait à ____, le ____ » has blanks to fill in.
    r"\s,(\s*$|\s*[^l\s]|\sl[^e])",
    r"[:;]\s*[,;.:]",
    r"\(\s*\)",
    r"«\s*»",
    r"\bn°\s*([,;.:()—–-]|$)",
    r"[^.]\.\.([^.]|$)",
    r"\s\.(\s|$)",
    r"\bsoumis\s*\.",
    r"représentée? par\s*[,;]",
    r"(adresse|siège est|SIRET :)\s*(,|représenté)",
    // What a program calls nothing, and holes left open.
    r"\b(null|none|None|NaN|undefined|true|false)\b",
    r"Some\(|\{[^}]*\}|\[\]",
];

/// The absurd things a text holds; `real`: nothing in it is still to be written.
pub fn absurdities(page: &str, real: bool) -> Vec<String> {
    static RULES: LazyLock<Vec<Regex>> =
        LazyLock::new(|| ABSURD.iter().map(|rule| Regex::new(rule).unwrap()).collect());
    static EXAMPLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bEXEMPLE\b").unwrap());
    static UNCONTRACTED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(?:[dD]e|[àÀ]) les? (\w*)").unwrap());
    let text = collapsed(page);
    let around = |at: regex::Match<'_>| {
        let before: String = text[..at.start()].chars().rev().take(30).collect::<Vec<_>>().into_iter().rev().collect();
        let after: String = text[at.end()..].chars().take(30).collect();
        format!("« {} » in « {before}{}{after} »", at.as_str(), at.as_str())
    };
    // « de le suivre » is right, « de le Vigan » is not.
    let infinitive = |word: &str| ["er", "ir", "re"].iter().any(|end| word.ends_with(end));
    let uncontracted = UNCONTRACTED.captures_iter(&text).find(|c| !infinitive(&c[1])).and_then(|c| c.get(0));
    let example = real.then_some(&*EXAMPLE);
    let mut found: Vec<String> =
        RULES.iter().chain(example).filter_map(|r| r.find(&text)).chain(uncontracted).map(around).collect();
    let lines = page.lines().map(str::trim_end);
    // An amount or a sign cut off from what it belongs to; two spaces in a sentence.
    found.extend(
        lines.clone().filter(|l| l.starts_with([':', ';', '!', '?', '»', '€'])).map(|l| format!("line « {l} »")),
    );
    found.extend(lines.filter(|l| l.trim_start().contains("  ")).map(|l| format!("two spaces in « {l} »")));
    found
}

/// Fails when a paper says something absurd. Each is read once a process.
#[track_caller]
pub fn proofread(pdf: &[u8], real: bool, whence: &str) {
    static READ: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    if !READ.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert_default().insert(digest(pdf)) {
        return;
    }
    for (rank, page) in (1..).zip(pages(pdf)) {
        let found = absurdities(&page, real);
        assert!(found.is_empty(), "{whence}, page {rank}: {}\nin\n{page}", found.join("; "));
    }
}

#[test]
fn the_proofreader_sees_what_was_printed_once() {
    for text in [
        "SIRET : 213 002 785 00011, adresse : , représentée par",
        "Inscription de une école à l’ENT-école",
        "représentée par Prénom EXEMPLE, Rectrice de la région,, Chancelière",
        "COMMUNE DE VILLE DE NÎMES",
        "COMMUNE DE ALES",
        "COMMUNE DE LES ANGLES",
        "2 école(s) pour cette année scolaire",
        "2 école × 40,00 €",
        "substituée de plein droit à COMMUNE DE NIMES",
        "les communes de le Vigan",
        "transmise à le syndicat",
        "Motif : commune sinistrée..",
        "le différend peut être soumis .",
        "convention n° , signée",
        "Contact : null",
        "transférée par {collectivite}",
        "deux  espaces",
        "40,00\n€",
    ] {
        assert!(!absurdities(text, true).is_empty(), "{text}");
    }
    for text in [
        "COMMUNE DE VILLENEUVE-LES-AVIGNON, COMMUNE DE VILLE-D'AVRAY",
        "Convention n° ENT-C-2025-2026-00001, signée le 25 juillet 2025 ; 2 écoles × 40,00 € = 80,00 €.",
        "le différend peut être soumis au tribunal administratif de Montpellier.",
        "À Montpellier, le ..................",
        "Fait à , le Nom, prénom et qualité : de le promouvoir, de les suivre",
        "SIRS de Les Cassès, école (publique) ; la participation est nulle",
        "12 écoles, 1 école, 101 élèves",
    ] {
        assert_eq!(absurdities(text, true), Vec::<String>::new(), "{text}");
    }
    assert!(absurdities("Prénom EXEMPLE", false).is_empty());
}
