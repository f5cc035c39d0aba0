//! How fast the gateway is: a mock that answers with prepared bytes, straight and through
//! Atelier with a key, three limits, a budget and the cache on; and, where
//! `ATELIER_BENCH_PORTKEY` and `ATELIER_BENCH_LITELLM` name their programs, through these.
//! One JSON object per measurement on stdout; `cargo xtask bench gateway` installs the
//! others and runs this.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement that fails should say where"
)]

mod judge;
mod load;
mod open;
mod subjects;

use std::{net::SocketAddr, sync::mpsc, thread, time::Duration};

use atelier_upstream_mock::fast;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime};

use self::{
    judge::Judge,
    load::{Kind, Load, Target},
    subjects::{Subject, atelier, litellm, portkey, straight},
};

const CONNECTIONS: [usize; 2] = [10, 100];
/// With one stream at a time nothing but the delay is seen.
const STREAMS: [usize; 2] = [1, 10];
const WARMING: Duration = Duration::from_secs(2);
const TIME: Duration = Duration::from_secs(5);
const OPEN_STREAMS: usize = 1_000;

fn main() {
    open::allow_files();
    let mock = mock();
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(measure(mock));
}

/// The mock, in a thread of its own.
fn mock() -> SocketAddr {
    let (sender, address) = mpsc::channel();
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            fast::serve(listener).await.unwrap();
        });
    });
    address.recv().unwrap()
}

async fn measure(mock: SocketAddr) {
    let mut judge = Judge::default();
    // Kept until all is measured; the others are stopped before the next begins.
    let straight = straight(mock);
    for kind in [Kind::Sampled, Kind::Stream] {
        loads(&straight, kind, &mut judge).await;
    }
    if let Some(portkey) = portkey(mock).await {
        for kind in [Kind::Sampled, Kind::Stream] {
            loads(&portkey, kind, &mut judge).await;
        }
    }
    if let Some(litellm) = litellm(mock).await {
        for kind in [Kind::Sampled, Kind::Stream] {
            loads(&litellm, kind, &mut judge).await;
        }
    }
    let atelier = atelier(mock).await;
    for kind in [Kind::Sampled, Kind::Distinct, Kind::Stream, Kind::Repeated] {
        loads(&atelier, kind, &mut judge).await;
    }
    let idle = atelier.memory();
    let streams = open::streams(&atelier.target, OPEN_STREAMS).await;
    judge.streams(OPEN_STREAMS, idle, atelier.memory());
    drop(streams);
}

/// One kind of call at each number of connections.
async fn loads(subject: &Subject, kind: Kind, judge: &mut Judge) {
    let numbers = if kind == Kind::Stream {
        STREAMS
    } else {
        CONNECTIONS
    };
    for connections in numbers {
        eprintln!("{}: {kind:?} at {connections} connections", subject.name);
        let load = |time| Load {
            kind,
            connections,
            time,
        };
        load(WARMING).run(&subject.target).await;
        let before = subject.processor_time();
        let figures = load(TIME).run(&subject.target).await;
        let processor = subject.processor_time() - before;
        if let Some(failure) = &figures.failure {
            eprintln!("{} failures, the first: {failure}", figures.failures);
        }
        judge.load(subject, kind, connections, &figures, processor);
    }
}

/// A measurement as a line.
fn print(measured: &Value) {
    println!("{measured}");
}

/// With a decimal or three.
fn rounded(number: f64) -> Value {
    json!((number * 1000.0).round() / 1000.0)
}

impl Target {
    /// A body of about 1 kB that nobody has sent before, or the same each time.
    fn body(kind: Kind, number: usize) -> String {
        let number = if kind == Kind::Repeated { 0 } else { number };
        let words = "What is the weather like where you are today, and how will it be? ".repeat(13);
        let more = match kind {
            Kind::Sampled => "",
            Kind::Distinct | Kind::Repeated => ",\"temperature\":0",
            Kind::Stream => ",\"stream\":true",
            Kind::Held => ",\"stream\":true,\"user\":\"hold\"",
        };
        format!(
            "{{\"model\":\"gpt-4o-mini\",\"messages\":[{{\"role\":\"user\",\
             \"content\":\"{number} {words}\"}}]{more}}}"
        )
    }
}
