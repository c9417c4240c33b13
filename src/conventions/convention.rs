//! The convention and its lifecycle. Pure.
//!
//! ```text
//!   issued ──sign──▶ signed ──countersign──▶ active ──expire──▶ expired
//!      ├──── decline ───┤                      │
//!      │   ▼ ──reopen─▶ (issued, signed)       │       correct_signature, with a reason: signed, active, expired
//!      │ declined       │                      │
//!      └──── cancel ────┴──────────────────────┘       neither once a title exists
//! ```
//! The effect is the day of the last signature: evidence, never inferred. Its days have bounds (see `signature`); none is
//! after the end. A refusal lasts until a person reopens: no act in number issues again to who declined.
//!
//! Over 400 lines: the table of the lifecycle, what it rests on and what each act does are read together.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::codes::{CONVENTION_ENDED, CONVENTION_REPLACED, CONVENTION_STATE, CONVENTION_TITLED, FINDINGS_OPEN};
pub use super::signature::{Calendar, Correction, Effect, Signature, SignedBy};
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
        Issued => "issued",
        Signed => "signed",
        Active => "active",
        Expired => "expired",
        Declined => "declined",
        Cancelled => "cancelled",
    }
);

text_enum!(
    /// Ce qu'une personne peut faire d'une convention.
    ConventionAction {
        Sign => "sign",
        Countersign => "countersign",
        CorrectSignature => "correct_signature",
        Decline => "decline",
        Reopen => "reopen",
        Cancel => "cancel",
    }
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

/// The state, with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    Issued,
    Signed(Signature),
    Active(Effect),
    Expired(Effect, NaiveDate),
    /// The collectivité said no, before or after it had signed.
    Declined {
        signed: Option<Signature>,
        on: NaiveDate,
        reason: Note,
    },
    Cancelled {
        signed: Option<Signature>,
        effect: Option<Effect>,
        on: NaiveDate,
        reason: Note,
    },
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
    pub version: i64,
    pub updated_at: Instant,
}

/// Public number: `ENT-C-2025-2026-00123`.
#[must_use]
pub fn number(year: &SchoolYear, rank: i64) -> String {
    format!("ENT-C-{year}-{rank:05}")
}

/// What is done to a convention, with all that the act brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConventionAct {
    Sign { signature: Signature, acknowledged: Vec<Acknowledgement> },
    Countersign { signature: Signature, acknowledged: Vec<Acknowledgement> },
    CorrectSignature { correction: Correction, acknowledged: Vec<Acknowledgement> },
    Decline { on: NaiveDate, reason: Note, acknowledged: Vec<Acknowledgement> },
    Reopen,
    Cancel { reason: Note },
}

impl ConventionAct {
    #[must_use]
    pub const fn action(&self) -> ConventionAction {
        match self {
            Self::Sign { .. } => ConventionAction::Sign,
            Self::Countersign { .. } => ConventionAction::Countersign,
            Self::CorrectSignature { .. } => ConventionAction::CorrectSignature,
            Self::Decline { .. } => ConventionAction::Decline,
            Self::Reopen => ConventionAction::Reopen,
            Self::Cancel { .. } => ConventionAction::Cancel,
        }
    }
}

/// What an action rests on beside the convention; an action looks only at what concerns it.
#[derive(Debug, Clone)]
pub struct ConventionFacts {
    pub calendar: Calendar,
    /// What stands against taking its signatures back: a living title states them.
    pub vetoes: Vec<String>,
    /// Number of the convention issued since to the same payer.
    pub replaced_by: Option<String>,
    /// What a countersignature should look at, under the campaign's policy.
    pub findings: Vec<Finding>,
    pub policy: CountersignPolicy,
}

/// What an act means for the schools of the convention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConventionEffect {
    Nothing,
    /// They are free for another convention.
    FreesSchools,
    /// They return, if they are still free.
    TakesSchoolsBack,
}

impl Convention {
    #[must_use]
    pub fn state(&self) -> ConventionState {
        match self.stage {
            Stage::Issued => ConventionState::Issued,
            Stage::Signed(_) => ConventionState::Signed,
            Stage::Active(_) => ConventionState::Active,
            Stage::Expired(..) => ConventionState::Expired,
            Stage::Declined { .. } => ConventionState::Declined,
            Stage::Cancelled { .. } => ConventionState::Cancelled,
        }
    }

    /// What the state lets a person do.
    #[must_use]
    pub fn allowed(&self) -> Vec<ConventionAction> {
        ConventionAction::ALL.iter().copied().filter(|action| self.in_state_for(*action).is_ok()).collect()
    }

