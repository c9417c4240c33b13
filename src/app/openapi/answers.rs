//! Refusals, with the codes each route may answer with, and the headers of every answer.
//!
//! What follows from the shape of a route (a body, a key in the path, a cursor…) is deduced; the rest stands beside its
//! handler ([`Answers`]). A test holds every answer of the whole suite against the result: a code that is not here
//! fails it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{BEARER, declared, each_operation, object};
use crate::access::problems::{FORBIDDEN, TOKEN_EXPIRED, UNAUTHENTICATED};
use crate::app::catalogue;
use crate::app::doors::{
    BODY_TOO_SLOW, DUPLICATE_HEADER, HEADERS_TOO_LARGE, MALFORMED_PATH, UNSUPPORTED_CONTENT_ENCODING, URI_TOO_LONG,
};
use crate::app::edge::TIMED_OUT;
use crate::app::misread::{HEAD_TOO_SLOW, MALFORMED_REQUEST};
use crate::kernel::ProblemCode;
use crate::kernel::refused::INVALID_VALUE;
use crate::kernel::version::{PRECONDITION_FAILED, PRECONDITION_REQUIRED};
use crate::platform::db::idempotency::{IN_FLIGHT, KEY_REUSED};
use crate::platform::page::BAD_CURSOR;
use crate::platform::web::docs::{ANSWERS, Answers};
use crate::platform::web::problem::{
    BAD_FORM, DATABASE_BUSY, INTEGRITY_FAULT, INTERNAL_ERROR, MALFORMED_JSON, MALFORMED_QUERY, PAYLOAD_TOO_LARGE,
    UNAVAILABLE, UNKNOWN_FIELD, UNKNOWN_PARAMETER, UNSUPPORTED_MEDIA_TYPE,
};

pub(super) fn complete(document: &mut Value) {
    let catalogue = catalogue();
    let mut answered = BTreeSet::new();
    each_operation(document, |method, path, operation| {
        let answers = declared(operation).unwrap_or_default();
        parameters(method, path, &answers, operation);
        let codes = codes(method, path, &answers, operation);
        answered.extend(codes.iter().map(|code| (*code).to_owned()));
        refusals(operation, &codes, &catalogue);
        headers(&answers, operation);
        if !is_open(operation)
            && let Some(fields) = operation.as_object_mut()
        {
            fields.insert("security".to_owned(), json!([{ BEARER: [] }]));
        }
        if let Some(fields) = operation.as_object_mut() {
            fields.shift_remove(ANSWERS);
        }
    });
    // What no operation answers has no place here: a method that an address does not admit, a link of the communes' pages.
    let told = catalogue.iter().filter(|problem| answered.contains(problem.code));
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

/// A preview writes nothing: there is nothing to repeat.
fn is_keyed(method: &str, path: &str) -> bool {
    method == "post" && !path.starts_with("/api/v1/auth/") && !path.ends_with("/previews")
}

/// Adds the headers a caller may send.
fn parameters(method: &str, path: &str, answers: &Answers, operation: &mut Value) {
    let mut more = Vec::new();
    if answers.version_optional {
        more.push(json!({
            "name": "If-Match", "in": "header", "required": false, "schema": {"type": "string"}, "example": "\"1\"",
            "description": "`ETag` lu ; facultatif, l'état de l'objet décide de toute façon."
        }));
    }
    if operation.pointer("/responses/202").is_some() {
        more.push(json!({
            "name": "Prefer", "in": "header", "required": false, "schema": {"type": "string"}, "example": "respond-async",
            "description": "`respond-async` (RFC 7240) : ne pas attendre l'acte, et le suivre à l'adresse de `Location`."
        }));
    }
    if is_keyed(method, path) {
        more.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]{1,200}$"},
            "example": "3f6c0a52-emission-2025-2026",
            "description": "Propre à qui appelle, à la route et à ses clés. Répété dans les 24 heures avec les mêmes paramètres et le même corps, \
                            l'appel redonne la même réponse sans agir ; avec un autre contenu, il est refusé (422) ; pendant que le premier \
                            court, aussi (409). Un refus ou un essai (`dry_run`) n'est pas gardé."
        }));
    }
    if let (Some(fields), false) = (operation.as_object_mut(), more.is_empty()) {
        let list = fields.entry("parameters").or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut().into_iter().for_each(|list| list.append(&mut more));
    }
}

