//! The body of a request while it comes in: who waits for whom, since when, and how long that may last.
//!
//! ```text
//!   connection ──▶ payload ──▶ Incoming ──▶ extractor          until(): when the edge stops waiting and answers 408
//!                                 └─ counts bytes, notes when the extractor waits for the caller
//! ```
//! Only the time in which the program waits for the caller counts, not the time it takes itself.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

use super::pace::Pace;
use super::sockets::{Phase, Seat};

struct Watch {
    payload: RefCell<Payload>,
    seat: Option<Arc<Seat>>,
    since: Cell<Option<Instant>>,
    /// When the extractor began to wait for what has not come yet.
    waiting: Cell<Option<Instant>>,
    bytes: Cell<u64>,
    ended: Cell<bool>,
}

/// The body of one request, watched.
#[derive(Clone)]
pub struct Incoming(Rc<Watch>);

impl Incoming {
    /// Takes the place of the payload of a request; none when it has no body.
    pub fn watch(request: &mut ServiceRequest, seat: Option<Arc<Seat>>) -> Option<Self> {
        let payload = request.take_payload();
        if matches!(payload, Payload::None) {
            return None;
        }
        let incoming = Self(Rc::new(Watch {
            payload: RefCell::new(payload),
            seat,
            since: Cell::new(None),
            waiting: Cell::new(None),
            bytes: Cell::new(0),
            ended: Cell::new(false),
        }));
        request.set_payload(Payload::Stream { payload: Box::pin(Watched(incoming.clone())) });
        Some(incoming)
    }

    /// When to stop waiting for the caller; none while nobody waits for it.
    pub fn until(&self, pace: Pace) -> Option<Instant> {
        let waiting = self.0.waiting.get()?;
        Some(pace.until(self.0.since.get().unwrap_or(waiting), waiting, self.0.bytes.get()))
    }

    /// Whether something of the body was left unread.
    pub fn is_unread(&self) -> bool {
        !self.0.ended.get()
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let watch = &self.0;
        let poll = Pin::new(&mut *watch.payload.borrow_mut()).poll_next(cx);
        let phase = match &poll {
            Poll::Pending => {
                if watch.waiting.get().is_none() {
                    let now = Instant::now();
                    watch.waiting.set(Some(now));
                    watch.since.set(watch.since.get().or(Some(now)));
                    Some(Phase::Receiving)
                } else {
                    None
                }
            }
            Poll::Ready(item) => {
                match item {
                    Some(Ok(bytes)) => {
                        watch.bytes.set(watch.bytes.get() + u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                    }
                    Some(Err(_)) => {}
                    None => watch.ended.set(true),
                }
                watch.waiting.take().map(|_| Phase::Working)
            }
        };
        if let (Some(seat), Some(phase)) = (&watch.seat, phase) {
            seat.enters(phase);
        }
        poll
    }
}

/// What extractors read.
struct Watched(Incoming);

impl Stream for Watched {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn silence_and_slowness_both_end_the_wait() {
        let pace = Pace { stall: Duration::from_secs(10), least_rate: 1_000 };
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        // Nothing at all: a silence's length.
        assert_eq!(pace.until(start, start, 0), at(10));
        // A byte every second is no silence, but too slow.
        assert_eq!(pace.until(start, at(9), 9), start + Duration::from_millis(10_009));
        // 20 kB are worth 20 seconds more; then the silence decides.
        assert_eq!(pace.until(start, at(12), 20_000), at(22));
        assert_eq!(pace.until(start, at(29), 20_000), at(30));
        let patient = Pace { least_rate: 0, ..pace };
        assert_eq!(patient.until(start, at(3_600), 1), at(3_610));
    }
}
