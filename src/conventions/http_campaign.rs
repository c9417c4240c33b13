//! Routes of a campaign whose action is here: bulk issue, participations.

use std::collections::BTreeMap;

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::convention::{Convention, ConventionState};
use super::issue::{self, IssueRequest};
use super::store;
use super::views::{DepartementSum, ParticipationRow, ParticipationsView};
use super::Templates;
use crate::access::{Can, IssueConventions, Read};
use crate::campaigns::bulk::BulkView;
use crate::campaigns::{self, Defaults};
use crate::kernel::{Departement, Money, SchoolYear};
use crate::platform::web::docs::{ReadRefusals, WriteRefusals};
use crate::platform::web::{Answer, Body, CallContext, Key, Page, Params, Reply, State};

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
        .post(actor.user, call, body.sha256, move |tx| {
            Reply::ok(&issue::issue(tx, &actor, &year, body.value, &defaults, &templates)?)
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct ParticipationsQuery {
    /// Département du payeur.
    departement: Option<Departement>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lire les participations d'une campagne, avec leurs sommes par département
///
/// Les conventions annulées ne comptent pas.
#[utoipa::path(
    operation_id = "list_participations", tag = "Conventions", params(("school_year" = SchoolYear, Path), ParticipationsQuery),
    responses((status = 200, body = ParticipationsView, description = "Sommes et lignes"), ReadRefusals),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/participations")]
async fn participations(state: State, _can: Can<Read>, Key(year): Key<SchoolYear>, Params(query): Params<ParticipationsQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), "number", 1)?;
    let reply = state
        .read(move |tx| {
            let campaign = campaigns::find(tx, &year)?;
            let live: Vec<Convention> = store::of_campaign(tx, campaign.id)?
                .into_iter()
                .filter(|c| !matches!(c.state(), ConventionState::Cancelled | ConventionState::Declined))
                .filter(|c| query.departement.as_ref().is_none_or(|d| c.party.departement.as_ref() == Some(d)))
                .collect();
            let mut sums: BTreeMap<Option<Departement>, DepartementSum> = BTreeMap::new();
            for c in &live {
                let departement = c.party.departement.clone();
                let sum = sums.entry(departement.clone()).or_insert_with(|| DepartementSum {
                    departement,
                    conventions: 0,
                    schools: 0,
                    total: Money::ZERO,
                });
                sum.conventions += 1;
                sum.schools += c.school_count;
                sum.total = [sum.total, c.total].into_iter().sum();
            }
            let (schools, total) = (live.iter().map(|c| c.school_count).sum(), live.iter().map(|c| c.total).sum());
            let conventions = i64::try_from(live.len()).unwrap_or(i64::MAX);
            let fetch = usize::try_from(page.fetch()).unwrap_or(usize::MAX);
            let after = page.after(0).unwrap_or_default().to_owned();
            let rows: Vec<Convention> = live.into_iter().filter(|c| c.number > after).take(fetch).collect();
            let cut = page.finish(rows, "number", |c: &Convention| vec![c.number.clone()], |c| ParticipationRow {
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
                conventions,
                schools,
                total,
                currency: "EUR",
                departements: sums.into_values().collect(),
                data: cut.data,
                meta: cut.meta,
            })
        })
        .await?;
    Ok(reply.into_response())
}
