//! Who may have this site call whom, how often, and that nobody's notices wait
//! for another's.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use image::ImageFormat;
use reqwest::Response;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::{
    notices::{Receiver, SECRET},
    support::{Atelier, OpenAi, Setup, form, photo, problem, redis_database, taken, text},
};

const FILE: &str = "limits = []\n[callbacks]\nallow_private = true\ntimeout = '3s'\n";

async fn order(server: &Atelier, key: &str, body: &Value) -> Response {
    let order = server.post("/api/images").bearer_auth(key).json(body);
    order.send().await.unwrap()
}

async fn is_closed(response: Response) {
    let (status, problem) = problem(response).await;
    assert_eq!(
        (status, text(&problem["code"])),
        (403, "callbacks_closed"),
        "{problem}"
    );
    for way in ["Authorization: Bearer", "open = true"] {
        assert!(text(&problem["detail"]).contains(way), "{problem}");
    }
}

#[tokio::test]
async fn without_a_key_nobody_is_called_unless_the_site_says_so() {
    let setup = Setup::new();
    let server = setup.start();
    for field in ["callback_url", "failure_callback_url"] {
        let url = "https://receiver.example/hook";
        let body = json!({ "prompt": "a boat", field: url });
        let request = server.post("/api/images").json(&body);
        is_closed(request.send().await.unwrap()).await;
        let form = form(photo(40, 30, ImageFormat::Png)).text(field, url);
        let request = server.post("/api/restorations").multipart(form);
        is_closed(request.send().await.unwrap()).await;
        taken(order(&server, &setup.key("Ada"), &body).await).await;
    }
    // A form's empty field names nobody.
    server
        .submit(&json!({ "prompt": "a boat", "callback_url": "" }))
        .await;
}

/// Takes every request and never answers.
struct Silent {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    ids: HashSet<String>,
    tries: usize,
    open: usize,
    most: usize,
}

impl Silent {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Seen>>::default();
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(hear(socket, Arc::clone(&noted)));
            }
        });
        Self { url, seen }
    }
}

async fn hear(socket: TcpStream, seen: Arc<Mutex<Seen>>) {
    {
        let mut seen = seen.lock().unwrap();
        seen.open += 1;
        seen.most = seen.most.max(seen.open);
    }
    let (mut socket, mut line) = (BufReader::new(socket), String::new());
    while socket.read_line(&mut line).await.is_ok_and(|read| read > 2) {
        if let Some(id) = line.strip_prefix("webhook-id: ") {
            let mut seen = seen.lock().unwrap();
            seen.ids.insert(id.trim().to_owned());
            seen.tries += 1;
        }
        line.clear();
    }
    let _ = socket.read_to_end(&mut Vec::new()).await;
    seen.lock().unwrap().open -= 1;
}

async fn silence_delays_nobody_else(setup: Setup) {
    let setup = setup.set("ATELIER_SECRET", SECRET);
    let (silent, receiver) = (Silent::start().await, Receiver::start(&[]).await);
    let (loud, other) = (setup.key("Ada"), setup.key("Ben"));
    let server = setup.start();
    let body = |url: &str| json!({ "prompt": "a boat", "callback_url": url });
    for _ in 0..64 {
        taken(order(&server, &loud, &body(&silent.url)).await).await;
    }
    for tries in [0, 8] {
        // Also when those that failed once are due again.
        while silent.seen.lock().unwrap().tries < tries {
            tokio::task::yield_now().await;
        }
        let job = taken(order(&server, &other, &body(&receiver.url)).await).await;
        assert_eq!(receiver.next().await.body["data"]["id"], job["id"]);
    }
    let seen = silent.seen.lock().unwrap();
    let begun = seen.ids.len();
    assert!(begun < 64, "all {begun} went before the other's one");
    assert!(seen.most <= 4, "{} at once", seen.most);
}

#[tokio::test]
async fn a_silent_receiver_delays_nobody_else() {
    let openai = OpenAi::start(vec![]).await;
    silence_delays_nobody_else(Setup::with_file(FILE).openai(&openai)).await;
}

#[tokio::test]
async fn a_silent_receiver_delays_nobody_else_on_redis() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(FILE).openai(&openai);
    let setup = setup.set("ATELIER_REDIS_URL", &redis_database().await);
    silence_delays_nobody_else(setup).await;
}

#[tokio::test]
async fn callbacks_are_limited_for_each_owner() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(&format!("{FILE}per_hour = 2\n")).openai(&openai);
    let setup = setup.set("ATELIER_SECRET", SECRET);
    let (ada, ben) = (setup.key("Ada"), setup.key("Ben"));
    let server = setup.start();
    let receiver = Receiver::start(&[]).await;
    let body = json!({ "prompt": "a boat", "callback_url": receiver.url });
    for _ in 0..2 {
        taken(order(&server, &ada, &body).await).await;
        receiver.next().await;
    }
    // The answer is there already and would cost nothing.
    let refused = order(&server, &ada, &body).await;
    assert!(refused.headers().contains_key("retry-after"));
    let (status, problem) = problem(refused).await;
    assert_eq!(
        (status, &problem["violated-policies"]),
        (429, &json!(["callbacks"])),
        "{problem}"
    );
    taken(order(&server, &ada, &json!({ "prompt": "a boat" })).await).await;
    let job = taken(order(&server, &ben, &body).await).await;
    assert_eq!(receiver.next().await.body["data"]["id"], job["id"]);
}
