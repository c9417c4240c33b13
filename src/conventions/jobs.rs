//! The jobs of conventions: the document, made once; the expiry, each day.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::actions::expire_due;
use super::codes::DOCUMENT_FAILED;
use super::convention::DocumentStatus;
use super::{store, store_seals};
use crate::audit;
use crate::kernel::ids::ConventionId;
use crate::kernel::{Actor, Refused};
use crate::platform::db::blobs;
use crate::platform::documents::{Renderer, Template};
use crate::platform::jobs::{self, About, Daily, Handlers, Job, JobError, Queue};
use crate::platform::{Database, Error, Outcome, Tx};

/// Makes the document of a convention.
#[derive(Serialize, Deserialize)]
pub struct RenderConvention {
    convention_id: ConventionId,
}

impl Job for RenderConvention {
    type World = Arc<Renderer>;
    const KIND: &'static str = "conventions.render";
    const QUEUE: Queue = Queue::Papers;

    fn dedup_key(&self) -> Option<String> {
        Some(self.convention_id.to_string())
    }

    fn about(&self) -> Option<About> {
        Some(About { kind: "convention", key: self.convention_id.to_string() })
    }

    fn run(&self, db: &Database, renderer: &Arc<Renderer>) -> Result<(), JobError> {
        document(db, renderer, self.convention_id)?;
        Ok(())
    }
}

/// Queues the documents of new conventions.
pub(super) fn enqueue_renders(tx: &mut Tx<'_>, ids: impl Iterator<Item = ConventionId>) -> Outcome<()> {
    let renders: Vec<_> = ids.map(|convention_id| RenderConvention { convention_id }).collect();
    jobs::enqueue_all(tx, &renders)
}

/// Expires the conventions whose end is past.
#[derive(Serialize, Deserialize)]
pub struct Expire {
    day: NaiveDate,
}

impl Job for Expire {
    type World = ();
    const KIND: &'static str = "conventions.expire";
    const QUEUE: Queue = Queue::Default;

    fn dedup_key(&self) -> Option<String> {
        Some(self.day.to_string())
    }

    fn run(&self, db: &Database, (): &()) -> Result<(), JobError> {
        let actor = Actor::program("échéance quotidienne");
        let expired = db.write(|tx| {
            // It cannot be undone: not on the word of a clock that jumped. Asked again once it is believed.
            let sound = audit::look_at_clock(tx)?.is_sound();
            if sound { expire_due(tx, &actor).map(Some) } else { Ok(None) }
        });
        if expired?.is_none() {
            tracing::warn!("no convention expires before a second look at the clock");
        }
        Ok(())
    }

    fn older(version: i64, payload: Value) -> Option<Value> {
        // The bare day, before jobs had versions.
        (version == 0).then(|| json!({ "day": payload }))
    }
}

/// Queues the expiry of a day; asked twice while it waits, it changes nothing more.
fn enqueue_expiry_of(tx: &mut Tx<'_>, day: NaiveDate) -> Outcome<()> {
    jobs::enqueue(tx, &Expire { day })
}

/// Queues today's expiry.
pub fn enqueue_expiry(tx: &mut Tx<'_>) -> Outcome<()> {
    let day = tx.today();
    enqueue_expiry_of(tx, day)
}

/// What each day asks of this room.
pub const DAILY: &[Daily] = &[Daily::new("conventions.expire", enqueue_expiry_of)];

/// Registers the jobs.
#[must_use]
pub fn handlers(handlers: Handlers, renderer: Arc<Renderer>) -> Handlers {
    handlers.with::<Expire>(()).with::<RenderConvention>(renderer)
}

/// The document of a convention: the stored bytes, made now if they are not yet.
///
/// Two renders at once give the same bytes; the first stored wins and is what everybody gets ever after.
pub fn document(db: &Database, renderer: &Renderer, id: ConventionId) -> Outcome<Document> {
    let (found, paper) = db.read(|tx| {
        let found = store::find(tx, id)?.ok_or_else(|| Refused::not_found("Convention", id))?;
        store_seals::verify(tx, &[id])?;
        let about = |e: Error| e.about("convention", &found.number);
        let paper = match &found.document_sha256 {
            Some(sha256) => Paper::Stored(sha256.clone(), blobs::get(tx, sha256).map_err(about)?),
            None => {
                let (input, template) = store::paper(tx, id)?;
                Paper::ToMake(input, blobs::get(tx, &template).map_err(about)?)
            }
        };
        Ok((found, paper))
    })?;
    let (input, template) = match paper {
        Paper::Stored(sha256, bytes) => return Ok(Document { number: found.number, sha256, bytes }),
        Paper::ToMake(input, template) => (input, template),
    };
    let template = String::from_utf8(template).map_err(|e| Error::Incident(format!("template: {e}")))?;
    let made = renderer.render(
        &Template::new("convention.typ", template),
        input.as_bytes(),
        found.issued_at.day(),
        &found.number,
    );
    match made {
        Ok(bytes) => db.write(|tx| {
            let sha256 = blobs::put(tx, "application/pdf", &bytes)?;
            if store::set_document(tx, id, DocumentStatus::Ready, Some(&sha256))? {
                return Ok(Document { number: found.number.clone(), sha256, bytes: bytes.clone() });
            }
            // Another render came first: what it stored is the document.
            let stored = store::find(tx, id)?.and_then(|c| c.document_sha256).unwrap_or(sha256);
            let bytes = blobs::get(tx, &stored).map_err(|e| e.about("convention", &found.number))?;
            Ok(Document { number: found.number.clone(), bytes, sha256: stored })
        }),
        Err(fault) => {
            tracing::error!(convention = %found.number, %fault, "document");
            db.write(|tx| store::set_document(tx, id, DocumentStatus::Failed, None))?;
            Err(does_not_compose().into())
        }
    }
}

/// What a caller is told when the template of a convention does not compose; the cause is in the technical log.
pub(super) fn does_not_compose() -> Refused {
    Refused::new(&DOCUMENT_FAILED, "Le modèle de la convention ne se laisse pas composer.")
}

enum Paper {
    Stored(String, Vec<u8>),
    ToMake(String, Vec<u8>),
}

/// A document as served.
#[derive(Debug, Clone)]
pub struct Document {
    pub number: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}
