//! Routes of participations: what each convention makes due, and what became of it.
//!
//! The participation is the conventions', its standing the claims'; that it was titled is known here, so its routes are here.

use actix_web::{get, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::participations::{self, Asked, ParticipationDetail, ParticipationsView};
use crate::access::{Can, Read};
use crate::campaigns::{self, Defaults};
use crate::claims::Titling;
use crate::conventions::{ConventionFilter, ConventionOrder, ConventionState};
use crate::kernel::ids::ConventionId;
use crate::kernel::refused::NOT_FOUND;
use crate::kernel::text::SearchText;
use crate::kernel::{Departement, InseeCode, Instant, SchoolYear, Siret};
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Key, Page, Params, Reply, State};
use crate::registry::kinds::CollectiviteKind;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list).service(one);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ParticipationsQuery {
    /// Département du payeur.
    departement: Option<Departement>,
    /// SIRET, actuel ou ancien, du payeur.
    collectivite: Option<Siret>,
    /// Nature du payeur.
    kind: Option<CollectiviteKind>,
    /// Code INSEE, actuel ou ancien, du payeur.
    insee_code: Option<InseeCode>,
    /// État de la convention.
    status: Option<ConventionState>,
    /// Nom du payeur ou partie du numéro.
    q: Option<SearchText>,
    /// Modifiées depuis cet instant, elles, leurs titres ou ce qui en fut décidé : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<ConventionOrder>,
    /// Ce qu'il est advenu de la participation.
    titling: Option<Titling>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lire les participations d'une campagne, avec leurs sommes par département
///
/// Les conventions annulées ne comptent pas ; les sommes sont celles de tout ce que les filtres retiennent. Chaque ligne dit si elle est titrée, laissée sans titre par une décision, ou en attente.
#[utoipa::path(
    operation_id = "list_participations", tag = "Conventions", params(("school_year" = SchoolYear, Path), ParticipationsQuery),
    responses((status = 200, body = ParticipationsView, description = "Sommes et lignes")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/campaigns/{school_year}/participations")]
async fn list(
    state: State,
    _can: Can<Read>,
    Key(year): Key<SchoolYear>,
    defaults: web::Data<Defaults>,
    Params(query): Params<ParticipationsQuery>,
) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let campaign = campaigns::find(tx, &year)?;
            let filter = ConventionFilter {
                campaign: Some(campaign.id),
                collectivite: query.collectivite,
                departement: query.departement,
                kind: query.kind,
                insee_code: query.insee_code,
                status: query.status,
                number: None,
                q: query.q,
                // Asked below: a title or a decision changes what is told of a convention that did not change.
                updated_since: None,
                live: true,
                among: None,
            };
            let since = tx.changed_since(query.updated_since)?;
            Reply::ok(&participations::list(
                tx,
                campaign,
                &defaults,
                Asked { filter, since, titling: query.titling },
                &page,
            )?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire la participation et son calcul
#[utoipa::path(
    operation_id = "get_participation", tag = "Conventions", params(("id" = ConventionId, Path)),
    responses((status = 200, body = ParticipationDetail, description = "Lignes, total, étapes, titre ou décision")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
    security(("bearer" = []))
)]
#[get("/conventions/{id}/participation")]
async fn one(state: State, _can: Can<Read>, defaults: web::Data<Defaults>, Key(id): Key<ConventionId>) -> Answer {
    let reply = state.read(move |tx| Reply::ok(&participations::one(tx, id, &defaults)?)).await?;
    Ok(reply.into_response())
}
