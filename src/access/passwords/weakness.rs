//! Which passwords somebody would try first: the common ones, rows of keys, repetitions, one's own name, where one works.
//!
//! ```text
//!   « P@ssw0rd2026! » ──fold──▶ p@ssw0rd2026! ──trim, leet──▶ password ──▶ common
//!   « Zoe.Martin-2026 » ──letters──▶ zoemartin ──less the words of the person──▶ nothing left ──▶ personal
//! ```
//! Case, accents, digits put for letters and what is put around a word cost a guesser nothing: they are taken off
//! before anything is compared. The list (`common.txt`, from the zxcvbn library; its licence stands in `common.LICENSE`)
//! has the 30,000 passwords most used; `french.txt` adds what this country uses, `phrases.txt` the sentences everybody
//! knows, `places.txt` departments, regions, their chief towns and académies: with the words of the service they make what
//! an agent is first guessed to have chosen (« Hérault2026!! », « Gard30000!!!! »). Digits alone are dates, telephones and
//! postal codes.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

const COMMON: &str = include_str!("common.txt");
const FRENCH: &str = include_str!("french.txt");
const PHRASES: &str = include_str!("phrases.txt");
const PLACES: &str = include_str!("places.txt");

/// Rows of keys, as hands run along them: AZERTY with its unshifted digits, QWERTY.
const ROWS: &[&str] = &[
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn,;:!",
    "&é\"'(-è_çà)=",
    "qwertyuiop",
    "asdfghjkl;",
    "zxcvbnm,./",
    "1234567890",
];

/// Words of the service and of the house, which anybody knows.
const SERVICE: &[&str] = &[
    "academie",
    "academies",
    "academique",
    "administrateur",
    "administration",
    "backoffice",
    "bordereau",
    "campagne",
    "chorus",
    "collectivite",
    "collectivites",
    "commune",
    "communes",
    "comptabilite",
    "comptable",
    "convention",
    "conventions",
    "deliberation",
    "departement",
    "ecole",
    "ecoles",
    "education",
    "ent",
    "entecole",
    "gestionnaire",
    "inscription",
    "mairie",
    "maternelle",
    "ministere",
    "motdepasse",
    "nationale",
    "numerique",
    "ordonnateur",
    "participation",
    "password",
    "perception",
    "prefecture",
    "primaire",
    "rectorat",
    "recteur",
    "rectrice",
    "region",
    "rentree",
    "scolaire",
    "titre",
    "titres",
];

/// Characters that neither repeat nor continue what stands before them, at least.
const LEAST_SURPRISES: usize = 6;
/// Different characters, at least.
const LEAST_DIFFERENT: usize = 5;
/// Letters that must remain when the words anybody could guess are taken out.
const LEAST_LETTERS: usize = 4;

/// Why a password would be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weakness {
    /// It repeats itself, or runs along keys, letters or digits.
    Predictable,
    /// One of those most used, but for case, digits and signs.
    Common,
    /// Made of the words of the person or of the service.
    Personal,
}

/// Lower case without accents.
fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// Digits and signs read as the letters they stand for; `one` is what « 1 » and « ! » stand for.
fn unleet(text: &str, one: char) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '2' => 'z',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        other => other,
    };
    text.chars().map(letter).collect()
}

/// The ways in which a guesser would read a text.
fn readings(folded: &str) -> [String; 3] {
    [folded.to_owned(), unleet(folded, 'i'), unleet(folded, 'l')]
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

/// Words anybody would think of here: those of the service, places, and the months and seasons by which one changes.
static AT_HAND: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let calendar = [
        "janvier",
        "fevrier",
        "mars",
        "avril",
        "juin",
        "juillet",
        "aout",
        "septembre",
        "octobre",
        "novembre",
        "decembre",
        "printemps",
        "ete",
        "automne",
        "hiver",
    ];
    SERVICE.iter().copied().chain(PLACES.lines()).chain(calendar).collect()
});

static KNOWN: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lines = COMMON.lines().chain(FRENCH.lines());
    let mut known = HashSet::new();
    for line in lines {
        let core = line.trim_matches(|c: char| !c.is_alphabetic());
        if core.len() >= LEAST_LETTERS && core != line {
            known.insert(core.to_owned());
        }
        known.insert(line.to_owned());
    }
    known
});

