//! Connections whose peers dawdle, or are too many.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{Answer, Atelier, OpenAi, PATIENCE, Setup, text};

/// Waits that a test can wait for.
const SHORT: &str = "limits = []\n[connections]\nhead = '500ms'\nidle = '2s'\nbody = '1s'\n";

fn start(settings: &str) -> (Setup, Atelier) {
    let setup = Setup::with_file(settings);
    let server = setup.start();
    (setup, server)
}

async fn connect(server: &Atelier) -> TcpStream {
    let address = server.url.trim_start_matches("http://");
    TcpStream::connect(address).await.unwrap()
}

async fn connected(server: &Atelier, said: &str) -> TcpStream {
    let mut socket = connect(server).await;
    socket.write_all(said.as_bytes()).await.unwrap();
    socket
}

/// Everything that the server says until it closes.
async fn rest(socket: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let end = timeout(PATIENCE, socket.read_to_end(&mut said)).await;
    // A reset is an end as well.
    let _ = end.expect("the server closes the connection");
    String::from_utf8_lossy(&said).into_owned()
}

/// One answer of a connection that stays open.
async fn answer(socket: &mut TcpStream) -> String {
    let mut said = String::new();
    while !said.contains("\r\n\r\n") {
        let mut bytes = [0; 4096];
        let read = timeout(PATIENCE, socket.read(&mut bytes)).await;
        let read = read.expect("an answer").unwrap();
        assert!(read > 0, "closed after {said:?}");
        said += &String::from_utf8_lossy(&bytes[..read]);
    }
    said
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";

/// Here; the server sees to itself.
fn allow_files(count: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        let current = Some(count);
        setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    }
}

#[tokio::test]
async fn two_thousand_unfinished_heads_are_closed() {
    allow_files(4096);
    let (_setup, server) = start(SHORT);
    let mut sockets = Vec::new();
    for number in 0..2000 {
        let said = [
            "",
            "G",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx",
        ][number % 4];
        sockets.push(connected(&server, said).await);
    }
    for socket in &mut sockets {
        let said = rest(socket).await;
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 503"),
            "{said}"
        );
    }
    assert_eq!(server.get("/healthz").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_head_that_comes_drop_by_drop_is_closed() {
    let (_setup, server) = start(SHORT);
    for first in ["", HEALTH] {
        let mut socket = connected(&server, first).await;
        if !first.is_empty() {
            answer(&mut socket).await;
        }
        let drops = async {
            socket.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            while socket.write_all(b"x: y\r\n").await.is_ok() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, drops).await.expect("an end");
    }
}

/// hyper turns these away before any code of ours sees them.
#[tokio::test]
async fn a_head_that_cannot_be_read_is_answered_with_a_problem() {
    let (_setup, server) = start("limits = []");
    let fields = |count: usize, length: usize| {
        (0..count)
            .map(|number| format!("x{number}: {}\r\n", "y".repeat(length)))
            .collect::<String>()
    };
    for (said, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n".to_owned(), 400),
        (
            format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(70_000)),
            414,
        ),
        (
            format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", fields(150, 10)),
            431,
        ),
        (
            format!("GET / HTTP/1.1\r\nhost: a\r\n{}", fields(90, 5_000)),
            431,
        ),
    ] {
        for first in ["", HEALTH] {
            let mut socket = connected(&server, first).await;
            if !first.is_empty() {
                answer(&mut socket).await;
            }
            // Who has said too much is not listened to any longer.
            let _ = socket.write_all(said.as_bytes()).await;
            let said = rest(&mut socket).await;
            let (head, body) = said
                .split_once("\r\n\r\n")
                .unwrap_or_else(|| panic!("{said}"));
            let start = format!("HTTP/1.1 {status} ");
            let head = head
                .strip_prefix(&start)
                .unwrap_or_else(|| panic!("{said}"));
            assert!(
                head.contains("\r\ncontent-type: application/problem+json"),
                "{head}"
            );
            assert!(
                head.contains(&format!("\r\ncontent-length: {}", body.len())),
                "{head}"
            );
            let problem: Value = serde_json::from_str(body).unwrap();
            assert_eq!(problem["status"], status);
            assert!(!text(&problem["detail"]).is_empty());
        }
    }
}

#[tokio::test]
async fn an_idle_connection_lives_longer_than_a_head_may_take() {
    let (_setup, server) = start(&SHORT.replace("idle = '2s'", "idle = '5s'"));
    let mut socket = connected(&server, HEALTH).await;
    assert!(answer(&mut socket).await.contains("200 OK"));
    // Longer than a head may take, shorter than a connection may rest.
    sleep(Duration::from_millis(900)).await;
    socket.write_all(HEALTH.as_bytes()).await.unwrap();
    assert!(answer(&mut socket).await.contains("200 OK"));
    assert_eq!(rest(&mut socket).await, "", "then it is closed");
}

fn upload(length: usize) -> String {
    format!(
        "POST /api/restorations HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\
         content-type: multipart/form-data; boundary=b\r\n\r\n\
         --b\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n\r\n"
    )
}

