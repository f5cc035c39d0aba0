#![doc = include_str!("../README.md")]

mod answers;
mod tls;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{net::TcpListener, task::JoinHandle};

/// The names that it answers for.
pub const HOSTS: [&str; 9] = [
    "example.com",
    "example.org",
    "httpbin.org",
    "mock.httpstatus.io",
    "oz.requestcatcher.com",
    "oz1.requestcatcher.com",
    "www.initial.com",
    "www.updated.com",
    "api.openai.com",
];

/// All of them on one port of this machine, until dropped.
#[derive(Debug)]
pub struct Hosts {
    address: SocketAddr,
    authority: String,
    task: JoinHandle<io::Result<()>>,
}

impl Hosts {
    /// Listens on a free port.
    pub async fn start() -> io::Result<Hosts> {
        let (server, authority) = tls::certify(&HOSTS).map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let listener = tls::Listener::new(listener, server);
            axum::serve(listener, answers::router()).await
        });
        Ok(Hosts {
            address,
            authority,
            task,
        })
    }

    /// Where it listens, for every name.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of its authority, as PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Serves until the process ends.
    pub async fn forever(mut self) -> io::Result<()> {
        (&mut self.task).await?
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.task.abort();
    }
}
