//! Routes of what happens to a batch once it is sealed.

use actix_web::{get, post};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::batch::{BatchAct, BatchAction, BatchNumber, BatchSignature, BatchState};
use super::codes;
use super::http::{self, BatchView, SignatoryView};
use super::{sealed, sign};
use crate::access::{Can, ReadTitles, SealBatches, refusal};
use crate::kernel::Refused;
use crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
use crate::kernel::text::Note;
use crate::platform::db::counters::CLOCK_BEHIND;
use crate::platform::web::docs::Answers;
use crate::platform::web::problem::INTEGRITY_FAULT;
use crate::platform::web::transitions::TransitionsView;
use crate::platform::web::{Answer, Body, CallContext, Key, Reply, State};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(transitions).service(transition);
}

/// Lister les actions possibles sur un bordereau, et pourquoi les autres ne le sont pas
#[utoipa::path(
    operation_id = "list_batch_transitions", tag = "Bordereaux", params(("number" = BatchNumber, Path)),
    responses((status = 200, body = TransitionsView<BatchState, BatchAction>, description = "Les actions")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT])))),
    security(("bearer" = []))
)]
#[get("/accounting-batches/{number}/transitions")]
async fn transitions(state: State, can: Can<ReadTitles>, Key(number): Key<BatchNumber>) -> Answer {
    let reply = state
        .read(move |tx| {
            let found = sealed::found(tx, &number)?;
            let by_role = refusal::<SealBatches>(can.role);
            let refused = |action| Ok(by_role.clone().or_else(|| found.admits(action).err()));
            Reply::ok(&TransitionsView::of::<crate::platform::Error>(found.state(), BatchAction::ALL, refused)?)
        })
        .await?;
    Ok(reply.into_response())
}

/// Une action sur un bordereau.
///
/// `sign` : l'ordonnateur ou son délégué a signé le bordereau (`signed_on`, `signatory`, `evidence`).
/// `correct_signature` : la signature a été mal relevée (les mêmes champs, tels qu'ils auraient dû l'être, et `reason`).
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BatchTransitionRequest)]
struct TransitionRequest {
    action: BatchAction,
    /// Jour écrit sous la signature : du jour du scellement à aujourd'hui.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::kernel::dates::some_day")]
    signed_on: Option<NaiveDate>,
    /// Qui a signé.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signatory: Option<SignatoryView>,
    /// Ce qui montre la signature : « parapheur n° … », « original au dossier ».
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<Note>,
    /// Motif ; pour `correct_signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Note>,
}

impl TransitionRequest {
    /// The act, once every field it needs is there; all that are missing are told together.
    fn complete(self) -> Result<BatchAct, Refused> {
        let evidence = self.evidence;
        let signature = |on, who: SignatoryView| BatchSignature { on, name: who.name, title: who.title, evidence };
        match (self.action, self.signed_on, self.signatory, self.reason) {
            (BatchAction::Sign, .., Some(_)) => Err(Refused::not_for(self.action, "/reason")),
            (BatchAction::Sign, Some(on), Some(who), None) => Ok(BatchAct::Sign(signature(on, who))),
            (BatchAction::CorrectSignature, Some(on), Some(who), Some(reason)) => {
                Ok(BatchAct::CorrectSignature { signature: signature(on, who), reason })
            }
            (action, on, who, reason) => {
                let needed = [
                    ("/signed_on", on.is_some()),
                    ("/signatory", who.is_some()),
                    ("/reason", reason.is_some() || action == BatchAction::Sign),
                ];
                let missing = needed.iter().filter(|(_, given)| !given).map(|(pointer, _)| *pointer);
                Err(Refused::missing_for(action, missing))
            }
        }
    }
}

/// Relever la signature d'un bordereau, ou la corriger
///
/// Le contenu du bordereau et ses fichiers ne changent pas. Une signature corrigée reste au journal.
#[utoipa::path(
    operation_id = "transition_batch", tag = "Bordereaux", params(("number" = BatchNumber, Path)),
    request_body = TransitionRequest,
    responses((status = 200, body = BatchView, description = "Le bordereau après l'action")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT, &CLOCK_BEHIND, &codes::BATCH_STATE, &CONCURRENT_CHANGE])
            .versioned()
            .version_optional()
    ))),
    security(("bearer" = []))
)]
#[post("/accounting-batches/{number}/transitions")]
async fn transition(
    state: State,
    can: Can<SealBatches>,
    Key(number): Key<BatchNumber>,
    mut call: CallContext,
    body: Body<TransitionRequest>,
) -> Answer {
    let read = call.optional_version()?;
    let actor = can.actor;
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let act = body.value.complete()?;
            let next = sign::act(tx, &actor, &number, read.as_ref(), act)?;
            let version = next.version;
            Reply::versioned(&http::view(tx, next)?, version)
        })
        .await
}
