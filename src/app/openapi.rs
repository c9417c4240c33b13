//! The OpenAPI document, collected from the mounted handlers, and its page.
//!
//! Handlers say what is their own (success, 404, 409…); what every route shares is added here: authentication, body
//! and parameter errors, incidents.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::SwaggerUi;

use super::capabilities;
use crate::conventions::PayerSelection;
use crate::platform::web::ProblemView;
use crate::titles::TitleSelection;

const BEARER: &str = "bearer";

/// Tags, in the order of the page.
const TAGS: &[(&str, &str)] = &[
    ("Accès", "Sessions et compte de la personne connectée."),
    ("Comptes", "Comptes, rôles, qualités et délégations de signature ; réservé aux administrateurs."),
    ("Registre", "Collectivités, écoles, payeurs ; à l'unité ou par import de fichiers."),
    ("Campagnes", "L'année : tarif, dates, textes, politiques, écoles inscrites."),
    ("Conventions", "Émission, signatures, documents, participations et leur calcul."),
    ("Titres", "Liquidation, approbation par une autre personne, demandes d'émission."),
    ("Comptabilité", "Bordereaux scellés et leurs fichiers."),
    ("Journal", "Qui a fait quoi, sur quoi, quand ; réservé aux administrateurs."),
];

const DESCRIPTION: &str = "Conventions annuelles, participations et titres de perception de l'ENT-école.\n\n\
    Les montants reçus sont des textes (`\"40.00\"`) ; les dates sont au format AAAA-MM-JJ, heure de Paris ; les \
    instants sont en UTC. Toute erreur est un document `application/problem+json` dont le `code` figure dans \
    [/problems](/problems). Une liste se parcourt par `cursor`. Une modification annonce dans `If-Match` l'`ETag` lu. \
    Un POST peut porter une `Idempotency-Key` : répété, il redonne la même réponse au lieu d'agir deux fois.";

/// Everything mounted under `/api/v1`, described.
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Back office de l'ENT-école")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("AGPL-3.0-or-later").identifier(Some("AGPL-3.0-or-later")).build()))
        .build();
    let tags = TAGS.iter().map(|(name, text)| TagBuilder::new().name(*name).description(Some(*text)).build());
    let base = OpenApiBuilder::new().info(info).tags(Some(tags.collect::<Vec<_>>())).build();
    let (_, mut document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(base)
        .service(utoipa_actix_web::scope("/api/v1").configure(capabilities))
        .split_for_parts();

    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    add::<ProblemView>(components);
    // The collector does not look into the parameters of a generic body.
    add::<PayerSelection>(components);
    add::<TitleSelection>(components);

    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(complete);
    }
    document
}

/// Describes a type, and those it is made of.
fn add<T: ToSchema + PartialSchema>(components: &mut Components) {
    components.schemas.insert(T::name().into_owned(), T::schema());
    let mut nested = Vec::new();
    T::schemas(&mut nested);
    components.schemas.extend(nested);
}

/// Adds what the handler did not say because every route shares it.
fn complete(operation: &mut Operation) {
    let public = is_open(operation);
    let mut shared = vec![
        ("500", "`internal_error` : incident interne"),
        ("503", "`unavailable`, `timed_out` : service momentanément indisponible"),
    ];
    if !public {
        operation.security.get_or_insert_with(|| vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);
        shared.push(("401", "`unauthenticated`, `token_expired`"));
        shared.push(("403", "`forbidden` : le rôle n'admet pas cette action"));
    }
    let has = |place: &ParameterIn| {
        let parameters = operation.parameters.iter().flatten();
        parameters.filter_map(|p| if let RefOr::T(p) = p { Some(p) } else { None }).any(|p| p.parameter_in == *place)
    };
    let (has_query, has_path) = (has(&ParameterIn::Query), has(&ParameterIn::Path));
    if operation.request_body.is_some() {
        shared.push(("400", "`malformed_json`, `unknown_field`, `bad_form`"));
        shared.push(("413", "`payload_too_large`"));
        shared.push(("415", "`unsupported_media_type`"));
    } else if has_query {
        shared.push(("400", "`unknown_parameter`, `malformed_query`, `bad_cursor`"));
    } else {
        shared.push(("400", "`unknown_parameter`"));
    }
    if operation.request_body.is_some() || has_query || has_path {
        shared.push(("422", "`invalid_value`"));
    }
    for (status, text) in shared {
        let content =
            ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name(ProblemView::name())))).build();
        let response = ResponseBuilder::new().description(text).content("application/problem+json", content).build();
        operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    }
}

/// `security(())` of a handler: one empty requirement.
fn is_open(operation: &Operation) -> bool {
    let none = SecurityRequirement::default();
    operation.security.as_ref().is_some_and(|all| all.iter().all(|one| *one == none))
}

/// `/api/openapi.json` and the page `/api/docs/`, whose files are in the program: no network.
pub fn routes(cfg: &mut web::ServiceConfig, document: &OpenApi) {
    cfg.service(
        web::resource("/api/docs")
            .get(|| async { HttpResponse::PermanentRedirect().insert_header((LOCATION, "/api/docs/")).finish() }),
    );
    cfg.service(SwaggerUi::new("/api/docs/{_:.*}").url("/api/openapi.json", document.clone()));
}
