//! The published document, held against every answer of every test.
//!
//! An answer of a documented route must be a documented one: its status, its media type, its headers, its shape, and
//! for a refusal its code. Shapes are read strictly: a field the document does not name is a fault too.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::{Response, shape};

/// One operation of the document.
pub struct Operation {
    pub id: String,
    pub method: String,
    path: Vec<String>,
    pub described: Value,
}

pub struct Contract {
    pub document: Value,
    operations: Vec<Operation>,
}

/// The document of the program under test.
pub fn contract() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(|| Contract::new(ent_backoffice::app::openapi_document()))
}

impl Contract {
    fn new(document: Value) -> Self {
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, described) in item.as_object().unwrap() {
                operations.push(Operation {
                    id: described["operationId"].as_str().unwrap().to_owned(),
                    method: method.to_uppercase(),
                    path: path.split('/').map(str::to_owned).collect(),
                    described: described.clone(),
                });
            }
        }
        // `…/imports` before `…/{uai}`: a written word is closer than a hole.
        operations.sort_by_key(|o| o.path.iter().filter(|part| part.starts_with('{')).count());
        Self { operations, document }
    }

    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation a request calls; none when the document has nothing at this address or for this method.
    pub fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let asked: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
        let method = if method == "HEAD" { "GET" } else { method };
        let there = |o: &&Operation| {
            o.path.len() == asked.len()
                && o.path.iter().zip(&asked).all(|(part, given)| part == given || part.starts_with('{'))
        };
        let closest = &self.operations.iter().find(there)?.path;
        self.operations.iter().find(|o| o.path == *closest && o.method == method)
    }

    /// What is wrong with a value under a schema of the document; empty when it fits.
    pub fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        shape::hold(&self.document, schema, value, "", &mut faults);
        faults
    }

    /// Holds an answer against the document.
    #[track_caller]
    pub fn check(&self, method: &str, path: &str, response: &Response) {
        let Some(operation) = self.find(method, path) else { return };
        let place = format!("{method} {path} → {}", response.status);
        let documented = &operation.described["responses"][response.status.to_string()];
        assert!(documented.is_object(), "{place}: undocumented status\n{}", response.text());
        for (name, header) in documented["headers"].as_object().unwrap_or(&Map::new()) {
            let header = &self.resolved(header);
            let given = response.headers.get(name);
            assert!(given.is_some() || header["required"] != true, "{place}: no header {name}");
            let text =
                given.map(|value| json!(value.to_str().unwrap())).filter(|_| header["schema"]["type"] == "string");
            if let Some(text) = text {
                let faults = self.faults(&header["schema"], &text);
                assert!(faults.is_empty(), "{place}: header {name} {text}: {faults:?}");
            }
        }
        let Some(content) = documented["content"].as_object() else {
            assert!(response.bytes.is_empty(), "{place}: a body where none is documented");
            return;
        };
        let media_type = response.header("content-type").split(';').next().unwrap().trim().to_owned();
        let Some(media) = content.get(&media_type) else {
            panic!("{place}: {media_type} is not documented");
        };
        if !media_type.ends_with("json") || method == "HEAD" {
            return;
        }
        let faults = self.faults(&media["schema"], &response.json);
        assert!(faults.is_empty(), "{place}: {}\n{}", faults.join("\n"), response.text());
        if media_type == "application/problem+json" {
            let code = response.json["code"].as_str().unwrap();
            assert!(
                media["examples"].get(code).is_some(),
                "{place}: code {code} is not documented for {}",
                operation.id
            );
        }
    }

    /// What a reference names, or the thing itself.
    pub fn resolved(&self, thing: &Value) -> Value {
        match thing["$ref"].as_str() {
            Some(name) => self.document.pointer(name.trim_start_matches('#')).unwrap().clone(),
            None => thing.clone(),
        }
    }
}
