//! A finding (constat): something noticed, with what was expected and what was found. It never stops anything by
//! itself unless its level says so.

use crate::text_enum;
use serde::{Deserialize, Serialize};

text_enum!(
    /// Le poids d'un constat : bloquant, à lever par une personne, ou pour information.
    Level {
        /// The action cannot be done.
        Blocking => "blocking",
        /// A named agent acknowledges it with a reason.
        ToAcknowledge => "to_acknowledge",
        /// Good to know.
        Info => "info",
    }
);

/// Quelque chose de remarqué sur une ligne, une convention ou un titre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Finding {
    /// Code stable.
    #[schema(example = "siren_differs")]
    pub code: String,
    pub level: Level,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<String>,
    /// Une phrase.
    pub message: String,
}

impl Finding {
    /// Fields left out when there is nothing to say; every other field is always there, null or not.
    pub const SOMETIMES: &[&str] = &["expected", "found"];

    #[must_use]
    pub fn new(code: &str, level: Level, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), level, expected: None, found: None, message: message.into() }
    }

    #[must_use]
    pub fn info(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Level::Info, message)
    }

    #[must_use]
    pub fn blocking(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Level::Blocking, message)
    }

    #[must_use]
    pub fn to_acknowledge(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Level::ToAcknowledge, message)
    }

    #[must_use]
    pub fn compared(mut self, expected: impl ToString, found: impl ToString) -> Self {
        self.expected = Some(expected.to_string());
        self.found = Some(found.to_string());
        self
    }
}
