//! What receivers get, and when again.

use std::time::Duration;

use atelier_messages::signature;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;

use super::{Answer, Kept, Receiver, Site, sent};
use crate::support::text;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_arrives_with_its_headers_and_a_signature_that_its_receiver_verifies() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let (site, receiver) = (Site::on(kept).await, Receiver::start(vec![]).await);
        let url = format!("{}/a/?b=c", receiver.url);
        let request = site
            .publish(&url)
            .header("upstash-method", "PUT")
            .header("upstash-forward-x-own", "value")
            .header("content-type", "text/plain")
            .body("hello");
        let id = sent(request).await;
        let call = receiver.next().await;
        assert_eq!(
            (call.method.as_str(), call.path.as_str()),
            ("PUT", "/a/?b=c")
        );
        assert_eq!(call.body, "hello");
        for (name, value) in [
            ("user-agent", "Upstash-QStash"),
            ("content-type", "text/plain"),
            ("x-own", "value"),
            ("upstash-message-id", id.as_str()),
            ("upstash-retried", "0"),
            ("upstash-caller-ip", "127.0.0.1"),
            ("upstash-schedule-id", ""),
            ("upstash-topic-name", ""),
        ] {
            assert_eq!(call.header(name), value, "{name}");
        }
        assert!(!call.header("upstash-region").is_empty());
        assert_eq!(call.header("authorization"), "");
        let keys = site.json("/v2/keys").await;
        let verifier = signature::Receiver::new(text(&keys["current"]), text(&keys["next"]));
        let signature = call.header("upstash-signature");
        let verified = verifier.verify(signature, &call.body, Some(&url), Timestamp::now());
        assert!(verified.is_ok(), "{verified:?}");
        let states = site.states(&id, "DELIVERED").await;
        assert_eq!(states, ["CREATED", "ACTIVE", "DELIVERED"]);
        let message = site.json(&format!("/v2/messages/{id}")).await;
        assert_eq!(message["url"], url);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_signs_soon() {
    let (site, receiver) = (Site::start(), Receiver::start(vec![]).await);
    sent(site.publish(&receiver.url)).await;
    receiver.next().await;
    let rotate = site.server.post("/v2/keys/rotate").bearer_auth(&site.key);
    rotate.send().await.unwrap().error_for_status().unwrap();
    let keys = site.json("/v2/keys").await;
    let verifier = signature::Receiver::new(text(&keys["current"]), text(&keys["current"]));
    // At first another process may not know it yet.
    for _ in 0..50 {
        sent(site.publish(&receiver.url)).await;
        let call = receiver.next().await;
        let signature = call.header("upstash-signature");
        let verified = verifier.verify(signature, &call.body, None, Timestamp::now());
        if verified.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the new key never signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_delivered_byte_for_byte() {
    let (site, receiver) = (Site::start(), Receiver::start(vec![]).await);
    let large: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    for body in [vec![], vec![0xff, 0x00, 0xfe], "ä\r\n".into(), large] {
        sent(site.publish(&receiver.url).body(body.clone())).await;
        assert!(receiver.next().await.body == body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_when_the_call_is_repeated() {
    let in_two = || {
        let at = std::time::SystemTime::now() + Duration::from_secs(3);
        httpdate::fmt_http_date(at)
    };
    for (name, value) in [
        ("retry-after", "1".to_owned()),
        ("retry-after", in_two()),
        ("x-ratelimit-reset", "1".to_owned()),
        ("x-ratelimit-reset-requests", "1s".to_owned()),
        ("x-ratelimit-reset-tokens", "900ms".to_owned()),
    ] {
        let answer = Answer::With(429, vec![(name, value)], b"slowly");
        let (site, receiver) = (Site::start(), Receiver::start(vec![answer]).await);
        let id = sent(site.publish(&receiver.url).body("hello")).await;
        let first = receiver.next().await;
        let second = receiver.next().await;
        // By default it would be twelve seconds.
        assert!(second.at - first.at < Duration::from_secs(10), "{name}");
        assert_eq!(first.header("upstash-retried"), "0");
        assert_eq!(second.header("upstash-retried"), "1");
        assert_eq!(second.header("upstash-message-id"), id);
        assert_eq!(second.body, "hello");
        let states = site.states(&id, "DELIVERED").await;
        let expected = ["CREATED", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "DELIVERED"];
        assert_eq!(states, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_says_itself_when_and_how_often_it_is_repeated() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let answers = vec![Answer::With(500, vec![("x-kind", "bad".into())], b"no"); 3];
        let (site, receiver) = (Site::on(kept).await, Receiver::start(answers).await);
        let request = site
            .publish(&receiver.url)
            .header("upstash-retries", "2")
            .header("upstash-retry-delay", "50 * (1 + retried)");
        let id = sent(request.body("hello")).await;
        for retried in ["0", "1", "2"] {
            assert_eq!(receiver.next().await.header("upstash-retried"), retried);
        }
        let letter = site.dead(1).await.remove(0);
        assert_eq!(letter["messageId"], id);
        assert_eq!(letter["responseStatus"], 500);
        assert_eq!(letter["responseBody"], "no");
        assert_eq!(letter["responseHeader"]["X-Kind"][0], "bad");
        assert!(text(&letter["dlqId"]).ends_with(&id));
        let states = site.states(&id, "FAILED").await;
        assert_eq!(states.iter().filter(|state| *state == "RETRY").count(), 2);
        receiver.nothing_more(Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_never_succeed_is_not_repeated() {
    let last = ("upstash-nonretryable-error", "true".to_owned());
    let answers = vec![Answer::With(489, vec![last], b"never"), Answer::status(489)];
    let (site, receiver) = (Site::start(), Receiver::start(answers).await);
    let publish = || {
        let request = site.publish(&receiver.url);
        request.header("upstash-retry-delay", "50")
    };
    let id = sent(publish()).await;
    receiver.next().await;
    let letter = site.dead(1).await.remove(0);
    assert_eq!(letter["messageId"], id);
    assert_eq!(letter["responseStatus"], 489);
    // Without the header field it is a status like any other.
    let id = sent(publish()).await;
    receiver.next().await;
    receiver.next().await;
    site.states(&id, "DELIVERED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_answers_like_others() {
    let away = Receiver::start(vec![]).await;
    let answer = Answer::With(302, vec![("location", away.url.clone())], b"");
    let (site, receiver) = (Site::start(), Receiver::start(vec![answer]).await);
    let request = site.publish(&receiver.url).header("upstash-retries", "0");
    sent(request).await;
    assert_eq!(site.dead(1).await[0]["responseStatus"], 302);
    away.nothing_more(Duration::from_millis(100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_delivered_when_it_is_retried() {
    let (site, receiver) = (
        Site::start(),
        Receiver::start(vec![Answer::status(500)]).await,
    );
    let request = site.publish(&receiver.url).header("upstash-retries", "0");
    sent(request.body("hello")).await;
    receiver.next().await;
    let letter = site.dead(1).await.remove(0);
    let path = format!("/v2/dlq/retry?dlqIds={}", text(&letter["dlqId"]));
    let retried = site.server.post(&path).bearer_auth(&site.key).send().await;
    retried.unwrap().error_for_status().unwrap();
    let call = receiver.next().await;
    assert_eq!(call.body, "hello");
    assert_eq!(call.header("upstash-retried"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_answers_are_kept() {
    let answer = Answer::With(500, vec![], b"\xff\x00");
    let (site, receiver) = (Site::start(), Receiver::start(vec![answer]).await);
    let request = site.publish(&receiver.url).header("upstash-retries", "0");
    sent(request).await;
    let letter = site.dead(1).await.remove(0);
    let kept = BASE64.decode(text(&letter["responseBodyBase64"]));
    assert_eq!(kept.unwrap(), b"\xff\x00");
}
