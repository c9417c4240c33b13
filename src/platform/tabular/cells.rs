//! What a spreadsheet does to identifiers, and how it shows.
//!
//! Opening a CSV file in a spreadsheet and saving it turns what looks like a number into one: leading zeros go,
//! long numbers come back as `2,13003E+13`. Nothing here says whether an identifier is right, only whether the
//! file went through that mill.

use crate::kernel::identifiers::is_scientific;

/// What a column holds: decides which damage can be seen in its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Anything; never a reason to refuse the file.
    Text,
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

/// What a cell held before it became text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(String),
    Date(String),
    /// `#N/A`, `#REF!`…
    Error(String),
}

impl Value {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) | Self::Date(text) | Self::Error(text) => text,
        }
    }
}

/// Removes white space at both ends, with the invisible characters that web pages and exports leave there.
pub(super) fn trimmed(raw: &str) -> &str {
    raw.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// The items of a cell that holds several codes (`09240|09600`).
pub fn list_items(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(|c: char| c.is_whitespace() || matches!(c, '|' | ',' | ';' | '/')).filter(|item| !item.is_empty())
}

impl CellKind {
    /// Whether a number, in such a column, has lost what makes it an identifier.
    const fn is_identifier(self) -> bool {
        !matches!(self, Self::Text | Self::Integer | Self::Date)
    }

    /// The text of a cell. Chorus extracts write `#` where they have no SIRET.
    pub(super) fn text(self, raw: &str) -> &str {
        let text = trimmed(raw);
        let no_siret = matches!(self, Self::Siret | Self::Siren | Self::SirenOrSiret)
            && !text.is_empty()
            && text.chars().all(|c| c == '#');
        if no_siret { "" } else { text }
    }

    /// The damage seen in a cell: code and French sentence.
    pub(super) fn damage(self, value: &Value) -> Option<(&'static str, String)> {
        let text = self.text(value.as_str());
        if text.is_empty() {
            return None;
        }
        if matches!(value, Value::Error(_)) {
            return Some(("cell_error", "La cellule contient une erreur de formule.".to_owned()));
        }
        if self.is_identifier() && matches!(value, Value::Number(_) | Value::Date(_)) {
            let message = "Identifiant enregistré comme un nombre : la colonne doit être au format texte.";
            return Some(("identifier_as_number", message.to_owned()));
        }
        self.damage_of_text(text)
    }

    /// The damage seen in a cell that was text.
    pub(super) fn damage_of_text(self, raw: &str) -> Option<(&'static str, String)> {
        if !self.is_identifier() {
            return None;
        }
        let text = self.text(raw);
        if is_scientific(text) {
            let message = "Identifiant abîmé par un tableur (notation scientifique) : reprendre le fichier d'origine.";
            return Some(("scientific_notation", message.to_owned()));
        }
        let expected = match self {
            Self::Insee | Self::Postal => lost_zero(text, 5),
            Self::InseeList | Self::PostalList => list_items(text).find_map(|item| lost_zero(item, 5)),
            Self::Departement => lost_zero(text, 2),
            Self::Uai => lost_zero_of_uai(text),
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
    shaped.then(|| format!("0{}", text.to_ascii_uppercase()))
}
