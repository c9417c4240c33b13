//! The published contract, read from the OpenAPI document: which operations there are, and what each may answer.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Client, Response, TestApp};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    None,
    Json,
    Form,
}

/// One operation as documented.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: String,
    pub method: String,
    pub template: String,
    pub statuses: BTreeSet<u16>,
    pub body: Body,
    pub query: Vec<String>,
    /// Schema of the JSON body; null when there is none.
    pub schema: Value,
    /// Asks for no token.
    pub open: bool,
}

/// The document of a running program.
pub fn document(app: &TestApp) -> Value {
    app.anonymous().send("GET", "/api/openapi.json", &[], Vec::new()).expect(200).json
}

pub fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        // What stands beside the API (health, problems…) has its own tests.
        for (method, operation) in item.as_object().unwrap().iter().filter(|_| template.starts_with("/api/v1/")) {
            let content = operation["requestBody"]["content"].as_object();
            let json = content.and_then(|c| c.get("application/json"));
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            all.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                template: template.clone(),
                statuses: operation["responses"].as_object().unwrap().keys().map(|s| s.parse().unwrap()).collect(),
                body: match (content, json) {
                    (None, _) => Body::None,
                    (_, Some(_)) => Body::Json,
                    _ => Body::Form,
                },
                query: parameters
                    .iter()
                    .filter(|p| p["in"] == "query")
                    .map(|p| p["name"].as_str().unwrap().to_owned())
                    .collect(),
                schema: json.map_or(Value::Null, |j| j["schema"].clone()),
                open: operation["security"] == serde_json::json!([{}]),
            });
        }
    }
    assert!(all.len() > 40, "the document has lost its operations");
    all
}

impl Operation {
    /// The path with well-formed keys that name nothing.
    pub fn unknown_path(&self) -> String {
        self.path(|name| match name {
            "siret" => "35600000000048",
            "uai" => "0300001N",
            "school_year" => "2090-2091",
            "id" => "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e",
            "number" => "ENT-B-2025-9999",
            "format" => "csv",
            "attachment_id" => "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e",
            "position" => "1",
            "kind" => "test.unknown",
            other => panic!("no sample for the key {other}"),
        })
    }

    /// The path with keys that are none.
    pub fn malformed_path(&self) -> String {
        self.path(|_| "x!")
    }

    pub fn has_key(&self) -> bool {
        self.template.contains('{')
    }

    fn path(&self, key: impl Fn(&str) -> &'static str) -> String {
        let part = |part: &str| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) => key(name).to_owned(),
            None => part.to_owned(),
        };
        self.template.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        let (mine, asked): (Vec<_>, Vec<_>) = (self.template.split('/').collect(), path.split('/').collect());
        self.method == method
            && mine.len() == asked.len()
            && mine.iter().zip(asked).all(|(part, given)| *part == given || part.starts_with('{'))
    }
}

/// The operation an address is for: the one with the fewest keys.
pub fn find<'o>(operations: &'o [Operation], method: &str, path: &str) -> Option<&'o Operation> {
    let path = path.split('?').next().unwrap();
    operations.iter().filter(|o| o.fits(method, path)).min_by_key(|o| o.template.matches('{').count())
}

/// What was sent and went well, to be sent again.
#[derive(Clone, Debug)]
pub struct Sent {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Sends, and notes which documented answers were seen; an answer that is not documented fails at once.
pub struct Recorder {
    pub operations: Vec<Operation>,
    seen: RefCell<BTreeMap<String, BTreeSet<u16>>>,
    pub went_well: RefCell<BTreeMap<String, Sent>>,
}

impl Recorder {
    pub fn new(app: &TestApp) -> Self {
        Self { operations: operations(&document(app)), seen: RefCell::default(), went_well: RefCell::default() }
    }

    /// Notes an answer.
    #[track_caller]
    pub fn note(&self, method: &str, path: &str, answer: &Response) {
        let Some(operation) = find(&self.operations, method, path) else { return };
        let status = answer.status;
        assert!(
            operation.statuses.contains(&status),
            "{} answered {status}, which is not documented: {}",
            operation.id,
            answer.text()
        );
        if status >= 400 {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{} {path}", operation.id);
        }
        self.seen.borrow_mut().entry(operation.id.clone()).or_default().insert(status);
    }

