//! Receivers that fail one call in five. They speak HTTP by hand, as the provider does.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use fastrand::Rng;
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};

use super::diary::{Call, Diary, End, Place};
use crate::{
    provider::{field, leaves, receive},
    settings::is_doomed,
};

/// One call in so many fails.
const FAILING: u32 = 5;

/// How long a message's call may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// Longer than any caller may wait.
const FOR_EVER: Duration = Duration::from_secs(60);

/// For so long the second door is open, and then shut.
const DOOR: Duration = Duration::from_millis(700);

#[derive(Clone, Copy)]
enum Way {
    Broken,
    Busy,
    Hang,
    Reset,
}

const WAYS: [Way; 4] = [Way::Broken, Way::Busy, Way::Hang, Way::Reset];

#[derive(Clone)]
pub(crate) struct Receivers {
    pub(crate) url: String,
    /// Nobody listens there half of the time.
    pub(crate) flapping: String,
    diary: Arc<Diary>,
    rng: Arc<Mutex<Rng>>,
}

impl Receivers {
    pub(crate) async fn start(seed: u64, diary: &Arc<Diary>) -> Self {
        let (open, flapping) = (listen(None).await, listen(None).await);
        let second = flapping.local_addr().unwrap();
        let receivers = Self {
            url: format!("http://{}", open.local_addr().unwrap()),
            flapping: format!("http://{second}"),
            diary: Arc::clone(diary),
            rng: Arc::new(Mutex::new(Rng::with_seed(seed ^ 0xca11))),
        };
        tokio::spawn(receivers.clone().serve_all(open));
        tokio::spawn(receivers.clone().flap(flapping, second));
        receivers
    }

    async fn serve_all(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let receivers = self.clone();
            tokio::spawn(async move { receivers.serve(stream, Instant::now()).await });
        }
    }

    /// Connections are refused while the door is shut.
    async fn flap(self, mut listener: TcpListener, address: SocketAddr) {
        loop {
            let _ = timeout(DOOR, self.clone().serve_all(listener)).await;
            sleep(DOOR).await;
            listener = listen(Some(address)).await;
        }
    }

    async fn serve(self, mut stream: TcpStream, began: Instant) {
        // Who leaves before having asked has made no call.
        let Some((head, body)) = receive(&mut stream).await else {
            return;
        };
        let call = understand(&head, &body, began);
        let is_doomed = call.place == Place::Shop && is_doomed(&String::from_utf8_lossy(&body));
        let number = self.diary.begin(call);
        let end = self.answer(stream, is_doomed).await;
        self.diary.end(number, end);
    }

    async fn answer(&self, mut stream: TcpStream, is_doomed: bool) -> End {
        let (way, pause, variant) = self.plan(is_doomed);
        if leaves(&mut stream, pause).await {
            return End::Cut;
        }
        match way {
            None if write(&mut stream, "200 OK", "").await => End::Taken,
            None => End::Cut,
            Some(Way::Hang) => hang(&mut stream).await,
            Some(way) => {
                fail(stream, way, variant).await;
                End::Failed
            }
        }
    }

    fn plan(&self, is_doomed: bool) -> (Option<Way>, Duration, u32) {
        let mut rng = self.rng.lock().unwrap();
        let fails = rng.u32(..FAILING) == 0;
        let way = rng.choice(WAYS).filter(|_| fails);
        let way = if is_doomed { Some(Way::Broken) } else { way };
        (way, Duration::from_millis(rng.u64(..300)), rng.u32(..))
    }
}

/// On an address of its own, or on one where somebody listened before.
async fn listen(address: Option<SocketAddr>) -> TcpListener {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    TcpListener::bind(address.unwrap_or(any)).await.unwrap()
}

/// `/shop/7`: the seventh message.
fn understand(head: &str, body: &[u8], began: Instant) -> Call {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (place, number) = path.trim_start_matches('/').split_once('/').unwrap();
    let place = match place {
        "shop" => Place::Shop,
        "line" => Place::Line,
        "told" => Place::Told,
        "grief" => Place::Grief,
        "tick" => Place::Tick,
        other => panic!("nobody is to be called at {other}"),
    };
    Call {
        place,
        number: number.parse().unwrap(),
        message: field(head, "upstash-message-id").unwrap().to_owned(),
        body: serde_json::from_slice(body).unwrap_or(Value::Null),
        began,
        end: None,
    }
}

/// A hang ends when the caller's patience does, or when it dies before.
async fn hang(stream: &mut TcpStream) -> End {
    let began = Instant::now();
    leaves(stream, FOR_EVER).await;
    if began.elapsed() < TIMEOUT / 2 {
        End::Cut
    } else {
        End::Failed
    }
}

async fn fail(mut stream: TcpStream, way: Way, variant: u32) {
    let soon = SystemTime::now() + Duration::from_secs(1);
    let pause = match variant % 3 {
        0 => "retry-after: 0\r\n".to_owned(),
        1 => "retry-after: 1\r\n".to_owned(),
        _ => format!("retry-after: {}\r\n", httpdate::fmt_http_date(soon)),
    };
    match way {
        Way::Broken => write(&mut stream, "500 No", "").await,
        Way::Busy => write(&mut stream, "429 Later", &pause).await,
        Way::Hang | Way::Reset => stream.set_zero_linger().is_ok(),
    };
}

/// Whether it was sent.
async fn write(stream: &mut TcpStream, status: &str, fields: &str) -> bool {
    let date = httpdate::fmt_http_date(SystemTime::now());
    let answer = format!(
        "HTTP/1.1 {status}\r\ndate: {date}\r\ncontent-length: 2\r\nconnection: close\r\n{fields}\r\nok"
    );
    stream.write_all(answer.as_bytes()).await.is_ok()
}
