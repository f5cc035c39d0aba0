//! The suites' destinations, as a client that trusts the authority finds them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use atelier_hosts_mock::{HOSTS, Hosts};
use reqwest::{Certificate, Client};

async fn get(client: &Client, url: &str) -> (u16, String) {
    let answer = client.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn client(hosts: &Hosts) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = Certificate::from_pem(hosts.authority().as_bytes()).unwrap();
    let mut client = Client::builder().no_proxy().tls_certs_only([authority]);
    for name in HOSTS {
        client = client.resolve(name, hosts.address());
    }
    client.build().unwrap()
}

#[tokio::test]
async fn every_name_answers_as_the_suites_expect() {
    let hosts = Hosts::start().await.unwrap();
    let client = client(&hosts);
    for (url, status) in [
        ("https://example.com/", 200),
        ("https://example.com/?foo=bar", 200),
        ("https://example.com/123/?asdasd=ooo", 404),
        ("https://example.org/", 200),
        ("https://httpbin.org/status/200", 200),
        ("https://httpbin.org/status/503", 503),
        ("https://oz.requestcatcher.com/?foo=bar", 200),
        ("https://oz1.requestcatcher.com/", 200),
        ("https://www.initial.com/", 200),
        ("https://www.updated.com/", 200),
        ("https://mock.httpstatus.io/201", 201),
        ("https://api.openai.com/v1/chat/completions", 401),
    ] {
        assert_eq!(get(&client, url).await.0, status, "{url}");
    }
    let (status, body) = get(&client, "https://mock.httpstatus.io/404").await;
    assert_eq!((status, body.as_str()), (404, "404 Not Found"));
}

#[tokio::test]
async fn a_client_may_ask_to_be_kept_waiting() {
    let hosts = Hosts::start().await.unwrap();
    let client = client(&hosts);
    let started = std::time::Instant::now();
    get(&client, "https://mock.httpstatus.io/200?sleep=200").await;
    assert!(started.elapsed().as_millis() >= 200);
}

#[tokio::test]
async fn nobody_else_is_trusted_for_it() {
    let hosts = Hosts::start().await.unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let stranger = Client::builder()
        .no_proxy()
        .resolve("example.com", hosts.address());
    let error = stranger
        .build()
        .unwrap()
        .get("https://example.com/")
        .send()
        .await;
    assert!(error.unwrap_err().is_connect());
}
