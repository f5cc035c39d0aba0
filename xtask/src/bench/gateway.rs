//! The gateway beside LiteLLM's proxy and Portkey's gateway, before the same mock.

use anyhow::Result;

use crate::{exec, tools};

/// Where the others are described, pinned.
const PEER: &str = "xtask/peers/gateways";

/// Prints the lines of `server/benches/gateway`.
pub(super) fn measure() -> Result<()> {
    let peer = exec::root().join(PEER);
    let python = tools::python_with("litellm", &peer.join("requirements.txt"))?;
    tools::node()?;
    exec::npm_ci(&peer)?;
    eprintln!("measuring the gateways");
    let mut bench = exec::cargo("bench --quiet --package atelier --bench gateway");
    exec::impartial(&mut bench);
    bench.env("ATELIER_BENCH_LITELLM", python.with_file_name("litellm"));
    let portkey = peer.join("node_modules/@portkey-ai/gateway/build/start-server.js");
    bench.env("ATELIER_BENCH_PORTKEY", portkey);
    exec::run(&mut bench)
}
