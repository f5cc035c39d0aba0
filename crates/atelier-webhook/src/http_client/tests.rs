use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::IntoResponse as _,
    routing::any,
};
use futures::StreamExt as _;
use http::HeaderValue;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

fn builder() -> HttpClientBuilder {
    // Fails only if a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    HttpClient::builder()
}

fn client() -> HttpClient {
    builder().allow_private(true).build().unwrap()
}

fn call(url: &str) -> Call {
    Call {
        method: Method::POST,
        url: Url::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"hello"),
        timeout: Duration::from_secs(60),
        most: 1000,
    }
}

/// Serves on loopback; the address.
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, service).await });
    address
}

/// Answers with the request as it came: the method, the fields, the body.
fn echo() -> Router {
    Router::new().fallback(async |request: Request| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let fields = parts.headers.iter();
        let fields = fields.map(|(name, value)| format!("{name}={}", value.to_str().unwrap()));
        let fields: Vec<_> = fields.collect();
        let said = format!(
            "{} {} {}",
            parts.method,
            fields.join(","),
            String::from_utf8_lossy(&body)
        );
        (StatusCode::IM_A_TEAPOT, [("x-kind", "pot")], said)
    })
}

#[tokio::test]
async fn any_method_header_and_body_is_sent_and_the_answer_is_told() {
    let address = serve(echo()).await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let mut call = call(&format!("http://{address}/a?b=c"));
        call.method = method.parse().unwrap();
        call.headers
            .insert("x-own", HeaderValue::from_static("value"));
        let answer = client().call(call).await.unwrap();
        assert_eq!(answer.status, StatusCode::IM_A_TEAPOT);
        assert_eq!(answer.headers["x-kind"], "pot");
        let said = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(said.starts_with(method), "{said}");
        assert!(said.contains("x-own=value"), "{said}");
        assert!(said.ends_with(" hello"), "{said}");
        assert!(!answer.is_cut);
    }
}

#[tokio::test]
async fn whoever_chooses_headers_does_not_frame_the_request() {
    let address = serve(echo()).await;
    let mut call = call(&format!("http://{address}/"));
    for (name, value) in [
        ("host", "other.example"),
        ("content-length", "3"),
        ("transfer-encoding", "chunked"),
        ("connection", "x-own"),
        ("upgrade", "websocket"),
        ("expect", "100-continue"),
    ] {
        call.headers.insert(name, HeaderValue::from_static(value));
    }
    let answer = client().call(call).await.unwrap();
    let said = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(said.contains(&format!("host={address}")), "{said}");
    assert!(said.contains("content-length=5"), "{said}");
    assert!(said.ends_with(" hello"), "{said}");
    for absent in ["transfer-encoding", "upgrade", "expect", "other.example"] {
        assert!(!said.contains(absent), "{said}");
    }
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit_and_no_further() {
    let sized = |length: usize| async move { "a".repeat(length) };
    let endless = async || {
        let chunk = Bytes::from_static(&[b'a'; 4096]);
        Body::from_stream(futures::stream::repeat(chunk).map(Ok::<_, io::Error>))
    };
    let router = Router::new()
        .route("/999", any(move || sized(999)))
        .route("/1000", any(move || sized(1000)))
        .route("/1001", any(move || sized(1001)))
        .route("/endless", any(endless));
    let address = serve(router).await;
    for (path, length, is_cut) in [
        ("999", 999, false),
        ("1000", 1000, false),
        ("1001", 1000, true),
        ("endless", 1000, true),
    ] {
        let call = call(&format!("http://{address}/{path}"));
        let answer = client().call(call).await.unwrap();
        assert_eq!(
            (answer.body.len(), answer.is_cut),
            (length, is_cut),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_time_out_covers_the_body() {
    let trickle = async || {
        let beginning = futures::stream::iter([Ok::<_, io::Error>("begun")]);
        Body::from_stream(beginning.chain(futures::stream::pending()))
    };
    let address = serve(Router::new().route("/", any(trickle))).await;
    let call = Call {
        timeout: Duration::from_millis(100),
        ..call(&format!("http://{address}/"))
    };
    let error = client().call(call).await.unwrap_err();
    assert!(error.is_timeout() && !error.is_final(), "{error}");
    let said = "The URL could not be reached: it took too long.";
    assert_eq!(error.to_string(), said);
}

/// The number of connections that two calls need.
async fn connections(client: &HttpClient) -> usize {
    let last = Arc::new(AtomicUsize::new(0));
    let count = Arc::new(AtomicUsize::new(0));
    let (seen, counted) = (Arc::clone(&last), Arc::clone(&count));
    let peer = async move |ConnectInfo(peer): ConnectInfo<SocketAddr>| {
        let port = usize::from(peer.port());
        if seen.swap(port, Ordering::SeqCst) != port {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        "hello".into_response()
    };
    let address = serve(Router::new().route("/", any(peer))).await;
    for _ in 0..2 {
        let call = call(&format!("http://{address}/"));
        client.call(call).await.unwrap();
    }
    count.load(Ordering::SeqCst)
}

#[tokio::test]
async fn connections_are_kept_only_if_that_is_wanted() {
    assert_eq!(connections(&client()).await, 2);
    let keeping = builder()
        .allow_private(true)
        .keep_idle(Duration::from_secs(30));
    assert_eq!(connections(&keeping.build().unwrap()).await, 1);
}

#[tokio::test]
async fn a_name_of_a_test_stands_for_its_address_and_others_stay_refused() {
    let address = serve(echo()).await;
    let named = builder().resolve([("Shop.Example".to_owned(), address)]);
    let client = named.build().unwrap();
    let answer = client.call(call("http://shop.example/")).await.unwrap();
    assert_eq!(answer.status, StatusCode::IM_A_TEAPOT);
    let error = client.call(call("http://localhost/")).await.unwrap_err();
    let refusal = RefusedUrl::PrivateName;
    assert!(matches!(error, CallError::Refused(why) if why == refusal));
    assert!(error.is_final());
}

#[test]
fn only_certificates_are_trusted() {
    assert!(
        builder()
            .trust(b"no certificate")
            .is_ok_and(|builder| builder.roots.is_empty())
    );
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(
        builder()
            .trust(broken)
            .and_then(HttpClientBuilder::build)
            .is_err()
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_u8().await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
        socket.write_all(head).await.unwrap();
    });
    let call = call(&format!("http://{address}/"));
    let error = client().call(call).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable(_)), "{error}");
    server.await.unwrap();
}
