//! From the facts of a convention to the words its paper prints.

use super::convention::Party;
use super::document::{ConventionPaper, Issuer, Payer, PayerKind, Pricing, Representative, SchoolLine, SignatureBlock};
use super::participation::{ListedSchool, Participation, ParticipationLine};
use crate::campaigns::texts::{CampaignTexts, Signatory};
use crate::campaigns::{Campaign, Tariff, TariffUnit};
use crate::kernel::contact::Civility;
use crate::kernel::{french, school_label};
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
    let tariff = &campaign.said.tariff;
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
        pricing: pricing(tariff, participation),
        schools: participation.lines.iter().map(|l| line(l, participation.plain)).collect(),
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

/// The amounts of articles 3.2, 4 and 9: « 2 x 40€ soit 80€ » when each school costs one price, else the total, with
/// every step below it.
fn pricing(tariff: &Tariff, participation: &Participation) -> Pricing {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let charged = participation.lines.iter().filter(|l| l.waiver.is_none()).count();
    let prices = participation.lines.iter().filter(|l| l.waiver.is_none()).map(|l| l.amount.unit_amount);
    let one_price = prices.reduce(|a, b| if a == b { a } else { None }).flatten();
    let simple = tariff.unit == TariffUnit::School;
    // The first step repeats the sentence of the article; in the plain case the second does too.
    let steps = participation.steps.iter().skip(1).map(|s| s.text.clone());
    Pricing {
        count: count(participation.lines.len()),
        charged: count(charged),
        unit_price: one_price.filter(|_| simple).map(|p| french::euros_compact(p.cents())),
        total: french::euros_compact(participation.total.cents()),
        tariff: tariff.rate(),
        basis: tariff.unit.basis().to_owned(),
        rules: tariff.rules(),
        steps: if simple && participation.plain { Vec::new() } else { steps.collect() },
    }
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

fn line(line: &ParticipationLine, plain: bool) -> SchoolLine {
    let school = &line.school;
    let text = school_label::school_line(
        school.commune_name.as_str(),
        school.departement.as_str(),
        &school.label,
        school.uai.as_str(),
    );
    SchoolLine { line: text, amount: (!plain).then(|| french::euros(line.amount.amount.cents())) }
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
