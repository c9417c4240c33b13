//! Answers leave in slices: the HTTP layer copies what it is given whole before it writes it, so that a thousand callers
//! who do not read would cost a thousand times the answer, and its compression.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;

/// Bytes given at a time.
const SLICE: usize = 16_384;

/// A body given slice by slice; the slices are views of the same bytes.
struct Slices {
    rest: Bytes,
    length: u64,
}

impl MessageBody for Slices {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = SLICE.min(self.rest.len());
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}

/// Cuts the body of an answer when it is longer than a slice.
pub fn cut<B: MessageBody + 'static>(response: ServiceResponse<B>) -> ServiceResponse<BoxBody> {
    response.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) if bytes.len() > SLICE => {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            BoxBody::new(Slices { rest: bytes, length })
        }
        Ok(bytes) => BoxBody::new(bytes),
        Err(body) => BoxBody::new(body),
    })
}
