use axum::{
    Router,
    body::{Body, Bytes},
    http::HeaderMap,
    response::{IntoResponse, Redirect},
    routing::post,
};
use futures::StreamExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

use super::*;

const SECRET: &str = "a secret of sixteen";

fn outgoing(allow_private: bool) -> Outgoing {
    outgoing_within(allow_private, Duration::from_secs(60))
}

fn outgoing_within(allow_private: bool, timeout: Duration) -> Outgoing {
    crate::rooms::start_cryptography();
    Outgoing::new(allow_private, Signer::new(SECRET).unwrap(), timeout).unwrap()
}

async fn send(outgoing: &Outgoing, url: &str) -> Result<(), Error> {
    let url = guard::check(url, true).unwrap();
    let body = br#"{"type":"job.succeeded"}"#.to_vec();
    outgoing.post(&url, "job.1", body, Timestamp::now()).await
}

/// Serves on loopback; the base URL.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A receiver at `/`, and what it got.
fn receiver() -> (Router, mpsc::UnboundedReceiver<(HeaderMap, Bytes)>) {
    let (sender, received) = mpsc::unbounded_channel();
    let router = Router::new().route(
        "/",
        post(async move |headers: HeaderMap, body: Bytes| {
            sender.send((headers, body)).unwrap();
        }),
    );
    (router, received)
}

#[tokio::test]
async fn a_signed_message_arrives_where_private_addresses_are_allowed() {
    let (router, mut received) = receiver();
    let url = serve(router).await;
    send(&outgoing(true), &url).await.unwrap();
    send(&outgoing(true), &url.replace("127.0.0.1", "localhost"))
        .await
        .unwrap();
    let signer = Signer::new(SECRET).unwrap();
    for _ in 0..2 {
        let (headers, body) = received.recv().await.unwrap();
        signer.webhook.verify(&body, &headers).unwrap();
        assert_eq!(headers["webhook-id"], "job.1");
        assert_eq!(headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn loopback_is_refused_before_anything_is_sent() {
    let (router, mut received) = receiver();
    let url = serve(router).await;
    let outgoing = outgoing(false);
    let literal = send(&outgoing, &url).await.unwrap_err();
    assert!(matches!(literal, Error::Refused(Unwelcome::Literal(_))));
    let error = send(&outgoing, &url.replace("127.0.0.1", "localhost"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Refused(Unwelcome::Name)), "{error}");
    assert!(error.is_final());
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (router, mut received) = receiver();
    let router = router.route("/away", post(async || Redirect::temporary("/")));
    let url = serve(router).await;
    let error = send(&outgoing(true), &format!("{url}/away"))
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        Error::Answered {
            status: StatusCode::TEMPORARY_REDIRECT,
            ..
        }
    ));
    assert!(!error.is_final());
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn the_answer_decides_what_happens_next() {
    const DAY: u64 = 24 * 60 * 60;
    let past = "Thu, 01 Jan 1970 00:00:30 GMT";
    for (status, retry_after, is_final, pause) in [
        (410, "7", true, None),
        (404, "7", false, None),
        (429, "7", false, Some(7)),
        (503, "99999999999999999999", false, Some(DAY)),
        (503, past, false, Some(0)),
        (503, "soon", false, None),
        (503, "", false, None),
        (429, "-1", false, None),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = async move || (status, [("retry-after", retry_after)]).into_response();
        let url = serve(Router::new().route("/", post(answer))).await;
        let error = send(&outgoing(true), &url).await.unwrap_err();
        assert_eq!(error.is_final(), is_final, "{status}");
        assert_eq!(
            error.retry_after(),
            pause.map(Duration::from_secs),
            "{status} {retry_after}"
        );
    }
}

#[tokio::test]
async fn an_endless_body_is_not_read() {
    let endless = async || {
        let chunk = Bytes::from_static(&[b'a'; 4096]);
        let chunks = futures::stream::repeat(chunk).map(Ok::<_, std::convert::Infallible>);
        Body::from_stream(chunks)
    };
    let url = serve(Router::new().route("/", post(endless))).await;
    send(&outgoing(true), &url).await.unwrap();
}

#[tokio::test]
async fn an_endless_head_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_u8().await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        while socket.write_all(b"a: endless\r\n").await.is_ok() {}
    });
    let error = send(&outgoing(true), &url).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    server.await.unwrap();
}

#[tokio::test]
async fn a_silent_receiver_is_given_up() {
    let silent = async || std::future::pending::<()>().await;
    let url = serve(Router::new().route("/", post(silent))).await;
    let outgoing = outgoing_within(true, Duration::from_millis(100));
    let error = send(&outgoing, &url).await.unwrap_err();
    let said = "The callback could not be reached: it took too long.";
    assert_eq!(error.to_string(), said);
    assert!(!error.is_final());
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_the_url_is_not_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = send(&outgoing(true), &format!("http://{address}/?key=hidden"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_tried_again() {
    let url = Url::parse("http://127.0.0.1:9/").unwrap();
    let outgoing = outgoing(true);
    for (id, body) in [("id", vec![0xff]), ("line\nbreak", vec![])] {
        let sent = outgoing.post(&url, id, body, Timestamp::now()).await;
        assert!(sent.unwrap_err().is_final());
    }
    let ours = Url::parse("http://me:pw@127.0.0.1:9/").unwrap();
    let sent = outgoing.post(&ours, "id", vec![], Timestamp::now()).await;
    assert!(matches!(sent, Err(Error::Refused(Unwelcome::Credentials))));
}
