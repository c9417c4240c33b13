//! Shapes that the derived types do not say exactly: flattened views, pages, merge patches, acts in number, files,
//! parameters.

use serde_json::{Map, Value, json};

use super::{Sometimes, declared, each_operation, object};
use crate::platform::web::docs::{Act, Patch, SOMETIMES, Selection};

pub(super) fn settle(document: &mut Value, sometimes: &[Sometimes]) {
    let mut operations = Vec::new();
    each_operation(document, |_, _, operation| {
        operations.push((declared(operation).unwrap_or_default(), view(operation)))
    });
    let Some(schemas) = object(document, &["components", "schemas"]) else { return };
    for selection in operations.iter().filter_map(|(answers, _)| answers.selection.as_ref()) {
        schemas.extend(selection.schemas.clone());
    }
    flatten(schemas);
    for (name, fields) in sometimes {
        mark(schemas, name, fields);
    }
    for (answers, _) in &operations {
        if let Some(Selection { request, filter, .. }) = &answers.selection {
            selection_of(schemas, request, filter);
        }
        if let Some(Patch { request, beside }) = &answers.patch {
            patch_of(schemas, request);
            let patch = schemas.get_mut(&patch_name(request)).and_then(|p| p.get_mut("properties"));
            if let Some(fields) = patch.and_then(Value::as_object_mut) {
                fields.extend(beside.clone());
            }
        }
    }
    let mut generic = vec!["BulkItem", "BulkRequest", "Object"];
    for (answers, view) in &operations {
        if let (Some(act), Some(view)) = (&answers.act, view) {
            act_of(schemas, view, act);
            generic.push(view);
        }
    }
    generic.into_iter().for_each(|name| {
        schemas.shift_remove(name);
    });
    schemas.insert(
        "ImportForm".to_owned(),
        json!({
            "type": "object", "description": "Un fichier CSV (UTF-8 ou Windows-1252, `;` ou `,`) ou XLSX.",
            "properties": {"file": {"type": "string", "format": "binary", "description": "Le fichier."}},
            "required": ["file"], "additionalProperties": false
        }),
    );
    each_operation(document, |_, path, operation| {
        let answers = declared(operation).unwrap_or_default();
        parameters(path, operation);
        if let Some(selection) = &answers.selection {
            set(operation, "/requestBody/content/application~1json/schema", reference(&selection.request));
        }
        if let Some(patch) = &answers.patch {
            set(operation, "/requestBody/content/application~1json/schema", reference(&patch_name(&patch.request)));
        }
        if let Some(act) = &answers.act {
            set(operation, "/responses/200/content/application~1json/schema", reference(&act.answer));
        }
        if !answers.files.is_empty() {
            file(operation, &answers.files);
        }
        // A form that says what it holds is left as it is.
        if let Some(form) = operation.pointer_mut("/requestBody/content/multipart~1form-data")
            && form.get("schema").and_then(target).is_none_or(|name| name == "Object")
        {
            *form = json!({ "schema": reference("ImportForm") });
        }
        if let Some(body) = operation.get_mut("requestBody").and_then(Value::as_object_mut) {
            body.insert("required".to_owned(), Value::Bool(true));
        }
    });
    always_there(document);
    pages(document);
}