/// The codes an operation may answer with.
fn codes<'a>(method: &str, path: &str, answers: &'a Answers, operation: &Value) -> Vec<&'a str> {
    let mut codes: Vec<&ProblemCode> = vec![
        &MALFORMED_REQUEST,
        &HEAD_TOO_SLOW,
        &MALFORMED_PATH,
        &DUPLICATE_HEADER,
        &URI_TOO_LONG,
        &UNSUPPORTED_CONTENT_ENCODING,
        &HEADERS_TOO_LARGE,
    ];
    let in_api = path.starts_with("/api/v1/");
    if in_api {
        // A row that cannot be read may be met by whoever reads the base.
        codes.extend([
            &INTERNAL_ERROR,
            &INTEGRITY_FAULT,
            &DATABASE_BUSY,
            &UNAVAILABLE,
            &TIMED_OUT,
            &UNKNOWN_PARAMETER,
            &MALFORMED_QUERY,
        ]);
    }
    if !is_open(operation) {
        codes.extend([&UNAUTHENTICATED, &TOKEN_EXPIRED, &FORBIDDEN]);
    }
    let takes = |media_type: &str| operation.pointer(&format!("/requestBody/content/{media_type}")).is_some();
    let (json, form) = (takes("application~1json"), takes("multipart~1form-data"));
    let (path_key, query) = (has_parameter(operation, "path", None), has_parameter(operation, "query", None));
    if json {
        codes.extend([&MALFORMED_JSON, &UNKNOWN_FIELD]);
    }
    if form {
        codes.push(&BAD_FORM);
    }
    if json || form {
        codes.extend([&PAYLOAD_TOO_LARGE, &UNSUPPORTED_MEDIA_TYPE, &BODY_TOO_SLOW]);
    }
    if has_parameter(operation, "query", Some("cursor")) {
        codes.push(&BAD_CURSOR);
    }
    if json || path_key || query || is_keyed(method, path) {
        codes.push(&INVALID_VALUE);
    }
    if is_keyed(method, path) {
        // An `If-Match` that nothing would check is refused.
        codes.extend([&KEY_REUSED, &IN_FLIGHT, &PRECONDITION_FAILED]);
    }
    if has_parameter(operation, "header", Some("If-Match")) {
        codes.push(&PRECONDITION_FAILED);
        if !answers.version_optional {
            codes.push(&PRECONDITION_REQUIRED);
        }
    }
    let own = answers.refusals.iter().map(String::as_str);
    let deduced =
        codes.into_iter().map(|code| code.code).filter(|code| !answers.refusals.iter().any(|own| own == code));
    own.chain(deduced).collect()
}

/// Writes the refusals, in the place of what the handler said of them.
fn refusals(operation: &mut Value, codes: &[&str], catalogue: &[&'static ProblemCode]) {
    let mut by_status: BTreeMap<u16, Vec<&ProblemCode>> = BTreeMap::new();
    for problem in catalogue.iter().filter(|problem| codes.contains(&problem.code)) {
        by_status.entry(problem.status).or_default().push(problem);
    }
    // An operation outside the API may say how its refusals look.
    let own: Vec<(String, Value)> = object(operation, &["responses"])
        .map(|responses| responses.iter().map(|(status, answer)| (status.clone(), answer.clone())).collect())
        .unwrap_or_default();
    let Some(responses) = object(operation, &["responses"]) else { return };
    responses.retain(|status, _| status.starts_with('2'));
    for (status, problems) in by_status {
        let status = status.to_string();
        let text = problems.iter().map(|p| format!("`{}` : {}.", p.code, p.title)).collect::<Vec<_>>().join(" ");
        let examples: Map<String, Value> = problems
            .iter()
            .map(|p| (p.code.to_owned(), json!({ "$ref": format!("#/components/examples/{}", p.code) })))
            .collect();
        let schema = own
            .iter()
            .find(|(declared, _)| *declared == status)
            .and_then(|(_, answer)| answer.pointer("/content/application~1problem+json/schema").cloned())
            .unwrap_or_else(|| json!({ "$ref": "#/components/schemas/ProblemView" }));
        let content = json!({ "application/problem+json": { "schema": schema, "examples": examples } });
        responses.insert(status, json!({ "description": text, "content": content }));
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
    if *problem == INVALID_VALUE
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
        "Location": header("Adresse de ce qui vient d'être créé, ou du travail à suivre.",
            json!({ "type": "string", "format": "uri-reference" }), json!("/api/v1/accounting-batches/ENT-B-2025-0001"), true),
        "Preference-Applied": header("La préférence suivie.", text(), json!("respond-async"), true),
        "Retry-After": header("Attente avant de réessayer, en secondes.",
            json!({ "type": "integer", "minimum": 0 }), json!(5), false),
        "WWW-Authenticate": header("Schéma d'authentification attendu.", text(), json!("Bearer"), true),
        "X-Request-Id": header("Identifiant de l'appel : celui envoyé, s'il convient, ou un nouveau ; c'est aussi \
            `request_id` des problèmes.", text(), json!("019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e"), true),
    })
}

/// Names the headers of each answer.
fn headers(answers: &Answers, operation: &mut Value) {
    for (status, response) in object(operation, &["responses"]).into_iter().flatten() {
        let is_file = ["text~1csv", "application~1pdf", "image~1jpeg"]
            .iter()
            .any(|media_type| response.pointer(&format!("/content/{media_type}")).is_some());
        let mut names = vec!["X-Request-Id"];
        match status.as_str() {
            "201" => names.extend(["Location", "ETag"]),
            "200" if answers.versioned => names.push("ETag"),
            "202" => names.extend(["Location", "Preference-Applied"]),
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
