//! Receivers that hang, reset and refuse, processes that die, and names that lie.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::{io::AsyncReadExt as _, net::TcpListener, task::JoinHandle, time::timeout};

use super::{Answer, FILE, Kept, Receiver, Site, sent};
use crate::support::{PATIENCE, Setup, redis_database, text};

/// Resets every connection after the first byte of a request.
async fn resetting() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read_u8().await;
            // What has not been read makes the system reset it.
            drop(socket);
        }
    });
    url
}

async fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_resets_or_refuses_costs_an_attempt() {
    let site = Site::start();
    let silent = Receiver::start(vec![Answer::After(PATIENCE); 10]).await;
    let urls = [silent.url.clone(), resetting().await, refusing().await];
    for url in &urls {
        let request = site
            .publish(url)
            .header("upstash-timeout", "1s")
            .header("upstash-retries", "1")
            .header("upstash-retry-delay", "50");
        let id = sent(request).await;
        let states = site.states(&id, "FAILED").await;
        assert_eq!(
            states.iter().filter(|state| *state == "RETRY").count(),
            1,
            "{url}"
        );
    }
    let letters = site.dead(3).await;
    for letter in letters {
        assert_eq!(letter["responseStatus"], 0, "{letter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_the_time_out_is_none() {
    let late = Answer::After(Duration::from_secs(2));
    let (site, receiver) = (Site::start(), Receiver::start(vec![late]).await);
    let request = site
        .publish(&receiver.url)
        .header("upstash-timeout", "1s")
        .header("upstash-retry-delay", "50");
    let id = sent(request).await;
    assert_eq!(receiver.next().await.header("upstash-retried"), "0");
    assert_eq!(receiver.next().await.header("upstash-retried"), "1");
    let states = site.states(&id, "DELIVERED").await;
    assert_eq!(
        states.iter().filter(|state| *state == "DELIVERED").count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_died_with_its_process_is_made_again_and_costs_no_retry() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let hang = Answer::After(PATIENCE);
        let (site, receiver) = (Site::on(kept).await, Receiver::start(vec![hang]).await);
        let request = site.publish(&receiver.url).header("upstash-retries", "0");
        let id = sent(request.body("hello")).await;
        assert_eq!(receiver.next().await.body, "hello");
        let site = site.killed();
        let again = receiver.next().await;
        assert_eq!(again.body, "hello");
        assert_eq!(again.header("upstash-retried"), "0");
        assert_eq!(again.header("upstash-message-id"), id);
        site.states(&id, "DELIVERED").await;
        receiver.nothing_more(Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_hands_running_messages_back() {
    let file = format!("{FILE}\ngrace = '100ms'");
    let hang = Answer::After(PATIENCE);
    let receiver = Receiver::start(vec![hang]).await;
    let site = Site::with(&file);
    let id = sent(site.publish(&receiver.url).header("upstash-retries", "0")).await;
    receiver.next().await;
    let Site {
        setup,
        mut server,
        key,
    } = site;
    server.signal(Signal::SIGTERM);
    assert!(server.ended().success());
    let server = setup.start();
    let site = Site { setup, server, key };
    assert_eq!(receiver.next().await.header("upstash-message-id"), id);
    site.states(&id, "DELIVERED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_call_keeps_its_lease() {
    let long = Answer::After(Duration::from_secs(5));
    let (site, receiver) = (Site::start(), Receiver::start(vec![long]).await);
    let id = sent(site.publish(&receiver.url)).await;
    receiver.next().await;
    assert_eq!(
        site.states(&id, "DELIVERED").await,
        ["CREATED", "ACTIVE", "DELIVERED"]
    );
    receiver.nothing_more(Duration::from_millis(100)).await;
}

/// Takes one request and answers nothing; tells when its client has hung up.
async fn silent() -> (String, JoinHandle<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let hung_up = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut read = [0; 1024];
        while socket.read(&mut read).await.is_ok_and(|count| count > 0) {}
        Instant::now()
    });
    (url, hung_up)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_stopped_soon_after_its_message_is_cancelled() {
    let file = FILE.replace("lease = '2s'", "lease = '10m'");
    let redis = redis_database().await;
    let setup = || Setup::with_file(&file);
    for setup in [setup(), setup().set("ATELIER_REDIS_URL", &redis)] {
        let (site, (url, hung_up)) = (Site::of(setup), silent().await);
        let id = sent(site.publish(&url)).await;
        site.states(&id, "ACTIVE").await;
        let path = format!("/v2/messages/{id}");
        let cancelled = site.server.delete(&path).bearer_auth(&site.key);
        let started = Instant::now();
        cancelled.send().await.unwrap().error_for_status().unwrap();
        let hung_up = timeout(PATIENCE, hung_up).await.expect("the call stops");
        // The lease would be extended after minutes.
        assert!(hung_up.unwrap() - started < Duration::from_secs(20));
        let states = site.states(&id, "CANCELED").await;
        assert_eq!(
            states,
            ["CREATED", "ACTIVE", "CANCEL_REQUESTED", "CANCELED"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_holds_back_nobody_else() {
    let file = format!("{FILE}\n").replace("[messages]", "[messages]\nper_host = 4");
    let site = Site::with(&file);
    let slow = Receiver::start(vec![Answer::After(PATIENCE); 400]).await;
    let quick = Receiver::start(vec![]).await;
    for _ in 0..300 {
        sent(site.publish(&slow.url)).await;
    }
    let started = Instant::now();
    sent(site.publish(&quick.url)).await;
    quick.next().await;
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn private_names_are_refused_when_they_are_called() {
    let receiver = Receiver::start(vec![]).await;
    let file = FILE.replace("allow_private = true", "allow_private = false");
    let site = Site::of(Setup::with_file(&file));
    let port = receiver.url.rsplit_once(':').unwrap().1.to_owned();
    // It is a name as any other until it is resolved.
    let url = format!("http://localtest.localhost:{port}/");
    let answer = site.publish(&url).send().await.unwrap();
    if answer.status().is_success() {
        let letter = site.dead(1).await.remove(0);
        assert_eq!(text(&letter["url"]), url);
        assert_eq!(letter["responseStatus"], 0);
    }
    receiver.nothing_more(Duration::from_millis(200)).await;
}
