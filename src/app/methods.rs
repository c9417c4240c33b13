//! Which methods each address admits, and the answer of an address that admits none.

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use crate::kernel::refused::NOT_FOUND;
use crate::kernel::text::excerpt;
use crate::platform::web::problem::METHOD_NOT_ALLOWED;
use crate::platform::web::{Answer, Problem};

/// Which methods each address admits, read from the OpenAPI document.
#[derive(Clone)]
pub struct AllowedMethods(Vec<(Vec<String>, Vec<&'static str>)>);

fn is_hole(part: &str) -> bool {
    part.starts_with('{')
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

impl AllowedMethods {
    pub fn new(document: &serde_json::Value) -> Self {
        let paths = document.get("paths").and_then(serde_json::Value::as_object);
        let templates = paths.into_iter().flatten().map(|(path, item)| {
            let methods = [
                ("GET", "get"),
                ("HEAD", "get"),
                ("POST", "post"),
                ("PUT", "put"),
                ("PATCH", "patch"),
                ("DELETE", "delete"),
            ];
            let there = methods.into_iter().filter(|(_, field)| item.get(field).is_some());
            (segments(path), there.map(|(name, _)| name).collect())
        });
        Self(templates.collect())
    }

    /// The methods admitted at an address; empty when there is nothing there.
    fn at(&self, path: &str) -> Vec<&'static str> {
        // Outside the contract, and read only.
        if ["/health/live", "/health/ready", "/problems", "/api/openapi.json"].contains(&path) {
            return vec!["GET", "HEAD"];
        }
        let asked = segments(path);
        let fits = |template: &[String]| {
            template.len() == asked.len()
                && template
                    .iter()
                    .zip(&asked)
                    .all(|(part, given)| part == given || (is_hole(part) && !given.is_empty()))
        };
        // A written word is closer than a hole: `/schools/imports` is not the school « imports ».
        let holes = |template: &[String]| template.iter().filter(|part| is_hole(part)).count();
        let fitting = self.0.iter().filter(|(template, _)| fits(template));
        fitting.min_by_key(|(template, _)| holes(template)).map(|(_, methods)| methods.clone()).unwrap_or_default()
    }

    /// The addresses that a key would fit too: there, a method they do not admit must not fall to the key's routes.
    pub fn shadowed(&self) -> Vec<(String, Vec<&'static str>)> {
        let under = |written: &[String], keyed: &[String]| {
            written != keyed
                && written.len() == keyed.len()
                && written.iter().zip(keyed).all(|(word, part)| word == part || (is_hole(part) && !is_hole(word)))
        };
        let is_shadowed = |path: &[String]| self.0.iter().any(|(other, _)| under(path, other));
        let found = self.0.iter().filter(|(path, _)| is_shadowed(path));
        found.map(|(path, methods)| (path.join("/"), methods.clone())).collect()
    }
}

/// No route took the request: another method is asked of a known address, or the address is unknown.
pub async fn nothing_here(request: HttpRequest, allowed: web::Data<AllowedMethods>) -> Answer {
    let methods = allowed.at(request.path());
    if methods.is_empty() {
        return Err(Problem::new(&NOT_FOUND, format!("Aucune ressource à l'adresse {}.", excerpt(&request.path()))));
    }
    let allow = methods.join(", ");
    let detail = format!("{} n'est pas admis ici ; méthodes admises : {allow}.", request.method());
    let mut response: HttpResponse = Problem::new(&METHOD_NOT_ALLOWED, detail).error_response();
    if let Ok(value) = HeaderValue::from_str(&allow) {
        response.headers_mut().insert(ALLOW, value);
    }
    Ok(response)
}
