//! The job that makes an approved title's document, once, from what the approval froze.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::approved::falsified;
use super::codes::{NOT_APPROVED_YET, TITLE_DOCUMENT_FAILED};
use super::title::TitleDocument;
use super::{settlement, store};
use crate::kernel::Refused;
use crate::kernel::ids::TitleId;
use crate::platform::db::blobs;
use crate::platform::documents::{Renderer, Template};
use crate::platform::jobs::{self, About, Handlers, Job, JobError, Queue};
use crate::platform::{Database, Error, Outcome, Tx};

/// Makes the document of an approved title.
#[derive(Serialize, Deserialize)]
pub struct RenderTitle {
    title_id: TitleId,
}

impl Job for RenderTitle {
    type World = Arc<Renderer>;
    const KIND: &'static str = "titles.render";
    const QUEUE: Queue = Queue::Papers;

    fn dedup_key(&self) -> Option<String> {
        Some(self.title_id.to_string())
    }

    fn about(&self) -> Option<About> {
        Some(About { kind: "perception_title", key: self.title_id.to_string() })
    }

    fn run(&self, db: &Database, renderer: &Arc<Renderer>) -> Result<(), JobError> {
        document(db, renderer, self.title_id)?;
        Ok(())
    }
}

/// Queues the documents of titles just approved.
pub(super) fn enqueue_renders(tx: &mut Tx<'_>, ids: impl Iterator<Item = TitleId>) -> Outcome<()> {
    let renders: Vec<_> = ids.map(|title_id| RenderTitle { title_id }).collect();
    jobs::enqueue_all(tx, &renders)
}

/// Registers the jobs.
#[must_use]
pub fn handlers(handlers: Handlers, renderer: Arc<Renderer>) -> Handlers {
    handlers.with::<RenderTitle>(renderer)
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
        settlement::verified(approval.stored(), &title, &own).map_err(|what| falsified(&title, what))?;
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
