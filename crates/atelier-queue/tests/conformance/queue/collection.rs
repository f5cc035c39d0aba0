//! What owners find among their jobs.

use std::collections::HashSet;

use atelier_queue::words;

use super::{Stores, add, at, call, complete, fail, new, record, success, work};
use crate::work::{DynCollection, NewJob, PART, Search};

fn text(text: &str) -> Search {
    Search {
        text: text.into(),
        ..Search::default()
    }
}

/// A job of this text.
pub(super) fn about(id: &str, owner: &str, text: &str) -> NewJob {
    let mut job = new(id, owner);
    job.request.text = text.into();
    job
}

/// Adds a job and brings it to a good end.
pub(super) async fn made(stores: &Stores, id: &str, owner: &str, text: &str) {
    add(&stores.queue, about(id, owner, text)).await;
    work(&stores.queue, success(&format!("{id}.png")), 0).await;
}

pub(super) async fn found(collection: &DynCollection, owner: &str, search: &Search) -> Vec<String> {
    let jobs = collection.search(owner, search, None, 100).await.unwrap();
    jobs.into_iter().map(|job| job.id).collect()
}

pub(crate) async fn jobs_are_found_by_the_beginnings_of_their_words(stores: Stores) {
    made(&stores, "1", "ada", "A fox in the SNOW, under tall pines").await;
    made(&stores, "2", "ada", "Ein Café an der Straße").await;
    made(&stores, "3", "ada", "雪の中の狐").await;
    made(&stores, "4", "ada", "").await;
    for (words, ids) in [
        ("snow", &["1"][..]),
        ("SNO fo", &["1"]),
        ("pine  fox", &["1"]),
        ("now", &[]),
        ("fox boat", &[]),
        ("cafe", &["2"]),
        ("CAFÉ strasse", &["2"]),
        ("狐", &["3"]),
        ("a", &["2", "1"]),
        ("", &["4", "3", "2", "1"]),
        ("…", &["4", "3", "2", "1"]),
    ] {
        assert_eq!(
            found(&*stores.collection, "ada", &text(words)).await,
            ids,
            "{words:?}"
        );
    }
}

pub(crate) async fn only_an_owners_own_successes_are_found(stores: Stores) {
    let (queue, collection) = (&stores.queue, &*stores.collection);
    let itself = format!("ada{PART}5");
    for (id, owner) in [("1", "ada"), ("2", "ben"), ("5", &*itself)] {
        made(&stores, id, owner, "a boat").await;
    }
    add(queue, about("6", "ada", "a boat")).await;
    fail(queue, 0).await;
    add(queue, about("7", "ada", "a boat")).await;
    queue.cancel("7", at(0)).await.unwrap();
    let mut hidden = about("8", "ada", "a boat");
    hidden.request.provider = "hidden".into();
    hidden.answer = Some(success("1.png"));
    add(queue, hidden).await;
    add(queue, about("9", "ada", "a boat")).await;
    for search in [text("boat"), text("")] {
        assert_eq!(found(collection, "ada", &search).await, ["1"]);
        assert_eq!(found(collection, "ben", &search).await, ["2"]);
        for nobody in ["", "ad", "ada ben", "o616461", &itself] {
            assert!(
                found(collection, nobody, &search).await.is_empty(),
                "{nobody}"
            );
        }
    }
    let running = call(queue, 0).await.ticket();
    record(queue, &running, success("9.png"), 0).await;
    assert_eq!(
        found(collection, "ada", &text("boat")).await,
        ["1"],
        "not delivered yet"
    );
    complete(queue, &running, 0).await;
    assert_eq!(found(collection, "ada", &text("boat")).await, ["9", "1"]);
    for kind in ["test", "other"] {
        let search = Search {
            kind: Some(kind.into()),
            ..text("boat")
        };
        let all = ["9", "1"];
        let expected = if kind == "test" { &all[..] } else { &[] };
        assert_eq!(found(collection, "ada", &search).await, expected);
    }
}

