//! A stored file on its way out: streamed, and inert whatever it holds.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header::{
    CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{self, Bytes};
use futures_util::Stream;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::kinds::MediaType;

/// Bytes given at a time.
const SLICE: u64 = 65_536;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Answers with a file: always to be saved, never shown in a page of ours; the type is the one we found, the name ours.
#[must_use]
pub fn served(file: File, media_type: MediaType, name: &str, sha256: &str, length: u64) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, media_type.as_str()))
        .insert_header((CONTENT_DISPOSITION, disposition(name)))
        .insert_header((CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'; frame-ancestors 'none'"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .insert_header((ETAG, format!("\"{sha256}\"")))
        // It is compressed already.
        .insert_header((CONTENT_ENCODING, "identity"))
        .body(SizedStream::new(length, slices(file, length)))
}

/// Slice after slice, each read on a thread that may wait for the disk.
fn slices(file: File, length: u64) -> impl Stream<Item = io::Result<Bytes>> {
    futures_util::stream::unfold((Some(file), 0), move |(file, at)| async move {
        let file = file.filter(|_| at < length)?;
        let size = SLICE.min(length - at);
        let read = web::block(move || {
            let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
            file.read_exact_at(&mut bytes, at).map(|()| (file, Bytes::from(bytes)))
        });
        Some(match read.await {
            Ok(Ok((file, bytes))) => (Ok(bytes), (Some(file), at + size)),
            Ok(Err(cause)) => (Err(cause), (None, length)),
            Err(lost) => (Err(io::Error::other(lost)), (None, length)),
        })
    })
}

/// RFC 6266: the name in ASCII for whoever reads no other, and in full (RFC 8187) when it has accents.
fn disposition(name: &str) -> String {
    let plain: String = name.nfd().filter(|c| !is_combining_mark(*c)).map(ascii).collect();
    let mut header = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        header.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => header.push(char::from(byte)),
                _ => header.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    header
}

fn ascii(c: char) -> char {
    if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ' ') { c } else { '_' }
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn a_name_is_written_for_everybody() {
        assert_eq!(disposition("ENT-C-1 refus.pdf"), "attachment; filename=\"ENT-C-1 refus.pdf\"");
        assert_eq!(
            disposition("ENT-C-1 convention signée.pdf"),
            "attachment; filename=\"ENT-C-1 convention signee.pdf\"; filename*=UTF-8''ENT-C-1%20convention%20sign%C3%A9e.pdf"
        );
        assert_eq!(
            disposition("a\"\r\nb;é"),
            "attachment; filename=\"a___b_e\"; filename*=UTF-8''a%22%0D%0Ab%3B%C3%A9"
        );
    }
}
