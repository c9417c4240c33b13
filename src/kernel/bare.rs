//! The one form under which identifiers are read and compared.
//!
//! People group digits (« 213 002 785 00011 »), web pages and spreadsheets leave no-break spaces and marks that show
//! nothing around what is copied from them, and letters come in either case: none of it changes what is meant.

use std::borrow::Cow;

/// White space of every kind, and marks that show nothing: zero width, soft hyphen, joiners, marks of direction. Overrides
/// of direction are none of them: they change what is seen.
#[must_use]
pub fn shows_nothing(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// The identifier alone: nothing invisible, letters in upper case.
#[must_use]
pub fn bare(raw: &str) -> Cow<'_, str> {
    // What is read back from the database is already so.
    if raw.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_lowercase()) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.chars().filter(|c| !shows_nothing(*c)).map(|c| c.to_ascii_uppercase()).collect())
}

/// Removes what shows nothing at both ends, and leaves the rest as it was written.
#[must_use]
pub fn trimmed(raw: &str) -> &str {
    raw.trim_matches(shows_nothing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Departement, FieldFault, InseeCode, Siren, Siret, Uai};
    use proptest::prelude::*;

    /// What may stand between two characters without changing what is meant.
    const NOTHING: &[&str] = &[
        " ", "\t", "\u{a0}", "\u{2009}", "\u{202f}", "\u{3000}", "\u{200b}", "\u{200e}", "\u{2060}", "\u{feff}",
        "\u{ad}", "",
    ];

    proptest! {
        #[test]
        fn spaces_marks_and_case_change_no_identifier(
            gaps in proptest::collection::vec(proptest::sample::select(NOTHING), 20), lower in any::<bool>(),
        ) {
            let spread = |text: &str| {
                let text = if lower { text.to_lowercase() } else { text.to_owned() };
                let letters = text.chars().zip(gaps.iter().cycle());
                letters.map(|(c, gap)| format!("{gap}{c}")).collect::<String>() + gaps.last().unwrap()
            };
            let read: Vec<(&str, Result<String, FieldFault>)> = vec![
                ("21300278500011", Ok(bare(&spread("213002785 00011")).into_owned())),
                ("21300278500011", Siret::parse(&spread("21300278500011")).map(|siret| siret.to_string())),
                ("35600000009075", Siret::parse(&spread("35600000009075")).map(|siret| siret.to_string())),
                ("213002785", Siren::parse(&spread("213002785")).map(|siren| siren.to_string())),
                ("0301023Z", Uai::parse(&spread("0301023Z")).map(|uai| uai.to_string())),
                ("0301023Z", Uai::parse_in_file(&spread("0301023Z")).map(|uai| uai.to_string())),
                ("30278", InseeCode::parse(&spread("30278")).map(|code| code.to_string())),
                ("2A004", InseeCode::parse(&spread("2A004")).map(|code| code.to_string())),
                ("2A", Departement::parse(&spread("02A")).map(|code| code.to_string())),
            ];
            for (expected, read) in read {
                prop_assert_eq!(read, Ok(expected.to_owned()));
            }
            prop_assert_eq!(Uai::parse_in_file(&spread("301023Z")).unwrap_err().code, "leading_zero_lost");
        }
        #[test]
        fn what_is_bare_stays_as_it_is(raw in "\\PC{0,20}") {
            let once = bare(&raw).into_owned();
            prop_assert_eq!(bare(&once).into_owned(), once);
        }
    }
}
