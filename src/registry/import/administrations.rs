//! The State's directory of administrations (DILA, « api-lannuaire-administration »): where town halls and groupings are
//! written to.
//!
//! ```text
//!   row ─▶ diffused? ─▶ its pivot: a town hall, a grouping, another service ─▶ the main one, or an annex ─▶ what it tells
//!              └──────────────────────────┴── set aside, with why ──────────────────┘
//! ```
//! Several of its columns hold JSON. Of a service nothing is wanted but whose it is and where it is reached: a number, an
//! address or a mail that cannot be read is told and left, the rest of the row stands; only a row that does not say what it
//! is, is rejected.
//!
//! A commune has several rows. Its town hall is the one named « Mairie - … » whose pivot holds one code; the others
//! (annexes, « mairies déléguées ») answer for a part of it. Whose a row is, and which of two is the right one, is the
//! registry's to say (`import_administrations`).
//!
//! The registry has one address, which papers print and letters carry: « Adresse postale » when there is one, its street
//! taken from « Adresse » when it has none. So written (street, then BP or CS, then the code of the Cedex) one address does
//! for both, as the postal norm has it: letters arrive, and the head office can be read on the convention.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::contact_fields::{Contact, parse_civility, parse_email, parse_phone};
use super::{Cells, Parsed, ReadRows, Reader, nested, read as read_table, says};
use crate::kernel::contact::{EmailAddress, Phone, PostalCode};
use crate::kernel::french::joined;
use crate::kernel::text::{Line, excerpt, fold};
use crate::kernel::{FieldFault, Finding, InseeCode, Siren, Siret};
use crate::platform::tabular::{CellKind, ColumnSpec, Layout, Row, Table};
use crate::registry::collectivite::Address;

/// The columns read, of some fifty.
pub const COLUMNS: &[ColumnSpec] = &[
    ColumnSpec::required("pivot", &[], CellKind::Nested),
    ColumnSpec::required("nom", &[], CellKind::Text),
    ColumnSpec::optional("siret", &[], CellKind::Siret),
    ColumnSpec::optional("siren", &[], CellKind::Siren),
    ColumnSpec::optional("code_insee_commune", &[], CellKind::Insee),
    ColumnSpec::optional("statut_de_diffusion", &[], CellKind::Flag),
    ColumnSpec::optional("adresse", &[], CellKind::Nested),
    ColumnSpec::optional("telephone", &[], CellKind::Nested),
    ColumnSpec::optional("adresse_courriel", &[], CellKind::Nested),
    ColumnSpec::optional("site_internet", &[], CellKind::Nested),
    ColumnSpec::optional("affectation_personne", &[], CellKind::Nested),
];

/// What is read of the file.
pub static LAYOUT: Layout = Layout {
    one_of: &["adresse", "telephone", "adresse_courriel", "site_internet", "affectation_personne"],
    // Without « pivot », its other columns tell what is missing: « nom » would be taken for somebody's.
    marks: &[
        "pivot",
        "ancien_code_pivot",
        "statut_de_diffusion",
        "affectation_personne",
        "type_organisme",
        "itm_identifiant",
        "plage_ouverture",
        "code_insee_commune",
    ],
    objects: true,
    ..Layout::alone("administrations", COLUMNS)
};

/// What a service is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Body {
    /// With the codes of its pivot: the main one has one.
    TownHall(Vec<InseeCode>),
    /// Found by its SIRET or SIREN alone: the codes of its pivot are its communes'.
    Grouping,
}

/// A main service: whose it is, and what it tells.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AdministrationRow {
    pub body: Body,
    pub name: Line,
    pub siret: Option<Siret>,
    pub siren: Option<Siren>,
    pub told: Told,
}

/// What is brought to a collectivité. What is none changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Told {
    pub contact: Contact,
    /// With its postal code and its city; whole, never a part of one.
    pub address: Option<Address>,
}

const NOT_DIFFUSED: &str = "Fiche que l'annuaire ne diffuse pas (statut_de_diffusion).";
const OTHER_SERVICE: &str = "Service qui n'est ni une mairie ni un groupement de communes.";
const DELEGATED: &str = "Mairie déléguée ou associée : elle répond pour une partie de la commune.";
const ANNEX: &str = "Annexe, ou fiche de mairie qui n'est pas nommée « Mairie - … ».";
const SILENT: &str = "Aucun renseignement sur cette ligne.";

/// Reads the rows. One collectivité may have several: which is right is not decided here.
#[must_use]
pub fn read(table: &Table) -> ReadRows<'_, AdministrationRow> {
    read_table(table, Reader { parse, keys: |_| Vec::new() })
}

