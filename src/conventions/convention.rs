//! The convention and its lifecycle. Pure.
//!
//! ```text
//!   issued ──sign──▶ signed ──countersign──▶ active ──expire──▶ expired
//!      │                │                      │
//!      └──── cancel ────┴──────────────────────┘  (never once a title exists)
//! ```
//! The effect is the day of the last signature; it is recorded evidence, never inferred. Recording late is normal:
//! only a future date is refused, and a last signature after the end date, since the convention would have no
//! duration.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::codes::{CONVENTION_ENDED, CONVENTION_STATE, CONVENTION_TITLED, DATE_IN_FUTURE, FINDINGS_OPEN};
use crate::campaigns::CountersignPolicy;
use crate::kernel::ids::{CampaignId, CollectiviteId, ConventionId};
use crate::kernel::text::{FindingCode, Line, Note};
use crate::kernel::{Departement, FieldError, Finding, InseeCode, Instant, Level, Money, Refused, SchoolYear, Siret};
use crate::registry::kinds::CollectiviteKind;
use crate::registry::{Address, Chorus, Representative};
use crate::text_enum;

text_enum!(
    /// Où en est une convention.
    ConventionState {
        Proposed => "proposed",
        Issued => "issued",
        Signed => "signed",
        Active => "active",
        Expired => "expired",
        Terminated => "terminated",
        Declined => "declined",
        Cancelled => "cancelled",
    }
);

text_enum!(
    /// Ce qu'une personne peut faire d'une convention.
    ConventionAction { Sign => "sign", Countersign => "countersign", Cancel => "cancel" }
);

text_enum!(
    /// Si le document existe déjà.
    DocumentStatus { Pending => "pending", Ready => "ready", Failed => "failed" }
);

/// Le payeur tel que la convention le nomme : une copie, que le registre ne change plus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Party {
    pub siret: Siret,
    pub kind: CollectiviteKind,
    pub name: Line,
    pub insee_code: Option<InseeCode>,
    pub departement: Option<Departement>,
    pub address: Address,
    pub representative: Representative,
    pub chorus: Chorus,
}

/// Who signed, in what capacity, when, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub on: NaiveDate,
    pub name: Line,
    pub title: Line,
    pub evidence: Option<Note>,
}

/// Both signatures and the day the convention took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    pub signed: Signature,
    pub countersigned: Signature,
    /// Day of the last signature.
    pub took_effect_on: NaiveDate,
}

/// The state, with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    Issued,
    Signed(Signature),
    Active(Effect),
    Expired(Effect, NaiveDate),
    Cancelled { signed: Option<Signature>, effect: Option<Effect>, on: NaiveDate, reason: Note },
}

/// Un constat levé par une personne nommée.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    pub code: FindingCode,
    pub reason: Note,
}

/// Un constat levé, tel qu'il est gardé : par qui et quand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Acknowledgement {
    pub code: String,
    pub reason: Note,
    pub by: String,
    pub at: Instant,
}

/// Une convention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convention {
    pub id: ConventionId,
    pub campaign_id: CampaignId,
    pub collectivite_id: CollectiviteId,
    /// 1, or more with a reason when an earlier one was cancelled or declined.
    pub sequence: i64,
    pub sequence_reason: Option<String>,
    pub number: String,
    pub rank: i64,
    pub party: Party,
    pub school_count: i64,
    pub total: Money,
    pub ends_on: NaiveDate,
    pub issued_by: String,
    pub issued_at: Instant,
    pub stage: Stage,
    pub acknowledged: Vec<Acknowledgement>,
    pub document: DocumentStatus,
    pub document_sha256: Option<String>,
    pub version: i64,
    pub updated_at: Instant,
}

/// Public number: `ENT-C-2025-2026-00123`.
#[must_use]
pub fn number(year: &SchoolYear, rank: i64) -> String {
    format!("ENT-C-{year}-{rank:05}")
}

fn not_future(pointer: &str, day: NaiveDate, today: NaiveDate) -> Result<(), Refused> {
    if day <= today {
        return Ok(());
    }
    let message = format!("La date {day} est postérieure à aujourd'hui ({today}).");
    let mut refused = Refused::new(&DATE_IN_FUTURE, message.clone());
    refused.errors.push(FieldError {
        pointer: pointer.into(),
        code: "date_in_future".into(),
        message,
        value: Some(day.to_string()),
    });
    Err(refused)
}

impl Convention {
    #[must_use]
    pub fn state(&self) -> ConventionState {
        match self.stage {
            Stage::Issued => ConventionState::Issued,
            Stage::Signed(_) => ConventionState::Signed,
            Stage::Active(_) => ConventionState::Active,
            Stage::Expired(..) => ConventionState::Expired,
            Stage::Cancelled { .. } => ConventionState::Cancelled,
        }
    }

