//! Routes of a campaign whose action is here: the bulk issue.

use actix_web::{post, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Templates;
use super::issue::{self, IssueRequest, IssueView};
use crate::access::{Can, IssueConventions};
use crate::campaigns::Defaults;
use crate::kernel::SchoolYear;
use crate::platform::web::docs::WriteRefusals;
use crate::platform::web::{Answer, Body, CallContext, Key, Reply, State};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(issue_all);
}

/// Émettre les conventions en nombre
///
/// Une par payeur ayant au moins une école inscrite. Sans `filter` ni `keys` (SIRET) : toutes. Issues : `issued`, `already_issued`, `no_enrolment`, `refused`.
#[utoipa::path(
    operation_id = "issue_conventions", tag = "Conventions", params(("school_year" = SchoolYear, Path)), request_body = IssueRequest,
    responses((status = 200, body = IssueView, description = "Une issue par payeur, et les petites créances"), WriteRefusals),
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
