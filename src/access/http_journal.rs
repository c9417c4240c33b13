//! `/audit-events`: the journal, read by administrators.

use actix_web::{get, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::http_permission::{Administer, Can};
use crate::audit::{self, Event, EventOrder, Filter, SubjectKind, Tellers};
use crate::kernel::Instant;
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::{AuditEventId, CampaignId, CollectiviteId, ConventionId, UserId};
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Page, PageView, Params, Reply, State};

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_audit_events);
}

/// Une ligne du journal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AuditEventView {
    id: AuditEventId,
    at: Instant,
    /// Qui a agi : `staff`, un compte ; `program`, le programme seul.
    #[schema(example = "staff")]
    actor_kind: &'static str,
    /// Le compte ; absent quand le programme agit seul.
    actor_id: Option<UserId>,
    /// Le nom à la date de l'acte ; absent une fois effacé.
    #[schema(example = "Zoé Martin")]
    actor: Option<String>,
    request_id: Option<String>,
    #[schema(example = "convention.issued")]
    action: String,
    /// L'acte en une phrase.
    #[schema(example = "Convention émise pour 21300278500011 : 2 écoles, 80,00 €.")]
    sentence: String,
    subject_kind: SubjectKind,
    /// Identifiant de l'objet : il ne change jamais.
    #[schema(example = "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e")]
    subject_id: String,
    /// Clé publique à la date de l'acte : SIRET, UAI, numéro, référence ou identifiant.
    #[schema(example = "ENT-C-2025-2026-00001")]
    subject_key: String,
    campaign_id: Option<CampaignId>,
    payer_id: Option<CollectiviteId>,
    convention_id: Option<ConventionId>,
    /// Forme de `data` ; 0 pour les lignes d'avant les événements typés.
    version: i64,
    #[schema(value_type = Object)]
    data: Value,
    /// SHA-256 de la ligne, qui porte sur un engagement salé des données personnelles ; absent des lignes anciennes.
    digest: Option<String>,
    /// La ligne, et ce qu'elle garde des personnes, répond à son empreinte ; absent avec elle.
    intact: Option<bool>,
}

impl AuditEventView {
    fn of(event: Event, tellers: &Tellers) -> Self {
        Self {
            sentence: tellers.tell(&event),
            id: event.id,
            at: event.at,
            actor_kind: event.by.as_str(),
            actor_id: event.actor_id,
            actor: event.actor_label,
            request_id: event.request_id,
            action: event.action,
            subject_kind: event.subject.kind,
            subject_id: event.subject.id,
            subject_key: event.subject.key,
            campaign_id: event.subject.campaign,
            payer_id: event.subject.payer,
            convention_id: event.subject.convention,
            version: event.version,
            data: event.data,
            digest: event.digest,
            intact: event.intact,
        }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditEventsQuery {
    /// Toute l'histoire d'une chose, par son identifiant ou par une clé qu'elle a portée (SIRET même ancien, UAI, numéro,
    /// référence, année scolaire, adresse d'un compte) : ses lignes, et celles de ce qui lui appartient.
    subject: Option<String>,
    /// Genre d'objet.
    #[param(inline)]
    subject_kind: Option<SubjectKind>,
    /// Clé publique de l'objet à la date de l'acte.
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
/// Les actes, du plus récent au plus ancien. Le journal ne se modifie ni ne s'efface ; seules les données personnelles qu'il
/// porte peuvent être effacées au terme de leur durée, le reste de la ligne restant vérifiable par son empreinte.
#[utoipa::path(
    operation_id = "list_audit_events", tag = "Journal", params(AuditEventsQuery),
    responses((status = 200, description = "Une page du journal", body = PageView<AuditEventView>)),
    extensions(("x-answers" = json!(Answers::usual())))
)]
#[get("/audit-events")]
async fn list_audit_events(
    _can: Can<Administer>,
    state: State,
    tellers: web::Data<Tellers>,
    query: Params<AuditEventsQuery>,
) -> Answer {
    let AuditEventsQuery { subject, subject_kind, subject_key, action, actor, updated_since, sort, limit, cursor } =
        query.0;
    let page = Page::read(limit, cursor.as_deref(), sort)?;
    let reply = state
        .read(move |tx| {
            let updated_since = tx.changed_since(updated_since)?;
            let meant = subject.as_deref().map(|word| tellers.ids(tx, word)).transpose()?.unwrap_or_default();
            // An address may have been another's: the account that has it is meant, and not its words alone.
            let is_address = subject.as_deref().is_some_and(|word| EmailAddress::parse(word).is_ok());
            let subject = meant.first().filter(|_| is_address).cloned().or(subject);
            let filter = Filter { subject, meant, subject_kind, subject_key, action, actor, updated_since };
            Reply::ok(&audit::list(tx, &filter, &page)?.map(|event| AuditEventView::of(event, &tellers)))
        })
        .await?;
    Ok(reply.into_response())
}
