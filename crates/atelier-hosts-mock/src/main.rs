//! The stand-in as a process: `hosts-mock FILE` writes the certificate of its authority there.

#![expect(clippy::print_stdout, reason = "says where it listens")]

use std::{env, fs, io};

use atelier_hosts_mock::{HOSTS, Hosts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let Some(file) = env::args_os().nth(1) else {
        return Err(io::Error::other(
            "hosts-mock FILE, for the authority's certificate",
        ));
    };
    let hosts = Hosts::start().await?;
    fs::write(file, hosts.authority())?;
    println!("listening at {} for {}", hosts.address(), HOSTS.join(" "));
    hosts.forever().await
}