pub(crate) async fn what_is_found_comes_in_pages(stores: Stores) {
    for number in 0..30 {
        let words = if number % 3 == 0 { "a boat" } else { "a fox" };
        made(&stores, &format!("{number:02}"), "ada", words).await;
    }
    let (boats, mut before, mut all) = (text("boat"), None, Vec::new());
    loop {
        let page = stores
            .collection
            .search("ada", &boats, before.as_deref(), 3);
        let page: Vec<_> = page.await.unwrap().into_iter().map(|job| job.id).collect();
        assert!(page.len() <= 3);
        before = page.last().cloned();
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    let expected: Vec<_> = (0..10)
        .rev()
        .map(|number| format!("{:02}", 3 * number))
        .collect();
    assert_eq!(all, expected);
    for (before, expected) in [
        ("", &[][..]),
        ("09", &["06", "03", "00"]),
        ("~", &["27", "24", "21", "18"]),
    ] {
        let page = stores.collection.search("ada", &boats, Some(before), 4);
        let page: Vec<_> = page.await.unwrap().into_iter().map(|job| job.id).collect();
        assert_eq!(page, expected, "{before:?}");
    }
}

pub(crate) async fn what_is_searched_for_does_no_harm(stores: Stores) {
    made(
        &stores,
        "1",
        "ada",
        "NEAR \"quotes\" AND (brackets) OR a*b\0c %s\n^d",
    )
    .await;
    made(&stores, "2", "o'hara \"x\" AND owner", "plain").await;
    for (words, is_found) in [
        ("\"", true),
        ("\"quotes\"*", true),
        ("AND", true),
        ("NOT", false),
        ("owner:x", false),
        ("a*b\0c", true),
        ("%s ^d", true),
        ("') OR 1=1 --", false),
        ("words : quotes", false),
    ] {
        let ids = found(&*stores.collection, "ada", &text(words)).await;
        assert_eq!(ids == ["1"], is_found, "{words:?}: {ids:?}");
    }
    let ids = found(
        &*stores.collection,
        "o'hara \"x\" AND owner",
        &text("plain"),
    )
    .await;
    assert_eq!(ids, ["2"]);
    let long = "x".repeat(10_000);
    made(&stores, "3", "ada", &long).await;
    for words in [&long, &long[..50], "xxx"] {
        assert_eq!(found(&*stores.collection, "ada", &text(words)).await, ["3"]);
    }
    let many: Vec<String> = (0..150).map(|number| format!("w{number}")).collect();
    made(&stores, "4", "ada", &many.join(" ")).await;
    assert_eq!(
        found(&*stores.collection, "ada", &text(&many.join(" "))).await,
        ["4"]
    );
    assert!(
        found(
            &*stores.collection,
            "ada",
            &text(&format!("{} q", many.join(" ")))
        )
        .await
        .is_empty()
    );
}

pub(crate) async fn every_store_finds_what_the_words_say(stores: Stores) {
    const WORDS: [&str; 12] = [
        "boat", "boats", "Böe", "bo", "fox", "Fuchs", "straße", "strasse", "snow", "schnee", "雪",
        "o",
    ];
    let mut number = 7_u64;
    let mut next = |below: usize| {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        WORDS[(number >> 33) as usize % below]
    };
    let mut texts = Vec::new();
    for id in 0..60 {
        let words = [next(12), next(12), next(6)].join(" ");
        made(&stores, &format!("{id:02}"), "ada", &words).await;
        texts.push(words);
    }
    for id in [3, 17, 59] {
        stores.queue.delete(&format!("{id:02}")).await.unwrap();
    }
    for _ in 0..60 {
        let wanted = [next(12), next(4)].join(" ");
        let begins = |text: &str| {
            let of_text = words(text);
            let has = |word: &String| of_text.iter().any(|other| other.starts_with(word));
            words(&wanted).iter().all(has)
        };
        let there = |id: &usize| ![3, 17, 59].contains(id) && begins(&texts[*id]);
        let expected: Vec<_> = (0..60)
            .rev()
            .filter(there)
            .map(|id| format!("{id:02}"))
            .collect();
        assert_eq!(
            found(&*stores.collection, "ada", &text(&wanted)).await,
            expected,
            "{wanted}"
        );
    }
}

pub(crate) async fn what_is_deleted_meanwhile_is_not_found(stores: Stores) {
    for id in 0..40 {
        made(&stores, &format!("{id:02}"), "ada", "a boat").await;
    }
    let deleting = (0..40).filter(|id| id % 2 == 0).map(|id| {
        let queue = stores.queue.clone();
        tokio::spawn(async move { queue.delete(&format!("{id:02}")).await.map(drop) })
    });
    let deleting: Vec<_> = deleting.collect();
    let searching = (0..20).map(|_| {
        let collection = stores.collection.clone();
        tokio::spawn(async move { found(&*collection, "ada", &text("boat")).await })
    });
    let searching: Vec<_> = searching.collect();
    for done in deleting {
        done.await.unwrap().unwrap();
    }
    for ids in searching {
        let ids = ids.await.unwrap();
        let odd = ids.iter().filter(|id| id.parse::<u32>().unwrap() % 2 == 1);
        assert_eq!(odd.count(), 20);
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    }
    assert_eq!(
        found(&*stores.collection, "ada", &text("boat")).await.len(),
        20
    );
}
