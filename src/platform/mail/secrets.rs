//! Secrets, wherever a mail's copy or a server's words would keep them.

use serde_json::Value;

/// What stands where a secret stood.
const STRUCK: &str = "[secret-non-conserve]";

/// Values with each secret struck out.
pub(super) fn struck(context: &Value, secrets: &[String]) -> Value {
    match context {
        Value::String(text) => Value::String(without(text, secrets)),
        Value::Array(all) => all.iter().map(|value| struck(value, secrets)).collect(),
        Value::Object(all) => {
            Value::Object(all.iter().map(|(name, value)| (name.clone(), struck(value, secrets))).collect())
        }
        other => other.clone(),
    }
}

/// A text with each secret struck out.
pub(super) fn without(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, STRUCK))
}
