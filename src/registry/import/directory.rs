//! The official school directory (« Annuaire de l'éducation »), in any of its vintages.
//!
//! Its layout goes from 69 to 72 to 71 columns within three years, and the API writes the names in lower case:
//! columns are found by name, and those that left (pupils, in 2026) simply say nothing. The file holds every
//! kind of establishment; whatever is not a school is set aside before any other question, which also removes
//! the UAIs that stand on two rows. Damaged identifiers count on all rows: they show a damaged file.

use std::path::Path;

use chrono::NaiveDate;

use super::{Cells, Parsed, ReadRows, Reader, parse_count, parse_date, parse_school_year, read as read_table, says};
use crate::kernel::text::{Line, fold};
use crate::kernel::{Departement, FieldFault, Finding, InseeCode, SchoolYear, Siren, Siret, Uai};
use crate::platform::tabular::{CellKind, ColumnSpec, FileFault, Row, Table};
use crate::registry::kinds::{SchoolKind, Sector};
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
    ColumnSpec::optional(MATERNELLE, &[], CellKind::Text),
    ColumnSpec::optional(ELEMENTAIRE, &[], CellKind::Text),
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
    /// The school's own SIRET (never its payer's) as given, right or wrong; none when blank.
    pub official_siret: Option<String>,
    /// Its first nine digits when they are a SIREN.
    pub official_siren: Option<Siren>,
    pub pupils: Option<i64>,
    pub classes: Option<i64>,
    /// Première année scolaire de participation.
    pub first_school_year: Option<SchoolYear>,
    pub opened_on: Option<NaiveDate>,
    pub open: bool,
}

impl SchoolRow {
    /// The first nine digits of the official SIRET as given, even when their key is false: what is compared
    /// with the payer's SIREN.
    #[must_use]
    pub fn official_siren_text(&self) -> Option<&str> {
        self.official_siret.as_deref()?.get(..9)
    }
}

/// Opens the file and checks it whole.
///
/// # Errors
/// See [`FileFault`].
pub fn open(path: &Path) -> Result<Table, FileFault> {
    Table::open(path, COLUMNS)
}

/// Reads the rows; a UAI stands once among the schools.
///
/// # Errors
/// See [`super::read`].
pub fn read(table: &Table) -> Result<ReadRows<'_, SchoolRow>, FileFault> {
    read_table(table, Reader { parse, keys: |school| vec![(UAI, school.uai.to_string())] })
}

/// Reads one row.
#[must_use]
pub fn parse(row: &Row) -> Parsed<SchoolRow> {
    let key = row.filled(UAI).unwrap_or_default();
    if !says(row.get(TYPE).unwrap_or_default(), &["ecole"]) {
        return Parsed::Ignored {
            key: row.filled(UAI).map(str::to_owned),
            reason: "Ce n'est pas une école du premier degré.",
        };
    }
    let mut cells = Cells::of(row);
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
    let official_siret = row.filled(SIRET).map(str::to_owned);
    let findings: Vec<Finding> = siret_finding(row.get(SIRET)).into_iter().collect();
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
            official_siren: official_siret.as_deref().and_then(|siret| Siren::parse(siret.get(..9)?).ok()),
            official_siret,
            pupils,
            classes,
            first_school_year,
            opened_on,
            // « à fermer » still teaches; a column that is not there says nothing.
            open: row.filled(STATE).is_none_or(|state| says(state, &["ouvert", "a fermer"])),
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

/// The levels by the two flags, else by the name, else by the nature (101, 103: maternelle; 15x, 162:
/// élémentaire).
fn kind(row: &Row) -> Option<SchoolKind> {
    let flag = |column| row.get(column) == Some("1");
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
fn siret_finding(cell: Option<&str>) -> Option<Finding> {
    let given = cell?;
    if given.is_empty() {
        return Some(Finding::info("school_siret_missing", "L'annuaire officiel ne donne pas de SIRET à cette école."));
    }
    let fault = match given.len() {
        9 => Siren::parse(given).err(),
        _ => Siret::parse(given).err(),
    }?;
    let mut finding =
        Finding::info("school_siret_invalid", format!("SIRET de l'école dans l'annuaire officiel : {}", fault.message));
    finding.found = Some(crate::kernel::text::excerpt(&given));
    Some(finding)
}
