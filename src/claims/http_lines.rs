//! Routes of lines whose school has closed since the convention was issued.

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::codes;
use super::line_actions::{self, ClosedLineView};
use super::lines::DecideLines;
use super::scene::Called;
use crate::access::{Can, PrepareTitles, Read};
use crate::campaigns::Defaults;
use crate::campaigns::bulk::BulkView;
use crate::campaigns::codes::{CAMPAIGN_STATE, KEYS_OR_FILTER};
use crate::conventions::PayerSelection;
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::SearchText;
use crate::kernel::{Departement, InseeCode, SchoolYear, Siret};
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Page, PageView, Params, Reply, State};
use crate::registry::kinds::CollectiviteKind;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list).service(decide);
}

crate::sort_keys!(LineSort, LineOrder of "line_decisions" { Uai => "uai" });

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `true` : lignes décidées ; `false` : lignes en attente.
    decided: Option<bool>,
    /// Département du payeur.
    departement: Option<Departement>,
    /// Nature du payeur.
    kind: Option<CollectiviteKind>,
    /// Code INSEE, actuel ou ancien, du payeur.
    insee_code: Option<InseeCode>,
    /// SIRET, actuel ou ancien, du payeur.
    collectivite: Option<Siret>,
    /// Nom ou début de SIRET du payeur.
    q: Option<SearchText>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<LineOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les lignes dont l'école a fermé
///
/// Tant qu'une telle ligne n'est pas décidée, aucun titre n'est préparé pour sa convention.
#[utoipa::path(
    operation_id = "list_line_decisions", tag = "Titres", params(("school_year" = SchoolYear, Path), ListQuery),
    responses((status = 200, body = PageView<ClosedLineView>, description = "Une page, par UAI")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/line-decisions")]
async fn list(
    state: State,
    _can: Can<Read>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    called: web::Data<Called>,
    Params(query): Params<ListQuery>,
) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let payers = PayerSelection {
                departement: query.departement,
                kind: query.kind,
                insee_code: query.insee_code,
                collectivite: query.collectivite,
                q: query.q,
            };
            let mut lines = line_actions::list(tx, &year, (&defaults, **called), payers)?;
            lines.retain(|l| query.decided.is_none_or(|d| d == l.decision.is_some()));
            lines.sort_by(|a, b| a.uai.cmp(&b.uai));
            if page.order.descending {
                lines.reverse();
            }
            let place = |LineSort::Uai, l: &ClosedLineView| (l.uai.to_string(), l.convention_id.to_string());
            Reply::ok(&page.cut(page.skim(lines, place), tx.now(), place))
        })
        .await?;
    Ok(reply.into_response())
}

/// Décider de lignes dont l'école a fermé
///
/// Par `filter` (toutes les lignes en attente de ces payeurs) ou par `keys` (UAI). `keep` : la ligne reste due ; `reduce` : elle est retirée et le reste recalculé ; `amendment` : aucun titre avant l'avenant. Issues : `decided`, `unchanged`, `refused`.
#[utoipa::path(
    operation_id = "decide_lines", tag = "Titres", params(("school_year" = SchoolYear, Path)), request_body = DecideLines,
    responses((status = 200, body = BulkView, description = "Une issue par école")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[
            &NOT_FOUND, &KEYS_OR_FILTER, &codes::PREPARER_UNKNOWN, &CAMPAIGN_STATE, &CONCURRENT_CHANGE,
        ])
            .acting("DecideLinesAnswer", line_actions::LINE_OUTCOMES)
    ))),
    security(("bearer" = []))
)]
#[post("/campaigns/{school_year}/line-decisions")]
async fn decide(
    state: State,
    can: Can<PrepareTitles>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    called: web::Data<Called>,
    call: CallContext,
    body: Body<DecideLines>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call.unless_dry(body.value.dry_run), body.sha256, move |tx| {
            Reply::ok(&line_actions::decide(tx, &actor, &year, body.value, (&defaults, **called))?)
        })
        .await
}
