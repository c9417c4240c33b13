//! A connection that tells its seat what it waits for, and ends when the seat is taken from it.
//!
//! The HTTP layer answers by itself what it cannot read as a request, with a status and nothing else. While nothing of the
//! program is on its way (the seat knows), such an answer is replaced by one that says why.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::room::Seat;

/// The whole answer to put in the place of the HTTP layer's own, from its status; none to let it stand.
pub type Words = Arc<dyn Fn(u16) -> Option<Vec<u8>> + Send + Sync>;

/// The stream given to the HTTP layer.
pub struct Watched {
    io: TcpStream,
    seat: Arc<Seat>,
    words: Words,
    /// What is said in the HTTP layer's place, and how much of it went out.
    own: Option<(Vec<u8>, usize)>,
}

/// The status of an answer that is a head and nothing else.
fn bare_refusal(bytes: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(bytes).ok()?;
    let status = text.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let bare = text.strip_suffix("\r\n\r\n")?.lines().any(|line| line.eq_ignore_ascii_case("content-length: 0"));
    (bare && status >= 400).then_some(status)
}

impl Watched {
    pub fn new(io: TcpStream, seat: Arc<Seat>, words: Words) -> Self {
        // Answers leave in slices: without this the system holds the last one back until the caller has acknowledged the one
        // before, which callers do 40 ms later.
        if let Err(cause) = io.set_nodelay(true) {
            tracing::debug!(%cause, "a connection keeps its delay");
        }
        Self { io, seat, words, own: None }
    }

    /// Writes what is said in the HTTP layer's place.
    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while let Some((bytes, done)) = &mut self.own {
            let rest = bytes.get(*done..).unwrap_or_default();
            if rest.is_empty() {
                self.own = None;
                break;
            }
            match Pin::new(&mut self.io).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    *done += written;
                    self.seat.wrote(written);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.seat.is_blocked();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    pub fn seat(&self) -> Arc<Seat> {
        Arc::clone(&self.seat)
    }

    /// Every poll of the HTTP layer comes through here: who must leave, leaves.
    fn stays(&self, cx: &Context<'_>) -> Result<()> {
        if !self.seat.must_leave(cx) {
            return Ok(());
        }
        // What it did not read is not kept for it by the system either.
        let _ = self.io.set_zero_linger();
        Err(Error::new(ErrorKind::TimedOut, "the caller kept the connection waiting"))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.seat.is_left();
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        self.stays(cx)?;
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.stays(cx)?;
        std::task::ready!(self.poll_own(cx))?;
        if self.seat.is_silent()
            && let Some(own) = bare_refusal(bytes).and_then(|status| (self.words)(status))
        {
            self.own = Some((own, 0));
            return Poll::Ready(Ok(bytes.len()));
        }
        let poll = Pin::new(&mut self.io).poll_write(cx, bytes);
        match &poll {
            Poll::Pending => self.seat.is_blocked(),
            Poll::Ready(Ok(written)) => self.seat.wrote(*written),
            Poll::Ready(Err(_)) => {}
        }
        poll
    }

    /// Asked for when all that there was is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.stays(cx)?;
        std::task::ready!(self.poll_own(cx))?;
        self.seat.flushed();
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.stays(cx)?;
        std::task::ready!(self.poll_own(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::bare_refusal;

    #[test]
    fn only_a_head_that_refuses_and_says_nothing_is_bare() {
        let bare = |text: &str| bare_refusal(text.as_bytes());
        assert_eq!(bare("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"), Some(400));
        assert_eq!(bare("HTTP/1.0 431 X\r\nContent-Length: 0\r\n\r\n"), Some(431));
        for other in [
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 10\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n",
            "{\"status\":400}",
            "",
        ] {
            assert_eq!(bare(other), None, "{other}");
        }
    }
}
