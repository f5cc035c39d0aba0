//! One binary for everything that is tested from outside the crate.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod support;
mod conformance;
mod plans;
mod map;
mod redis;
mod late;
mod walk;
mod input;
mod connections;
mod privacy;
mod keys;
mod strangers;
mod secrets;
mod discards;
mod provider;
mod provider_errors;
mod stream;
mod mask;
mod edits;
mod named;
mod enlarging;
mod extending;
mod languages;
mod left_out;
mod replicate;
mod painters;
mod vertex;
mod fallbacks;
mod faults;
mod paid;
mod recovery;
mod storage;
mod full;
mod files;
mod decoding;
mod dead;
mod gallery;
mod sharing;
mod marks;
mod gateway;
mod messages;
mod messages_hostile;
mod access;
mod adjusting;
mod attaching;
mod key_terms;
mod blocks;
mod operator;
mod budget;
mod figures;
mod refusals;
mod notices;
mod notice_limits;
mod deliveries;
mod outbox;
mod unreadable;
mod older;
mod semantic;
mod several;
mod choosing;
mod clocks;
mod outages;
