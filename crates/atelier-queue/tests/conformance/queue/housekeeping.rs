//! What is to be discarded is known until it is gone; and what keeps owners apart.

use crate::work::Priority;
use atelier_api::{Cache, Status};

use super::{
    Stores, add, at, call, complete, fail, get, joining, new, record, restoring, success, work,
};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) async fn what_loses_its_last_reference_is_to_be_discarded(stores: Stores) {
    let (queue, files) = (stores.queue, stores.files);
    let free = async |keys: &[&str]| files.unreferenced(&names(keys)).await.unwrap();
    assert_eq!(free(&["a.photo", "b"]).await, ["a.photo", "b"]);
    assert!(free(&[]).await.is_empty());
    add(&queue, restoring("a", "same", "a.photo")).await;
    add(&queue, restoring("b", "same", "b.photo")).await;
    work(&queue, success("a.png"), 0).await;
    assert!(free(&["a.photo", "b.photo", "a.png"]).await.is_empty());
    queue.delete("a").await.unwrap();
    assert_eq!(free(&["a.photo", "b.photo", "a.png"]).await, ["a.photo"]);
    assert_eq!(files.discards(9).await.unwrap(), ["a.photo"]);
    assert!(files.is_discarded("a.photo").await.unwrap());
    assert!(!files.is_discarded("a.png").await.unwrap());
    queue.delete("b").await.unwrap();
    let mut noted = files.discards(9).await.unwrap();
    noted.sort();
    assert_eq!(noted, ["a.photo", "a.png", "b.photo"]);

    // A leader that its owner deleted, forgotten when its call has ended.
    add(&queue, restoring("c", "other", "c.photo")).await;
    add(&queue, restoring("d", "other", "d.photo")).await;
    let ticket = call(&queue, 1).await.ticket();
    queue.cancel("c", at(1)).await.unwrap();
    queue.delete("c").await.unwrap();
    assert!(!files.is_discarded("c.photo").await.unwrap());
    record(&queue, &ticket, success("c.png"), 2).await;
    complete(&queue, &ticket, 3).await;
    assert!(files.is_discarded("c.photo").await.unwrap());
    assert!(!files.is_discarded("c.png").await.unwrap());
}

pub(crate) async fn notes_of_discards_are_cleared(stores: Stores) {
    let files = stores.files;
    for _ in 0..2 {
        files.note_discards(&names(&["a", "b", "c"])).await.unwrap();
    }
    files.note_discards(&[]).await.unwrap();
    assert_eq!(files.discards(2).await.unwrap().len(), 2);
    files.discarded(&names(&["a", "c", "x"])).await.unwrap();
    files.discarded(&[]).await.unwrap();
    assert_eq!(files.discards(9).await.unwrap(), ["b"]);
    assert!(!files.is_discarded("a").await.unwrap());
}

pub(crate) async fn a_mark_moves_on_and_never_back(stores: Stores) {
    let files = stores.files;
    assert_eq!(files.mark("photos").await.unwrap().as_millisecond(), 0);
    for (until, expected) in [(5, 5), (9, 9), (7, 9)] {
        files.advance("photos", at(until)).await.unwrap();
        assert_eq!(files.mark("photos").await.unwrap(), at(expected));
    }
}

pub(crate) async fn a_secluded_job_is_joined_by_nobody(stores: Stores) {
    let queue = stores.queue;
    assert!(queue.seclude("nobody").await.unwrap().is_empty());
    add(&queue, joining("a", "same")).await;
    for id in ["b", "left"] {
        assert_eq!(add(&queue, joining(id, "same")).await.cache, Cache::Joined);
    }
    assert!(queue.seclude("b").await.unwrap().is_empty());
    queue.cancel("left", at(0)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(queue.seclude("a").await.unwrap(), ["b"]);
    }
    assert_eq!(add(&queue, joining("c", "same")).await.cache, Cache::Miss);
    let ticket = call(&queue, 1).await.ticket();
    record(&queue, &ticket, success("a.png"), 1).await;
    let jobs = complete(&queue, &ticket, 2).await;
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(queue.seclude("a").await.unwrap().is_empty());

    // Nor is it given to whoever asks right after its end.
    work(&queue, success("c.png"), 3).await;
    assert_eq!(
        add(&queue, joining("d", "same")).await.status,
        Status::Succeeded
    );
    queue.seclude("c").await.unwrap();
    let alone = add(&queue, joining("e", "same")).await;
    assert_eq!((alone.status, alone.cache), (Status::Queued, Cache::Miss));
    assert!(queue.delete("a").await.unwrap().is_empty());
    assert_eq!(queue.delete("b").await.unwrap(), ["a.png"]);
}

pub(crate) async fn a_follower_that_was_secluded_is_alone_when_it_is_tried_again(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c"] {
        add(&queue, joining(id, "same")).await;
    }
    for id in ["b", "c"] {
        queue.seclude(id).await.unwrap();
    }
    fail(&queue, 1).await;
    for id in ["a", "b", "c"] {
        assert_eq!(get(&queue, id).await.status, Status::Failed, "{id}");
    }
    let alone = queue.retry("b", Priority::Normal, at(2)).await.unwrap();
    assert_eq!((alone.status, alone.cache), (Status::Queued, Cache::Miss));
    // It leads nobody, and follows nobody.
    assert_eq!(add(&queue, joining("d", "same")).await.cache, Cache::Miss);
    assert_eq!(add(&queue, joining("e", "same")).await.cache, Cache::Joined);
    let alone = queue.retry("c", Priority::Normal, at(2)).await.unwrap();
    assert_eq!((alone.status, alone.cache), (Status::Queued, Cache::Miss));
}

pub(crate) async fn owners_that_differ_in_a_part_share_a_turn(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c"] {
        add(&queue, new(id, &format!("crowd#{id}"))).await;
    }
    add(&queue, new("d", "other")).await;
    let mut order = Vec::new();
    for now in 0..4 {
        order.push(call(&queue, now).await.id);
    }
    assert_eq!(order, ["a", "d", "b", "c"]);
}
