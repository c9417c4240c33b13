//! Files of any length, in parts of 1 MiB that are blobs: written in the transaction that causes them, read back part by
//! part, so that no more than one is ever held.
//!
//! ```text
//!   a file without a name ──NewFile::of──▶ digests ──put──▶ stored_files ◀── stored_file_parts ──▶ blobs
//!                            (before any transaction)            └──spool──▶ a file without a name, checked whole
//! ```

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::schema::{stored_file_parts as parts, stored_files as files};
use super::{Tx, blobs};
use crate::on_backend;
use crate::platform::error::{Error, Outcome};

/// Bytes of a part.
const PART: usize = 1024 * 1024;
/// What the parts are: nothing by themselves.
const PART_TYPE: &str = "application/octet-stream";

/// A file about to be stored: where its bytes are, and their digests.
#[derive(Debug)]
pub struct NewFile {
    source: File,
    begins: u64,
    pub media_type: &'static str,
    pub length: u64,
    pub sha256: String,
    /// Digest and length of each part.
    parts: Vec<(String, usize)>,
}

impl NewFile {
    /// Digests `length` bytes of `source`, from `begins` on.
    ///
    /// # Errors
    /// The file system's own.
    pub fn of(source: &File, begins: u64, length: u64, media_type: &'static str) -> io::Result<Self> {
        let (mut whole, mut parts, mut at) = (Sha256::new(), Vec::new(), 0_u64);
        let mut buffer = vec![0; PART];
        while at < length {
            let size = usize::try_from(length - at).unwrap_or(PART).min(PART);
            let part = buffer.get_mut(..size).unwrap_or_default();
            source.read_exact_at(part, begins + at)?;
            whole.update(&*part);
            parts.push((blobs::digest(part), size));
            at += u64::try_from(size).unwrap_or(u64::MAX);
        }
        let sha256 = hexadecimal(&whole.finalize());
        Ok(Self { source: source.try_clone()?, begins, media_type, length, sha256, parts })
    }

    fn part(&self, position: usize, size: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; size];
        let offset = u64::try_from(position.saturating_mul(PART)).unwrap_or(u64::MAX);
        self.source.read_exact_at(&mut bytes, self.begins.saturating_add(offset))?;
        Ok(bytes)
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Stores a file once, whatever it is called.
pub fn put(tx: &mut Tx<'_>, file: &NewFile) -> Outcome<()> {
    let now = tx.now();
    // Asked first: SQLite's guard against REPLACE stops whoever comes to a key that is taken. What stands there is looked
    // at: whoever brings the right bytes must not believe them kept when others are.
    if diesel::select(diesel::dsl::exists(files::table.find(&file.sha256))).get_result(tx.conn())? {
        return each_part(tx, &file.sha256, |_| Ok(()));
    }
    let length = i64::try_from(file.length).unwrap_or(i64::MAX);
    let added = on_backend!(tx.conn(), |c| diesel::insert_into(files::table)
        .values((
            files::sha256.eq(&file.sha256),
            files::media_type.eq(file.media_type),
            files::length.eq(length),
            files::created_at.eq(now),
        ))
        .on_conflict(files::sha256)
        .do_nothing()
        .execute(c))?;
    if added == 0 {
        // PostgreSQL: another transaction stored it while this one waited for the key.
        return Ok(());
    }
    for (position, (sha256, size)) in file.parts.iter().enumerate() {
        let read = |cause: io::Error| Error::temporary_file(&cause);
        blobs::put_digested(tx, PART_TYPE, sha256, &file.part(position, *size).map_err(read)?)?;
        diesel::insert_into(parts::table)
            .values((
                parts::sha256.eq(&file.sha256),
                parts::position.eq(i64::try_from(position).unwrap_or(i64::MAX)),
                parts::part_sha256.eq(sha256),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// The bytes behind a digest, in a file without a name.
///
/// # Errors
/// They are no longer what was stored.
pub fn spool(tx: &mut Tx<'_>, sha256: &str) -> Outcome<File> {
    let disk = |cause: io::Error| Error::temporary_file(&cause);
    let mut file = tempfile::tempfile().map_err(disk)?;
    each_part(tx, sha256, |part| file.write_all(part).map_err(disk))?;
    file.flush().map_err(disk)?;
    Ok(file)
}

/// Gives each part of a file in its order; each, and the whole at the end, is digested again.
fn each_part(tx: &mut Tx<'_>, sha256: &str, mut give: impl FnMut(&[u8]) -> Outcome<()>) -> Outcome<()> {
    let fault = |what: &str| Error::falsified("stored_file", sha256, format!("le fichier {sha256} {what}"));
    let length: i64 = files::table
        .find(sha256)
        .select(files::length)
        .first(tx.conn())
        .optional()?
        .ok_or_else(|| fault("n'est plus dans la base"))?;
    let digests: Vec<String> = parts::table
        .filter(parts::sha256.eq(sha256))
        .order(parts::position.asc())
        .select(parts::part_sha256)
        .load(tx.conn())?;
    let (mut whole, mut written) = (Sha256::new(), 0_i64);
    for digest in &digests {
        let part = blobs::get(tx, digest)?;
        whole.update(&part);
        written = written.saturating_add(i64::try_from(part.len()).unwrap_or(i64::MAX));
        give(&part)?;
    }
    if written != length || hexadecimal(&whole.finalize()) != sha256 {
        return Err(fault("n'a plus son empreinte"));
    }
    Ok(())
}
