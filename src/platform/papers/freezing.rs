//! What the act that causes a paper does: the template kept, the input frozen, the making queued.

use super::kind::{Kind, NewPaper};
use super::making::RenderPaper;
use super::store;
use crate::platform::db::{Tx, blobs};
use crate::platform::documents::Template;
use crate::platform::error::Outcome;
use crate::platform::jobs;

/// Keeps the text of a template, and returns its digest.
pub fn keep_template(tx: &mut Tx<'_>, template: &Template) -> Outcome<String> {
    blobs::put(tx, "text/x-typst", template.text().as_bytes())
}

/// Freezes what some papers are made of, and queues their making.
pub fn freeze(tx: &mut Tx<'_>, kind: &Kind, template_sha256: &str, papers: Vec<NewPaper>) -> Outcome<()> {
    let renders: Vec<_> = papers.iter().map(|paper| RenderPaper::of(kind, &paper.subject)).collect();
    store::insert(tx, kind, template_sha256, papers)?;
    jobs::enqueue_all(tx, &renders)
}