/// Reads one row.
#[must_use]
pub fn parse(row: &Row) -> Parsed<AdministrationRow> {
    let named = ["siret", "siren", "code_insee_commune", "nom"].iter().find_map(|column| nested::filled(row, column));
    let key = excerpt(&named.unwrap_or_default());
    let aside = |reason| Parsed::Ignored { key: Some(key.clone()), reason };
    if nested::filled(row, "statut_de_diffusion").is_some_and(|raw| says(raw, &["false", "faux", "non", "0"])) {
        return aside(NOT_DIFFUSED);
    }
    let Some(pivot) = nested::filled(row, "pivot") else { return aside(OTHER_SERVICE) };
    let body = match body(pivot, row) {
        Ok(Some(body)) => body,
        Ok(None) => return aside(OTHER_SERVICE),
        Err(fault) => {
            let mut cells = Cells::of(row);
            cells.fault("pivot", fault);
            return cells.end(&key, None, Vec::new());
        }
    };
    let mut cells = Cells::of(row);
    let Some(name) = cells.required("nom", Line::parse) else { return cells.end(&key, None, Vec::new()) };
    if let Some(reason) = annex(&body, name.as_str()) {
        return aside(reason);
    }
    let mut noticed = Noticed { row, findings: Vec::new() };
    let siret = noticed.read("siret", Siret::parse);
    let siren = noticed.read("siren", Siren::parse);
    let told = told(&mut noticed, &body);
    let findings = noticed.findings;
    if told == Told::default() && findings.is_empty() {
        return aside(SILENT);
    }
    cells.end(&key, Some(AdministrationRow { body, name, siret, siren, told }), findings)
}

/// What the pivot says a service is; none: none of our business.
fn body(pivot: &str, row: &Row) -> Result<Option<Body>, FieldFault> {
    let (mut town_hall, mut grouping, mut codes) = (false, false, BTreeSet::new());
    for service in nested::objects(pivot)? {
        match nested::text(&service, "type_service_local")?.as_deref() {
            // The second is what communes overseas have.
            Some("mairie" | "mairie_com") => {
                town_hall = true;
                for code in nested::texts(&service, "code_insee_commune")? {
                    codes.insert(InseeCode::parse(&code)?);
                }
            }
            Some("epci") => grouping = true,
            _ => {}
        }
    }
    if town_hall && codes.is_empty() {
        codes.extend(nested::filled(row, "code_insee_commune").and_then(|code| InseeCode::parse(code).ok()));
    }
    Ok(match (town_hall, grouping) {
        (true, _) => Some(Body::TownHall(codes.into_iter().collect())),
        (false, true) => Some(Body::Grouping),
        (false, false) => None,
    })
}

/// Why a service is not the main one of its body, by its name.
fn annex(body: &Body, name: &str) -> Option<&'static str> {
    let folded = fold(name);
    let has = |words: &[&str]| folded.split(' ').any(|word| words.contains(&word));
    if has(&["deleguee", "deleguees", "associee", "associees"]) {
        return Some(DELEGATED);
    }
    let main = match body {
        Body::TownHall(_) => name.split_once(['-', '–', '—']).is_some_and(|(what, _)| says(what, &["mairie"])),
        Body::Grouping => true,
    };
    (!main || has(&["annexe", "annexes", "antenne"])).then_some(ANNEX)
}

/// What is noticed of a row while it is read: a cell that says nothing clear is left, and told.
struct Noticed<'r> {
    row: &'r Row,
    findings: Vec<Finding>,
}

impl Noticed<'_> {
    fn note(&mut self, column: &str, fault: &FieldFault, found: &str) {
        let mut finding = Finding::info(fault.code, format!("{column} : {}", fault.message));
        finding.found = Some(excerpt(&found));
        self.findings.push(finding);
    }

    /// What a cell says, if it is clear.
    fn read<T>(&mut self, column: &str, parse: impl FnOnce(&str) -> Result<T, FieldFault>) -> Option<T> {
        let cell = nested::filled(self.row, column)?;
        parse(cell).map_err(|fault| self.note(column, &fault, cell)).ok()
    }

    /// The first of some texts that is what it should be; those before it that are not are told when there is none.
    fn first<T>(&mut self, column: &str, parse: fn(&str) -> Result<T, FieldFault>) -> Option<T> {
        let values = self.read(column, nested::values)?;
        let first = values.iter().find_map(|value| parse(value).ok());
        if first.is_none()
            && let Some((value, fault)) = values.first().and_then(|value| Some((value, parse(value).err()?)))
        {
            self.note(column, &fault, value);
        }
        first
    }
}

fn told(noticed: &mut Noticed<'_>, body: &Body) -> Told {
    let mut contact = noticed.read("affectation_personne", |cell| head(cell, body)).flatten().unwrap_or_default();
    contact.email = email(noticed);
    contact.phone = noticed.first::<Phone>("telephone", parse_phone);
    let address = noticed.read("adresse", address).flatten();
    Told { contact, address }
}