    /// The one table of the lifecycle: why the state does not bear an action.
    fn in_state_for(&self, action: ConventionAction) -> Result<(), String> {
        use ConventionAction::{Cancel, CorrectSignature, Countersign, Decline, Reopen, Sign};
        let why = match (&self.stage, action) {
            (Stage::Issued, Sign | Decline | Cancel)
            | (Stage::Signed(_), Countersign | CorrectSignature | Decline | Cancel)
            | (Stage::Active(_), CorrectSignature | Cancel)
            | (Stage::Expired(..), CorrectSignature)
            | (Stage::Declined { .. }, Reopen) => return Ok(()),
            (Stage::Cancelled { .. }, _) => "La convention est annulée.",
            (Stage::Declined { on, reason, .. }, Sign | Countersign | CorrectSignature | Decline | Cancel) => {
                return Err(format!("La collectivité a refusé la convention le {on} ({reason}) : la rouvrir d'abord."));
            }
            (Stage::Signed(_) | Stage::Active(_) | Stage::Expired(..), Sign) => {
                "La signature de la collectivité est déjà enregistrée."
            }
            (Stage::Issued, Countersign) => "La collectivité n'a pas encore signé : enregistrer d'abord sa signature.",
            (Stage::Active(_) | Stage::Expired(..), Countersign) => "La convention n'attend pas de contreseing.",
            (Stage::Issued, CorrectSignature) => "Aucune signature n'est enregistrée.",
            (Stage::Active(_) | Stage::Expired(..), Decline) => {
                "La convention a pris effet : un refus ne la défait plus, une résiliation le peut."
            }
            (Stage::Issued | Stage::Signed(_) | Stage::Active(_) | Stage::Expired(..), Reopen) => {
                "La convention n'est pas refusée."
            }
            (Stage::Expired(..), Cancel) => "La convention ne peut plus être annulée.",
        };
        Err(why.to_owned())
    }

    /// Both signatures, once the convention has taken effect: expiry never extinguishes a debt.
    #[must_use]
    pub fn effect(&self) -> Option<&Effect> {
        match &self.stage {
            Stage::Active(effect) | Stage::Expired(effect, _) => Some(effect),
            _ => None,
        }
    }

    fn refuse(&self, detail: impl Into<String>) -> Refused {
        Refused::state(&CONVENTION_STATE, detail, self.state(), self.allowed())
    }

    /// Whether an action may be done now, as far as is known before anything is said of who signs and when.
    ///
    /// # Errors
    /// `convention_state`; `convention_titled`; `convention_replaced`; `findings_open`.
    pub fn admits(&self, action: ConventionAction, facts: &ConventionFacts) -> Result<(), Refused> {
        self.borne(action, facts)?;
        match action {
            ConventionAction::Countersign => self.findings_lifted(&facts.findings, &[], facts.policy),
            _ => Ok(()),
        }
    }

    /// What state and surroundings say of an action, whatever it brings.
    fn borne(&self, action: ConventionAction, facts: &ConventionFacts) -> Result<(), Refused> {
        self.in_state_for(action).map_err(|detail| self.refuse(detail))?;
        match action {
            ConventionAction::Sign | ConventionAction::Countersign | ConventionAction::Decline => Ok(()),
            ConventionAction::CorrectSignature | ConventionAction::Cancel => {
                if facts.vetoes.is_empty() {
                    return Ok(());
                }
                let detail = facts.vetoes.join(" ");
                Err(Refused::state(&CONVENTION_TITLED, detail, self.state(), self.allowed()))
            }
            ConventionAction::Reopen => match &facts.replaced_by {
                None => Ok(()),
                Some(number) => {
                    let detail = format!(
                        "La convention {number} a été émise depuis pour cette collectivité : l'annuler d'abord."
                    );
                    Err(Refused::new(&CONVENTION_REPLACED, detail))
                }
            },
        }
    }

    /// Does it: the convention as it becomes, and what that means for its schools.
    ///
    /// # Errors
    /// Those of [`Self::admits`]; a day out of bounds, or after the end; findings that are not acknowledged.
    pub fn apply(self, act: ConventionAct, facts: &ConventionFacts) -> Result<(Self, ConventionEffect), Refused> {
        self.borne(act.action(), facts)?;
        match act {
            ConventionAct::Sign { signature, acknowledged } => {
                Ok((self.sign(signature, acknowledged, facts.calendar)?, ConventionEffect::Nothing))
            }
            ConventionAct::Countersign { signature, acknowledged } => {
                Ok((self.countersign(signature, acknowledged, facts)?, ConventionEffect::Nothing))
            }
            ConventionAct::CorrectSignature { correction, acknowledged } => {
                let corrected = self.correct_signature(&correction, acknowledged, facts.calendar)?;
                Ok((corrected, ConventionEffect::Nothing))
            }
            ConventionAct::Decline { on, reason, acknowledged } => {
                Ok((self.decline((on, reason), acknowledged, facts.calendar)?, ConventionEffect::FreesSchools))
            }
            ConventionAct::Reopen => Ok((self.reopen(), ConventionEffect::TakesSchoolsBack)),
            ConventionAct::Cancel { reason } => {
                Ok((self.cancel(reason, facts.calendar.today), ConventionEffect::FreesSchools))
            }
        }
    }

