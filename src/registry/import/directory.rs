//! The official school directory (« Annuaire de l'éducation »), in any of its vintages.
//!
//! Its layout goes from 69 to 72 to 71 columns within three years, and the API writes the names in lower case:
//! columns are found by name, and those that left (pupils, in 2026) simply say nothing. The file holds every
//! kind of establishment; whatever is not a school is set aside before any other question, which also removes
//! the UAIs that stand on two rows. Damaged identifiers count on all rows: they show a damaged file.

use chrono::NaiveDate;
use std::collections::BTreeSet;

use super::{
    Cells, Parsed, ReadRow, ReadRows, Reader, parse_count, parse_date, parse_school_year, read as read_table, says,
    says_yes,
};
use crate::kernel::text::{Line, fold};
use crate::kernel::{Departement, FieldFault, Finding, InseeCode, SchoolYear, Uai};
use crate::platform::tabular::{CellKind, ColumnSpec, Layout, Row, Table};
use crate::registry::kinds::{SchoolKind, Sector};
use crate::registry::official_siret::OfficialSiret;
use crate::registry::school::Count;

const UAI: &str = "Identifiant_de_l_etablissement";
const NAME: &str = "Nom_etablissement";
const TYPE: &str = "Type_etablissement";
const SECTOR: &str = "Statut_public_prive";
const INSEE: &str = "Code_commune";
const COMMUNE: &str = "Nom_commune";
const DEPARTEMENT: &str = "Code_departement";
const MATERNELLE: &str = "Ecole_maternelle";
const ELEMENTAIRE: &str = "Ecole_elementaire";
const SIRET: &str = "SIREN_SIRET";
const PUPILS: &str = "Nombre_d_eleves";
/// Not in the official directory: a rectorat may add them, for tariffs that count classes or spare a first year.
const CLASSES: &str = "Nombre_de_classes";
const FIRST_YEAR: &str = "premiere_annee";
const OPENED_ON: &str = "date_ouverture";
const STATE: &str = "etat";
const NATURE: &str = "code_nature";

/// The columns read.
pub const COLUMNS: &[ColumnSpec] = &[
    ColumnSpec::required(UAI, &["uai", "code_uai", "numero_uai"], CellKind::Uai),
    ColumnSpec::required(NAME, &[], CellKind::Text),
    ColumnSpec::required(TYPE, &[], CellKind::Text),
    ColumnSpec::required(SECTOR, &[], CellKind::Text),
    ColumnSpec::required(INSEE, &["code_insee", "insee"], CellKind::Insee),
    ColumnSpec::required(COMMUNE, &[], CellKind::Text),
    ColumnSpec::optional(DEPARTEMENT, &[], CellKind::Departement),
    // Read for its damage only: a lost zero shows here first.
    ColumnSpec::optional("Code_postal", &[], CellKind::Postal),
    ColumnSpec::optional(MATERNELLE, &[], CellKind::Flag),
    ColumnSpec::optional(ELEMENTAIRE, &[], CellKind::Flag),
    ColumnSpec::optional(SIRET, &["siret", "siret_siren"], CellKind::SirenOrSiret),
    ColumnSpec::optional(PUPILS, &["nombre_eleves", "effectif", "effectifs"], CellKind::Integer),
    ColumnSpec::optional(CLASSES, &["nombre_classes", "classes"], CellKind::Integer),
    ColumnSpec::optional(FIRST_YEAR, &["premiere_annee_scolaire", "first_school_year"], CellKind::Text),
    ColumnSpec::optional(OPENED_ON, &[], CellKind::Date),
    ColumnSpec::optional(STATE, &[], CellKind::Text),
    ColumnSpec::optional(NATURE, &[], CellKind::Text),
];

/// A school of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchoolRow {
    pub uai: Uai,
    pub name: Line,
    pub kind: SchoolKind,
    pub sector: Sector,
    /// As given: possibly a former code, which the registry resolves.
    pub insee_code: InseeCode,
    pub commune_name: Line,
    pub departement: Departement,
    /// The school's own SIRET (never its payer's), right or wrong; none when blank.
    pub official_siret: Option<OfficialSiret>,
    pub pupils: Option<i64>,
    pub classes: Option<i64>,
    /// Première année scolaire de participation.
    pub first_school_year: Option<SchoolYear>,
    pub opened_on: Option<NaiveDate>,
    pub open: bool,
}

/// What a row that could not be read still tells of the school it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub uai: Option<Uai>,
    /// Where the school may stand; empty: anywhere.
    pub departements: BTreeSet<Departement>,
}

/// Looks at a row that gave no value; none when it speaks of no school.
///
/// The department comes from the commune's code and from the column of its name, never from a UAI that could not be read.
#[must_use]
pub fn trace<T>(read: &ReadRow<T>) -> Option<Trace> {
    let row = &read.row;
    let uai = Uai::parse_in_file(row.get(UAI).unwrap_or_default()).ok();
    // A row of another kind of establishment says so in words; one that says nothing may be a school.
    let is_other = matches!(read.parsed, Parsed::Ignored { .. }) && row.filled(TYPE).is_some();
    if uai.is_none() && is_other {
        return None;
    }
    let commune = row.get(INSEE).and_then(|code| InseeCode::parse(code).ok()).map(|code| code.departement());
    let departement = row.get(DEPARTEMENT).and_then(|code| Departement::parse(code).ok());
    Some(Trace { uai, departements: commune.into_iter().chain(departement).collect() })
}

