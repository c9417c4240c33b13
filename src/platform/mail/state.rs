//! Where a mail stands, and what came of one attempt.

use crate::text_enum;

text_enum!(
    /// Où en est un courriel : `queued` en attente, `sending` en train de partir, `sent` pris par le serveur, `deferred`
    /// refusé pour l'instant, `refused` refusé pour de bon ou abandonné, `uncertain` réponse du serveur perdue (jamais
    /// renvoyé de lui-même), `cancelled` plus dû quand il allait partir.
    EmailState {
        Queued => "queued",
        Sending => "sending",
        Sent => "sent",
        Deferred => "deferred",
        Refused => "refused",
        Uncertain => "uncertain",
        Cancelled => "cancelled",
    }
);

impl EmailState {
    /// Whether nothing more happens to it by itself.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Sent | Self::Refused | Self::Uncertain | Self::Cancelled)
    }
}

text_enum!(
    /// Ce qu'a donné un essai : pris, refusé pour de bon, refusé pour l'instant, réponse perdue, serveur pas atteint.
    AttemptOutcome {
        Accepted => "accepted",
        Refused => "refused",
        Deferred => "deferred",
        Uncertain => "uncertain",
        Unreachable => "unreachable",
    }
);

text_enum!(
    /// Jusqu'où l'échange avec le serveur est allé.
    Stage {
        Connect => "connect",
        Tls => "tls",
        Login => "login",
        Sender => "sender",
        Recipient => "recipient",
        Data => "data",
        /// The message was handed over whole; only the answer was awaited.
        End => "end",
    }
);