    /// Whether policy `require` finds each finding lifted.
    ///
    /// # Errors
    /// `findings_open`, naming those that are not.
    fn findings_lifted(
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
    fn sign(
        mut self,
        signature: Signature,
        acknowledged: Vec<Acknowledgement>,
        calendar: Calendar,
    ) -> Result<Self, Refused> {
        calendar.admits("/signed_on", signature.on)?;
        self.before_end(signature.on)?;
        let findings = calendar.findings(&signature, None);
        self.findings_lifted(&findings, &acknowledged, CountersignPolicy::Require)?;
        self.acknowledged.extend(acknowledged);
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

    /// Records the région académique's signature: the convention takes effect on the day of the last signature. Under any
    /// policy, a day that the paper should not bear is acknowledged.
    fn countersign(
        mut self,
        countersigned: Signature,
        acknowledged: Vec<Acknowledgement>,
        facts: &ConventionFacts,
    ) -> Result<Self, Refused> {
        let calendar = facts.calendar;
        let Stage::Signed(signed) = self.stage.clone() else {
            return Err(self.refuse("La convention n'attend pas de contreseing."));
        };
        calendar.admits("/signed_on", countersigned.on)?;
        let known = calendar.findings(&signed, None);
        let mut dated = calendar.findings(&signed, Some(&countersigned));
        // What the first signature showed was acknowledged with it.
        dated.retain(|f| !known.contains(f));
        let effect = Effect::new(signed, countersigned);
        self.before_end(effect.took_effect_on)?;
        self.findings_lifted(&dated, &acknowledged, CountersignPolicy::Require)?;
        self.findings_lifted(&facts.findings, &acknowledged, facts.policy)?;
        self.acknowledged.extend(acknowledged);
        self.stage = Stage::Active(effect);
        Ok(self)
    }

    /// Corrects a signature that was recorded amiss; the journal keeps what it replaces.
    fn correct_signature(
        mut self,
        correction: &Correction,
        acknowledged: Vec<Acknowledgement>,
        calendar: Calendar,
    ) -> Result<Self, Refused> {
        let (signed, counter) = match self.stage.clone() {
            Stage::Signed(signed) => (signed, None),
            Stage::Active(e) | Stage::Expired(e, _) => (e.signed, Some(e.countersigned)),
            _ => return Err(self.refuse("Aucune signature n'est enregistrée.")),
        };
        if let Some(on) = correction.on {
            calendar.admits("/signed_on", on)?;
        }
        let known = calendar.findings(&signed, counter.as_ref());
        let (signed, counter) = match (correction.of, counter) {
            (SignedBy::Payer, counter) => (correction.applied(signed), counter),
            (SignedBy::Issuer, Some(counter)) => (signed, Some(correction.applied(counter))),
            (SignedBy::Issuer, None) => {
                return Err(self.refuse("La région académique n'a pas encore contresigné."));
            }
        };
        let mut dated = calendar.findings(&signed, counter.as_ref());
        dated.retain(|f| !known.contains(f));
        self.before_end(counter.as_ref().map_or(signed.on, |c| c.on.max(signed.on)))?;
        self.findings_lifted(&dated, &acknowledged, CountersignPolicy::Require)?;
        self.acknowledged.extend(acknowledged);
        self.stage = match (self.stage, counter) {
            (Stage::Expired(_, on), Some(counter)) => Stage::Expired(Effect::new(signed, counter), on),
            (_, Some(counter)) => Stage::Active(Effect::new(signed, counter)),
            (_, None) => Stage::Signed(signed),
        };
        Ok(self)
    }

    /// Records that the collectivité says no.
    fn decline(
        mut self,
        (on, reason): (NaiveDate, Note),
        acknowledged: Vec<Acknowledgement>,
        calendar: Calendar,
    ) -> Result<Self, Refused> {
        calendar.admits("/declined_on", on)?;
        let signed = if let Stage::Signed(signed) = &self.stage { Some(signed.clone()) } else { None };
        let findings = calendar.refusal_findings(on, signed.as_ref());
        self.findings_lifted(&findings, &acknowledged, CountersignPolicy::Require)?;
        self.acknowledged.extend(acknowledged);
        self.stage = Stage::Declined { signed, on, reason };
        Ok(self)
    }

    /// Takes the refusal back: the convention stands where it stood.
    fn reopen(mut self) -> Self {
        self.stage = match self.stage {
            Stage::Declined { signed: Some(signed), .. } => Stage::Signed(signed),
            _ => Stage::Issued,
        };
        self
    }

    fn cancel(mut self, reason: Note, today: NaiveDate) -> Self {
        let (signed, effect) = match self.stage {
            Stage::Signed(s) => (Some(s), None),
            Stage::Active(e) => (Some(e.signed.clone()), Some(e)),
            _ => (None, None),
        };
        self.stage = Stage::Cancelled { signed, effect, on: today, reason };
        self
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

#[cfg(test)]
#[path = "convention_tests.rs"]
mod tests;
