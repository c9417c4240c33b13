//! Text a person typed or a file brought: bounded, printable, and comparable in spite of accents.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::refused::FieldFault;

/// Implements the one door, display, serde and SQL text mapping of a newtype over `String`.
///
/// The type declares `fn check(raw: &str) -> Result<String, FieldFault>`; everything else follows. `pattern` and `max`
/// say to the API's callers what can be said of its rule; they are never looser than it.
#[macro_export]
macro_rules! string_newtype {
    ($(#[$meta:meta])* $name:ident, example: $example:literal $(, pattern: $pattern:literal)? $(, max: $max:tt)?) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow, utoipa::ToSchema,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        #[schema(value_type = String, example = $example $(, pattern = $pattern)? $(, min_length = 1, max_length = $max)?)]
        pub struct $name(String);

        impl $name {
            /// Parses what was received; the only way to make one.
            ///
            /// # Errors
            /// Names the rule that the value breaks, in French.
            pub fn parse(raw: &str) -> Result<Self, $crate::kernel::FieldFault> {
                Self::check(raw).map(Self)
            }
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let raw = <String as serde::Deserialize>::deserialize(d)?;
                Self::parse(&raw).map_err(serde::de::Error::custom)
            }
        }
        impl<DB> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                self.0.as_str().to_sql(out)
            }
        }
        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let raw = String::from_sql(bytes)?;
                Self::parse(&raw)
                    .map_err(|fault| format!("{} « {raw} » : {}", stringify!($name), fault.message).into())
            }
        }
    };
}

/// An enum stored and sent as stable English text. (`tt`, not `literal`: the API description reads the text within.)
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident => $text:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow, utoipa::ToSchema,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $text)] $variant),+
        }
        impl $name {
            /// Every value, in the order of its declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The stable text of the database and the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
            /// Reads the stable text.
            ///
            /// # Errors
            /// `unknown_value`, listing the values accepted.
            pub fn parse(raw: &str) -> Result<Self, $crate::kernel::FieldFault> {
                match raw {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::kernel::FieldFault::new(
                        "unknown_value",
                        format!("Valeur inconnue ; valeurs admises : {}.", [$($text),+].join(", ")),
                    )),
                }
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let raw = <String as serde::Deserialize>::deserialize(d)?;
                Self::parse(&raw).map_err(serde::de::Error::custom)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl<DB> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                self.as_str().to_sql(out)
            }
        }
        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let raw = String::from_sql(bytes)?;
                Self::parse(&raw).map_err(|f| format!("{} « {raw} » : {}", stringify!($name), f.message).into())
            }
        }
    };
}

/// Longest single line accepted, in characters. Real school names reach 98; the documents are laid out for 200.
pub const LINE_MAX: usize = 200;
/// Longest free text accepted, in characters.
pub const NOTE_MAX: usize = 4_000;

/// Cleans and checks one line of text: trims, folds runs of spaces, composes accents (NFC), refuses what cannot
/// be printed or would pass for something else.
///
/// # Errors
/// `empty`, `too_long` (with both lengths) or `unprintable_character` (with the code point).
pub fn check_line(raw: &str, max: usize) -> Result<String, FieldFault> {
    // What needs no cleaning, nearly everything that is read back, is taken as it stands.
    let line = if is_clean(raw) {
        raw.to_owned()
    } else {
        raw.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect::<String>()
    };
    // Tabs and line breaks are white space: what else hides in the raw text is judged on the raw text.
    check_characters(raw, false)?;
    // Two printable characters may compose into one that no font has.
    check_characters(&line, false)?;
    if line.is_empty() {
        return Err(FieldFault::new("empty", "Texte obligatoire : il ne peut être vide."));
    }
    check_length(&line, max)?;
    Ok(line)
}

/// Single spaces between printable characters that compose with nothing: all those below U+0300 are NFC.
fn is_clean(raw: &str) -> bool {
    let mut before = ' ';
    let clean = raw.chars().all(|c| {
        let kept = if c == ' ' { before != ' ' } else { c < '\u{300}' && !c.is_whitespace() && printable(c) };
        before = c;
        kept
    });
    clean && before != ' '
}

