//! What happens to accounts and sessions, as the journal tells it. An account is known by its id: its address is personal.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::user::User;
use crate::audit::{Act, Changes, Personal, Subject, SubjectKind, Told, listed};
use crate::kernel::ids::UserId;
use crate::kernel::{Instant, Role};

/// What of an account names its holder.
pub(super) const PERSONAL: &[&str] = &["email", "first_name", "last_name", "capacity", "delegation"];

/// A secret that was wrong, told in bounds: how many times so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongSecret {
    /// The account it would have opened.
    pub account: Option<UserId>,
    /// The address typed, told by its ends only when no account has it.
    pub email: Personal<Option<String>>,
    pub address: Personal<String>,
    /// The address as it is counted: a network of IPv6.
    pub source: Personal<String>,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum AccessEvent {
    #[serde(rename = "user.created")]
    UserCreated { role: Role, person: Personal<Value> },
    #[serde(rename = "user.changed")]
    UserChanged { changes: Changes },
    #[serde(rename = "user.invited")]
    UserInvited { expires_at: Instant },
    #[serde(rename = "user.password_reset")]
    PasswordReset { expires_at: Instant, password_of: Option<Instant> },
    #[serde(rename = "user.password_set")]
    PasswordSet {
        /// `code` or `password`: what the person proved themselves with.
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issued_by: Option<Personal<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issued_at: Option<Instant>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sessions_ended: Option<usize>,
        address: Personal<String>,
    },
    #[serde(rename = "session.opened")]
    SessionOpened { session: String, address: Personal<String> },
    #[serde(rename = "session.closed")]
    SessionClosed { session: String },
    #[serde(rename = "session.ended")]
    SessionEnded { session: String },
    #[serde(rename = "session.others_ended")]
    OthersEnded { ended: usize },
    #[serde(rename = "session.all_ended")]
    AllEnded { ended: usize },
    #[serde(rename = "session.reuse_detected")]
    ReuseDetected { session: String },
    #[serde(rename = "session.refused")]
    SessionRefused(WrongSecret),
    #[serde(rename = "password.refused")]
    PasswordRefused(WrongSecret),
    #[serde(rename = "password_code.refused")]
    CodeRefused(WrongSecret),
    #[serde(rename = "access.refused")]
    AccessRefused { code: String, needed: String, role: Role, address: Personal<Option<String>>, count: u64 },
}

/// An account as a subject.
pub(super) fn of(user: UserId) -> Subject {
    Subject::known_by(SubjectKind::User, user)
}

/// An account as it is compared.
pub(super) fn state(user: &User) -> Value {
    json!({
        "email": user.email, "role": user.role, "first_name": user.first_name, "last_name": user.last_name,
        "capacity": user.capacity, "delegation": user.delegation, "active": user.active,
    })
}

impl Told for AccessEvent {
    const ACTS: &'static [Act] = &[
        ("user.created", "Compte créé"),
        ("user.changed", "Compte modifié"),
        ("user.invited", "Personne invitée"),
        ("user.password_reset", "Mot de passe réinitialisé"),
        ("user.password_set", "Mot de passe choisi"),
        ("session.opened", "Session ouverte"),
        ("session.closed", "Session fermée"),
        ("session.ended", "Session terminée"),
        ("session.others_ended", "Autres sessions terminées"),
        ("session.all_ended", "Toutes les sessions terminées"),
        ("session.reuse_detected", "Jeton de session réutilisé : session fermée"),
        ("session.refused", "Connexion refusée"),
        ("password.refused", "Mot de passe actuel refusé"),
        ("password_code.refused", "Code refusé"),
        ("access.refused", "Accès refusé"),
    ];

    fn sentence(&self) -> String {
        match self {
            Self::UserCreated { role, .. } => format!("Compte créé (rôle : {role})."),
            Self::UserChanged { changes } => format!("Compte modifié ({}).", listed(changes.names())),
            Self::UserInvited { expires_at } => {
                format!("Personne invitée : un code a été donné, valable jusqu'au {}.", expires_at.french())
            }
            Self::PasswordReset { expires_at, .. } => {
                format!("Mot de passe réinitialisé : un code a été donné, valable jusqu'au {}.", expires_at.french())
            }
            Self::PasswordSet { issued_by: Some(issuer), address, .. } => {
                format!("Mot de passe choisi depuis {address}, avec le code donné par {issuer}.")
            }
            Self::PasswordSet { address, .. } => format!("Mot de passe choisi par la personne, depuis {address}."),
            Self::SessionOpened { address, .. } => format!("Session ouverte depuis {address}."),
            Self::SessionClosed { .. } => "Session fermée.".into(),
            Self::SessionEnded { .. } => "Session terminée.".into(),
            Self::OthersEnded { ended } => format!("Autres sessions terminées : {ended}."),
            Self::AllEnded { ended } => format!("Sessions terminées par l'administration : {ended}."),
            Self::ReuseDetected { .. } => "Jeton de session réutilisé : session fermée.".into(),
            Self::SessionRefused(wrong) => refused("Connexion refusée", wrong),
            Self::PasswordRefused(wrong) => refused("Mot de passe actuel refusé", wrong),
            Self::CodeRefused(wrong) => refused("Code refusé", wrong),
            Self::AccessRefused { role, count, .. } => {
                format!("Accès refusé (rôle : {role}) : {count} fois dans l'heure.")
            }
        }
    }
}

fn refused(what: &str, wrong: &WrongSecret) -> String {
    format!("{what} depuis {} : {} fois dans l'heure.", wrong.address, wrong.count)
}
