//! JSON inside a cell, as the State's directories write their lists: objects, or plain texts, within one column.
//!
//! Nothing is expected of it but that it may be anything: what is no list of objects is a fault of its cell, never a panic;
//! depth is bounded by the parser, length by the line the cell stands in.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::kernel::FieldFault;
use crate::kernel::bare::trimmed;
use crate::platform::tabular::Row;

/// The cell if something is written in it; « [] », « {} » and « null » are nothing.
pub(super) fn filled<'r>(row: &'r Row, column: &str) -> Option<&'r str> {
    row.filled(column).filter(|cell| !matches!(*cell, "[]" | "{}" | "null" | "[null]"))
}

fn fault() -> FieldFault {
    FieldFault::new("json_format", "JSON illisible dans la cellule : une liste d'objets est attendue.")
}

/// The objects of a cell; one alone is a list of one.
///
/// # Errors
/// `json_format`.
pub(super) fn objects(cell: &str) -> Result<Vec<Map<String, Value>>, FieldFault> {
    let object = |value: Value| match value {
        Value::Object(fields) => Some(Ok(fields)),
        Value::Null => None,
        _ => Some(Err(fault())),
    };
    match serde_json::from_str(cell).map_err(|_| fault())? {
        Value::Array(items) => items.into_iter().filter_map(object).collect(),
        one => object(one).into_iter().collect(),
    }
}

/// A text of an object; none when blank or not there. A number is the text of its digits.
///
/// # Errors
/// `json_format`: it is something else.
pub(super) fn text<'o>(object: &'o Map<String, Value>, name: &str) -> Result<Option<Cow<'o, str>>, FieldFault> {
    let text = match object.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => Cow::Borrowed(trimmed(text)),
        Some(Value::Number(number)) => Cow::Owned(number.to_string()),
        Some(_) => return Err(fault()),
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The texts of a list in an object; one alone is a list of one.
///
/// # Errors
/// `json_format`.
pub(super) fn texts(object: &Map<String, Value>, name: &str) -> Result<Vec<String>, FieldFault> {
    match object.get(name) {
        Some(Value::Array(items)) => items.iter().map(plain).collect(),
        _ => Ok(text(object, name)?.map(Cow::into_owned).into_iter().collect()),
    }
}

/// What a cell lists: the `valeur` of its objects, its texts, or the cell itself when it is no JSON.
///
/// # Errors
/// `json_format`.
pub(super) fn values(cell: &str) -> Result<Vec<String>, FieldFault> {
    if !cell.starts_with(['[', '{']) {
        return Ok(vec![cell.to_owned()]);
    }
    let items = match serde_json::from_str(cell).map_err(|_| fault())? {
        Value::Array(items) => items,
        one => vec![one],
    };
    let all: Result<Vec<String>, FieldFault> = items.iter().filter(|item| !item.is_null()).map(value).collect();
    Ok(all?.into_iter().filter(|text| !text.is_empty()).collect())
}

fn value(item: &Value) -> Result<String, FieldFault> {
    match item {
        Value::Object(fields) => Ok(text(fields, "valeur")?.unwrap_or_default().into_owned()),
        other => plain(other),
    }
}

fn plain(item: &Value) -> Result<String, FieldFault> {
    match item {
        Value::String(text) => Ok(trimmed(text).to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(fault()),
    }
}
