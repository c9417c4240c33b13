//! The contacts file: who answers for a collectivité, and at which address.
//!
//! Town-hall addresses come from the rectorat's own list or the directory of administrations, never from that of schools.
//! A blank cell changes nothing.
//!
//! The State's directory of administrations comes through the same door: see [`super::administrations`].
//!
//! The column names of the national register of elected officials are among the aliases.

use super::contact_fields::{Contact, parse_civility, parse_email, parse_phone};
use super::{Cells, Parsed, ReadRows, Reader, administrations, read as read_table, says};
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

/// A contact of a collectivité.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContactRow {
    pub key: ContactKey,
    pub said: Contact,
}

/// What is read of the file.
pub static LAYOUT: Layout =
    Layout { one_of: &["siret", "insee"], besides: &[&administrations::LAYOUT], ..Layout::alone("contacts", COLUMNS) };

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
    let last_name = cells.optional("nom", parse_last_name);
    let capacity = cells.optional("qualite", Line::parse);
    let email = cells.optional("courriel", parse_email);
    let phone = cells.optional("telephone", parse_phone);
    let silent =
        ["civilite", "prenom", "nom", "qualite", "courriel", "telephone"].iter().all(|c| row.filled(c).is_none());
    let found = siret.map(ContactKey::Siret).or(insee.map(ContactKey::Insee));
    let said = Contact { civility, first_name, last_name, capacity, email, phone };
    let value = found.map(|key| ContactRow { key, said });
    match cells.end(key, value, Vec::new()) {
        Parsed::Row { .. } if silent => {
            Parsed::Ignored { key: Some(key.to_owned()), reason: "Aucun renseignement sur cette ligne." }
        }
        parsed => parsed,
    }
}

/// The State's directory of administrations, without the columns that tell it, would make its services into people.
fn parse_last_name(raw: &str) -> Result<Line, FieldFault> {
    if raw.split_once(['-', '–', '—']).is_some_and(|(first, _)| says(first, &["mairie"])) {
        let message = "Nom d'un service, et non d'une personne : d'un export de l'annuaire des administrations, garder la colonne « pivot ».";
        return Err(FieldFault::new("name_of_service", message));
    }
    Line::parse(raw)
}
