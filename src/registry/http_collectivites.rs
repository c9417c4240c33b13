//! Routes of collectivités.

use actix_web::{get, patch, post};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions::{self, RecordSuccession, ReplaceSiret};
use super::codes;
use super::collectivite::{CollectiviteIdentity, SiretView};
use super::http_requests::CollectiviteRequest;
use super::http_views::CollectiviteView;
use super::kinds::CollectiviteKind;
use super::store_collectivites::{self as store, CollectiviteFilter, CollectiviteOrder};
use crate::access::{Can, ManageRegistry, Read};
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::SearchText;
use crate::kernel::{Departement, Finding, InseeCode, Instant, Siret, Uai};
use crate::path_keys;
use crate::platform::Outcome;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State, merged};

path_keys!(Siret => "siret", Uai => "uai");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(create).service(list).service(one).service(change).service(replace_siret).service(succeed);
}

/// Une collectivité et les SIRET qu'elle a portés.
#[derive(Serialize, utoipa::ToSchema)]
struct CollectiviteDetail {
    #[serde(flatten)]
    collectivite: CollectiviteView,
    sirets: Vec<SiretView>,
}

fn detail(
    tx: &mut crate::platform::Tx<'_>,
    c: super::Collectivite,
    more: Vec<Finding>,
) -> crate::platform::Outcome<CollectiviteDetail> {
    let sirets = store::sirets(tx, c.id)?;
    let mut collectivite = CollectiviteView::from(c);
    collectivite.findings.splice(0..0, more);
    Ok(CollectiviteDetail { collectivite, sirets })
}

/// Enregistrer une collectivité
#[utoipa::path(
    operation_id = "create_collectivite", tag = "Registre", request_body = CollectiviteRequest,
    responses((status = 201, body = CollectiviteDetail, description = "Enregistrée")),
    extensions(("x-answers" = json!(Answers::refuse(&[&codes::SIRET_TAKEN])))),
    security(("bearer" = []))
)]
#[post("/collectivites")]
async fn create(state: State, can: Can<ManageRegistry>, call: CallContext, body: Body<CollectiviteRequest>) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let created = actions::create_collectivite(tx, &actor, body.value.into())?;
            let (location, version) = (format!("/api/v1/collectivites/{}", created.said.siret), created.version);
            Reply::created(location, &detail(tx, created, Vec::new())?, version)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    departement: Option<Departement>,
    kind: Option<CollectiviteKind>,
    /// Code INSEE, actuel ou ancien.
    insee_code: Option<InseeCode>,
    /// SIRET, actuel ou ancien.
    collectivite: Option<Siret>,
    /// Nom, ou début de SIRET.
    q: Option<SearchText>,
    /// Modifiées depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<CollectiviteOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les collectivités
#[utoipa::path(
    operation_id = "list_collectivites", tag = "Registre", params(ListQuery),
    responses((status = 200, body = PageView<CollectiviteView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::usual()))),
    security(("bearer" = []))
)]
#[get("/collectivites")]
async fn list(state: State, _can: Can<Read>, Params(query): Params<ListQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let mut filter = CollectiviteFilter {
        departement: query.departement,
        kind: query.kind,
        insee_code: query.insee_code,
        collectivite: query.collectivite,
        q: query.q,
        updated_since: query.updated_since,
    };
    let reply = state
        .read(move |tx| {
            filter.updated_since = tx.changed_since(filter.updated_since)?;
            Reply::ok(&store::list(tx, &filter, &page)?.map(CollectiviteView::from))
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire une collectivité
///
/// Un ancien SIRET mène à la collectivité actuelle, avec le constat `siret_replaced`.
#[utoipa::path(
    operation_id = "get_collectivite", tag = "Registre", params(("siret" = Siret, Path)),
    responses((status = 200, body = CollectiviteDetail, description = "La collectivité")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]).versioned()))),
    security(("bearer" = []))
)]
#[get("/collectivites/{siret}")]
async fn one(state: State, _can: Can<Read>, Key(siret): Key<Siret>) -> Answer {
    let reply = state
        .read(move |tx| {
            let (found, findings) = actions::collectivite(tx, &siret)?;
            let version = found.version;
            Reply::versioned(&detail(tx, found, findings)?, version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Modifier une collectivité
///
/// Fusion JSON (RFC 7396) : un champ absent ne change pas, `null` efface. Un champ écrit ici n'est plus modifié par les imports.
#[utoipa::path(
    operation_id = "patch_collectivite", tag = "Registre",
    params(("siret" = Siret, Path), ("If-Match" = String, Header, description = "ETag lu")),
    request_body = Object,
    responses((status = 200, body = CollectiviteDetail, description = "Modifiée")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &CONCURRENT_CHANGE]).versioned().patching::<CollectiviteRequest>()
    ))),
    security(("bearer" = []))
)]
#[patch("/collectivites/{siret}")]
async fn change(
    state: State,
    can: Can<ManageRegistry>,
    Key(siret): Key<Siret>,
    mut call: CallContext,
    body: Body<Value>,
) -> Answer {
    let version = call.expected_version()?;
    let reply = state
        .write(move |tx| {
            let change = |known: CollectiviteIdentity| -> Outcome<(CollectiviteIdentity, Vec<String>)> {
                let (said, fields) = merged(&CollectiviteRequest::from(known), &body.value)?;
                Ok((said.into(), fields))
            };
            let changed = actions::patch_collectivite(tx, &can.actor, &siret, &version, &change)?;
            let version = changed.version;
            Reply::versioned(&detail(tx, changed, Vec::new())?, version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Remplacer le SIRET d'une collectivité
#[utoipa::path(
    operation_id = "replace_siret", tag = "Registre", params(("siret" = Siret, Path)), request_body = ReplaceSiret,
    responses((status = 201, body = CollectiviteDetail, description = "Remplacé ; l'ancien SIRET mène toujours ici")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &codes::SIRET_TAKEN, &CONCURRENT_CHANGE])))),
    security(("bearer" = []))
)]
#[post("/collectivites/{siret}/sirets")]
async fn replace_siret(
    state: State,
    can: Can<ManageRegistry>,
    Key(siret): Key<Siret>,
    call: CallContext,
    body: Body<ReplaceSiret>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let changed = actions::change_siret(tx, &actor, &siret, &body.value)?;
            let (location, version) = (format!("/api/v1/collectivites/{}", changed.said.siret), changed.version);
            Reply::created(location, &detail(tx, changed, Vec::new())?, version)
        })
        .await
}

/// Enregistrer une succession
///
/// Commune nouvelle (CGCT art. L2113-5), transfert de compétence ou dissolution : le successeur paie pour les écoles à compter de la date d'effet.
#[utoipa::path(
    operation_id = "record_succession", tag = "Registre", params(("siret" = Siret, Path)), request_body = RecordSuccession,
    responses((status = 201, body = CollectiviteDetail, description = "Enregistrée")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &codes::SUCCESSION_EXISTS, &codes::SUCCESSION_LOOP, &CONCURRENT_CHANGE])
    ))),
    security(("bearer" = []))
)]
#[post("/collectivites/{siret}/successions")]
async fn succeed(
    state: State,
    can: Can<ManageRegistry>,
    Key(siret): Key<Siret>,
    call: CallContext,
    body: Body<RecordSuccession>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let closed = actions::record_succession(tx, &actor, &siret, &body.value)?;
            let (location, version) = (format!("/api/v1/collectivites/{}", closed.said.siret), closed.version);
            Reply::created(location, &detail(tx, closed, Vec::new())?, version)
        })
        .await
}
