//! A batch read again: what was sealed is compared with everything that says so before it is shown, signed or handed over.

use super::batch::{Batch, BatchFile, BatchNumber, FileFormat};
use super::{seal, store};
use crate::kernel::{Money, Refused};
use crate::platform::db::blobs;
use crate::platform::{Error, Outcome, Tx};

/// The journal's name of a batch.
pub(super) const BATCH: &str = "accounting_batch";

/// The batch of a number, as its row says.
pub(super) fn found(tx: &mut Tx<'_>, number: &BatchNumber) -> Outcome<Batch> {
    Ok(store::find(tx, number)?.ok_or_else(|| Refused::not_found("Bordereau", number))?)
}

/// A batch that is still what was sealed: its titles, their frozen contents and their sum.
pub(super) fn verified(tx: &mut Tx<'_>, number: &BatchNumber) -> Outcome<Batch> {
    let batch = found(tx, number)?;
    let members = store::members(tx, batch.id)?;
    let digest = seal::content_digest(members.iter().map(|(reference, sha256, _)| (reference, sha256)));
    let falsified = |what| Err(Error::falsified(BATCH, number, what));
    if digest != batch.content_sha256 {
        return falsified("les titres du bordereau ne sont plus ceux qui ont été scellés");
    }
    let total: Money = members.iter().map(|(_, _, amount)| *amount).sum();
    if total != batch.total || i64::try_from(members.len()) != Ok(batch.count) {
        return falsified("les titres du bordereau ne font plus son total");
    }
    Ok(batch)
}

/// A file of a batch and its bytes, as stored at sealing.
pub(super) fn stored(tx: &mut Tx<'_>, number: &BatchNumber, format: FileFormat) -> Outcome<(BatchFile, Vec<u8>)> {
    let batch = verified(tx, number)?;
    let file = store::files_of(tx, batch.id)?.into_iter().find(|f| f.format == format).ok_or_else(|| {
        // Each published format is written at sealing.
        Error::falsified(BATCH, number, format!("son fichier « {format} » n'est plus là"))
    })?;
    let bytes = blobs::get(tx, &file.sha256).map_err(|e| e.about(BATCH, number.as_str()))?;
    if i64::try_from(bytes.len()) != Ok(file.length) {
        return Err(Error::falsified(BATCH, number, format!("le fichier « {format} » n'a plus sa longueur")));
    }
    Ok((file, bytes))
}
