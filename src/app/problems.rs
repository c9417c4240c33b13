//! `/problems`: the catalogue of problem codes, as JSON, or as a plain page for a browser.

use std::fmt::Write as _;

use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::catalogue;
use super::openapi::Described;

pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.route("/problems", web::get().to(problems));
}

/// `/problems`, for the OpenAPI document.
pub fn described() -> Described {
    let text = "Le catalogue entier ; une page lisible pour qui demande `text/html`.";
    Described::get("/problems", "list_problems", "Lister les codes de problème", text, "ProblemCodesView")
        .also("text/html", json!({ "type": "string" }))
        .of(
            "ProblemCodeView",
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
        )
        .of(
            "ProblemCodesView",
            json!({
                "type": "object", "required": ["data"],
                "properties": {
                    "data": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemCodeView"}}
                }
            }),
        )
}

async fn problems(request: HttpRequest) -> HttpResponse {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        return HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page());
    }
    let codes: Vec<Value> = catalogue()
        .iter()
        .map(|p| json!({"code": p.code, "status": p.status, "title": p.title, "meaning": p.meaning}))
        .collect();
    HttpResponse::Ok().json(json!({"data": codes}))
}

fn page() -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"fr\">\n<meta charset=\"utf-8\">\n<title>Codes de problème</title>\n\
         <style>body{font:1rem/1.5 sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem}\
         dt{margin-top:1rem;font-weight:bold}code{background:#eee}</style>\n<h1>Codes de problème</h1>\n\
         <p>Chaque erreur de l'API est un document « application/problem+json » dont le champ <code>code</code> \
         est l'un de ceux-ci.</p>\n<dl>\n",
    );
    for problem in catalogue() {
        let (code, status, title) = (problem.code, problem.status, escape(problem.title));
        let meaning = escape(problem.meaning);
        // Writing to a String cannot fail.
        let _ = writeln!(html, "<dt id=\"{code}\"><code>{code}</code> ({status}) {title}</dt>\n<dd>{meaning}</dd>");
    }
    html.push_str("</dl>\n</html>\n");
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
