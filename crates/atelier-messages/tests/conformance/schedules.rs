use std::collections::HashSet;

use atelier_messages::{Due, Fired, Message, NewSchedule, Schedule};
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::json;

use super::{NAMES, Store, at};

fn schedule(id: &str, next: Option<Timestamp>) -> NewSchedule {
    NewSchedule {
        id: id.into(),
        cron: "* * * * *".into(),
        destination: "https://example.com".into(),
        message: Message::default(),
        delay: 0,
        body: serde_json::Value::Null,
        next,
    }
}

fn fired(at: Timestamp) -> Fired {
    Fired {
        message: Some(format!("msg_{at}")),
        at,
        error: None,
    }
}

async fn put(store: &Store, owner: &str, new: &NewSchedule) -> Schedule {
    let put = store.put_schedule(owner, new, 1_000, at(0)).await;
    put.unwrap().unwrap()
}

async fn ids(store: &Store, now: Timestamp) -> Vec<String> {
    let due = store.due(now, 100).await.unwrap().into_iter();
    due.map(|due| due.schedule.given.id).collect()
}

pub(super) async fn a_schedule_is_kept_to_the_letter(store: Store) {
    let huge = "x".repeat(1_000_000);
    for (number, name) in NAMES.into_iter().chain([huge.as_str()]).enumerate() {
        let id = if name.len() > 100 { "huge" } else { name };
        let new = NewSchedule {
            id: id.into(),
            cron: format!("CRON_TZ=Europe/Berlin {name}"),
            destination: name.into(),
            message: Message {
                url: name.into(),
                headers: vec![(name.into(), name.into()), ("A".into(), String::new())],
                retries: u32::MAX,
                labels: vec![name.into()],
                ..Message::default()
            },
            delay: u64::MAX,
            body: json!({ "text": name, "parts": [], "none": null, "number": 1.5 }),
            next: Some(at(number as i64)),
        };
        let kept = put(&store, "owner", &new).await;
        let expected = Schedule {
            owner: "owner".into(),
            given: new,
            revision: kept.revision,
            created_at: at(0),
            paused: false,
            fired: Vec::new(),
        };
        assert_eq!(kept, expected);
        let found = store.schedule("owner", id).await.unwrap();
        assert_eq!(found, Some(expected));
    }
    let all = store.schedules("owner").await.unwrap();
    assert_eq!(all.len(), NAMES.len() + 1);
    assert!(all.is_sorted_by(|one, other| one.revision > other.revision));
    assert_eq!(store.schedule("owner", "none").await.unwrap(), None);
}

pub(super) async fn a_schedule_replaces_everything_of_the_one_before(store: Store) {
    let old = NewSchedule {
        body: json!("old"),
        ..schedule("s", Some(at(1)))
    };
    put(&store, "owner", &old).await;
    let due = store.due(at(1), 1).await.unwrap();
    let advanced = store.advance(&due[0], &fired(at(1)), Some(at(2))).await;
    assert!(advanced.unwrap());
    let paused = store.pause_schedule("owner", "s", true, None).await;
    assert!(paused.unwrap());
    let new = schedule("s", Some(at(5)));
    let again = store.put_schedule("owner", &new, 1, at(3)).await;
    let again = again.unwrap().unwrap();
    assert_eq!((&again.given, again.created_at), (&new, at(3)));
    assert!(!again.paused && again.fired.is_empty());
    assert_eq!(store.schedules("owner").await.unwrap(), [again]);
    assert_eq!(ids(&store, at(4)).await, [""; 0]);
    assert_eq!(ids(&store, at(5)).await, ["s"]);
}

pub(super) async fn a_revision_never_comes_again(store: Store) {
    let mut seen = HashSet::new();
    for round in 0..30 {
        let kept = put(&store, "owner", &schedule("s", None)).await;
        assert!(seen.insert(kept.revision), "round {round}");
        if round % 3 == 0 {
            assert!(store.remove_schedule("owner", "s").await.unwrap());
            assert!(!store.remove_schedule("owner", "s").await.unwrap());
            assert_eq!(store.schedules("owner").await.unwrap(), []);
        }
    }
    let last = put(&store, "owner", &schedule("s", None)).await;
    store
        .pause_schedule("owner", "s", true, None)
        .await
        .unwrap();
    store
        .pause_schedule("owner", "s", false, None)
        .await
        .unwrap();
    let found = store.schedule("owner", "s").await.unwrap();
    // The message of a slot has its id from the revision.
    assert_eq!(found.unwrap().revision, last.revision);
}

