//! A socket with time-outs for slow peers.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Limits,
    unread::{Unread, with_body},
};

/// The state of a connection, shared by clones.
#[derive(Clone, Default)]
pub(super) struct Phase(Arc<Requests>);

#[derive(Default)]
struct Requests {
    begun: AtomicU64,
    under_way: AtomicUsize,
}

/// A request is in progress while any clone of this lives.
#[derive(Clone)]
pub(super) struct Busy(#[expect(dead_code, reason = "held to be dropped")] Arc<UnderWay>);

struct UnderWay(Phase);

impl Phase {
    /// Notes that a request's head has arrived.
    pub(super) fn begin(&self) -> Busy {
        self.0.begun.fetch_add(1, Ordering::AcqRel);
        self.0.under_way.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::new(UnderWay(self.clone())))
    }

    fn begun(&self) -> u64 {
        self.0.begun.load(Ordering::Acquire)
    }

    fn is_busy(&self) -> bool {
        self.0.under_way.load(Ordering::Acquire) > 0
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A socket that fails if a request's head takes too long, or if the peer reads nothing
/// of a response for too long.
pub(super) struct TimedStream {
    socket: TcpStream,
    phase: Phase,
    /// The number of requests begun when the current head began.
    head_of: u64,
    head: Timer,
    write: Timer,
    /// The rest of a response that replaces hyper's own.
    instead: Vec<u8>,
    unread: Unread,
}

impl TimedStream {
    /// Starts waiting for the first head.
    pub(super) fn new(socket: TcpStream, phase: Phase, limits: &Limits, unread: Unread) -> Self {
        let mut stream = Self {
            socket,
            head_of: 0,
            head: Timer::new(limits.head),
            write: Timer::new(limits.write),
            instead: Vec::new(),
            unread,
            phase,
        };
        stream.head.start();
        stream
    }

    /// Bytes outside a request begin a head; the request ends it.
    fn time_head(
        &mut self,
        context: &mut Context<'_>,
        read: Poll<io::Result<()>>,
        bytes: usize,
    ) -> Poll<io::Result<()>> {
        let (busy, begun) = (self.phase.is_busy(), self.phase.begun());
        if busy || self.head_of != begun {
            self.head.stop();
            self.head_of = begun;
        }
        if busy {
            return read;
        }
        if bytes > 0 {
            self.head.start();
        }
        if read.is_pending() && self.head.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }

    /// Writes the response that replaces hyper's, if there is one. Until it is written
    /// completely, hyper offers the same bytes again.
    fn write_instead(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Option<Poll<io::Result<usize>>> {
        if self.instead.is_empty() {
            self.instead = with_body(bytes, self.unread)?;
        }
        while !self.instead.is_empty() {
            match Pin::new(&mut self.socket).poll_write(context, &self.instead) {
                Poll::Ready(Ok(count @ 1..)) => drop(self.instead.drain(..count)),
                Poll::Ready(Ok(_)) => {
                    return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into())));
                }
                other => return Some(other),
            }
        }
        Some(Poll::Ready(Ok(bytes.len())))
    }

    fn time_write<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write.stop();
            return written;
        }
        self.write.start();
        if self.write.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        let bytes = buffer.filled().len() - before;
        self.time_head(context, read, bytes)
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match self.write_instead(context, bytes) {
            Some(written) => written,
            None => Pin::new(&mut self.socket).poll_write(context, bytes),
        };
        self.time_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A response without a body is written in one piece.
        let whole = match slices {
            [whole] => self.write_instead(context, whole),
            _ => None,
        };
        let written = match whole {
            Some(written) => written,
            None => Pin::new(&mut self.socket).poll_write_vectored(context, slices),
        };
        self.time_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// A time-out that runs only while waiting.
struct Timer {
    limit: Duration,
    /// `None` while not waiting.
    end: Option<Instant>,
    /// Created once and reset, since most waits are short.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    const fn new(limit: Duration) -> Self {
        Self {
            limit,
            end: None,
            sleep: None,
        }
    }

    /// Starts the time-out, unless it runs already.
    fn start(&mut self) {
        self.end.get_or_insert_with(|| Instant::now() + self.limit);
    }

    fn stop(&mut self) {
        self.end = None;
    }

    /// Whether the time is over; if not, wakes the task when it is.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let Some(end) = self.end else {
            return false;
        };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if sleep.deadline() != end {
            sleep.as_mut().reset(end);
        }
        sleep.as_mut().poll(context).is_ready()
    }
}
