//! How words meet: elision, contraction, plural, lists whose parts may be missing, spaces that never break.
//!
//! The one place for all of them. A paper that builds its own « d' » or its own comma is wrong for the next name:
//! « de une école », « à Le Vigan », « EXEMPLE,, Rectrice ».

use std::fmt::Display;

/// The no-break space, U+00A0.
const NO_BREAK: char = '\u{A0}';

/// « d’une école », « de 2 écoles », « de onze classes », « d’Alès ».
///
/// A word in H keeps « de »: which H is mute cannot be told from the spelling.
#[must_use]
pub fn de(words: &str) -> String {
    let words = words.trim();
    if elides(words) { format!("d’{words}") } else { format!("de {words}") }
}

/// « d’Alès », « du Vigan », « des Angles », « de La Grand-Combe », « de L’Union ».
#[must_use]
pub fn de_place(name: &str) -> String {
    match article(name) {
        Some((Article::Le, rest)) => format!("du {rest}"),
        Some((Article::Les, rest)) => format!("des {rest}"),
        None => de(name),
    }
}

/// « à Nîmes », « au Vigan », « aux Angles », « à La Grand-Combe ».
#[must_use]
pub fn a_place(name: &str) -> String {
    match article(name) {
        Some((Article::Le, rest)) => format!("au {rest}"),
        Some((Article::Les, rest)) => format!("aux {rest}"),
        None => format!("à {}", name.trim()),
    }
}

/// A court after « soumis »: « au tribunal administratif de Nîmes », « à la cour d’appel », with or without its article.
#[must_use]
pub fn court(name: &str) -> String {
    let name = name.trim();
    let word = first_word(name);
    if ["la", "l"].contains(&word.as_str()) {
        return format!("à {}", lower_first(name));
    }
    match article(name) {
        Some((Article::Le, rest)) => format!("au {rest}"),
        Some((Article::Les, rest)) => format!("aux {rest}"),
        None if ["cour", "juridiction", "chambre", "commission"].contains(&word.as_str()) => format!("à la {name}"),
        None => format!("au {name}"),
    }
}

/// « 1 école », « 2 écoles »; in French the plural begins at two.
#[must_use]
pub fn count<N: Display + PartialOrd + From<u8>>(number: N, noun: &str) -> String {
    let noun = agree(&number, noun);
    format!("{number} {noun}")
}

/// The word as it agrees with a number: « inscrite », « inscrites ».
#[must_use]
pub fn agree<N: PartialOrd + From<u8>>(number: &N, word: &str) -> String {
    let plural = *number >= N::from(2) && !word.ends_with(['s', 'x', 'z']);
    if plural { format!("{word}s") } else { word.to_owned() }
}

/// A text of before words agreed with their number: « 2 école(s) inscrite(s) » becomes « 2 écoles inscrites ».
#[must_use]
pub fn agreed(text: &str) -> String {
    let mut parts = text.split("(s)");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = all.split(|c: char| !c.is_ascii_digit()).rfind(|n| !n.is_empty());
        if number.is_some_and(|n| !matches!(n, "0" | "1")) {
            all.push('s');
        }
        all.push_str(part);
    }
    all
}

/// What is known, with one separator between: blanks are skipped, and so is a separator that a part brings itself.
#[must_use]
pub fn joined<S: AsRef<str>>(parts: impl IntoIterator<Item = S>, separator: &str) -> String {
    let odd = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    let mut all = String::new();
    for part in parts {
        let part = part.as_ref().trim_matches(odd);
        if !part.is_empty() {
            if !all.is_empty() {
                all.push_str(separator);
            }
            all.push_str(part);
        }
    }
    all
}

/// « Fons, Gajan et Saint-Bauzély ».
#[must_use]
pub fn listed<S: AsRef<str>>(parts: &[S]) -> String {
    match parts.split_last() {
        None => String::new(),
        Some((last, [])) => joined([last], ", "),
        Some((last, before)) => joined([joined(before, ", "), joined([last], ", ")], " et "),
    }
}

/// A person's text as part of a sentence that goes on: on one line, without the stop at its end.
#[must_use]
pub fn clause(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ',' | ';' | ':')).len();
    // « etc. » and « … » keep what is theirs.
    if line.get(end..).is_some_and(|rest| rest.starts_with("..")) || line.ends_with("etc.") {
        return line;
    }
    line.get(..end).map(str::to_owned).unwrap_or_default()
}

