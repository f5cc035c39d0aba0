//! Headers that are not the publisher's, and answers that come too late.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Uri},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};

use super::{OPEN, Site, answer};
use crate::support::{PATIENCE, Setup, eventually};

/// Where and with which headers somebody was called.
type Calls = Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>;

/// A receiver on this machine that answers after a pause.
async fn receiver(pause: Duration) -> (String, Calls) {
    let (calls, listener) = (
        Calls::default(),
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
    );
    let (noted, url) = (
        Arc::clone(&calls),
        format!("http://{}", listener.local_addr().unwrap()),
    );
    let router = Router::new().fallback(async move |uri: Uri, headers: HeaderMap, body: Bytes| {
        noted.lock().unwrap().push((uri.to_string(), headers, body));
        sleep(pause).await;
        "ok"
    });
    tokio::spawn(axum::serve(listener, router).into_future());
    (url, calls)
}

#[tokio::test]
async fn headers_that_belong_to_the_connection_are_not_the_publishers() {
    let site = Site::start(&Setup::with_file(OPEN));
    let (url, calls) = receiver(Duration::ZERO).await;
    for name in [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "proxy-authorization",
        "upstash-signature",
    ] {
        let request = site.publish(&format!("{url}/{name}")).body("four");
        let request = request.header(format!("upstash-forward-{name}"), "forged");
        let (status, told) = answer(request).await;
        if status >= 400 {
            assert!(
                status < 500 && told["error"].is_string(),
                "{name}: {status} {told}"
            );
            continue;
        }
        let path = format!("/{name}");
        let arrived = || calls.lock().unwrap().iter().any(|(uri, ..)| *uri == path);
        eventually(&format!("a call with a forged {name}"), arrived).await;
        let calls = calls.lock().unwrap();
        let (_, headers, body) = calls.iter().find(|(uri, ..)| *uri == path).unwrap();
        let forged = headers.get_all(name).iter().any(|value| value == "forged");
        assert!(!forged, "{name} was forged: {headers:?}");
        assert_eq!(body.as_ref(), b"four", "{name}");
    }
    site.is_well().await;
}

#[tokio::test]
async fn an_answer_after_the_time_out_is_none() {
    let site = Site::start(&Setup::with_file(OPEN));
    let (url, calls) = receiver(Duration::from_millis(2_500)).await;
    let request = site.publish(&url).header("upstash-timeout", "1s");
    let request = request.header("upstash-retries", "0").body("late");
    let (status, told) = answer(request).await;
    assert!(status < 300, "{told}");
    let dead = dead_letter(&site).await;
    assert_eq!(dead["messageId"], told["messageId"]);
    assert_ne!(dead["responseStatus"], 200);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(calls.lock().unwrap().len(), 1);
    let path = format!(
        "/v2/events?state=DELIVERED&messageId={}",
        told["messageId"].as_str().unwrap()
    );
    let (_, events) = answer(site.request(Method::GET, &path)).await;
    assert_eq!(events["events"], json!([]));
}

async fn dead_letter(site: &Site) -> Value {
    let started = Instant::now();
    loop {
        let (_, page) = answer(site.request(Method::GET, "/v2/dlq")).await;
        if let Some(dead) = page["messages"].as_array().and_then(|all| all.first()) {
            return dead.clone();
        }
        assert!(started.elapsed() < PATIENCE, "no dead letter: {page}");
        sleep(Duration::from_millis(50)).await;
    }
}
