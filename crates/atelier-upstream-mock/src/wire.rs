//! Connections that can be broken in ways that an HTTP library does not offer.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use pin_project_lite::pin_project;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

const WHOLE: u8 = 0;
const GARBLED: u8 = 1;
const CLOSED: u8 = 2;

/// What is sent instead of a chunk.
const NONSENSE: &[u8] = b"zz\r\nthis is no chunk\r\n";

/// Breaks the connection on which a call came.
#[derive(Clone, Default)]
pub(crate) struct Breaker(Arc<AtomicU8>);

impl Breaker {
    /// Whatever is written from now on becomes nonsense.
    pub(crate) fn garble(&self) {
        self.0.store(GARBLED, Ordering::Release);
    }

    /// Nothing is written any more.
    pub(crate) fn close(&self) {
        self.0.store(CLOSED, Ordering::Release);
    }
}

/// A listener whose connections have a [`Breaker`] each.
pub(crate) struct Fragile(pub(crate) TcpListener);

impl Listener for Fragile {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        let breaker = Breaker::default();
        (Connection { stream, breaker }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Fragile>> for Breaker {
    fn connect_info(stream: IncomingStream<'_, Fragile>) -> Breaker {
        stream.io().breaker.clone()
    }
}

pin_project! {
    pub(crate) struct Connection {
        #[pin]
        stream: TcpStream,
        breaker: Breaker,
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.project().stream.poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        match this.breaker.0.load(Ordering::Acquire) {
            WHOLE => this.stream.poll_write(context, bytes),
            GARBLED => {
                // Fits into any send buffer that has room at all.
                let written = this.stream.poll_write(context, NONSENSE);
                written.map_ok(|_| bytes.len())
            }
            _ => Poll::Ready(Err(ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_shutdown(context)
    }
}
