//! What is asked of a convention: one request whose fields depend on the action, made complete before anything is done.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::convention::{Acknowledged, ConventionAction, Correction, Signature, SignedBy};
use crate::kernel::text::{Line, Note};
use crate::kernel::{FieldFault, Refused};

/// Qui a signé.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignatoryRequest)]
pub struct WhoSigned {
    /// Nom tel qu'il figure sous la signature.
    pub name: Line,
    /// Qualité : « Maire », « Rectrice ».
    pub title: Line,
}

/// Une action sur une convention.
///
/// `sign` : la collectivité a signé (`signed_on`, `signatory`, `evidence`, `acknowledged`). `countersign` : la région
/// académique a signé (`signed_on`, `signatory`, `acknowledged`). `correct_signature` : une signature a été mal
/// enregistrée (`signed_by`, ce qui change, `acknowledged`, `reason`), tant qu'aucun titre ne l'énonce. `decline` : la
/// collectivité a refusé (`declined_on`, `declined_by`, `reason`, `acknowledged`) ; `reopen` y revient (`reason`). `cancel` : annulée
/// avant tout titre (`reason`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConventionTransitionRequest)]
pub struct ConventionTransition {
    pub action: ConventionAction,
    /// Jour écrit sous la signature ; pour `sign`, `countersign` et `correct_signature`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::kernel::dates::some_day")]
    pub signed_on: Option<NaiveDate>,
    /// Qui a signé ; pour `sign`, `countersign` et `correct_signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatory: Option<WhoSigned>,
    /// Ce qui montre la signature de la collectivité : « original reçu par courrier le … » ; pour `sign` et `correct_signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Note>,
    /// Constats levés, chacun avec son motif ; pour `sign`, `countersign`, `correct_signature` et `decline`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledged: Vec<Acknowledged>,
    /// De qui est la signature à corriger ; pour `correct_signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<SignedBy>,
    /// Jour où la collectivité a refusé ; pour `decline`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::kernel::dates::some_day")]
    pub declined_on: Option<NaiveDate>,
    /// Qui l'a dit pour elle ; pour `decline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined_by: Option<Line>,
    /// Motif ; pour `correct_signature`, `decline`, `reopen` et `cancel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

/// A complete transition: the fields its action needs, all of them, and no other.
#[derive(Clone)]
pub(super) enum Transition {
    Sign(Signature, Vec<Acknowledged>),
    Countersign(Signature, Vec<Acknowledged>),
    /// Its reason is kept by the journal.
    Correct(Correction, Vec<Acknowledged>, Note),
    Decline {
        on: NaiveDate,
        by: Line,
        reason: Note,
        acknowledged: Vec<Acknowledged>,
    },
    Reopen(Note),
    Cancel(Note),
}

/// The fields an action may bring.
const fn fields(action: ConventionAction) -> &'static [&'static str] {
    match action {
        ConventionAction::Sign => &["/signed_on", "/signatory", "/evidence", "/acknowledged"],
        ConventionAction::Countersign => &["/signed_on", "/signatory", "/acknowledged"],
        ConventionAction::CorrectSignature => {
            &["/signed_by", "/signed_on", "/signatory", "/evidence", "/acknowledged", "/reason"]
        }
        ConventionAction::Decline => &["/declined_on", "/declined_by", "/reason", "/acknowledged"],
        ConventionAction::Reopen | ConventionAction::Cancel => &["/reason"],
    }
}

impl ConventionTransition {
    /// An action that brings nothing yet.
    #[must_use]
    pub fn of(action: ConventionAction) -> Self {
        Self {
            action,
            signed_on: None,
            signatory: None,
            evidence: None,
            acknowledged: Vec::new(),
            signed_by: None,
            declined_on: None,
            declined_by: None,
            reason: None,
        }
    }

    pub(super) fn complete(self) -> Result<Transition, Refused> {
        let action = self.action;
        let given = [
            ("/signed_on", self.signed_on.is_some()),
            ("/signatory", self.signatory.is_some()),
            ("/evidence", self.evidence.is_some()),
            ("/acknowledged", !self.acknowledged.is_empty()),
            ("/signed_by", self.signed_by.is_some()),
            ("/declined_on", self.declined_on.is_some()),
            ("/declined_by", self.declined_by.is_some()),
            ("/reason", self.reason.is_some()),
        ];
        let odd = given.iter().find(|(pointer, given)| *given && !fields(action).contains(pointer));
        if let Some((pointer, _)) = odd {
            return Err(Refused::not_for(action, pointer));
        }
        Ok(match action {
            ConventionAction::Sign => {
                let (acknowledged, signature) = self.signature()?;
                Transition::Sign(signature, acknowledged)
            }
            ConventionAction::Countersign => {
                let (acknowledged, signature) = self.signature()?;
                Transition::Countersign(signature, acknowledged)
            }
            ConventionAction::CorrectSignature => self.correction()?,
            ConventionAction::Decline => Transition::Decline {
                on: needed("/declined_on", self.declined_on, action)?,
                by: needed("/declined_by", self.declined_by, action)?,
                reason: needed("/reason", self.reason, action)?,
                acknowledged: self.acknowledged,
            },
            ConventionAction::Reopen => Transition::Reopen(needed("/reason", self.reason, action)?),
            ConventionAction::Cancel => Transition::Cancel(needed("/reason", self.reason, action)?),
        })
    }

    fn signature(self) -> Result<(Vec<Acknowledged>, Signature), Refused> {
        let on = needed("/signed_on", self.signed_on, self.action)?;
        let who = needed("/signatory", self.signatory, self.action)?;
        Ok((self.acknowledged, Signature { on, name: who.name, title: who.title, evidence: self.evidence }))
    }

    fn correction(self) -> Result<Transition, Refused> {
        let action = self.action;
        let of = needed("/signed_by", self.signed_by, action)?;
        if of == SignedBy::Issuer && self.evidence.is_some() {
            let message = "Un contreseing n'a pas de preuve à enregistrer : seule la signature de la collectivité.";
            return Err(Refused::field("/evidence", &FieldFault::new("field_not_for_action", message), None));
        }
        if self.signed_on.is_none() && self.signatory.is_none() && self.evidence.is_none() {
            needed::<NaiveDate>("/signed_on", None, action)?;
        }
        let signatory = self.signatory.map(|who| (who.name, who.title));
        let correction = Correction { of, on: self.signed_on, signatory, evidence: self.evidence };
        let reason = needed("/reason", self.reason, action)?;
        Ok(Transition::Correct(correction, self.acknowledged, reason))
    }
}

fn needed<T>(pointer: &str, value: Option<T>, action: ConventionAction) -> Result<T, Refused> {
    value.ok_or_else(|| Refused::missing_for(action, [pointer]))
}
