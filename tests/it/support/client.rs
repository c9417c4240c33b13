//! A caller: knows the server's address and, when it has one, its token. Every answer is held against the document, and
//! every paper is proofread.

use serde_json::Value;
use ureq::http::{HeaderMap, HeaderValue, Method, Request};

use super::contract::contract;
use super::papers;

/// An answer, whole.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    /// The body read as JSON; null when it is none.
    pub json: Value,
}

impl Response {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Expects a problem document with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["request_id"], self.header("x-request-id"));
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    token: Option<String>,
    /// Whether the texts the program prints are real ones.
    real: bool,
}

impl Client {
    pub fn new(base: &str, token: Option<String>) -> Self {
        // The server closes what was idle for five seconds; on a busy machine a connection older than half of it may be
        // closed at the moment it is taken again.
        let settings = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let agent = settings.max_idle_age(std::time::Duration::from_millis(2500)).build().new_agent();
        Self { agent, base: base.to_owned(), token, real: true }
    }

    /// A caller of a program whose texts are still to be written.
    pub fn with_texts(self, real: bool) -> Self {
        Self { real, ..self }
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Anything: method, path below the root, headers, body.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
        let url = format!("{}{path}", self.base);
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let answered = if body.is_empty() {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body).unwrap())
        };
        let mut response = answered.unwrap();
        let bytes = response.body_mut().with_config().limit(200_000_000).read_to_vec().unwrap();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let answer = Response { status: response.status().as_u16(), headers: response.headers().clone(), bytes, json };
        contract().check(method, path, &answer);
        // What people attach is no paper of ours.
        if answer.bytes.starts_with(b"%PDF") && !path.contains("/attachments/") {
            papers::proofread(&answer.bytes, self.real, path);
        }
        answer
    }

    #[track_caller]
    pub fn json(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(method, &format!("/api/v1{path}"), &all, body.to_string().into_bytes())
    }

    /// GET below `/api/v1`.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.send("GET", &format!("/api/v1{path}"), &[], Vec::new())
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Response {
        self.json("POST", path, &[], &body)
    }

    /// PATCH with `If-Match`.
    #[track_caller]
    pub fn patch(&self, path: &str, version: i64, body: Value) -> Response {
        self.json("PATCH", path, &[("if-match", &format!("\"{version}\""))], &body)
    }

    #[track_caller]
    pub fn put(&self, path: &str, body: Value) -> Response {
        self.json("PUT", path, &[], &body)
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Response {
        self.send("DELETE", &format!("/api/v1{path}"), &[], Vec::new())
    }

    /// Attaches files, in their order, for a purpose.
    #[track_caller]
    pub fn attach(&self, path: &str, purpose: &str, files: &[(&str, &[u8])], headers: &[(&str, &str)]) -> Response {
        let (kind, body) = super::operations::attachment(purpose, files);
        let all = [&[("content-type", kind)], headers].concat();
        self.send("POST", &format!("/api/v1{path}"), &all, body)
    }

    /// Sends one file as the multipart field `file`.
    #[track_caller]
    pub fn upload(&self, path: &str, file_name: &str, bytes: &[u8]) -> Response {
        let boundary = "----limite-des-essais";
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={boundary}");
        self.send("POST", &format!("/api/v1{path}"), &[("content-type", &kind)], body)
    }
}
