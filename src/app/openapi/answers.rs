//! Refusals, with the codes each route may answer with, and the headers of every answer.
//!
//! What follows from the shape of a route (a body, a key in the path, a cursor…) is deduced; the rest is the table
//! [`REFUSALS`]. A test holds every answer of the whole suite against the result: a code that is not here fails it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{BEARER, UNREADY, each_operation, id, object};
use crate::app::catalogue;
use crate::kernel::ProblemCode;

/// The codes that do not follow from the shape of a route, by operation.
const REFUSALS: &[(&str, &str)] = &[
    (
        "approve_titles",
        "not_found integrity_fault clock_behind keys_or_filter preparer_unknown signatory_incomplete delegation_not_in_force placeholder_texts \
         concurrent_change",
    ),
    ("change_password", "too_many_attempts concurrent_change"),
    ("change_user", "not_found email_taken last_admin concurrent_change"),
    ("create_campaign", "campaign_exists"),
    ("create_collectivite", "siret_taken"),
    ("create_school", "uai_taken payer_unknown concurrent_change"),
    ("create_user", "email_taken"),
    ("delete_campaign", "not_found campaign_issued concurrent_change"),
    ("decide_lines", "not_found keys_or_filter preparer_unknown campaign_state concurrent_change"),
    (
        "decide_small_claims",
        "not_found integrity_fault clock_behind keys_or_filter preparer_unknown campaign_state placeholder_texts concurrent_change",
    ),
    ("download_batch_file", "not_found integrity_fault"),
    ("end_session", "not_found"),
    ("end_user_sessions", "not_found"),
    ("enrol_school", "not_found campaign_state concurrent_change"),
    ("enrol_schools", "not_found campaign_state keys_or_filter"),
    ("get_batch", "not_found integrity_fault"),
    ("get_campaign", "not_found"),
    ("get_campaign_specimen", "not_found document_failed"),
    ("get_collectivite", "not_found"),
    ("get_convention", "not_found"),
    ("get_convention_document", "not_found integrity_fault document_failed"),
    ("get_participation", "not_found"),
    ("get_metrics", "not_found"),
    ("get_readiness", "unavailable"),
    ("get_school", "not_found"),
    ("get_small_claim_decision", "not_found"),
    ("get_small_claim_decision_document", "not_found integrity_fault decision_document_failed"),
    ("get_title", "not_found integrity_fault"),
    ("get_title_document", "not_found integrity_fault not_approved_yet title_document_failed"),
    ("get_user", "not_found"),
    ("import_collectivites", "file_refused file_too_heavy no_rows file_reader_busy concurrent_change"),
    ("import_contacts", "file_refused file_too_heavy no_rows file_reader_busy concurrent_change"),
    ("import_enrolments", "not_found file_refused file_too_heavy no_rows file_reader_busy campaign_state"),
    ("import_schools", "file_refused file_too_heavy no_rows file_reader_busy concurrent_change"),
    ("issue_conventions", "not_found clock_behind keys_or_filter campaign_state placeholder_texts concurrent_change"),
    ("list_batches", "not_found"),
    ("list_campaign_transitions", "not_found"),
    ("list_convention_transitions", "not_found"),
    ("list_conventions", "not_found"),
    ("list_enrolments", "not_found"),
    ("list_line_decisions", "not_found"),
    ("list_participations", "not_found"),
    ("list_small_claim_decision_transitions", "not_found"),
    ("list_small_claim_decisions", "not_found"),
    ("list_title_transitions", "not_found"),
    ("list_titles", "not_found"),
    ("login", "invalid_credentials too_many_attempts"),
    ("patch_campaign", "not_found campaign_state placeholder_texts concurrent_change"),
    ("patch_collectivite", "not_found concurrent_change"),
    ("patch_school", "not_found payer_unknown concurrent_change"),
    (
        "prepare_titles",
        "not_found integrity_fault clock_behind keys_or_filter preparer_unknown campaign_state placeholder_texts concurrent_change",
    ),
    ("record_succession", "not_found succession_exists succession_loop concurrent_change"),
    ("refresh_session", "refresh_token_invalid refresh_token_reused too_many_attempts"),
    ("replace_siret", "not_found siret_taken concurrent_change"),
    ("reset_password", "not_found account_inactive last_admin concurrent_change"),
    (
        "seal_batch",
        "not_found integrity_fault clock_behind nothing_to_seal exercice_required sealer_unknown concurrent_change",
    ),
    ("set_password", "password_code_invalid too_many_attempts"),
    ("set_school_payer", "not_found payer_unknown concurrent_change"),
    ("transition_campaign", "not_found campaign_state campaign_issued placeholder_texts concurrent_change"),
    (
        "transition_convention",
        "not_found convention_state convention_ended convention_titled convention_replaced findings_open date_in_future \
         concurrent_change",
    ),
    ("transition_small_claim_decision", "not_found preparer_unknown campaign_state decision_state concurrent_change"),
    (
        "transition_title",
        "not_found integrity_fault clock_behind same_person preparer_unknown title_state signatory_incomplete delegation_not_in_force \
         placeholder_texts concurrent_change",
    ),
    ("withdraw_school", "not_found campaign_state enrolment_covered"),
];

