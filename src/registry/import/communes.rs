//! The communes file: INSEE code, SIRET, name, former INSEE codes.
//!
//! The SIRET must be in the file. It is never computed from the SIREN: the result would be wrong for some
//! communes, and wrong debtors cost more than blank ones.

use super::{Cells, Parsed, ReadRows, Reader, parse_count, read as read_table, says};
use crate::kernel::contact::PostalCode;
use crate::kernel::text::Line;
use crate::kernel::{FieldFault, Finding, InseeCode, Siren, Siret};
use crate::platform::tabular::{CellKind, ColumnSpec, Layout, Row, Table, list_items};
use crate::registry::kinds::CollectiviteKind;

/// The columns read.
pub const COLUMNS: &[ColumnSpec] = &[
    ColumnSpec::required(
        "insee",
        &["code_insee", "insee_code", "insee_com", "code_commune", "codgeo"],
        CellKind::Insee,
    ),
    ColumnSpec::required("siret", &["numero_siret", "siret_siege", "n_siret"], CellKind::Siret),
    ColumnSpec::required("nom", &["name", "nom_commune", "commune", "libelle", "libelle_commune"], CellKind::Text),
    ColumnSpec::optional("siren", &["numero_siren", "n_siren"], CellKind::Siren),
    ColumnSpec::optional("departement", &["dep", "code_departement"], CellKind::Departement),
    ColumnSpec::optional("codes_postaux", &["code_postal", "cp", "postal_code"], CellKind::PostalList),
    ColumnSpec::optional("population", &["pop", "population_municipale", "pmun"], CellKind::Integer),
    ColumnSpec::optional("anciens_codes_insee", &["anciens_codes", "former_insee_codes"], CellKind::InseeList),
    ColumnSpec::optional("nature", &["kind", "nature_juridique"], CellKind::Text),
    ColumnSpec::optional("adresse_1", &["adresse", "adresse_ligne_1", "adresse1", "line1"], CellKind::Text),
    ColumnSpec::optional("adresse_2", &["complement_adresse", "adresse_ligne_2", "adresse2", "line2"], CellKind::Text),
    ColumnSpec::optional("ville", &["city", "localite", "bureau_distributeur"], CellKind::Text),
];

/// A row of the communes file. What is none was blank or in no column: it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommuneRow {
    pub siret: Siret,
    pub insee_code: InseeCode,
    pub name: Line,
    /// The postal code when the commune has only one: of several, none can be chosen.
    pub postal_code: Option<PostalCode>,
    pub population: Option<i64>,
    /// Codes of the communes it took the place of; its own is left out.
    pub former_insee_codes: Vec<InseeCode>,
    pub kind: Option<CollectiviteKind>,
    pub address_line_1: Option<Line>,
    pub address_line_2: Option<Line>,
    pub city: Option<Line>,
}

/// What is read of the file.
pub static LAYOUT: Layout = Layout::alone("collectivites", COLUMNS);

/// Reads the rows; a SIRET and an INSEE code stand once.
#[must_use]
pub fn read(table: &Table) -> ReadRows<'_, CommuneRow> {
    let keys = |row: &CommuneRow| vec![("siret", row.siret.to_string()), ("insee", row.insee_code.to_string())];
    read_table(table, Reader { parse, keys })
}

/// Reads one row.
#[must_use]
pub fn parse(row: &Row) -> Parsed<CommuneRow> {
    let mut cells = Cells::of(row);
    let siret = cells.required("siret", Siret::parse);
    let insee_code = cells.required("insee", InseeCode::parse);
    let name = cells.required("nom", Line::parse);
    let siren = cells.optional("siren", Siren::parse);
    if let (Some(siret), Some(siren)) = (&siret, &siren)
        && siret.siren() != *siren
    {
        let message = format!("Le SIREN contredit le SIRET, dont les neuf premiers chiffres sont {}.", siret.siren());
        cells.fault("siren", FieldFault::new("siren_contradicts_siret", message));
    }
    let postal_codes = cells.optional("codes_postaux", |raw| all(raw, PostalCode::parse)).unwrap_or_default();
    let former = cells.optional("anciens_codes_insee", |raw| all(raw, InseeCode::parse)).unwrap_or_default();
    let population = cells.optional("population", parse_count);
    let kind = cells.optional("nature", parse_kind);
    let address_line_1 = cells.optional("adresse_1", Line::parse);
    let address_line_2 = cells.optional("adresse_2", Line::parse);
    let city = cells.optional("ville", Line::parse);

    let key = row.filled("siret").or(row.filled("insee")).unwrap_or_default();
    let Some(((siret, insee_code), name)) = siret.zip(insee_code).zip(name) else {
        return cells.end(key, None, Vec::new());
    };
    let is_commune = kind.is_none_or(|kind| kind == CollectiviteKind::Commune);
    let mut findings = Vec::new();
    if is_commune && !siret.siren().usual_for(&insee_code) {
        findings.push(
            Finding::info(
                "siren_insee_pattern",
                "Le SIREN n'est pas celui que porte d'ordinaire une commune de ce code INSEE.",
            )
            .compared(&insee_code, siret.siren()),
        );
    }
    let value = CommuneRow {
        postal_code: match postal_codes.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
        former_insee_codes: former.into_iter().filter(|code| *code != insee_code).collect(),
        siret,
        insee_code,
        name,
        population,
        kind,
        address_line_1,
        address_line_2,
        city,
    };
    cells.end(key, Some(value), findings)
}

fn all<T>(raw: &str, parse: fn(&str) -> Result<T, FieldFault>) -> Result<Vec<T>, FieldFault> {
    list_items(raw).map(parse).collect()
}

/// Reads a nature: our own words, or those of the official lists of groupings.
fn parse_kind(raw: &str) -> Result<CollectiviteKind, FieldFault> {
    if says(
        raw,
        &[
            "epci",
            "cc",
            "ca",
            "cu",
            "met",
            "metropole",
            "communaute de communes",
            "communaute d agglomeration",
            "communaute urbaine",
        ],
    ) {
        return Ok(CollectiviteKind::Epci);
    }
    if says(raw, &["syndicat", "sivu", "sivom", "smf", "smo", "sirp"]) {
        return Ok(CollectiviteKind::Syndicat);
    }
    CollectiviteKind::parse(&raw.to_lowercase())
}
