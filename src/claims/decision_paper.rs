//! The act that leaves small claims untitled, as a paper.
//!
//! [`DecisionPaper`] is the whole input of `decision.typ`: text ready to print, no rule. It cites the faculty (décret
//! 2012-1246, art. 114), lists each claim, names who recorded it, and leaves room for the ordonnateur's signature,
//! whose faculty it is.

use chrono::NaiveDate;
use serde::Serialize;

use super::scene::Small;
use crate::access::User;
use crate::campaigns::texts::CampaignTexts;
use crate::kernel::{Money, SchoolYear, french};
use crate::platform::documents::Template;

/// What papers of this kind are called where they are stored.
pub const KIND: &str = "decision";

/// The template given with the program.
pub const TEMPLATE: &str = include_str!("decision.typ");

/// The given template, ready for the renderer.
#[must_use]
pub fn default_template() -> Template {
    Template::new("decision.typ", TEMPLATE)
}

/// Everything that the act prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionPaper {
    /// Prints « SPÉCIMEN » in the footer of each page.
    pub specimen: bool,
    /// « ENT-D-2025-0001 ».
    pub number: String,
    pub school_year: String,
    /// [`french::date_long`].
    pub decided_on: String,
    pub service: String,
    pub issuer: String,
    pub place: String,
    /// [`french::a_place`]: « à Montpellier », « au Vigan ».
    pub at: String,
    /// « 50,00 € ».
    pub threshold: String,
    pub reason: String,
    pub claims: Vec<ClaimLine>,
    /// [`french::count`]: « 30 créances ».
    pub claims_counted: String,
    pub total: String,
    pub total_in_words: String,
    /// First name, last name, capacity of who recorded it.
    pub recorded_by: String,
}

/// One claim left untitled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimLine {
    pub convention: String,
    pub name: String,
    pub siret: String,
    pub schools: usize,
    pub amount: String,
}

/// What the paper is composed from.
pub struct Context<'a> {
    pub number: &'a str,
    pub year: &'a SchoolYear,
    pub threshold: Money,
    pub reason: &'a str,
    pub claims: &'a [Small],
    pub decider: &'a User,
    pub decided_on: NaiveDate,
    pub texts: &'a CampaignTexts,
    pub specimen: bool,
}

/// The paper of an act just taken.
#[must_use]
pub fn compose(c: &Context<'_>) -> DecisionPaper {
    let total: Money = c.claims.iter().map(|claim| claim.amount).sum();
    let capacity = c.decider.capacity.as_ref().map_or("gestionnaire", |capacity| capacity.as_str());
    DecisionPaper {
        specimen: c.specimen,
        number: c.number.to_owned(),
        school_year: c.year.to_string(),
        decided_on: french::date_long(c.decided_on),
        service: c.texts.issuer.service.clone(),
        issuer: c.texts.issuer.name.clone(),
        place: c.texts.signatory.place.clone(),
        at: french::a_place(&c.texts.signatory.place),
        threshold: french::euros(c.threshold.cents()),
        reason: french::clause(c.reason),
        claims: c
            .claims
            .iter()
            .map(|claim| ClaimLine {
                convention: claim.convention_number.clone(),
                name: claim.name.clone(),
                siret: claim.siret.clone(),
                schools: claim.schools,
                amount: french::euros(claim.amount.cents()),
            })
            .collect(),
        claims_counted: french::count(c.claims.len(), "créance"),
        total: french::euros(total.cents()),
        total_in_words: french::amount_in_words(total.cents()),
        recorded_by: french::joined([c.decider.full_name().as_str(), capacity], ", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::documents::Renderer;

    fn sample(count: usize) -> DecisionPaper {
        let claim = |n: usize| ClaimLine {
            convention: format!("ENT-C-2025-2026-{n:05}"),
            name: "COMMUNE DE SAINT-LAURENT-DES-ARBRES".into(),
            siret: "213 002 785 00011".into(),
            schools: 1,
            amount: french::euros(4000),
        };
        let cents = i64::try_from(count).unwrap() * 4000;
        DecisionPaper {
            specimen: true,
            number: "ENT-D-2025-0001".into(),
            school_year: "2025-2026".into(),
            decided_on: "28 juillet 2025".into(),
            service: "Direction de région académique du numérique pour l’éducation".into(),
            issuer: "Région académique Occitanie".into(),
            place: "Montpellier".into(),
            at: "à Montpellier".into(),
            threshold: french::euros(5000),
            reason: "la campagne 2025-2026 prévoit de ne pas émettre de titre sous le seuil".into(),
            claims: (1..=count).map(claim).collect(),
            claims_counted: french::count(count, "créance"),
            total: french::euros(cents),
            total_in_words: french::amount_in_words(cents),
            recorded_by: "Dominique Garrigue, gestionnaire".into(),
        }
    }

    #[test]
    fn one_claim_and_a_region_of_them_are_printed() {
        let renderer = Renderer::new(None).unwrap();
        let day = NaiveDate::from_ymd_opt(2025, 7, 28).unwrap();
        for count in [1, 1801] {
            let input = serde_json::to_vec(&sample(count)).unwrap();
            let pdf = renderer.render(&default_template(), &input, day, "ENT-D-2025-0001").unwrap();
            assert!(pdf.starts_with(b"%PDF"));
            assert_eq!(pdf, renderer.render(&default_template(), &input, day, "ENT-D-2025-0001").unwrap());
        }
    }

    /// A job may hold what was frozen before a field came.
    #[test]
    fn an_input_of_before_composes() {
        let mut before = serde_json::to_value(sample(2)).unwrap();
        ["at", "claims_counted"].iter().for_each(|f| _ = before.as_object_mut().unwrap().remove(*f).unwrap());
        let day = NaiveDate::from_ymd_opt(2025, 7, 28).unwrap();
        let input = serde_json::to_vec(&before).unwrap();
        assert!(Renderer::new(None).unwrap().render(&default_template(), &input, day, "x").is_ok());
    }
}
