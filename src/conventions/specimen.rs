//! A specimen of what a campaign would print: its tariff, dates and texts as they stand, for a payer that may be made up.
//!
//! Nothing is stored and no number is taken: what is looked at here is what is frozen when conventions are issued.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::convention::Party;
use super::document::ConventionPaper;
use super::issue::party;
use super::paper;
use super::participation::{Counts, ListedSchool, compute};
use super::printing::PAPER;
use crate::campaigns::{self, Campaign, Defaults, Enrolment};
use crate::kernel::contact::PostalCode;
use crate::kernel::text::Line;
use crate::kernel::{FieldFault, InseeCode, SchoolYear, Siret, Uai};
use crate::platform::db::blobs;
use crate::platform::documents::{self, Renderer};
use crate::platform::papers::Templates;
use crate::platform::{Error, Outcome, Tx};
use crate::registry::kinds::{CollectiviteKind, SchoolKind};
use crate::registry::{self, Address, Chorus, Representative};

/// A specimen, ready to be rendered.
#[derive(Debug, Clone)]
pub struct Specimen {
    input: String,
    date: NaiveDate,
    ident: String,
}

/// A specimen as served.
#[derive(Debug, Clone)]
pub struct Rendered {
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// What the campaign would print today, for a payer known or made up.
///
/// # Errors
/// An unknown campaign or payer.
pub fn compose(tx: &mut Tx<'_>, year: &SchoolYear, payer: Option<&Siret>, defaults: &Defaults) -> Outcome<Specimen> {
    let campaign = campaigns::find(tx, year)?;
    let texts = campaign.said.texts.clone().unwrap_or_else(|| defaults.texts.clone());
    let (party, schools) = match payer {
        None => (made_up()?, Vec::new()),
        Some(siret) => {
            let (found, _) = registry::collectivite(tx, siret)?;
            let schools = schools_of(tx, &campaign, &found)?;
            (party(&found), schools)
        }
    };
    // A payer none of whose schools is enrolled, or none whose counts are known, is shown with made-up schools.
    let counted = compute(&campaign.said.tariff, year, None, schools).ok().filter(|p| !p.lines.is_empty());
    let participation = match counted {
        Some(participation) => participation,
        None => compute(&campaign.said.tariff, year, None, made_up_schools()?)
            .map_err(|_| Error::Incident("a made-up school without counts".into()))?,
    };
    let number = format!("SPECIMEN-{year}");
    let paper: ConventionPaper = paper::compose(&number, &campaign, &texts, &party, &participation, true);
    Ok(Specimen { input: documents::input(&paper)?, date: campaign.said.convention_date, ident: number })
}

/// The PDF of a specimen.
///
/// # Errors
/// `document_failed` when the template does not compose.
pub fn render(renderer: &Renderer, templates: &Templates, specimen: &Specimen) -> Outcome<Rendered> {
    let made = renderer.render(&templates.of(&PAPER), specimen.input.as_bytes(), specimen.date, &specimen.ident);
    match made {
        Ok(bytes) => Ok(Rendered { sha256: blobs::digest(&bytes), bytes }),
        Err(fault) => {
            tracing::error!(specimen = %specimen.ident, %fault, "document");
            Err(PAPER.does_not_compose().into())
        }
    }
}

/// The payer's schools enrolled in the campaign, whether a convention covers them or not.
fn schools_of(
    tx: &mut Tx<'_>,
    campaign: &Campaign,
    payer: &registry::Collectivite,
) -> Outcome<Vec<(ListedSchool, Counts)>> {
    let enrolments: Vec<Enrolment> = campaigns::enrolments(tx, campaign.id)?;
    let periods: HashMap<Uai, _> = registry::payers(tx)?;
    let pays = |uai: &Uai| {
        let period = periods.get(uai).and_then(|p| registry::payer_for_year(p, &campaign.said.school_year));
        period.is_some_and(|p| p.collectivite_id == payer.id)
    };
    let uais: Vec<Uai> = enrolments.into_iter().map(|e| e.uai).filter(|uai| pays(uai)).collect();
    let schools = registry::schools_by_uai(tx, &uais)?;
    Ok(schools.iter().map(|school| (paper::listed(school), Counts::from(school))).collect())
}

fn fixed<T>(value: Result<T, FieldFault>) -> Outcome<T> {
    value.map_err(|fault| Error::Incident(format!("specimen: {}", fault.message)))
}

fn made_up() -> Outcome<Party> {
    let line = |text: &str| fixed(Line::parse(text));
    let insee = fixed(InseeCode::parse("30001"))?;
    Ok(Party {
        // A SIRET that is well-formed and nobody's town hall: the address of La Poste's head office.
        siret: fixed(Siret::parse("35600000000048"))?,
        kind: CollectiviteKind::Commune,
        name: line("Villeneuve-la-Fictive")?,
        departement: Some(insee.departement()),
        insee_code: Some(insee),
        address: Address {
            line1: Some(line("1 place de la Mairie")?),
            line2: None,
            postal_code: Some(fixed(PostalCode::parse("30000"))?),
            city: Some(line("Villeneuve-la-Fictive")?),
        },
        representative: Representative::default(),
        chorus: Chorus::default(),
    })
}

/// Two schools, counted for any tariff.
fn made_up_schools() -> Outcome<Vec<(ListedSchool, Counts)>> {
    let insee = fixed(InseeCode::parse("30001"))?;
    let school = |uai: &str, name: &str, label: &str, kind| -> Outcome<(ListedSchool, Counts)> {
        let listed = ListedSchool {
            uai: fixed(Uai::parse(uai))?,
            name: fixed(Line::parse(name))?,
            label: label.to_owned(),
            kind,
            departement: insee.departement(),
            insee_code: insee.clone(),
            commune_name: fixed(Line::parse("Villeneuve-la-Fictive"))?,
        };
        Ok((listed, Counts { pupils: Some(100), classes: Some(4), first_school_year: None }))
    };
    let both = [
        ("0300001N", "Ecole maternelle", "ECOLE MATERNELLE PUBLIQUE", SchoolKind::Maternelle),
        ("0300002P", "Ecole élémentaire", "ECOLE ELEMENTAIRE PUBLIQUE", SchoolKind::Elementaire),
    ];
    both.into_iter().map(|(uai, name, label, kind)| school(uai, name, label, kind)).collect()
}
