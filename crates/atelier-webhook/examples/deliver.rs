//! A sender and a receiver in one program. The message is refused at first, because the receiver listens on loopback;
//! with private addresses allowed it arrives.

#![expect(clippy::print_stdout, reason = "what happens is to be seen")]

use std::{error::Error, sync::Arc, time::SystemTime};

use atelier_webhook::{CallbackClient, Secret, Signer};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use tokio::net::TcpListener;
use url::Url;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Fails only if a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let secret: Secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".parse()?;
    let signer = Signer::new(secret);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = Url::parse(&format!("http://{}/hook", listener.local_addr()?))?;
    let receiver = Router::new()
        .route("/hook", post(receive))
        .with_state(Arc::new(signer.clone()));
    tokio::spawn(async { axum::serve(listener, receiver).await });

    for allow_private in [false, true] {
        let client = CallbackClient::builder()
            .allow_private(allow_private)
            .build(signer.clone())?;
        let body = br#"{"type":"invoice.paid","data":{"invoice":7}}"#.to_vec();
        match client.send(&url, "msg_1", body, SystemTime::now()).await {
            Ok(()) => println!("sender: the message has arrived"),
            Err(error) => println!("sender: {error} Final: {}.", error.is_final()),
        }
    }
    Ok(())
}

async fn receive(State(signer): State<Arc<Signer>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    match signer.verify(&headers, &body, SystemTime::now()) {
        Ok(id) => {
            println!("receiver: {id} says {}", String::from_utf8_lossy(&body));
            StatusCode::NO_CONTENT
        }
        Err(error) => {
            println!("receiver: {error}");
            StatusCode::UNAUTHORIZED
        }
    }
}
