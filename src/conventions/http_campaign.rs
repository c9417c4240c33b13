//! Routes of a campaign whose action is here: the bulk issue, and a specimen of what it would print.

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::codes;
use super::issue::{self, Issue, IssueView};
use super::later::{ActWorld, IssueAct};
use super::payers::PayerSelection;
use super::specimen;
use crate::access::{Can, IssueConventions, Read};
use crate::acts::{self, JobView};
use crate::campaigns::Defaults;
use crate::campaigns::codes::{CAMPAIGN_STATE, KEYS_OR_FILTER, PLACEHOLDER_TEXTS};
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::{SchoolYear, Siret};
use crate::platform::db::counters::CLOCK_BEHIND;
use crate::platform::documents::Renderer;
use crate::platform::papers::Templates;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Params, Problem, Reply, State};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(issue_all).service(specimen_of);
}

/// Émettre les conventions en nombre
///
/// Une par payeur ayant au moins une école inscrite. Sans `filter` ni `keys` (SIRET) : toutes. Une collectivité qui a refusé, ou dont la convention a été annulée, n'est reprise que nommée dans `keys`. L'essai (`dry_run`) se fait aussi pendant la préparation. Issues : `issued`, `already_issued`, `no_enrolment`, `declined`, `cancelled`, `refused`.
#[utoipa::path(
    operation_id = "issue_conventions", tag = "Conventions", params(("school_year" = SchoolYear, Path)), request_body = Issue,
    responses(
        (status = 200, body = IssueView, description = "Une issue par payeur, et les petites créances"),
        (status = 202, body = JobView, description = "Demandé par `Prefer: respond-async` : l'acte se fera sans attendre l'appelant")
    ),
    extensions(("x-answers" = json!(
        Answers::refuse(&[
            &NOT_FOUND, &CLOCK_BEHIND, &KEYS_OR_FILTER, &CAMPAIGN_STATE, &PLACEHOLDER_TEXTS,
            &CONCURRENT_CHANGE,
        ])
            .selecting::<PayerSelection>("IssueRequest")
            .acting("IssueAnswer", issue::ISSUE_OUTCOMES)
    ))),
    security(("bearer" = []))
)]
#[post("/campaigns/{school_year}/conventions")]
async fn issue_all(
    state: State,
    can: Can<IssueConventions>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    templates: web::Data<Templates>,
    call: CallContext,
    body: Body<Issue>,
) -> Answer {
    let actor = can.actor;
    let call = call.unless_dry(body.value.dry_run);
    let world = ActWorld { defaults: defaults.into_inner(), templates: templates.into_inner() };
    let asked = IssueAct { year, request: body.value };
    acts::answer(state, actor, call, body.sha256, (asked, world.into())).await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SpecimenQuery {
    /// SIRET, actuel ou ancien, du payeur à imprimer ; absent : une commune inventée.
    collectivite: Option<Siret>,
}

/// Voir ce qu'imprimerait la campagne (PDF, « SPÉCIMEN » en travers)
///
/// Avec le tarif, les dates et les textes d'aujourd'hui, aussi pendant la préparation. Rien n'est enregistré.
#[utoipa::path(
    operation_id = "get_campaign_specimen", tag = "Campagnes",
    params(("school_year" = SchoolYear, Path), SpecimenQuery),
    responses((status = 200, description = "Le spécimen")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &codes::DOCUMENT_FAILED]).versioned().files(&["application/pdf"])
    ))),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/specimen")]
async fn specimen_of(
    state: State,
    _can: Can<Read>,
    Key(year): Key<SchoolYear>,
    Params(query): Params<SpecimenQuery>,
    defaults: web::Data<Defaults>,
    templates: web::Data<Templates>,
    renderer: web::Data<Renderer>,
) -> Answer {
    let name = format!("SPECIMEN-{year}.pdf");
    let paper = state.read(move |tx| specimen::compose(tx, &year, query.collectivite.as_ref(), &defaults)).await?;
    let made = web::block(move || specimen::render(&renderer, &templates, &paper))
        .await
        .map_err(|_| Problem::from(crate::platform::Error::Incident("blocking thread lost".into())))??;
    Ok(Reply::file("application/pdf", &name, &made.sha256, made.bytes))
}
