//! What every route shares: problem documents, request id, headers, health, the published documents.

use std::collections::BTreeSet;

use ent_backoffice::app;
use serde_json::{Value, json};

use crate::support::{Base, TestApp};

const JSON: (&str, &str) = ("content-type", "application/json");

on_both_databases! {
    fn each_way_to_be_refused_is_a_problem_document(app: &TestApp) {
        let admin = app.admin();
        let send = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
            admin.send(method, path, headers, body.as_bytes().to_vec())
        };
        admin.get("/nowhere").problem(404, "not_found");
        admin.send("GET", "/nowhere", &[], Vec::new()).problem(404, "not_found");
        admin.get("/users/019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e").problem(404, "not_found");
        let key = admin.get("/users/abc").problem(422, "invalid_value");
        assert_eq!(key.json["errors"][0],
            json!({"pointer": "path/id", "code": "id_format", "message": key.json["detail"], "value": "abc"}));
        let method = admin.delete("/users").problem(405, "method_not_allowed");
        assert_eq!(method.header("allow"), "GET, HEAD, POST");
        assert_eq!(admin.get("/auth/login").problem(405, "method_not_allowed").header("allow"), "POST");
        // Beside a key's address: no school is called « imports ».
        assert_eq!(admin.get("/schools/imports").problem(405, "method_not_allowed").header("allow"), "POST");
        let odd = admin.json("PATCH", "/campaigns/2025-2026/enrolments/imports", &[], &json!({}));
        assert_eq!(odd.problem(405, "method_not_allowed").header("allow"), "POST");
        // The method is wrong before any parameter is, even one that its neighbour does not have.
        let odd = admin.json("PUT", "/campaigns/2025-2026/enrolments/imports?dry_run=true", &[], &json!({}));
        assert_eq!(odd.problem(405, "method_not_allowed").header("allow"), "POST");
        send("POST", "/api/v1/users", &[JSON], "{\"email\":").problem(400, "malformed_json");
        send("POST", "/api/v1/users", &[("content-type", "text/plain")], "{}").problem(415, "unsupported_media_type");
        let unknown = admin.post("/auth/refresh", json!({"refresh_token": "x", "surplus": 1})).problem(400, "unknown_field");
        assert_eq!(unknown.json["errors"][0]["pointer"], "/surplus");
        admin.get("/users?couleur=bleu").problem(400, "unknown_parameter");
        admin.get("/users?cursor=abc").problem(400, "bad_cursor");
        admin.get("/users?limit=0").problem(422, "invalid_value");
        let missing = admin.post("/auth/login", json!({"email": "a@b.fr"})).problem(422, "invalid_value");
        assert_eq!(missing.json["errors"][0]["code"], "missing_field");
        let big = format!("{{\"refresh_token\":\"{}\"}}", "x".repeat(1_100_000));
        send("POST", "/api/v1/auth/refresh", &[JSON], &big).problem(413, "payload_too_large");
        let lecteur = app.lecteur().get("/users").problem(403, "forbidden");
        assert_eq!(lecteur.json["type"], "/problems#forbidden");
    }

    fn health_says_whether_the_database_is_ready(app: &TestApp) {
        let client = app.anonymous();
        client.send("GET", "/health/live", &[], Vec::new()).expect(200);
        let ready = client.send("GET", "/health/ready", &[], Vec::new()).expect(200);
        assert_eq!(ready.json["checks"]["migrations"]["status"], "ok");
        app.sql("DELETE FROM __diesel_schema_migrations WHERE version = '00000000000004'").unwrap();
        client.send("GET", "/health/ready", &[], Vec::new()).problem(503, "unavailable");
    }
}

fn app() -> TestApp {
    TestApp::new(Base::sqlite())
}

#[test]
fn the_request_id_is_the_callers_when_it_is_sane() {
    let app = app();
    let with = |id: &str| {
        let response = app.anonymous().send("GET", "/api/v1/me", &[("x-request-id", id)], Vec::new());
        response.problem(401, "unauthenticated").header("x-request-id").to_owned()
    };
    assert_eq!(with("appel-2025_06.05"), "appel-2025_06.05");
    for odd in ["court", "a b c d e f g h", "<script>alert(1)</script>", &"x".repeat(65)] {
        let given = with(odd);
        assert_ne!(given, odd);
        assert_eq!(given.len(), 36, "{given}");
    }
    assert_ne!(with("court"), with("court"));
}

