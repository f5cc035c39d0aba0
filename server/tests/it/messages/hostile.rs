//! What is sent with bad intentions, or by mistake: refused with a sentence.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use super::{LATER, Site, URL, refused, site, status, told};

/// Sends a request as it is; the status of the answer.
fn raw(site: &Site, head: &str) -> u16 {
    let host = site.server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let key = &site.key;
    let rest = format!("host: {host}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n");
    stream
        .write_all(format!("{head}{rest}").as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn destinations_that_are_never_called_are_refused() {
    let site = site("");
    for destination in [
        "https://user:password@example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://127.0.0.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::1]:9/",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:9/",
        "http://LOCALHOST./",
        "http://a.internal/",
        "http://printer.local/",
        "http:",
        "https://",
        "api/",
    ] {
        let request = site.later(&format!("/v2/publish/{destination}"));
        assert_eq!(status(request).await, 400, "{destination}");
        let item = json!([{ "destination": destination }]);
        assert_eq!(
            status(site.post("/v2/batch").json(&item)).await,
            400,
            "{destination}"
        );
        for name in ["upstash-callback", "upstash-failure-callback"] {
            let request = site.later(&format!("/v2/publish/{URL}"));
            let request = request.header(name, destination);
            assert_eq!(status(request).await, 400, "{name}: {destination}");
        }
    }
    let long = format!("/v2/publish/https://example.com/{}", "a".repeat(10_000));
    assert_eq!(status(site.later(&long)).await, 400);
}

#[tokio::test]
async fn a_path_is_taken_as_it_is() {
    let site = site("");
    for (path, code) in [
        ("/v2/publish/https://example.com/%FF%00", 201),
        ("/v2/publish/https://example.com/a/../b/./c", 201),
        ("/v2/publish/https:/example.com//x", 201),
        ("/v2/publish/%ff%fe", 400),
        ("/v2/publish/", 404),
        ("/v2/publish//", 400),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nupstash-delay: 1d\r\ncontent-length: 0\r\n");
        assert_eq!(raw(&site, &head), code, "{path}");
    }
    let long = format!(
        "POST /v2/publish/https://e.com/{} HTTP/1.1\r\n",
        "a".repeat(100_000)
    );
    let code = raw(&site, &long);
    assert!(code == 414 || code == 431 || code == 400, "{code}");
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let site = site("");
    let deep = "(".repeat(3_000) + "1" + &")".repeat(3_000);
    for (name, value) in [
        ("upstash-delay", "1000000000000000000000000000000"),
        ("upstash-delay", "-5s"),
        ("upstash-delay", "1y"),
        ("upstash-delay", "400d"),
        ("upstash-delay", "soon"),
        ("upstash-not-before", "1e400"),
        ("upstash-not-before", "99999999999"),
        ("upstash-not-before", "-1x"),
        ("upstash-retries", "-1"),
        ("upstash-retries", "101"),
        ("upstash-retries", "many"),
        ("upstash-timeout", "3h"),
        ("upstash-method", "CONNECT"),
        ("upstash-method", "GET /"),
        ("upstash-retry-delay", deep.as_str()),
        ("upstash-retry-delay", "pow("),
        ("upstash-retry-delay", "system(1)"),
        ("upstash-flow-control-value", "parallelism=0"),
        ("upstash-redact-fields", "everything"),
        ("upstash-callback-delay", "5s"),
    ] {
        let request = site.post(&format!("/v2/publish/{URL}"));
        let request = request
            .header("upstash-flow-control-key", "k")
            .header("upstash-callback", "https://example.com/")
            .header(name, value);
        let short = &value[..value.len().min(40)];
        let (code, text) = refused(request.send().await.unwrap()).await;
        assert_eq!(code, 400, "{name}: {short}: {text}");
    }
    assert_eq!(
        told(site.delete("/v2/messages"), 200).await,
        json!({ "cancelled": 0 })
    );
}

#[tokio::test]
async fn header_fields_of_the_connection_and_of_the_sender_are_not_chosen() {
    let site = site("");
    let request = site
        .later(&format!("/v2/publish/{URL}"))
        .header("upstash-forward-host", "evil.example")
        .header("upstash-forward-content-length", "7")
        .header("upstash-forward-transfer-encoding", "chunked")
        .header("upstash-forward-upstash-signature", "forged")
        .header("upstash-forward-x-fine", "1");
    let id = site.published(request).await;
    let message = site.json(&format!("/v2/messages/{id}")).await;
    assert_eq!(message["header"], json!({ "X-Fine": ["1"] }));
    let item = |value: &str| {
        let headers = json!({ "upstash-forward-x-a": value });
        json!([{ "destination": URL, "headers": headers }])
    };
    let broken = site.post("/v2/batch").json(&item("1\r\nx-b: 2"));
    assert_eq!(status(broken).await, 400);
}

#[tokio::test]
async fn too_much_of_anything_is_refused() {
    let site = site("");
    let many: Vec<Value> = (0..10_000).map(|_| json!({ "destination": URL })).collect();
    let (code, text) = refused(site.post("/v2/batch").json(&many).send().await.unwrap()).await;
    assert!(code == 400 && text.contains("1000"), "{code} {text}");
    for body in ["", "{}", "null", "[1]", "[{}]", "[[]]", "not json"] {
        let batch = site.post("/v2/batch").body(body);
        assert_eq!(status(batch).await, 400, "{body}");
    }
    let empty = told(site.post("/v2/batch").body("[]"), 200).await;
    assert_eq!(empty, json!([]));
    let mut head = format!("POST /v2/publish/{URL} HTTP/1.1\r\ncontent-length: 0\r\n");
    for number in 0..1_000 {
        head += &format!("upstash-forward-x-{number}: 1\r\n");
    }
    let code = raw(&site, &head);
    assert!(code == 431 || code == 400, "{code}");
    let count = told(site.delete("/v2/messages"), 200).await;
    assert_eq!(count, json!({ "cancelled": 0 }));
}

#[tokio::test]
async fn filters_and_cursors_of_any_kind_are_answered() {
    let site = site("");
    site.said("kept").await;
    for path in ["/v2/dlq", "/v2/events", "/v2/messages"] {
        for (query, code) in [
            ("labeel=x", 400),
            ("count=0", 400),
            ("count=x", 400),
            ("fromDate=soon", 400),
            ("label=%FF%00", 200),
            ("cursor=%00%FF'--", 200),
        ] {
            let method = if path == "/v2/messages" {
                reqwest::Method::DELETE
            } else {
                reqwest::Method::GET
            };
            let query = if path == "/v2/messages" && code == 200 {
                format!("{query}&label=none")
            } else {
                query.to_owned()
            };
            let request = site.request(method, &format!("{path}?{query}"));
            let answered = request.send().await.unwrap().status();
            assert_eq!(answered, code, "{path}?{query}");
        }
    }
    let all = site.delete("/v2/dlq?responseStatus=999&fromDate=4070908800000&count=100");
    assert_eq!(told(all, 200).await, json!({ "deleted": 0 }));
    let none = site.post("/v2/dlq/retry?topicName=unknown&toDate=946684800000");
    assert_eq!(told(none, 201).await, json!({ "responses": [] }));
    let encoded = site
        .post(&format!("/v2/publish/{URL}"))
        .header(LATER.0, LATER.1);
    let encoded = encoded.header("content-encoding", "gzip").body("x");
    assert_eq!(status(encoded).await, 400);
}