/// Operations whose 200 carries the version in `ETag` (a 201 always does).
const VERSIONED: &[&str] = &[
    "change_user",
    "download_batch_file",
    "enrol_school",
    "get_batch",
    "get_campaign",
    "get_campaign_specimen",
    "get_collectivite",
    "get_convention",
    "get_convention_document",
    "get_me",
    "get_school",
    "get_small_claim_decision_document",
    "get_title",
    "get_title_document",
    "get_user",
    "patch_campaign",
    "patch_collectivite",
    "patch_school",
    "reset_password",
    "transition_campaign",
    "transition_convention",
    "transition_title",
];

/// Transitions: the version may be announced, the state guards anyway.
const OPTIONAL_VERSION: &[&str] = &["transition_campaign", "transition_convention", "transition_title"];

pub(super) fn complete(document: &mut Value) {
    let catalogue = catalogue();
    each_operation(document, |method, path, operation| {
        parameters(method, path, operation);
        let codes = codes(method, path, operation);
        refusals(operation, &codes, &catalogue);
        headers(operation);
        if !is_open(operation)
            && let Some(fields) = operation.as_object_mut()
        {
            fields.insert("security".to_owned(), json!([{ BEARER: [] }]));
        }
    });
    // What an address answers to a method that it does not admit belongs to no operation.
    let told = catalogue.iter().filter(|problem| problem.code != "method_not_allowed");
    let examples = told.map(|problem| (problem.code.to_owned(), example(problem))).collect();
    if let Some(components) = object(document, &["components"]) {
        components.insert("examples".to_owned(), Value::Object(examples));
        components.insert("headers".to_owned(), header_components());
    }
}

/// `security(())` of a handler: one empty requirement.
fn is_open(operation: &Value) -> bool {
    operation.get("security").is_some_and(|security| *security == json!([{}]))
}

fn has_parameter(operation: &Value, place: &str, name: Option<&str>) -> bool {
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    parameters.into_iter().any(|p| {
        p.get("in").is_some_and(|i| i == place) && name.is_none_or(|name| p.get("name").is_some_and(|n| n == name))
    })
}

fn is_keyed(method: &str, path: &str) -> bool {
    method == "post" && !path.starts_with("/api/v1/auth/")
}

/// Adds the headers a caller may send.
fn parameters(method: &str, path: &str, operation: &mut Value) {
    let mut more = Vec::new();
    if OPTIONAL_VERSION.contains(&id(operation).as_str()) {
        more.push(json!({
            "name": "If-Match", "in": "header", "required": false, "schema": {"type": "string"}, "example": "\"1\"",
            "description": "`ETag` lu ; facultatif, l'état de l'objet décide de toute façon."
        }));
    }
    if is_keyed(method, path) {
        more.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]{1,200}$"},
            "example": "3f6c0a52-emission-2025-2026",
            "description": "Répété dans les 24 heures avec le même contenu, l'appel redonne la même réponse sans agir."
        }));
    }
    if let (Some(fields), false) = (operation.as_object_mut(), more.is_empty()) {
        let list = fields.entry("parameters").or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut().into_iter().for_each(|list| list.append(&mut more));
    }
}

/// The codes an operation may answer with.
fn codes(method: &str, path: &str, operation: &Value) -> Vec<&'static str> {
    let id = id(operation);
    let mut codes = vec!["malformed_path", "uri_too_long", "unsupported_content_encoding", "headers_too_large"];
    let own = REFUSALS.iter().filter(|(name, _)| *name == id).flat_map(|(_, codes)| codes.split_whitespace());
    codes.extend(own);
    if path.starts_with("/api/v1/") {
        codes.extend(["internal_error", "database_busy", "unavailable", "timed_out"]);
    }
    if !is_open(operation) {
        codes.extend(["unauthenticated", "token_expired", "forbidden"]);
    }
    let takes = |media_type: &str| operation.pointer(&format!("/requestBody/content/{media_type}")).is_some();
    let (json, form) = (takes("application~1json"), takes("multipart~1form-data"));
    let (path_key, query) = (has_parameter(operation, "path", None), has_parameter(operation, "query", None));
    if json {
        codes.extend(["malformed_json", "unknown_field"]);
    }
    if form {
        codes.push("bad_form");
    }
    if json || form {
        codes.extend(["payload_too_large", "unsupported_media_type", "body_too_slow"]);
    }
    if path.starts_with("/api/v1/") {
        codes.extend(["unknown_parameter", "malformed_query"]);
    }
    if has_parameter(operation, "query", Some("cursor")) {
        codes.push("bad_cursor");
    }
    if json || path_key || query || is_keyed(method, path) {
        codes.push("invalid_value");
    }
    if is_keyed(method, path) {
        codes.extend(["idempotency_key_reused", "idempotency_key_in_flight"]);
        // An `If-Match` that nothing would check is refused.
        codes.push("precondition_failed");
    }
    if has_parameter(operation, "header", Some("If-Match")) {
        codes.push("precondition_failed");
        if !OPTIONAL_VERSION.contains(&id.as_str()) {
            codes.push("precondition_required");
        }
    }
    codes
}

