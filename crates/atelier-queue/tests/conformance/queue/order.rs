//! Which job is next.

use crate::work::{Claim, NewJob, Priority, Verdict};

use super::{
    LEASE_MS, Stores, add, asking, at, call, claim, failed, get, idle, new, record, settle, success,
};

pub(crate) async fn jobs_are_claimed_in_the_order_they_came(stores: Stores) {
    let queue = stores.queue;
    for (index, id) in ["a", "b", "c"].iter().enumerate() {
        queue
            .enqueue(new(id, "owner"), at(index as i64))
            .await
            .unwrap();
    }
    for id in ["a", "b", "c"] {
        assert_eq!(call(&queue, 10).await.id, id);
    }
    assert_eq!(idle(&queue, 10).await, Some(10 + LEASE_MS));
}

pub(crate) async fn positions_count_the_jobs_ahead(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c"] {
        queue.enqueue(new(id, "owner"), at(0)).await.unwrap();
    }
    assert_eq!(get(&queue, "c").await.position, Some(2));
    call(&queue, 0).await;
    assert_eq!(get(&queue, "a").await.position, None);
    assert_eq!(get(&queue, "c").await.position, Some(1));
}

pub(crate) async fn a_thousand_jobs_of_one_owner_delay_another_by_one(stores: Stores) {
    let queue = stores.queue;
    let thousand = (0..1000).map(|index| queue.enqueue(new(&format!("{index:04}"), "many"), at(0)));
    futures::future::try_join_all(thousand).await.unwrap();
    for _ in 0..3 {
        assert_eq!(call(&queue, 0).await.owner, "many");
    }
    let single = add(&queue, new("single", "single")).await;
    assert!(single.position <= Some(1), "{:?}", single.position);
    let next = [call(&queue, 1).await.owner, call(&queue, 1).await.owner];
    assert!(next.contains(&"single".into()), "{next:?}");
    assert_eq!(call(&queue, 1).await.owner, "many");
}

pub(crate) async fn pictures_count_as_turns(stores: Stores) {
    let queue = stores.queue;
    for index in 0..50 {
        add(&queue, asking(&format!("{index:02}-four"), "four", 4)).await;
        add(&queue, asking(&format!("{index:02}-one"), "one", 1)).await;
    }
    let mut turns = Vec::new();
    for _ in 0..50 {
        turns.push(call(&queue, 0).await.owner);
    }
    let four = turns.iter().filter(|owner| *owner == "four").count();
    assert_eq!(four, 10, "{turns:?}");
}

pub(crate) async fn a_higher_priority_goes_first(stores: Stores) {
    let queue = stores.queue;
    let priorities = [
        ("a", Priority::Low),
        ("b", Priority::Normal),
        ("c", Priority::High),
        ("d", Priority::Normal),
        ("e", Priority::High),
    ];
    for (id, priority) in priorities {
        let job = NewJob {
            priority,
            ..new(id, "owner")
        };
        add(&queue, job).await;
    }
    assert_eq!(get(&queue, "a").await.position, Some(4));
    assert_eq!(get(&queue, "d").await.position, Some(3));
    for id in ["c", "e", "b", "d", "a"] {
        assert_eq!(call(&queue, 0).await.id, id);
    }
}

pub(crate) async fn a_retried_job_keeps_its_turn(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c"] {
        add(&queue, new(id, "owner")).await;
    }
    let (first, second) = (call(&queue, 0).await, call(&queue, 0).await);
    settle(&queue, &second.ticket(), Verdict::Release(None), 1).await;
    settle(&queue, &first.ticket(), Verdict::Retry(failed(1), at(5)), 1).await;
    assert_eq!(
        get(&queue, "a").await.position,
        None,
        "it waits for its time"
    );
    assert_eq!(get(&queue, "b").await.position, Some(0));
    // Both are due again, one by its time and one by its lease: still before c.
    for (now, id) in [(5, "a"), (5, "b"), (5 + LEASE_MS, "a"), (5 + LEASE_MS, "b")] {
        assert_eq!(call(&queue, now).await.id, id);
    }
    assert_eq!(call(&queue, 5 + LEASE_MS).await.id, "c");
}

pub(crate) async fn a_job_that_yields_goes_behind_others(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b"] {
        add(&queue, new(id, "ada")).await;
    }
    let first = call(&queue, 0).await;
    settle(&queue, &first.ticket(), Verdict::Yield(failed(1), at(5)), 1).await;
    assert_eq!(get(&queue, "a").await.failures.len(), 1);
    add(&queue, new("c", "ben")).await;
    // Its try was one job of its owner's, the next is another.
    add(&queue, new("d", "ben")).await;
    for id in ["c", "b", "d", "a"] {
        assert_eq!(call(&queue, 5).await.id, id);
    }
}

pub(crate) async fn a_delayed_job_waits_for_its_time(stores: Stores) {
    let queue = stores.queue;
    let delayed = |id, until| NewJob {
        not_before: Some(at(until)),
        ..new(id, "owner")
    };
    assert_eq!(add(&queue, delayed("a", 500)).await.position, None);
    assert_eq!(add(&queue, delayed("b", 0)).await.position, Some(0));
    assert_eq!(call(&queue, 0).await.id, "b");
    assert_eq!(idle(&queue, 499).await, Some(500));
    assert_eq!(call(&queue, 500).await.id, "a");
    add(&queue, delayed("c", 700)).await;
    queue.cancel("c", at(600)).await.unwrap();
    assert_eq!(idle(&queue, 700).await, Some(LEASE_MS));
}

pub(crate) async fn a_cancelled_job_gives_its_turn_back(stores: Stores) {
    let queue = stores.queue;
    add(&queue, asking("a", "hasty", 4)).await;
    for id in ["b", "c", "d"] {
        add(&queue, new(id, "patient")).await;
    }
    queue.cancel("a", at(0)).await.unwrap();
    assert_eq!(add(&queue, new("e", "hasty")).await.position, Some(1));
    for id in ["b", "e", "c", "d"] {
        assert_eq!(call(&queue, 0).await.id, id);
    }
}

pub(crate) async fn a_delivery_that_is_due_goes_before_calls(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let ticket = call(&queue, 0).await.ticket();
    record(&queue, &ticket, success("a.png"), 0).await;
    settle(&queue, &ticket, Verdict::Postpone(at(10)), 0).await;
    let urgent = NewJob {
        priority: Priority::High,
        ..new("b", "owner")
    };
    add(&queue, urgent).await;
    match claim(&queue, 10).await {
        Claim::Deliver(job, 0) => assert_eq!(job.id, "a"),
        other => panic!("expected the delivery, got {other:?}"),
    }
    assert_eq!(call(&queue, 10).await.id, "b");
}