#[test]
fn answers_carry_security_headers() {
    let app = app();
    for path in ["/api/v1/me", "/health/live", "/problems", "/api/docs/", "/nowhere"] {
        let answer = app.anonymous().send("GET", path, &[], Vec::new());
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    let head = app.anonymous().send("HEAD", "/health/live", &[], Vec::new()).expect(200);
    assert!(head.bytes.is_empty());
}

#[test]
fn the_documentation_page_is_in_the_program() {
    let app = app();
    let client = app.anonymous();
    let moved = client.send("GET", "/api/docs", &[], Vec::new()).expect(308);
    assert_eq!(moved.header("location"), "/api/docs/");
    let page = client.send("GET", "/api/docs/", &[], Vec::new()).expect(200);
    assert!(page.text().contains("swagger-ui"));
    assert!(!page.text().contains("https://"), "nothing is fetched from elsewhere: {}", page.text());
    client.send("GET", "/api/docs/swagger-ui-bundle.js", &[], Vec::new()).expect(200);
}

#[test]
fn the_openapi_document_is_3_1_and_describes_every_operation() {
    let app = app();
    let document = app.anonymous().send("GET", "/api/openapi.json", &[], Vec::new()).expect(200).json;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    for (path, item) in document["paths"].as_object().unwrap() {
        let outside = ["/health/live", "/health/ready", "/metrics", "/problems"].contains(&path.as_str());
        assert!(path.starts_with("/api/v1/") || outside, "{path}");
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{place}: no operation_id"));
            assert!(ids.insert(id.to_owned()), "{place}: operation_id {id} twice");
            for tag in operation["tags"].as_array().unwrap_or_else(|| panic!("{place}: no tag")) {
                assert!(tags.contains(tag.as_str().unwrap()), "{place}: tag {tag} is not described");
            }
            assert!(operation["summary"].is_string(), "{place}: no summary");
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|status| status.starts_with('2')), "{place}: no success");
            let open = operation["security"] == json!([{}]);
            assert_eq!(answers.contains_key("401") && answers.contains_key("403"), !open, "{place}");
            // A documented route is a mounted one: without a token it is refused, not unknown.
            let address = path
                .split('/')
                .map(|part| if part.starts_with('{') { "x" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let answer = app.anonymous().send(&method.to_uppercase(), &address, &[], Vec::new());
            assert!(open || answer.status == 401, "{place}: {}", answer.status);
            assert_ne!(answer.status, 404, "{place}");
            assert_ne!(answer.status, 405, "{place}");
        }
    }
    assert!(ids.contains("login") && ids.contains("list_audit_events"));
    // Every schema referred to is defined.
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "schema {name} is missing");
    }
}

/// Codes declared in the source: fields of a `ProblemCode`, and lines of the table of the HTTP edge.
fn declared_codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for (_, text) in crate::support::sources() {
        let mut lines = text.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            let followed_by_status = lines.peek().is_some_and(|next| next.starts_with("status: "));
            if let (Some(rest), true) = (line.strip_prefix("code: \""), followed_by_status) {
                codes.insert(rest.split('"').next().unwrap().to_owned());
            }
            // Inside `problem_codes!`: NAME = "code", status, "title",
            if text.contains("problem_codes! {")
                && let Some((_, rest)) = line.split_once(" = \"")
                && rest.ends_with(',')
                && rest.contains("\", ")
            {
                codes.insert(rest.split('"').next().unwrap().to_owned());
            }
        }
    }
    codes
}

#[test]
fn the_catalogue_holds_each_declared_code_once() {
    let catalogue = app::catalogue();
    let published: BTreeSet<String> = catalogue.iter().map(|p| p.code.to_owned()).collect();
    assert_eq!(published.len(), catalogue.len(), "a code is there twice");
    assert_eq!(declared_codes(), published);
    for problem in &catalogue {
        assert!(problem.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", problem.code);
        assert!((400..=599).contains(&problem.status), "{}", problem.code);
        assert!(problem.meaning.ends_with('.') && !problem.title.ends_with('.'), "{}", problem.code);
    }
}

#[test]
fn the_catalogue_is_published_for_programs_and_for_people() {
    let app = app();
    let listed = app.anonymous().send("GET", "/problems", &[], Vec::new()).expect(200);
    let codes: Vec<&Value> = listed.json["data"].as_array().unwrap().iter().map(|p| &p["code"]).collect();
    assert_eq!(codes.len(), app::catalogue().len());
    let page = app.anonymous().send("GET", "/problems", &[("accept", "text/html,*/*;q=0.8")], Vec::new()).expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for code in codes {
        assert!(page.text().contains(&format!("<dt id={code}>")), "{code}");
    }
}

#[test]
fn too_long_a_request_is_a_problem_document() {
    let app = TestApp::with(Base::sqlite(), |config| config.server.request_timeout_seconds = 1);
    // The one writer is busy for longer than the caller waits.
    let db = app.db.clone();
    let (ready, held) = std::sync::mpsc::channel();
    let busy = std::thread::spawn(move || {
        db.write(|_| {
            ready.send(()).unwrap();
            std::thread::sleep(std::time::Duration::from_secs(4));
            Ok(())
        })
    });
    held.recv().unwrap();
    app.anonymous().post("/auth/refresh", json!({"refresh_token": "x"})).problem(503, "timed_out");
    busy.join().unwrap().unwrap();
}
