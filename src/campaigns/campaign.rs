//! A campaign: one school year's tariff, dates, texts and policies. Pure.
//!
//! ```text
//!   preparing ──open──▶ open ──────────close──────────▶ closed
//!   everything may      tariff, dates and texts         no convention, title or decision any more
//!   change              are frozen   ◀──reopen, reason──
//! ```
//! Nothing is refused because it is late: the response deadline is a wish, and closing only asks that no title be
//! left half way. A debt found after closing is titled once the campaign is open again, with a reason.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::codes::CAMPAIGN_STATE;
use super::tariff::Tariff;
use super::texts::{CampaignTexts, DocumentKind};
use crate::kernel::ids::CampaignId;
use crate::kernel::text::{NOTE_MAX, excerpt, printable, unprintable_fault};
use crate::kernel::{FieldError, FieldFault, Instant, Money, Refused, SchoolYear};
use crate::text_enum;

text_enum!(
    /// Où en est une campagne.
    CampaignState { Preparing => "preparing", Open => "open", Closed => "closed" }
);

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

text_enum!(
    /// Ce qui peut être fait d'une campagne.
    CampaignAction { Open => "open", Close => "close", Reopen => "reopen" }
);

/// Règle des petites créances d'une campagne.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SmallClaims {
    /// Strictement au-dessous : petite créance. Absent : le seuil réglementaire à sa date (50.00 depuis le 25 mai 2024).
    #[serde(default)]
    pub threshold: Option<Money>,
    pub policy: SmallClaimsPolicy,
}

impl Default for SmallClaims {
    fn default() -> Self {
        Self { threshold: None, policy: SmallClaimsPolicy::Issue }
    }
}

fn record() -> CountersignPolicy {
    CountersignPolicy::Record
}

/// Ce qu'une personne décide d'une campagne, à la création puis par fusion JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignRequest {
    pub school_year: SchoolYear,
    pub tariff: Tariff,
    /// Date en tête des conventions.
    #[serde(with = "crate::kernel::dates::day")]
    pub convention_date: NaiveDate,
    /// Dernier jour des conventions.
    #[serde(with = "crate::kernel::dates::day")]
    pub ends_on: NaiveDate,
    /// Un souhait dit aux communes ; rien n'est refusé après.
    #[serde(default, with = "crate::kernel::dates::some_day")]
    pub response_deadline: Option<NaiveDate>,
    #[serde(default)]
    pub small_claims: SmallClaims,
    #[serde(default = "record")]
    pub countersign_policy: CountersignPolicy,
    /// Textes des documents ; absents : ceux de la configuration à l'ouverture.
    #[serde(default)]
    pub texts: Option<CampaignTexts>,
}

impl CampaignRequest {
    /// Checks what no single field can.
    ///
    /// # Errors
    /// Every rule broken, each on its field.
    pub fn check(&self) -> Result<(), Refused> {
        let mut errors = Vec::new();
        let mut refuse = |pointer: &str, code: &str, message: String, value: String| {
            errors.push(FieldError { pointer: pointer.into(), code: code.into(), message, value: Some(value) });
        };
        if self.ends_on < self.school_year.starts_on() {
            let message = format!("La convention ne peut finir avant la rentrée ({}).", self.school_year.starts_on());
            refuse("/ends_on", "date_order", message, self.ends_on.to_string());
        }
        if self.convention_date > self.ends_on {
            let message = format!("La date de la convention ne peut suivre sa fin ({}).", self.ends_on);
            refuse("/convention_date", "date_order", message, self.convention_date.to_string());
        }
        if let Some(deadline) = self.response_deadline
            && deadline < self.convention_date
        {
            let message =
                format!("La réponse ne peut être attendue avant la date de la convention ({}).", self.convention_date);
            refuse("/response_deadline", "date_order", message, deadline.to_string());
        }
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
        if errors.is_empty() {
            return Ok(());
        }
        let mut refused = Refused::new(&crate::kernel::refused::INVALID_VALUE, "La campagne décrite ne tient pas.");
        refused.errors = errors;
        Err(refused)
    }
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

/// A campaign as known today.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    pub id: CampaignId,
    pub said: CampaignRequest,
    pub state: CampaignState,
    pub opened_at: Option<Instant>,
    pub closed_at: Option<Instant>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// Fields that may still change once the campaign is open.
const FREE_WHEN_OPEN: [&str; 3] = ["response_deadline", "small_claims", "countersign_policy"];

/// Titles a closing campaign would leave half way; counted by those who hold the titles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsettled {
    pub prepared: i64,
    pub approved: i64,
}

