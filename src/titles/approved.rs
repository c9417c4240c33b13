//! What was approved of a title, compared again with everything that says so each time it is read.

use std::collections::HashMap;

use super::document;
use super::settlement::{self, Settlement};
use super::store;
use super::title::{Title, TitleLine};
use crate::kernel::ids::TitleId;
use crate::platform::{Error, Outcome, Tx, papers};

/// What was approved of one title, and the digest of the content that says so.
#[derive(Debug, Clone)]
pub struct Approved {
    pub title_id: TitleId,
    pub settlement: Settlement,
    pub content_sha256: String,
}

/// The alarm of a title that is not what was approved.
pub(super) fn falsified(title: &Title, what: &str) -> Error {
    Error::falsified("perception_title", title.key(), what)
}

/// What was approved of some titles, once it agrees with everything that says so.
pub(super) fn verified(tx: &mut Tx<'_>, titles: &[Title]) -> Outcome<Vec<Approved>> {
    let ids: Vec<TitleId> = titles.iter().map(|t| t.id).collect();
    let mut lines: HashMap<TitleId, Vec<TitleLine>> = HashMap::new();
    for (id, line) in store::lines(tx, &ids)? {
        lines.entry(id).or_default().push(line);
    }
    let subjects: Vec<&str> = ids.iter().map(TitleId::as_str).collect();
    let mut contents = papers::frozen(tx, document::KIND, &subjects)?;
    let mut approvals: HashMap<TitleId, _> = store::approvals(tx, &ids)?.into_iter().map(|a| (a.title_id, a)).collect();
    titles
        .iter()
        .map(|title| {
            let approval =
                approvals.remove(&title.id).ok_or_else(|| falsified(title, "le titre n'a pas d'approbation"))?;
            let own = lines.remove(&title.id).unwrap_or_default();
            let content = contents.remove(title.id.as_str());
            let content = content.ok_or_else(|| falsified(title, "le contenu approuvé n'est plus dans la base"))?.input;
            let settlement =
                settlement::verified(approval.stored(&content), title, &own).map_err(|w| falsified(title, w))?;
            Ok(Approved { title_id: title.id, settlement, content_sha256: approval.content_sha256 })
        })
        .collect()
}
