//! The demand for a perception title as a paper.
//!
//! Our paper is **not** the title: Chorus edits and numbers that one, the comptable notifies it.
//! This one is the settlement sheet that asks for it, and says so in a frame. It carries every
//! mention that the title needs (GBCP art. 24: the bases of the settlement; CRPA L212-1: first
//! name, name and capacity of the author), and no bank account, no delay and no recourse.
//!
//! [`TitlePaper`] is the whole input of `title.typ`: text ready to print, no rule.

use serde::Serialize;

use crate::platform::documents::Template;

/// What papers of this kind are called where they are stored.
pub const KIND: &str = "demand";

/// The template given with the program.
pub const TEMPLATE: &str = include_str!("title.typ");

/// The given template, ready for the renderer.
#[must_use]
pub fn default_template() -> Template {
    Template::new("title.typ", TEMPLATE)
}

/// Everything that the sheet prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TitlePaper {
    /// Prints « SPÉCIMEN » across each page.
    pub specimen: bool,
    /// « ENT-T-2026-000123 ».
    pub reference: String,
    /// « 2026 ».
    pub exercice: String,
    /// Date of the sheet, `french::date_long`.
    pub issued_on: String,
    /// « 2025-2026 ».
    pub school_year: String,
    /// The prescribing service.
    pub service: Service,
    pub debtor: Debtor,
    /// « Participation au financement de l’ENT-école ».
    pub nature: String,
    pub ground: Ground,
    /// « Inscription de 2 écoles à l’ENT-école pour l’année scolaire 2025-2026 ».
    pub triggering_event: String,
    pub lines: Vec<TitleLine>,
    /// How the total was found, when it is not the plain sum of count × price.
    pub lines_note: Option<String>,
    /// `french::euros`: « 80,00 € ».
    pub total: String,
    /// `french::amount_in_words`: « quatre-vingts euros ».
    pub total_in_words: String,
    pub imputation: Vec<Axis>,
    /// Comptable assignataire.
    pub accountant: Accountant,
    /// Comptable in charge of the recovery.
    pub recovery_accountant: Accountant,
    pub prepared_by: Preparation,
    /// Absent: « à approuver ».
    pub approved_by: Option<Approval>,
    pub attachments: Vec<String>,
}

/// Who asks for the title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// The administration it belongs to, which heads the sheet.
    pub authority: String,
    pub name: String,
    /// Absent: the line is left out.
    pub address: Option<String>,
    pub contact: Option<String>,
}

/// Who owes: the live successor at the time of the settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Debtor {
    pub name: String,
    /// What is known of it, empty when nothing is.
    pub address: String,
    /// Whether a letter would arrive; else « à compléter » is printed.
    pub address_complete: bool,
    /// SIRET of the head office, never a school's.
    pub siret: String,
    /// Absent: « à compléter ».
    pub third_party_number: Option<String>,
    /// Absent: « non communiqué » (asked for only when the debtor requires it).
    pub service_code: Option<String>,
    /// Absent: « non communiqué ».
    pub commitment_number: Option<String>,
    /// Printed after the name: see [`crate::claims::substitution`].
    pub substitution: Option<String>,
}

/// What makes the debt due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ground {
    pub convention_number: String,
    /// `french::date_long`.
    pub payer_signed_on: String,
    /// `french::date_long`.
    pub issuer_signed_on: String,
    /// « délibération n° 060/2025 du 24 juillet 2025 (030-…-DE) ».
    pub deliberation: Option<String>,
}

/// One school: UAI × price = amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TitleLine {
    pub uai: String,
    /// « SAINT-LAURENT-DES-ARBRES - ECOLE ELEMENTAIRE PUBLIQUE CHARLES ODOYER ».
    pub label: String,
    /// `french::euros`.
    pub unit_price: String,
    /// `french::euros`.
    pub amount: String,
}

/// One axis of the imputation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Axis {
    /// « Domaine fonctionnel ».
    pub label: String,
    /// Absent: « à compléter ».
    pub value: Option<String>,
}

/// A public accountant; never a bank account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accountant {
    pub name: String,
    pub address: Option<String>,
}

/// Who prepared the sheet, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preparation {
    pub first_name: String,
    pub last_name: String,
    /// « gestionnaire ».
    pub capacity: String,
    /// `french::date_long`.
    pub on: String,
}

/// The one who approves: the delegate's own name and capacity, never the recteur's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    pub first_name: String,
    pub last_name: String,
    pub capacity: String,
    /// `french::date_long`.
    pub on: String,
    /// « arrêté du 2 juin 2025 ».
    pub delegation: Option<String>,
    /// Where it was published: « RAA R76-2025-101 du 3 juin 2025 ».
    pub publication: Option<String>,
}

#[cfg(test)]
mod tests;
