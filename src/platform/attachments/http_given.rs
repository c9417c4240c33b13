//! A form of one or several files and the word that says what they show, streamed under its bounds to one file without a
//! name, which goes with the process whatever happens to it.

use std::fs::File;
use std::future::Future;
use std::io::Write as _;
use std::pin::Pin;

use actix_multipart::{Field, Multipart};
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use futures_util::StreamExt as _;

use super::desk::{Desk, Found};
use super::given::{Given, GivenFile, shown_name};
use super::{MAX_FILE_BYTES, MAX_PHOTOS};
use crate::kernel::text::excerpt;
use crate::platform::Error;
use crate::platform::web::upload::{bad, form, part_fault, too_large};
use crate::platform::web::{Problem, State, hop};

/// Bytes of the field that says what the files show.
const WORD_BYTES: usize = 200;

/// How much may come in one form.
#[derive(Debug, Clone, Copy)]
pub struct UploadRules {
    /// Of one file.
    pub file_bytes: u64,
    /// Of all of them.
    pub total_bytes: u64,
}

impl Default for UploadRules {
    fn default() -> Self {
        Self { file_bytes: MAX_FILE_BYTES, total_bytes: 4 * MAX_FILE_BYTES }
    }
}

impl FromRequest for Given {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let rules = request.app_data::<web::Data<UploadRules>>().map_or_else(UploadRules::default, |r| *r.get_ref());
        let form = form(request, payload, rules.total_bytes);
        Box::pin(async move { receive(form?, rules).await })
    }
}

/// Looks at what was sent, once the caller's warrant was confirmed; no transaction is open meanwhile.
///
/// # Errors
/// The caller may no longer act; why a file is not taken; `attachment_reader_busy`; `scan_failed`.
pub async fn examine(state: &State, desk: &Desk, given: Given) -> Result<Found, Problem> {
    state.confirmed().await?;
    let (desk, day) = (desk.clone(), state.machinery().clock().now().day());
    hop(move || desk.look_at(&given, day)).await
}

async fn receive(mut form: Multipart, rules: UploadRules) -> Result<Given, Problem> {
    let mut given = Given { purpose: None, spool: tempfile::tempfile().map_err(disk)?, files: Vec::new() };
    let mut written = 0;
    while let Some(part) = form.next().await {
        let mut part = part.map_err(|fault| part_fault(&fault, rules.total_bytes))?;
        match part.name() {
            Some("file") if given.files.len() < MAX_PHOTOS => {
                let name = part.content_disposition().and_then(|d| d.get_filename()).and_then(shown_name);
                let length = store(&mut part, &mut given.spool, rules, written).await?;
                given.files.push(GivenFile { name, begins: written, length });
                written += length;
            }
            Some("file") => return Err(bad(&format!("Au plus {MAX_PHOTOS} fichiers par pièce."))),
            Some("purpose") if given.purpose.is_none() => given.purpose = Some(word(&mut part).await?),
            Some("purpose") => return Err(bad("Le champ « purpose » est donné deux fois.")),
            other => {
                let name = excerpt(&other.unwrap_or("(sans nom)"));
                return Err(bad(&format!("Champ de formulaire inconnu : {name}.")));
            }
        }
    }
    given.spool.flush().map_err(disk)?;
    if given.files.is_empty() { Err(bad("Le champ « file » manque.")) } else { Ok(given) }
}

fn disk(cause: std::io::Error) -> Problem {
    Problem::from(Error::temporary_file(&cause))
}

/// Writes one file behind those that came before; gives its length.
async fn store(part: &mut Field, spool: &mut File, rules: UploadRules, before: u64) -> Result<u64, Problem> {
    let mut length = 0_u64;
    while let Some(chunk) = part.next().await {
        let chunk = chunk.map_err(|fault| match part_fault(&fault, rules.total_bytes) {
            problem if problem.refused.code.status == 413 => problem,
            _ => bad("Le fichier est arrivé incomplet."),
        })?;
        length = length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if length > rules.file_bytes {
            return Err(too_large(rules.file_bytes));
        }
        if before.saturating_add(length) > rules.total_bytes {
            return Err(too_large(rules.total_bytes));
        }
        spool.write_all(&chunk).map_err(disk)?;
    }
    Ok(length)
}

/// A short text of the form.
async fn word(part: &mut Field) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.next().await {
        let chunk = chunk.map_err(|_| bad("Le corps multipart est illisible."))?;
        if chunk.len() > WORD_BYTES.saturating_sub(bytes.len()) {
            return Err(bad(&format!("Le champ « purpose » dépasse {WORD_BYTES} octets.")));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| bad("Le champ « purpose » n'est pas en UTF-8."))
}
