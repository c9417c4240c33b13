//! What a cell holds, what its column expects, and how a spreadsheet damages identifiers.
//!
//! A cell keeps its type: a date where a name is expected is no name, whatever it looks like once written out, and its
//! row is set aside. Worse is the damage that strikes every row alike: a file opened and saved in a spreadsheet comes
//! back with long numbers as `2,13003E+13` and codes without their leading zeros. Nothing here says whether an
//! identifier is right, only whether the file went through that mill.

use super::limits;
use crate::kernel::bare::{bare, shows_nothing, trimmed};
use crate::kernel::identifiers::is_scientific;
use crate::kernel::text::excerpt;
use crate::kernel::{FieldFault, Finding};

/// What a column holds: decides what its cells may be, and which damage can be seen in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Anything that is text, or a number written out.
    Text,
    /// A list or an object, as JSON: text that may be as long as its line.
    Nested,
    /// Yes or no: `1`, or a boolean cell of a workbook.
    Flag,
    /// A count: a number cell of a workbook is welcome.
    Integer,
    /// A day: a date cell of a workbook is welcome.
    Date,
    /// 14 digits.
    Siret,
    /// 9 digits.
    Siren,
    /// 9 or 14 digits, as the school directory mixes them.
    SirenOrSiret,
    /// Seven digits and a letter.
    Uai,
    /// INSEE code of a commune.
    Insee,
    /// Several INSEE codes in one cell.
    InseeList,
    /// Two or three characters.
    Departement,
    /// Postal code.
    Postal,
    /// Several postal codes in one cell.
    PostalList,
}

/// What a cell is in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    Text,
    Number,
    /// A day, a time or a duration.
    Date,
    Boolean,
    /// `#N/A`, `#REF!`…
    Error,
}

/// What a cell holds, as text, with what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub is: CellType,
    pub text: String,
}

impl Cell {
    pub(super) fn new(is: CellType, text: impl Into<String>) -> Self {
        Self { is, text: text.into() }
    }
}

/// What formulas leave in place of a value, in the languages met: a CSV file holds it as text.
const ERRORS: &[&str] = &[
    "#N/A",
    "#REF!",
    "#VALUE!",
    "#VALEUR!",
    "#NAME?",
    "#NOM?",
    "#DIV/0!",
    "#NULL!",
    "#NUL!",
    "#NUM!",
    "#NOMBRE!",
    "#SPILL!",
    "#PROPAGATION!",
    "#CALC!",
    "#FIELD!",
    "#CHAMP!",
    "#BLOCKED!",
    "#GETTING_DATA",
];

/// What a cell of a text file is.
pub(super) fn type_of_text(text: &str) -> CellType {
    if text.starts_with('#') && ERRORS.contains(&text) { CellType::Error } else { CellType::Text }
}

/// The items of a cell that holds several codes (`09240|09600`).
pub fn list_items(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(|c: char| c.is_whitespace() || matches!(c, '|' | ',' | ';' | '/')).filter(|item| !item.is_empty())
}

impl CellKind {
    /// Whether a number, in such a column, has lost what makes it an identifier.
    const fn is_identifier(self) -> bool {
        !matches!(self, Self::Text | Self::Nested | Self::Flag | Self::Integer | Self::Date)
    }

    /// Most characters of such a cell.
    pub(super) const fn most_characters(self) -> usize {
        if matches!(self, Self::Nested) { limits::RECORD_BYTES } else { limits::CELL_CHARACTERS }
    }

    const fn holds_siret(self) -> bool {
        matches!(self, Self::Siret | Self::SirenOrSiret)
    }

    /// The text of a cell. Chorus extracts write `#` where they have no SIRET.
    pub(super) fn text(self, raw: &str) -> &str {
        let text = trimmed(raw);
        let no_siret = matches!(self, Self::Siret | Self::Siren | Self::SirenOrSiret)
            && text.contains('#')
            && text.chars().all(|c| c == '#' || shows_nothing(c));
        if no_siret { "" } else { text }
    }

