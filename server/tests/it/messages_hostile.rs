//! Messages from publishers who mean no good, and to receivers who do not: whatever they send is
//! refused with a sentence, or delivered as it should be, and costs nobody else anything.

mod deliveries;

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{Atelier, Setup, redis_database};

/// What a request that is refused may take, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);

const OPEN: &str = "limits = []\n[messages]\nallow_private = true\n";

/// A server with a key for messages.
struct Site {
    server: Atelier,
    key: String,
}

impl Site {
    fn start(setup: &Setup) -> Site {
        let server = setup.start().without_session();
        let made = setup.run(&["keys", "create", "test", "--scope", "messages"]);
        let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        Site { server, key }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.server.url);
        self.server
            .client
            .request(method, url)
            .bearer_auth(&self.key)
    }

    fn publish(&self, destination: &str) -> RequestBuilder {
        self.request(Method::POST, &format!("/v2/publish/{destination}"))
    }

    async fn is_well(&self) {
        let health = self.server.get("/healthz").send().await.unwrap();
        assert_eq!(health.status(), 200);
    }
}

/// The status, and the answer as JSON.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let started = Instant::now();
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    assert!(
        started.elapsed() < AT_ONCE,
        "{status} took {:?}",
        started.elapsed()
    );
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

/// It is refused, as the client's own fault, with a sentence.
async fn refused(what: &str, request: RequestBuilder) {
    let (status, told) = answer(request).await;
    assert!((400..500).contains(&status), "{what}: {status} {told}");
    assert!(told["error"].is_string(), "{what}: {status} {told}");
}

/// It is refused, or taken.
async fn survived(what: &str, request: RequestBuilder) {
    let (status, told) = answer(request).await;
    assert!(status < 500, "{what}: {status} {told}");
}

