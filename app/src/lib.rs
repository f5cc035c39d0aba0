//! Atelier's front end: static, server-rendered pages and a few islands.
//!
//! # How a page reaches a visitor
//! 1. The server turns the request's path into a [`Page`] with [`Page::for_path`]
//!    (or makes [`Page::Problem`] for a form that was refused).
//! 2. [`load`] asks [`data::Data`] for what the page needs; then [`shell`] renders
//!    the whole document in one piece: no streaming, no router, no script fragments.
//! 3. The server sends it with the status of the [`Content`] and a
//!    `Content-Security-Policy` that names the nonce in the context.
//!
//! # How a page is hydrated
//! `boot.js`, inlined with the nonce, loads the WASM and registers `leptos-island` as
//! a custom element, so that an island is hydrated whenever it enters the document, even
//! later. The islands hold behaviour, not markup: a job's card is rendered by the
//! server only, and an island that learns of a change fetches the job's page and
//! takes the new card from it. That keeps one rendering of every state, and the WASM
//! small. What is needed only after a click (`later`) is a module of its own, without
//! Leptos: `boot.js` fetches it when the browser is idle, and repeats a click that came
//! before it. Without the WASM, forms post and the job's page reloads itself: without
//! scripts, and where `plain.js` notices that the WASM does not come.

#[cfg(feature = "ssr")]
pub mod data;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod words;
mod texts;
#[cfg(feature = "browser")]
pub mod browser;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod islands;
#[cfg(feature = "later")]
pub mod later;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod parts;

#[cfg(feature = "ssr")]
pub use pages::Content;
#[cfg(feature = "ssr")]
pub use parts::examples::SAMPLES;
#[cfg(feature = "ssr")]
pub use site::{Assets, Page, load, shell};
#[cfg(feature = "ssr")]
pub use texts::Language;
pub use texts::Message;

#[cfg(feature = "ssr")]
mod site;