    /// Why a cell is not of the type its column expects, if it is not: the fault of one row.
    pub(super) fn misfit(self, cell: &Cell) -> Option<FieldFault> {
        let shown = excerpt(&cell.text);
        let message = match (self, cell.is) {
            (_, CellType::Error) => format!("La cellule contient une erreur de formule (« {shown} »)."),
            (Self::Text | Self::Nested | Self::Flag | Self::Integer, CellType::Date) => format!(
                "La cellule est une date ou une heure (« {shown} ») : la colonne doit être au format texte et la valeur saisie de nouveau."
            ),
            (kind, CellType::Boolean) if kind != Self::Flag => {
                format!("La cellule est un booléen (« {shown} ») : la colonne doit être au format texte.")
            }
            _ => return None,
        };
        Some(FieldFault::new("cell_type", message))
    }

    /// A SIRET that the spreadsheet held as a number, and whole: fourteen digits are within what it keeps exactly.
    fn is_whole_siret(self, cell: &Cell) -> bool {
        self.holds_siret()
            && cell.is == CellType::Number
            && cell.text.len() == 14
            && cell.text.bytes().all(|b| b.is_ascii_digit())
    }

    /// What is worth telling of a sound cell.
    pub(super) fn finding(self, cell: &Cell) -> Option<Finding> {
        self.is_whole_siret(cell).then(|| {
            let message = "SIRET enregistré comme un nombre, gardé entier par le tableur : mettre la colonne au format texte évite qu'il ne s'abîme.";
            let mut finding = Finding::info("siret_as_number", message);
            finding.found = Some(cell.text.clone());
            finding
        })
    }

    /// The damage seen in a cell: code and French sentence.
    pub(super) fn damage(self, cell: &Cell) -> Option<(&'static str, String)> {
        let text = self.text(&cell.text);
        if text.is_empty() || !self.is_identifier() || self.is_whole_siret(cell) {
            return None;
        }
        match cell.is {
            CellType::Number | CellType::Date => {
                let message = "Identifiant enregistré comme un nombre : la colonne doit être au format texte.";
                Some(("identifier_as_number", message.to_owned()))
            }
            CellType::Boolean | CellType::Error => None,
            CellType::Text => self.damage_of_text(text),
        }
    }

    /// The damage seen in a cell that was text.
    pub(super) fn damage_of_text(self, raw: &str) -> Option<(&'static str, String)> {
        if !self.is_identifier() {
            return None;
        }
        let text = bare(self.text(raw));
        if is_scientific(&text) {
            let message = "Identifiant abîmé par un tableur (notation scientifique) : reprendre le fichier d'origine.";
            return Some(("scientific_notation", message.to_owned()));
        }
        let expected = match self {
            Self::Insee | Self::Postal => lost_zero(&text, 5),
            Self::InseeList | Self::PostalList => list_items(raw).find_map(|item| lost_zero(&bare(item), 5)),
            Self::Departement => lost_zero(&text, 2),
            Self::Uai => lost_zero_of_uai(&text),
            _ => None,
        }?;
        let message = format!(
            "Zéro initial perdu (« {expected} » attendu) : fichier réenregistré par un tableur, reprendre l'original."
        );
        Some(("leading_zero_lost", message))
    }
}

/// The code with its zero, when exactly one digit is missing and all others are there.
fn lost_zero(text: &str, length: usize) -> Option<String> {
    (text.len() + 1 == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| format!("0{text}"))
}

fn lost_zero_of_uai(text: &str) -> Option<String> {
    let (number, key) = text.split_at_checked(6)?;
    let shaped =
        number.bytes().all(|b| b.is_ascii_digit()) && key.len() == 1 && key.bytes().all(|b| b.is_ascii_alphabetic());
    shaped.then(|| format!("0{text}"))
}