/// Bytes of a request as no library would send them; returns the first line of the answer.
async fn raw(site: &Site, bytes: &[u8]) -> String {
    let address = site.server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap_or(0);
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

fn head(site: &Site, destination: &[u8], fields: &str) -> Vec<u8> {
    let mut bytes = b"POST /v2/publish/".to_vec();
    bytes.extend(destination);
    let rest = format!(
        " HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {}\r\ncontent-length: 0\r\n{fields}\r\n",
        site.key
    );
    bytes.extend(rest.as_bytes());
    bytes
}

#[tokio::test]
async fn destinations_that_nobody_may_call() {
    let site = Site::start(&Setup::new());
    let long = format!("https://example.com/{}", "a".repeat(100_000));
    for destination in [
        "http://user:secret@example.com/",
        "https://user@example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "https://exa mple.com/",
        "http://127.0.0.1:80/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0x7f.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "no-such-group",
    ] {
        refused(destination, site.publish(destination)).await;
        let batch = site.request(Method::POST, "/v2/batch");
        refused(
            destination,
            batch.json(&json!([{ "destination": destination }])),
        )
        .await;
        let schedule = site.request(Method::POST, &format!("/v2/schedules/{destination}"));
        let schedule = schedule.header("upstash-cron", "0 0 1 1 *");
        refused(destination, schedule).await;
        for name in ["upstash-callback", "upstash-failure-callback"] {
            let told = site
                .publish("https://example.com/")
                .header(name, destination);
            let told = told.header("upstash-delay", "1d");
            if !destination.contains(' ') && destination != "no-such-group" {
                refused(destination, told).await;
            }
        }
    }
    refused(
        "a long one",
        site.request(Method::POST, "/v2/batch")
            .json(&json!([{ "destination": long }])),
    )
    .await;
    site.is_well().await;
}

#[tokio::test]
async fn requests_that_no_library_sends() {
    let site = Site::start(&Setup::new());
    let long = format!("https://example.com/{}", "a".repeat(100_000));
    let many: String = (0..1_000)
        .map(|n| format!("upstash-forward-x{n}: 1\r\n"))
        .collect();
    for (what, bytes) in [
        ("a long destination", head(&site, long.as_bytes(), "")),
        ("no text", head(&site, b"https://example.com/\xff\xfe", "")),
        (
            "half an escape",
            head(&site, b"https://example.com/%", "upstash-delay: 1d\r\n"),
        ),
        (
            "a thousand headers",
            head(&site, b"https://example.com/", &many),
        ),
        (
            "a line break in a header",
            head(
                &site,
                b"https://example.com/",
                "upstash-forward-x: a\rb\r\n",
            ),
        ),
        (
            "an empty name",
            head(
                &site,
                b"https://example.com/",
                "upstash-forward-: 1\r\nupstash-delay: 1d\r\n",
            ),
        ),
        ("no destination", head(&site, b"", "")),
    ] {
        let line = raw(&site, &bytes).await;
        let is_theirs = line.starts_with("HTTP/1.1 4") || line.starts_with("HTTP/1.1 2");
        assert!(is_theirs, "{what}: {line:?}");
        site.is_well().await;
    }
}

#[tokio::test]
async fn settings_that_make_no_sense() {
    let site = Site::start(&Setup::new());
    let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let long = "1+".repeat(3_000) + "1";
    for (name, value) in [
        ("upstash-delay", "1000000000000000000000000000000"),
        ("upstash-delay", "1000000000000000000000000000000s"),
        ("upstash-delay", "-5s"),
        ("upstash-delay", "1y"),
        ("upstash-delay", "soon"),
        ("upstash-not-before", "1000000000000000000000000000000"),
        ("upstash-not-before", "-1"),
        ("upstash-not-before", "tomorrow"),
        ("upstash-retries", "-1"),
        ("upstash-retries", "99999999999999999999"),
        ("upstash-timeout", "1y"),
        ("upstash-timeout", "-1s"),
        ("upstash-method", "CONNECT"),
        ("upstash-method", "GET / HTTP/1.1"),
        ("upstash-retry-delay", "1 +"),
        ("upstash-retry-delay", "system(1)"),
        ("upstash-retry-delay", &deep),
        ("upstash-flow-control-value", "parallelism=-1"),
        (
            "upstash-flow-control-value",
            "parallelism=99999999999999999999",
        ),
        (
            "upstash-flow-control-value",
            "rate=1,period=1000000000000000000d",
        ),
        ("upstash-redact-fields", "everything"),
    ] {
        let request = site.publish("https://example.com/").header(name, value);
        let request = request.header("upstash-flow-control-key", "key");
        let what = format!("{name}: {value:.40}");
        refused(&what, request).await;
    }
    for value in [
        "1 / 0",
        "0 / 0",
        "pow(9, pow(9, 9))",
        "-1",
        "sqrt(-1)",
        "exp(1000000)",
        &long,
    ] {
        let request = site
            .publish("https://example.com/")
            .header("upstash-retry-delay", value);
        survived(value, request.header("upstash-delay", "1d")).await;
    }
    site.is_well().await;
}

#[tokio::test]
async fn times_that_never_come() {
    let site = Site::start(&Setup::new());
    for cron in [
        "* * * * * *",
        "61 * * * *",
        "* 24 * * *",
        "a b c d e",
        "",
        "CRON_TZ=Mars/Base 0 0 * * *",
        "CRON_TZ= 0 0 * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "1,,2 * * * *",
        "0 0 99999999999999999999 * *",
    ] {
        let schedule = site.request(Method::POST, "/v2/schedules/https://example.com/");
        refused(cron, schedule.header("upstash-cron", cron)).await;
    }
    let february = site.request(Method::POST, "/v2/schedules/https://example.com/");
    survived("30 February", february.header("upstash-cron", "0 0 30 2 *")).await;
    let without = site.request(Method::POST, "/v2/schedules/https://example.com/");
    refused("no cron", without).await;
    site.is_well().await;
}

#[tokio::test]
async fn batches_that_are_none() {
    let site = Site::start(&Setup::new());
    let item =
        json!({ "destination": "https://example.com/", "headers": { "upstash-delay": "1d" } });
    let batch = |body: Value| site.request(Method::POST, "/v2/batch").json(&body);
    for (what, body) in [
        ("ten thousand", vec![item; 10_000].into()),
        ("an object", json!({})),
        ("numbers", json!([1, 2])),
        ("no destination", json!([{}])),
        ("a number", json!([{ "destination": 7 }])),
        (
            "a body of numbers",
            json!([{ "destination": "https://example.com/", "body": 7 }]),
        ),
        (
            "headers of numbers",
            json!([{ "destination": "https://example.com/", "headers": 7 }]),
        ),
    ] {
        refused(what, batch(body)).await;
    }
    let breaks = json!([{ "destination": "https://example.com/", "headers": {
        "upstash-forward-x": "a\r\nx-injected: 1", "upstash-delay": "1d" } }]);
    refused("line breaks", batch(breaks)).await;
    let fields: serde_json::Map<_, _> = (0..1_000)
        .map(|n| (format!("upstash-forward-x{n}"), Value::from("1")))
        .collect();
    let many = json!([{ "destination": "https://example.com/", "headers": fields }]);
    survived("a thousand headers", batch(many)).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let request = site.request(Method::POST, "/v2/batch");
    refused(
        "nested",
        request
            .header("content-type", "application/json")
            .body(deep),
    )
    .await;
    site.is_well().await;
}

#[tokio::test]
async fn two_processes_that_make_the_same_schedule_make_one() {
    let redis = redis_database().await;
    let setup = Setup::with_file(OPEN).set("ATELIER_REDIS_URL", &redis);
    let site = Site::start(&setup);
    let other = Site {
        server: setup.start().without_session(),
        key: site.key.clone(),
    };
    let make = |site: &Site, number: usize| {
        let schedule = site.request(Method::POST, "/v2/schedules/https://example.com/");
        let schedule = schedule.header("upstash-schedule-id", "the-one");
        answer(schedule.header("upstash-cron", format!("{number} 0 1 1 *")))
    };
    for number in 0..10 {
        let (one, two) = tokio::join!(make(&site, number), make(&other, number + 20));
        assert!(one.0 < 300 && two.0 < 300, "{one:?} {two:?}");
        let (_, all) = answer(site.request(Method::GET, "/v2/schedules")).await;
        assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    }
}
