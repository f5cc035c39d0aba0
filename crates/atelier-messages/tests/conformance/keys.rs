use std::{collections::HashSet, time::Duration};

use futures::future::join_all;

use super::{NAMES, Store, at};

const WINDOW: Duration = Duration::from_millis(1_000);

async fn noted(store: &Store, key: &str, id: &str, now: i64) -> String {
    let noted = store.deduplicate("owner", key, id, WINDOW, at(now)).await;
    noted.unwrap()
}

pub(super) async fn generations_count_up_for_each_owner(store: Store) {
    for owner in NAMES {
        assert_eq!(store.generation(owner).await.unwrap(), 0);
        for expected in [1, 2] {
            assert_eq!(store.rotate(owner).await.unwrap(), expected);
            assert_eq!(store.generation(owner).await.unwrap(), expected);
        }
    }
}

pub(super) async fn twenty_at_once_begin_twenty_generations(store: Store) {
    let rotating = (0..20).map(|_| store.rotate("owner"));
    let begun = join_all(rotating).await.into_iter();
    let begun: HashSet<u64> = begun.map(Result::unwrap).collect();
    assert_eq!(begun, (1..=20).collect());
}

pub(super) async fn one_of_twenty_messages_has_the_key(store: Store) {
    let store = &store;
    let noting = (0..20).map(async |number| noted(store, "k", &format!("msg_{number}"), 0).await);
    let all: HashSet<String> = join_all(noting).await.into_iter().collect();
    assert_eq!(all.len(), 1);
}

pub(super) async fn a_key_is_free_after_its_window(store: Store) {
    assert_eq!(noted(&store, "k", "one", 0).await, "one");
    // The window is not extended by who comes in it.
    for now in [0, 500, 999] {
        assert_eq!(noted(&store, "k", "two", now).await, "one");
    }
    assert_eq!(noted(&store, "k", "two", 1_000).await, "two");
    assert_eq!(noted(&store, "k", "three", 1_999).await, "two");
    // A clock that was set back.
    assert_eq!(noted(&store, "k", "three", -5_000).await, "two");
    for (window, then) in [(Duration::ZERO, "b"), (Duration::MAX, "a")] {
        let key = format!("{window:?}");
        let note = async |id| {
            let noted = store.deduplicate("owner", &key, id, window, at(0)).await;
            noted.unwrap()
        };
        assert_eq!(note("a").await, "a");
        assert_eq!(note("b").await, then);
    }
}

pub(super) async fn a_key_is_forgotten_by_its_message_alone(store: Store) {
    let forget = async |owner: &str, id: &str| {
        let forgotten = store.forget_duplicate(owner, "k", id).await;
        forgotten.unwrap();
    };
    noted(&store, "k", "one", 0).await;
    forget("owner", "two").await;
    forget("other", "one").await;
    assert_eq!(noted(&store, "k", "two", 0).await, "one");
    for _twice in 0..2 {
        forget("owner", "one").await;
    }
    assert_eq!(noted(&store, "k", "two", 0).await, "two");
}

pub(super) async fn owners_and_keys_do_not_share_messages(store: Store) {
    let huge = "x".repeat(1_000_000);
    let names: Vec<&str> = NAMES.into_iter().chain([huge.as_str()]).collect();
    for _twice in 0..2 {
        for (i, owner) in names.iter().enumerate() {
            for (j, key) in names.iter().enumerate() {
                let id = format!("{i} {j}\n");
                let noted = store.deduplicate(owner, key, &id, WINDOW, at(0)).await;
                assert_eq!(noted.unwrap(), id);
            }
        }
    }
    let one = store.deduplicate("ab", "c", "1", WINDOW, at(0)).await;
    let other = store.deduplicate("a", "bc", "2", WINDOW, at(0)).await;
    assert_eq!((one.unwrap(), other.unwrap()), ("1".into(), "2".into()));
}

pub(super) async fn what_has_expired_is_swept(store: Store) {
    let store = &store;
    let noting = (0..2_500).map(async |key| noted(store, &key.to_string(), "old", 0).await);
    join_all(noting).await;
    noted(store, "k", "new", 1).await;
    store.sweep(at(1_000), at(0)).await.unwrap();
    // As if by a clock that is behind: what is swept is not known any more. Redis does it
    // by itself, later.
    assert_eq!(noted(store, "k", "newer", 1_000).await, "new");
    assert_eq!(noted(store, "7", "newer", 1_000).await, "newer");
}
