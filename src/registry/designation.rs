//! How a body is called on paper, whatever the form under which a file or a person wrote its name. Pure.
//!
//! ```text
//!   « VILLE DE NÎMES », « Mairie - Nîmes », « Vigan (Le) », « COMMUNE D ALES »  ──▶  place (Nîmes, Le Vigan, ALES)
//!   « CC Pyrénées audoises », « SM de la Tet »                                   ──▶  the nature in full
//! ```
//! The stored name is never altered: these are words in front of it, the file's own taken off. What begins like a body of
//! another kind is printed as it stands, and `kind_name_differs` says so.

use super::kinds::CollectiviteKind;
use crate::kernel::{Finding, french, school_label};

/// Words in front of the name of a commune. Without « de » the last two may be the name itself (« Ville Langy »).
const COMMUNE_FORMS: [&[&str]; 7] = [
    &["COMMUNE", "NOUVELLE"],
    &["HOTEL", "DE", "VILLE"],
    &["COMMUNE"],
    &["MAIRIE"],
    &["CNE"],
    &["MUNICIPALITE"],
    &["VILLE"],
];

/// Names that only look like « Ville de … » once their hyphens are lost: Ville-d'Avray (92), Ville-du-Pont (25).
const NAMES_IN_VILLE: [&str; 3] = ["VILLE D'AVRAY", "VILLE D AVRAY", "VILLE DU PONT"];

/// Natures that files shorten to codes: Banatic's, which are not part of a name. Acronyms that bodies go by (SIVOM,
/// SIVU, SIRP, PETR…) stay.
const NATURES: [(&str, &str, CollectiviteKind); 7] = [
    ("CC", "communauté de communes", CollectiviteKind::Epci),
    ("CA", "communauté d’agglomération", CollectiviteKind::Epci),
    ("CU", "communauté urbaine", CollectiviteKind::Epci),
    ("SI", "syndicat intercommunal", CollectiviteKind::Syndicat),
    ("SM", "syndicat mixte", CollectiviteKind::Syndicat),
    ("SMO", "syndicat mixte ouvert", CollectiviteKind::Syndicat),
    ("SMF", "syndicat mixte fermé", CollectiviteKind::Syndicat),
];

/// First words of bodies other than communes, with the article they take in a sentence.
const BODIES: [(&str, &str); 36] = [
    ("COMMUNAUTE", "la "),
    ("METROPOLE", "la "),
    ("REGION", "la "),
    ("FEDERATION", "la "),
    ("DEPARTEMENT", "le "),
    ("SYNDICAT", "le "),
    ("POLE", "le "),
    ("CONSERVATOIRE", "le "),
    ("CCAS", "le "),
    ("PETR", "le "),
    ("SIVU", "le "),
    ("SIVOM", "le "),
    ("SIVOS", "le "),
    ("SIRP", "le "),
    ("SIRS", "le "),
    ("SIIS", "le "),
    ("SIVE", "le "),
    ("SRPI", "le "),
    ("SRPIC", "le "),
    ("SIGERPI", "le "),
    ("RPI", "le "),
    ("SIAEP", "le "),
    ("SIAEPA", "le "),
    ("SMAEP", "le "),
    ("SAEP", "le "),
    ("SIAH", "le "),
    ("SMAH", "le "),
    ("SICTOM", "le "),
    ("SMICTOM", "le "),
    ("SIPOM", "le "),
    ("SITOM", "le "),
    ("SIER", "le "),
    ("SIE", "le "),
    ("SIST", "le "),
    ("SYDED", "le "),
    ("GECT", "le "),
];

/// A body's name, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Designation {
    read: Read,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Read {
    /// The name of a commune, bare; `elided` when the file says « d' » in front of it, which an H does not tell.
    Commune { place: String, elided: bool },
    /// A nature in full, and the rest of the name.
    Nature(&'static str, String),
    /// A name that is printed as it stands, and the article it takes in a sentence.
    Own(String, &'static str),
}

impl Designation {
    #[must_use]
    pub fn of(kind: CollectiviteKind, name: &str) -> Self {
        let read = match kind {
            CollectiviteKind::Commune if body(name).is_none() => commune(name),
            _ => {
                let nature = NATURES.iter().find(|(code, _, _)| Some(*code) == leading(name).as_deref());
                match (nature, name.split_once(' ')) {
                    (Some((_, full, _)), Some((_, rest))) => Read::Nature(full, rest.trim().to_owned()),
                    _ => Read::Own(name.to_owned(), body(name).unwrap_or_default()),
                }
            }
        };
        Self { read }
    }

    /// In capitals, as the head of a contract: « COMMUNE DE NIMES », « COMMUNAUTE DE COMMUNES PYRENEES AUDOISES ».
    #[must_use]
    pub fn printed(&self) -> String {
        let text = match &self.read {
            Read::Commune { .. } | Read::Nature(..) => self.bare(),
            Read::Own(name, _) => name.clone(),
        };
        school_label::capitals(&text)
    }

    /// In a sentence, with its article: « la commune d’Aulas », « le SIVOM de la Bure ».
    #[must_use]
    pub fn spoken(&self) -> String {
        match &self.read {
            Read::Commune { .. } => format!("la {}", self.bare()),
            Read::Nature(full, _) if full.starts_with("syndicat") => format!("le {}", self.bare()),
            Read::Nature(..) => format!("la {}", self.bare()),
            Read::Own(name, article) => format!("{article}{name}"),
        }
    }

    /// The name of the commune, bare: the town of its own address.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match &self.read {
            Read::Commune { place, .. } => Some(place),
            _ => None,
        }
    }

    fn bare(&self) -> String {
        match &self.read {
            Read::Commune { place, elided: true } => format!("commune d’{place}"),
            Read::Commune { place, elided: false } => format!("commune {}", french::de_place(place)),
            Read::Nature(full, rest) => format!("{full} {rest}"),
            Read::Own(name, _) => name.clone(),
        }
    }
}

