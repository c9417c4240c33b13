//! A file sent as `multipart/form-data`, field `file`, streamed under a size limit to a file without a name, which goes
//! with the process whatever happens to it; then read in a process apart, before any transaction begins.

use std::fs::File;
use std::future::Future;
use std::io::{ErrorKind, Write as _};
use std::pin::Pin;

use actix_multipart::{Multipart, MultipartError};
use actix_web::error::PayloadError;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use futures_util::{Stream as _, StreamExt as _};
use sha2::{Digest as _, Sha256};

use super::body::digest_with;
use super::problem::{self, Problem};
use super::state::{State, hop};
use crate::kernel::text::excerpt;
use crate::platform::tabular::{FileReader, Layout, Table};
use crate::platform::{Error, Outcome};

/// Bytes left for the lines of the form around the file.
const FORM: u64 = 65_536;

/// Largest file accepted by imports, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct UploadLimit(pub u64);

/// The received file; gone when dropped.
#[derive(Debug)]
pub struct Upload {
    file: File,
    /// Of the bytes and of the options of the address, for idempotency.
    sha256: String,
    reader: web::Data<FileReader>,
}

impl Upload {
    /// Has the file read, once the caller's warrant was confirmed: its table, and what an `Idempotency-Key` is bound to.
    ///
    /// # Errors
    /// The caller may no longer act; `file_reader_busy`; why the file is refused.
    pub async fn parsed<T: Send + 'static>(
        self,
        state: &State,
        layout: &'static Layout,
        parse: fn(&Table) -> Outcome<T>,
    ) -> Result<(T, String), Problem> {
        state.confirmed().await?;
        let Self { file, sha256, reader } = self;
        let parsed = hop(move || parse(&reader.read(file, layout)?)).await?;
        Ok((parsed, sha256))
    }
}

impl FromRequest for Upload {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<web::Data<UploadLimit>>().map_or(50 * 1024 * 1024, |l| l.0);
        let query = request.query_string().to_owned();
        let reader = request.app_data::<web::Data<FileReader>>().cloned();
        let form = form(request, payload, limit);
        Box::pin(async move {
            let form = form?;
            let reader = reader.ok_or_else(|| Problem::from(Error::Incident("no reader of files".into())))?;
            let (file, sha256) = receive(form, limit).await?;
            Ok(Self { file, sha256: digest_with(&query, &sha256), reader })
        })
    }
}

/// A form whose body is at most `limit` bytes, and some for its own lines; whatever it consists of, and whether or not its
/// length was announced.
///
/// # Errors
/// It is no form, or announces to be longer.
pub(in crate::platform) fn form(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: u64,
) -> Result<Multipart, Problem> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_form = |kind: &str| kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data");
    if !header("content-type").is_some_and(is_form) {
        let detail = "Envoyer le fichier en multipart/form-data, champ « file ».";
        return Err(Problem::new(&problem::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let whole = limit.saturating_add(FORM);
    // Said by the header, it is refused before a byte is read.
    if header("content-length").and_then(|v| v.parse::<u64>().ok()).is_some_and(|length| length > whole) {
        return Err(too_large(limit));
    }
    let (mut payload, mut left) = (payload.take(), usize::try_from(whole).unwrap_or(usize::MAX));
    let bounded = futures_util::stream::poll_fn(move |cx| {
        let poll = std::pin::Pin::new(&mut payload).poll_next(cx);
        if let std::task::Poll::Ready(Some(Ok(bytes))) = &poll {
            match left.checked_sub(bytes.len()) {
                Some(less) => left = less,
                None => return std::task::Poll::Ready(Some(Err(PayloadError::Io(ErrorKind::FileTooLarge.into())))),
            }
        }
        poll
    });
    Ok(Multipart::new(request.headers(), bounded))
}

/// What is said of a part that does not come: the body is longer than `limit`, or no form.
pub(in crate::platform) fn part_fault(fault: &MultipartError, limit: u64) -> Problem {
    match fault {
        // Said by the bound above; the form's own lines have theirs (64 KiB), which is the form's fault.
        MultipartError::Payload(PayloadError::Io(cause)) if cause.kind() == ErrorKind::FileTooLarge => too_large(limit),
        _ => bad("Le corps multipart est illisible."),
    }
}

pub(in crate::platform) fn bad(detail: &str) -> Problem {
    Problem::new(&problem::BAD_FORM, detail)
}

pub(in crate::platform) fn too_large(limit: u64) -> Problem {
    let detail = format!("Le fichier dépasse {} Mio.", limit / 1_048_576);
    Problem::new(&problem::PAYLOAD_TOO_LARGE, detail)
}

async fn receive(mut form: Multipart, limit: u64) -> Result<(File, String), Problem> {
    let disk = |e: std::io::Error| Problem::from(Error::temporary_file(&e));
    let mut received = None;
    while let Some(part) = form.next().await {
        let mut part = part.map_err(|fault| part_fault(&fault, limit))?;
        match part.name() {
            Some("file") if received.is_none() => {}
            Some("file") => return Err(bad("Un seul fichier par import.")),
            other => {
                return Err(bad(&format!(
                    "Champ de formulaire inconnu : {}.",
                    excerpt(&other.unwrap_or("(sans nom)"))
                )));
            }
        }
        let mut file = tempfile::tempfile().map_err(disk)?;
        let (mut length, mut hasher) = (0_u64, Sha256::new());
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(|_| bad("Le fichier est arrivé incomplet."))?;
            length += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if length > limit {
                return Err(too_large(limit));
            }
            hasher.update(&chunk);
            file.write_all(&chunk).map_err(disk)?;
        }
        file.flush().map_err(disk)?;
        received = Some((file, hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()));
    }
    received.ok_or_else(|| bad("Le champ « file » manque."))
}
