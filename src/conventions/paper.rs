//! From the facts of a convention to the words its paper prints.

use super::convention::Party;
use super::document::{ConventionPaper, Issuer, Payer, PayerKind, Pricing, Representative, SchoolLine, SignatureBlock};
use super::participation::{ListedSchool, Participation, ParticipationLine};
use crate::campaigns::texts::{CampaignTexts, Signatory};
use crate::campaigns::{Campaign, Tariff, TariffUnit};
use crate::kernel::contact::Civility;
use crate::kernel::{french, school_label};
use crate::registry::kinds::{CollectiviteKind, SchoolKind, Sector};
use crate::registry::{Address, Designation, School};

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
        to_court: french::court(&texts.courts.convention),
        dpo_contact: french::joined(texts.dpo.name.iter().chain([&texts.dpo.email]), ", "),
        portal: texts.has_portal,
        of_academies: academies(texts).map(french::de_place).collect(),
        academies: academies(texts).map(str::to_owned).collect(),
        issuer: Issuer {
            name: texts.issuer.name.clone(),
            address: french::joined(&texts.issuer.address_lines, ", "),
            representative: issuer_representative(&texts.signatory),
        },
        payer: payer(party),
        pricing: pricing(tariff, participation),
        schools: participation.lines.iter().map(|l| line(l, participation.plain)).collect(),
        issuer_signature: SignatureBlock {
            place: Some(texts.signatory.place.clone()),
            at: Some(french::a_place(&texts.signatory.place)),
            signed_on: None,
            signatory: None,
        },
        payer_signature: SignatureBlock::default(),
        return_instructions: return_instructions(campaign, texts),
    }
}

/// How to sign and give back, where « {date_limite} » is the day the answer is wished for: without that day, what speaks
/// of it is left out.
fn return_instructions(campaign: &Campaign, texts: &CampaignTexts) -> Vec<String> {
    const DEADLINE: &str = "{date_limite}";
    let deadline = campaign.said.response_deadline.map(french::date_long);
    let told = texts.return_instructions.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    told.filter_map(|text| match &deadline {
        _ if !text.contains(DEADLINE) => Some(text.to_owned()),
        Some(day) => Some(text.replace(DEADLINE, day)),
        None => None,
    })
    .collect()
}

/// The académies among the issuer's other names: « Académie de Montpellier » → « Montpellier ».
fn academies(texts: &CampaignTexts) -> impl Iterator<Item = &str> {
    texts.issuer.aliases.iter().filter_map(|alias| {
        let (head, rest) = alias.trim().split_at_checked("Académie d".len())?;
        let place = ["e ", "E ", "'", "’"].iter().find_map(|link| rest.strip_prefix(link))?.trim();
        (head.to_lowercase() == "académie d" && !place.is_empty()).then_some(place)
    })
}

fn issuer_representative(signatory: &Signatory) -> Representative {
    let civility = match signatory.civility.trim() {
        "Madame" => "Mme",
        "Monsieur" => "M.",
        other => other,
    };
    Representative {
        name: french::joined([civility, &signatory.first_name, &signatory.last_name], " "),
        capacities: capacities(signatory.title.lines()),
    }
}

/// One line each: a comma that ends a line of the setting is not printed twice.
fn capacities<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<String> {
    lines.map(|line| french::joined([line], ", ")).filter(|line| !line.is_empty()).collect()
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
        listed: french::count(participation.lines.len(), "école"),
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
        siret: party.siret.grouped(),
        address: complete_address(&party.address, town(party).as_deref()).unwrap_or_default(),
        representative: representative(party),
    }
}

/// « COMMUNE DE SAINT-LAURENT-DES-ARBRES »; a body of another kind has its own name.
#[must_use]
pub fn legal_name(party: &Party) -> String {
    designation(party).printed()
}

/// How a party is called on paper.
#[must_use]
pub fn designation(party: &Party) -> Designation {
    Designation::of(party.kind, party.name.as_str())
}

/// The town of a party whose address names none: a commune is its own.
#[must_use]
pub fn town(party: &Party) -> Option<String> {
    designation(party).place().map(str::to_owned)
}

/// An address a letter arrives at, on one line: a half one is not printed on a contract.
fn complete_address(address: &Address, town: Option<&str>) -> Option<String> {
    address.missing(town).is_empty().then(|| address.known(town))
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
        name: french::joined(parts.into_iter().flatten(), " "),
        capacities: capacities(who.title.iter().map(|title| title.as_str())),
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