/// The type a handler answers with.
fn view(operation: &Value) -> Option<String> {
    target(operation.pointer("/responses/200/content/application~1json/schema")?).map(str::to_owned)
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schema a reference names.
fn target(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/")
}

fn set(operation: &mut Value, pointer: &str, value: Value) {
    if let Some(place) = operation.pointer_mut(pointer) {
        *place = value;
    }
}

/// A flattened field is a field of the whole: one object instead of an intersection, in which a request that admits no
/// other field would contradict the rest.
fn flatten(schemas: &mut Map<String, Value>) {
    let names: Vec<String> = schemas.keys().cloned().collect();
    for name in names {
        if let Some(whole) = schemas.get(&name).and_then(|schema| flat(schema, schemas)) {
            schemas.insert(name, whole);
        }
    }
}

fn flat(schema: &Value, schemas: &Map<String, Value>) -> Option<Value> {
    let parts = schema.get("allOf")?.as_array()?;
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in parts {
        let part = target(part).and_then(|name| schemas.get(name)).unwrap_or(part);
        let part = flat(part, schemas).unwrap_or_else(|| part.clone());
        properties.extend(part.get("properties").and_then(Value::as_object).cloned().unwrap_or_default());
        required.extend(part.get("required").and_then(Value::as_array).cloned().unwrap_or_default());
    }
    let mut whole = json!({ "type": "object", "properties": properties, "required": required });
    if let (Some(text), Some(fields)) = (schema.get("description"), whole.as_object_mut()) {
        fields.insert("description".to_owned(), text.clone());
    }
    Some(whole)
}

fn patch_name(request: &str) -> String {
    format!("{}Patch", request.trim_end_matches("Request"))
}

/// The merge patch of a request: the same fields, none required, at every depth.
fn patch_of(schemas: &mut Map<String, Value>, request: &str) {
    let name = patch_name(request);
    let Some(Value::Object(mut patch)) = schemas.get(request).cloned() else { return };
    if schemas.contains_key(&name) {
        return;
    }
    patch.shift_remove("required");
    patch.shift_remove("example");
    let text = "Fusion JSON (RFC 7396) : un champ absent ne change pas ; `null` efface ce qui peut l'être.";
    patch.insert("description".to_owned(), text.into());
    // Its name is taken before its parts are looked at: a type may contain itself.
    schemas.insert(name.clone(), Value::Object(Map::new()));
    for field in patch.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        if let Some(fields) = field.as_object_mut() {
            // What a creation assumes is no default of a modification.
            fields.shift_remove("default");
        }
        let choices = match field.get_mut("oneOf") {
            Some(Value::Array(choices)) => choices.iter_mut().collect(),
            _ => vec![field],
        };
        for choice in choices {
            let part = target(choice).map(str::to_owned);
            if let Some(part) = part.filter(|p| schemas.get(p).is_some_and(|s| s.get("properties").is_some())) {
                patch_of(schemas, &part);
                if let Some(fields) = choice.as_object_mut() {
                    fields.extend(reference(&patch_name(&part)).as_object().cloned().unwrap_or_default());
                }
            }
        }
    }
    schemas.insert(name, Value::Object(patch));
}

/// A request in number whose `filter` is this type.
fn selection_of(schemas: &mut Map<String, Value>, name: &str, filter: &str) {
    let Some(mut request) = schemas.get("BulkRequest").cloned() else { return };
    set(&mut request, "/properties/filter", json!({ "oneOf": [reference(filter), { "type": "null" }] }));
    schemas.insert(name.to_owned(), request);
}

/// Pages name what they hold: `PageView_SchoolView`, written out by the collector, becomes `SchoolPage`.
fn pages(document: &mut Value) {
    let Some(schemas) = object(document, &["components", "schemas"]) else { return };
    let names: Vec<String> = schemas.keys().filter(|name| name.starts_with("PageView_")).cloned().collect();
    for name in &names {
        let Some(item) = name.strip_prefix("PageView_") else { continue };
        if let Some(mut page) = schemas.shift_remove(name) {
            set(&mut page, "/properties/data/items", reference(item));
            schemas.insert(page_name(name), page);
        }
    }
    rename(document, &names);
}

fn page_name(name: &str) -> String {
    format!("{}Page", name.trim_start_matches("PageView_").trim_end_matches("View"))
}

