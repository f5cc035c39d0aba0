use atelier_messages::{Entry, Event, EventId, Events, Flow, Message, State};
use futures::future::join_all;

use super::{NAMES, Store, at};

fn event(time: i64, message: &str) -> Event {
    Event {
        time: at(time).as_millisecond(),
        message: message.into(),
        state: State::Active,
        about: Box::default(),
        next: None,
        status: None,
        headers: Vec::new(),
        body: None,
        error: None,
    }
}

fn entry(owner: &str, time: i64, number: u64) -> Entry {
    let event = event(time, &number.to_string());
    Entry {
        owner: owner.into(),
        id: EventId::new(&event, number, "writer"),
        event,
    }
}

/// The messages of an owner's events, newest first.
async fn messages(store: &Store, owner: &str) -> Vec<String> {
    let events = store.events(owner, None, 100_000).await.unwrap();
    assert!(events.is_sorted_by(|(one, _), (other, _)| one > other));
    let events = events.into_iter();
    events.map(|(_, event)| event.message).collect()
}

fn numbers(numbers: impl Iterator<Item = u64>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

pub(super) async fn events_are_kept_to_the_letter(store: Store) {
    let huge = "x".repeat(1_000_000);
    for text in NAMES.into_iter().chain([huge.as_str()]) {
        let whole = Event {
            state: State::CancelRequested,
            about: Box::new(Message {
                url: text.into(),
                labels: vec![text.into()],
                flow: Some(Flow::default()),
                ..Message::default()
            }),
            next: Some(i64::MAX),
            status: Some(599),
            headers: vec![(text.into(), text.into())],
            body: Some(text.into()),
            error: Some(text.into()),
            ..event(0, text)
        };
        let owner = if text.len() > 100 { "huge" } else { text };
        let events = Events::default();
        events.note(owner, whole.clone());
        events.note(owner, event(1, "later"));
        events.flush(&**store, 10).await.unwrap();
        let found = store.events(owner, None, 10).await.unwrap().into_iter();
        let found: Vec<_> = found.map(|(_, event)| event).collect();
        assert_eq!(found, [event(1, "later"), whole]);
    }
}

pub(super) async fn events_are_listed_newest_first_in_pages(store: Store) {
    let mut all: Vec<_> = (0..25)
        .map(|number| entry("a", number as i64 / 3, number))
        .collect();
    all.extend((0..5).map(|number| entry("b", 0, number)));
    // They come in any order.
    let (some, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|entry| entry.event.message.len() > 1);
    for part in [some, others] {
        store.append(&part, 100).await.unwrap();
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = store.events("a", before.as_ref(), 10).await.unwrap();
        let Some((last, _)) = page.last() else {
            break;
        };
        before = Some(last.clone());
        seen.extend(page.into_iter().map(|(_, event)| event.message));
    }
    assert_eq!(seen, numbers((0..25).rev()));
    assert_eq!(messages(&store, "b").await, numbers((0..5).rev()));
    assert_eq!(messages(&store, "c").await, [""; 0]);
    assert_eq!(store.events("a", None, 0).await.unwrap(), []);
}

pub(super) async fn a_cursor_stays_while_events_come(store: Store) {
    let append = async |numbers: std::ops::Range<u64>| {
        let entries: Vec<_> = numbers.map(|number| entry("a", 0, number)).collect();
        store.append(&entries, 12).await.unwrap();
    };
    append(0..10).await;
    let page = store.events("a", None, 3).await.unwrap();
    let cursor = &page[2].0;
    append(10..15).await;
    let rest = store.events("a", Some(cursor), 100).await.unwrap();
    let rest: Vec<_> = rest.into_iter().map(|(_, event)| event.message).collect();
    // The oldest have gone, as there are too many.
    assert_eq!(rest, numbers((3..7).rev()));
}

pub(super) async fn events_of_a_millisecond_keep_their_order(store: Store) {
    let events = Events::default();
    for number in 0..1_200 {
        events.note("a", event(0, &number.to_string()));
        if number % 500 == 0 {
            events.flush(&**store, 10_000).await.unwrap();
        }
    }
    // Noted late, by whoever published it.
    let created = Event {
        state: State::Created,
        ..event(0, "created")
    };
    events.note("a", created);
    events.flush(&**store, 10_000).await.unwrap();
    let mut expected = numbers((0..1_200).rev());
    expected.push("created".into());
    assert_eq!(messages(&store, "a").await, expected);
}

pub(super) async fn each_owner_keeps_the_last(store: Store) {
    for ten in 0..10 {
        let numbers = ten * 10..(ten + 1) * 10;
        let entries = numbers.flat_map(|number| [entry("a", 0, number), entry("b", 1, number)]);
        let entries: Vec<_> = entries.collect();
        store.append(&entries, 15).await.unwrap();
    }
    store.append(&[entry("c", 0, 1)], 15).await.unwrap();
    for owner in ["a", "b"] {
        assert_eq!(messages(&store, owner).await, numbers((85..100).rev()));
    }
    assert_eq!(messages(&store, "c").await, ["1"]);
    // Fewer from now on. What is older than all that are kept does not come in.
    let old = entry("a", -1, 100);
    store.append(&[old], 5).await.unwrap();
    assert_eq!(messages(&store, "a").await, numbers((95..100).rev()));
    store.append(&[], 5).await.unwrap();
    assert_eq!(messages(&store, "b").await.len(), 15);
}

pub(super) async fn adding_again_changes_nothing(store: Store) {
    let entries: Vec<_> = (0..10).map(|number| entry("a", 0, number)).collect();
    for _ in 0..3 {
        store.append(&entries, 10).await.unwrap();
    }
    assert_eq!(messages(&store, "a").await, numbers((0..10).rev()));
    store.append(&[entry("a", 0, 10)], 10).await.unwrap();
    assert_eq!(messages(&store, "a").await, numbers((1..11).rev()));
}

pub(super) async fn old_events_are_swept(store: Store) {
    for owner in NAMES {
        let entries: Vec<_> = (0..10)
            .map(|number| entry(owner, number as i64, number))
            .collect();
        store.append(&entries, 10).await.unwrap();
    }
    let many: Vec<_> = (0..2_500).map(|number| entry("many", 0, number)).collect();
    store.append(&many, 10_000).await.unwrap();
    store
        .append(&[entry("many", 5, 9_999)], 10_000)
        .await
        .unwrap();
    store.sweep(at(0), at(5)).await.unwrap();
    for owner in NAMES {
        assert_eq!(messages(&store, owner).await, numbers((5..10).rev()));
    }
    assert_eq!(messages(&store, "many").await, ["9999"]);
    // The count is right afterwards.
    let entries: Vec<_> = (10..16).map(|number| entry("a", 20, number)).collect();
    store.append(&entries, 10).await.unwrap();
    assert_eq!(messages(&store, "a").await, numbers((6..16).rev()));
    for _twice in 0..2 {
        store.sweep(at(0), at(1_000)).await.unwrap();
        assert_eq!(messages(&store, "a").await, [""; 0]);
    }
    store.append(&[entry("a", 0, 1)], 1).await.unwrap();
    assert_eq!(messages(&store, "a").await, ["1"]);
}

pub(super) async fn ten_recorders_lose_nothing(store: Store) {
    let store = &store;
    let recording = (0..10).map(async |process| {
        let events = Events::default();
        for number in 0..100 {
            let owner = format!("{}", number % 4);
            events.note(&owner, event(number, &format!("{process} {number}")));
            if number % 9 == 0 {
                events.flush(&***store, 10_000).await.unwrap();
            }
        }
        events.flush(&***store, 10_000).await.unwrap();
    });
    join_all(recording).await;
    let mut total = 0;
    for owner in ["0", "1", "2", "3"] {
        let all = store.events(owner, None, 10_000).await.unwrap();
        let times: Vec<_> = all.iter().map(|(_, event)| event.time).collect();
        assert!(times.is_sorted_by(|one, other| one >= other));
        total += all.len();
    }
    assert_eq!(total, 1_000);
}

pub(super) async fn any_cursor_is_answered(store: Store) {
    store.append(&[entry("a", 0, 1)], 10).await.unwrap();
    let huge = "9".repeat(1_000_000);
    for cursor in NAMES
        .into_iter()
        .chain([huge.as_str(), "0", "(", "+", "-", "~"])
    {
        let cursor = EventId(cursor.into());
        let found = store.events("a", Some(&cursor), 10).await.unwrap();
        assert_eq!(
            found.len(),
            usize::from(
                found.iter().all(|(id, _)| *id < cursor) && cursor.0 > entry("a", 0, 1).id.0
            )
        );
    }
}
