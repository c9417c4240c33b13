//! Words that stand where a real text is still to be written: none of them may leave the house on a paper.
//!
//! Two kinds are told apart. A blank to fill in (« EXEMPLE », « À COMPLÉTER », « XXX ») is never printed. An address of
//! a reserved domain (`.invalid`, `example.org`: RFC 2606) reaches nobody: it is printed on specimens only.

use super::text::fold;

/// Why a text is no real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// A word to be replaced.
    Blank,
    /// An address that can reach nobody.
    ReservedDomain,
}

/// The word of the shipped texts.
pub const EXAMPLE: &str = "EXEMPLE";

const TO_WRITE: [&str; 7] =
    ["a completer", "a renseigner", "a definir", "lorem ipsum", "votre nom", "nom prenom", "prenom nom"];
const ALONE: [&str; 4] = ["prenom", "nom", "qualite", "adresse"];
const MARKS: [&str; 4] = ["TODO", "FIXME", "TBD", "???"];
const RESERVED_ENDS: [&str; 4] = ["invalid", "example", "test", "localhost"];
const RESERVED_NAMES: [&str; 2] = ["example", "exemple"];

/// What marks a text as one still to be written, if anything does.
#[must_use]
pub fn placeholder(text: &str) -> Option<Placeholder> {
    if is_blank(text) {
        return Some(Placeholder::Blank);
    }
    let hosts = text.split(|c: char| c.is_whitespace() || "<>(),;/\"«»".contains(c));
    let hosts = hosts.filter_map(|word| word.rsplit('@').next());
    hosts.into_iter().any(is_reserved).then_some(Placeholder::ReservedDomain)
}

/// Whether a text is one still to be written: what no paper may print, a specimen included.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    let folded = fold(text);
    let has = |phrase: &&str| format!(" {folded} ").contains(&format!(" {phrase} "));
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    let crossed = |word: &str| word.len() >= 3 && word.bytes().all(|b| b == b'X' || b == b'x');
    let zeros = |word: &str| word.len() >= 5 && word.bytes().all(|b| b == b'0');
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    text.contains(EXAMPLE)
        || MARKS.iter().any(|mark| text.contains(mark))
        || TO_WRITE.iter().any(has)
        || ALONE.contains(&folded.as_str())
        || words.any(|word| crossed(word) || zeros(word))
        || digits.len() >= 8 && digits.bytes().all(|b| b == b'0')
}

fn is_reserved(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_lowercase();
    let mut labels = host.rsplit('.');
    let (Some(last), Some(before)) = (labels.next(), labels.next()) else { return false };
    RESERVED_ENDS.contains(&last) || RESERVED_NAMES.contains(&before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_found_whatever_their_form() {
        for text in [
            "Région académique EXEMPLE",
            "00000 EXEMPLE Cedex",
            "À COMPLÉTER",
            "à compléter par le service",
            "XXX",
            "M. Xxxx",
            "Arrêté n° XXXX du TODO",
            "00 00 00 00 00",
            "34000 Montpellier, 00000",
            "Prénom",
            "NOM",
            "Lorem ipsum dolor",
            "ent@EXEMPLE.invalid",
        ] {
            assert_eq!(placeholder(text), Some(Placeholder::Blank), "{text}");
        }
    }

    #[test]
    fn addresses_that_reach_nobody_are_found() {
        for text in [
            "dpd@demonstration.invalid",
            "https://demonstration.invalid/ent",
            "contact : service@example.org (bureau)",
            "a@ac-exemple.test",
            "www.exemple.fr",
        ] {
            assert_eq!(placeholder(text), Some(Placeholder::ReservedDomain), "{text}");
        }
    }

    #[test]
    fn real_texts_are_left_alone() {
        for text in [
            "Région académique Occitanie",
            "31, rue de l'Université",
            "34064 Montpellier Cedex 2",
            "ent-ecole@region-academique-occitanie.fr",
            "https://www.ac-montpellier.fr/ent-ecole",
            "04 67 91 47 00",
            "Dans les deux mois, par exemple auprès du comptable (test réussi).",
            "Le nom du comptable",
            "Mme Nomdedeu, adresse postale",
            "tribunal administratif de Montpellier",
            "n° 100 000",
        ] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}