pub(super) async fn owners_have_so_many_schedules_and_do_not_share_them(store: Store) {
    let put = async |owner: &str, id: &str| {
        let new = schedule(id, Some(at(0)));
        let kept = store.put_schedule(owner, &new, 2, at(0));
        kept.await.unwrap().is_some()
    };
    for owner in NAMES {
        assert!(put(owner, "a").await && put(owner, "b").await);
        assert!(!put(owner, "c").await && put(owner, "b").await);
        assert_eq!(store.schedule(owner, "c").await.unwrap(), None);
    }
    assert!(store.remove_schedule("a", "a").await.unwrap());
    assert!(put("a", "c").await);
    for owner in NAMES {
        let all = store.schedules(owner).await.unwrap();
        assert!(all.len() == 2 && all.iter().all(|one| one.owner == owner));
        assert_eq!(all.iter().any(|one| one.given.id == "c"), owner == "a");
    }
    assert_eq!(store.due(at(0), 100).await.unwrap().len(), 2 * NAMES.len());
}

/// Makes a runner's round: returns the slots that it was the one to advance.
async fn run(store: &Store, now: Timestamp, next: Timestamp) -> Vec<(u64, Timestamp)> {
    let mut won = Vec::new();
    for due in store.due(now, 100).await.unwrap() {
        let advanced = store.advance(&due, &fired(due.at), Some(next)).await;
        if advanced.unwrap() {
            won.push((due.schedule.revision, due.at));
        }
    }
    won
}

pub(super) async fn a_slot_is_advanced_once_by_ten_processes(store: Store) {
    for number in 0..5 {
        put(
            &store,
            "owner",
            &schedule(&format!("s{number}"), Some(at(0))),
        )
        .await;
    }
    for minute in 0..10 {
        let (now, next) = (at(minute * 60_000), at((minute + 1) * 60_000));
        let won = join_all((0..10).map(|_| run(&store, now, next)))
            .await
            .concat();
        assert_eq!(won.len(), 5);
        assert_eq!(won.iter().collect::<HashSet<_>>().len(), 5);
        assert!(won.iter().all(|(_, slot)| *slot == now));
        assert_eq!(store.next_due().await.unwrap(), Some(next));
    }
}

pub(super) async fn slots_that_were_missed_are_one(store: Store) {
    put(&store, "owner", &schedule("s", Some(at(0)))).await;
    // Nobody has looked for an hour.
    let (now, next) = (at(3_600_001), at(3_660_000));
    let due = store.due(now, 10).await.unwrap();
    assert_eq!(due.iter().map(|due| due.at).collect::<Vec<_>>(), [at(0)]);
    assert_eq!(run(&store, now, next).await.len(), 1);
    assert_eq!(store.due(now, 10).await.unwrap(), []);
    // Who has found the same slot is late.
    let late = store.advance(&due[0], &fired(at(0)), Some(next)).await;
    assert!(!late.unwrap());
    assert_eq!(store.due(next, 10).await.unwrap()[0].at, next);
}

pub(super) async fn a_paused_schedule_is_not_due(store: Store) {
    let kept = put(&store, "owner", &schedule("s", Some(at(0)))).await;
    let pause = async |id: &str, paused: bool, next: i64| {
        let found = store.pause_schedule("owner", id, paused, Some(at(next)));
        found.await.unwrap()
    };
    let found = store.due(at(0), 1).await.unwrap();
    for _twice in 0..2 {
        assert!(pause("s", true, 99).await);
        let paused = store.schedule("owner", "s").await.unwrap().unwrap();
        assert!(paused.paused && paused.given.next == Some(at(0)));
    }
    assert_eq!(store.due(at(99), 1).await.unwrap(), []);
    assert_eq!(store.next_due().await.unwrap(), None);
    let advanced = store.advance(&found[0], &fired(at(0)), Some(at(1))).await;
    assert!(!advanced.unwrap());
    assert!(pause("s", false, 5).await);
    let resumed = store.schedule("owner", "s").await.unwrap().unwrap();
    assert_eq!((resumed.paused, resumed.given.next), (false, Some(at(5))));
    assert_eq!(resumed.revision, kept.revision);
    assert_eq!(store.next_due().await.unwrap(), Some(at(5)));
    // Resumed again it does not lose the slot that nobody has seen yet.
    assert!(pause("s", false, 500).await);
    assert_eq!(store.due(at(5), 1).await.unwrap()[0].at, at(5));
    assert!(!pause("none", true, 0).await && !pause("none", false, 0).await);
}

