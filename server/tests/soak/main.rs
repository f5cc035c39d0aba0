//! Faults to survive: processes are killed again and again, Redis once, and
//! once it falls silent, while every machine's clock is wrong by minutes and a
//! provider fails one call in five in every way it can. Afterwards the
//! books must balance: nothing accepted is lost, nothing ends twice, nothing
//! paid for is paid again but for the calls that a kill cut off.
//!
//! `cargo xtask test` runs a short form, `cargo xtask soak` a long one;
//! [`settings`] lists what can be set.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed; its figures are printed"
)]

#[path = "../skew/mod.rs"]
mod skew;
mod settings;
mod ledger;
mod provider;
mod process;
mod fleet;
mod chaos;
mod clients;
mod dead;
mod books;
mod messages;

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout};

use self::{
    books::Books,
    clients::{Clients, Job},
    fleet::{Fleet, Store},
    ledger::Ledger,
    provider::Provider,
    settings::{LEASE, Settings},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_and_two_workers_on_one_redis() {
    soak(Store::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_on_the_embedded_store() {
    soak(Store::Embedded).await;
}

async fn soak(store: Store) {
    let settings = Settings::read(store);
    println!("{store:?}: {settings:?}");
    let started = Instant::now();
    let ledger = Arc::new(Ledger::default());
    let provider = Provider::start(settings.seed, &ledger).await;
    let mut fleet = Fleet::start(store, &provider.url, &ledger).await;
    let clients = Clients::new(fleet.servers(), &ledger);

    let jobs = live_through(&settings, &mut fleet, &clients).await;
    // Time for whatever is still under way to do what it must not.
    sleep(2 * LEASE).await;
    let books = Books {
        stored: clients.all_jobs().await,
        dead: dead::letters(&fleet),
        pictures: clients.pictures(&jobs).await,
        jobs,
        calls: ledger.calls(),
        kills: ledger.kills(),
        exits: fleet.exits,
        recorded: ledger.recorded(),
        unsure: ledger.unsure(),
    };
    println!("{}", books.figures(store, &settings, started.elapsed()));
    let mut faults = ledger.faults();
    faults.extend(books.faults());
    fleet.verdict(&faults);
}

/// Hands in all jobs and follows each to its end while processes die.
async fn live_through(settings: &Settings, fleet: &mut Fleet, clients: &Arc<Clients>) -> Vec<Job> {
    let jobs = tokio::select! {
        jobs = timeout(settings.deadline, clients.run(settings)) => jobs,
        () = chaos::reign(fleet, settings) => unreachable!("it goes on while it is watched"),
    };
    fleet.tend().await;
    match jobs {
        Ok(jobs) => jobs,
        Err(_) => {
            let faults = clients.ledger.faults();
            fleet.verdict(&[vec!["not every job ended in time".into()], faults].concat());
            unreachable!("a verdict with faults is a panic")
        }
    }
}
