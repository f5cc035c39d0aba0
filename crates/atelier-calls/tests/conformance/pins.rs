//! Where responses are that upstreams keep.

use atelier_calls::{PinStore, RedisCallStore, SqliteCallStore};
use atelier_store::{conformance, stores};

stores! { dyn PinStore: SqliteCallStore, RedisCallStore }

conformance! { sqlite, redis, cluster, redis_8:
    pinned::a_pin_is_kept_for_its_time,
    pinned::the_latest_pin_counts,
}

mod pinned {
    use std::time::{Duration, Instant};

    use atelier_calls::Pin;

    use super::Store;
    use crate::at;

    const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    fn pin(upstream: &str) -> Pin {
        Pin {
            upstream: upstream.into(),
            owner: "key_1".into(),
        }
    }

    pub(super) async fn a_pin_is_kept_for_its_time(store: Store) {
        let short = Duration::from_millis(1);
        store.pin("a", &pin("one"), at(0), MONTH).await.unwrap();
        store.pin("b", &pin("two"), at(0), short).await.unwrap();
        let started = Instant::now();
        // Redis goes by its own clock.
        while store.pinned("b", at(1)).await.unwrap().is_some() {
            assert!(started.elapsed() < Duration::from_secs(30), "it is kept");
        }
        store.unpin_old(at(1)).await.unwrap();
        assert_eq!(store.pinned("a", at(1)).await.unwrap(), Some(pin("one")));
        assert_eq!(store.pinned("b", at(0)).await.unwrap(), None);
        assert_eq!(store.pinned("c", at(0)).await.unwrap(), None);
    }

    pub(super) async fn the_latest_pin_counts(store: Store) {
        for upstream in ["one", "two"] {
            store.pin("a", &pin(upstream), at(0), MONTH).await.unwrap();
        }
        assert_eq!(store.pinned("a", at(1)).await.unwrap(), Some(pin("two")));
    }
}
