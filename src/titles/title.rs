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
use crate::campaigns::Step;
use crate::kernel::ids::{BatchId, CampaignId, CollectiviteId, ConventionId, ParticipationId, TitleId, UserId};
use crate::kernel::text::{Line, Note};
use crate::kernel::{Departement, Finding, Instant, Money, Refused, SchoolYear, Siret, Uai};
use crate::registry::kinds::CollectiviteKind;
use crate::registry::{Address, Chorus};
use crate::text_enum;

text_enum!(
    /// Où en est un titre.
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
    /// Ce que fait un titre : la première demande, ou une correction liée à un autre titre.
    TitleKind {
        Initial => "initial",
        Complement => "complement",
        Reduction => "reduction",
        Cancellation => "cancellation",
    }
);

impl TitleKind {
    /// What a title of this kind and state adds to (or takes from) the debt already called.
    #[must_use]
    pub fn net(self, state: TitleState, amount: Money) -> Money {
        match (state, self) {
            (TitleState::Withdrawn | TitleState::Rejected, _) => Money::ZERO,
            (_, Self::Initial | Self::Complement) => amount,
            (_, Self::Reduction | Self::Cancellation) => Money::from_cents(-amount.cents()),
        }
    }
}

text_enum!(
    /// Ce qu'une personne peut faire d'un titre.
    TitleAction { Approve => "approve", Withdraw => "withdraw" }
);

text_enum!(
    /// Si le document existe.
    TitleDocument { None => "none", Pending => "pending", Ready => "ready", Failed => "failed" }
);

/// Qui doit, tel que connu à la liquidation : le successeur vivant du signataire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Debtor {
    pub siret: Siret,
    pub kind: CollectiviteKind,
    /// Tel qu'imprimé : « COMMUNE DE … ».
    pub name: String,
    pub departement: Option<Departement>,
    pub address: Address,
    /// Nom de la commune, imprimé après le code postal quand l'adresse ne donne pas de ville.
    #[serde(default)]
    pub town: Option<String>,
    pub chorus: Chorus,
    /// « substituée de plein droit à … (arrêté du …) », quand un successeur doit.
    pub substitution: Option<String>,
}

/// Ce qui fonde la dette, tel qu'imprimé.
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
    /// The computation, step by step, each with the article it rests on.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// Une école d'un titre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TitleLine {
    pub uai: Uai,
    pub label: String,
    pub commune_name: Line,
    pub departement: Departement,
    /// Unités comptées : 1 par école, ou ses élèves, ou ses classes.
    pub quantity: i64,
    /// Prix d'une unité ; nul quand le montant n'est pas un produit (une part, une dispense).
    pub unit_amount: Option<Money>,
    pub amount: Money,
    /// Pourquoi rien n'est dû pour cette école, le cas échéant.
    pub waiver: Option<String>,
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

/// Un titre de perception.
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
