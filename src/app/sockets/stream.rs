//! A connection that tells its seat what it waits for, and ends when the seat is taken from it.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Seat;

/// The stream given to the HTTP layer.
pub struct Watched {
    io: TcpStream,
    seat: Arc<Seat>,
}

impl Watched {
    pub fn new(io: TcpStream, seat: Arc<Seat>) -> Self {
        Self { io, seat }
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
        self.seat.flushed();
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.stays(cx)?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
