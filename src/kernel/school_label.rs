//! The name of a school as article 9 of the convention prints it.
//!
//! The national directory writes « Ecole élémentaire Charles Odoyer », the convention
//! « ECOLE ELEMENTAIRE PUBLIQUE CHARLES ODOYER »: capitals without accents, and the sector
//! after the words of the type. The directory is typed by hand in many places, so a few of
//! its habits are mended here: sector already there, type missing, glued or misspelt.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What a school teaches; the word that stands after « ECOLE ».
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchoolKind {
    Maternelle,
    Elementaire,
    Primaire,
}

impl SchoolKind {
    const ALL: [Self; 3] = [Self::Maternelle, Self::Elementaire, Self::Primaire];

    const fn word(self) -> &'static str {
        match self {
            Self::Maternelle => "MATERNELLE",
            Self::Elementaire => "ELEMENTAIRE",
            Self::Primaire => "PRIMAIRE",
        }
    }
}

/// One line of article 9: « SAINT-LAURENT-DES-ARBRES - 30 - ECOLE … - 0301023Z ».
#[must_use]
pub fn school_line(commune: &str, department: &str, label: &str, uai: &str) -> String {
    format!("{} - {department} - {label} - {uai}", capitals(commune))
}

/// The label of a school. Applying it to its own result changes nothing.
///
/// A name that does not start with « Ecole » is put after « ECOLE (type) PUBLIQUE », as the
/// act of creation of the school reads: « ECOLE PRIMAIRE PUBLIQUE GROUPE SCOLAIRE PASTEUR ».
#[must_use]
pub fn school_label(name: &str, kind: SchoolKind, public: bool) -> String {
    let name = capitals(name);
    let words: Vec<&str> = name.split(' ').filter(|word| !word.is_empty()).collect();
    // « Calandreta (Ecole primaire privée) » says everything already, in its own order.
    let has_sector = words.iter().any(|word| is_sector(word));
    let has_kind = words.iter().any(|word| kind_of(bare(word)).is_some());
    let starts_well = words.first().is_some_and(|word| word.starts_with("ECOLE"));
    if has_sector && has_kind && !starts_well {
        return words.join(" ");
    }

    let mut rest = words.into_iter().peekable();
    let mut out = vec!["ECOLE"];
    // « Ecoleprimaire Léo » occurs: what is glued to the first word is looked at too.
    let mut glued = None;
    if starts_well {
        glued = rest.next().and_then(|word| word.strip_prefix("ECOLE")).filter(|tail| !tail.is_empty());
    }
    let mut tail = Vec::new();
    match glued.or_else(|| rest.peek().copied()).and_then(kind_of) {
        Some((found, after)) if starts_well => {
            if glued.is_none() {
                rest.next();
            }
            out.push(found.word());
            tail.extend(after);
        }
        _ => {
            if !has_kind {
                out.push(kind.word());
            }
            tail.extend(glued);
        }
    }
    if tail.is_empty() {
        while let Some(word) = rest.next_if(|word| is_application(word)) {
            out.push(word);
        }
    }
    if !has_sector {
        out.push(if public { "PUBLIQUE" } else { "PRIVEE" });
    }
    out.extend(tail);
    out.extend(rest);
    out.join(" ")
}

/// Capitals without accents, single spaces, straight apostrophes.
#[must_use]
pub fn capitals(text: &str) -> String {
    let plain: String = text.nfd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_uppercase).collect();
    let plain = plain.replace('Œ', "OE").replace('Æ', "AE").replace('\u{2019}', "'");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The type a word stands for, and what is glued behind it (« maternelleLes »).
fn kind_of(word: &str) -> Option<(SchoolKind, Option<&str>)> {
    SchoolKind::ALL.into_iter().find_map(|kind| {
        let full = kind.word();
        if let Some(after) = word.strip_prefix(full) {
            return Some((kind, Some(after).filter(|rest| !rest.is_empty())));
        }
        one_letter_apart(full, word).then_some((kind, None))
    })
}

/// One letter missing, added or changed: « pimaire », « elementaitre ».
fn one_letter_apart(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len().abs_diff(right.len()) > 1 {
        return false;
    }
    let start = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    start + end + 1 >= left.len().max(right.len())
}

fn bare(word: &str) -> &str {
    word.trim_matches(|letter: char| !letter.is_alphanumeric())
}

fn is_sector(word: &str) -> bool {
    matches!(bare(word), "PUBLIQUE" | "PUBLIC" | "PRIVEE" | "PRIVE")
}

/// « d'application », « d application ».
fn is_application(word: &str) -> bool {
    matches!(word, "D'APPLICATION" | "D" | "APPLICATION")
}

#[cfg(test)]
mod tests {
    use super::*;
    use SchoolKind::{Elementaire, Maternelle, Primaire};
    use proptest::prelude::*;

