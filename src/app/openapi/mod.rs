//! The OpenAPI document, collected from the mounted handlers and completed, and its page.
//!
//! ```text
//!   handlers ──utoipa──▶ paths, types ──shapes──▶ exact shapes ──answers──▶ headers, refusals ──examples──▶ document
//! ```
//! Handlers say what is their own: address, parameters, request, success, and in [`Answers`] their refusals and what
//! the derived types cannot say, which is settled in [`shapes`]; what every route shares is added in [`answers`]; the
//! examples are a real year of the seed's commune ([`examples`]), which a test replays. Nothing here knows an operation
//! by its name.

mod answers;
mod examples;
mod shapes;

use std::borrow::Cow;

use actix_web::http::header::{CONTENT_ENCODING, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, ServerBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::Config;

use super::{capabilities, health, metrics, problems};
use crate::campaigns::bulk::BulkItem;
use crate::conventions::ConventionView;
use crate::kernel::Finding;
use crate::kernel::refused::NOT_FOUND;
use crate::platform::web::docs::{ANSWERS, Answers};
use crate::platform::web::{Answer, Problem, ProblemView};
use crate::registry::SchoolView;

/// Name of the one security scheme.
const BEARER: &str = "bearer";

/// Tags, in the order of the page.
const TAGS: &[(&str, &str)] = &[
    ("Sessions", "Connexion et compte de la personne connectée."),
    ("Comptes", "Comptes, rôles, qualités et délégations de signature ; réservé aux administrateurs."),
    ("Tâches", "Ce qui attend une personne, et pourquoi."),
    ("Travaux", "Les actes en nombre demandés sans attendre leur réponse (`Prefer: respond-async`)."),
    ("Registre", "Collectivités, écoles, payeurs ; à l'unité ou par import de fichiers."),
    ("Campagnes", "L'année : tarif, dates, textes, politiques, écoles inscrites."),
    ("Conventions", "Émission, signatures, documents, participations et leur calcul."),
    ("Titres", "Liquidation, approbation par une autre personne, demandes d'émission."),
    ("Bordereaux", "Titres scellés pour le comptable, et leurs fichiers."),
    ("Journal", "Qui a fait quoi, sur quoi, quand ; réservé aux administrateurs."),
    ("Service", "État du programme et codes de problème ; sans compte."),
];

const DESCRIPTION: &str = "Conventions annuelles, participations et titres de perception de l'ENT-école.\n\n\
    Les montants reçus sont des textes (`\"40.00\"`) ; les dates sont au format AAAA-MM-JJ, heure de Paris ; les \
    instants sont en UTC. Toute erreur est un document `application/problem+json` dont le `code` figure dans \
    [/problems](/problems) ; chaque route nomme ceux qu'elle emploie. Une liste se parcourt par `cursor`. Une \
    modification annonce dans `If-Match` l'`ETag` lu. Un POST peut porter une `Idempotency-Key` : répété dans les \
    24 heures par la même personne, sur la même route et avec le même contenu, il redonne la même réponse au lieu d'agir \
    deux fois. Une méthode qu'une adresse n'admet pas donne 405 `method_not_allowed` et \
    `Allow`. Les exemples sont ceux d'une commune, de son enregistrement au bordereau de l'année 2025-2026.";

/// What the handlers mounted under `/api/v1` say of themselves.
fn collected() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Back office de l'ENT-école")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("AGPL-3.0-or-later").identifier(Some("AGPL-3.0-or-later")).build()))
        .build();
    let tags = TAGS.iter().map(|(name, text)| TagBuilder::new().name(*name).description(Some(*text)).build());
    let server = ServerBuilder::new().url("/").description(Some("Le serveur qui publie ce document.")).build();
    let base = OpenApiBuilder::new().info(info).servers(Some([server])).tags(Some(tags.collect::<Vec<_>>())).build();
    let (_, mut document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(base)
        .service(utoipa_actix_web::scope("/api/v1").configure(capabilities))
        .split_for_parts();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    add::<ProblemView>(components);
    document
}

/// Describes a type, and those it is made of.
fn add<T: ToSchema + PartialSchema>(components: &mut Components) {
    components.schemas.insert(T::name().into_owned(), T::schema());
    let mut nested = Vec::new();
    T::schemas(&mut nested);
    components.schemas.extend(nested);
}

/// What answers outside `/api/v1`, described by hand beside its handler.
#[derive(Debug)]
pub struct Described {
    path: &'static str,
    operation: Value,
    schemas: Vec<(&'static str, Value)>,
    sometimes: Vec<Sometimes>,
}

impl Described {
    /// A reading, by its name, its summary and its description; its 200 is a view of this name.
    pub fn get(path: &'static str, id: &str, summary: &str, description: &str, view: &str) -> Self {
        let content = json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{view}") } } });
        let operation = json!({
            "operationId": id, "tags": ["Service"], "summary": summary, "description": description, "security": [{}],
            "responses": { "200": { "description": "Oui, ou la liste", "content": content } }
        });
        Self { path, operation, schemas: Vec::new(), sometimes: Vec::new() }.answers(&Answers::usual())
    }

    /// What it answers besides, as a handler under `/api/v1` declares it.
    pub fn answers(mut self, answers: &Answers) -> Self {
        if let Some(fields) = self.operation.as_object_mut() {
            fields.insert(ANSWERS.to_owned(), json!(answers));
        }
        self
    }

    /// Its 200 also is of this media type.
    pub fn also(mut self, media_type: &str, schema: Value) -> Self {
        if let Some(content) = object(&mut self.operation, &["responses", "200", "content"]) {
            content.insert(media_type.to_owned(), json!({ "schema": schema }));
        }
        self
    }

    /// Its 200 is of this media type only.
    pub fn only(mut self, media_type: &str, schema: Value) -> Self {
        if let Some(content) = object(&mut self.operation, &["responses", "200", "content"]) {
            content.clear();
        }
        self.also(media_type, schema)
    }

    /// A refusal of this status is no usual problem document, but a view of this name.
    pub fn refused_as(mut self, status: u16, view: &str) -> Self {
        if let Some(answer) = object(&mut self.operation, &["responses", &status.to_string()]) {
            let schema = json!({ "$ref": format!("#/components/schemas/{view}") });
            answer.insert("content".to_owned(), json!({ "application/problem+json": { "schema": schema } }));
        }
        self
    }

    /// A type its answers are made of.
    pub fn of(mut self, name: &'static str, schema: Value) -> Self {
        self.schemas.push((name, schema));
        self
    }

    /// Fields of one of these types that are left out when there is nothing to say.
    pub fn sometimes(mut self, name: &'static str, fields: &[&'static str]) -> Self {
        self.sometimes.push((name.into(), fields.to_vec()));
        self
    }

    /// Adds it to the document; what it says is left out is returned.
    fn into_document(self, document: &mut Value) -> Vec<Sometimes> {
        if let Some(schemas) = object(document, &["components", "schemas"]) {
            schemas.extend(self.schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
        }
        if let Some(paths) = object(document, &["paths"]) {
            paths.insert(self.path.to_owned(), json!({ "get": self.operation }));
        }
        self.sometimes
    }
}

/// A type of answers, and its fields that are left out when there is nothing to say.
type Sometimes = (Cow<'static, str>, Vec<&'static str>);

fn sometimes<T: ToSchema>(fields: &[&'static str]) -> Sometimes {
    (T::name(), fields.to_vec())
}

/// Everything that answers, described.
pub fn document() -> Value {
    let mut document = serde_json::to_value(collected()).unwrap_or_default();
    let mut sometimes = vec![
        sometimes::<Finding>(Finding::SOMETIMES),
        sometimes::<ProblemView>(ProblemView::SOMETIMES),
        sometimes::<SchoolView>(SchoolView::SOMETIMES),
        sometimes::<BulkItem>(BulkItem::SOMETIMES),
        sometimes::<ConventionView>(ConventionView::SOMETIMES),
    ];
    for described in health::described().into_iter().chain([metrics::described(), problems::described()]) {
        sometimes.extend(described.into_document(&mut document));
    }
    shapes::settle(&mut document, &sometimes);
    answers::complete(&mut document);
    examples::illustrate(&mut document);
    shapes::prune(&mut document);
    document
}

/// The object found by following these keys, made when it is not there.
fn object<'d>(document: &'d mut Value, keys: &[&str]) -> Option<&'d mut Map<String, Value>> {
    let mut place = document.as_object_mut()?;
    for key in keys {
        let next = place.entry((*key).to_owned()).or_insert_with(|| Value::Object(Map::new()));
        place = next.as_object_mut()?;
    }
    Some(place)
}

/// Calls back on each operation, with its method and address.
fn each_operation(document: &mut Value, mut act: impl FnMut(&str, &str, &mut Value)) {
    for (path, item) in object(document, &["paths"]).into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            act(method, path, operation);
        }
    }
}

