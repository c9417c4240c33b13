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

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::codes::{CONVENTION_ENDED, CONVENTION_STATE, CONVENTION_TITLED, FINDINGS_OPEN};
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
    ConventionAction {
        Sign => "sign",
        Countersign => "countersign",
        CorrectSignature => "correct_signature",
        Decline => "decline",
        Reopen => "reopen",
        Cancel => "cancel",
    }
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

    /// What a person may do now.
    #[must_use]
    pub fn allowed(&self) -> &'static [ConventionAction] {
        use ConventionAction::{Cancel, CorrectSignature, Countersign, Decline, Reopen, Sign};
        match self.stage {
            Stage::Issued => &[Sign, Decline, Cancel],
            Stage::Signed(_) => &[Countersign, CorrectSignature, Decline, Cancel],
            Stage::Active(_) => &[CorrectSignature, Cancel],
            Stage::Expired(..) => &[CorrectSignature],
            Stage::Declined { .. } => &[Reopen],
            Stage::Cancelled { .. } => &[],
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
            (_, Stage::Cancelled { .. }) => "La convention est annulée.".to_owned(),
            (_, Stage::Declined { on, reason, .. }) => {
                format!("La collectivité a refusé la convention le {on} ({reason}) : la rouvrir d'abord.")
            }
            (ConventionAction::Sign, _) => "La signature de la collectivité est déjà enregistrée.".to_owned(),
            (ConventionAction::Countersign, Stage::Issued) => {
                "La collectivité n'a pas encore signé : enregistrer d'abord sa signature.".to_owned()
            }
            (ConventionAction::Countersign, _) => "La convention n'attend pas de contreseing.".to_owned(),
            (ConventionAction::CorrectSignature, _) => "Aucune signature n'est enregistrée.".to_owned(),
            (ConventionAction::Decline, _) => {
                "La convention a pris effet : un refus ne la défait plus, une résiliation le peut.".to_owned()
            }
            (ConventionAction::Reopen, _) => "La convention n'est pas refusée.".to_owned(),
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

    /// Whether no title rests on the convention as it stands.
    ///
    /// # Errors
    /// `convention_titled`.
    pub fn without_title(&self, titled: bool) -> Result<(), Refused> {
        if !titled {
            return Ok(());
        }
        let detail = "Un titre existe pour cette convention, dont il énonce les signatures : le retirer d'abord.";
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
    /// Not `issued`; a day out of bounds, or after the end; one the paper should not bear, not acknowledged.
    pub fn sign(
        mut self,
        signature: Signature,
        acknowledged: Vec<Acknowledgement>,
        calendar: Calendar,
    ) -> Result<Self, Refused> {
        self.in_state_for(ConventionAction::Sign)?;
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

    /// Records the région académique's signature: the convention takes effect on the day of the last signature.
    ///
    /// # Errors
    /// Not `signed`; a day out of bounds; a last signature after the end; findings left open under policy `require`;
    /// under any policy, a day the paper should not bear, not acknowledged.
    pub fn countersign(
        mut self,
        countersigned: Signature,
        acknowledged: Vec<Acknowledgement>,
        findings: &[Finding],
        policy: CountersignPolicy,
        calendar: Calendar,
    ) -> Result<Self, Refused> {
        let Stage::Signed(signed) = self.stage.clone() else { return Err(self.refuse(ConventionAction::Countersign)) };
        calendar.admits("/signed_on", countersigned.on)?;
        let known = calendar.findings(&signed, None);
        let mut dated = calendar.findings(&signed, Some(&countersigned));
        // What the first signature showed was acknowledged with it.
        dated.retain(|f| !known.contains(f));
        let effect = Effect::new(signed, countersigned);
        self.before_end(effect.took_effect_on)?;
        self.findings_lifted(&dated, &acknowledged, CountersignPolicy::Require)?;
        self.findings_lifted(findings, &acknowledged, policy)?;
        self.acknowledged.extend(acknowledged);
        self.stage = Stage::Active(effect);
        Ok(self)
    }

    /// Corrects a signature that was recorded amiss; the journal keeps what it replaces.
    ///
    /// # Errors
    /// No such signature; a living title states it; the rules of [`Self::sign`] and [`Self::countersign`].
    pub fn correct_signature(
        mut self,
        correction: &Correction,
        acknowledged: Vec<Acknowledgement>,
        titled: bool,
        calendar: Calendar,
    ) -> Result<Self, Refused> {
        self.in_state_for(ConventionAction::CorrectSignature)?;
        self.without_title(titled)?;
        let (signed, counter) = match self.stage.clone() {
            Stage::Signed(signed) => (signed, None),
            Stage::Active(e) | Stage::Expired(e, _) => (e.signed, Some(e.countersigned)),
            _ => return Err(self.refuse(ConventionAction::CorrectSignature)),
        };
        if let Some(on) = correction.on {
            calendar.admits("/signed_on", on)?;
        }
        let known = calendar.findings(&signed, counter.as_ref());
        let (signed, counter) = match (correction.of, counter) {
            (SignedBy::Payer, counter) => (correction.applied(signed), counter),
            (SignedBy::Issuer, Some(counter)) => (signed, Some(correction.applied(counter))),
            (SignedBy::Issuer, None) => {
                let detail = "La région académique n'a pas encore contresigné.";
                return Err(Refused::state(&CONVENTION_STATE, detail, self.state(), self.allowed()));
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
    ///
    /// # Errors
    /// Neither `issued` nor `signed`; a day out of bounds.
    pub fn decline(mut self, on: NaiveDate, reason: Note, calendar: Calendar) -> Result<Self, Refused> {
        self.in_state_for(ConventionAction::Decline)?;
        calendar.admits("/declined_on", on)?;
        let signed = if let Stage::Signed(signed) = self.stage { Some(signed) } else { None };
        self.stage = Stage::Declined { signed, on, reason };
        Ok(self)
    }

    /// Takes the refusal back: the convention stands where it stood.
    ///
    /// # Errors
    /// Not `declined`.
    pub fn reopen(mut self) -> Result<Self, Refused> {
        self.in_state_for(ConventionAction::Reopen)?;
        self.stage = match self.stage {
            Stage::Declined { signed: Some(signed), .. } => Stage::Signed(signed),
            _ => Stage::Issued,
        };
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