    #[test]
    fn names_of_the_directory_become_lines_of_article_9() {
        for (name, kind, label) in [
            ("Ecole élémentaire Charles Odoyer", Elementaire, "ECOLE ELEMENTAIRE PUBLIQUE CHARLES ODOYER"),
            ("Ecole maternelle Charles Odoyer", Maternelle, "ECOLE MATERNELLE PUBLIQUE CHARLES ODOYER"),
            ("école primaire", Primaire, "ECOLE PRIMAIRE PUBLIQUE"),
            ("Ecole", Primaire, "ECOLE PRIMAIRE PUBLIQUE"),
            ("", Maternelle, "ECOLE MATERNELLE PUBLIQUE"),
            ("Ecole maternelle publique  Soupetard", Maternelle, "ECOLE MATERNELLE PUBLIQUE SOUPETARD"),
            ("Ecole Publique Terre Clapier", Primaire, "ECOLE PRIMAIRE PUBLIQUE TERRE CLAPIER"),
            (
                "Ecole élémentaire d'application Maurice Bécanne",
                Elementaire,
                "ECOLE ELEMENTAIRE D'APPLICATION PUBLIQUE MAURICE BECANNE",
            ),
            (
                "ECOLE ELEMENTAIRE D APPLICATION CALMETTE",
                Elementaire,
                "ECOLE ELEMENTAIRE D APPLICATION PUBLIQUE CALMETTE",
            ),
            ("Groupe scolaire Jean Moulin", Primaire, "ECOLE PRIMAIRE PUBLIQUE GROUPE SCOLAIRE JEAN MOULIN"),
            ("HENRI MATISSE", Elementaire, "ECOLE ELEMENTAIRE PUBLIQUE HENRI MATISSE"),
            ("Dours - RPI Riou de Loulès", Primaire, "ECOLE PRIMAIRE PUBLIQUE DOURS - RPI RIOU DE LOULES"),
            ("Ecole Henri Wallon", Primaire, "ECOLE PRIMAIRE PUBLIQUE HENRI WALLON"),
            ("Ecole elementaitre Les Cèdres", Elementaire, "ECOLE ELEMENTAIRE PUBLIQUE LES CEDRES"),
            ("Ecole pimaire", Primaire, "ECOLE PRIMAIRE PUBLIQUE"),
            ("Ecole maternelleLes Lilas", Maternelle, "ECOLE MATERNELLE PUBLIQUE LES LILAS"),
            ("Ecoleprimaire Léo Lagrange", Primaire, "ECOLE PRIMAIRE PUBLIQUE LEO LAGRANGE"),
            ("Ecole maternelle Cœur d’Hérault", Maternelle, "ECOLE MATERNELLE PUBLIQUE COEUR D'HERAULT"),
        ] {
            assert_eq!(school_label(name, kind, true), label);
        }
    }

    #[test]
    fn private_schools_say_so() {
        for (name, label) in [
            ("Ecole primaire Saint-Joseph", "ECOLE PRIMAIRE PRIVEE SAINT-JOSEPH"),
            ("Ecole privée Palotchka (Ecole primaire privée)", "ECOLE PRIVEE PALOTCHKA (ECOLE PRIMAIRE PRIVEE)"),
            ("Calandreta Dau Chivalet (Ecole primaire privé)", "CALANDRETA DAU CHIVALET (ECOLE PRIMAIRE PRIVE)"),
        ] {
            assert_eq!(school_label(name, Primaire, false), label);
        }
    }

    #[test]
    fn a_line_reads_like_the_convention() {
        let label = school_label("Ecole élémentaire Charles Odoyer", Elementaire, true);
        assert_eq!(
            school_line("Saint-Laurent-des-Arbres", "30", &label, "0301023Z"),
            "SAINT-LAURENT-DES-ARBRES - 30 - ECOLE ELEMENTAIRE PUBLIQUE CHARLES ODOYER - 0301023Z"
        );
    }

    proptest! {
        #[test]
        fn a_label_is_its_own_label(
            name in "([eéE]cole|Groupe|Auto)?( maternelle| élémentaire| primaire)?( publique| privée)?( d'application)?[ A-Za-zéèœ'’().-]{0,30}",
            public in any::<bool>(),
        ) {
            let once = school_label(&name, Primaire, public);
            prop_assert_eq!(&school_label(&once, Primaire, public), &once);
        }

        #[test]
        fn a_label_says_the_sector_and_has_no_accent(name in "\\PC{0,40}") {
            let label = school_label(&name, Primaire, true);
            prop_assert!(["PUBLIQUE", "PUBLIC", "PRIVE"].iter().any(|word| label.contains(word)));
            prop_assert!(!label.contains("  ") && !label.starts_with(' ') && !label.contains('É'));
        }
    }
}
