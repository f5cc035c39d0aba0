//! How fast a lane may go.

use crate::work::{Lane, Verdict};

use super::{
    LEASE_MS, Stores, Subject, add, at, call_in, elsewhere, idle_in, new, notified, record, settle,
    success,
};

/// So many jobs in the lane "test".
async fn fill(queue: &Subject, jobs: usize) {
    for index in 0..jobs {
        add(queue, new(&format!("{index:02}"), "owner")).await;
    }
}

fn parallel(most: u32) -> [Lane; 1] {
    [Lane {
        parallel: Some(most),
        ..Lane::open("test")
    }]
}

pub(crate) async fn lanes_do_not_block_each_other(stores: Stores) {
    let queue = stores.queue;
    fill(&queue, 2).await;
    add(&queue, elsewhere("b", "other")).await;
    let [bounded] = parallel(1);
    let lanes = [bounded, Lane::open("other")];
    assert_eq!(call_in(&queue, &lanes, 0).await.id, "00");
    assert_eq!(call_in(&queue, &lanes, 0).await.id, "b");
    assert_eq!(idle_in(&queue, &lanes, 0).await, Some(LEASE_MS));
}

pub(crate) async fn only_the_lanes_named_are_served_in_their_order(stores: Stores) {
    let queue = stores.queue;
    for (id, lane) in [("a", "one"), ("b", "two"), ("c", "three"), ("d", "two")] {
        add(&queue, elsewhere(id, lane)).await;
    }
    assert_eq!(idle_in(&queue, &[Lane::open("none")], 0).await, None);
    let lanes = ["two", "one"].map(Lane::open);
    for id in ["b", "d", "a"] {
        assert_eq!(call_in(&queue, &lanes, 0).await.id, id);
    }
    assert_eq!(idle_in(&queue, &lanes, 0).await, Some(LEASE_MS));
    assert_eq!(queue.get("c").await.unwrap().unwrap().position, Some(0));
}

pub(crate) async fn a_lane_makes_so_many_calls_at_once(stores: Stores) {
    let queue = stores.queue;
    fill(&queue, 4).await;
    let lane = parallel(2);
    let first = call_in(&queue, &lane, 0).await.ticket();
    let second = call_in(&queue, &lane, 0).await.ticket();
    assert_eq!(idle_in(&queue, &lane, 1).await, Some(LEASE_MS));
    // A delivery is no call.
    record(&queue, &first, success("a.png"), 1).await;
    assert_eq!(call_in(&queue, &lane, 1).await.id, "02");
    idle_in(&queue, &lane, 1).await;
    queue.cancel(&second.id, at(2)).await.unwrap();
    assert_eq!(call_in(&queue, &lane, 2).await.id, "03");
}

pub(crate) async fn calls_begin_evenly_spaced(stores: Stores) {
    let queue = stores.queue;
    fill(&queue, 4).await;
    let lane = [Lane {
        per_second: Some(3.0),
        ..Lane::open("test")
    }];
    call_in(&queue, &lane, 0).await;
    assert_eq!(idle_in(&queue, &lane, 333).await, Some(334));
    call_in(&queue, &lane, 334).await;
    // Time in which nothing began is not made up for.
    call_in(&queue, &lane, 5000).await;
    assert_eq!(idle_in(&queue, &lane, 5001).await, Some(5334));
    call_in(&queue, &lane, 5334).await;
    assert_eq!(
        idle_in(&queue, &lane, 5335).await,
        Some(LEASE_MS),
        "an empty lane waits for no rate"
    );
}

pub(crate) async fn a_throttled_lane_is_held(stores: Stores) {
    let queue = stores.queue;
    fill(&queue, 2).await;
    add(&queue, elsewhere("other", "other")).await;
    let lanes = ["test", "other"].map(Lane::open);
    let change = queue.notifier().listen_work();
    queue.throttle(&lanes[0], at(5000), at(0)).await.unwrap();
    notified(change).await;
    assert_eq!(
        call_in(&queue, &lanes, 1).await.id,
        "other",
        "another provider's calls go on"
    );
    // A shorter hold does not end a longer one.
    queue.throttle(&lanes[0], at(3000), at(1)).await.unwrap();
    assert_eq!(idle_in(&queue, &lanes, 4999).await, Some(5000));
    assert_eq!(call_in(&queue, &lanes, 5000).await.id, "00");
}

pub(crate) async fn a_throttled_lane_halves_and_grows_by_one_a_second(stores: Stores) {
    let queue = stores.queue;
    fill(&queue, 20).await;
    let lane = parallel(9);
    let mut tickets = Vec::new();
    for _ in 0..8 {
        tickets.push(call_in(&queue, &lane, 0).await.ticket());
    }
    queue.throttle(&lane[0], at(1000), at(0)).await.unwrap();
    // Every call hears of it; the lane is halved once.
    queue.throttle(&lane[0], at(2000), at(500)).await.unwrap();
    // Four at once from 2000 on, eight are in progress.
    assert_eq!(idle_in(&queue, &lane, 2000).await, Some(7000));
    for ticket in tickets.drain(..5) {
        settle(&queue, &ticket, Verdict::Release(None), 2000).await;
    }
    assert_eq!(call_in(&queue, &lane, 2000).await.id, "00");
    assert_eq!(idle_in(&queue, &lane, 2999).await, Some(3000));
    assert_eq!(call_in(&queue, &lane, 3000).await.id, "01");
    assert_eq!(idle_in(&queue, &lane, 3000).await, Some(4000));
    for now in [4000, 5000, 6000, 7000] {
        call_in(&queue, &lane, now).await;
    }
    // Its own bound is reached: no time alone brings another.
    assert_eq!(idle_in(&queue, &lane, 30_000).await, Some(LEASE_MS));
}

pub(crate) async fn one_call_at_once_is_always_allowed(stores: Stores) {
    let queue = stores.queue;
    fill(&queue, 3).await;
    let lane = [Lane::open("test")];
    for now in [0, 10, 20] {
        queue
            .throttle(&lane[0], at(now + 5), at(now))
            .await
            .unwrap();
    }
    assert_eq!(call_in(&queue, &lane, 25).await.id, "00");
    assert_eq!(idle_in(&queue, &lane, 25).await, Some(1025));
}
