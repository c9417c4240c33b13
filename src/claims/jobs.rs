//! The job that makes the paper of an act, once, from what the act froze.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::codes::DECISION_DOCUMENT_FAILED;
use super::store::{self, ActRow};
use crate::kernel::Refused;
use crate::kernel::ids::SmallClaimActId;
use crate::platform::db::blobs;
use crate::platform::documents::{Renderer, Template};
use crate::platform::jobs::{self, About, Handlers, Job, JobError, Queue};
use crate::platform::{Database, Error, Outcome, Tx};

/// Makes the paper of an act.
#[derive(Serialize, Deserialize)]
pub struct RenderDecision {
    act_id: SmallClaimActId,
}

impl Job for RenderDecision {
    type World = Arc<Renderer>;
    const KIND: &'static str = "titles.render_decision";
    const QUEUE: Queue = Queue::Papers;

    fn dedup_key(&self) -> Option<String> {
        Some(self.act_id.to_string())
    }

    fn about(&self) -> Option<About> {
        Some(About { kind: ACT, key: self.act_id.to_string() })
    }

    fn run(&self, db: &Database, renderer: &Arc<Renderer>) -> Result<(), JobError> {
        decision_document(db, renderer, self.act_id)?;
        Ok(())
    }
}

/// Queues the paper of an act just taken.
pub(super) fn enqueue_decision_paper(tx: &mut Tx<'_>, act_id: SmallClaimActId) -> Outcome<()> {
    jobs::enqueue(tx, &RenderDecision { act_id })
}

/// The journal's name of an act.
const ACT: &str = "small_claim_act";

/// Whether an act is still what was decided: its content, and the sum of its decisions.
fn act_holds(tx: &mut Tx<'_>, act: &ActRow) -> Outcome<()> {
    let falsified = |what: &str| Err(Error::falsified(ACT, &act.number, what));
    if blobs::digest(act.content.as_bytes()) != act.content_sha256 {
        return falsified("le contenu de l'acte n'a plus son empreinte");
    }
    if store::claims_of(tx, act.id)? != (act.claim_count, act.total_cents) {
        return falsified("les créances de l'acte ne font plus son total");
    }
    Ok(())
}

/// The paper of an act: the stored bytes, made now if they are not yet.
pub fn decision_document(db: &Database, renderer: &Renderer, id: SmallClaimActId) -> Outcome<Document> {
    let (stored, act, template) = db.read(|tx| {
        let act = store::act(tx, id)?;
        act_holds(tx, &act)?;
        let about = |e: Error| e.about(ACT, &act.number);
        let stored = match store::paper(tx, id)? {
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
        let kept = store::keep_paper(tx, id, &sha256)?;
        let bytes =
            if kept == sha256 { bytes.clone() } else { blobs::get(tx, &kept).map_err(|e| e.about(ACT, &reference))? };
        Ok(Document { reference: reference.clone(), sha256: kept, bytes })
    })
}

/// A document as served.
#[derive(Debug, Clone)]
pub struct Document {
    pub reference: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// Registers the job.
#[must_use]
pub fn handlers(handlers: Handlers, renderer: Arc<Renderer>) -> Handlers {
    handlers.with::<RenderDecision>(renderer)
}
