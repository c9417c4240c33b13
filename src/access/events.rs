//! What happens to accounts and sessions, as the journal tells it. An account is known by its id: its address is personal.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::user::User;
use crate::audit::{Act, Changes, Personal, Subject, SubjectKind, Told, listed};
use crate::kernel::ids::UserId;
use crate::kernel::{Instant, Role};

/// What of an account names its holder.
pub(super) const PERSONAL: &[&str] = &["email", "first_name", "last_name", "capacity", "delegation"];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum AccessEvent {
    #[serde(rename = "user.created")]
    UserCreated { role: Role, person: Personal<Value> },
    #[serde(rename = "user.changed")]
    UserChanged { changes: Changes, password_changed: bool },
    #[serde(rename = "session.opened")]
    SessionOpened { session: String, address: Personal<Option<String>> },
    #[serde(rename = "session.closed")]
    SessionClosed { session: String },
    #[serde(rename = "session.reuse_detected")]
    ReuseDetected { session: String },
    #[serde(rename = "account.locked")]
    AccountLocked { until: Instant },
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

/// The person behind an account.
pub(super) fn person(user: &User) -> Personal<Value> {
    let mut person = state(user);
    if let Some(fields) = person.as_object_mut() {
        fields.retain(|name, _| PERSONAL.contains(&name.as_str()));
    }
    person.into()
}

impl Told for AccessEvent {
    const ACTS: &'static [Act] = &[
        ("user.created", "Compte créé"),
        ("user.changed", "Compte modifié"),
        ("session.opened", "Session ouverte"),
        ("session.closed", "Session fermée"),
        ("session.reuse_detected", "Jeton de session réutilisé : session fermée"),
        ("account.locked", "Compte bloqué"),
    ];

    fn sentence(&self) -> String {
        match self {
            Self::UserCreated { role, .. } => format!("Compte créé (rôle : {role})."),
            Self::UserChanged { changes, password_changed: true } if changes.is_empty() => {
                "Mot de passe changé.".into()
            }
            Self::UserChanged { changes, password_changed } => {
                let password = password_changed.then_some("mot de passe");
                format!("Compte modifié ({}).", listed(changes.names().chain(password)))
            }
            Self::SessionOpened { address: Personal(Some(Some(address))), .. } => {
                format!("Session ouverte depuis {address}.")
            }
            Self::SessionOpened { .. } => "Session ouverte.".into(),
            Self::SessionClosed { .. } => "Session fermée.".into(),
            Self::ReuseDetected { .. } => "Jeton de session réutilisé : session fermée.".into(),
            Self::AccountLocked { until } => format!("Compte bloqué jusqu'au {until}."),
        }
    }
}
