//! What people do in the mail room, as the journal tells it. An address is personal: things are known by ids.

use serde::{Deserialize, Serialize};

use crate::audit::{Act, Personal, Told};
use crate::kernel::ids::EmailId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum MailEvent {
    #[serde(rename = "email.resent")]
    Resent { kind: String, new: EmailId, reason: Personal<String> },
    #[serde(rename = "mail_address.blocked")]
    Blocked { address: Personal<String>, reason: Personal<String>, payers: usize },
    #[serde(rename = "mail_address.unblocked")]
    Unblocked { address: Personal<String>, reason: Personal<String> },
    #[serde(rename = "mail_template.edited")]
    TemplateEdited { french: String, version: i64, sha256: String, reason: Personal<String> },
}

impl Told for MailEvent {
    const ACTS: &'static [Act] = &[
        ("email.resent", "Courriel renvoyé"),
        ("mail_address.blocked", "Adresse de courriel signalée"),
        ("mail_address.unblocked", "Adresse de courriel rétablie"),
        ("mail_template.edited", "Texte de courriel modifié"),
    ];

    fn sentence(&self) -> String {
        match self {
            Self::Resent { reason, .. } => format!("Courriel renvoyé : {reason}"),
            Self::Blocked { address, reason, .. } => {
                format!("Adresse {address} signalée, il ne lui est plus écrit : {reason}")
            }
            Self::Unblocked { address, reason } => format!("Adresse {address} rétablie : {reason}"),
            Self::TemplateEdited { french, version, reason, .. } => {
                format!("Texte du courriel « {french} » modifié (version {version}) : {reason}")
            }
        }
    }
}
