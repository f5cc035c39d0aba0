//! What policies count of messages.

use serde_json::json;

use super::{LATER, URL, refused, site_with, told};

#[tokio::test]
async fn each_message_counts_as_a_request() {
    let site = site_with("", &["--limit", "4 requests / 1h"]);
    site.said("one").await;
    let item = json!({ "destination": URL, "headers": { LATER.0: LATER.1 } });
    let batch = json!([item, item, item, item]);
    let response = site.post("/v2/batch").json(&batch).send().await.unwrap();
    let headers = response.headers().clone();
    let (code, text) = refused(response).await;
    assert!(code == 429 && text.contains("key-quota"), "{text}");
    assert_eq!(headers["burst-ratelimit-limit"], "4");
    assert_eq!(headers["burst-ratelimit-remaining"], "3");
    for name in ["retry-after", "burst-ratelimit-reset"] {
        let value: u64 = headers[name].to_str().unwrap().parse().unwrap();
        assert!(value > 0, "{name}");
    }
    assert_eq!(headers.get("ratelimit-limit"), None);
    let endpoints =
        json!({ "endpoints": [{ "url": "https://a.example" }, { "url": "https://b.example" }] });
    told(site.post("/v2/topics/two/endpoints").json(&endpoints), 200).await;
    told(site.later("/v2/publish/two"), 201).await;
    site.said("four").await;
    // What is only looked at is not counted.
    assert_eq!(
        site.json("/v2/events?state=CREATED").await["events"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    let fifth = site.later(&format!("/v2/publish/{URL}"));
    assert_eq!(refused(fifth.send().await.unwrap()).await.0, 429);
}

#[tokio::test]
async fn a_daily_limit_is_told_as_one() {
    let site = site_with("", &["--limit", "1 requests / 1d"]);
    site.said("one").await;
    let second = site.later(&format!("/v2/publish/{URL}"));
    let response = second.send().await.unwrap();
    assert_eq!(response.headers()["ratelimit-limit"], "1");
    assert_eq!(response.headers()["ratelimit-remaining"], "0");
    assert_eq!(response.headers().get("burst-ratelimit-limit"), None);
    assert_eq!(refused(response).await.0, 429);
}
