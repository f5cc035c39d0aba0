//! Messages through the same faults: twenty owners publish, receivers fail one call in five in
//! every way they can, and processes and the store die. Afterwards no message is lost, each has
//! been told of, a queue is in order, and a schedule has fired at each of its times.

mod books;
mod diary;
mod publishers;
mod receivers;

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout};

use self::{books::Books, diary::Diary, publishers::Publishers, receivers::Receivers};
use crate::{
    chaos,
    fleet::{Fleet, Store},
    ledger::Ledger,
    settings::{LEASE, Settings},
};

/// Repetitions allowed for a message: with one failure in five, all of them fail once in millions.
pub(crate) const RETRIES: usize = 9;

/// The pause before each, in milliseconds.
pub(crate) const PAUSE: u64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_with_two_servers_and_two_workers_on_one_redis() {
    soak(Store::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_with_one_process_on_the_embedded_store() {
    soak(Store::Embedded).await;
}

async fn soak(store: Store) {
    let settings = Settings::read(store);
    println!("messages, {store:?}: {settings:?}");
    let started = Instant::now();
    let (ledger, diary) = (Arc::new(Ledger::default()), Arc::new(Diary::default()));
    let receivers = Receivers::start(settings.seed, &diary).await;
    // Nobody asks for pictures.
    let mut fleet = Fleet::start(store, &receivers.url, &ledger).await;
    let publishers = Publishers::start(&fleet, &receivers, &ledger).await;
    let scheduled = publishers.schedule().await;
    tokio::select! {
        // What is not over by then is told.
        _ = timeout(settings.deadline, publishers.run(&settings, &diary)) => {}
        () = chaos::reign(&mut fleet, &settings) => unreachable!("it goes on while it is watched"),
    }
    fleet.tend().await;
    // Time for whatever is still under way to do what it must not.
    sleep(2 * LEASE).await;
    let books = Books {
        published: publishers.published(),
        unfinished: publishers.unfinished(&diary),
        dead: publishers.dead_letters().await,
        ticks: publishers.ticks(scheduled).await,
        calls: diary.calls(),
        kills: ledger.kills(),
    };
    println!("{}", books.figures(store, &settings, started.elapsed()));
    let mut faults = ledger.faults();
    faults.extend(books.faults());
    fleet.verdict(&faults);
}
