//! The stand-in as a process: `upstream-mock [--fast] [ADDRESS:PORT]`.

#![expect(clippy::print_stdout, reason = "says where it listens")]

use std::{env, io, net::SocketAddr};

use atelier_upstream_mock::{Upstream, fast};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--fast");
    let address = arguments.iter().find(|argument| *argument != "--fast");
    let address = address.map_or("127.0.0.1:0", String::as_str);
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    if quick {
        let listener = TcpListener::bind(address).await?;
        println!("listening at http://{}/v1", listener.local_addr()?);
        return fast::serve(listener).await;
    }
    let upstream = Upstream::listen(address).await?;
    println!("listening at {}", upstream.url());
    upstream.forever().await
}
