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
    time::timeout,
};

use super::*;
use crate::{secret::Secret, ssrf};

fn signer() -> Signer {
    Signer::new(Secret::from_bytes("a key"))
}

fn builder() -> CallbackClientBuilder {
    // Fails only if a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    CallbackClient::builder().timeout(Duration::from_secs(60))
}

/// A client that may reach this machine.
fn client() -> CallbackClient {
    builder().allow_private(true).build(signer()).unwrap()
}

async fn send(client: &CallbackClient, url: &str) -> Result<(), SendError> {
    let url = ssrf::check(url, true).unwrap();
    let body = br#"{"type":"invoice.paid"}"#.to_vec();
    client.send(&url, "msg_1", body, SystemTime::now()).await
}

type Received = mpsc::UnboundedReceiver<(HeaderMap, Bytes)>;

async fn next(received: &mut Received) -> (HeaderMap, Bytes) {
    let next = timeout(Duration::from_secs(20), received.recv()).await;
    next.expect("a message arrives").unwrap()
}

/// Serves on loopback; the base URL.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A receiver at `/`, and what it got.
fn receiver() -> (Router, Received) {
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
    send(&client(), &url).await.unwrap();
    send(&client(), &url.replace("127.0.0.1", "localhost"))
        .await
        .unwrap();
    for _ in 0..2 {
        let (headers, body) = next(&mut received).await;
        let verified = signer().verify(&headers, &body, SystemTime::now());
        assert_eq!(verified, Ok("msg_1"));
        assert_eq!(body, r#"{"type":"invoice.paid"}"#);
        assert_eq!(headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn loopback_is_refused_before_anything_is_sent() {
    let (router, mut received) = receiver();
    let url = serve(router).await;
    let client = builder().build(signer()).unwrap();
    let literal = send(&client, &url).await.unwrap_err();
    let private = RefusedUrl::PrivateAddress([127, 0, 0, 1].into());
    assert!(matches!(literal, SendError::Refused(refusal) if refusal == private));
    let error = send(&client, &url.replace("127.0.0.1", "localhost"))
        .await
        .unwrap_err();
    let private = RefusedUrl::PrivateName;
    assert!(matches!(error, SendError::Refused(refusal) if refusal == private));
    assert!(error.is_final());
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (router, mut received) = receiver();
    let router = router.route("/away", post(async || Redirect::temporary("/")));
    let url = serve(router).await;
    let error = send(&client(), &format!("{url}/away")).await.unwrap_err();
    assert!(matches!(
        error,
        SendError::Answered {
            status: StatusCode::TEMPORARY_REDIRECT,
            ..
        }
    ));
    assert!(!error.is_final());
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn the_answer_is_told_and_only_gone_is_final() {
    for (status, is_final) in [(410, true), (404, false), (429, false), (503, false)] {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = async move || (status, [("retry-after", "7")]).into_response();
        let url = serve(Router::new().route("/", post(answer))).await;
        let error = send(&client(), &url).await.unwrap_err();
        assert_eq!(error.is_final(), is_final, "{status}");
        let said = format!("The callback answered {status}.");
        assert_eq!(error.to_string(), said);
        let SendError::Answered { headers, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(headers["retry-after"], "7");
    }
}

#[tokio::test]
async fn requests_name_their_user_agent() {
    let (router, mut received) = receiver();
    let url = serve(router).await;
    send(&client(), &url).await.unwrap();
    let (headers, _) = next(&mut received).await;
    let ours = concat!("atelier-webhook/", env!("CARGO_PKG_VERSION"));
    assert_eq!(headers["user-agent"], ours);
    let named = builder().allow_private(true).user_agent("Example/1");
    send(&named.build(signer()).unwrap(), &url).await.unwrap();
    let (headers, _) = next(&mut received).await;
    assert_eq!(headers["user-agent"], "Example/1");
    assert!(builder().user_agent("line\nbreak").build(signer()).is_err());
}

#[tokio::test]
async fn an_endless_body_is_not_read() {
    let endless = async || {
        let chunk = Bytes::from_static(&[b'a'; 4096]);
        let chunks = futures::stream::repeat(chunk).map(Ok::<_, std::convert::Infallible>);
        Body::from_stream(chunks)
    };
    let url = serve(Router::new().route("/", post(endless))).await;
    send(&client(), &url).await.unwrap();
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
    let error = send(&client(), &url).await.unwrap_err();
    assert!(matches!(error, SendError::Unreachable(_)), "{error}");
    server.await.unwrap();
}

#[tokio::test]
async fn a_silent_receiver_is_given_up() {
    let silent = async || std::future::pending::<()>().await;
    let url = serve(Router::new().route("/", post(silent))).await;
    let hasty = builder()
        .allow_private(true)
        .timeout(Duration::from_millis(100));
    let error = send(&hasty.build(signer()).unwrap(), &url)
        .await
        .unwrap_err();
    let said = "The callback could not be reached: it took too long.";
    assert_eq!(error.to_string(), said);
    assert!(!error.is_final());
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_the_url_is_not_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = send(&client(), &format!("http://{address}/?key=hidden"))
        .await
        .unwrap_err();
    assert!(matches!(error, SendError::Unreachable(_)), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_tried_again() {
    let now = SystemTime::now();
    let send = async |url: &str, id: &str| {
        let url = Url::parse(url).unwrap();
        let error = client().send(&url, id, vec![], now).await.unwrap_err();
        assert!(error.is_final(), "{error}");
        error
    };
    let error = send("http://127.0.0.1:9/", "line\nbreak").await;
    assert!(matches!(error, SendError::Unsignable(InvalidId)));
    let error = send("http://me:pw@127.0.0.1:9/", "id").await;
    assert!(matches!(error, SendError::Refused(RefusedUrl::Credentials)));
    // A host that a URL may have, but not a request.
    let error = send("http://a{b.example/hidden", "id").await;
    assert!(matches!(error, SendError::Unwritable(_)), "{error}");
    assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
}
