//! The convention as a paper: what is printed, and the template it is printed with.
//!
//! [`ConventionPaper`] is the whole input of `convention.typ`. It holds text ready to print
//! (dates in French, amounts with their sign) and no rule: who decides the amount or the dates
//! is elsewhere. Serialised once at issue and kept, it makes the same paper ever after.

use serde::Serialize;

use crate::kernel::french;
use crate::platform::documents::Template;

/// The template given with the program.
pub const TEMPLATE: &str = include_str!("convention.typ");

/// What papers of this kind are called where they are stored.
pub const KIND: &str = "convention";

/// The given template, ready for the renderer.
#[must_use]
pub fn default_template() -> Template {
    Template::new("convention.typ", TEMPLATE)
}

/// Everything that a convention prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConventionPaper {
    /// Prints « SPÉCIMEN » across each page.
    pub specimen: bool,
    /// « ENT-C-2025-2026-00123 ».
    pub number: String,
    /// « 2025-2026 ».
    pub school_year: String,
    /// [`french::date_long`]: « 5 juin 2025 ».
    pub header_date: String,
    /// [`french::date_long`]: « 5 septembre 2026 ».
    pub ends_on: String,
    /// As the setting says it: « tribunal administratif de Montpellier ».
    pub court: String,
    /// [`french::court`]: « au tribunal administratif de Montpellier ».
    pub to_court: String,
    /// Mail or postal address, printed after « auprès du délégué … : ».
    pub dpo_contact: String,
    /// A portal exists or may open (article 6).
    pub portal: bool,
    /// « Montpellier », « Toulouse »; empty prints « la région académique ».
    pub academies: Vec<String>,
    /// [`french::de_place`] of each: « de Montpellier », « d’Orléans-Tours ».
    pub of_academies: Vec<String>,
    pub issuer: Issuer,
    pub payer: Payer,
    pub pricing: Pricing,
    pub schools: Vec<SchoolLine>,
    pub issuer_signature: SignatureBlock,
    pub payer_signature: SignatureBlock,
    /// How to sign and give back, a sentence each; in no input of before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub return_instructions: Vec<String>,
}

/// The région académique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issuer {
    pub name: String,
    /// Empty: the line is left out.
    pub address: String,
    pub representative: Representative,
}

/// Who signs for a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Representative {
    /// « Mme Sylvie BARRIEU VIGNAL ».
    pub name: String,
    /// One line each under the signature: « Rectrice de la région académique Occitanie », ….
    pub capacities: Vec<String>,
}

/// The collectivité.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payer {
    /// « COMMUNE DE SAINT-LAURENT-DES-ARBRES ».
    pub name: String,
    pub kind: PayerKind,
    /// [`crate::kernel::Siret::grouped`]: « 213 002 785 00011 ».
    pub siret: String,
    /// Empty when it is not known whole: the line is left out.
    pub address: String,
    /// Absent: « représentée par son maire (ou sa maire) en exercice », by [`PayerKind`].
    pub representative: Option<Representative>,
}

/// Chooses the words for an unknown representative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PayerKind {
    Commune,
    Epci,
    Syndicat,
    Autre,
}

/// The amounts of articles 4 and 9.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pricing {
    /// [`french::count`]: « 2 écoles ».
    pub listed: String,
    /// Schools listed.
    pub count: u32,
    /// Those of them that owe something.
    pub charged: u32,
    /// [`french::euros_compact`]: « 40€ ». Absent when the price is not that of a school:
    /// the sentence then gives the total only, and each [`SchoolLine`] its amount.
    pub unit_price: Option<String>,
    /// [`french::euros_compact`]: « 80€ ».
    pub total: String,
    /// The rate as article 4 states it: « 40 € TTC par école et par an ».
    pub tariff: String,
    /// What the share depends on, after « Sa part » (article 3.2).
    pub basis: String,
    /// The other rules of the rate, a sentence each (article 4).
    pub rules: Vec<String>,
    /// How the total was found, step by step, when it is not count × price (article 9).
    pub steps: Vec<String>,
}

impl Pricing {
    /// The plain case, « 2 x 40€ soit 80€ ». Saturates far above any budget.
    #[must_use]
    pub fn per_school(count: u32, unit_cents: i64) -> Self {
        let total = unit_cents.saturating_mul(i64::from(count));
        Self {
            listed: french::count(count, "école"),
            count,
            charged: count,
            unit_price: Some(french::euros_compact(unit_cents)),
            total: french::euros_compact(total),
            tariff: format!("{} TTC par école et par an", french::euros_short(unit_cents)),
            basis: "dépend du nombre d’écoles à sa charge qui y sont inscrites pour l’année en cours".into(),
            rules: Vec::new(),
            steps: Vec::new(),
        }
    }
}

/// One school of article 9.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchoolLine {
    /// [`crate::kernel::school_label::school_line`], printed as it is.
    pub line: String,
    /// Only when the amounts differ: any present adds a column to the list.
    pub amount: Option<String>,
}

/// Place and date of one signature; what is absent is left blank, to be filled in by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SignatureBlock {
    pub place: Option<String>,
    /// [`french::a_place`]: « à Montpellier », « au Vigan ».
    pub at: Option<String>,
    /// [`french::date_short`]: « 25/07/2025 ».
    pub signed_on: Option<String>,
    /// Who signed, when it is not the party's representative.
    pub signatory: Option<Representative>,
}

#[cfg(test)]
mod tests;
