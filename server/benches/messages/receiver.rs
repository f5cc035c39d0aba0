//! A receiver that answers at once and counts.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::publish::length;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    delivered: AtomicUsize,
    told: AtomicUsize,
    last: Mutex<Option<Instant>>,
}

impl Receiver {
    pub(crate) async fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Receiver { address, counts }
    }

    pub(crate) fn forget(&self) {
        self.counts.delivered.store(0, Ordering::Relaxed);
        self.counts.told.store(0, Ordering::Relaxed);
    }

    pub(crate) fn delivered(&self) -> usize {
        self.counts.delivered.load(Ordering::Relaxed)
    }

    /// Callbacks.
    pub(crate) fn told(&self) -> usize {
        self.counts.told.load(Ordering::Relaxed)
    }

    /// When the last message arrived.
    pub(crate) fn last(&self) -> Instant {
        self.counts.last.lock().unwrap().unwrap()
    }
}

async fn serve(mut stream: TcpStream, counts: Arc<Counts>) {
    // It may be gone already.
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::with_capacity(4096);
    loop {
        match length(&bytes) {
            Some(length) if bytes.len() >= length => {
                count(&bytes, &counts);
                bytes.drain(..length);
                if stream.write_all(ANSWER).await.is_err() {
                    return;
                }
            }
            _ => match stream.read_buf(&mut bytes).await {
                Ok(read) if read > 0 => {}
                _ => return,
            },
        }
    }
}

fn count(request: &[u8], counts: &Counts) {
    if request.starts_with(b"POST /told") {
        counts.told.fetch_add(1, Ordering::Relaxed);
        return;
    }
    *counts.last.lock().unwrap() = Some(Instant::now());
    counts.delivered.fetch_add(1, Ordering::Relaxed);
}