/// Checks a text of several lines.
///
/// # Errors
/// As [`check_line`].
pub fn check_note(raw: &str, max: usize) -> Result<String, FieldFault> {
    check_characters(raw, true)?;
    let note = raw.trim().nfc().collect::<String>();
    check_characters(&note, true)?;
    if note.is_empty() {
        return Err(FieldFault::new("empty", "Texte obligatoire : il ne peut être vide."));
    }
    check_length(&note, max)?;
    Ok(note)
}

fn check_length(text: &str, max: usize) -> Result<(), FieldFault> {
    let length = text.chars().count();
    if length > max {
        return Err(FieldFault::new("too_long", format!("Texte trop long : {length} caractères, {max} au plus.")));
    }
    Ok(())
}

fn check_characters(raw: &str, lines: bool) -> Result<(), FieldFault> {
    match raw.chars().find(|c| !(printable(*c) || lines && matches!(c, '\n' | '\r' | '\t'))) {
        None => Ok(()),
        Some(c) => Err(unprintable_fault(c)),
    }
}

/// The fault of a character that no document can show.
#[must_use]
pub fn unprintable_fault(c: char) -> FieldFault {
    let message = format!("Caractère non imprimable dans les documents : U+{:04X}.", u32::from(c));
    FieldFault::new("unprintable_character", message)
}

/// The characters every bundled document font has: Latin with its accents, the usual punctuation, the euro. The patterns
/// of [`Line`] and [`Note`] list the same.
///
/// Narrower than Unicode on purpose: a name that cannot be printed on a convention is refused when it is
/// entered, not when the paper is made.
#[must_use]
pub fn printable(c: char) -> bool {
    matches!(u32::from(c),
        0x20..=0x7E | 0xA0..=0xAC | 0xAE..=0x17F | 0x218..=0x21B | 0x1E80..=0x1E85 | 0x1EF2..=0x1EF3
        | 0x300..=0x304 | 0x306..=0x308 | 0x30A..=0x30C | 0x327..=0x328
        | 0x2010..=0x2015 | 0x2018..=0x201A | 0x201C..=0x201E | 0x2020..=0x2022 | 0x2026 | 0x202F | 0x2030
        | 0x2039 | 0x203A | 0x20AC | 0x2116 | 0x2122)
}

string_newtype!(
    /// Une ligne de texte imprimable, de 1 à 200 caractères, espaces réduits.
    Line, example: "Ecole élémentaire Charles Odoyer",
    pattern: r"^[ -~\u00a0-\u00ac\u00ae-\u017f\u0218-\u021b\u0300-\u0304\u0306-\u0308\u030a-\u030c\u0327\u0328\u1e80-\u1e85\u1ef2\u1ef3\u2010-\u2015\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u202f\u2030\u2039\u203a\u20ac\u2116\u2122]+$",
    max: 200
);
impl Line {
    fn check(raw: &str) -> Result<String, FieldFault> {
        check_line(raw, LINE_MAX)
    }
}

string_newtype!(
    /// Un texte libre de 4000 caractères au plus ; sauts de ligne admis.
    Note, example: "Demande de la mairie par téléphone",
    pattern: r"^[\t\n\r -~\u00a0-\u00ac\u00ae-\u017f\u0218-\u021b\u0300-\u0304\u0306-\u0308\u030a-\u030c\u0327\u0328\u1e80-\u1e85\u1ef2\u1ef3\u2010-\u2015\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u202f\u2030\u2039\u203a\u20ac\u2116\u2122]+$",
    max: 4000
);
impl Note {
    fn check(raw: &str) -> Result<String, FieldFault> {
        check_note(raw, NOTE_MAX)
    }
}

string_newtype!(
    /// What a person types in a search box: up to 200 characters.
    SearchText, example: "st laurent"
);
impl SearchText {
    fn check(raw: &str) -> Result<String, FieldFault> {
        check_length(raw, LINE_MAX)?;
        match raw.chars().find(|c| c.is_control()) {
            None => Ok(raw.trim().to_owned()),
            Some(c) => Err(unprintable_fault(c)),
        }
    }
}

string_newtype!(
    /// Stable code of a finding: snake_case, up to 60 characters.
    FindingCode, example: "school_closed_since_signature", pattern: "^[a-z][a-z0-9_]{0,59}$"
);
impl FindingCode {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let letters = raw.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if (1..=60).contains(&raw.len()) && letters && raw.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Ok(raw.to_owned());
        }
        Err(FieldFault::new("finding_code_format", "Code de constat attendu comme « school_closed_since_signature »."))
    }
}

