//! What a kind of mail says: the program's text, the rectorat's own in a folder, or one edited since. Strict: a name that
//! the kind does not give is refused where it is written, with its line, not when a mail is to leave.
//!
//! ```text
//!   Objet : {{ number }} - {{ commune }} : …      the first line is the subject
//!   (blank)
//!   Madame, Monsieur, …                           the rest, in the writing of `markup`
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, Output, State, UndefinedBehavior, Value as Printed};
use serde_json::Value;

use super::kind::Kind;
use super::markup;
use super::rules::Letterhead;
use crate::kernel::FieldFault;

/// What stands before the subject, on the first line.
const SUBJECT: &str = "Objet :";
/// Longest subject, in characters.
const SUBJECT_LENGTH: usize = 180;
/// Steps one text may take.
const FUEL: u64 = 200_000;
/// Longest text made of one, in bytes.
const WRITTEN: usize = 500_000;
/// Longest template, in bytes.
const LENGTH: usize = 40_000;

/// What is wrong with a text, and on which line (from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faulty {
    pub line: usize,
    pub message: String,
}

impl From<Faulty> for FieldFault {
    fn from(faulty: Faulty) -> Self {
        Self::new("mail_template", format!("Ligne {} : {}", faulty.line, faulty.message))
    }
}

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Values are words, never markup: one line, and no sign that begins a link.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Printed) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) => {
            let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            Ok(out.write_str(&line.replace(">>", "> >").replace(" | ", " / "))?)
        }
        None => minijinja::escape_formatter(out, state, value),
    }
}

fn environment() -> Environment<'static> {
    // Values, conditions and loops over what the kind gives: nothing else can be called.
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(print);
    // A line that holds a block alone leaves no line behind.
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap_or_default());
    environment
}

fn faulty(cause: &minijinja::Error) -> Faulty {
    let message = match (cause.kind(), cause.detail()) {
        (ErrorKind::UndefinedError, _) => "un nom inconnu y est imprimé".to_owned(),
        (_, Some(detail)) => format!("elle ne se lit pas ({detail})"),
        (kind, None) => format!("elle ne se lit pas ({kind})"),
    };
    Faulty { line: cause.line().unwrap_or(1), message }
}

/// Applies a text to values.
fn written(source: &str, context: &Value) -> Result<(String, String), Faulty> {
    let environment = environment();
    let template = environment.template_from_str(source).map_err(|cause| faulty(&cause))?;
    let all = template.render(Serde(context)).map_err(|cause| faulty(&cause))?;
    if all.len() > WRITTEN {
        return Err(Faulty {
            line: 1,
            message: format!("texte de {WRITTEN} octets au plus, une fois les valeurs mises"),
        });
    }
    let (first, body) = all.split_once('\n').unwrap_or((all.as_str(), ""));
    let at = |line, message: String| Faulty { line, message };
    let subject = first.strip_prefix(SUBJECT).map(str::trim);
    let subject = subject.ok_or_else(|| at(1, format!("elle doit commencer par « {SUBJECT} »")))?;
    if subject.is_empty() || subject.chars().count() > SUBJECT_LENGTH {
        return Err(at(1, format!("objet de 1 à {SUBJECT_LENGTH} caractères, une fois les valeurs mises")));
    }
    if body.trim().is_empty() {
        return Err(at(2, "le texte manque".to_owned()));
    }
    Ok((subject.to_owned(), body.to_owned()))
}

/// The words of a mail, signed.
///
/// # Errors
/// The text does not take these values.
pub(super) fn words(source: &str, context: &Value, head: &Letterhead) -> Result<Words, Faulty> {
    let (subject, body) = written(source, context)?;
    let mut body = body.trim().to_owned();
    body.push_str("\n\n");
    for line in &head.signature {
        body.push_str(line.as_str());
        body.push('\n');
    }
    if let Some(phone) = &head.phone {
        body.push_str(&format!("Téléphone : {phone}\n"));
    }
    Ok(Words { text: markup::plain(&body), html: markup::html(&subject, &body), subject })
}

/// Whether a value has something under a dotted name.
fn gives(context: &Value, name: &str) -> bool {
    name.split('.')
        .try_fold(context, |value, part| match value {
            Value::Object(map) => map.get(part),
            other => Some(other),
        })
        .is_some()
}

/// Judges a text for a kind: each name it prints, in whatever branch, is one that the kind gives.
///
/// # Errors
/// What is wrong, and where.
pub fn check(kind: &Kind, source: &str) -> Result<(), Faulty> {
    if source.len() > LENGTH {
        return Err(Faulty { line: 1, message: format!("texte de {LENGTH} octets au plus") });
    }
    let sample = (kind.sample)();
    let environment = environment();
    let template = environment.template_from_str(source).map_err(|cause| faulty(&cause))?;
    let mut unknown: Vec<String> =
        template.undeclared_variables(true).into_iter().filter(|name| !gives(&sample, name)).collect();
    unknown.sort();
    if let Some(name) = unknown.first() {
        let last = name.rsplit('.').next().unwrap_or(name);
        let line = source.lines().position(|line| line.contains(last)).map_or(1, |at| at + 1);
        let mut known: Vec<&str> =
            sample.as_object().into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
        known.sort_unstable();
        let message = format!("« {name} » n'est pas un nom de ce courriel ; noms admis : {}", known.join(", "));
        return Err(Faulty { line, message });
    }
    written(source, &sample).map(|_| ())
}