/// The first mail that can be written to; others are told. A few stand in the wrong column.
fn email(noticed: &mut Noticed<'_>) -> Option<EmailAddress> {
    let mut kept: Option<EmailAddress> = None;
    for value in noticed.read("adresse_courriel", nested::values).unwrap_or_default() {
        let several = |c: char| c.is_whitespace() || matches!(c, ';' | ',' | '|');
        for piece in value.split(several).map(|piece| piece.trim_start_matches("mailto:")).filter(|p| !p.is_empty()) {
            let address = match parse_email(piece) {
                Ok(address) => address,
                Err(fault) => {
                    noticed.note("adresse_courriel", &fault, piece);
                    continue;
                }
            };
            match &kept {
                None => kept = Some(address),
                Some(first) if address != *first => {
                    let message = "Deux courriels pour une collectivité : le premier est retenu, voici l'autre.";
                    noticed.findings.push(Finding::info("email_other", message).compared(first, &address));
                }
                Some(_) => {}
            }
        }
    }
    let misplaced = || {
        let sites = nested::values(nested::filled(noticed.row, "site_internet")?).ok()?;
        sites.iter().find_map(|site| parse_email(site.trim_start_matches("mailto:")).ok())
    };
    if kept.is_none() {
        kept = misplaced();
        if let Some(address) = &kept {
            let message = "Courriel trouvé dans la colonne « site_internet ».";
            let mut finding = Finding::info("email_in_site", message);
            finding.found = Some(address.to_string());
            noticed.findings.push(finding);
        }
    }
    kept
}

/// One address of the list.
struct Place {
    postal: bool,
    complement: String,
    street: String,
    delivery: String,
    code: String,
    city: String,
}

impl Place {
    fn read(fields: &Map<String, Value>) -> Result<Self, FieldFault> {
        let text = |name| Ok::<_, FieldFault>(nested::text(fields, name)?.unwrap_or_default().into_owned());
        Ok(Self {
            postal: says(&text("type_adresse")?, &["adresse postale"]),
            complement: joined([text("complement1")?, text("complement2")?], ", "),
            street: text("numero_voie")?,
            delivery: text("service_distribution")?,
            code: text("code_postal")?,
            city: text("nom_commune")?,
        })
    }

    /// With its postal code and its city, a letter may arrive.
    fn is_whole(&self) -> bool {
        !self.code.is_empty() && !self.city.is_empty()
    }
}

/// The one address of a list that letters and papers are given.
fn address(cell: &str) -> Result<Option<Address>, FieldFault> {
    let places = nested::objects(cell)?.iter().map(Place::read).collect::<Result<Vec<_>, _>>()?;
    let first = |postal: bool| places.iter().find(|place| place.postal == postal && place.is_whole());
    let (postal, office) = (first(true), first(false));
    let Some(place) = postal.or(office) else {
        let message = "Adresse sans code postal ou sans commune : elle n'est pas retenue.";
        return if places.is_empty() { Ok(None) } else { Err(FieldFault::new("address_incomplete", message)) };
    };
    let (mut complement, mut street) = (&place.complement, &place.street);
    if let Some(office) = office.filter(|_| street.is_empty()) {
        street = &office.street;
        complement = if complement.is_empty() { &office.complement } else { complement };
    }
    let mut lines = [complement, street, &place.delivery].into_iter().filter(|line| !line.is_empty());
    let line1 = lines.next().map(|line| Line::parse(line)).transpose()?;
    let rest = joined(lines, ", ");
    let line2 = Some(rest).filter(|rest| !rest.is_empty()).map(|rest| Line::parse(&rest)).transpose()?;
    let (postal_code, city) = (PostalCode::parse(&place.code)?, Line::parse(&place.city)?);
    Ok(Some(Address { line1, line2, postal_code: Some(postal_code), city: Some(city) }))
}

/// Who is at the head of the body, when the list says it of one person.
fn head(cell: &str, body: &Body) -> Result<Option<Contact>, FieldFault> {
    let (titles, starts): (&[&str], &[&str]) = match body {
        Body::TownHall(_) => (&["maire", "madame le maire", "monsieur le maire", "madame la maire"], &["maire de "]),
        Body::Grouping => (&["president", "presidente"], &["president de ", "presidente de "]),
    };
    let mut heads = Vec::new();
    for entry in nested::objects(cell)? {
        let Some(office) = nested::text(&entry, "fonction")? else { continue };
        let folded = fold(&office);
        if !titles.contains(&folded.as_str()) && !starts.iter().any(|start| folded.starts_with(start)) {
            continue;
        }
        let Some(Value::Object(person)) = entry.get("personne") else { continue };
        let text = |name| nested::text(person, name);
        let line = |name| text(name)?.map(|text| Line::parse(&text)).transpose();
        heads.push(Contact {
            civility: text("civilite")?.and_then(|text| parse_civility(&text).ok()),
            first_name: line("prenom")?,
            last_name: line("nom")?,
            capacity: Some(Line::parse(&office)?),
            ..Contact::default()
        });
    }
    heads.retain(|head| head.last_name.is_some());
    match heads.len() {
        0 | 1 => Ok(heads.pop()),
        _ => Err(FieldFault::new("representative_ambiguous", "Plusieurs personnes à la tête : aucune n'est retenue.")),
    }
}
