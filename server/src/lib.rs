//! Atelier: an AI image studio in one binary.
//!
//! # The walk of one request
//! 1. `POST /api/images` comes in on one of the [`http::connections`] and reaches
//!    [`http`], which finds out who is asking; [`access`] knows the API keys, and who
//!    is not served at all.
//! 2. [`app::Studio::submit`] does the rest in order:
//! 3. [`limit`]: every policy that applies is charged in one atomic step, or none
//!    ([`policies`] has those that always apply).
//! 4. [`cache`]: the same request before, or one that means the same? Then the job is
//!    finished at once and the charge is given back.
//! 5. [`queue`]: enqueue, or join an identical request in flight. The client gets `202`
//!    with a job id.
//! 6. [`worker`] claims the job under a lease and a fencing token,
//! 7. [`providers`] make the call,
//! 8. [`blob`] keeps the picture.
//! 9. The worker records the outcome and [`callback`] delivers it, signed, to
//!    `/api/callback`. A failed delivery is repeated; the call is not.
//! 10. The callback's handler verifies it, and [`app::Studio::complete`] finishes the
//!     job, fills the cache and settles the charge.
//! 11. The client's poll, `GET /api/jobs/{id}?after=VERSION&wait=25`, returns at that
//!     moment.
//!
//! Calls of other applications come in at `/v1` and go through [`gateway`], under the same
//! limits and caches. What is to be called later comes in at `/v2` and becomes
//! [`messages`].
//!
//! [`cli`] starts a process by its [`config`], [`app::context`] puts its parts together,
//! and [`telemetry`] shows what it does. [`job`] holds what the modules hand each other.
//! The crates `atelier-*` know nothing of this one; [`app`] and [`worker`] join them.
//! The whole map is `docs/ARCHITECTURE.md`.

// A page is one type, nested as its elements are; release builds lay it out in one go.
#![recursion_limit = "256"]

pub mod app;
pub mod callback;
pub mod cli;
pub mod config;
pub mod gateway;
pub mod http;
pub mod job;
pub mod messages;
pub mod policies;
pub mod providers;
pub mod queue;
pub mod telemetry;
pub mod worker;

pub use atelier_access as access;
pub use atelier_blob as blob;
pub use atelier_cache as cache;
pub use atelier_calls as calls;
pub use atelier_limit as limit;
pub use atelier_photo as photo;
pub use atelier_store as store;