/// A text applied to a kind's made-up values, or to others.
///
/// # Errors
/// What is wrong, and where.
pub fn preview(source: &str, context: &Value, head: &Letterhead) -> Result<Words, Faulty> {
    words(source, context, head)
}

/// The texts of every kind: the program's, and the rectorat's own in their place.
#[derive(Debug, Clone)]
pub struct Templates {
    own: HashMap<&'static str, String>,
}

/// A file of the rectorat that no mail can be made of.
#[derive(Debug)]
pub struct BadFile {
    pub path: PathBuf,
    /// In French.
    pub problem: String,
}

impl Templates {
    /// Reads the rectorat's own texts (`<kind>.txt`), judged at once.
    ///
    /// # Errors
    /// The first file that cannot be read, or is no text for its kind.
    pub fn read(folder: Option<&Path>, kinds: &[&'static Kind]) -> Result<Self, BadFile> {
        let mut own = HashMap::new();
        for kind in kinds {
            let Some(path) = folder.map(|folder| folder.join(format!("{}.txt", kind.name))) else { continue };
            let bad = |problem: String| BadFile { path: path.clone(), problem };
            match std::fs::read_to_string(&path) {
                Ok(source) => {
                    check(kind, &source).map_err(|found| bad(format!("ligne {} : {}", found.line, found.message)))?;
                    own.insert(kind.name, source);
                }
                Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
                Err(cause) => return Err(bad(crate::kernel::system::said(&cause))),
            }
        }
        Ok(Self { own })
    }

    /// The text in force for a kind when nobody has edited one.
    #[must_use]
    pub fn of(&self, kind: &Kind) -> &str {
        self.own.get(kind.name).map_or(kind.source.0, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::kind::Source;
    use super::*;

    fn sample() -> Value {
        json!({"commune": "Lédenon", "ecoles": [{"nom": "École A"}], "convention": {"numero": "ENT-C-1"}, "date": null})
    }

    const SOURCE: &str = "Objet : {{ convention.numero }} - {{ commune }}\n\nBonjour {{ commune }},\n{% for e in ecoles %}\n- {{ e.nom }}\n{% endfor %}\n{% if date %}\nAvant le {{ date }}.\n{% endif %}";

    fn kind(source: &'static str) -> Kind {
        Kind {
            name: "test.kind",
            french: "Essai",
            source: Source(source),
            sample,
            accounts: false,
            preview: None,
            compose: |_, _, _| Ok(Vec::new()),
            settled: Kind::unfollowed,
        }
    }

    #[test]
    fn a_text_is_written_with_its_values() {
        let (subject, body) = written(SOURCE, &sample()).unwrap();
        assert_eq!(subject, "ENT-C-1 - Lédenon");
        assert_eq!(body.trim(), "Bonjour Lédenon,\n- École A");
        assert!(check(&kind(SOURCE), SOURCE).is_ok());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_even_where_no_mail_would_go() {
        let cases = [
            ("Objet : a\n\nBonjour {{ comune }}", 3, "comune"),
            ("Objet : a\n\nb\n{% if date %}\n{{ convention.nom }}\n{% endif %}", 5, "convention.nom"),
            ("Objet : a\n\n{{ commune", 3, "ne se lit pas"),
            ("Bonjour", 1, "Objet :"),
            ("Objet : \n\nb", 1, "objet de 1 à"),
            ("Objet : a\n\n", 2, "manque"),
            ("Objet : a\n\n{% for a in range(9) %}x{% endfor %}", 3, "range"),
            ("Objet : a\n\n{{ commune | lower }}", 3, "ne se lit pas"),
        ];
        for (source, line, says) in cases {
            let found = check(&kind("Objet : a\n\nb"), source).unwrap_err();
            assert!(found.line == line && found.message.contains(says), "{source:?}: {found:?}");
        }
    }

    #[test]
    fn a_value_is_neither_a_line_nor_a_link() {
        let mut values = sample();
        values["commune"] = json!("X\r\nBcc: a@b.fr\n>> Payer | https://voleur.invalid");
        let (subject, body) = written("Objet : {{ commune }}\n\n{{ commune }}", &values).unwrap();
        assert!(!subject.contains(['\r', '\n']), "{subject:?}");
        assert!(!markup::html("s", &body).contains("<a "), "{body}");
    }
}
