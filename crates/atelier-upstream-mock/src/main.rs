//! The stand-in as a process: `upstream-mock [--fast] [--as KIND] [ADDRESS:PORT]`.

#![expect(clippy::print_stdout, reason = "says where it listens")]

use std::{env, io, net::SocketAddr};

use atelier_upstream_mock::{Kind, Upstream, fast};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let (mut quick, mut kind, mut address) = (false, Kind::OpenAi, "127.0.0.1:0".to_owned());
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--fast" => quick = true,
            "--as" => kind = named(&arguments.next().unwrap_or_default())?,
            _ => address = argument,
        }
    }
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    if quick {
        let listener = TcpListener::bind(address).await?;
        println!("listening at http://{}/v1", listener.local_addr()?);
        return fast::serve(listener).await;
    }
    let upstream = Upstream::listen(address, kind).await?;
    println!("listening at {}", upstream.url());
    upstream.forever().await
}

fn named(name: &str) -> io::Result<Kind> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    kind.ok_or_else(|| io::Error::other(format!("there is no kind {name:?}")))
}
