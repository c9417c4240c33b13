//! Routes of schools and their payers.

use actix_web::{get, patch, post};
use serde::Deserialize;
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions::{self, SetPayer};
use super::codes;
use super::http_requests::SchoolRequest;
use super::http_views::SchoolView;
use super::kinds::{SchoolKind, Sector};
use super::school::{SaidSchool, SchoolIdentity};
use super::store_schools::{self as store, SchoolFilter, SchoolOrder};
use crate::access::{Can, ManageRegistry, Read};
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::SearchText;
use crate::kernel::{Departement, InseeCode, Instant, Siret, Uai};
use crate::platform::Outcome;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State, merged};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(create).service(list).service(one).service(change).service(set_payer);
}

/// Enregistrer une école
///
/// Sans `payer_siret`, le payeur est la commune enregistrée sous le code INSEE de l'école.
#[utoipa::path(
    operation_id = "create_school", tag = "Registre", request_body = SchoolRequest,
    responses((status = 201, body = SchoolView, description = "Enregistrée")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&codes::UAI_TAKEN, &codes::PAYER_UNKNOWN, &CONCURRENT_CHANGE])
    ))),
    security(("bearer" = []))
)]
#[post("/schools")]
async fn create(state: State, can: Can<ManageRegistry>, call: CallContext, body: Body<SchoolRequest>) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let view = actions::create_school(tx, &actor, body.value.into())?;
            Reply::created(format!("/api/v1/schools/{}", view.said.uai), &view, view.version)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    departement: Option<Departement>,
    sector: Option<Sector>,
    kind: Option<SchoolKind>,
    insee_code: Option<InseeCode>,
    /// SIRET, actuel ou ancien, de la collectivité qui paie aujourd'hui.
    collectivite: Option<Siret>,
    /// Nom de l'école ou de la commune, ou début d'UAI.
    q: Option<SearchText>,
    /// Modifiées depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<SchoolOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les écoles
#[utoipa::path(
    operation_id = "list_schools", tag = "Registre", params(ListQuery),
    responses((status = 200, body = PageView<SchoolView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::usual()))),
    security(("bearer" = []))
)]
#[get("/schools")]
async fn list(state: State, _can: Can<Read>, Params(query): Params<ListQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let mut filter = SchoolFilter {
        departement: query.departement,
        sector: query.sector,
        kind: query.kind,
        insee_code: query.insee_code,
        collectivite: query.collectivite,
        q: query.q,
        updated_since: query.updated_since,
    };
    let reply = state
        .read(move |tx| {
            filter.updated_since = tx.changed_since(filter.updated_since)?;
            let page = store::list(tx, &filter, &page)?;
            Reply::ok(&page.map_all(|schools| actions::school_views(tx, schools))?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire une école
#[utoipa::path(
    operation_id = "get_school", tag = "Registre", params(("uai" = Uai, Path)),
    responses((status = 200, body = SchoolView, description = "L'école")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]).versioned()))),
    security(("bearer" = []))
)]
#[get("/schools/{uai}")]
async fn one(state: State, _can: Can<Read>, Key(uai): Key<Uai>) -> Answer {
    let reply = state
        .read(move |tx| {
            let view = actions::school_view(tx, &uai)?;
            Reply::versioned(&view, view.version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Modifier une école
///
/// Fusion JSON (RFC 7396). Un champ écrit ici n'est plus modifié par les imports.
#[utoipa::path(
    operation_id = "patch_school", tag = "Registre",
    params(("uai" = Uai, Path), ("If-Match" = String, Header, description = "ETag lu")),
    request_body = Object,
    responses((status = 200, body = SchoolView, description = "Modifiée")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &codes::PAYER_UNKNOWN, &CONCURRENT_CHANGE])
            .versioned()
            .patching::<SchoolRequest>()
    ))),
    security(("bearer" = []))
)]
#[patch("/schools/{uai}")]
async fn change(
    state: State,
    can: Can<ManageRegistry>,
    Key(uai): Key<Uai>,
    mut call: CallContext,
    body: Body<Value>,
) -> Answer {
    let version = call.expected_version()?;
    let reply = state
        .write(move |tx| {
            let change = |known: SchoolIdentity| -> Outcome<(SaidSchool, Vec<String>)> {
                let (said, fields) = merged(&SchoolRequest::from(known), &body.value)?;
                Ok((said.into(), fields))
            };
            let view = actions::patch_school(tx, &can.actor, &uai, &version, &change)?;
            Reply::versioned(&view, view.version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Désigner le payeur d'une école
///
/// À compter de `payer_from` (absent : depuis l'origine) ; les imports ne le changeront plus.
#[utoipa::path(
    operation_id = "set_school_payer", tag = "Registre", params(("uai" = Uai, Path)), request_body = SetPayer,
    responses((status = 201, body = SchoolView, description = "Désigné")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &codes::PAYER_UNKNOWN, &CONCURRENT_CHANGE])))),
    security(("bearer" = []))
)]
#[post("/schools/{uai}/payers")]
async fn set_payer(
    state: State,
    can: Can<ManageRegistry>,
    Key(uai): Key<Uai>,
    call: CallContext,
    body: Body<SetPayer>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let view = actions::set_payer(tx, &actor, &uai, &body.value)?;
            Reply::created(format!("/api/v1/schools/{uai}"), &view, view.version)
        })
        .await
}
