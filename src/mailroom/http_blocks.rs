//! Routes of addresses that are written to no more.

use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions;
use super::http_emails::RunMailRoom;
use crate::access::{Can, Read};
use crate::kernel::Instant;
use crate::kernel::contact::EmailAddress;
use crate::kernel::text::Note;
use crate::platform::mail::{self, Block, BlockOrder};
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Page, PageView, Params, Reply, State};
use crate::text_enum;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list).service(act);
}

/// Une adresse à laquelle il n'est plus écrit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MailBlockView {
    address: EmailAddress,
    reason: String,
    blocked_at: Instant,
    blocked_by: String,
}

impl From<Block> for MailBlockView {
    fn from(block: Block) -> Self {
        let Block { address, reason, blocked_at, blocked_by } = block;
        Self { address, reason, blocked_at, blocked_by }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BlocksQuery {
    /// Signalées depuis cet instant : `meta.next_updated_since` du passage précédent.
    updated_since: Option<Instant>,
    /// Ordre ; « - » devant, du dernier au premier.
    #[param(inline)]
    sort: Option<BlockOrder>,
    /// De 1 à 200 ; 50 par défaut.
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lister les adresses auxquelles il n'est plus écrit
#[utoipa::path(
    operation_id = "list_mail_blocks", tag = "Courriels", params(BlocksQuery),
    responses((status = 200, body = PageView<MailBlockView>, description = "Une page")),
    extensions(("x-answers" = json!(Answers::usual()))),
    security(("bearer" = []))
)]
#[get("/mail-blocks")]
async fn list(state: State, _can: Can<Read>, Params(query): Params<BlocksQuery>) -> Answer {
    let page = Page::read(query.limit, query.cursor.as_deref(), query.sort)?;
    let reply = state
        .read(move |tx| {
            let since = tx.changed_since(query.updated_since)?;
            Reply::ok(&mail::blocks(tx, since, &page)?.map(MailBlockView::from))
        })
        .await?;
    Ok(reply.into_response())
}

text_enum!(
    /// `block` : ne plus écrire à l'adresse. `unblock` : lui écrire de nouveau.
    BlockAction { Block => "block", Unblock => "unblock" }
);

/// Signaler une adresse, ou la rétablir.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct MailBlockRequest {
    action: BlockAction,
    address: EmailAddress,
    reason: Note,
}

/// L'adresse après l'action.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MailBlockedView {
    address: EmailAddress,
    blocked: bool,
    /// Faux : elle l'était déjà, ou ne l'était pas ; rien n'a changé.
    changed: bool,
}

/// Ne plus écrire à une adresse, ou lui écrire de nouveau
///
/// Les courriels qui l'attendent sont annulés quand ils allaient partir ; une tâche demande une autre adresse pour chaque
/// collectivité dont c'est le contact.
#[utoipa::path(
    operation_id = "flag_mail_address", tag = "Courriels", request_body = MailBlockRequest,
    responses((status = 200, body = MailBlockedView, description = "L'adresse après l'action")),
    extensions(("x-answers" = json!(Answers::usual()))),
    security(("bearer" = []))
)]
#[post("/mail-blocks")]
async fn act(state: State, can: Can<RunMailRoom>, call: CallContext, body: Body<MailBlockRequest>) -> Answer {
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let MailBlockRequest { action, address, reason } = body.value;
            let changed = match action {
                BlockAction::Block => actions::block(tx, &actor, &address, &reason)?,
                BlockAction::Unblock => actions::unblock(tx, &actor, &address, &reason)?,
            };
            Reply::ok(&MailBlockedView { address, blocked: action == BlockAction::Block, changed })
        })
        .await
}
