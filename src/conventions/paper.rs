//! From the facts of a convention to the words its paper prints.

use super::convention::Party;
use super::document::{ConventionPaper, Issuer, Payer, PayerKind, Pricing, Representative, SchoolLine, SignatureBlock};
use super::participation::{ListedSchool, Participation};
use crate::campaigns::Campaign;
use crate::campaigns::texts::{CampaignTexts, Signatory};
use crate::kernel::contact::Civility;
use crate::kernel::{Money, french, school_label};
use crate::registry::kinds::{CollectiviteKind, SchoolKind, Sector};
use crate::registry::{Address, School};

/// The paper of a convention about to be issued.
#[must_use]
pub fn compose(
    number: &str,
    campaign: &Campaign,
    texts: &CampaignTexts,
    party: &Party,
    participation: &Participation,
    specimen: bool,
) -> ConventionPaper {
    let unit = campaign.said.tariff.unit_amount;
    ConventionPaper {
        specimen,
        number: number.to_owned(),
        school_year: campaign.said.school_year.to_string(),
        header_date: french::date_long(campaign.said.convention_date),
        ends_on: french::date_long(campaign.said.ends_on),
        court: texts.courts.convention.clone(),
        dpo_contact: match &texts.dpo.name {
            Some(name) => format!("{name}, {}", texts.dpo.email),
            None => texts.dpo.email.clone(),
        },
        portal: texts.has_portal,
        academies: texts.issuer.aliases.iter().map(|a| academy(a).to_owned()).collect(),
        issuer: Issuer {
            name: texts.issuer.name.clone(),
            address: texts.issuer.address_lines.join(", "),
            representative: issuer_representative(&texts.signatory),
        },
        payer: payer(party),
        pricing: pricing(unit, participation),
        schools: participation.lines.iter().map(|l| line(&l.school)).collect(),
        issuer_signature: SignatureBlock {
            place: Some(texts.signatory.place.clone()),
            signed_on: None,
            signatory: None,
        },
        payer_signature: SignatureBlock::default(),
    }
}

/// « Académie de Montpellier » → « Montpellier »; other names as they are.
fn academy(alias: &str) -> &str {
    ["Académie de ", "académie de ", "Académie d'", "académie d'", "Académie d’"]
        .iter()
        .find_map(|head| alias.strip_prefix(head))
        .unwrap_or(alias)
}

fn issuer_representative(signatory: &Signatory) -> Representative {
    Representative {
        name: format!("{} {}", signatory.first_name, signatory.last_name).trim().to_owned(),
        capacities: signatory.title.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect(),
    }
}

fn pricing(unit: Money, participation: &Participation) -> Pricing {
    let count = u32::try_from(participation.lines.len()).unwrap_or(u32::MAX);
    Pricing::per_school(count, unit.cents())
}

fn payer(party: &Party) -> Payer {
    Payer {
        name: legal_name(party),
        kind: match party.kind {
            CollectiviteKind::Commune => PayerKind::Commune,
            CollectiviteKind::Epci => PayerKind::Epci,
            CollectiviteKind::Syndicat => PayerKind::Syndicat,
            CollectiviteKind::Autre => PayerKind::Autre,
        },
        siret: party.siret.to_string(),
        address: address(&party.address, town(party)),
        representative: representative(party),
    }
}

/// « COMMUNE DE SAINT-LAURENT-DES-ARBRES »; bodies other than communes keep their own name.
#[must_use]
pub fn legal_name(party: &Party) -> String {
    let name = party.name.as_str();
    if party.kind == CollectiviteKind::Commune && !crate::kernel::text::fold(name).starts_with("commune ") {
        return school_label::capitals(&format!("commune {}", french::de_commune(name)));
    }
    school_label::capitals(name)
}

/// The town of a party whose address names none: a commune is its own.
#[must_use]
pub fn town(party: &Party) -> Option<&str> {
    (party.kind == CollectiviteKind::Commune).then(|| party.name.as_str())
}

/// The lines of an address on one line; empty when nothing is known.
#[must_use]
pub fn address(address: &Address, town: Option<&str>) -> String {
    let code = address.postal_code.as_ref().map(ToString::to_string);
    let city = address.city.as_ref().map(ToString::to_string);
    // A lone town says nothing more than the name above it.
    let city = city.or_else(|| town.filter(|_| code.is_some()).map(str::to_owned));
    let town = [code, city];
    let town = town.into_iter().flatten().collect::<Vec<_>>().join(" ");
    [address.line1.as_ref().map(ToString::to_string), address.line2.as_ref().map(ToString::to_string), Some(town)]
        .into_iter()
        .flatten()
        .filter(|l| !l.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

fn representative(party: &Party) -> Option<Representative> {
    let who = &party.representative;
    let last_name = who.last_name.as_ref()?;
    let civility = who.civility.map(|c| match c {
        Civility::Madame => "Mme",
        Civility::Monsieur => "M.",
    });
    let parts = [civility, who.first_name.as_ref().map(|n| n.as_str()), Some(last_name.as_str())];
    Some(Representative {
        name: parts.into_iter().flatten().collect::<Vec<_>>().join(" "),
        capacities: who.title.iter().map(ToString::to_string).collect(),
    })
}

fn line(school: &ListedSchool) -> SchoolLine {
    let line = school_label::school_line(
        school.commune_name.as_str(),
        school.departement.as_str(),
        &school.label,
        school.uai.as_str(),
    );
    SchoolLine { line, amount: None }
}

/// A school as a convention lists it.
#[must_use]
pub fn listed(school: &School) -> ListedSchool {
    let kind = match school.said.kind {
        SchoolKind::Maternelle => school_label::SchoolKind::Maternelle,
        SchoolKind::Elementaire => school_label::SchoolKind::Elementaire,
        SchoolKind::Primaire => school_label::SchoolKind::Primaire,
    };
    ListedSchool {
        uai: school.said.uai.clone(),
        name: school.said.name.clone(),
        label: school_label::school_label(school.said.name.as_str(), kind, school.said.sector == Sector::Public),
        kind: school.said.kind,
        insee_code: school.said.insee_code.clone(),
        commune_name: school.said.commune_name.clone(),
        departement: school.departement.clone(),
    }
}
