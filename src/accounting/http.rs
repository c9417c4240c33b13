//! Routes of accounting batches.

use actix_web::{get, post};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::batch::{Batch, BatchFile, BatchNature, BatchNumber, BatchSignature, BatchState, FileFormat};
use super::codes;
use super::seal::{self, Seal};
use super::sealed;
use super::store::{self, BatchFilter, BatchOrder};
use crate::access::{Can, DownloadBatches, ReadTitles, SealBatches};
use crate::campaigns;
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::{Line, Note};
use crate::kernel::{Instant, Money, SchoolYear};
use crate::path_keys;
use crate::platform::db::counters::CLOCK_BEHIND;
use crate::platform::web::docs::Answers;
use crate::platform::web::problem::INTEGRITY_FAULT;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State};
use crate::platform::{Outcome, Tx};

path_keys!(BatchNumber => "number", FileFormat => "format");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(seal_batch).service(list).service(one).service(download);
}

/// Qui a signé.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BatchSignatory)]
pub(super) struct SignatoryView {
    /// Nom tel qu'il figure sous la signature.
    pub name: Line,
    /// Qualité : « Secrétaire générale, par délégation ».
    pub title: Line,
}

/// La signature d'un bordereau, telle que relevée en dernier.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct BatchSignatureView {
    signed_on: NaiveDate,
    signatory: SignatoryView,
    evidence: Option<Note>,
}

impl From<&BatchSignature> for BatchSignatureView {
    fn from(signature: &BatchSignature) -> Self {
        Self {
            signed_on: signature.on,
            signatory: SignatoryView { name: signature.name.clone(), title: signature.title.clone() },
            evidence: signature.evidence.clone(),
        }
    }
}

/// Un bordereau scellé.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BatchView {
    number: BatchNumber,
    status: BatchState,
    campaign: SchoolYear,
    exercice: i64,
    nature: BatchNature,
    comptable: String,
    /// Nombre de titres.
    count: i64,
    total: Money,
    #[schema(example = "EUR")]
    currency: &'static str,
    /// Empreinte des références et des contenus figés, dans l'ordre.
    sha256: String,
    files: Vec<BatchFile>,
    sealed_by: String,
    sealed_at: Instant,
    /// Nulle tant que le bordereau n'est pas signé.
    signature: Option<BatchSignatureView>,
    version: i64,
    updated_at: Instant,
}

pub(super) fn view(tx: &mut Tx<'_>, batch: Batch) -> Outcome<BatchView> {
    let files = store::files_of(tx, batch.id)?;
    let campaign = campaigns::school_year(tx, batch.campaign_id)?;
    Ok(BatchView {
        status: batch.state(),
        signature: batch.signature().map(Into::into),
        number: batch.number,
        campaign,
        exercice: batch.exercice,
        nature: batch.nature,
        comptable: batch.comptable,
        count: batch.count,
        total: batch.total,
        currency: "EUR",
        sha256: batch.content_sha256,
        files,
        sealed_by: batch.sealed_by_label,
        sealed_at: batch.sealed_at,
        version: batch.version,
        updated_at: batch.updated_at,
    })
}

/// Sceller un bordereau
///
/// Prend les titres approuvés de la campagne (et de l'exercice) qui n'en ont pas ; les fichiers ne changent plus jamais.
#[utoipa::path(
    operation_id = "seal_batch", tag = "Bordereaux", request_body = Seal,
    responses((status = 201, body = BatchView, description = "Scellé")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[
            &NOT_FOUND, &INTEGRITY_FAULT, &CLOCK_BEHIND, &codes::NOTHING_TO_SEAL, &codes::EXERCICE_REQUIRED,
            &codes::SEALER_UNKNOWN, &CONCURRENT_CHANGE,
        ])
    ))),
    security(("bearer" = []))
)]
#[post("/accounting-batches")]
async fn seal_batch(state: State, can: Can<SealBatches>, call: CallContext, body: Body<Seal>) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let batch = seal::seal(tx, &actor, &body.value)?;
            let (location, version) = (format!("/api/v1/accounting-batches/{}", batch.number), batch.version);
            Reply::created(location, &view(tx, batch)?, version)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    campaign: Option<SchoolYear>,
    exercice: Option<i64>,
    status: Option<BatchState>,
    /// Modifiés depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<BatchOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les bordereaux
#[utoipa::path(
    operation_id = "list_batches", tag = "Bordereaux", params(ListQuery),
    responses((status = 200, body = PageView<BatchView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT])))),
    security(("bearer" = []))
)]
#[get("/accounting-batches")]
async fn list(state: State, _can: Can<ReadTitles>, Params(query): Params<ListQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let campaign = query.campaign.map(|year| campaigns::find(tx, &year)).transpose()?;
            let filter = BatchFilter {
                campaign: campaign.map(|c| c.id),
                exercice: query.exercice,
                status: query.status,
                updated_since: tx.changed_since(query.updated_since)?,
            };
            let page = store::list(tx, &filter, &page)?;
            Reply::ok(&page.map_all(|batches| batches.into_iter().map(|b| view(tx, b)).collect())?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire un bordereau
#[utoipa::path(
    operation_id = "get_batch", tag = "Bordereaux", params(("number" = BatchNumber, Path)),
    responses((status = 200, body = BatchView, description = "Le bordereau")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT]).versioned()))),
    security(("bearer" = []))
)]
#[get("/accounting-batches/{number}")]
async fn one(state: State, _can: Can<ReadTitles>, Key(number): Key<BatchNumber>) -> Answer {
    let reply = state
        .read(move |tx| {
            let batch = sealed::verified(tx, &number)?;
            let version = batch.version;
            Reply::versioned(&view(tx, batch)?, version)
        })
        .await?;
    Ok(reply.into_response())
}

/// Télécharger un fichier du bordereau
///
/// `csv` pour un tableur français, `json` pour une machine ; chaque téléchargement est identique.
#[utoipa::path(
    operation_id = "download_batch_file", tag = "Bordereaux",
    params(("number" = BatchNumber, Path), ("format" = FileFormat, Path)),
    responses((status = 200, description = "Le fichier")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT]).versioned().files(&["text/csv", "application/json"])
    ))),
    security(("bearer" = []))
)]
#[get("/accounting-batches/{number}/files/{format}")]
async fn download(
    state: State,
    _can: Can<DownloadBatches>,
    Key(number): Key<BatchNumber>,
    Key(format): Key<FileFormat>,
) -> Answer {
    let (file, bytes, number) = state
        .read(move |tx| {
            let (file, bytes) = sealed::stored(tx, &number, format)?;
            Ok((file, bytes, number))
        })
        .await?;
    Ok(Reply::file(format.media_type(), &format!("{number}.{format}"), &file.sha256, bytes))
}
