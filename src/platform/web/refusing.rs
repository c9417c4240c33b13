//! What serde says of a body or of parameters, put into the contract's words: field, rule, value.

use serde_json::Value;

use super::problem::Problem;
use crate::kernel::refused::{FAULT_SEPARATOR, INVALID_VALUE};
use crate::kernel::text::excerpt;
use crate::kernel::{FieldError, ProblemCode};

/// The value at a place, as it is shown back.
pub(super) fn received(whole: &Value, pointer: &str) -> Option<String> {
    whole.pointer(pointer).map(|v| v.as_str().map_or_else(|| excerpt(v), |s| excerpt(&s)))
}

/// A JSON pointer to where reading stopped.
pub(super) fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{key}"),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// Puts serde's refusal into the contract's words: code, French message, place and value.
pub(super) fn data_problem(
    message: &str,
    pointer: &str,
    unknown: &'static ProblemCode,
    received: impl Fn(&str) -> Option<String>,
) -> Problem {
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let is_code = |code: &str| code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if let Some((code, text)) = message.split_once(FAULT_SEPARATOR).filter(|(code, _)| is_code(code)) {
        // The fault of a newtype, which travelled through serde as text.
        let error = FieldError {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            message: text.to_owned(),
            value: received(pointer),
        };
        return Problem::field(&INVALID_VALUE, format!("{pointer} : {text}"), error);
    }
    if message.starts_with("unknown field") {
        // The path already ends with the unknown key.
        let admitted: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        let text = format!("Champ inconnu « {quoted} » ; champs admis : {}.", admitted.join(", "));
        let place = if pointer.ends_with(&format!("/{quoted}")) || pointer == quoted {
            pointer.to_owned()
        } else {
            format!("{pointer}/{quoted}")
        };
        let value = received(&place);
        let error = FieldError { pointer: place, code: unknown.code.to_owned(), message: text.clone(), value };
        return Problem::field(unknown, text, error);
    }
    let (code, text, place) = if message.starts_with("missing field") {
        ("missing_field", format!("Champ obligatoire absent : « {quoted} »."), format!("{pointer}/{quoted}"))
    } else if message.starts_with("duplicate field") {
        let place = if pointer == quoted { pointer.to_owned() } else { format!("{pointer}/{quoted}") };
        ("duplicate_field", format!("Champ donné deux fois : « {quoted} »."), place)
    } else if message.starts_with("unknown variant") {
        let admitted: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        ("unknown_value", format!("Valeur inconnue ; valeurs admises : {}.", admitted.join(", ")), pointer.to_owned())
    } else if message.starts_with("invalid type") {
        ("wrong_type", format!("Type de valeur inattendu : {} attendu.", expected(message)), pointer.to_owned())
    } else if message.starts_with("invalid value: integer") {
        ("number_range", "Nombre hors de l'étendue admise.".to_owned(), pointer.to_owned())
    } else {
        ("invalid_value", "Valeur refusée pour ce champ.".to_owned(), pointer.to_owned())
    };
    let value = received(&place);
    let error = FieldError { pointer: place.clone(), code: code.to_owned(), message: text.clone(), value };
    Problem::field(&INVALID_VALUE, format!("{place} : {text}"), error)
}

fn expected(message: &str) -> &'static str {
    let wanted = message.rsplit_once("expected ").map_or("", |(_, w)| w);
    match wanted {
        w if w.contains("string") => "un texte entre guillemets",
        w if w.contains("bool") => "true ou false",
        w if w.contains("sequence") => "une liste",
        w if w.starts_with('i') || w.starts_with('u') || w.contains("integer") => "un nombre entier",
        w if w.contains("date") => "une date AAAA-MM-JJ entre guillemets",
        w if w.contains("struct") || w.contains("map") => "un objet",
        _ => "autre type",
    }
}
