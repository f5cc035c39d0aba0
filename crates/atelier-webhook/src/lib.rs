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
mod client;

#[cfg(feature = "client")]
pub use self::client::{CallbackClient, CallbackClientBuilder, SendError};
pub use self::{
    secret::{InvalidSecret, Secret},
    signer::{
        InvalidId, Signer, TOLERANCE, VerifyError, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
    },
};
