//! Which version of a thing whoever changes it has read, so that nobody writes over what they have not seen.

use super::Refused;

crate::problem_codes! {
    PRECONDITION_FAILED = "precondition_failed", 412, "Modifié entre-temps",
        "La version annoncée par `If-Match` n'est plus la version courante : relire, puis recommencer.";
    PRECONDITION_REQUIRED = "precondition_required", 428, "If-Match obligatoire",
        "Une modification annonce la version lue dans l'en-tête `If-Match` (valeur de `ETag`).";
}

/// The versions a caller admits for what it is about to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// Whatever there is.
    Any,
    /// One of these; none at all matches nothing.
    OneOf(Vec<i64>),
}

impl Version {
    /// Lets the caller pass when the current version is one it has read.
    ///
    /// # Errors
    /// `precondition_failed`.
    pub fn admits(&self, current: i64) -> Result<(), Refused> {
        match self {
            Self::Any => Ok(()),
            Self::OneOf(versions) if versions.contains(&current) => Ok(()),
            Self::OneOf(versions) => {
                let announced: Vec<String> = versions.iter().map(ToString::to_string).collect();
                let announced = if announced.is_empty() { "inconnue".to_owned() } else { announced.join(", ") };
                let detail =
                    format!("Version {announced} annoncée, version {current} enregistrée : relire, puis recommencer.");
                Err(Refused::new(&PRECONDITION_FAILED, detail))
            }
        }
    }
}