/// The form under which names are sorted and searched: no accents, lower case, `œ` as `oe`, punctuation as
/// spaces, `st`/`ste` as `saint`/`sainte`.
#[must_use]
pub fn fold(raw: &str) -> String {
    let mut plain = String::with_capacity(raw.len());
    if raw.is_ascii() {
        let folded = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
        plain.extend(raw.chars().map(folded));
        return words(&plain);
    }
    for c in raw.nfd() {
        match c {
            'œ' | 'Œ' => plain.push_str("oe"),
            'æ' | 'Æ' => plain.push_str("ae"),
            'ß' => plain.push_str("ss"),
            'ø' | 'Ø' => plain.push('o'),
            'ł' | 'Ł' => plain.push('l'),
            'ĳ' | 'Ĳ' => plain.push_str("ij"),
            // Typographic ligatures: never stored, but pasted into search boxes from documents.
            'ﬀ' => plain.push_str("ff"),
            'ﬁ' => plain.push_str("fi"),
            'ﬂ' => plain.push_str("fl"),
            'ﬃ' => plain.push_str("ffi"),
            'ﬄ' => plain.push_str("ffl"),
            'ﬅ' | 'ﬆ' => plain.push_str("st"),
            c if c.is_alphanumeric() => plain.extend(c.to_lowercase()),
            // Combining marks are what NFD took off the letters.
            c if ('\u{300}'..='\u{36f}').contains(&c) => {}
            _ => plain.push(' '),
        }
    }
    words(&plain)
}

fn words(plain: &str) -> String {
    let words: Vec<&str> = plain
        .split_whitespace()
        .map(|word| match word {
            "st" => "saint",
            "ste" => "sainte",
            other => other,
        })
        .collect();
    words.join(" ")
}

/// Shows a received value in an error without echoing a whole file.
#[must_use]
pub fn excerpt(value: &dyn fmt::Display) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 { text } else { text.chars().take(79).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_compare_in_spite_of_accents_case_and_abbreviations() {
        assert_eq!(fold("ST-LAURENT-des-Arbres"), fold("Saint Laurent des Arbres"));
        assert_eq!(fold("Cœur d’Éthique"), "coeur d ethique");
        assert_eq!(fold("Ste-Énimie"), "sainte enimie");
        assert_eq!(fold("Saint-Aﬃnité ŒUVRES"), "saint affinite oeuvres");
    }

    #[test]
    fn a_control_character_is_named_by_its_code_point() {
        let fault = Line::parse("Al\u{0}ès").unwrap_err();
        assert_eq!(fault.code, "unprintable_character");
        assert!(fault.message.contains("U+0000"), "{}", fault.message);
        assert_eq!(Line::parse("école 😀").unwrap_err().code, "unprintable_character");
        assert_eq!(Line::parse("a\u{202E}b").unwrap_err().code, "unprintable_character");
        // ü then a grave accent: one letter once composed.
        assert_eq!(Line::parse("\u{FC}\u{300}").unwrap_err().code, "unprintable_character");
        assert_eq!(Note::parse("n\u{300}").unwrap_err().code, "unprintable_character");
        assert_eq!(Line::parse("e\u{301}").unwrap().as_str(), "é");
    }

    #[test]
    fn too_long_says_both_lengths() {
        let fault = Line::parse(&"é".repeat(201)).unwrap_err();
        assert!(fault.message.contains("201") && fault.message.contains("200"));
        assert_eq!(Line::parse(&"é".repeat(200)).unwrap().as_str().chars().count(), 200);
    }

    proptest! {
        #[test]
        fn a_clean_line_is_what_cleaning_it_gives(raw in "[ \u{a0}\ta-cé\u{301}œ’-]{0,8}") {
            let cleaned: String = raw.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect();
            prop_assert!(!is_clean(&raw) || cleaned == raw);
            prop_assert!(check_line(&raw, 200).is_err() || check_line(&raw, 200).unwrap() == cleaned);
        }
        #[test]
        fn folding_twice_changes_nothing(raw in "\\PC{0,60}") {
            prop_assert_eq!(fold(&fold(&raw)), fold(&raw));
        }
        #[test]
        fn an_accepted_line_is_accepted_again_unchanged(raw in "[ a-zA-Zéèàç'\\-]{1,60}") {
            if let Ok(line) = Line::parse(&raw) {
                let again = Line::parse(line.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), line.as_str());
            }
        }
    }
}
