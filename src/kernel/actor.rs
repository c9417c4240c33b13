//! Who acts.
//!
//! ```text
//!   Staff    an account and its role            proven by a token        Can<P>
//!   Commune  the holder of an invitation link   proven by the link       Invited
//!   Program  a job, a command of the machine    nobody to prove
//! ```
//! What is proven is the account or the link, never the name: a name is a [`Actor::label`]. One principal is one scope of
//! `Idempotency-Key`s, and one kind in the journal.

use super::ids::{CampaignId, CollectiviteId, InvitationId, UserId};
use super::text::Line;
use crate::text_enum;

text_enum!(
    /// Un rôle par compte. L'administration ne donne aucun pouvoir sur l'argent.
    Role {
        Lecteur => "lecteur",
        Gestionnaire => "gestionnaire",
        Ordonnateur => "ordonnateur",
        Comptable => "comptable",
        Admin => "admin",
    }
);

text_enum!(
    /// De quel genre est l'auteur d'un acte.
    PrincipalKind {
        Staff => "staff",
        Commune => "commune",
        Program => "program",
    }
);

/// What is proven of who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Principal {
    /// An account of the house.
    Staff { user: UserId, role: Role },
    /// Whoever holds an invitation link, which is bound to a payer and a campaign.
    Commune(Invitation),
    /// The program by itself.
    Program,
}

/// What an invitation link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Invitation {
    pub id: InvitationId,
    pub payer: CollectiviteId,
    pub campaign: CampaignId,
}

impl Principal {
    #[must_use]
    pub const fn kind(&self) -> PrincipalKind {
        match self {
            Self::Staff { .. } => PrincipalKind::Staff,
            Self::Commune(_) => PrincipalKind::Commune,
            Self::Program => PrincipalKind::Program,
        }
    }

    /// The account, when there is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Staff { user, .. } => Some(*user),
            Self::Commune(_) | Self::Program => None,
        }
    }

    #[must_use]
    pub const fn invitation(&self) -> Option<&Invitation> {
        match self {
            Self::Commune(invitation) => Some(invitation),
            Self::Staff { .. } | Self::Program => None,
        }
    }

    /// Whose `Idempotency-Key`s these are; the program repeats nothing under a key.
    #[must_use]
    pub fn scope(&self) -> Option<String> {
        match self {
            Self::Staff { user, .. } => Some(format!("{}:{user}", self.kind())),
            Self::Commune(invitation) => Some(format!("{}:{}", self.kind(), invitation.id)),
            Self::Program => None,
        }
    }

    /// Whether what a payer has in a campaign is within reach. The house's is decided by roles.
    #[must_use]
    pub fn reaches(&self, payer: CollectiviteId, campaign: CampaignId) -> bool {
        self.invitation().is_none_or(|invitation| invitation.payer == payer && invitation.campaign == campaign)
    }
}

/// The person (or the program) on whose behalf a use case runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub principal: Principal,
    /// Name for the journal: the account's, the one a commune's person gave, the program's own.
    pub label: String,
    /// The request that caused the act, for the journal and the logs.
    pub request_id: Option<String>,
}

impl Actor {
    /// A person of the house.
    #[must_use]
    pub const fn staff(user: UserId, role: Role, label: String, request_id: Option<String>) -> Self {
        Self { principal: Principal::Staff { user, role }, label, request_id }
    }

    /// A commune's person, called as they say they are.
    #[must_use]
    pub fn commune(invitation: Invitation, name: Option<&Line>, request_id: Option<String>) -> Self {
        let label = name.map_or_else(|| "porteur du lien d'invitation".to_owned(), ToString::to_string);
        Self { principal: Principal::Commune(invitation), label, request_id }
    }

    /// The program acting by itself: a job, a command of the administrator.
    #[must_use]
    pub fn program(label: &str) -> Self {
        Self { principal: Principal::Program, label: label.to_owned(), request_id: None }
    }

    /// The account, when there is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        self.principal.user()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn invitation(link: u128, payer: u128, campaign: u128) -> Principal {
        let id = Uuid::from_u128;
        Principal::Commune(Invitation {
            id: InvitationId::new(id(link)),
            payer: CollectiviteId::new(id(payer)),
            campaign: CampaignId::new(id(campaign)),
        })
    }

    #[test]
    fn a_scope_names_one_principal() {
        let staff = |n, role| Principal::Staff { user: UserId::new(Uuid::from_u128(n)), role };
        assert_eq!(staff(1, Role::Lecteur).scope(), staff(1, Role::Gestionnaire).scope());
        let scopes = [staff(1, Role::Lecteur), staff(2, Role::Lecteur), invitation(1, 5, 6), invitation(2, 5, 6)];
        let distinct: std::collections::HashSet<_> = scopes.iter().map(Principal::scope).collect();
        assert_eq!(distinct.len(), scopes.len());
        assert_eq!(Principal::Program.scope(), None);
    }

    #[test]
    fn a_link_reaches_one_payer_in_one_campaign() {
        let (payer, campaign) = (CollectiviteId::new(Uuid::from_u128(5)), CampaignId::new(Uuid::from_u128(6)));
        assert!(invitation(1, 5, 6).reaches(payer, campaign) && Principal::Program.reaches(payer, campaign));
        assert!(!invitation(1, 5, 7).reaches(payer, campaign) && !invitation(1, 4, 6).reaches(payer, campaign));
    }
}