pub(super) async fn a_schedule_without_a_slot_is_never_due(store: Store) {
    put(&store, "owner", &schedule("never", None)).await;
    put(&store, "owner", &schedule("once", Some(at(0)))).await;
    let due = store.due(at(0), 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert!(store.advance(&due[0], &fired(at(0)), None).await.unwrap());
    assert_eq!(store.due(Timestamp::MAX, 10).await.unwrap(), []);
    assert_eq!(store.next_due().await.unwrap(), None);
    let once = store.schedule("owner", "once").await.unwrap().unwrap();
    assert_eq!((once.given.next, once.fired), (None, vec![fired(at(0))]));
}

pub(super) async fn what_was_replaced_or_deleted_is_not_advanced(store: Store) {
    let advance = async |due: &Due| {
        let advanced = store.advance(due, &fired(due.at), Some(at(60_000))).await;
        advanced.unwrap()
    };
    put(&store, "owner", &schedule("s", Some(at(0)))).await;
    let old = store.due(at(0), 1).await.unwrap().remove(0);
    // The same slot again, but another schedule.
    put(&store, "owner", &schedule("s", Some(at(0)))).await;
    assert!(!advance(&old).await);
    let new = store.due(at(0), 1).await.unwrap().remove(0);
    assert!(store.remove_schedule("owner", "s").await.unwrap());
    assert!(!advance(&new).await);
    assert_eq!(store.due(at(0), 1).await.unwrap(), []);
    assert_eq!(store.schedule("owner", "s").await.unwrap(), None);
}

pub(super) async fn the_last_ten_messages_are_known(store: Store) {
    put(&store, "owner", &schedule("s", Some(at(0)))).await;
    for number in 0..13 {
        let due = store.due(at(number), 1).await.unwrap();
        let what = Fired {
            message: (number % 2 == 0).then(|| "msg_'\"\n".into()),
            at: at(number),
            error: Some(format!("\"{number}\"")),
        };
        assert!(
            store
                .advance(&due[0], &what, Some(at(number + 1)))
                .await
                .unwrap()
        );
    }
    let found = store.schedule("owner", "s").await.unwrap().unwrap();
    let times: Vec<_> = found.fired.iter().map(|fired| fired.at).collect();
    assert_eq!(times, (3..13).rev().map(at).collect::<Vec<_>>());
    assert_eq!(found.fired[0].message.as_deref(), Some("msg_'\"\n"));
    assert_eq!(found.fired[1].message, None);
    assert_eq!(found.fired[1].error.as_deref(), Some("\"11\""));
}

pub(super) async fn the_earliest_of_many_are_found(store: Store) {
    const MANY: i64 = 2_000;
    let store = &store;
    for hundred in 0..MANY / 100 {
        let putting = (0..100).map(async |number| {
            let number = hundred * 100 + number;
            let new = schedule(&number.to_string(), Some(at(MANY - number)));
            store
                .put_schedule(&format!("{}", number % 7), &new, 1_000, at(0))
                .await
                .unwrap()
        });
        join_all(putting).await;
    }
    assert_eq!(store.next_due().await.unwrap(), Some(at(1)));
    let due = store.due(at(MANY), 3).await.unwrap();
    let times: Vec<_> = due.iter().map(|due| due.at).collect();
    assert_eq!(times, [at(1), at(2), at(3)]);
    assert_eq!(store.due(at(0), 100).await.unwrap(), []);
}
