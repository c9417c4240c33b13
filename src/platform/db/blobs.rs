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
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let now = tx.now();
    on_backend!(tx.conn(), |c| diesel::insert_into(blobs::table)
        .values((
            blobs::sha256.eq(&sha256),
            blobs::media_type.eq(media_type),
            blobs::length.eq(length),
            blobs::bytes.eq(bytes),
            blobs::created_at.eq(now),
        ))
        .on_conflict(blobs::sha256)
        .do_nothing()
        .execute(c))?;
    Ok(sha256)
}

/// The bytes behind a digest.
pub fn get(tx: &mut Tx<'_>, sha256: &str) -> Outcome<Vec<u8>> {
    blobs::table
        .find(sha256)
        .select(blobs::bytes)
        .first::<Vec<u8>>(tx.conn())
        .optional()?
        .ok_or_else(|| Error::Incident(format!("table blobs: {sha256} is missing")))
}
