//! What an answer costs, told to whoever gets it.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use atelier_upstream_mock::{Behaviour, KEY, Upstream};
use serde_json::{Value, json};

use super::{Site, chat, cold, header, site, started, streamed};
use crate::support::{PATIENCE, Setup, text};

const COST: &str = "x-atelier-cost-usd";

/// The cost in the comment right before this line, which begins the last event.
fn told_before(stream: &str, last: &str) -> f64 {
    let lines: Vec<_> = stream.lines().collect();
    let comment = format!(": {COST} ");
    let costs: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with(&comment))
        .collect();
    assert_eq!(costs.len(), 1, "{stream}");
    let at = lines.iter().rposition(|line| line.starts_with(last));
    let at = at.unwrap_or_else(|| panic!("no {last} in {stream}"));
    assert_eq!(lines[at - 1], "");
    let told = lines[at - 2].strip_prefix(&comment);
    told.unwrap_or_else(|| panic!("{stream}")).parse().unwrap()
}

#[tokio::test]
async fn a_stream_tells_its_cost_right_before_its_last_event() {
    let site = site("").await;
    let whole = site.ask("/chat/completions", &chat("Hi there")).await;
    let whole: f64 = header(&whole, COST).parse().unwrap();
    let answer = site
        .ask("/chat/completions", &streamed(chat("Hi there")))
        .await;
    assert_eq!(header(&answer, COST), "");
    let stream = answer.text().await.unwrap();
    let told = told_before(&stream, "data: [DONE]");
    assert!(told > 0.0 && (told - whole).abs() < 1e-9, "{told} {whole}");
    let body = streamed(json!({ "model": "gpt-4o-mini", "input": "Hi" }));
    let stream = site.ask("/responses", &body).await.text().await.unwrap();
    assert!(told_before(&stream, "event: response.completed") > 0.0);
    // It had cost something by then.
    site.upstream.then([Behaviour::CloseMidway]);
    let answer = site.ask("/chat/completions", &streamed(chat("Hi"))).await;
    let stream = answer.text().await.unwrap();
    assert!(told_before(&stream, "data: {\"error\"") > 0.0);
}

#[tokio::test]
async fn anthropics_streams_tell_it_as_well() {
    let upstream = Upstream::start().await.unwrap();
    let file = format!(
        "limits = []\n[[upstreams]]\nname = 'claude'\nkind = 'anthropic'\nbase_url = '{}'\n\
         api_key_env = 'A'\nmodels = ['claude-*']",
        upstream.url()
    );
    let site = started(Setup::with_file(&file).set("A", KEY), upstream, &[]);
    let body = json!({ "model": "claude-sonnet-5", "max_tokens": 20, "stream": true,
        "messages": [{ "role": "user", "content": "Hi" }] });
    let request = site.request("/messages", &body);
    let request = request.header("anthropic-version", "2023-06-01");
    let stream = request.send().await.unwrap().text().await.unwrap();
    assert!(told_before(&stream, "event: message_stop") > 0.0);
}

/// Only who pays for a call is told its cost.
#[tokio::test]
async fn who_joins_a_stream_or_gets_an_old_one_pays_nothing() {
    let site = site("").await;
    site.upstream.then([Behaviour::HangMidway]);
    let body = streamed(cold("Hi you"));
    let first = site.ask("/chat/completions", &body).await;
    let second = site.ask("/chat/completions", &body).await;
    assert_eq!(
        (header(&first, COST), header(&second, COST)),
        ("", "0.000000")
    );
    site.upstream.release();
    let (first, second) = (first.text().await.unwrap(), second.text().await.unwrap());
    assert!(told_before(&first, "data: [DONE]") > 0.0);
    assert!(
        second.contains("[DONE]") && !second.contains(COST),
        "{second}"
    );
    let started = std::time::Instant::now();
    let third = loop {
        let answer = site.ask("/chat/completions", &body).await;
        if header(&answer, "x-atelier-cache") == "hit" {
            break answer;
        }
        assert!(started.elapsed() < PATIENCE, "it is not kept");
    };
    assert_eq!(header(&third, COST), "0.000000");
    assert!(!third.text().await.unwrap().contains(COST));
}

/// Everything that the server sends until it closes the connection.
fn raw(site: &Site, body: &Value, fields: &str) -> String {
    let address = site.server.url.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = body.to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         authorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{fields}\r\n",
        site.key,
        body.len()
    );
    socket.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_trailers_gets_one() {
    let site = site("").await;
    let body = streamed(chat("Hi"));
    let answer = raw(&site, &body, "te: gzip, Trailers\r\n");
    let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.to_lowercase().contains(&format!("trailer: {COST}")),
        "{head}"
    );
    let (_, trailers) = rest.rsplit_once("\r\n0\r\n").unwrap();
    let mut lines = rest.lines();
    let told = lines.find_map(|line| line.strip_prefix(&format!(": {COST} ")));
    assert_eq!(trailers.trim(), format!("{COST}: {}", told.unwrap()));
    let answer = raw(&site, &body, "");
    assert!(!answer.to_lowercase().contains("trailer"), "{answer}");
    assert!(answer.ends_with("\r\n0\r\n\r\n"), "{answer}");
    let answer = raw(&site, &chat("Hi"), "te: trailers\r\n");
    assert!(!answer.to_lowercase().contains("trailer:"), "{answer}");
}

#[tokio::test]
async fn errors_tell_what_they_cost() {
    let site = site("").await;
    let unknown = json!({ "model": "gpt-4o-mini" });
    site.upstream.then([Behaviour::Status {
        status: 400,
        headers: Default::default(),
        body: json!({ "error": { "message": "No.", "type": "invalid_request_error", "param": null, "code": null } }),
    }]);
    for body in [chat("Hi"), unknown, json!({})] {
        let answer = site.ask("/chat/completions", &body).await;
        assert_eq!(answer.status(), 400);
        assert_eq!(header(&answer, COST), "0.000000", "{body}");
        let told: Value = answer.json().await.unwrap();
        assert!(!text(&told["error"]["message"]).is_empty());
    }
    // Nobody knows whether it was made.
    site.upstream.then([Behaviour::Close]);
    let body = json!({ "model": "gpt-image-2", "prompt": "a boat" });
    let answer = site.ask("/images/generations", &body).await;
    assert_eq!(answer.status(), 502);
    assert!(header(&answer, COST).parse::<f64>().unwrap() > 0.0);
}
