use std::time::Duration;

use atelier_api::Cache;
use atelier_cache::{Saved, Saving};
use jiff::Timestamp;

use super::{Stores, at};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) async fn an_entry_is_found_until_its_time_is_over(stores: Stores) {
    let cache = stores.cache;
    assert_eq!(cache.get("a", at(0)).await.unwrap(), None);
    cache.put("a", "job", at(0), HOUR).await.unwrap();
    let entry = cache.get("a", at(3_599_999)).await.unwrap().unwrap();
    assert_eq!((entry.value.as_str(), entry.stored_at), ("job", at(0)));
    assert_eq!(cache.get("a", at(3_600_000)).await.unwrap(), None);
    assert_eq!(cache.get("b", at(0)).await.unwrap(), None);
}

pub(super) async fn a_later_entry_replaces_an_earlier(stores: Stores) {
    let cache = stores.cache;
    cache.put("a", "first", at(0), HOUR).await.unwrap();
    cache.put("a", "second", at(1000), HOUR).await.unwrap();
    let entry = cache.get("a", at(3_600_500)).await.unwrap().unwrap();
    assert_eq!(entry.value, "second");
}

pub(super) async fn removed_and_swept_entries_are_gone(stores: Stores) {
    let cache = stores.cache;
    cache.put("a", "job", at(0), HOUR).await.unwrap();
    cache.put("b", "job", at(0), 2 * HOUR).await.unwrap();
    cache.remove("a", "another").await.unwrap();
    assert!(cache.get("a", at(1)).await.unwrap().is_some());
    cache.remove("a", "job").await.unwrap();
    cache.remove("never there", "job").await.unwrap();
    assert_eq!(cache.get("a", at(1)).await.unwrap(), None);
    cache.sweep(at(3_600_000), at(0)).await.unwrap();
    assert!(cache.get("b", at(3_600_000)).await.unwrap().is_some());
    cache.sweep(at(7_200_000), at(0)).await.unwrap();
    assert_eq!(cache.get("b", at(7_200_000)).await.unwrap(), None);
}

pub(super) async fn the_longest_unused_makes_room(stores: Stores) {
    let cache = stores.cache;
    let hours = |n: i64| at(n * 3_600_000);
    for (n, digest) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        cache
            .put(digest, "job", at(n as i64), 9 * HOUR)
            .await
            .unwrap();
    }
    assert_eq!(cache.count().await.unwrap(), 5);
    assert!(cache.get("a", hours(2)).await.unwrap().is_some());
    cache.put("f", "job", hours(2), 9 * HOUR).await.unwrap();
    assert_eq!(cache.count().await.unwrap(), 5);
    assert_eq!(cache.get("b", hours(2)).await.unwrap(), None);
    for digest in ["a", "c", "d", "e", "f"] {
        assert!(
            cache.get(digest, hours(2)).await.unwrap().is_some(),
            "{digest}"
        );
    }
}

pub(super) async fn all_entries_are_forgotten_at_once(stores: Stores) {
    let cache = stores.cache;
    for digest in ["a", "b", "c"] {
        cache.put(digest, "job", at(0), HOUR).await.unwrap();
    }
    assert_eq!(cache.clear().await.unwrap(), 3);
    assert_eq!(cache.clear().await.unwrap(), 0);
    assert_eq!(cache.get("a", at(0)).await.unwrap(), None);
}

pub(super) async fn savings_add_up_by_the_hour(stores: Stores) {
    let cache = stores.cache;
    let saving = |hour, saved, amount| Saving {
        hour,
        saved,
        amount,
    };
    let all = [
        saving(0, Saved::Orders(Cache::Exact), 2),
        saving(3_600_000, Saved::Usd, 40_000),
    ];
    cache.record(&all).await.unwrap();
    cache.record(&all[..1]).await.unwrap();
    let since = |ms| Timestamp::from_millisecond(ms).unwrap();
    let kept = cache.savings(since(0)).await.unwrap();
    assert_eq!(
        kept,
        [saving(0, Saved::Orders(Cache::Exact), 4), all[1].clone()]
    );
    cache.sweep(at(0), since(1)).await.unwrap();
    assert_eq!(cache.savings(since(0)).await.unwrap(), all[1..]);
}
