//! `/audit-events`: the journal, read by administrators.

use actix_web::get;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::permission::{Administer, Can};
use crate::audit::{self, Event, EventOrder, Filter};
use crate::kernel::Instant;
use crate::kernel::ids::{AuditEventId, UserId};
use crate::platform::web::{Answer, Page, PageView, Params, Reply, State};

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_audit_events);
}

/// Une ligne du journal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AuditEventView {
    id: AuditEventId,
    at: Instant,
    /// Le compte ; absent quand le programme agit seul.
    actor_id: Option<UserId>,
    /// Le nom à la date de l'acte.
    #[schema(example = "Zoé Martin")]
    actor: String,
    request_id: Option<String>,
    #[schema(example = "convention.issued")]
    action: String,
    #[schema(example = "convention")]
    subject_kind: String,
    #[schema(example = "ENT-C-2025-0001")]
    subject_key: String,
    #[schema(value_type = Object)]
    data: Value,
}

impl From<Event> for AuditEventView {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            at: event.at,
            actor_id: event.actor_id,
            actor: event.actor_label,
            request_id: event.request_id,
            action: event.action,
            subject_kind: event.subject_kind,
            subject_key: event.subject_key,
            data: event.data,
        }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditEventsQuery {
    /// Genre d'objet : `convention`, `user`…
    subject_kind: Option<String>,
    /// Clé publique de l'objet : SIRET, UAI, numéro, référence ou identifiant.
    subject_key: Option<String>,
    /// Acte, par exemple `user.created`.
    action: Option<String>,
    /// Identifiant du compte qui a agi.
    #[param(value_type = Option<String>)]
    actor: Option<UserId>,
    /// Actes enregistrés depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<EventOrder>,
    /// Nombre de lignes, 200 au plus.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` de la page précédente.
    cursor: Option<String>,
}

/// Lire le journal
///
/// Les actes, du plus récent au plus ancien. Le journal ne se modifie ni ne s'efface.
#[utoipa::path(
    operation_id = "list_audit_events", tag = "Journal", params(AuditEventsQuery),
    responses((status = 200, description = "Une page du journal", body = PageView<AuditEventView>))
)]
#[get("/audit-events")]
async fn list_audit_events(_can: Can<Administer>, state: State, query: Params<AuditEventsQuery>) -> Answer {
    let AuditEventsQuery { subject_kind, subject_key, action, actor, updated_since, sort, limit, cursor } = query.0;
    let page = Page::read(limit, cursor.as_deref(), sort)?;
    let reply = state
        .read(move |tx| {
            let updated_since = tx.changed_since(updated_since)?;
            let filter = Filter { subject_kind, subject_key, action, actor, updated_since };
            Reply::ok(&audit::list(tx, &filter, &page)?.map(AuditEventView::from))
        })
        .await?;
    Ok(reply.into_response())
}
