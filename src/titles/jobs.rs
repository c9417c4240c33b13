//! The job that makes an approved title's document, once, from what the approval froze.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::codes::{DECISION_DOCUMENT_FAILED, NOT_APPROVED_YET, TITLE_DOCUMENT_FAILED};
use super::store_decisions::ActRow;
use super::title::TitleDocument;
use super::{settlement, store, store_decisions};
use crate::kernel::Refused;
use crate::kernel::ids::{SmallClaimActId, TitleId};
use crate::platform::db::blobs;
use crate::platform::documents::{Renderer, Template};
use crate::platform::jobs::{self, Handlers, JobError};
use crate::platform::{Database, Error, Outcome, Tx};

/// Kind of the job.
pub const RENDER: &str = "titles.render";
/// Kind of the job that makes the paper of an act.
pub const RENDER_DECISION: &str = "titles.render_decision";

#[derive(Serialize, Deserialize)]
struct RenderDecision {
    act_id: SmallClaimActId,
}

/// Queues the paper of an act just taken.
pub(super) fn enqueue_decision_paper(tx: &mut Tx<'_>, act_id: SmallClaimActId) -> Outcome<()> {
    jobs::enqueue(tx, RENDER_DECISION, &RenderDecision { act_id }, Some(&format!("{RENDER_DECISION}:{act_id}")))
}

/// The journal's name of an act.
const ACT: &str = "small_claim_act";

/// Whether an act is still what was decided: its content, and the sum of its decisions.
fn act_holds(tx: &mut Tx<'_>, act: &ActRow) -> Outcome<()> {
    let falsified = |what: &str| Err(Error::falsified(ACT, &act.number, what));
    if blobs::digest(act.content.as_bytes()) != act.content_sha256 {
        return falsified("le contenu de l'acte n'a plus son empreinte");
    }
    if store_decisions::claims_of(tx, act.id)? != (act.claim_count, act.total_cents) {
        return falsified("les créances de l'acte ne font plus son total");
    }
    Ok(())
}

/// The paper of an act: the stored bytes, made now if they are not yet.
pub fn decision_document(db: &Database, renderer: &Renderer, id: SmallClaimActId) -> Outcome<Document> {
    let (stored, act, template) = db.read(|tx| {
        let act = store_decisions::act(tx, id)?;
        act_holds(tx, &act)?;
        let about = |e: Error| e.about(ACT, &act.number);
        let stored = match store_decisions::paper(tx, id)? {
            Some(sha256) => Some((blobs::get(tx, &sha256).map_err(about)?, sha256)),
            None => None,
        };
        let template = blobs::get(tx, &act.template_sha256).map_err(about)?;
        Ok((stored, act, template))
    })?;
    let reference = act.number.clone();
    if let Some((bytes, sha256)) = stored {
        return Ok(Document { reference, sha256, bytes });
    }
    let template = String::from_utf8(template).map_err(|e| Error::Incident(format!("template: {e}")))?;
    let template = Template::new("decision.typ", template);
    let bytes = renderer.render(&template, act.content.as_bytes(), act.decided_on, &reference).map_err(|fault| {
        tracing::error!(act = %reference, %fault, "document");
        Refused::new(&DECISION_DOCUMENT_FAILED, "Le modèle de la décision ne se laisse pas composer.")
    })?;
    db.write(|tx| {
        let sha256 = blobs::put(tx, "application/pdf", &bytes)?;
        let kept = store_decisions::keep_paper(tx, id, &sha256)?;
        let bytes =
            if kept == sha256 { bytes.clone() } else { blobs::get(tx, &kept).map_err(|e| e.about(ACT, &reference))? };
        Ok(Document { reference: reference.clone(), sha256: kept, bytes })
    })
}

#[derive(Serialize, Deserialize)]
struct Render {
    title_id: TitleId,
}

/// Queues the documents of titles just approved.
pub(super) fn enqueue_renders(tx: &mut Tx<'_>, ids: impl Iterator<Item = TitleId>) -> Outcome<()> {
    let payloads = ids
        .map(|title_id| Ok((serde_json::to_string(&Render { title_id })?, Some(format!("{RENDER}:{title_id}")))))
        .collect::<Outcome<Vec<_>>>()?;
    jobs::enqueue_all(tx, RENDER, &payloads)
}

/// Registers the jobs.
#[must_use]
pub fn handlers(handlers: Handlers, renderer: Arc<Renderer>) -> Handlers {
    let own = Arc::clone(&renderer);
    let handlers = handlers.on(RENDER_DECISION, move |db, payload| {
        let render: RenderDecision = serde_json::from_str(payload).map_err(|e| JobError::GiveUp(e.to_string()))?;
        decision_document(db, &own, render.act_id).map(|_| ()).map_err(Into::into)
    });
    handlers.on(RENDER, move |db, payload| {
        let render: Render = serde_json::from_str(payload).map_err(|e| JobError::GiveUp(e.to_string()))?;
        document(db, &renderer, render.title_id).map(|_| ()).map_err(Into::into)
    })
}

/// A document as served.
#[derive(Debug, Clone)]
pub struct Document {
    pub reference: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// The document of a title: the stored bytes, made now if they are not yet.
pub fn document(db: &Database, renderer: &Renderer, id: TitleId) -> Outcome<Document> {
    let (stored, approval, template) = db.read(|tx| {
        let title = store::find(tx, id)?.ok_or_else(|| Refused::not_found("Titre", id))?;
        let approval = store::approvals(tx, &[id])?.pop().ok_or_else(|| {
            Refused::state(
                &NOT_APPROVED_YET,
                "Le document existe à partir de l'approbation.",
                title.state(),
                title.allowed(),
            )
        })?;
        let own: Vec<_> = store::lines(tx, &[id])?.into_iter().map(|(_, line)| line).collect();
        settlement::verified(approval.stored(), &title, &own).map_err(|what| super::falsified(&title, what))?;
        let about = |e: Error| e.about("perception_title", &approval.reference);
        let stored = match title.document_sha256 {
            Some(sha256) => Some((blobs::get(tx, &sha256).map_err(about)?, sha256)),
            None => None,
        };
        let template = blobs::get(tx, &approval.template_sha256).map_err(about)?;
        Ok((stored, approval, template))
    })?;
    let reference = approval.reference.clone();
    if let Some((bytes, sha256)) = stored {
        return Ok(Document { reference, sha256, bytes });
    }
    let template = String::from_utf8(template).map_err(|e| Error::Incident(format!("template: {e}")))?;
    let template = Template::new("title.typ", template);
    match renderer.render(&template, approval.content.as_bytes(), approval.approved_on, &reference) {
        Ok(bytes) => db.write(|tx| {
            let sha256 = blobs::put(tx, "application/pdf", &bytes)?;
            if store::set_document(tx, id, TitleDocument::Ready, Some(&sha256))? {
                return Ok(Document { reference: reference.clone(), sha256, bytes: bytes.clone() });
            }
            let stored = store::find(tx, id)?.and_then(|t| t.document_sha256).unwrap_or(sha256);
            let bytes = blobs::get(tx, &stored).map_err(|e| e.about("perception_title", &reference))?;
            Ok(Document { reference: reference.clone(), bytes, sha256: stored })
        }),
        Err(fault) => {
            tracing::error!(title = %reference, %fault, "document");
            db.write(|tx| store::set_document(tx, id, TitleDocument::Failed, None))?;
            Err(Refused::new(&TITLE_DOCUMENT_FAILED, "Le modèle de la demande d'émission ne se laisse pas composer.")
                .into())
        }
    }
}