/// Writes words in a hole of a sentence, contracted with what stands before: « de » + « le syndicat » = « du syndicat ».
#[must_use]
pub fn fill(sentence: &str, hole: &str, words: &str) -> String {
    let words = words.trim();
    let mut parts = sentence.split(hole);
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let before = |word: &str| all.strip_suffix(word).filter(|b| b.is_empty() || b.ends_with([' ', NO_BREAK, '(']));
        let (kept, met) = match (before("de "), before("à "), article(words)) {
            (Some(kept), _, Some((Article::Le, rest))) => (kept.len(), format!("du {rest}")),
            (Some(kept), _, Some((Article::Les, rest))) => (kept.len(), format!("des {rest}")),
            (_, Some(kept), Some((Article::Le, rest))) => (kept.len(), format!("au {rest}")),
            (_, Some(kept), Some((Article::Les, rest))) => (kept.len(), format!("aux {rest}")),
            (Some(kept), _, None) => (kept.len(), de(words)),
            _ => (all.len(), words.to_owned()),
        };
        all.truncate(kept);
        all.push_str(&met);
        all.push_str(part);
    }
    all
}

/// Ordinary spaces that must not end a line become unbreakable: before « : ; ! ? » », after « « », « n° », « art. ».
#[must_use]
pub fn typeset(text: &str) -> String {
    let mut set = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        let holds = letter == ' '
            && (next.is_some_and(|c| matches!(c, ':' | ';' | '!' | '?' | '»' | '€' | '%'))
                || set.ends_with(['«', '°'])
                || set.ends_with("art."));
        set.push(if holds { NO_BREAK } else { letter });
    }
    set
}

#[derive(Clone, Copy)]
enum Article {
    Le,
    Les,
}

