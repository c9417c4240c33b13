//! What answers outside `/api/v1`: health, measures and the catalogue of problem codes, without an account.

use serde_json::{Map, Value, json};

use super::object;

pub(super) fn add(document: &mut Value) {
    let Some(schemas) = object(document, &["components", "schemas"]) else { return };
    health(schemas);
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
            "Pour qui lui adresse du trafic : la base répond, ses migrations sont faites, c'est toujours celle du \
             démarrage, et une ligne peut y être écrite.",
            "ReadyView",
        ),
    );
    let mut metrics = get(
        "get_metrics",
        "Lire les mesures",
        "Format d'exposition de Prometheus ; ouvert aux programmes de la même machine, ou à l'adresse \
         `metrics.listen` de la configuration : ailleurs, 404.",
        "",
    );
    if let Some(content) = metrics.pointer_mut("/get/responses/200/content") {
        *content = json!({ "text/plain": { "schema": { "type": "string" } } });
    }
    paths.insert("/metrics".to_owned(), metrics);
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

/// Health, as `app::health` tells it.
fn health(schemas: &mut Map<String, Value>) {
    let states = |names: &[&str]| json!({ "type": "string", "enum": names });
    let count = |text: &str| json!({ "type": "integer", "format": "int64", "minimum": 0, "description": text });
    let check = || json!({ "$ref": "#/components/schemas/HealthCheck" });
    schemas.insert(
        "LiveView".to_owned(),
        json!({ "type": "object", "properties": { "status": states(&["ok"]) }, "required": ["status"] }),
    );
    schemas.insert(
        "ReadyView".to_owned(),
        json!({
            "type": "object", "required": ["status", "checks"],
            "properties": {
                "status": states(&["ok", "degraded"]), "checks": {"$ref": "#/components/schemas/HealthChecks"}
            }
        }),
    );
    schemas.insert(
        "HealthCheck".to_owned(),
        json!({
            "type": "object", "required": ["status"],
            "properties": {
                "status": states(&["ok", "busy", "failed", "unknown"]),
                "detail": {"type": "string", "description": "Ce qui manque, et le remède."}
            }
        }),
    );
    schemas.insert(
        "HealthChecks".to_owned(),
        json!({
            "type": "object", "description": "Ce qui a été regardé.",
            "properties": {
                "database": check(), "migrations": check(), "base": check(), "writes": check(),
                "jobs": {"$ref": "#/components/schemas/QueueCheck"}, "clock": {"$ref": "#/components/schemas/ClockCheck"}
            }
        }),
    );
    schemas.insert(
        "ClockCheck".to_owned(),
        json!({
            "type": "object", "required": ["status"],
            "description": "L'horloge, au regard de la dernière heure vue : loin après (`ahead`), ou avant (`behind`).",
            "properties": {
                "status": states(&["ok", "ahead", "behind", "unknown"]),
                "detail": {"type": "string", "description": "Les deux heures, et ce qui attend."}
            }
        }),
    );
    schemas.insert(
        "QueueCheck".to_owned(),
        json!({
            "type": "object", "description": "Les travaux de fond.",
            "properties": {
                "status": states(&["ok", "late", "unknown"]),
                "oldest_due_seconds": count("Âge du plus ancien travail à faire."),
                "late_after_seconds": count("Âge à partir duquel la file est en retard."),
                "queued": count("Travaux en attente."), "running": count("Travaux en cours."),
                "failed": count("Travaux abandonnés, qu'une personne doit regarder.")
            },
            "required": ["status"]
        }),
    );
    if let Some(mut problem) = schemas.get("ProblemView").cloned() {
        if let Some(fields) = object(&mut problem, &["properties"]) {
            fields.insert("checks".to_owned(), json!({ "$ref": "#/components/schemas/HealthChecks" }));
        }
        schemas.insert(super::UNREADY.to_owned(), problem);
    }
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