    /// What a person may do now.
    #[must_use]
    pub fn allowed(&self) -> &'static [ConventionAction] {
        match self.stage {
            Stage::Issued => &[ConventionAction::Sign, ConventionAction::Cancel],
            Stage::Signed(_) => &[ConventionAction::Countersign, ConventionAction::Cancel],
            Stage::Active(_) => &[ConventionAction::Cancel],
            Stage::Expired(..) | Stage::Cancelled { .. } => &[],
        }
    }

    /// Both signatures, once the convention has taken effect: expiry never extinguishes a debt.
    #[must_use]
    pub fn effect(&self) -> Option<&Effect> {
        match &self.stage {
            Stage::Active(effect) | Stage::Expired(effect, _) => Some(effect),
            _ => None,
        }
    }

    fn refuse(&self, action: ConventionAction) -> Refused {
        let detail = match (action, &self.stage) {
            (ConventionAction::Sign, Stage::Cancelled { .. }) => "La convention est annulée.".to_owned(),
            (ConventionAction::Sign, _) => "La signature de la collectivité est déjà enregistrée.".to_owned(),
            (ConventionAction::Countersign, Stage::Issued) => {
                "La collectivité n'a pas encore signé : enregistrer d'abord sa signature.".to_owned()
            }
            (ConventionAction::Countersign, _) => "La convention n'attend pas de contreseing.".to_owned(),
            (ConventionAction::Cancel, _) => "La convention ne peut plus être annulée.".to_owned(),
        };
        Refused::state(&CONVENTION_STATE, detail, self.state(), self.allowed())
    }

    /// Whether an action is of this state.
    ///
    /// # Errors
    /// `convention_state`.
    pub fn in_state_for(&self, action: ConventionAction) -> Result<(), Refused> {
        if self.allowed().contains(&action) { Ok(()) } else { Err(self.refuse(action)) }
    }

    /// Whether nothing was titled that cancelling would leave without its ground.
    ///
    /// # Errors
    /// `convention_titled`.
    pub fn without_title(&self, titled: bool) -> Result<(), Refused> {
        if !titled {
            return Ok(());
        }
        let detail = "Un titre existe pour cette convention : le retirer d'abord.";
        Err(Refused::state(&CONVENTION_TITLED, detail, self.state(), self.allowed()))
    }

    /// Whether policy `require` finds each finding lifted.
    ///
    /// # Errors
    /// `findings_open`, naming those that are not.
    pub fn findings_lifted(
        &self,
        findings: &[Finding],
        acknowledged: &[Acknowledgement],
        policy: CountersignPolicy,
    ) -> Result<(), Refused> {
        let open: Vec<&Finding> = findings
            .iter()
            .filter(|f| f.level == Level::ToAcknowledge && !acknowledged.iter().any(|a| a.code == f.code))
            .collect();
        if policy == CountersignPolicy::Record || open.is_empty() {
            return Ok(());
        }
        let codes: std::collections::BTreeSet<&str> = open.iter().map(|f| f.code.as_str()).collect();
        let codes = codes.into_iter().collect::<Vec<_>>().join(", ");
        let detail = format!("Des points à vérifier ne sont pas levés : les lever dans `acknowledged` ({codes}).");
        let mut refused = Refused::state(&FINDINGS_OPEN, detail, self.state(), self.allowed());
        refused.errors = open
            .iter()
            .map(|f| FieldError {
                pointer: "/acknowledged".into(),
                code: f.code.clone(),
                message: f.message.clone(),
                value: f.found.clone(),
            })
            .collect();
        Err(refused)
    }

    /// Records the collectivité's signature.
    ///
    /// # Errors
    /// Not `issued`; a future date; a date after the end.
    pub fn sign(mut self, signature: Signature, today: NaiveDate) -> Result<Self, Refused> {
        self.in_state_for(ConventionAction::Sign)?;
        not_future("/signed_on", signature.on, today)?;
        self.before_end(signature.on)?;
        self.stage = Stage::Signed(signature);
        Ok(self)
    }

    fn before_end(&self, last: NaiveDate) -> Result<(), Refused> {
        if last <= self.ends_on {
            return Ok(());
        }
        let detail = format!("Signature du {last} postérieure à la fin de la convention ({}).", self.ends_on);
        Err(Refused::state(&CONVENTION_ENDED, detail, self.state(), self.allowed()))
    }

    /// Records the région académique's signature: the convention takes effect on the day of the last signature.
    ///
    /// # Errors
    /// Not `signed`; a future date; a last signature after the end; findings left open under policy `require`.
    pub fn countersign(
        mut self,
        countersigned: Signature,
        acknowledged: Vec<Acknowledgement>,
        findings: &[Finding],
        policy: CountersignPolicy,
        today: NaiveDate,
    ) -> Result<Self, Refused> {
        let Stage::Signed(signed) = self.stage.clone() else { return Err(self.refuse(ConventionAction::Countersign)) };
        not_future("/signed_on", countersigned.on, today)?;
        let took_effect_on = signed.on.max(countersigned.on);
        self.before_end(took_effect_on)?;
        self.findings_lifted(findings, &acknowledged, policy)?;
        self.acknowledged.extend(acknowledged);
        self.stage = Stage::Active(Effect { signed, countersigned, took_effect_on });
        Ok(self)
    }

    /// Cancels.
    ///
    /// # Errors
    /// Over already, or a title exists.
    pub fn cancel(mut self, reason: Note, titled: bool, today: NaiveDate) -> Result<Self, Refused> {
        self.in_state_for(ConventionAction::Cancel)?;
        self.without_title(titled)?;
        let (signed, effect) = match self.stage {
            Stage::Signed(s) => (Some(s), None),
            Stage::Active(e) => (Some(e.signed.clone()), Some(e)),
            _ => (None, None),
        };
        self.stage = Stage::Cancelled { signed, effect, on: today, reason };
        Ok(self)
    }

    /// Expires once its end is past; says whether anything changed.
    #[must_use]
    pub fn expire(mut self, today: NaiveDate) -> (Self, bool) {
        match self.stage {
            Stage::Active(effect) if self.ends_on < today => {
                self.stage = Stage::Expired(effect, self.ends_on);
                (self, true)
            }
            _ => (self, false),
        }
    }
}
