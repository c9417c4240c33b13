//! Why no reminder leaves: a closed list, each with the sentence an agent reads. Pure.

use std::fmt;

use chrono::NaiveDate;

use super::policy::{Hours, QuietPeriod};
use crate::kernel::french::{clause, date_long};
use crate::kernel::text::Note;

/// Why nothing leaves on a day, or why a mail that was to leave no longer may. The first that holds is said, from the most
/// lasting to the most passing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    Answered,
    Declined,
    Cancelled,
    CampaignClosed,
    CampaignPaused,
    /// By an agent, for that reason.
    Excluded(Note),
    /// By an agent, that day included, for that reason.
    Suspended {
        until: NaiveDate,
        reason: Note,
    },
    /// Every step was sent, was overtaken, lapsed, or counts from a date that is not known.
    NothingLeft,
    MaximumReached(u8),
    NoAddress,
    AddressFlagged,
    AgentWroteToday,
    QuietPeriod(QuietPeriod),
    /// A weekend, unless a holiday is named.
    NotABusinessDay {
        holiday: Option<&'static str>,
    },
    /// The last exchange with the payer, and the days to leave after it.
    Cooldown {
        since: NaiveDate,
        days: u8,
    },
    /// The council that the collectivité told of.
    CouncilAwaited {
        on: NaiveDate,
    },
    /// The clock has gone back behind the last day that was run.
    DayGone {
        last: NaiveDate,
    },
    /// A step is to come; its day has not.
    NotYet,
    /// Only when sending.
    OutsideHours(Hours),
    /// Only when sending: a newer step took its place, its date has passed, or it is no longer in the policy.
    StepGone,
}

impl Reason {
    /// Stable English code for the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::CampaignClosed => "campaign_closed",
            Self::CampaignPaused => "campaign_paused",
            Self::Excluded(_) => "excluded",
            Self::Suspended { .. } => "suspended",
            Self::NothingLeft => "nothing_left",
            Self::MaximumReached(_) => "maximum_reached",
            Self::NoAddress => "no_address",
            Self::AddressFlagged => "address_flagged",
            Self::AgentWroteToday => "agent_wrote_today",
            Self::QuietPeriod(_) => "quiet_period",
            Self::NotABusinessDay { .. } => "not_a_business_day",
            Self::Cooldown { .. } => "cooldown",
            Self::CouncilAwaited { .. } => "council_awaited",
            Self::DayGone { .. } => "day_gone",
            Self::NotYet => "not_yet",
            Self::OutsideHours(_) => "outside_hours",
            Self::StepGone => "step_gone",
        }
    }

    /// Whether time alone mends it: a mail held for such a reason is kept for later, for another it is given up.
    #[must_use]
    pub const fn passes(&self) -> bool {
        match self {
            Self::CampaignPaused
            | Self::Suspended { .. }
            | Self::AgentWroteToday
            | Self::QuietPeriod(_)
            | Self::NotABusinessDay { .. }
            | Self::Cooldown { .. }
            | Self::DayGone { .. }
            | Self::NotYet
            | Self::OutsideHours(_) => true,
            // The council takes the place of what was to leave before it.
            Self::Answered
            | Self::Declined
            | Self::Cancelled
            | Self::CampaignClosed
            | Self::Excluded(_)
            | Self::NothingLeft
            | Self::MaximumReached(_)
            | Self::NoAddress
            | Self::AddressFlagged
            | Self::CouncilAwaited { .. }
            | Self::StepGone => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("Réponse reçue."),
            Self::Declined => f.write_str("Convention déclinée par la collectivité."),
            Self::Cancelled => f.write_str("Convention annulée."),
            Self::CampaignClosed => f.write_str("Campagne close."),
            Self::CampaignPaused => f.write_str("Rappels de la campagne en pause."),
            Self::Excluded(reason) => write!(f, "Collectivité exclue des rappels : {}.", clause(reason.as_str())),
            Self::Suspended { until, reason } => {
                let (until, reason) = (date_long(*until), clause(reason.as_str()));
                write!(f, "Rappels suspendus jusqu'au {until} inclus : {reason}.")
            }
            Self::NothingLeft => f.write_str("Plus aucun rappel prévu."),
            Self::MaximumReached(most) => write!(f, "Nombre maximal de rappels atteint ({most})."),
            Self::NoAddress => f.write_str("Aucune adresse de courriel connue."),
            Self::AddressFlagged => f.write_str("Adresse de courriel signalée comme mauvaise : à corriger."),
            Self::AgentWroteToday => f.write_str("Un agent a écrit à la collectivité ce jour-là."),
            Self::QuietPeriod(period) => write!(f, "Période calme, {period}."),
            Self::NotABusinessDay { holiday: Some(name) } => write!(f, "Jour férié ({name})."),
            Self::NotABusinessDay { holiday: None } => f.write_str("Samedi ou dimanche."),
            Self::Cooldown { since, days } => {
                write!(f, "Dernier échange le {} : {days} jour(s) à laisser passer.", date_long(*since))
            }
            Self::CouncilAwaited { on } => write!(f, "Conseil municipal annoncé pour le {}.", date_long(*on)),
            Self::DayGone { last } => {
                write!(f, "Jour passé : les rappels ont été faits jusqu'au {}.", date_long(*last))
            }
            Self::NotYet => f.write_str("Aucun rappel à échéance ce jour-là."),
            Self::OutsideHours(hours) => {
                write!(f, "Hors des heures d'envoi (de {} h à {} h à Paris).", hours.from, hours.until)
            }
            Self::StepGone => f.write_str("Rappel remplacé par un plus récent, ou dont la date est passée."),
        }
    }
}
