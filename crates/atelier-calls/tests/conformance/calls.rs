use std::{sync::Arc, time::Duration};

use atelier_calls::{
    Batch, Body, Contents, ContentsRecorder, Counts, Dimension, Failure, Hourly, Line, MOST_BODY,
    MOST_CONTENTS, MOST_LINES, MOST_RECENT, Query, Record, Recorder, Source, summarize,
};
use jiff::{SignedDuration, Timestamp};

use super::{Store, at};

/// An hour by the clock of the tests.
const HOUR: i64 = 3_600_000;

const KEEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn call(id: &str, minutes: i64, model: &str) -> Record {
    Record {
        key: Some("key_1".into()),
        model: Some(model.into()),
        routed: Some(model.into()),
        upstream: Some("openai".into()),
        status: 200,
        input_tokens: 10,
        cached_tokens: 4,
        output_tokens: 5,
        usd: 0.001,
        duration_ms: 60.0,
        ..Record::new(id.to_owned(), "chat/completions", at(minutes))
    }
}

fn hour() -> i64 {
    at(0).as_millisecond() / HOUR * HOUR
}

pub(super) async fn two_processes_count_together(store: Store) {
    let (one, other) = (Recorder::default(), Recorder::default());
    for recorder in [&one, &other] {
        recorder.note(call("a", 0, "small"));
        recorder.note(Record {
            status: 502,
            failure: Some(Failure::Upstream),
            error: Some("upstream_error".into()),
            first_byte_ms: Some(1.0),
            source: Source::Joined,
            stream: true,
            ..call("b", 1, "small")
        });
        recorder.write(&**store, at(1), KEEP).await.unwrap();
    }
    let lines = store.hour(hour()).await.unwrap();
    let [(line, counts)] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    let expected = ["key_1", "small", "openai"];
    assert_eq!([&line.key, &line.model, &line.upstream], expected);
    assert_eq!((counts.calls(), counts.tokens()), (4, [40, 16, 20]));
    assert_eq!(counts.failed(Failure::Upstream), 2);
    assert_eq!(counts.answered_from(Source::Joined), 2);
    assert_eq!(counts.first_bytes().quantile(1.0), Some(1.0));
    assert!((counts.usd() - 0.004).abs() < 1e-9);
    let recent = store.recent().await.unwrap();
    let ids: Vec<_> = recent.iter().map(|record| record.id.as_str()).collect();
    assert_eq!((ids.len(), ids[0], ids[3]), (4, "b", "a"), "{ids:?}");
    assert_eq!(recent[0].error.as_deref(), Some("upstream_error"));
}

pub(super) async fn a_batch_is_added_once(store: Store) {
    let mut counts = Counts::default();
    counts.note(&call("a", 0, "small"));
    let hourly = Hourly {
        hour: hour(),
        line: Line::of(&call("a", 0, "small")),
        counts,
    };
    for (number, calls) in [(1, 1), (1, 1), (2, 2), (1, 2)] {
        let batch = Arc::new(Batch {
            writer: "w".into(),
            number,
            lines: vec![hourly.clone()],
            recent: vec![call("a", 0, "small")],
        });
        store.add(&batch, at(0), KEEP).await.unwrap();
        let lines = store.hour(hour()).await.unwrap();
        assert_eq!(lines[0].1.calls(), calls, "batch {number}");
        assert_eq!(store.recent().await.unwrap().len() as u64, calls);
    }
}

pub(super) async fn the_last_thousand_are_listed(store: Store) {
    let recorder = Recorder::default();
    for number in 0..MOST_RECENT + 20 {
        recorder.note(call(&number.to_string(), 0, "small"));
        if number % 300 == 0 {
            recorder.write(&**store, at(0), KEEP).await.unwrap();
        }
    }
    recorder.write(&**store, at(0), KEEP).await.unwrap();
    let recent = store.recent().await.unwrap();
    assert_eq!(recent.len(), MOST_RECENT);
    assert!(recent.iter().all(|record| record.id != "19"));
    assert!(recent.iter().any(|record| record.id == "20"));
}

pub(super) async fn an_hour_has_a_bounded_number_of_lines(store: Store) {
    let recorder = Recorder::default();
    let all = MOST_LINES + 700;
    for number in 0..all {
        recorder.note(call("a", 0, &number.to_string()));
    }
    recorder.write(&**store, at(0), KEEP).await.unwrap();
    recorder.note(call("a", 0, "one more"));
    recorder.write(&**store, at(0), KEEP).await.unwrap();
    let lines = store.hour(hour()).await.unwrap();
    assert_eq!(lines.len(), MOST_LINES + 1);
    let other = lines.iter().find(|(line, _)| *line == Line::other());
    assert_eq!(other.unwrap().1.calls(), 701);
    let calls: u64 = lines.iter().map(|(_, counts)| counts.calls()).sum();
    assert_eq!(calls, all as u64 + 1);
}