/// What is read of the file.
pub static LAYOUT: Layout = Layout::alone("schools", COLUMNS);

/// Reads the rows; a UAI stands once among the schools.
#[must_use]
pub fn read(table: &Table) -> ReadRows<'_, SchoolRow> {
    read_table(table, Reader { parse, keys: |school| vec![(UAI, school.uai.to_string())] })
}

/// Reads one row.
#[must_use]
pub fn parse(row: &Row) -> Parsed<SchoolRow> {
    let key = row.filled(UAI).unwrap_or_default();
    let mut cells = Cells::of(row);
    if !cells.is_faulty(TYPE) && !says(row.get(TYPE).unwrap_or_default(), &["ecole"]) {
        return Parsed::Ignored {
            key: row.filled(UAI).map(str::to_owned),
            reason: "Ce n'est pas une école du premier degré.",
        };
    }
    let uai = cells.required(UAI, Uai::parse_in_file);
    let name = cells.required(NAME, Line::parse);
    let sector = cells.required(SECTOR, parse_sector);
    let insee_code = cells.required(INSEE, InseeCode::parse);
    let commune_name = cells.required(COMMUNE, Line::parse);
    let given_departement = cells.optional(DEPARTEMENT, Departement::parse);
    let pupils = cells.optional(PUPILS, parse_school_count);
    let classes = cells.optional(CLASSES, parse_school_count);
    let first_school_year = cells.optional(FIRST_YEAR, parse_school_year);
    let opened_on = cells.optional(OPENED_ON, parse_date);
    let kind = kind(row);
    if kind.is_none() {
        let message = "Niveaux inconnus : ni Ecole_maternelle ni Ecole_elementaire ne vaut 1, et ni le nom ni la nature ne le disent.";
        cells.fault(MATERNELLE, FieldFault::new("school_kind_unknown", message));
    }
    let official_siret = cells.optional(SIRET, OfficialSiret::parse);
    let open = cells.optional(STATE, parse_state);
    let findings: Vec<Finding> = siret_finding(row.get(SIRET), official_siret.as_ref()).into_iter().collect();
    let departement = given_departement.or_else(|| insee_code.as_ref().map(InseeCode::departement));
    let value = (|| {
        Some(SchoolRow {
            uai: uai?,
            name: name?,
            kind: kind?,
            sector: sector?,
            insee_code: insee_code?,
            commune_name: commune_name?,
            departement: departement?,
            official_siret,
            pupils,
            classes,
            first_school_year,
            opened_on,
            // A column that is not there says nothing, and a blank cell no more.
            open: open.unwrap_or(true),
        })
    })();
    cells.end(key, value, findings)
}

/// A count of pupils or classes, within the range a person may write: beyond, nothing of the school could be changed.
fn parse_school_count(raw: &str) -> Result<i64, FieldFault> {
    Count::parse(parse_count(raw)?).map(|count| count.0)
}

fn parse_sector(raw: &str) -> Result<Sector, FieldFault> {
    match fold(raw).as_str() {
        "public" => Ok(Sector::Public),
        "prive" => Ok(Sector::Private),
        _ => Err(FieldFault::new("unknown_value", "Statut attendu : Public ou Privé.")),
    }
}

/// Whether the school is open. A state nobody knows closes nothing.
fn parse_state(raw: &str) -> Result<bool, FieldFault> {
    // « à fermer » still teaches, « à ouvrir » does not yet.
    if says(raw, &["ouvert", "ouverte", "a fermer"]) {
        Ok(true)
    } else if says(raw, &["ferme", "fermee", "a ouvrir"]) {
        Ok(false)
    } else {
        Err(FieldFault::new("unknown_value", "État attendu : OUVERT, A FERMER, A OUVRIR ou FERME."))
    }
}

/// The levels by the two flags, else by the name, else by the nature (101, 103: maternelle; 15x, 162:
/// élémentaire).
fn kind(row: &Row) -> Option<SchoolKind> {
    let flag = |column| row.filled(column).is_some_and(says_yes);
    match (flag(MATERNELLE), flag(ELEMENTAIRE)) {
        (true, true) => return Some(SchoolKind::Primaire),
        (true, false) => return Some(SchoolKind::Maternelle),
        (false, true) => return Some(SchoolKind::Elementaire),
        (false, false) => {}
    }
    let name = fold(row.get(NAME).unwrap_or_default());
    let named = |word: &str| name.split(' ').any(|part| part == word);
    if named("primaire") {
        Some(SchoolKind::Primaire)
    } else if named("maternelle") {
        Some(if named("elementaire") { SchoolKind::Primaire } else { SchoolKind::Maternelle })
    } else if named("elementaire") {
        Some(SchoolKind::Elementaire)
    } else {
        match row.get(NATURE)? {
            "101" | "103" => Some(SchoolKind::Maternelle),
            "151" | "153" | "162" => Some(SchoolKind::Elementaire),
            _ => None,
        }
    }
}

/// What can be said of the school's own SIRET; nothing when the file has no such column.
fn siret_finding(cell: Option<&str>, siret: Option<&OfficialSiret>) -> Option<Finding> {
    if cell?.is_empty() {
        return Some(Finding::info("school_siret_missing", "L'annuaire officiel ne donne pas de SIRET à cette école."));
    }
    let fault = siret?.fault()?;
    let mut finding =
        Finding::info("school_siret_invalid", format!("SIRET de l'école dans l'annuaire officiel : {}", fault.message));
    finding.found = Some(siret?.to_string());
    Some(finding)
}