/// Writes the refusals, in the place of what the handler said of them.
fn refusals(operation: &mut Value, codes: &[&str], catalogue: &[&'static ProblemCode]) {
    let mut by_status: BTreeMap<u16, Vec<&ProblemCode>> = BTreeMap::new();
    for problem in catalogue.iter().filter(|problem| codes.contains(&problem.code)) {
        by_status.entry(problem.status).or_default().push(problem);
    }
    let id = id(operation);
    let view = |status: u16| if id == "get_readiness" && status == 503 { UNREADY } else { "ProblemView" };
    let Some(responses) = object(operation, &["responses"]) else { return };
    responses.retain(|status, _| status.starts_with('2'));
    for (status, problems) in by_status {
        let text = problems.iter().map(|p| format!("`{}` : {}.", p.code, p.title)).collect::<Vec<_>>().join(" ");
        let examples: Map<String, Value> = problems
            .iter()
            .map(|p| (p.code.to_owned(), json!({ "$ref": format!("#/components/examples/{}", p.code) })))
            .collect();
        let schema = json!({ "$ref": format!("#/components/schemas/{}", view(status)) });
        let content = json!({ "application/problem+json": { "schema": schema, "examples": examples } });
        responses.insert(status.to_string(), json!({ "description": text, "content": content }));
    }
}

/// A problem document, as an example of its code.
fn example(problem: &ProblemCode) -> Value {
    let mut value = json!({
        "type": format!("/problems#{}", problem.code),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.meaning,
        "code": problem.code,
        "request_id": "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e",
    });
    if problem.code == "invalid_value"
        && let Some(fields) = value.as_object_mut()
    {
        let message = "La clé de contrôle du SIRET est fausse (Luhn) : un chiffre est mal recopié.";
        fields.insert("detail".to_owned(), format!("/siret : {message}").into());
        let error = json!({ "pointer": "/siret", "code": "siret_key", "message": message, "value": "21300278500012" });
        fields.insert("errors".to_owned(), json!([error]));
    }
    json!({ "summary": problem.title, "value": value })
}

fn header_components() -> Value {
    let header = |text: &str, schema: Value, example: Value, required: bool| json!({ "description": text, "schema": schema, "example": example, "required": required });
    let text = || json!({ "type": "string" });
    json!({
        "Content-Disposition": header("Nom proposé pour le fichier.", text(),
            json!("attachment; filename=\"ENT-B-2025-0001.csv\""), true),
        "ETag": header("Version de l'objet, ou empreinte du fichier ; à renvoyer dans `If-Match`.",
            json!({ "type": "string", "pattern": "^\"[0-9a-f]+\"$" }), json!("\"1\""), true),
        "Location": header("Adresse de ce qui vient d'être créé.",
            json!({ "type": "string", "format": "uri-reference" }), json!("/api/v1/accounting-batches/ENT-B-2025-0001"), true),
        "Retry-After": header("Attente avant de réessayer, en secondes.",
            json!({ "type": "integer", "minimum": 0 }), json!(5), false),
        "WWW-Authenticate": header("Schéma d'authentification attendu.", text(), json!("Bearer"), true),
        "X-Request-Id": header("Identifiant de l'appel : celui envoyé, s'il convient, ou un nouveau ; c'est aussi \
            `request_id` des problèmes.", text(), json!("019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e"), true),
    })
}

/// Names the headers of each answer.
fn headers(operation: &mut Value) {
    let id = id(operation);
    for (status, response) in object(operation, &["responses"]).into_iter().flatten() {
        let is_file =
            response.pointer("/content/text~1csv").or(response.pointer("/content/application~1pdf")).is_some();
        let mut names = vec!["X-Request-Id"];
        match status.as_str() {
            "201" => names.extend(["Location", "ETag"]),
            "200" if VERSIONED.contains(&id.as_str()) => names.push("ETag"),
            "401" => names.push("WWW-Authenticate"),
            "429" | "503" => names.push("Retry-After"),
            _ => {}
        }
        if is_file {
            names.push("Content-Disposition");
        }
        let headers: Map<String, Value> = names
            .into_iter()
            .map(|name| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })))
            .collect();
        if let Some(fields) = response.as_object_mut() {
            fields.insert("headers".to_owned(), Value::Object(headers));
        }
    }
}
