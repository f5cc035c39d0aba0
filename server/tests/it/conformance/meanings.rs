use atelier::cache::semantic::{Change, Changes, Meanings, Record};

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

async fn after(meanings: &dyn Meanings, number: u64) -> Vec<Change> {
    match meanings.changes(number, 100).await.unwrap() {
        Changes::Since(changes) => changes,
        Changes::Restarted => panic!("the store lost something"),
    }
}

fn told(changes: &[Change]) -> Vec<(&str, Option<Record>)> {
    let told = changes.iter();
    told.map(|change| (change.job.as_str(), change.record.clone()))
        .collect()
}

pub(super) async fn changes_come_in_their_order_and_the_last_counts(stores: Stores) {
    let meanings = stores.meanings.as_ref();
    assert_eq!(after(meanings, 0).await, []);
    for (job, scope) in [("a", 1), ("b", 2), ("a", 3)] {
        meanings
            .put(job, Some(&record(scope)), at(10_000))
            .await
            .unwrap();
    }
    let all = after(meanings, 0).await;
    assert_eq!(told(&all), [("b", Some(record(2))), ("a", Some(record(3)))]);
    assert!(meanings.holds("a").await.unwrap());
    assert!(!meanings.holds("c").await.unwrap());
    let last = all[1].number;
    assert_eq!(after(meanings, last).await, []);
    assert_eq!(after(meanings, all[0].number).await, all[1..]);
    let Changes::Since(first) = meanings.changes(0, 1).await.unwrap() else {
        panic!("nothing was lost");
    };
    assert_eq!(first, all[..1]);
    meanings.put("b", None, at(10_000)).await.unwrap();
    assert!(!meanings.holds("b").await.unwrap());
    assert_eq!(told(&after(meanings, last).await), [("b", None)]);
    assert_eq!(
        told(&after(meanings, 0).await),
        [("a", Some(record(3))), ("b", None)]
    );
}

pub(super) async fn what_is_over_is_forgotten(stores: Stores) {
    let meanings = stores.meanings.as_ref();
    meanings.put("a", Some(&record(1)), at(1000)).await.unwrap();
    meanings.put("b", Some(&record(2)), at(2000)).await.unwrap();
    meanings.put("c", None, at(1000)).await.unwrap();
    meanings.sweep(at(1000)).await.unwrap();
    let left = after(meanings, 0).await;
    assert_eq!(told(&left), [("b", Some(record(2)))]);
    meanings.put("d", Some(&record(3)), at(2000)).await.unwrap();
    assert!(after(meanings, left[0].number).await[0].number > 3);
}
