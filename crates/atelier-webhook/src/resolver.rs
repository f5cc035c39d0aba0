//! The names of hosts, resolved for a client that may be restricted to the public internet.

use std::{collections::HashMap, iter, net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::ssrf::only_public;

/// The system's resolver.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolver {
    /// Whether addresses outside the public internet are left out.
    pub(crate) public_only: bool,
    /// Names that are not looked up, in lower case.
    pub(crate) fixed: Arc<HashMap<String, SocketAddr>>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let fixed = self.fixed.get(&name.as_str().to_ascii_lowercase()).copied();
        let public_only = self.public_only;
        Box::pin(async move {
            if let Some(address) = fixed {
                return Ok(Box::new(iter::once(address)) as Addrs);
            }
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<_> = if public_only {
                only_public(found)?
            } else {
                found.collect()
            };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
