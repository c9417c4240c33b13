//! French as it is printed on an administration's paper: dates, amounts, numbers in words; and how words meet
//! (elision, contraction, plural, lists of what is known, unbreakable spaces) in `phrases`.
//!
//! Everything here is pure and total: any `i64` of cents has figures and words.
//! Amounts use U+202F (narrow no-break space) between groups of three digits and before
//! the sign €, so that a line never ends inside an amount.

mod phrases;

use chrono::{Datelike, NaiveDate};

pub use phrases::{a_place, agree, agreed, clause, count, court, de, de_place, fill, joined, listed, typeset};

/// The narrow no-break space, U+202F.
pub const NARROW_SPACE: char = '\u{202F}';

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// « 25 juillet 2025 », « 1er juin 2025 ».
#[must_use]
pub fn date_long(date: NaiveDate) -> String {
    format!("{} {}", day_and_month(date), date.year())
}

/// « 25 juillet », « 1er juin ».
#[must_use]
pub fn day_and_month(date: NaiveDate) -> String {
    let month = usize::try_from(date.month0()).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or_default();
    let day = match date.day() {
        1 => "1er".to_owned(),
        other => other.to_string(),
    };
    format!("{day} {month}")
}

/// « 25/07/2025 ».
#[must_use]
pub fn date_short(date: NaiveDate) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// Always two decimals: « 1 234,50 € » (U+202F in both places).
#[must_use]
pub fn euros(cents: i64) -> String {
    let (sign, whole, rest) = split(cents);
    format!("{sign}{},{rest:02}{NARROW_SPACE}€", grouped(whole))
}

/// No decimals when there are none: « 40 € », « 40,50 € » (U+202F before the sign).
#[must_use]
pub fn euros_short(cents: i64) -> String {
    format!("{}{NARROW_SPACE}€", figures_short(cents))
}

/// As article 9 of the convention prints it, sign glued: « 40€ », « 40,50€ », « 8 000€ ».
#[must_use]
pub fn euros_compact(cents: i64) -> String {
    format!("{}€", figures_short(cents))
}

fn figures_short(cents: i64) -> String {
    let (sign, whole, rest) = split(cents);
    match rest {
        0 => format!("{sign}{}", grouped(whole)),
        _ => format!("{sign}{},{rest:02}", grouped(whole)),
    }
}

/// The sign, the whole euros, the cents that remain.
fn split(cents: i64) -> (&'static str, u64, u64) {
    let sign = if cents < 0 { "-" } else { "" };
    let absolute = cents.unsigned_abs();
    (sign, absolute / 100, absolute % 100)
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(NARROW_SPACE);
        }
        out.push(digit);
    }
    out
}

/// The amount in words, in the traditional spelling (« soixante et onze », « quatre-vingts »,
/// « deux cent mille », « un million d'euros »); below zero, « moins … ».
#[must_use]
pub fn amount_in_words(cents: i64) -> String {
    let (_, whole, rest) = split(cents);
    let minus = if cents < 0 { "moins " } else { "" };
    // A round number of millions is a noun and calls for « d'euros ».
    let link = if whole >= 1_000_000 && whole.is_multiple_of(1_000_000) { " d'" } else { " " };
    let unit = if whole < 2 { "euro" } else { "euros" };
    let euros = format!("{minus}{}{link}{unit}", number_in_words(whole));
    match rest {
        0 => euros,
        1 => format!("{euros} et un centime"),
        _ => format!("{euros} et {} centimes", number_in_words(rest)),
    }
}

/// A cardinal number in words, masculine.
#[must_use]
pub fn number_in_words(number: u64) -> String {
    /// The nouns of the long scale, greatest first. « mille » is not a noun: see below.
    const NOUNS: [(u64, &str); 5] = [
        (1_000_000_000_000_000_000, "trillion"),
        (1_000_000_000_000_000, "billiard"),
        (1_000_000_000_000, "billion"),
        (1_000_000_000, "milliard"),
        (1_000_000, "million"),
    ];
    if number == 0 {
        return "zéro".to_owned();
    }
    let mut parts = Vec::new();
    let mut rest = number;
    for (size, noun) in NOUNS {
        let count = rest / size;
        rest %= size;
        match count {
            0 => {}
            1 => parts.push(format!("un {noun}")),
            // In front of a noun, « vingts » and « cents » keep their s.
            _ => parts.push(format!("{} {noun}s", hundreds(count, true))),
        }
    }
    let thousands = rest / 1_000;
    rest %= 1_000;
    match thousands {
        0 => {}
        1 => parts.push("mille".to_owned()),
        // « mille » is a number: « deux cent mille », « quatre-vingt mille ».
        _ => parts.push(format!("{} mille", hundreds(thousands, false))),
    }
    if rest > 0 {
        parts.push(hundreds(rest, true));
    }
    parts.join(" ")
}

/// 1 to 999. `last` tells that no other number follows, so that « cent » and « vingt » agree.
fn hundreds(number: u64, last: bool) -> String {
    let (hundred, rest) = (number / 100, number % 100);
    let head = match hundred {
        0 => None,
        1 => Some("cent".to_owned()),
        _ if rest == 0 && last => Some(format!("{} cents", small(hundred))),
        _ => Some(format!("{} cent", small(hundred))),
    };
    match (head, rest) {
        (Some(head), 0) => head,
        (Some(head), _) => format!("{head} {}", tens(rest, last)),
        (None, _) => tens(rest, last),
    }
}

/// 1 to 99.
fn tens(number: u64, last: bool) -> String {
    let (ten, unit) = (number / 10, number % 10);
    let (word, remainder) = match ten {
        0 | 1 => return small(number).to_owned(),
        2 => ("vingt", unit),
        3 => ("trente", unit),
        4 => ("quarante", unit),
        5 => ("cinquante", unit),
        6 => ("soixante", unit),
        7 => ("soixante", unit + 10),
        8 => ("quatre-vingt", unit),
        _ => ("quatre-vingt", unit + 10),
    };
    match (ten, remainder) {
        (8, 0) if last => "quatre-vingts".to_owned(),
        (_, 0) => word.to_owned(),
        (2..=7, 1 | 11) => format!("{word} et {}", small(remainder)),
        _ => format!("{word}-{}", small(remainder)),
    }
}

/// 0 to 19.
fn small(number: u64) -> &'static str {
    const WORDS: [&str; 20] = [
        "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze",
        "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
    ];
    usize::try_from(number).ok().and_then(|index| WORDS.get(index)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
