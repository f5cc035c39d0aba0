use atelier_cache::semantic::{Change, Changes, Record, VectorLog};

use super::{Stores, at};

fn record(scope: u64) -> Record {
    Record {
        scope,
        scale: 0.01,
        vector: vec![-127, 0, 127],
        expires_at: at(10_000).as_second(),
        used_at: at(0).as_second(),
    }
}

async fn after(log: &dyn VectorLog, number: u64) -> Vec<Change> {
    match log.changes(number, 100).await.unwrap() {
        Changes::Since(changes) => changes,
        Changes::Restarted => panic!("the store lost something"),
    }
}

fn told(changes: &[Change]) -> Vec<(&str, Option<Record>)> {
    let told = changes.iter();
    told.map(|change| (change.id.as_str(), change.record.clone()))
        .collect()
}

pub(super) async fn changes_come_in_their_order_and_the_last_counts(stores: Stores) {
    let log = stores.log.as_ref();
    assert_eq!(after(log, 0).await, []);
    for (job, scope) in [("a", 1), ("b", 2), ("a", 3)] {
        log.put(job, Some(&record(scope)), at(10_000))
            .await
            .unwrap();
    }
    let all = after(log, 0).await;
    assert_eq!(told(&all), [("b", Some(record(2))), ("a", Some(record(3)))]);
    assert!(log.holds("a").await.unwrap());
    assert!(!log.holds("c").await.unwrap());
    let last = all[1].number;
    assert_eq!(after(log, last).await, []);
    assert_eq!(after(log, all[0].number).await, all[1..]);
    let Changes::Since(first) = log.changes(0, 1).await.unwrap() else {
        panic!("nothing was lost");
    };
    assert_eq!(first, all[..1]);
    log.put("b", None, at(10_000)).await.unwrap();
    assert!(!log.holds("b").await.unwrap());
    assert_eq!(told(&after(log, last).await), [("b", None)]);
    assert_eq!(
        told(&after(log, 0).await),
        [("a", Some(record(3))), ("b", None)]
    );
}

pub(super) async fn what_is_over_is_forgotten(stores: Stores) {
    let log = stores.log.as_ref();
    log.put("a", Some(&record(1)), at(1000)).await.unwrap();
    log.put("b", Some(&record(2)), at(2000)).await.unwrap();
    log.put("c", None, at(1000)).await.unwrap();
    log.sweep(at(1000)).await.unwrap();
    let left = after(log, 0).await;
    assert_eq!(told(&left), [("b", Some(record(2)))]);
    log.put("d", Some(&record(3)), at(2000)).await.unwrap();
    assert!(after(log, left[0].number).await[0].number > 3);
}