/// The article a name begins with, when « de » and « à » contract with it, and what follows.
fn article(name: &str) -> Option<(Article, &str)> {
    let (first, rest) = name.trim().split_once([' ', '-'])?;
    let article = match first.to_lowercase().as_str() {
        "le" => Article::Le,
        "les" => Article::Les,
        _ => return None,
    };
    Some((article, rest.trim())).filter(|(_, rest)| !rest.is_empty())
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

fn elides(words: &str) -> bool {
    let word = first_word(words);
    if ["onze", "onzième", "oui"].contains(&word.as_str()) {
        return false;
    }
    let vowel = |letter: char| "aàâäeéèêëiîïoôöuùûüœæ".contains(letter);
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        // « d’Ystres » but « de Yenne ».
        (Some('y'), Some(next)) => !vowel(next),
        (Some(letter), _) => vowel(letter),
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_small_words_before_a_place() {
        for (name, of, at) in [
            ("Alès", "d’Alès", "à Alès"),
            ("Le Vigan", "du Vigan", "au Vigan"),
            ("LE VIGAN", "du VIGAN", "au VIGAN"),
            ("Le-Vigan", "du Vigan", "au Vigan"),
            ("Les Angles", "des Angles", "aux Angles"),
            ("La Grand-Combe", "de La Grand-Combe", "à La Grand-Combe"),
            ("L'Union", "de L'Union", "à L'Union"),
            ("Nîmes", "de Nîmes", "à Nîmes"),
            ("Élusa", "d’Élusa", "à Élusa"),
            ("Œting", "d’Œting", "à Œting"),
            ("Oô", "d’Oô", "à Oô"),
            ("Homps", "de Homps", "à Homps"),
            ("Lespignan", "de Lespignan", "à Lespignan"),
            ("Los Masos", "de Los Masos", "à Los Masos"),
            ("Ys", "d’Ys", "à Ys"),
            ("Yenne", "de Yenne", "à Yenne"),
            ("Le", "de Le", "à Le"),
        ] {
            assert_eq!((de_place(name).as_str(), a_place(name).as_str()), (of, at));
        }
    }

    #[test]
    fn numbers_and_nouns_agree_and_elide() {
        assert_eq!(de("une école"), "d’une école");
        assert_eq!(de(&count(2, "école")), "de 2 écoles");
        assert_eq!(de("onze classes"), "de onze classes");
        assert_eq!(de("onzain"), "d’onzain");
        assert_eq!(
            (count(0, "école"), count(1, "élève"), count(24, "classe")),
            ("0 école".into(), "1 élève".into(), "24 classes".into())
        );
        assert_eq!(
            (agree(&1, "inscrite"), agree(&2, "inscrite"), agree(&3, "mois")),
            ("inscrite".into(), "inscrites".into(), "mois".into())
        );
    }

    #[test]
    fn words_of_before_agree_with_the_number_they_follow() {
        for (before, after) in [
            (
                "2 école(s) à la charge de la collectivité et inscrite(s) pour l'année",
                "2 écoles à la charge de la collectivité et inscrites pour l'année",
            ),
            ("1 école(s) × 40,00 € = 40,00 €", "1 école × 40,00 € = 40,00 €"),
            ("De 1 à 100 : 100 élève(s) × 1,20 €", "De 1 à 100 : 100 élèves × 1,20 €"),
            ("2 écoles × 40,00 €", "2 écoles × 40,00 €"),
        ] {
            assert_eq!(agreed(before), after);
        }
    }

    #[test]
    fn courts_have_their_article() {
        for (name, after) in [
            ("tribunal administratif de Montpellier", "au tribunal administratif de Montpellier"),
            ("Tribunal administratif de Nîmes", "au Tribunal administratif de Nîmes"),
            ("le tribunal administratif de Nîmes", "au tribunal administratif de Nîmes"),
            ("cour administrative d'appel", "à la cour administrative d'appel"),
            ("La cour d'appel", "à la cour d'appel"),
            ("l'autorité compétente", "à l'autorité compétente"),
            ("les juridictions compétentes", "aux juridictions compétentes"),
        ] {
            assert_eq!(court(name), after);
        }
    }

    #[test]
    fn what_is_missing_leaves_no_separator() {
        assert_eq!(joined(["EXEMPLE", "", "Rectrice,"], ", "), "EXEMPLE, Rectrice");
        assert_eq!(
            joined(["31, rue de l'Université", " ,", "34064 Montpellier"], ", "),
            "31, rue de l'Université, 34064 Montpellier"
        );
        assert_eq!(joined([None, Some("a@b.fr"), None::<&str>].into_iter().flatten(), " — "), "a@b.fr");
        assert_eq!(joined(["", " "], ", "), "");
        assert_eq!(listed(&["Fons", "Gajan", "Uzès"]), "Fons, Gajan et Uzès");
        assert_eq!(
            (listed(&["Fons", "Uzès"]), listed(&["Fons"]), listed::<&str>(&[])),
            ("Fons et Uzès".into(), "Fons".into(), String::new())
        );
    }

    #[test]
    fn a_text_goes_on_in_the_sentence() {
        assert_eq!(clause("Commune sinistrée.\n"), "Commune sinistrée");
        assert_eq!(clause("première ligne\nseconde ligne ;"), "première ligne seconde ligne");
        assert_eq!(
            (clause("travaux, etc."), clause("à voir…"), clause(" . ")),
            ("travaux, etc.".into(), "à voir…".into(), String::new())
        );
    }

    #[test]
    fn words_contract_with_what_stands_before() {
        let in_place = |words| fill("en lieu et place de {c}", "{c}", words);
        assert_eq!(in_place("la commune d’Aulas"), "en lieu et place de la commune d’Aulas");
        assert_eq!(in_place("le syndicat de Fons"), "en lieu et place du syndicat de Fons");
        assert_eq!(in_place("Le Grand Ouest Toulousain"), "en lieu et place du Grand Ouest Toulousain");
        assert_eq!(in_place("Alès Agglomération"), "en lieu et place d’Alès Agglomération");
        assert_eq!(fill("substituée à {c} ({c})", "{c}", "le SIVOM X"), "substituée au SIVOM X (le SIVOM X)");
        assert_eq!(fill("code de {c} et monde {c}", "{c}", "le SIVOM"), "code du SIVOM et monde le SIVOM");
    }

    #[test]
    fn spaces_before_high_punctuation_never_break() {
        assert_eq!(
            typeset("Calcul : « 2 » ; n° 3 ? 40 €"),
            "Calcul\u{A0}: «\u{A0}2\u{A0}»\u{A0}; n°\u{A0}3\u{A0}? 40\u{A0}€"
        );
    }

    proptest! {
        #[test]
        fn joined_parts_never_meet_two_separators(parts in proptest::collection::vec("[ ,;]{0,2}[a-zé]{0,3}[ ,;]{0,2}", 0..6)) {
            let all = joined(&parts, ", ");
            prop_assert!(!all.contains(",,") && !all.contains(", ,") && !all.contains("  ") && !all.ends_with([',', ' ']), "{}", all);
        }

        #[test]
        fn setting_twice_changes_nothing(text in "[a-z :;!?«»°€]{0,30}") {
            let once = typeset(&text);
            prop_assert_eq!(typeset(&once), once.clone());
            prop_assert_eq!(once.replace(NO_BREAK, " "), text);
        }
    }
}
