//! What a person decides of a campaign: tariff, dates, policies and texts, and the rules they keep. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tariff::Tariff;
use super::texts::{CampaignTexts, DocumentKind};
use super::thresholds::Thresholds;
use crate::kernel::text::{NOTE_MAX, excerpt, printable, unprintable_fault};
use crate::kernel::{FieldError, FieldFault, Money, Refused, SchoolYear};
use crate::text_enum;

text_enum!(
    /// Ce qu'il advient d'une créance strictement au-dessous du seuil (décret 2012-1246, art. 114 : une faculté).
    SmallClaimsPolicy {
        /// Issue the title all the same.
        Issue => "issue",
        /// Record a named, reversible decision not to issue.
        DoNotIssue => "do_not_issue",
        /// Prepare with a warning; approval in bulk skips it.
        Flag => "flag",
    }
);

text_enum!(
    /// Si des constats non levés arrêtent le contreseing (`require`) ou non (`record`).
    CountersignPolicy { Record => "record", Require => "require" }
);

/// Règle des petites créances d'une campagne.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SmallClaims {
    /// Strictement au-dessous : petite créance. Absent : le seuil réglementaire à sa date (50.00 depuis le 25 mai 2024),
    /// qui est aussi le plus haut admis (décret 2012-1246, art. 114).
    #[serde(default)]
    pub threshold: Option<Money>,
    pub policy: SmallClaimsPolicy,
}

impl Default for SmallClaims {
    fn default() -> Self {
        Self { threshold: None, policy: SmallClaimsPolicy::Issue }
    }
}

/// What a person decides of a campaign. Written as it stands in the journal, its texts apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CampaignTerms {
    pub school_year: SchoolYear,
    pub tariff: Tariff,
    /// At the head of the conventions.
    pub convention_date: NaiveDate,
    /// Last day of the conventions.
    pub ends_on: NaiveDate,
    /// A wish told to communes; nothing is refused after.
    pub response_deadline: Option<NaiveDate>,
    pub small_claims: SmallClaims,
    pub countersign_policy: CountersignPolicy,
    /// None: those of the configuration when it opens.
    pub texts: Option<CampaignTexts>,
}

impl CampaignTerms {
    /// Checks what no single field can.
    ///
    /// # Errors
    /// Every rule broken, each on its field.
    pub fn check(&self, today: NaiveDate) -> Result<(), Refused> {
        let mut errors = self.date_faults(today);
        errors.extend(self.faults());
        told(errors)
    }

    /// Checks a campaign that is said for the first time.
    ///
    /// # Errors
    /// Every rule broken, each on its field.
    pub fn check_new(&self, today: NaiveDate, thresholds: &Thresholds) -> Result<(), Refused> {
        let mut errors = self.date_faults(today);
        errors.extend(self.faults());
        errors.extend(self.small_claims.fault(today, thresholds));
        told(errors)
    }

    /// Every rule broken but those of the dates.
    pub(super) fn faults(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut refuse = |pointer: &str, code: &str, message: String, value: String| {
            errors.push(FieldError { pointer: pointer.into(), code: code.into(), message, value: Some(value) });
        };
        if let Some(texts) = &self.texts {
            if texts.document_kind == DocumentKind::Titre {
                // Our paper must never pass for the executory title, which Chorus edits.
                let message = "Seule la demande d'émission (demande) est produite par cette version.".into();
                refuse("/texts/document_kind", "document_kind_unavailable", message, "titre".into());
            }
            let json = serde_json::to_value(texts).unwrap_or(Value::Null);
            unprintable(&json, "/texts", &mut |pointer, fault, text| {
                refuse(pointer, fault.code, fault.message, excerpt(&text));
            });
        }
        errors.extend(self.tariff.faults());
        errors
    }
}

pub(super) fn told(errors: Vec<FieldError>) -> Result<(), Refused> {
    if errors.is_empty() {
        return Ok(());
    }
    let mut refused = Refused::new(&crate::kernel::refused::INVALID_VALUE, "La campagne décrite ne tient pas.");
    refused.errors = errors;
    Err(refused)
}

/// Calls back on each string below a JSON value that no paper can hold: an unprintable character, or too long.
fn unprintable(value: &Value, pointer: &str, report: &mut impl FnMut(&str, FieldFault, &str)) {
    match value {
        Value::String(text) => {
            let length = text.chars().count();
            if let Some(c) = text.chars().find(|c| !printable(*c) && *c != '\n') {
                report(pointer, unprintable_fault(c), text);
            } else if length > NOTE_MAX {
                let message = format!("Texte trop long : {length} caractères, {NOTE_MAX} au plus.");
                report(pointer, FieldFault::new("too_long", message), text);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| unprintable(v, &format!("{pointer}/{i}"), report));
        }
        Value::Object(fields) => fields.iter().for_each(|(k, v)| unprintable(v, &format!("{pointer}/{k}"), report)),
        _ => {}
    }
}
