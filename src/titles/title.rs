//! The perception title as this program knows it: our liquidation and demand, not the executory paper, which Chorus
//! edits and numbers. Pure.
//!
//! ```text
//!   prepared ──approve──▶ approved ──(sealed in a batch)──▶ transmitted ──(Chorus number)──▶ …
//!       │   another person,   │
//!       │   gap-free number   │
//!       └──── withdraw ───────┘   keeps its reference; nothing is ever edited
//! ```

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::codes::{SAME_PERSON, TITLE_STATE};
use crate::kernel::ids::{BatchId, CampaignId, CollectiviteId, ConventionId, ParticipationId, TitleId, UserId};
use crate::kernel::text::{Line, Note};
use crate::kernel::{Departement, Finding, Instant, Money, Refused, SchoolYear, Siret, Uai};
use crate::registry::kinds::CollectiviteKind;
use crate::registry::{Address, Chorus};
use crate::text_enum;

text_enum!(
    /// Where a title stands.
    TitleState {
        Prepared => "prepared",
        Approved => "approved",
        Transmitted => "transmitted",
        Registered => "registered",
        Paid => "paid",
        Withdrawn => "withdrawn",
        Rejected => "rejected",
    }
);

text_enum!(
    /// What a title does: the first claim, or a correction linked to another title.
    TitleKind {
        Initial => "initial",
        Complement => "complement",
        Reduction => "reduction",
        Cancellation => "cancellation",
    }
);

text_enum!(
    /// What a person may do to a title.
    TitleAction { Approve => "approve", Withdraw => "withdraw" }
);

text_enum!(
    /// Whether its document exists.
    TitleDocument { None => "none", Pending => "pending", Ready => "ready", Failed => "failed" }
);

/// Who owes, as known at liquidation: the live successor of the signatory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Debtor {
    pub siret: Siret,
    pub kind: CollectiviteKind,
    /// As printed: « COMMUNE DE … ».
    pub name: String,
    pub departement: Option<Departement>,
    pub address: Address,
    /// Name of the commune, printed after the postal code when the address gives no town.
    #[serde(default)]
    pub town: Option<String>,
    pub chorus: Chorus,
    /// « substituée de plein droit à … (arrêté du …) », when a successor owes.
    pub substitution: Option<String>,
}

/// What makes the debt due, as it is printed and could be shown to a court.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ground {
    pub school_year: SchoolYear,
    #[schema(example = "ENT-C-2025-2026-00001")]
    pub convention_number: String,
    pub payer_signed_on: NaiveDate,
    pub issuer_signed_on: NaiveDate,
    pub took_effect_on: NaiveDate,
    /// Bases de liquidation in one sentence (décret 2012-1246, art. 24).
    pub legal_basis: String,
}

/// One school of a title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TitleLine {
    pub uai: Uai,
    pub label: String,
    pub commune_name: Line,
    pub departement: Departement,
    pub quantity: i64,
    pub unit_amount: Money,
    pub amount: Money,
}

/// The state, with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    Prepared,
    Approved(Reference),
    Transmitted(Reference, BatchId, String),
    Withdrawn { reference: Option<Reference>, reason: Note },
}

/// The gap-free reference of an approved title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `ENT-T-2026-000123`.
    pub text: String,
    /// Budget year.
    pub exercice: i64,
}

impl Reference {
    /// The reference of a rank in a budget year.
    #[must_use]
    pub fn new(exercice: i64, rank: i64) -> Self {
        Self { text: format!("ENT-T-{exercice}-{rank:06}"), exercice }
    }
}

/// A perception title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    pub id: TitleId,
    pub campaign_id: CampaignId,
    pub convention_id: ConventionId,
    pub convention_rank: i64,
    pub participation_id: ParticipationId,
    pub debtor_id: CollectiviteId,
    pub debtor: Debtor,
    pub kind: TitleKind,
    pub corrects_id: Option<TitleId>,
    pub stage: Stage,
    pub amount: Money,
    pub ground: Ground,
    pub small_claim: bool,
    /// Small claim under policy `flag`: approval in bulk skips it.
    pub flagged: bool,
    pub threshold: Money,
    pub findings: Vec<Finding>,
    pub prepared_by: UserId,
    pub prepared_by_label: String,
    pub prepared_at: Instant,
    pub document: TitleDocument,
    pub document_sha256: Option<String>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl Title {
    #[must_use]
    pub fn state(&self) -> TitleState {
        match self.stage {
            Stage::Prepared => TitleState::Prepared,
            Stage::Approved(_) => TitleState::Approved,
            Stage::Transmitted(..) => TitleState::Transmitted,
            Stage::Withdrawn { .. } => TitleState::Withdrawn,
        }
    }

    /// What a person may do now.
    #[must_use]
    pub fn allowed(&self) -> &'static [TitleAction] {
        match self.stage {
            Stage::Prepared => &[TitleAction::Approve, TitleAction::Withdraw],
            Stage::Approved(_) => &[TitleAction::Withdraw],
            Stage::Transmitted(..) | Stage::Withdrawn { .. } => &[],
        }
    }

    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        match &self.stage {
            Stage::Prepared => None,
            Stage::Approved(reference) | Stage::Transmitted(reference, ..) => Some(reference),
            Stage::Withdrawn { reference, .. } => reference.as_ref(),
        }
    }

    /// What this title adds to (or takes from) the debt already called.
    #[must_use]
    pub fn net(&self) -> Money {
        match (&self.stage, self.kind) {
            (Stage::Withdrawn { .. }, _) => Money::ZERO,
            (_, TitleKind::Initial | TitleKind::Complement) => self.amount,
            (_, TitleKind::Reduction | TitleKind::Cancellation) => Money::from_cents(-self.amount.cents()),
        }
    }

    fn refuse(&self, detail: impl Into<String>) -> Refused {
        Refused::state(&TITLE_STATE, detail, self.state(), self.allowed())
    }

    /// Whether the title may be withdrawn.
    ///
    /// # Errors
    /// Sealed, or withdrawn already.
    pub fn may_be_withdrawn(&self) -> Result<(), Refused> {
        match self.stage {
            Stage::Prepared | Stage::Approved(_) => Ok(()),
            Stage::Transmitted(..) => {
                Err(self.refuse("Le titre est dans un bordereau scellé : seule une correction liée est possible."))
            }
            Stage::Withdrawn { .. } => Err(self.refuse("Le titre est déjà retiré.")),
        }
    }

    /// Whether this person may approve now; the number is given after.
    ///
    /// # Errors
    /// `same_person`, or not `prepared`.
    pub fn may_be_approved_by(&self, approver: UserId) -> Result<(), Refused> {
        if self.stage != Stage::Prepared {
            return Err(self.refuse("Le titre n'attend pas d'approbation."));
        }
        if approver == self.prepared_by {
            let detail = format!("Le titre a été préparé par la même personne ({}).", self.prepared_by_label);
            return Err(Refused::new(&SAME_PERSON, detail));
        }
        Ok(())
    }

    /// Withdraws, before sealing; an approved title keeps its reference, so that the series shows no gap.
    ///
    /// # Errors
    /// Sealed, or withdrawn already.
    pub fn withdraw(mut self, reason: Note) -> Result<Self, Refused> {
        self.may_be_withdrawn()?;
        let reference = self.reference().cloned();
        self.stage = Stage::Withdrawn { reference, reason };
        Ok(self)
    }
}