pub(super) async fn old_hours_are_forgotten(store: Store) {
    let recorder = Recorder::default();
    let short = Duration::from_millis(1);
    recorder.note(call("a", 0, "small"));
    recorder.note(call("b", 60, "small"));
    recorder.write(&**store, at(61), short).await.unwrap();
    // Redis forgets by its own clock, SQLite when more is written.
    tokio::time::sleep(Duration::from_millis(20)).await;
    for minutes in [180, 181, 182] {
        recorder.note(call("c", minutes, "small"));
        recorder
            .write(&**store, at(300), KEEP.min(short))
            .await
            .unwrap();
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    for old in [hour(), hour() + HOUR] {
        assert!(store.hour(old).await.unwrap().is_empty());
    }
}

pub(super) async fn counters_are_added_up_by_what_is_asked(store: Store) {
    let recorder = Recorder::default();
    for (minutes, model) in [(0, "a"), (1, "b"), (61, "a"), (62, "a")] {
        recorder.note(call("x", minutes, model));
    }
    recorder.note(Record {
        key: None,
        ..call("y", 63, "a")
    });
    recorder.write(&**store, at(63), KEEP).await.unwrap();
    let ask = async |since: i64, by: &[Dimension], model: Option<&str>| {
        let query = Query {
            by: by.to_vec(),
            model: model.map(Into::into),
            ..Query::since(at(since))
        };
        summarize(&**store, &query, at(63)).await.unwrap()
    };
    let all = ask(0, &[Dimension::Model], None).await;
    let models = all.groups.iter();
    let models: Vec<_> = models
        .map(|group| (group.model.as_deref().unwrap(), group.figures.calls))
        .collect();
    assert_eq!(models, [("a", 4), ("b", 1)]);
    assert_eq!((all.total.calls, all.total.tokens.input), (5, 50));
    assert!(all.groups[0].hour.is_none() && all.groups[0].key.is_none());
    assert_eq!(all.total.duration_ms.p50, Some(75.0));
    let lately = ask(60, &[Dimension::Hour, Dimension::Key], Some("a")).await;
    let keys = lately.groups.iter();
    let keys: Vec<_> = keys
        .map(|group| (group.key.as_deref().unwrap(), group.figures.calls))
        .collect();
    assert_eq!(keys, [("", 1), ("key_1", 2)]);
    assert_eq!(lately.groups[0].hour, Some(at(60)));
    assert_eq!(ask(0, &[], Some("c")).await.groups, []);
}

fn contents(id: usize, minutes: i64) -> Contents {
    Contents {
        id: id.to_string(),
        at: at(minutes),
        request: Some(Body::new(b"{\"model\":\"small\"}")),
        answer: Some(Body::new(&[b'a'; 2 * MOST_BODY])),
    }
}

pub(super) async fn contents_are_kept_for_a_while(store: Store) {
    let hour = Duration::from_secs(60 * 60);
    let recorder = ContentsRecorder::default();
    for number in 0..3 {
        recorder.note(contents(number, 30 * i64::try_from(number).unwrap()));
    }
    recorder.write(&**store, at(60), hour).await.unwrap();
    assert_eq!(store.contents("1").await.unwrap(), Some(contents(1, 30)));
    assert!(store.contents("0").await.unwrap().is_some());
    // Once more, as after an uncertain end.
    store
        .keep(&[contents(1, 30)].into(), at(61), hour)
        .await
        .unwrap();
    assert_eq!(store.contents("0").await.unwrap(), None);
    assert_eq!(store.contents("1").await.unwrap(), Some(contents(1, 30)));
    store.forget(at(31)).await.unwrap();
    assert_eq!(store.contents("1").await.unwrap(), None);
    assert!(store.contents("2").await.unwrap().is_some());
    store.forget(Timestamp::MAX).await.unwrap();
    assert_eq!(store.contents("2").await.unwrap(), None);
    assert_eq!(store.contents("nothing").await.unwrap(), None);
}

pub(super) async fn contents_of_the_last_calls_are_kept(store: Store) {
    let recorder = ContentsRecorder::default();
    for round in 0..2 {
        for number in 0..MOST_CONTENTS {
            let mut one = contents(round * MOST_CONTENTS + number, 0);
            one.answer = None;
            let milliseconds = i64::try_from(round * MOST_CONTENTS + number).unwrap();
            one.at += SignedDuration::from_millis(milliseconds);
            recorder.note(one);
        }
        recorder.write(&**store, at(0), KEEP).await.unwrap();
    }
    for (id, kept) in [
        (0, false),
        (MOST_CONTENTS - 1, false),
        (MOST_CONTENTS, true),
        (2 * MOST_CONTENTS - 1, true),
    ] {
        let found = store.contents(&id.to_string()).await.unwrap();
        assert_eq!(found.is_some(), kept, "{id}");
    }
}