    #[track_caller]
    pub fn send(&self, client: &Client, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
        let answer = client.send(method, path, headers, body.clone());
        self.note(method, path, &answer);
        if (200..300).contains(&answer.status)
            && let Some(operation) = find(&self.operations, method, path)
        {
            let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let sent = Sent { path: path.to_owned(), headers, body };
            self.went_well.borrow_mut().insert(operation.id.clone(), sent);
        }
        answer
    }

    #[track_caller]
    pub fn json(&self, client: &Client, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(client, method, &format!("/api/v1{path}"), &all, body.to_string().into_bytes())
    }

    #[track_caller]
    pub fn post(&self, client: &Client, path: &str, body: &Value) -> Response {
        self.json(client, "POST", path, &[], body)
    }

    #[track_caller]
    pub fn get(&self, client: &Client, path: &str) -> Response {
        self.send(client, "GET", &format!("/api/v1{path}"), &[], Vec::new())
    }

    #[track_caller]
    pub fn upload(&self, client: &Client, path: &str, text: &str) -> Response {
        let body = form("file", "f.csv", text.as_bytes());
        self.send(client, "POST", &format!("/api/v1{path}"), &[("content-type", FORM)], body)
    }

    /// Documented answers nobody has seen.
    pub fn unseen(&self, excepted: impl Fn(&Operation, u16) -> bool) -> Vec<String> {
        let seen = self.seen.borrow();
        let none = BTreeSet::new();
        self.operations
            .iter()
            .flat_map(|o| {
                let seen = seen.get(&o.id).unwrap_or(&none);
                o.statuses.iter().filter(|s| !seen.contains(s) && !excepted(o, **s)).map(|s| format!("{} {s}", o.id))
            })
            .collect()
    }
}

/// `content-type` of [`form`].
pub const FORM: &str = "multipart/form-data; boundary=limite";

/// The form of an attachment, and its `content-type`.
pub fn attachment(purpose: &str, files: &[(&str, &[u8])]) -> (&'static str, Vec<u8>) {
    let mut body =
        format!("--limite\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n{purpose}").into_bytes();
    for (name, bytes) in files {
        let head = format!(
            "\r\n--limite\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
    }
    body.extend_from_slice(b"\r\n--limite--\r\n");
    (FORM, body)
}

/// A form of one file.
pub fn form(field: &str, file_name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--limite\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{file_name}\"\r\n\
         Content-Type: text/csv\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--limite--\r\n");
    body
}

/// Headers as they are sent.
pub fn pairs(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
}

/// Sends twice with one key while nobody can write; gives the answer that comes while the other waits.
pub fn two_at_once(app: &TestApp, client: &Client, operation: &Operation, sent: &Sent) -> Response {
    let headers = [pairs(&sent.headers), vec![("idempotency-key", "deux-fois")]].concat();
    let sqlite = app.db.is_sqlite();
    std::thread::scope(|scope| {
        let (answered, first) = std::sync::mpsc::channel();
        app.db
            .write(|tx| {
                use diesel::RunQueryDsl as _;
                if !sqlite {
                    diesel::sql_query("LOCK TABLE idempotency_keys IN EXCLUSIVE MODE").execute(tx.conn())?;
                }
                for _ in 0..2 {
                    let (answered, headers) = (answered.clone(), headers.clone());
                    scope.spawn(move || {
                        let answer = client.send(&operation.method, &sent.path, &headers, sent.body.clone());
                        // Only the first is waited for.
                        let _ = answered.send(answer);
                    });
                }
                Ok(first.recv_timeout(std::time::Duration::from_secs(20)).expect("one of two is answered at once"))
            })
            .unwrap()
    })
}

/// The four doors of files, each with a header and a row that is read.
pub const DOORS: [(&str, &str, &str); 4] = [
    ("/collectivites/imports", "insee;siret;nom", "30278;21300278500011;Saint-Laurent-des-Arbres"),
    (
        "/schools/imports",
        "uai;nom_etablissement;type_etablissement;statut_public_prive;code_commune;nom_commune;ecole_elementaire;siren_siret",
        "0301023Z;Ecole;Ecole;Public;30278;Saint-Laurent-des-Arbres;1;21300278500037",
    ),
    ("/contacts/imports", "siret;nom", "21300278500011;Durand"),
    ("/campaigns/2025-2026/enrolments/imports", "uai;demandeur", "0301023Z;Mme Durand"),
];