#[tokio::test]
async fn a_body_that_stops_or_trickles_is_answered_408_and_closed() {
    let (_setup, server) = start(SHORT);
    let json = "POST /api/images HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
                content-length: 1000\r\n\r\n{";
    for said in [json.to_owned(), upload(1_000_000)] {
        let said = rest(&mut connected(&server, &said).await).await;
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
        assert!(said.contains("too_slow"), "{said}");
    }
    // Never silent for as long as it may be, and still too slow.
    let socket = connected(&server, &upload(1_000_000)).await;
    let (mut from, mut to) = socket.into_split();
    let trickle = tokio::spawn(async move {
        while to.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let mut said = String::new();
    let heard = timeout(PATIENCE, from.read_to_string(&mut said)).await;
    let _ = heard.expect("an end");
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    trickle.abort();
}

#[tokio::test]
async fn a_slow_line_that_keeps_its_pace_is_waited_for() {
    let settings = SHORT.replace("body = '1s'", "body = '3s'\nbody_rate = 1000");
    let (_setup, server) = start(&settings);
    let mut socket = connected(&server, &upload(100_000)).await;
    let began = Instant::now();
    // Longer than a body may pause, at four times the least pace.
    while began.elapsed() < Duration::from_secs(5) {
        socket.write_all(&[b'x'; 400]).await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    let said = socket.try_read(&mut [0; 100]).unwrap_err();
    assert_eq!(said.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_others_have_theirs() {
    let (_setup, server) = start("limits = []\n[connections]\nper_address = 3\n");
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut socket = connected(&server, HEALTH).await;
        answer(&mut socket).await;
        held.push(socket);
    }
    let said = rest(&mut connected(&server, HEALTH).await).await;
    assert!(said.starts_with("HTTP/1.1 503"), "{said}");
    for word in ["retry-after: 5", "application/problem+json", "crowded"] {
        assert!(said.contains(word), "{word} in {said}");
    }
    let other = std::net::SocketAddr::from(([127, 0, 0, 2], 0));
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(other).unwrap();
    let address = server.url.trim_start_matches("http://").parse().unwrap();
    let mut other = socket.connect(address).await.unwrap();
    other.write_all(HEALTH.as_bytes()).await.unwrap();
    assert!(answer(&mut other).await.contains("200 OK"));
    // A place that is left is free.
    held.pop();
    let again = async {
        loop {
            let mut socket = connected(&server, HEALTH).await;
            if answer(&mut socket).await.contains("200 OK") {
                break;
            }
        }
    };
    timeout(PATIENCE, again).await.expect("a place");
}

#[tokio::test]
async fn a_trusted_proxy_has_as_many_connections_as_there_are() {
    let settings = "limits = []\ntrusted_proxies = ['127.0.0.1/32']\n\
                    [connections]\nper_address = 1\nmost = 4\n";
    let (_setup, server) = start(settings);
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut socket = connected(&server, HEALTH).await;
        assert!(answer(&mut socket).await.contains("200 OK"));
        held.push(socket);
    }
    let said = rest(&mut connected(&server, HEALTH).await).await;
    assert!(said.starts_with("HTTP/1.1 503"), "{said}");
}

#[tokio::test]
async fn polls_beyond_those_that_may_wait_are_answered_soon() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::with_file("limits = []\n[connections]\npolls = 2\n").openai(&openai);
    let server = setup.start();
    let job = server.paint("a boat").await;
    openai.called(1).await;
    let job = server.until(&job, |job| job["status"] == "running").await;
    let path = format!(
        "/api/jobs/{}?after={}&wait=30",
        text(&job["id"]),
        job["version"].as_u64().unwrap() + 100
    );
    let polls = (0..4).map(|_| {
        let poll = server.get(&path);
        async move {
            let began = Instant::now();
            let answer = poll.send().await.unwrap();
            let job: Value = answer.json().await.unwrap();
            (began.elapsed(), job)
        }
    });
    let mut polls: Vec<_> = polls.map(|poll| tokio::spawn(poll)).collect();
    // Two are answered unchanged while the others go on waiting.
    for _ in 0..2 {
        let (first, _, others) = futures::future::select_all(polls).await;
        let (took, told) = first.unwrap();
        assert!(took < Duration::from_secs(20), "{took:?}");
        assert_eq!(told["id"], job["id"]);
        polls = others;
    }
    for poll in polls {
        poll.abort();
    }
    openai.release();
}

/// Who hangs up leaves the place.
#[tokio::test]
async fn a_poll_that_hangs_up_leaves_its_place() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::with_file("limits = []\n[connections]\npolls = 1\n").openai(&openai);
    let server = setup.start();
    let job = server.paint("a boat").await;
    openai.called(1).await;
    let path = format!("/api/jobs/{}?after=100&wait=30", text(&job["id"]));
    for _ in 0..20 {
        let said = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        drop(connected(&server, &said).await);
    }
    let waits = async {
        loop {
            let (began, path) = (Instant::now(), path.replace("wait=30", "wait=3"));
            server.get(&path).send().await.unwrap();
            if began.elapsed() >= Duration::from_secs(3) {
                break;
            }
        }
    };
    timeout(PATIENCE, waits).await.expect("a poll that waits");
    openai.release();
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_given_up() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []\n[connections]\nwrite = '1s'\n").openai(&openai);
    let server = setup.start();
    let job = server.succeeded(&server.paint("a boat").await).await;
    let path = text(&job["images"][0]["url"]).to_owned();
    let path = path.split_at(path.find("/images").unwrap()).1;
    // Asked for so often that the answers fit no buffer; the reader reads nothing.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = server.url.trim_start_matches("http://").parse().unwrap();
    let mut socket = socket.connect(address).await.unwrap();
    let ask = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").repeat(100);
    let asks = async { while socket.write_all(ask.as_bytes()).await.is_ok() {} };
    timeout(PATIENCE, asks).await.expect("the server hangs up");
}
