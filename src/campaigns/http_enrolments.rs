//! Routes of enrolments.

use actix_web::{delete, get, post, put};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::bulk::BulkView;
use super::codes;
use super::enrolment::{Enrol, Enrolment, EnrolmentDetails, EnrolmentView};
use super::store::{EnrolmentFilter, EnrolmentLine, EnrolmentOrder};
use super::{actions, enrolment_import, store};
use crate::access::{Can, ManageCampaigns, Read};
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::SearchText;
use crate::kernel::{Departement, InseeCode, Instant, Refused, SchoolYear, Siret, Uai};
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State, Upload};
use crate::platform::{Outcome, Tx, tabular};
use crate::registry::kinds::{SchoolKind, Sector};
use crate::registry::{ImportView, SchoolFilter};

pub fn routes(cfg: &mut ServiceConfig) {
    // `imports` before `{uai}`: the first that matches serves.
    cfg.service(enrol).service(import).service(list).service(put_one).service(remove);
}

fn view(line: EnrolmentLine) -> EnrolmentView {
    let e = line.enrolment;
    EnrolmentView {
        uai: e.uai,
        name: line.name,
        commune_name: line.commune_name,
        departement: line.departement,
        origin: e.origin,
        requester: e.requester,
        requested_on: e.requested_on,
        convention_id: e.convention_id,
        version: e.version,
        created_at: e.created_at,
        updated_at: e.updated_at,
    }
}