/// A name that begins like a body of another kind: the paper prints it as it stands.
#[must_use]
pub fn kind_name_differs(kind: CollectiviteKind, name: &str) -> Option<Finding> {
    let differs = match kind {
        CollectiviteKind::Commune => body(name).is_some(),
        CollectiviteKind::Epci | CollectiviteKind::Syndicat => strip_form(&words(name)).is_some(),
        CollectiviteKind::Autre => false,
    };
    let message = "Le nom commence comme celui d'une collectivité d'une autre nature : il est imprimé tel quel.";
    differs.then(|| Finding::info("kind_name_differs", message).compared(kind, name))
}

/// The article of a body other than a commune, known by its first word; none for anything else.
fn body(name: &str) -> Option<&'static str> {
    let first = leading(name)?;
    let nature = NATURES.iter().find(|(code, _, _)| *code == first);
    let nature = nature.map(|(_, full, _)| if full.starts_with("syndicat") { "le " } else { "la " });
    nature.or_else(|| BODIES.iter().find(|(word, _)| *word == first).map(|(_, article)| *article))
}

/// The first word, in capitals, when another follows.
fn leading(name: &str) -> Option<String> {
    name.trim().split_once(' ').map(|(first, _)| school_label::capitals(first))
}

fn words(name: &str) -> Vec<&str> {
    name.split_whitespace().collect()
}

/// The bare name of a commune: forms in front of it taken off, one after the other, and its article put first.
fn commune(name: &str) -> Read {
    let (mut place, mut elided) = (article_first(name), false);
    while let Some((rest, de)) = strip_form(&words(&place)) {
        elided = de;
        place = article_first(&rest);
    }
    Read::Commune { place, elided }
}

/// Takes one form off; none when there is none, or nothing behind it. Tells whether « d' » stood between.
fn strip_form(words: &[&str]) -> Option<(String, bool)> {
    let upper: Vec<String> = words.iter().map(|w| school_label::capitals(w)).collect();
    let whole = upper.join(" ");
    if NAMES_IN_VILLE.iter().any(|name| whole == *name) {
        return None;
    }
    let form =
        COMMUNE_FORMS.iter().find(|form| upper.len() > form.len() && upper.iter().zip(**form).all(|(a, b)| a == b))?;
    let (rest, said) = (words.get(form.len()..)?, upper.get(form.len()..)?);
    let (link, after) = (said.first()?.as_str(), rest.get(1..)?.join(" "));
    let found = match link {
        "DE" | "-" | ":" => (after, false),
        "DU" => (format!("Le {after}"), false),
        "DES" => (format!("Les {after}"), false),
        "D" => (after, true),
        _ if link.starts_with("D'") => {
            let first: String = rest.first()?.chars().skip(2).collect();
            (format!("{first} {after}").trim().to_owned(), true)
        }
        _ if **form == ["VILLE"] || **form == ["MUNICIPALITE"] => return None,
        _ => (rest.join(" "), false),
    };
    Some(found).filter(|(place, _)| !matches!(place.trim(), "" | "Le" | "Les"))
}

/// « Vigan (Le) » → « Le Vigan »; « L Union » → « L'Union ».
fn article_first(name: &str) -> String {
    let name = name.trim();
    let behind = name.strip_suffix(')').and_then(|n| n.rsplit_once(" ("));
    if let Some((place, article)) = behind {
        let upper = school_label::capitals(article);
        if ["LE", "LA", "LES"].contains(&upper.as_str()) {
            return format!("{article} {place}");
        }
        if upper == "L'" {
            return format!("{article}{place}");
        }
    }
    match name.split_once(' ') {
        Some((l @ ("L" | "l"), rest)) if !rest.trim().is_empty() => format!("{l}'{}", rest.trim()),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
#[path = "designation_tests.rs"]
mod tests;
