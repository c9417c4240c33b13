//! What answers outside `/api/v1`: health and the catalogue of problem codes, without an account.

use serde_json::{Value, json};

use super::object;

pub(super) fn add(document: &mut Value) {
    let told = |status: &[&str]| json!({ "type": "string", "enum": status });
    let whole = |fields: Value| {
        let names: Vec<&String> = fields.as_object().into_iter().flat_map(|fields| fields.keys()).collect();
        json!({ "type": "object", "required": names, "properties": fields })
    };
    let count = |text: &str| json!({ "type": "integer", "format": "int64", "minimum": 0, "description": text });
    let checked = || whole(json!({ "status": told(&["ok"]) }));
    let Some(schemas) = object(document, &["components", "schemas"]) else { return };
    schemas.insert("LiveView".to_owned(), checked());
    let jobs = whole(json!({
        "status": told(&["ok", "late"]),
        "oldest_due_seconds": count("Attente du plus ancien travail dû, que personne n'a pris."),
        "late_after_seconds": count("À partir de quand elle est anormale (`jobs.late_after_seconds`)."),
        "queued": count("En attente."), "running": count("En cours."), "failed": count("Abandonnés, à examiner.")
    }));
    let checks = whole(json!({ "database": checked(), "migrations": checked(), "jobs": jobs }));
    schemas.insert("ReadyView".to_owned(), whole(json!({ "status": told(&["ok", "degraded"]), "checks": checks })));
    schemas.insert(
        "ProblemCodeView".to_owned(),
        json!({
            "type": "object", "description": "Un code de problème.",
            "properties": {
                "code": {"type": "string", "description": "Stable, en anglais."},
                "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599},
                "title": {"type": "string"},
                "meaning": {"type": "string", "description": "Ce qu'il veut dire et comment y remédier."}
            },
            "required": ["code", "status", "title", "meaning"]
        }),
    );
    schemas.insert(
        "ProblemCodesView".to_owned(),
        json!({
            "type": "object", "required": ["data"],
            "properties": {"data": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemCodeView"}}}
        }),
    );
    let Some(paths) = object(document, &["paths"]) else { return };
    paths.insert(
        "/health/live".to_owned(),
        get("get_liveness", "Le programme répond-il ?", "Pour qui le relance : ne regarde pas la base.", "LiveView"),
    );
    paths.insert(
        "/health/ready".to_owned(),
        get(
            "get_readiness",
            "Le programme peut-il servir ?",
            "Pour qui lui adresse du trafic : la base répond et ses migrations sont faites ; sinon `errors` nomme ce qui \
             manque. Des travaux en retard se lisent (`degraded`) sans écarter l'instance.",
            "ReadyView",
        ),
    );
    let mut problems = get(
        "list_problems",
        "Lister les codes de problème",
        "Le catalogue entier ; une page lisible pour qui demande `text/html`.",
        "ProblemCodesView",
    );
    if let Some(content) = problems.pointer_mut("/get/responses/200/content").and_then(Value::as_object_mut) {
        content.insert("text/html".to_owned(), json!({ "schema": { "type": "string" } }));
    }
    paths.insert("/problems".to_owned(), problems);
}

fn get(id: &str, summary: &str, description: &str, view: &str) -> Value {
    json!({ "get": {
        "operationId": id, "tags": ["Service"], "summary": summary, "description": description, "security": [{}],
        "responses": {"200": {
            "description": "Oui, ou la liste",
            "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{view}")}}}
        }}
    }})
}
