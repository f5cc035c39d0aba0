//! Publishers that send one message after the other, each on a connection of its own.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use crate::{receiver::Receiver, site::Site};

/// What is sent, as large as a small order.
const BODY: &str = r#"{"order":7,"items":["a lighthouse on a basalt cliff","a boat"],"paid":true}"#;

pub(crate) struct Publisher {
    address: SocketAddr,
    request: Arc<str>,
}

impl Publisher {
    pub(crate) fn new(site: &Site, receiver: &Receiver, callbacks: bool) -> Publisher {
        let (to, key) = (receiver.address, &site.key);
        let callback = match callbacks {
            true => format!("upstash-callback: http://{to}/told\r\n"),
            false => String::new(),
        };
        let request = format!(
            "POST /v2/publish/http://{to}/delivered HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\n{callback}content-length: {}\r\n\r\n{BODY}",
            site.address,
            BODY.len()
        );
        Publisher {
            address: site.address,
            request: request.into(),
        }
    }

    /// Publishes so many messages from so many connections.
    pub(crate) async fn all(&self, count: usize, connections: usize) {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..connections.min(count) {
            let (next, request, address) =
                (Arc::clone(&next), Arc::clone(&self.request), self.address);
            tasks.spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut answer = Vec::with_capacity(2048);
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    stream.write_all(request.as_bytes()).await.unwrap();
                    accepted(&mut stream, &mut answer).await;
                }
            });
        }
        tasks.join_all().await;
    }
}

/// Reads one whole answer, which must be a success.
async fn accepted(stream: &mut TcpStream, answer: &mut Vec<u8>) {
    answer.clear();
    loop {
        if whole(answer) {
            break;
        }
        assert!(
            stream.read_buf(answer).await.unwrap() > 0,
            "the server hung up"
        );
    }
    let is_success = answer.starts_with(b"HTTP/1.1 20");
    assert!(is_success, "{}", String::from_utf8_lossy(answer));
}

/// Whether the head and as many bytes as it announces are there.
pub(crate) fn whole(bytes: &[u8]) -> bool {
    length(bytes).is_some_and(|length| bytes.len() >= length)
}

/// The length of the first message in these bytes, once its head is whole.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = bytes[..end].to_ascii_lowercase();
    let field = b"content-length: ";
    let at = head.windows(field.len()).position(|part| part == field);
    let body = at.map_or(0, |at| {
        let digits = head[at + field.len()..]
            .iter()
            .take_while(|digit| digit.is_ascii_digit());
        digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'))
    });
    Some(end + body)
}