fn rename(part: &mut Value, names: &[String]) {
    match part {
        Value::Object(fields) => {
            let old = fields.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next()).map(str::to_owned);
            if let Some(old) = old.filter(|old| names.contains(old)) {
                fields.extend(reference(&page_name(&old)).as_object().cloned().unwrap_or_default());
            }
            fields.values_mut().for_each(|value| rename(value, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        _ => {}
    }
}

/// What is no part of the address is a parameter of the query: there or not, never null.
fn parameters(path: &str, operation: &mut Value) {
    let list = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in list.into_iter().flatten() {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
        if place == "header" || path.contains(&format!("{{{name}}}")) {
            continue;
        }
        set(parameter, "/in", "query".into());
        set(parameter, "/required", false.into());
        let Some(schema) = parameter.get_mut("schema") else { continue };
        if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
            let named = choices.iter().find(|choice| choice.get("type").is_none_or(|kind| kind != "null")).cloned();
            *schema = named.unwrap_or_default();
        }
        if let Some(kinds) = schema.get("type").and_then(Value::as_array) {
            let kind = kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default();
            set(schema, "/type", kind);
        }
        if name == "limit" {
            let most = crate::platform::page::MAX_LIMIT;
            let usual = crate::platform::page::DEFAULT_LIMIT;
            *schema = json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": most, "default": usual });
        }
    }
}

/// The answer of an act in number: one count per outcome, and items whose outcome is one of them.
fn act_of(schemas: &mut Map<String, Value>, view: &str, Act { answer: name, outcomes }: &Act) {
    let (Some(view), Some(item)) = (schemas.get(view), schemas.get("BulkItem")) else { return };
    let item_name = format!("{}Item", name.trim_end_matches("Answer"));
    let (view, mut item) = (view.clone(), item.clone());
    let counts = outcomes.iter().map(|outcome| {
        let text = format!("Combien ont l'issue `{outcome}`.");
        (outcome.clone(), json!({ "type": "integer", "format": "int64", "minimum": 0, "description": text }))
    });
    let mut properties: Map<String, Value> = counts.collect();
    // The counts are flattened: what the view says of its own stands beside them.
    properties.extend(view.get("properties").and_then(Value::as_object).cloned().unwrap_or_default());
    properties.insert("items".to_owned(), json!({ "type": "array", "items": reference(&item_name) }));
    let required: Vec<String> = properties.keys().cloned().collect();
    schemas.insert(
        name.to_owned(),
        json!({
            "type": "object", "description": "Un compte par issue, le montant de ce qui a abouti, et chaque objet.",
            "properties": properties, "required": required
        }),
    );
    set(&mut item, "/properties/outcome", json!({ "type": "string", "enum": outcomes }));
    schemas.insert(item_name, item);
}

/// A file: bytes of one of these types.
fn file(operation: &mut Value, media_types: &[String]) {
    let bytes = json!({ "schema": { "type": "string", "format": "binary" } });
    let machine = json!({ "schema": { "type": "object", "description": "Le même contenu, pour une machine." } });
    let content: Map<String, Value> = media_types
        .iter()
        .map(|media_type| {
            let content = if media_type == "application/json" { &machine } else { &bytes };
            (media_type.clone(), content.clone())
        })
        .collect();
    if let Some(answer) = object(operation, &["responses", "200"]) {
        answer.insert("content".to_owned(), Value::Object(content));
    }
}

/// The names reached from a part of the document.
fn reached(part: &Value, schemas: &Map<String, Value>, names: &mut Vec<String>) {
    match part {
        Value::Object(fields) => {
            if let Some(name) = target(part)
                && !names.iter().any(|n| n == name)
            {
                names.push(name.to_owned());
                if let Some(schema) = schemas.get(name) {
                    reached(schema, schemas, names);
                }
            }
            fields.values().for_each(|value| reached(value, schemas, names));
        }
        Value::Array(items) => items.iter().for_each(|item| reached(item, schemas, names)),
        _ => {}
    }
}

/// Leaves out the types that nothing names any more, their fields being those of another.
pub(super) fn prune(document: &mut Value) {
    let paths = document.get("paths").cloned().unwrap_or_default();
    let Some(schemas) = object(document, &["components", "schemas"]) else { return };
    let mut named = Vec::new();
    reached(&paths, schemas, &mut named);
    schemas.retain(|name, _| named.contains(name));
    schemas.sort_keys();
}

/// In what is only ever answered, a field that may be null is there all the same: clients need not ask twice.
fn always_there(document: &mut Value) {
    let mut asked = Vec::new();
    let mut requests = Vec::new();
    each_operation(document, |_, _, operation| requests.extend(operation.get("requestBody").cloned()));
    let Some(schemas) = object(document, &["components", "schemas"]) else { return };
    requests.iter().for_each(|body| reached(body, schemas, &mut asked));
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| !asked.contains(name)) {
        let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let required: Vec<Value> =
            fields.filter(|(_, field)| field.get(SOMETIMES).is_none()).map(|(name, _)| name.as_str().into()).collect();
        if let Some(fields) = schema.as_object_mut().filter(|_| !required.is_empty()) {
            fields.insert("required".to_owned(), Value::Array(required));
        }
    }
    unmark(schemas.values_mut());
}

/// Marks what is left out of a type of answers when there is nothing to say; its copies are marked too.
fn mark(schemas: &mut Map<String, Value>, name: &str, fields: &[&str]) {
    for field in fields {
        let place = schemas.get_mut(name).and_then(|schema| schema.pointer_mut(&format!("/properties/{field}")));
        if let Some(place) = place.and_then(Value::as_object_mut) {
            place.insert(SOMETIMES.to_owned(), true.into());
        }
    }
}

/// The marks have said what they had to.
fn unmark<'s>(schemas: impl Iterator<Item = &'s mut Value>) {
    for schema in schemas {
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
        for field in fields.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
            field.shift_remove(SOMETIMES);
        }
    }
}
