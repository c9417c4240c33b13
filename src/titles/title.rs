//! The perception title as this program knows it: our liquidation and demand, not the executory paper, which Chorus
//! edits and numbers. Pure.
//!
//! ```text
//!   prepared ──approve──▶ approved ──(sealed in a batch)──▶ transmitted ──(Chorus number)──▶ …
//!     │  ▲ another person,    │
//!  return│ gap-free number    │
//!     ▼  │resubmit            │
//!   returned ── withdraw ─────┘   keeps its reference; nothing is ever edited
//! ```
//! A returned title is back with who prepares: handed in again with a word, or prepared anew by its key. No act in number
//! passes over the return, nor over what a person withdrew before.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::codes::{SAME_PERSON, TITLE_STATE};
use crate::campaigns::Step;
use crate::kernel::ids::{
    BatchId, CampaignId, CollectiviteId, ConventionId, ParticipationId, ReturnId, TitleId, UserId,
};
use crate::kernel::text::{Line, Note};
use crate::kernel::{Departement, Finding, Instant, Money, Refused, SchoolYear, Siret, Uai};
use crate::registry::kinds::CollectiviteKind;
use crate::registry::{Address, Chorus};
use crate::text_enum;

text_enum!(
    /// Où en est un titre.
    TitleState {
        Prepared => "prepared",
        /// Rendu par l'ordonnateur à qui l'a préparé.
        Returned => "returned",
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
    TitleAction { Approve => "approve", Return => "return", Resubmit => "resubmit", Withdraw => "withdraw" }
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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

/// Finding of a claim whose title was withdrawn once, and outcome of the approval by filter that leaves it.
pub const WITHDRAWN_BEFORE: &str = "withdrawn_before";
/// The same of a claim whose title was returned once.
pub const RETURNED_BEFORE: &str = "returned_before";

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

/// Who did something to a title, when, and with what word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub by: UserId,
    pub by_label: String,
    pub at: Instant,
    pub reason: Note,
}

/// The return of a prepared title by the ordonnateur, and how it was handed in again, if it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    pub id: ReturnId,
    pub said: Word,
    pub resubmitted: Option<Word>,
}

impl Return {
    /// What is said of it where an act in number leaves the title.
    #[must_use]
    pub fn finding(&self, code: &str) -> Finding {
        let message =
            format!("Titre rendu le {} par {} : {}", self.said.at.day(), self.said.by_label, self.said.reason);
        Finding::to_acknowledge(code, message)
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
    /// The last return, if there was one.
    pub returned: Option<Return>,
    pub document: TitleDocument,
    pub document_sha256: Option<String>,
    pub version: i64,
    pub updated_at: Instant,
}

impl Title {
    #[must_use]
    pub fn state(&self) -> TitleState {
        match self.stage {
            Stage::Prepared if self.is_returned() => TitleState::Returned,
            Stage::Prepared => TitleState::Prepared,
            Stage::Approved(_) => TitleState::Approved,
            Stage::Transmitted(..) => TitleState::Transmitted,
            Stage::Withdrawn { .. } => TitleState::Withdrawn,
        }
    }

    /// Whether the title is back with who prepares.
    #[must_use]
    pub fn is_returned(&self) -> bool {
        self.stage == Stage::Prepared && self.returned.as_ref().is_some_and(|r| r.resubmitted.is_none())
    }

    /// Why an approval by filter leaves a prepared title, if it does: the outcome, and what it rests on.
    ///
    /// An ordonnateur said no to this claim once: only a title named by its key is approved after that.
    #[must_use]
    pub fn left_by_filter(&self) -> Option<(&'static str, Option<Finding>)> {
        let found = |code: &str| self.findings.iter().find(|f| f.code == code).cloned();
        match (&self.stage, &self.returned) {
            (Stage::Prepared, Some(r)) if r.resubmitted.is_none() => {
                Some(("returned", Some(r.finding("title_returned"))))
            }
            (Stage::Prepared, Some(r)) => Some((RETURNED_BEFORE, Some(r.finding(RETURNED_BEFORE)))),
            (Stage::Prepared, None) => [RETURNED_BEFORE, WITHDRAWN_BEFORE]
                .into_iter()
                .find_map(|code| Some((code, Some(found(code)?))))
                .or_else(|| self.flagged.then_some(("skipped_flagged", None))),
            _ => None,
        }
    }

    /// What a person may do now.
    #[must_use]
    pub fn allowed(&self) -> &'static [TitleAction] {
        match self.stage {
            Stage::Prepared if self.is_returned() => {
                &[TitleAction::Approve, TitleAction::Resubmit, TitleAction::Withdraw]
            }
            Stage::Prepared => &[TitleAction::Approve, TitleAction::Return, TitleAction::Withdraw],
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
        let again = self.returned.as_ref().and_then(|r| r.resubmitted.as_ref());
        if let Some(word) = again.filter(|word| word.by == approver) {
            let detail = format!("Le titre a été présenté de nouveau par la même personne ({}).", word.by_label);
            return Err(Refused::new(&SAME_PERSON, detail));
        }
        Ok(())
    }

    /// Whether the title may be given back to who prepared it.
    ///
    /// # Errors
    /// Not `prepared`.
    pub fn may_be_returned(&self) -> Result<(), Refused> {
        match self.state() {
            TitleState::Prepared => Ok(()),
            TitleState::Returned => Err(self.refuse("Le titre est déjà rendu à qui l'a préparé.")),
            _ => Err(self.refuse("Seul un titre préparé peut être rendu : le retirer s'il est approuvé.")),
        }
    }

    /// Whether the title may be handed in again.
    ///
    /// # Errors
    /// Not `returned`.
    pub fn may_be_resubmitted(&self) -> Result<(), Refused> {
        if self.is_returned() {
            return Ok(());
        }
        Err(self.refuse("Le titre n'est pas rendu."))
    }

    /// Gives the title back.
    ///
    /// # Errors
    /// Not `prepared`.
    pub fn give_back(mut self, id: ReturnId, said: Word) -> Result<Self, Refused> {
        self.may_be_returned()?;
        self.returned = Some(Return { id, said, resubmitted: None });
        Ok(self)
    }

    /// Hands the title in again, as it is.
    ///
    /// # Errors
    /// Not `returned`.
    pub fn resubmit(mut self, word: Word) -> Result<Self, Refused> {
        self.may_be_resubmitted()?;
        if let Some(returned) = &mut self.returned {
            returned.resubmitted = Some(word);
        }
        Ok(self)
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
