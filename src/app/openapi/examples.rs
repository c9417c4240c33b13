//! Examples of every request and answer: the year 2025-2026 of Saint-Laurent-des-Arbres, as the program lives it.
//!
//! `examples.json` is written by a test that replays the year and compares (`tests/it/examples.rs`); nobody edits it.

use serde_json::{Value, json};

use super::{each_operation, id};

const EXAMPLES: &str = include_str!("examples.json");

pub(super) fn illustrate(document: &mut Value) {
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    each_operation(document, |_, _, operation| {
        let Some(own) = examples.get(id(operation)) else { return };
        if let (Some(example), Some(content)) = (own.get("request"), operation.pointer_mut("/requestBody/content")) {
            show(content, example);
        }
        for (status, example) in own.get("responses").and_then(Value::as_object).into_iter().flatten() {
            if let Some(content) = operation.pointer_mut(&format!("/responses/{status}/content")) {
                show(content, example);
            }
        }
    });
    // The page of a list shows a page; a type that shows one of its own fields needs no other example.
    for request in ["LoginRequest", "LoginView", "SessionView", "NewUserRequest", "UserChangeRequest"] {
        if let Some(schema) =
            document.pointer_mut(&format!("/components/schemas/{request}")).and_then(Value::as_object_mut)
        {
            schema.shift_remove("example");
        }
    }
}

/// An example by media type: the only one, or those the example names.
fn show(content: &mut Value, example: &Value) {
    for (media_type, place) in content.as_object_mut().into_iter().flatten() {
        let own = example.get(media_type).unwrap_or(example);
        if let Some(place) = place.as_object_mut() {
            place.insert("example".to_owned(), json!(own));
        }
    }
}
