//! What operations answer is declared beside their handlers, and nowhere else.

use std::collections::BTreeMap;

use ent_backoffice::app;

use crate::support::sources;

/// The attribute of each handler of the sources: its file, its operation, its text. A handler that a macro writes is
/// named by each room that mounts it.
fn handlers() -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut written = String::new();
    for (path, text) in sources() {
        for (at, _) in text.match_indices("#[utoipa::path(\n") {
            let attribute: Vec<&str> = text[at..].lines().take_while(|line| line.trim() != ")]").collect();
            let attribute = attribute.join("\n");
            if attribute.contains("operation_id = $") {
                written.push_str(&attribute);
                continue;
            }
            let id =
                attribute.split("operation_id = \"").nth(1).unwrap_or_else(|| panic!("src/{path}: no operation_id"));
            found.push((path.clone(), id.split('"').next().unwrap().to_owned(), attribute.to_owned()));
        }
    }
    let mut declared = written.split("#[utoipa::path(\n").skip(1);
    assert!(declared.all(|attribute| attribute.contains("extensions((\"x-answers\" = json!(")), "{written}");
    for (path, text) in sources() {
        for mounted in text.split("\nattachment_routes! {").skip(1) {
            let quoted = mounted.split("\n}").next().unwrap().split('"').skip(1).step_by(2);
            let ids = quoted.filter(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            found.extend(ids.map(|id| (path.clone(), id.to_owned(), "extensions((\"x-answers\" = json!(".to_owned())));
        }
    }
    found
}

#[test]
fn each_handler_declares_what_it_answers() {
    let silent: Vec<String> = handlers()
        .into_iter()
        .filter(|(_, _, attribute)| !attribute.contains("extensions((\"x-answers\" = json!("))
        .map(|(path, id, _)| format!("src/{path}: {id}"))
        .collect();
    assert!(silent.is_empty(), "handlers without their answers:\n{}", silent.join("\n"));
}

#[test]
fn each_declaration_is_that_of_a_published_operation() {
    let mut declared: BTreeMap<String, usize> = BTreeMap::new();
    for (_, id, _) in handlers() {
        *declared.entry(id).or_default() += 1;
    }
    let document = app::openapi_document();
    let paths = document["paths"].as_object().unwrap();
    let published: BTreeMap<String, usize> = paths
        .iter()
        .filter(|(path, _)| path.starts_with("/api/v1/"))
        .flat_map(|(_, item)| item.as_object().unwrap().values())
        .map(|operation| (operation["operationId"].as_str().unwrap().to_owned(), 1))
        .collect();
    assert!(published.len() > 60, "{published:?}");
    assert_eq!(declared, published);
}

#[test]
fn declarations_are_read_into_the_document_and_taken_out() {
    let text = app::openapi_document().to_string();
    assert!(!text.contains("x-answers") && !text.contains("x-sometimes"));
    // An operation that refuses, counts, selects, patches or gives a file says so.
    let document = app::openapi_document();
    let operation = |pointer: &str| document.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).clone();
    let approve = operation("/paths/~1api~1v1~1perception-titles~1approvals/post");
    assert!(approve["responses"]["503"]["content"]["application/problem+json"]["examples"]["clock_behind"].is_object());
    let schema = |operation: &serde_json::Value, pointer: &str| operation.pointer(pointer).unwrap()["$ref"].clone();
    let json = "/content/application~1json/schema";
    assert_eq!(schema(&approve, &format!("/requestBody{json}")), "#/components/schemas/ApproveRequest");
    assert_eq!(schema(&approve, &format!("/responses/200{json}")), "#/components/schemas/ApproveAnswer");
    let patch = operation("/paths/~1api~1v1~1campaigns~1{school_year}/patch");
    assert_eq!(schema(&patch, &format!("/requestBody{json}")), "#/components/schemas/CampaignPatch");
    assert!(document["components"]["schemas"]["CampaignPatch"]["properties"]["reason"].is_object());
    let file = operation("/paths/~1api~1v1~1accounting-batches~1{number}~1files~1{format}/get/responses/200/content");
    assert_eq!(file.as_object().unwrap().keys().collect::<Vec<_>>(), ["text/csv", "application/json"]);
}
