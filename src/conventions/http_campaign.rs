//! Routes of a campaign whose action is here: bulk issue, participations.

use std::collections::BTreeMap;

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Templates;
use super::convention::ConventionState;
use super::issue::{self, IssueRequest};
use super::store::{self, ConventionFilter, ConventionOrder};
use super::views::{DepartementSum, ParticipationRow, ParticipationsView};
use crate::access::{Can, IssueConventions, Read};
use crate::campaigns::bulk::BulkView;
use crate::campaigns::{self, Defaults};
use crate::kernel::text::SearchText;
use crate::kernel::{Departement, InseeCode, Instant, Money, SchoolYear, Siret};
use crate::platform::web::docs::{ReadRefusals, WriteRefusals};
use crate::platform::web::{Answer, Body, CallContext, Key, Page, Params, Reply, State};
use crate::registry::kinds::CollectiviteKind;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(issue_all).service(participations);
}

/// Émettre les conventions en nombre
///
/// Une par payeur ayant au moins une école inscrite. Sans `filter` ni `keys` (SIRET) : toutes. Issues : `issued`, `already_issued`, `no_enrolment`, `refused`.
#[utoipa::path(
    operation_id = "issue_conventions", tag = "Conventions", params(("school_year" = SchoolYear, Path)), request_body = IssueRequest,
    responses((status = 200, body = BulkView, description = "Une issue par payeur"), WriteRefusals),
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
    body: Body<IssueRequest>,
) -> Answer {
    let actor = can.actor;
    state
        .post(actor.user, call.unless_dry(body.value.dry_run), body.sha256, move |tx| {
            Reply::ok(&issue::issue(tx, &actor, &year, body.value, &defaults, &templates)?)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ParticipationsQuery {
    /// Département du payeur.
    departement: Option<Departement>,
    /// SIRET, présent ou passé, du payeur.
    collectivite: Option<Siret>,
    /// Nature du payeur.
    kind: Option<CollectiviteKind>,
    /// Code INSEE, actuel ou ancien, du payeur.
    insee_code: Option<InseeCode>,
    status: Option<ConventionState>,
    /// Nom du payeur ou partie du numéro.
    q: Option<SearchText>,
    /// Modifiées depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<ConventionOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lire les participations d'une campagne, avec leurs sommes par département
///
/// Les conventions annulées ne comptent pas. Les sommes sont celles de tout ce que les filtres retiennent.
#[utoipa::path(
    operation_id = "list_participations", tag = "Conventions", params(("school_year" = SchoolYear, Path), ParticipationsQuery),
    responses((status = 200, body = ParticipationsView, description = "Sommes et lignes"), ReadRefusals),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/participations")]
async fn participations(
    state: State,
    _can: Can<Read>,
    Key(year): Key<SchoolYear>,
    Params(query): Params<ParticipationsQuery>,
) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let filter = ConventionFilter {
                campaign: Some(campaigns::find(tx, &year)?.id),
                collectivite: query.collectivite,
                departement: query.departement,
                kind: query.kind,
                insee_code: query.insee_code,
                status: query.status,
                number: None,
                q: query.q,
                updated_since: query.updated_since,
                live: true,
            };
            let mut sums: BTreeMap<Option<Departement>, DepartementSum> = BTreeMap::new();
            for (departement, schools, total) in store::amounts(tx, &filter)? {
                let sum = sums.entry(departement.clone()).or_insert_with(|| DepartementSum {
                    departement,
                    conventions: 0,
                    schools: 0,
                    total: Money::ZERO,
                });
                sum.conventions += 1;
                sum.schools += schools;
                sum.total = [sum.total, total].into_iter().sum();
            }
            let page = store::list(tx, &filter, &page)?.map(|c| ParticipationRow {
                convention_id: c.id,
                status: c.state(),
                siret: c.party.siret.to_string(),
                name: c.party.name.to_string(),
                departement: c.party.departement.clone(),
                schools: c.school_count,
                total: c.total,
                number: c.number,
            });
            Reply::ok(&ParticipationsView {
                campaign: year,
                conventions: sums.values().map(|s| s.conventions).sum(),
                schools: sums.values().map(|s| s.schools).sum(),
                total: sums.values().map(|s| s.total).sum(),
                currency: "EUR",
                departements: sums.into_values().collect(),
                data: page.data,
                meta: page.meta,
            })
        })
        .await?;
    Ok(reply.into_response())
}
