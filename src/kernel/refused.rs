//! How a rule says no.
//!
//! A [`Refused`] carries what the caller needs to mend the call: a stable code from the catalogue, a French
//! sentence, the fields at fault with the value received, and for lifecycles the state and what it allows.
//! Each capability declares its own [`ProblemCode`]s; the published catalogue is their union.

use std::fmt;

/// One entry of the problem catalogue, published at `/problems`.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemCode {
    /// Stable snake_case English code; part of the API contract.
    pub code: &'static str,
    /// HTTP status it is answered with.
    pub status: u16,
    /// Short French title, the same for every occurrence.
    pub title: &'static str,
    /// What it means and how to mend it, in French, for the catalogue.
    pub meaning: &'static str,
}

/// Declares the refusals of a module and their list, `CODES`.
#[macro_export]
macro_rules! problem_codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal, $meaning:literal;)+) => {
        $(#[doc = $title]
        pub const $name: $crate::kernel::ProblemCode =
            $crate::kernel::ProblemCode { code: $code, status: $status, title: $title, meaning: $meaning };)+
        /// The codes declared here.
        pub const CODES: &[&$crate::kernel::ProblemCode] = &[$(&$name),+];
    };
}

/// Why one value cannot be what it claims to be: a stable code and a French sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    pub code: &'static str,
    pub message: String,
}

/// Separates code and message when a fault travels through serde, whose errors are plain text.
pub const FAULT_SEPARATOR: char = '\u{1f}';

impl FieldFault {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{FAULT_SEPARATOR}{}", self.code, self.message)
    }
}

impl std::error::Error for FieldFault {}

/// A fault placed in the caller's document: JSON pointer (or parameter name) and the value received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub pointer: String,
    pub code: String,
    pub message: String,
    pub value: Option<String>,
}

/// A rule's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: &'static ProblemCode,
    pub detail: String,
    pub errors: Vec<FieldError>,
    pub current_state: Option<String>,
    pub allowed_actions: Option<Vec<String>>,
}

impl Refused {
    pub fn new(code: &'static ProblemCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), current_state: None, allowed_actions: None }
    }

    /// A state refusal: says where the object stands and what may be done from there.
    pub fn state(
        code: &'static ProblemCode,
        detail: impl Into<String>,
        current: impl fmt::Display,
        allowed: impl IntoIterator<Item = impl fmt::Display>,
    ) -> Self {
        let mut refused = Self::new(code, detail);
        refused.current_state = Some(current.to_string());
        refused.allowed_actions = Some(allowed.into_iter().map(|a| a.to_string()).collect());
        refused
    }

    /// Fields that an action needs and that are not given, all together.
    pub fn missing_for<'p>(action: impl fmt::Display, pointers: impl IntoIterator<Item = &'p str>) -> Self {
        let message = format!("Champ obligatoire pour l'action « {action} ».");
        let missing = |pointer: &str| FieldError {
            pointer: pointer.to_owned(),
            code: "missing_field".to_owned(),
            message: message.clone(),
            value: None,
        };
        let errors = pointers.into_iter().map(missing).collect();
        let mut refused = Self::new(&INVALID_VALUE, message.clone());
        refused.errors = errors;
        refused
    }

    /// A field that an action has no use for.
    pub fn not_for(action: impl fmt::Display, pointer: &str) -> Self {
        let message = format!("Champ sans objet pour l'action « {action} ».");
        Self::field(pointer, &FieldFault::new("field_not_for_action", message), None)
    }

    /// A value refused at a place of the caller's document.
    pub fn field(pointer: impl Into<String>, fault: &FieldFault, value: Option<String>) -> Self {
        let mut refused = Self::new(&INVALID_VALUE, fault.message.clone());
        refused.errors.push(FieldError {
            pointer: pointer.into(),
            code: fault.code.to_owned(),
            message: fault.message.clone(),
            value,
        });
        refused
    }

    /// Something well-formed that does not exist.
    pub fn not_found(what: &str, key: impl fmt::Display) -> Self {
        Self::new(&NOT_FOUND, format!("{what} « {key} » : introuvable."))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.code, self.detail)
    }
}

problem_codes! {
    INVALID_VALUE = "invalid_value", 422, "Valeur refusée",
        "Un champ ne respecte pas sa règle ; `errors` nomme le champ, la règle et la valeur reçue.";
    FORBIDDEN = "forbidden", 403, "Rôle insuffisant",
        "Le rôle du compte n'admet pas cette action ; `detail` nomme les rôles admis.";
    NOT_FOUND = "not_found", 404, "Introuvable",
        "La clé est bien formée mais ne désigne rien, ou l'adresse n'existe pas.";
    CONCURRENT_CHANGE = "concurrent_change", 409, "Modifié entre-temps",
        "Une autre personne a modifié l'objet pendant l'opération ; relire puis recommencer.";
}
