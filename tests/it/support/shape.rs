//! Does a value have the shape a schema tells? JSON Schema 2020-12, as much of it as our document uses.
//!
//! A keyword that is not read here stops the test rather than being passed over. Objects are closed: a field that the
//! schema does not name is a fault, even where the document leaves room for fields to come. (A library would do, but
//! those there are change how serde_json is built, and with it the program under test.)

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use regex::Regex;
use serde_json::{Map, Value};

/// Words that say nothing of the shape.
const SILENT: &[&str] = &["description", "example", "default", "title"];

/// Notes what is wrong with a value, at its place.
pub fn hold(document: &Value, schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
    let rules = schema.as_object().unwrap_or_else(|| panic!("no schema: {schema}"));
    for (keyword, rule) in rules {
        if SILENT.contains(&keyword.as_str()) {
            continue;
        }
        let fault = match keyword.as_str() {
            "$ref" => {
                let name = rule.as_str().unwrap().trim_start_matches('#');
                hold(document, document.pointer(name).unwrap(), value, place, faults);
                None
            }
            "oneOf" => {
                let fitting = rule.as_array().unwrap().iter().filter(|choice| fits(document, choice, value)).count();
                (fitting != 1).then(|| format!("fits {fitting} of the choices {rule}"))
            }
            "type" => (!kinds(rule).any(|kind| is(kind, value))).then(|| format!("is no {rule}")),
            "enum" => (!rule.as_array().unwrap().contains(value)).then(|| format!("is none of {rule}")),
            "minimum" => value.as_f64().filter(|n| *n < rule.as_f64().unwrap()).map(|_| format!("is below {rule}")),
            "maximum" => value.as_f64().filter(|n| *n > rule.as_f64().unwrap()).map(|_| format!("is above {rule}")),
            "minLength" => {
                length(value).filter(|n| *n < rule.as_u64().unwrap()).map(|_| format!("is shorter than {rule}"))
            }
            "maxLength" => {
                length(value).filter(|n| *n > rule.as_u64().unwrap()).map(|_| format!("is longer than {rule}"))
            }
            "pattern" => {
                value.as_str().filter(|s| !matches(rule.as_str().unwrap(), s)).map(|_| format!("does not match {rule}"))
            }
            "format" => value.as_str().filter(|s| !formed(rule.as_str().unwrap(), s)).map(|_| format!("is no {rule}")),
            "minItems" => {
                let count = value.as_array().map(|items| u64::try_from(items.len()).unwrap());
                count.filter(|n| *n < rule.as_u64().unwrap()).map(|_| format!("has fewer than {rule} items"))
            }
            "maxItems" => {
                let count = value.as_array().map(|items| u64::try_from(items.len()).unwrap());
                count.filter(|n| *n > rule.as_u64().unwrap()).map(|_| format!("has more than {rule} items"))
            }
            "items" => {
                for (rank, item) in value.as_array().into_iter().flatten().enumerate() {
                    hold(document, rule, item, &format!("{place}/{rank}"), faults);
                }
                None
            }
            "required" => {
                let names = rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                let missing: Vec<&str> = names.filter(|name| value.is_object() && value.get(name).is_none()).collect();
                (!missing.is_empty()).then(|| format!("lacks {missing:?}"))
            }
            "properties" => {
                fields(document, rules, value, place, faults);
                None
            }
            "additionalProperties" if rule.is_boolean() || rules.contains_key("properties") => None,
            "additionalProperties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    hold(document, rule, value, &format!("{place}/{name}"), faults);
                }
                None
            }
            "propertyNames" => None,
            other => panic!("{place}: the keyword {other} is not read"),
        };
        faults.extend(fault.map(|fault| format!("{place}: {value} {fault}")));
    }
}

fn fields(document: &Value, rules: &Map<String, Value>, value: &Value, place: &str, faults: &mut Vec<String>) {
    let more = rules.get("additionalProperties").filter(|rule| rule.is_object());
    for (name, field) in value.as_object().into_iter().flatten() {
        match rules["properties"].get(name).or(more) {
            Some(rule) => hold(document, rule, field, &format!("{place}/{name}"), faults),
            None => faults.push(format!("{place}: the field {name} is not told")),
        }
    }
}

fn fits(document: &Value, schema: &Value, value: &Value) -> bool {
    let mut faults = Vec::new();
    hold(document, schema, value, "", &mut faults);
    faults.is_empty()
}

fn kinds(rule: &Value) -> impl Iterator<Item = &str> {
    rule.as_str().into_iter().chain(rule.as_array().into_iter().flatten().map(|kind| kind.as_str().unwrap()))
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is unknown"),
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| u64::try_from(text.chars().count()).unwrap())
}

fn matches(pattern: &str, text: &str) -> bool {
    static KNOWN: OnceLock<Mutex<HashMap<String, Regex>>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap();
    known.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).unwrap()).is_match(text)
}

fn formed(format: &str, text: &str) -> bool {
    match format {
        "date" => text.len() == 10 && text.parse::<chrono::NaiveDate>().is_ok(),
        "date-time" => text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        "uuid" => text.len() == 36 && text.parse::<uuid::Uuid>().is_ok(),
        "uri-reference" => text.starts_with('/'),
        // Said by a pattern, or free.
        "password" | "binary" | "int32" | "int64" => true,
        other => panic!("the format {other} is unknown"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_shape_is_told_where_it_is() {
        let document =
            json!({"components": {"schemas": {"Money": {"type": "string", "pattern": "^[0-9]+\\.[0-9]{2}$"}}}});
        let schema = json!({
            "type": "object", "required": ["id", "total"],
            "properties": {
                "id": {"type": "string", "format": "uuid"}, "total": {"$ref": "#/components/schemas/Money"},
                "kind": {"oneOf": [{"type": "null"}, {"type": "string", "enum": ["a", "b"]}]},
                "count": {"type": ["integer", "null"], "minimum": 0, "maximum": 3},
                "names": {"type": "array", "maxItems": 2, "items": {"type": "string", "minLength": 1, "maxLength": 2}}
            }
        });
        let told = |value: Value| {
            let mut faults = Vec::new();
            hold(&document, &schema, &value, "", &mut faults);
            faults
        };
        let id = "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e";
        assert!(told(json!({"id": id, "total": "80.00", "kind": null, "count": 3, "names": ["é"]})).is_empty());
        for wrong in [
            json!({"id": id}),
            json!({"id": "x", "total": "80.00"}),
            json!({"id": id, "total": 80}),
            json!({"id": id, "total": "80,00"}),
            json!({"id": id, "total": "80.00", "kind": "c"}),
            json!({"id": id, "total": "80.00", "count": 4}),
            json!({"id": id, "total": "80.00", "count": -1}),
            json!({"id": id, "total": "80.00", "names": [""]}),
            json!({"id": id, "total": "80.00", "names": ["abc"]}),
            json!({"id": id, "total": "80.00", "names": ["a", "b", "c"]}),
            json!({"id": id, "total": "80.00", "more": 1}),
            json!([]),
        ] {
            assert!(!told(wrong.clone()).is_empty(), "{wrong}");
        }
    }
}