/// Inscrire des écoles en nombre
///
/// Par `filter` ou par `keys` (UAI). Une école qu'une personne a retirée ne revient que nommée dans `keys`. Issues : `enrolled`, `already_enrolled`, `withdrawn`, `refused`.
#[utoipa::path(
    operation_id = "enrol_schools", tag = "Campagnes", params(("school_year" = SchoolYear, Path)), request_body = Enrol,
    responses((status = 200, body = BulkView, description = "Une issue par école")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &codes::CAMPAIGN_STATE, &codes::KEYS_OR_FILTER])
            .acting("EnrolAnswer", actions::ENROL_OUTCOMES)
    ))),
    security(("bearer" = []))
)]
#[post("/campaigns/{school_year}/enrolments")]
async fn enrol(
    state: State,
    can: Can<ManageCampaigns>,
    Key(year): Key<SchoolYear>,
    call: CallContext,
    body: Body<Enrol>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call.unless_dry(body.value.dry_run), body.sha256, move |tx| {
            Reply::ok(&actions::enrol(tx, &actor, &year, body.value)?)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// `true` : même traitement, rien n'est écrit.
    dry_run: Option<bool>,
}

/// Inscrire les écoles d'un fichier
///
/// Colonnes `uai`, `origine`, `demandeur`, `date`, `premiere_annee` ; CSV ou XLSX. Une école qu'une personne a retirée est laissée (`ignored`, constat `enrolment_withdrawn`).
#[utoipa::path(
    operation_id = "import_enrolments", tag = "Campagnes", params(("school_year" = SchoolYear, Path), ImportQuery),
    request_body(content_type = "multipart/form-data", content = Object, description = "Champ `file`"),
    responses((status = 200, body = ImportView, description = "Compte rendu par ligne")),
    extensions(("x-answers" = json!(
        Answers::refuse(tabular::CODES).or_refuse(&[&NOT_FOUND, &codes::CAMPAIGN_STATE])
    ))),
    security(("bearer" = []))
)]
#[post("/campaigns/{school_year}/enrolments/imports")]
async fn import(
    state: State,
    can: Can<ManageCampaigns>,
    Key(year): Key<SchoolYear>,
    Params(query): Params<ImportQuery>,
    call: CallContext,
    upload: Upload,
) -> Answer {
    let actor = can.actor;
    let dry_run = query.dry_run.unwrap_or(false);
    let (file, sha256) = upload.parsed(&state, &enrolment_import::LAYOUT, actions::read_enrolments).await?;
    state
        .post(actor.principal, call.unless_dry(dry_run), sha256, move |tx| {
            Reply::ok(&actions::import_enrolments(tx, &actor, &year, file, dry_run)?)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Département de l'école.
    departement: Option<Departement>,
    sector: Option<Sector>,
    kind: Option<SchoolKind>,
    insee_code: Option<InseeCode>,
    /// SIRET, actuel ou ancien, de la collectivité qui paie aujourd'hui.
    collectivite: Option<Siret>,
    /// Nom de l'école ou de la commune, ou début d'UAI.
    q: Option<SearchText>,
    /// `true` : figurant dans une convention ; `false` : en attente.
    covered: Option<bool>,
    /// Modifiées depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<EnrolmentOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les inscriptions
#[utoipa::path(
    operation_id = "list_enrolments", tag = "Campagnes", params(("school_year" = SchoolYear, Path), ListQuery),
    responses((status = 200, body = PageView<EnrolmentView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/enrolments")]
async fn list(state: State, _can: Can<Read>, Key(year): Key<SchoolYear>, Params(query): Params<ListQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let schools = SchoolFilter {
        departement: query.departement,
        sector: query.sector,
        kind: query.kind,
        insee_code: query.insee_code,
        collectivite: query.collectivite,
        q: query.q,
        updated_since: None,
    };
    let mut filter = EnrolmentFilter { schools, covered: query.covered, updated_since: query.updated_since };
    let reply = state
        .read(move |tx| {
            let campaign = actions::find(tx, &year)?;
            filter.updated_since = tx.changed_since(filter.updated_since)?;
            Reply::ok(&store::list_enrolments(tx, campaign.id, &filter, &page)?.map(view))
        })
        .await?;
    Ok(reply.into_response())
}

fn one_view(tx: &mut Tx<'_>, enrolment: Enrolment) -> Outcome<EnrolmentView> {
    let school = crate::registry::schools_by_uai(tx, std::slice::from_ref(&enrolment.uai))?
        .pop()
        .ok_or_else(|| Refused::not_found("École", &enrolment.uai))?;
    Ok(view(EnrolmentLine {
        enrolment,
        name_fold: school.name_fold(),
        name: school.said.name,
        commune_name: school.said.commune_name,
        departement: school.departement,
    }))
}

/// Inscrire une école, ou changer ce qui est dit de son inscription
///
/// Sur une inscription existante, annoncer dans `If-Match` la version lue (`version` de la liste, `ETag`).
#[utoipa::path(
    operation_id = "enrol_school", tag = "Campagnes",
    params(
        ("school_year" = SchoolYear, Path), ("uai" = Uai, Path),
        ("If-Match" = Option<String>, Header, description = "ETag lu, pour une inscription existante"),
    ),
    request_body = EnrolmentDetails,
    responses(
        (status = 200, body = EnrolmentView, description = "Inscription changée"),
        (status = 201, body = EnrolmentView, description = "Inscrite")
    ),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &codes::CAMPAIGN_STATE, &CONCURRENT_CHANGE]).versioned()
    ))),
    security(("bearer" = []))
)]
#[put("/campaigns/{school_year}/enrolments/{uai}")]
async fn put_one(
    state: State,
    can: Can<ManageCampaigns>,
    Key(year): Key<SchoolYear>,
    Key(uai): Key<Uai>,
    mut call: CallContext,
    body: Body<EnrolmentDetails>,
) -> Answer {
    let read = call.optional_version()?;
    let reply = state
        .write(move |tx| {
            let (enrolment, new) = actions::enrol_one(tx, &can.actor, &year, &uai, read.as_ref(), body.value)?;
            let view = one_view(tx, enrolment)?;
            if new {
                Reply::created(format!("/api/v1/campaigns/{year}/enrolments/{uai}"), &view, view.version)
            } else {
                Reply::versioned(&view, view.version)
            }
        })
        .await?;
    Ok(reply.into_response())
}

/// Retirer une école de la campagne
#[utoipa::path(
    operation_id = "withdraw_school", tag = "Campagnes", params(("school_year" = SchoolYear, Path), ("uai" = Uai, Path)),
    responses((status = 204, description = "Retirée")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &codes::CAMPAIGN_STATE, &codes::ENROLMENT_COVERED])
    ))),
    security(("bearer" = []))
)]
#[delete("/campaigns/{school_year}/enrolments/{uai}")]
async fn remove(state: State, can: Can<ManageCampaigns>, Key(year): Key<SchoolYear>, Key(uai): Key<Uai>) -> Answer {
    let reply = state
        .write(move |tx| {
            actions::withdraw(tx, &can.actor, &year, &uai)?;
            Ok(Reply::no_content())
        })
        .await?;
    Ok(reply.into_response())
}
