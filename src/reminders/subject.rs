//! What the plan of one convention is made from: where it stands, and what left already. Pure.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::policy::{Anchor, StepKey};
use crate::kernel::Departement;
use crate::kernel::text::Note;
use crate::text_enum;

text_enum!(
    /// Où en est la réponse attendue de la collectivité.
    AnswerState {
        Awaiting => "awaiting",
        /// All that was asked for came, by whatever way, and was recorded.
        Answered => "answered",
        Declined => "declined",
        Cancelled => "cancelled",
        CampaignClosed => "campaign_closed",
    }
);

text_enum!(
    /// Adresse à laquelle écrire.
    AddressState { Known => "known", Missing => "missing", Flagged => "flagged" }
);

/// « Suspendre jusqu'au … », that day included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    pub until: NaiveDate,
    pub reason: Note,
}

/// A convention as reminders see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub standing: AnswerState,
    pub issued_on: NaiveDate,
    pub wished_on: Option<NaiveDate>,
    /// The council that is to deliberate, as the collectivité told.
    pub council_on: Option<NaiveDate>,
    /// Since when its deliberation is executory, when one was handed in.
    pub executory_on: Option<NaiveDate>,
    /// The last day the collectivité was heard from (a council date, a deliberation, a call): what was sent until then
    /// is answered, and nothing leaves right after.
    pub heard_on: Option<NaiveDate>,
    pub suspended: Option<Suspension>,
    pub excluded: Option<Note>,
    /// The payer's: its holidays count.
    pub departement: Departement,
    pub address: AddressState,
}

impl Subject {
    /// The date a step counts from, while what it asks for is still missing: with an executory deliberation, only the
    /// signature is.
    #[must_use]
    pub fn date(&self, anchor: Anchor) -> Option<NaiveDate> {
        match (anchor, self.executory_on) {
            (Anchor::ExecutoryOn, executory) => executory,
            (_, Some(_)) => None,
            (Anchor::IssuedOn, None) => Some(self.issued_on),
            (Anchor::WishedOn, None) => self.wished_on,
            (Anchor::CouncilOn, None) => self.council_on,
        }
    }

    /// The last day of which what was sent is answered, be it in part.
    #[must_use]
    pub fn answered_until(&self) -> Option<NaiveDate> {
        self.heard_on.max(self.council_on).max(self.executory_on)
    }
}

text_enum!(
    /// Ce qu'il est advenu d'un courriel, pour la suite des rappels.
    Delivery {
        Queued => "queued",
        Sent => "sent",
        /// The server's answer was lost: it may have left, and is never sent again by itself.
        Uncertain => "uncertain",
        /// For good.
        Refused => "refused",
    }
);

/// A mail to the payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The day it was planned for or left.
    pub on: NaiveDate,
    /// The step of this subject it is; none for the invitation, a receipt, a mail about another convention of the payer.
    pub step: Option<StepKey>,
    pub delivery: Delivery,
}

/// What was written to the payer, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// By the program.
    pub mails: Vec<Mail>,
    /// Days on which an agent wrote.
    pub agent_wrote_on: BTreeSet<NaiveDate>,
    /// When the task « courrier postal » of this subject was opened, if it ever was.
    pub letter_on: Option<NaiveDate>,
    /// The last day that the tick ran for: an earlier one is a clock that has gone back.
    pub ran_until: Option<NaiveDate>,
}

impl History {
    /// The reminders of this subject that reached somebody, or may have.
    pub fn reached(&self) -> impl Iterator<Item = NaiveDate> {
        self.mails.iter().filter(|mail| mail.step.is_some() && mail.delivery != Delivery::Refused).map(|mail| mail.on)
    }

    /// Whether a step was tried, whatever came of it.
    #[must_use]
    pub fn has(&self, step: &StepKey) -> bool {
        self.mails.iter().any(|mail| mail.step.as_ref() == Some(step))
    }
}
