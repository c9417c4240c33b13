//! What the imports of communes, schools and contacts share: chunks, turns, and one journal line.
//!
//! ```text
//! whole file read, checked ─▶ rows, 1,000 at a time ─▶ their existing rows read ─▶ decided one by one ─▶ written
//!                                                                                     │
//!                                        the same path ends by a rollback on a dry run ┘
//! ```
//! A file of the whole country costs one chunk of memory, whatever its length, besides the light indexes of codes.

use std::hash::Hash;

use super::events::{self, Imported, RegistryEvent};
use super::import::{ReadRow, ReadRows};
use super::import_view::ImportView;
use crate::audit::{self, Entry};
use crate::kernel::{Actor, Finding};
use crate::platform::db::counters;
use crate::platform::{Outcome, Tx};

/// Rows decided and written together.
pub(super) const CHUNK: usize = 1_000;

/// A row the parser kept.
pub struct Kept<T> {
    pub line: u64,
    pub value: T,
    pub findings: Vec<Finding>,
}

/// A file, each row parsed: those to act on, and what is told of the others. Made before the transaction that writes it,
/// which others wait for.
pub struct Sifted<T> {
    kept: std::vec::IntoIter<Kept<T>>,
    view: ImportView,
}

impl<T: Hash> Sifted<T> {
    /// Parses every row; `look` sees each, whatever becomes of it.
    ///
    /// # Errors
    /// The file cannot be read to its end.
    pub(super) fn of(rows: ReadRows<'_, T>, mut look: impl FnMut(&ReadRow<T>)) -> Outcome<Self> {
        let (mut kept, mut view) = (Vec::new(), ImportView::default());
        for row in rows {
            let read = row?;
            look(&read);
            let line = read.row.line;
            if let Some((value, findings)) = view.sift(line, read.parsed) {
                kept.push(Kept { line, value, findings });
            }
        }
        Ok(Self { kept: kept.into_iter(), view })
    }

    /// Parses every row.
    ///
    /// # Errors
    /// The file cannot be read to its end.
    pub fn all(rows: ReadRows<'_, T>) -> Outcome<Self> {
        Self::of(rows, |_| ())
    }

    /// What is told of the file so far.
    pub fn begin(&mut self, dry_run: bool) -> ImportView {
        let mut view = std::mem::take(&mut self.view);
        view.dry_run = dry_run;
        view
    }

    /// The next rows to act on; empty at the end of the file.
    pub(super) fn next_chunk(&mut self) -> Vec<Kept<T>> {
        self.kept.by_ref().take(CHUNK).collect()
    }
}

impl<T> Iterator for Sifted<T> {
    type Item = Kept<T>;

    fn next(&mut self) -> Option<Kept<T>> {
        self.kept.next()
    }
}

/// Acts that write or pin many rows of the registry take turns: two imports at once would each create what the other
/// does not see yet, and two acts that lock the same rows in different orders would wait for each other for ever.
///
/// Who also holds a campaign holds it first.
pub fn hold(tx: &mut Tx<'_>) -> Outcome<()> {
    counters::lock(tx, "registry:imports")
}

/// Writes in the story of each thing what the rows of a file changed of it. What a file brought for the first time begins
/// with the import's own entry. A trial leaves nothing.
pub(super) fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    changed: &mut Vec<Entry<RegistryEvent>>,
    dry_run: bool,
) -> Outcome<()> {
    let changed = std::mem::take(changed);
    if dry_run { Ok(()) } else { audit::record_all(tx, actor, &changed) }
}

/// Ends an import: undone on a dry run, else told in the journal if anything changed.
pub(super) fn finish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    mut view: ImportView,
    complete_for: Vec<String>,
    event: fn(Imported) -> RegistryEvent,
) -> Outcome<ImportView> {
    // Rejected rows were told as they were read, before the chunk they stand in.
    view.rows.sort_by_key(|row| row.line.unwrap_or(u64::MAX));
    if view.dry_run {
        tx.discard();
        return Ok(view);
    }
    if view.created + view.updated + view.closed > 0 {
        let done = Imported {
            created: view.created,
            updated: view.updated,
            unchanged: view.unchanged,
            closed: view.closed,
            not_closed: view.not_closed,
            ignored: view.ignored,
            rejected: view.rejected,
            findings: serde_json::to_value(&view.findings)?,
            complete_for,
        };
        audit::record(tx, actor, events::of_import(), event(done))?;
    }
    Ok(view)
}
