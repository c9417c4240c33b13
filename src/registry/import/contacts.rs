//! The contacts file: who answers for a collectivité, and at which address.
//!
//! Town-hall addresses come from the rectorat's own list or the local directory, never from the school
//! directory: a school's mail is refused here by its shape, for a convention sent to the school is a convention
//! nobody signs. A blank cell changes nothing.
//!
//! The column names of the national register of elected officials are among the aliases.

use super::{Cells, Parsed, ReadRows, Reader, read as read_table, says};
use crate::kernel::contact::{Civility, EmailAddress, Phone};
use crate::kernel::text::Line;
use crate::kernel::{FieldFault, InseeCode, Siret};
use crate::platform::tabular::{CellKind, ColumnSpec, Layout, Row, Table};

/// The columns read; `siret` or `insee` must be there.
pub const COLUMNS: &[ColumnSpec] = &[
    ColumnSpec::optional("siret", &["numero_siret", "siret_siege", "n_siret"], CellKind::Siret),
    ColumnSpec::optional(
        "insee",
        &["code_insee", "insee_code", "insee_com", "code_commune", "code_de_la_commune", "codgeo"],
        CellKind::Insee,
    ),
    ColumnSpec::optional("civilite", &["civility", "genre", "code_sexe"], CellKind::Text),
    ColumnSpec::optional("prenom", &["first_name", "prenom_elu", "prenom_de_l_elu", "prenom_maire"], CellKind::Text),
    ColumnSpec::optional(
        "nom",
        &["last_name", "nom_de_famille", "nom_elu", "nom_de_l_elu", "nom_maire"],
        CellKind::Text,
    ),
    ColumnSpec::optional("qualite", &["fonction", "titre", "capacity", "title"], CellKind::Text),
    ColumnSpec::optional(
        "courriel",
        &["mail", "email", "adresse_mail", "adresse_courriel", "adresse_email", "mel"],
        CellKind::Text,
    ),
    ColumnSpec::optional("telephone", &["tel", "phone", "numero_de_telephone"], CellKind::Text),
];

/// Whom the contact is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ContactKey {
    Siret(Siret),
    Insee(InseeCode),
}

/// A contact. What is none was blank or in no column: it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContactRow {
    pub key: ContactKey,
    pub civility: Option<Civility>,
    pub first_name: Option<Line>,
    pub last_name: Option<Line>,
    pub capacity: Option<Line>,
    pub email: Option<EmailAddress>,
    pub phone: Option<Phone>,
}

/// What is read of the file.
pub static LAYOUT: Layout = Layout { name: "contacts", columns: COLUMNS, one_of: &["siret", "insee"] };

/// Reads the rows; a collectivité stands once.
#[must_use]
pub fn read(table: &Table) -> ReadRows<'_, ContactRow> {
    let keys = |row: &ContactRow| match &row.key {
        ContactKey::Siret(siret) => vec![("siret", siret.to_string())],
        ContactKey::Insee(code) => vec![("insee", code.to_string())],
    };
    read_table(table, Reader { parse, keys })
}

/// Reads one row. With both keys, the SIRET is the one used: the INSEE code is only checked for its shape.
#[must_use]
pub fn parse(row: &Row) -> Parsed<ContactRow> {
    let key = row.filled("siret").or(row.filled("insee")).unwrap_or_default();
    let mut cells = Cells::of(row);
    let siret = cells.optional("siret", Siret::parse);
    let insee = cells.optional("insee", InseeCode::parse);
    if key.is_empty() {
        let column = if row.get("siret").is_some() { "siret" } else { "insee" };
        cells.fault(column, FieldFault::new("empty", "SIRET ou code INSEE obligatoire."));
    }
    let civility = cells.optional("civilite", parse_civility);
    let first_name = cells.optional("prenom", Line::parse);
    let last_name = cells.optional("nom", Line::parse);
    let capacity = cells.optional("qualite", Line::parse);
    let email = cells.optional("courriel", parse_email);
    let phone = cells.optional("telephone", parse_phone);
    let silent =
        ["civilite", "prenom", "nom", "qualite", "courriel", "telephone"].iter().all(|c| row.filled(c).is_none());
    let found = siret.map(ContactKey::Siret).or(insee.map(ContactKey::Insee));
    let value = found.map(|key| ContactRow { key, civility, first_name, last_name, capacity, email, phone });
    match cells.end(key, value, Vec::new()) {
        Parsed::Row { .. } if silent => {
            Parsed::Ignored { key: Some(key.to_owned()), reason: "Aucun renseignement sur cette ligne." }
        }
        parsed => parsed,
    }
}

fn parse_civility(raw: &str) -> Result<Civility, FieldFault> {
    if says(raw, &["madame", "mme", "mme le maire", "mme la maire", "mlle", "f"]) {
        Ok(Civility::Madame)
    } else if says(raw, &["monsieur", "m", "mr", "m le maire", "h"]) {
        Ok(Civility::Monsieur)
    } else {
        Err(FieldFault::new("unknown_value", "Civilité attendue : Madame (Mme) ou Monsieur (M.)."))
    }
}

fn parse_email(raw: &str) -> Result<EmailAddress, FieldFault> {
    let address = EmailAddress::parse(raw)?;
    if is_school_mail(&address) {
        return Err(FieldFault::new(
            "school_email",
            "Adresse d'une école : indiquer celle de la mairie ou du groupement, l'école ne signe pas la convention.",
        ));
    }
    Ok(address)
}

/// `ce.0301023Z@…` anywhere, `0301023Z@ac-…` too.
fn is_school_mail(address: &EmailAddress) -> bool {
    let Some((local, domain)) = address.as_str().split_once('@') else { return false };
    let short = local.strip_prefix("ce.");
    let number = short.unwrap_or(local);
    let shaped = number.split_at_checked(7).is_some_and(|(digits, letter)| {
        digits.bytes().all(|b| b.is_ascii_digit())
            && letter.len() == 1
            && letter.bytes().all(|b| b.is_ascii_alphabetic())
    });
    shaped && (short.is_some() || domain.starts_with("ac-"))
}

fn parse_phone(raw: &str) -> Result<Phone, FieldFault> {
    if raw.len() == 9 && raw.bytes().all(|b| b.is_ascii_digit()) && !raw.starts_with('0') {
        return Err(FieldFault::new(
            "leading_zero_lost",
            format!("Zéro initial perdu (« 0{raw} » attendu) : colonne à mettre au format texte."),
        ));
    }
    Phone::parse(raw)
}
