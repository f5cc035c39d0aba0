use std::time::Duration;

use super::{Stores, at};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) async fn an_entry_is_found_until_its_time_is_over(stores: Stores) {
    let cache = stores.cache;
    assert_eq!(cache.get("a", at(0)).await.unwrap(), None);
    cache.put("a", "job", at(0), HOUR).await.unwrap();
    let entry = cache.get("a", at(3_599_999)).await.unwrap().unwrap();
    assert_eq!((entry.job.as_str(), entry.stored_at), ("job", at(0)));
    assert_eq!(cache.get("a", at(3_600_000)).await.unwrap(), None);
    assert_eq!(cache.get("b", at(0)).await.unwrap(), None);
}

pub(super) async fn a_later_entry_replaces_an_earlier(stores: Stores) {
    let cache = stores.cache;
    cache.put("a", "first", at(0), HOUR).await.unwrap();
    cache.put("a", "second", at(1000), HOUR).await.unwrap();
    let entry = cache.get("a", at(3_600_500)).await.unwrap().unwrap();
    assert_eq!(entry.job, "second");
}

pub(super) async fn removed_and_swept_entries_are_gone(stores: Stores) {
    let cache = stores.cache;
    cache.put("a", "job", at(0), HOUR).await.unwrap();
    cache.put("b", "job", at(0), 2 * HOUR).await.unwrap();
    cache.remove("a").await.unwrap();
    cache.remove("never there").await.unwrap();
    assert_eq!(cache.get("a", at(1)).await.unwrap(), None);
    cache.sweep(at(3_600_000)).await.unwrap();
    assert!(cache.get("b", at(3_600_000)).await.unwrap().is_some());
    cache.sweep(at(7_200_000)).await.unwrap();
    assert_eq!(cache.get("b", at(7_200_000)).await.unwrap(), None);
}
