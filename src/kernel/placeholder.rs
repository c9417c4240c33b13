//! Words that stand where a real text is still to be written: none of them may leave the house on a paper.
//!
//! Two kinds are told apart. A blank to fill in (« EXEMPLE », « À COMPLÉTER », « XXX ») is never printed. An address of
//! a reserved domain (`.invalid`, `example.org`: RFC 2606) reaches nobody: it is printed on specimens only.
//!
//! « exemple » is also a word: introduced as one (« par exemple », « rue de l'Exemple », « à titre d'exemple ») it is left
//! alone. By itself it marks a blank in capitals wherever it stands, otherwise in a text as short as a
//! name or an address; a long text that gives examples in lower case is a real one. Letters set apart are read as a word.

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

const TO_WRITE: [&str; 8] =
    ["a completer", "a renseigner", "a remplir", "a definir", "lorem ipsum", "votre nom", "nom prenom", "prenom nom"];
const ALONE: [&str; 7] = ["prenom", "nom", "qualite", "adresse", "a preciser", "a saisir", "neant"];
const MARKS: [&str; 4] = ["TODO", "FIXME", "TBD", "???"];
/// The same as words, in any case.
const MARK_WORDS: [&str; 3] = ["todo", "fixme", "tbd"];
/// What letters set apart may spell.
const SPELLED: [&str; 8] = ["exemple", "acompleter", "arenseigner", "adefinir", "aremplir", "todo", "tbd", "nom"];
/// Words after which « exemple » is the noun; `d` only after the words of [`BEFORE_D`].
const INTRODUCERS: [&str; 14] =
    ["l", "par", "un", "cet", "pour", "comme", "en", "bon", "premier", "autre", "seul", "simple", "son", "votre"];
const BEFORE_D: [&str; 4] = ["titre", "valeur", "guise", "force"];
/// Most words of a name, a title or a line of address.
const SHORT: usize = 8;
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
    has_example(text)
        || spells_a_blank(&folded)
        || folded.is_empty() && !text.trim().is_empty()
        || MARKS.iter().any(|mark| text.contains(mark))
        || folded.split(' ').any(|word| MARK_WORDS.contains(&word))
        || TO_WRITE.iter().any(has)
        || ALONE.contains(&folded.as_str())
        || words.any(|word| crossed(word) || zeros(word))
        || digits.len() >= 8 && digits.bytes().all(|b| b == b'0')
}

/// Whether « exemple » stands for something, rather than being said of it.
fn has_example(text: &str) -> bool {
    // « www.exemple.fr » is an address that reaches nobody, which is another fault.
    let is_address =
        |token: &str| token.contains(['@', '/']) || token.trim_matches(|c: char| !c.is_alphanumeric()).contains('.');
    let tokens = text.split_whitespace().filter(|token| token.contains(EXAMPLE) || !is_address(token));
    let words: Vec<(&str, String)> = tokens
        .flat_map(|token| token.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(|word| (word, fold(word)))
        .collect();
    let before =
        |at: usize, back: usize| at.checked_sub(back).and_then(|i| words.get(i)).map_or("", |(_, w)| w.as_str());
    let is_noun = |at: usize| match before(at, 1) {
        "d" => BEFORE_D.contains(&before(at, 2)),
        word => INTRODUCERS.contains(&word),
    };
    words.iter().enumerate().any(|(at, (word, folded))| {
        if *word == EXAMPLE {
            !matches!(before(at, 1), "l" | "par")
        } else if folded == "exemple" {
            words.len() <= SHORT && !is_noun(at)
        } else {
            word.contains(EXAMPLE)
        }
    })
}

/// Whether letters set apart (« E X E M P L E »), or the whole text cut anywhere, spell a blank.
fn spells_a_blank(folded: &str) -> bool {
    let whole: String = folded.split(' ').collect();
    let apart = folded.split(' ').fold(vec![String::new()], |mut runs, word| {
        match (word.chars().count(), runs.last_mut()) {
            (1, Some(run)) => run.push_str(word),
            _ => runs.push(String::new()),
        }
        runs
    });
    SPELLED.contains(&whole.as_str()) || apart.iter().any(|run| SPELLED.contains(&run.as_str()))
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
            "exemple",
            "Exemple.",
            "« exemple »",
            "E X E M P L E",
            "Région académique E X E M P L E",
            "e.x.e.m.p.l.e",
            "EX-EMPLE",
            "région académique exemple",
            "Académie d'Exemple",
            "1, rue Exemple",
            "RUE EXEMPLE",
            "Madame Exemple",
            "À  C O M P L É T E R",
            "à_compléter",
            "[à remplir]",
            "à préciser",
            "todo",
            "Maire (tbd)",
            "…",
            "—",
            "_____",
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
            "12, rue de l'Exemple",
            "12 RUE DE L'EXEMPLE",
            "Impasse du Bon Exemple",
            "À titre d'exemple, une école",
            "Par exemple",
            "Un état détaillé est tenu à disposition ; exemple en est donné sur le site de la région académique.",
            "M. Todorov, adjoint",
            "Mme Nom-Dupont",
            "",
        ] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}
