//! The body of an answer, which tells its seat when the last of it was given.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use super::room::Seat;

/// An answer of the program, until the HTTP layer has all of it.
pub struct Spoken {
    body: BoxBody,
    seat: Arc<Seat>,
}

impl Spoken {
    /// Watches a body.
    pub fn boxed(body: BoxBody, seat: Arc<Seat>) -> BoxBody {
        BoxBody::new(Self { body, seat })
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        self.seat.has_spoken();
    }
}

impl MessageBody for Spoken {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
