//! Leaving a small claim untitled: a named, dated, reversible decision with its document. Pure.
//!
//! ```text
//!   (small claim) ──policy or person──▶ in force ──revoke, reason──▶ revoked: the claim is titled after all
//! ```
//! « Faculté ouverte par l'art. 114 du décret 2012-1246 » (GBCP): the claim is not extinguished, no title is issued for
//! it. Decisions taken together make one act, `ENT-D-2025-0001`, gap-free per exercice, with one paper. They can be
//! revoked until the campaign is closed. What the policy decided follows the policy; what a person decided stays.

use serde::{Deserialize, Serialize};

use super::codes::DECISION_STATE;
use crate::kernel::ids::{ConventionId, DecisionId, ParticipationId, SmallClaimActId, UserId};
use crate::kernel::text::Note;
use crate::kernel::{Instant, Money, Refused};
use crate::text_enum;

text_enum!(
    /// Qui prend une décision, ou y met fin.
    Origin {
        /// Elle suit la politique de la campagne.
        Policy => "policy",
        /// Une personne l'a prise pour cette créance.
        Person => "person",
    }
);

text_enum!(
    /// Où en est une décision.
    DecisionState { InForce => "in_force", Revoked => "revoked" }
);

text_enum!(
    /// Ce qui peut être fait d'une décision.
    DecisionAction { Revoke => "revoke" }
);

/// How a decision ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    pub by: UserId,
    pub by_label: String,
    pub at: Instant,
    pub reason: String,
    pub origin: Origin,
}

/// What is done to a decision, with all that the act brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionAct {
    Revoke(Revocation),
}

impl DecisionAct {
    const fn action(&self) -> DecisionAction {
        match self {
            Self::Revoke(_) => DecisionAction::Revoke,
        }
    }
}

/// The decision not to issue one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub id: DecisionId,
    /// The act it belongs to; none for those taken before acts were kept.
    pub act: Option<SmallClaimActId>,
    pub convention_id: ConventionId,
    pub participation_id: ParticipationId,
    pub amount: Money,
    pub threshold: Money,
    pub reason: String,
    pub origin: Origin,
    pub decided_by: UserId,
    pub decided_by_label: String,
    pub decided_at: Instant,
    pub revoked: Option<Revocation>,
    pub updated_at: Instant,
}

impl Decision {
    #[must_use]
    pub fn state(&self) -> DecisionState {
        if self.revoked.is_none() { DecisionState::InForce } else { DecisionState::Revoked }
    }

    /// What may be done now.
    #[must_use]
    pub fn allowed(&self) -> Vec<DecisionAction> {
        DecisionAction::ALL.iter().copied().filter(|action| self.in_state_for(*action).is_ok()).collect()
    }

    /// The one table of the lifecycle: why the state does not bear an action.
    fn in_state_for(&self, action: DecisionAction) -> Result<(), &'static str> {
        match (self.state(), action) {
            (DecisionState::InForce, DecisionAction::Revoke) => Ok(()),
            (DecisionState::Revoked, DecisionAction::Revoke) => Err("La décision est déjà rapportée."),
        }
    }

    /// Whether an action may be done now.
    ///
    /// # Errors
    /// `decision_state`.
    pub fn admits(&self, action: DecisionAction) -> Result<(), Refused> {
        self.in_state_for(action)
            .map_err(|detail| Refused::state(&DECISION_STATE, detail, self.state(), self.allowed()))
    }

    /// Does it.
    ///
    /// # Errors
    /// Those of [`Self::admits`].
    pub fn apply(mut self, act: DecisionAct) -> Result<Self, Refused> {
        self.admits(act.action())?;
        match act {
            DecisionAct::Revoke(revocation) => {
                self.updated_at = revocation.at;
                self.revoked = Some(revocation);
            }
        }
        Ok(self)
    }
}

/// Number of an act: `ENT-D-2025-0001`.
#[must_use]
pub fn act_number(exercice: i64, rank: i64) -> String {
    format!("ENT-D-{exercice}-{rank:04}")
}

/// Décision de ne pas émettre pour des payeurs, par `filter` ou par `keys` (SIRET).
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DecideRequest)]
pub struct Decide {
    #[serde(default)]
    pub filter: Option<crate::conventions::PayerSelection>,
    #[serde(default)]
    pub keys: Option<Vec<String>>,
    /// `true` : même traitement, rien n'est écrit.
    #[serde(default)]
    pub dry_run: bool,
    /// Pourquoi ces créances restent sans titre : imprimé dans l'acte.
    pub reason: Note,
}

/// Une action sur une décision : `revoke`, avec son motif.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DecisionTransitionRequest)]
pub struct Revoke {
    pub action: DecisionAction,
    pub reason: Note,
}