/// What a handler declared of its answers; none when it did not.
fn declared(operation: &Value) -> Option<Answers> {
    operation.get(ANSWERS).and_then(|answers| serde_json::from_value(answers.clone()).ok())
}

/// The name under which an operation is known.
fn id(operation: &Value) -> String {
    operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// `/api/openapi.json`, written once, and the page `/api/docs/`, whose files are in the program: no network.
pub fn routes(cfg: &mut web::ServiceConfig, document: &web::Bytes) {
    let document = document.clone();
    let page: Config<'static> = Config::new(["/api/openapi.json"]);
    let answer = move || {
        let body = document.clone();
        // As it is: packing it anew for each stranger would cost more than it spares.
        let plain = (CONTENT_ENCODING, "identity");
        async move { HttpResponse::Ok().content_type("application/json").insert_header(plain).body(body) }
    };
    cfg.service(web::resource("/api/openapi.json").get(answer));
    cfg.service(
        web::resource("/api/docs")
            .get(|| async { HttpResponse::PermanentRedirect().insert_header((LOCATION, "/api/docs/")).finish() }),
    );
    cfg.service(web::resource("/api/docs/{file:.*}").app_data(web::Data::new(page)).get(serve_page));
}

/// A file of the page, as it lies in the program: strangers ask for it, so nothing is copied or packed for them.
async fn serve_page(request: HttpRequest, page: web::Data<Config<'static>>) -> Answer {
    let name = request.match_info().query("file");
    let unknown = || Problem::new(&NOT_FOUND, "Aucune page de ce nom dans la documentation.");
    let file = utoipa_swagger_ui::serve(name, page.into_inner()).map_err(|_| unknown())?.ok_or_else(unknown)?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => web::Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let packed = if file.gzpipped { "gzip" } else { "identity" };
    let answer =
        HttpResponse::Ok().content_type(file.content_type).insert_header((CONTENT_ENCODING, packed)).body(bytes);
    Ok(answer)
}
