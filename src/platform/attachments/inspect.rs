//! What the process apart does: each file recognised and looked through, photos made one PDF.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::kinds::{HEAD_BYTES, MediaType, Unfit, recognise};
use super::{compose, jpeg, pdf, png};

/// What was found, when all is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// In the order given.
    pub files: Vec<MediaType>,
    /// Bytes of the PDF made of the photos; none when there was one file.
    pub composed: Option<u64>,
}

/// Looks at the files that follow one another in `spool`, of these lengths.
///
/// # Errors
/// The first that is not taken; what the system refused counts as one that cannot be read.
pub fn inspect(spool: &File, lengths: &[u64], day: NaiveDate, mut out: impl io::Write) -> Result<Report, Unfit> {
    let mut files = Vec::new();
    let mut begins = 0;
    let mut places = Vec::new();
    for (rank, length) in lengths.iter().enumerate() {
        let bytes = part(spool, begins, *length).map_err(|cause| unreadable(&cause).at(rank))?;
        files.push(look(&bytes, lengths.len() > 1).map_err(|unfit| unfit.at(rank))?);
        places.push((begins, *length));
        begins = begins.saturating_add(*length);
    }
    if files.len() < 2 {
        return Ok(Report { files, composed: None });
    }
    if let Some(rank) = files.iter().position(|is| !is.is_photo()) {
        let message = "Plusieurs fichiers : des photos seulement, qui sont réunies en un PDF. Un PDF s'envoie seul.";
        return Err(Unfit::new("pdf_among_photos", message).at(rank));
    }
    let photos = files.iter().zip(&places).enumerate().map(|(rank, (is, (begins, length)))| {
        part(spool, *begins, *length).map(|bytes| (bytes, *is)).map_err(|cause| unreadable(&cause).at(rank))
    });
    let made = compose::compose(photos, day)?;
    out.write_all(&made).and_then(|()| out.flush()).map_err(|cause| unreadable(&cause))?;
    Ok(Report { composed: Some(u64::try_from(made.len()).unwrap_or(u64::MAX)), files })
}

/// Recognises one file and walks through it.
fn look(bytes: &[u8], composed: bool) -> Result<MediaType, Unfit> {
    let media_type = recognise(bytes.get(..HEAD_BYTES).unwrap_or(bytes))?;
    let size = match media_type {
        MediaType::Pdf => {
            pdf::look(bytes)?;
            None
        }
        MediaType::Jpeg => {
            let shape = jpeg::walk(bytes)?;
            // Colours of inks depend on a profile, and what decodes them draws some of them wrong.
            if composed && shape.components == 4 {
                let message = "La photo est en quadrichromie (CMJN), pour l'imprimerie : exportez-la en JPEG ordinaire (RVB) et \
                    renvoyez-la.";
                return Err(Unfit::new("four_colours", message));
            }
            Some((shape.width, shape.height))
        }
        MediaType::Png => Some(png::walk(bytes)?),
    };
    // A photo alone is kept as it is, and decoded by nobody here.
    let most = if composed { compose::MAX_PIXELS } else { compose::MAX_PIXELS_ALONE };
    if let Some(size) = size {
        compose::bounded(size, most)?;
    }
    Ok(media_type)
}

fn part(spool: &File, begins: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?];
    spool.read_exact_at(&mut bytes, begins)?;
    Ok(bytes)
}

fn unreadable(cause: &io::Error) -> Unfit {
    Unfit::new("unreadable", format!("Le fichier ne peut être lu ({cause}) : renvoyez-le."))
}