impl Campaign {
    /// What may be done now, and why not for the rest.
    #[must_use]
    pub fn allowed(&self) -> &'static [CampaignAction] {
        match self.state {
            CampaignState::Preparing => &[CampaignAction::Open],
            CampaignState::Open => &[CampaignAction::Close],
            CampaignState::Closed => &[CampaignAction::Reopen],
        }
    }

    fn refuse(&self, detail: String) -> Refused {
        Refused::state(&CAMPAIGN_STATE, detail, self.state, self.allowed())
    }

    /// Takes a person's new word.
    ///
    /// # Errors
    /// Frozen fields once open; anything once closed.
    pub fn rewritten(mut self, said: CampaignRequest, patched: &[String]) -> Result<Self, Refused> {
        said.check()?;
        if said.school_year != self.said.school_year {
            let fault = FieldFault::new("school_year_immutable", "L'année scolaire d'une campagne ne change pas.");
            return Err(Refused::field("/school_year", &fault, Some(said.school_year.to_string())));
        }
        match self.state {
            CampaignState::Preparing => {}
            CampaignState::Open => {
                if let Some(field) = patched.iter().find(|f| !FREE_WHEN_OPEN.contains(&f.as_str())) {
                    return Err(
                        self.refuse(format!("Le champ « {field} » est figé depuis l'ouverture de la campagne."))
                    );
                }
            }
            CampaignState::Closed => return Err(self.refuse("La campagne est close : elle ne change plus.".into())),
        }
        self.said = said;
        Ok(self)
    }

    /// Opens: the texts are copied and frozen.
    ///
    /// # Errors
    /// Not `preparing`, or the texts of the configuration do not hold.
    pub fn open(mut self, defaults: &CampaignTexts, now: Instant) -> Result<Self, Refused> {
        if self.state != CampaignState::Preparing {
            return Err(self.refuse("Seule une campagne en préparation peut être ouverte.".into()));
        }
        self.said.texts.get_or_insert_with(|| defaults.clone());
        self.said.check()?;
        self.state = CampaignState::Open;
        self.opened_at = Some(now);
        Ok(self)
    }

    /// Closes.
    ///
    /// # Errors
    /// Not `open`, or titles half way.
    pub fn close(mut self, left: Unsettled, now: Instant) -> Result<Self, Refused> {
        if self.state != CampaignState::Open {
            return Err(self.refuse("Seule une campagne ouverte peut être close.".into()));
        }
        if left.prepared + left.approved > 0 {
            return Err(self.refuse(format!(
                "Des titres sont à mi-chemin : {} préparé(s) à approuver ou retirer, {} approuvé(s) à mettre en bordereau.",
                left.prepared, left.approved
            )));
        }
        self.state = CampaignState::Closed;
        self.closed_at = Some(now);
        Ok(self)
    }

    /// Opens a closed campaign again: something due was found late.
    ///
    /// # Errors
    /// Not `closed`.
    pub fn reopen(mut self) -> Result<Self, Refused> {
        if self.state != CampaignState::Closed {
            return Err(self.refuse("Seule une campagne close peut être rouverte.".into()));
        }
        self.state = CampaignState::Open;
        self.closed_at = None;
        Ok(self)
    }

    /// The campaign, if titles may be prepared and decisions taken: closing ends both.
    ///
    /// # Errors
    /// Closed.
    pub fn while_not_closed(&self) -> Result<(), Refused> {
        if self.state == CampaignState::Closed {
            return Err(self.refuse("La campagne est close : la rouvrir, avec un motif, pour y revenir.".into()));
        }
        Ok(())
    }

    /// The texts in force; only once open.
    ///
    /// # Errors
    /// The campaign is not open.
    pub fn opened_texts(&self) -> Result<&CampaignTexts, Refused> {
        match (&self.said.texts, self.state) {
            (Some(texts), CampaignState::Open) => Ok(texts),
            (_, CampaignState::Closed) => Err(self.refuse("La campagne est close.".into())),
            _ => Err(self.refuse("La campagne n'est pas ouverte.".into())),
        }
    }
}

/// Une campagne.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CampaignView {
    pub id: CampaignId,
    #[serde(flatten)]
    pub said: CampaignRequest,
    pub state: CampaignState,
    #[schema(example = "EUR")]
    pub currency: &'static str,
    pub opened_at: Option<Instant>,
    pub closed_at: Option<Instant>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl From<Campaign> for CampaignView {
    fn from(c: Campaign) -> Self {
        Self {
            id: c.id,
            said: c.said,
            state: c.state,
            currency: "EUR",
            opened_at: c.opened_at,
            closed_at: c.closed_at,
            version: c.version,
            created_at: c.created_at,
            updated_at: c.updated_at,
        }
    }
}
