//! Documents and files as rows, keyed by their digest and written in the transaction that causes them.

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::Tx;
use super::schema::blobs;
use crate::on_backend;
use crate::platform::error::{Error, Outcome};

/// Largest stored file: 20 MiB.
pub const MAX_BYTES: usize = 20 * 1024 * 1024;

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Stores bytes once and returns their digest.
pub fn put(tx: &mut Tx<'_>, media_type: &str, bytes: &[u8]) -> Outcome<String> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::Incident(format!("file of {} bytes, {MAX_BYTES} at most", bytes.len())));
    }
    let sha256 = digest(bytes);
    put_digested(tx, media_type, &sha256, bytes)?;
    Ok(sha256)
}

/// The same of bytes digested before the transaction.
pub(super) fn put_digested(tx: &mut Tx<'_>, media_type: &str, sha256: &str, bytes: &[u8]) -> Outcome<()> {
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    // Asked first: SQLite's guard against REPLACE stops whoever comes to a key that is taken. What stands there is looked
    // at: whoever brings the right bytes must not believe them kept when others are.
    if diesel::select(diesel::dsl::exists(blobs::table.find(sha256))).get_result(tx.conn())? {
        return get(tx, sha256).map(|_| ());
    }
    let now = tx.now();
    on_backend!(tx.conn(), |c| diesel::insert_into(blobs::table)
        .values((
            blobs::sha256.eq(sha256),
            blobs::media_type.eq(media_type),
            blobs::length.eq(length),
            blobs::bytes.eq(bytes),
            blobs::created_at.eq(now),
        ))
        .on_conflict(blobs::sha256)
        .do_nothing()
        .execute(c))?;
    Ok(())
}

/// The bytes behind a digest, which is computed again: what is no longer what was stored is not given.
pub fn get(tx: &mut Tx<'_>, sha256: &str) -> Outcome<Vec<u8>> {
    let fault = |what: &str| Error::falsified("stored_file", sha256, format!("le fichier {sha256} {what}"));
    let bytes: Vec<u8> = blobs::table
        .find(sha256)
        .select(blobs::bytes)
        .first(tx.conn())
        .optional()?
        .ok_or_else(|| fault("n'est plus dans la base"))?;
    if digest(&bytes) != sha256 {
        return Err(fault("n'a plus son empreinte"));
    }
    Ok(bytes)
}