/// Whether a text, its word without what surrounds it, or the word it repeats is a common one.
fn is_common(folded: &str) -> bool {
    let core = folded.trim_matches(|c: char| !c.is_alphabetic());
    // « p@ssw0rd1! » ends with what stands for letters: digits are cut off first, and kept within.
    let tail_cut = folded.trim_end_matches(|c: char| !c.is_alphabetic());
    [folded, core, tail_cut].into_iter().flat_map(readings).any(|reading| {
        let joined: String = reading.chars().filter(|c| c.is_alphanumeric()).collect();
        [reading.as_str(), &joined].into_iter().any(|text| KNOWN.contains(text) || KNOWN.contains(unit(text)))
    })
}

/// The shortest beginning whose repetition makes the text, its last time perhaps cut short.
fn unit(text: &str) -> &str {
    let mut starts = text.char_indices().map(|(at, _)| at).skip(1);
    let repeats = |at: &usize| *at <= text.len() / 2 && text.get(*at..).is_some_and(|rest| text.starts_with(rest));
    starts.find(repeats).and_then(|at| text.get(..at)).unwrap_or(text)
}

/// Whether a hand, an alphabet or a count goes from one character to the other by itself.
fn follows(before: char, after: char) -> bool {
    let (a, b) = (u32::from(before), u32::from(after));
    let counted = before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric() && a.abs_diff(b) == 1;
    let neighbours = |row: &&str| {
        let at = |c| row.chars().position(|key| key == c);
        at(before).zip(at(after)).is_some_and(|(a, b)| a.abs_diff(b) == 1)
    };
    before == after || counted || ROWS.iter().any(neighbours)
}

fn is_predictable(password: &str) -> bool {
    // With their accents: « é » and « è » are two keys.
    let chars: Vec<char> = password.chars().flat_map(char::to_lowercase).collect();
    // One by one, and every other one: « 1a2b3c4d » is two runs in one.
    let surprises = |step: usize| {
        let carried = chars.iter().zip(chars.iter().skip(step)).filter(|(before, after)| follows(**before, **after));
        chars.len() - carried.count()
    };
    let different = chars.iter().collect::<HashSet<_>>().len();
    // Some forty signs that are no letter may be drawn by a machine; digits with a few around them are not.
    let digits = chars.iter().filter(|c| c.is_ascii_digit()).count();
    let counted = digits * 2 >= chars.len() && !chars.iter().any(|c| c.is_alphabetic());
    counted || different < LEAST_DIFFERENT || surprises(1).min(surprises(2)) < LEAST_SURPRISES
}

/// Whether nothing of one's own remains once these words are taken out.
fn is_made_of<'w>(folded: &str, words: impl Iterator<Item = &'w str>) -> bool {
    let mut longest_first: Vec<&str> = words.collect();
    longest_first.sort_by_key(|word| std::cmp::Reverse(word.len()));
    // « r3ct0rat2026! »: the digits around a word stand for no letter.
    let core = folded.trim_matches(|c: char| !c.is_alphabetic());
    [folded, core].into_iter().flat_map(readings).any(|reading| {
        let mut rest = letters(&reading);
        let mut found = false;
        for word in &longest_first {
            if rest.contains(word) {
                rest = rest.replace(word, " ");
                found = true;
            }
        }
        found && letters(&rest).chars().count() < LEAST_LETTERS
    })
}

/// What is wrong with a password whoever chooses it.
pub(super) fn of(password: &str) -> Option<Weakness> {
    let folded = fold(password);
    if is_predictable(password) {
        Some(Weakness::Predictable)
    } else if is_common(&folded) || is_made_of(&folded, PHRASES.lines()) {
        Some(Weakness::Common)
    } else if is_made_of(&folded, AT_HAND.iter().copied()) {
        Some(Weakness::Personal)
    } else {
        None
    }
}

/// Whether a password is made of a person's words: names and address, as they stand.
pub(super) fn is_personal(password: &str, words: &[&str]) -> bool {
    let own: HashSet<String> = words
        .iter()
        .map(|word| fold(word))
        .flat_map(|word| {
            let parts: Vec<String> = word.split(|c: char| !c.is_alphabetic()).map(str::to_owned).collect();
            parts.into_iter().chain([letters(&word)])
        })
        .filter(|word| word.chars().count() >= 3)
        .collect();
    is_made_of(&fold(password), own.iter().map(String::as_str).chain(AT_HAND.iter().copied()))
}

#[cfg(test)]
#[path = "weakness_tests.rs"]
mod tests;
