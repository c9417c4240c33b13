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

use serde::{Deserialize, Serialize};

use super::codes::{SAME_PERSON, TITLE_STATE};
use crate::claims::{Debtor, Ground};
use crate::conventions::ParticipationLine;
use crate::kernel::ids::{
    BatchId, CampaignId, CollectiviteId, ConventionId, ParticipationId, ReturnId, TitleId, UserId,
};
use crate::kernel::text::{Line, Note};
use crate::kernel::{Departement, Finding, Instant, Money, Refused, Uai};
use crate::text_enum;

text_enum!(
    /// Où en est un titre.
    TitleState {
        Prepared => "prepared",
        /// Rendu par l'ordonnateur à qui l'a préparé.
        Returned => "returned",
        Approved => "approved",
        Transmitted => "transmitted",
        Withdrawn => "withdrawn",
    }
);

text_enum!(
    /// Ce que fait un titre : la première demande.
    TitleKind { Initial => "initial" }
);

impl TitleKind {
    /// What a title of this kind and state adds to the debt already called.
    #[must_use]
    pub fn net(self, state: TitleState, amount: Money) -> Money {
        match (self, state) {
            (Self::Initial, TitleState::Withdrawn) => Money::ZERO,
            (
                Self::Initial,
                TitleState::Prepared | TitleState::Returned | TitleState::Approved | TitleState::Transmitted,
            ) => amount,
        }
    }
}

text_enum!(
    /// Ce qu'une personne peut faire d'un titre.
    TitleAction { Approve => "approve", Return => "return", Resubmit => "resubmit", Withdraw => "withdraw" }
);

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

impl From<&ParticipationLine> for TitleLine {
    fn from(l: &ParticipationLine) -> Self {
        Self {
            uai: l.school.uai.clone(),
            label: l.school.label.clone(),
            commune_name: l.school.commune_name.clone(),
            departement: l.school.departement.clone(),
            quantity: l.amount.quantity,
            unit_amount: l.amount.unit_amount,
            amount: l.amount.amount,
            waiver: l.waiver.clone(),
        }
    }
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

/// What a person does to a title, with all that the act brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TitleAct {
    /// Another person than the preparer takes it upon them.
    Approve { by: UserId, reference: Reference },
    /// Back to who prepared it.
    Return { id: ReturnId, said: Word },
    /// Handed in again, as it is.
    Resubmit(Word),
    /// Before sealing; an approved title keeps its reference, so that the series shows no gap.
    Withdraw { by: UserId, reason: Note },
}

impl TitleAct {
    const fn action(&self) -> TitleAction {
        match self {
            Self::Approve { .. } => TitleAction::Approve,
            Self::Return { .. } => TitleAction::Return,
            Self::Resubmit(_) => TitleAction::Resubmit,
            Self::Withdraw { .. } => TitleAction::Withdraw,
        }
    }

    const fn by(&self) -> UserId {
        match self {
            Self::Approve { by, .. } | Self::Withdraw { by, .. } => *by,
            Self::Return { said, .. } => said.by,
            Self::Resubmit(word) => word.by,
        }
    }
}

/// What an act leaves to be written beside the title itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TitleEffect {
    Nothing,
    Numbered(Reference),
    Returned(Return),
    Resubmitted { of: ReturnId, word: Word },
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

    /// What the state lets a person do.
    #[must_use]
    pub fn allowed(&self) -> Vec<TitleAction> {
        TitleAction::ALL.iter().copied().filter(|action| self.in_state_for(*action).is_ok()).collect()
    }

    /// The one table of the lifecycle: why the state does not bear an action.
    fn in_state_for(&self, action: TitleAction) -> Result<(), &'static str> {
        use TitleAction::{Approve, Resubmit, Return, Withdraw};
        use TitleState::{Approved, Prepared, Returned, Transmitted, Withdrawn};
        match (self.state(), action) {
            (Prepared, Approve | Return | Withdraw)
            | (Returned, Approve | Resubmit | Withdraw)
            | (Approved, Withdraw) => Ok(()),
            (Prepared | Approved | Transmitted | Withdrawn, Resubmit) => Err("Le titre n'est pas rendu."),
            (Returned, Return) => Err("Le titre est déjà rendu à qui l'a préparé."),
            (Approved | Transmitted | Withdrawn, Return) => {
                Err("Seul un titre préparé peut être rendu : le retirer s'il est approuvé.")
            }
            (Approved | Transmitted | Withdrawn, Approve) => Err("Le titre n'attend pas d'approbation."),
            (Transmitted, Withdraw) => {
                Err("Le titre est dans un bordereau scellé : seule une correction liée est possible.")
            }
            (Withdrawn, Withdraw) => Err("Le titre est déjà retiré."),
        }
    }

    /// Whether this person may do this now; what the act brings is looked at by [`Self::apply`].
    ///
    /// # Errors
    /// `title_state`, `same_person`.
    pub fn admits(&self, action: TitleAction, who: UserId) -> Result<(), Refused> {
        self.in_state_for(action)
            .map_err(|detail| Refused::state(&TITLE_STATE, detail, self.state(), self.allowed()))?;
        if action == TitleAction::Approve { self.made_by_another(who) } else { Ok(()) }
    }

    /// Who approves neither prepared the title nor handed it in again.
    fn made_by_another(&self, approver: UserId) -> Result<(), Refused> {
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

    /// Does it: the title as it becomes, and what is to be written beside it.
    ///
    /// # Errors
    /// Those of [`Self::admits`].
    pub fn apply(mut self, act: TitleAct) -> Result<(Self, TitleEffect), Refused> {
        self.admits(act.action(), act.by())?;
        let effect = match act {
            TitleAct::Approve { reference, .. } => {
                self.stage = Stage::Approved(reference.clone());
                TitleEffect::Numbered(reference)
            }
            TitleAct::Return { id, said } => {
                let returned = Return { id, said, resubmitted: None };
                self.returned = Some(returned.clone());
                TitleEffect::Returned(returned)
            }
            TitleAct::Resubmit(word) => match &mut self.returned {
                Some(returned) => {
                    returned.resubmitted = Some(word.clone());
                    TitleEffect::Resubmitted { of: returned.id, word }
                }
                // A title in state `returned` holds its return.
                None => TitleEffect::Nothing,
            },
            TitleAct::Withdraw { reason, .. } => {
                let reference = self.reference().cloned();
                self.stage = Stage::Withdrawn { reference, reason };
                TitleEffect::Nothing
            }
        };
        Ok((self, effect))
    }

    /// The key it is known by: its reference once it has one.
    #[must_use]
    pub fn key(&self) -> String {
        self.reference().map_or_else(|| self.id.to_string(), |reference| reference.text.clone())
    }

    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        match &self.stage {
            Stage::Prepared => None,
            Stage::Approved(reference) | Stage::Transmitted(reference, ..) => Some(reference),
            Stage::Withdrawn { reference, .. } => reference.as_ref(),
        }
    }
}

#[cfg(test)]
#[path = "title_tests.rs"]
mod tests;
