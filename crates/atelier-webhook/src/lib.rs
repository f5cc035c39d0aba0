#![cfg_attr(feature = "client", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "client"),
    doc = "Standard Webhooks: signing and verification."
)]
#![warn(missing_docs)]

mod secret;
mod signer;
#[cfg(feature = "client")]
pub mod ssrf;
#[cfg(feature = "client")]
mod resolver;
#[cfg(feature = "client")]
mod http_client;
#[cfg(feature = "client")]
mod client;

#[cfg(feature = "client")]
pub use self::{
    client::{CallbackClient, CallbackClientBuilder, SendError},
    http_client::{Answer, BuildError, Call, CallError, HttpClient, HttpClientBuilder},
};
pub use self::{
    secret::{InvalidSecret, Secret},
    signer::{
        InvalidId, Signer, TOLERANCE, VerifyError, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
    },
};
