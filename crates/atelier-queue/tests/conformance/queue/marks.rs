//! Favourites and folders.

use super::{
    Stores, add, at, call,
    collection::{about, found, made},
    complete, fail, record, success,
};
use crate::work::{DynCollection, Error, Folder, MOST_FOLDERS, Marking, Marks, PART, Search};

fn favourite(is: bool) -> Marking {
    Marking {
        favourite: Some(is),
        ..Marking::default()
    }
}

fn into_folder(name: &str) -> Marking {
    Marking {
        folder: Some(name.into()),
        ..Marking::default()
    }
}

fn in_folder(name: &str) -> Search {
    Search {
        folder: Some(name.into()),
        ..Search::default()
    }
}

fn favourites() -> Search {
    Search {
        favourites: true,
        ..Search::default()
    }
}

async fn mark(collection: &DynCollection, owner: &str, ids: &[&str], marking: &Marking) -> usize {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    collection.mark(owner, &ids, marking).await.unwrap()
}

async fn marks(collection: &DynCollection, owner: &str, id: &str) -> Marks {
    let marks = collection.marks(owner, &[id.to_owned()]).await.unwrap();
    marks.into_iter().next().unwrap()
}

async fn folders(collection: &DynCollection, owner: &str) -> Vec<(String, u64)> {
    let folders = collection.folders(owner).await.unwrap().into_iter();
    folders.map(|Folder { name, jobs }| (name, jobs)).collect()
}

pub(crate) async fn favourites_are_found(stores: Stores) {
    let collection = &*stores.collection;
    for (id, text) in [("1", "a boat"), ("2", "a fox"), ("3", "a boat")] {
        made(&stores, id, "ada", text).await;
    }
    assert!(found(collection, "ada", &favourites()).await.is_empty());
    for _twice in 0..2 {
        assert_eq!(
            mark(collection, "ada", &["1", "2"], &favourite(true)).await,
            2
        );
    }
    assert_eq!(found(collection, "ada", &favourites()).await, ["2", "1"]);
    let boats = Search {
        text: "boat".into(),
        ..favourites()
    };
    assert_eq!(found(collection, "ada", &boats).await, ["1"]);
    assert!(marks(collection, "ada", "1").await.favourite);
    assert_eq!(marks(collection, "ada", "3").await, Marks::default());
    assert_eq!(marks(collection, "ben", "1").await, Marks::default());
    for _twice in 0..2 {
        mark(collection, "ada", &["1"], &favourite(false)).await;
    }
    assert_eq!(found(collection, "ada", &favourites()).await, ["2"]);
    stores.queue.delete("2").await.unwrap();
    assert!(found(collection, "ada", &favourites()).await.is_empty());
    assert_eq!(marks(collection, "ada", "2").await, Marks::default());
}

pub(crate) async fn jobs_are_sorted_into_folders(stores: Stores) {
    let collection = &*stores.collection;
    for id in ["1", "2", "3"] {
        made(&stores, id, "ada", "a boat").await;
    }
    let strange = "Ferien \"'%_*\u{1f3d6} 2026";
    assert_eq!(
        mark(collection, "ada", &["1", "2"], &into_folder(strange)).await,
        2
    );
    mark(collection, "ada", &["2"], &favourite(true)).await;
    assert_eq!(
        found(collection, "ada", &in_folder(strange)).await,
        ["2", "1"]
    );
    assert!(
        found(collection, "ada", &in_folder("Ferien"))
            .await
            .is_empty()
    );
    assert!(
        found(collection, "ben", &in_folder(strange))
            .await
            .is_empty()
    );
    let both = Search {
        favourites: true,
        ..in_folder(strange)
    };
    assert_eq!(found(collection, "ada", &both).await, ["2"]);
    let expected = Marks {
        favourite: true,
        folder: Some(strange.into()),
    };
    assert_eq!(marks(collection, "ada", "2").await, expected);
    assert_eq!(folders(collection, "ada").await, [(strange.to_owned(), 2)]);
    mark(collection, "ada", &["2", "3"], &into_folder("B")).await;
    mark(collection, "ada", &["3"], &into_folder("B")).await;
    let expected = [("B".to_owned(), 2), (strange.to_owned(), 1)];
    assert_eq!(folders(collection, "ada").await, expected);
    assert!(folders(collection, "ben").await.is_empty());
    mark(collection, "ada", &["1"], &into_folder("")).await;
    stores.queue.delete("3").await.unwrap();
    assert_eq!(folders(collection, "ada").await, [("B".to_owned(), 1)]);
    assert!(marks(collection, "ada", "2").await.favourite);
    stores.queue.delete("2").await.unwrap();
    assert!(folders(collection, "ada").await.is_empty());
}

pub(crate) async fn only_an_owners_own_successes_are_marked(stores: Stores) {
    let (queue, collection) = (&stores.queue, &*stores.collection);
    let itself = format!("ada{PART}2");
    for (id, owner) in [("1", "ben"), ("2", &*itself)] {
        made(&stores, id, owner, "a boat").await;
    }
    add(queue, about("3", "ada", "a boat")).await;
    fail(queue, 0).await;
    add(queue, about("4", "ada", "a boat")).await;
    queue.cancel("4", at(0)).await.unwrap();
    let mut hidden = about("5", "ada", "a boat");
    hidden.request.provider = "hidden".into();
    hidden.answer = Some(success("1.png"));
    add(queue, hidden).await;
    add(queue, about("6", "ada", "a boat")).await;
    let all = ["1", "2", "3", "4", "5", "6", "7", "", "'\0"];
    for marking in [favourite(true), into_folder("A"), into_folder("")] {
        for owner in ["ada", &*itself, ""] {
            assert_eq!(
                mark(collection, owner, &all, &marking).await,
                0,
                "{marking:?}"
            );
        }
    }
    let running = call(queue, 0).await.ticket();
    record(queue, &running, success("6.png"), 0).await;
    complete(queue, &running, 0).await;
    assert_eq!(mark(collection, "ada", &all, &into_folder("A")).await, 1);
    assert_eq!(mark(collection, "ada", &[], &into_folder("B")).await, 0);
    assert_eq!(folders(collection, "ada").await, [("A".to_owned(), 1)]);
    assert!(folders(collection, "ben").await.is_empty());
    assert!(found(collection, "ben", &favourites()).await.is_empty());
}

pub(crate) async fn folders_are_bounded_in_number(stores: Stores) {
    let collection = &*stores.collection;
    for number in 0..=MOST_FOLDERS {
        made(&stores, &format!("{number:03}"), "ada", "a boat").await;
    }
    for number in 0..MOST_FOLDERS {
        let id = format!("{number:03}");
        mark(collection, "ada", &[&id], &into_folder(&id)).await;
    }
    let last = [format!("{MOST_FOLDERS:03}")];
    let refused = collection
        .mark("ada", &last, &into_folder("one more"))
        .await;
    assert!(matches!(refused, Err(Error::TooManyFolders)), "{refused:?}");
    assert_eq!(folders(collection, "ada").await.len(), MOST_FOLDERS);
    assert_eq!(
        mark(collection, "ada", &[&last[0]], &into_folder("007")).await,
        1
    );
    mark(collection, "ada", &["000"], &into_folder("")).await;
    assert_eq!(
        mark(collection, "ada", &[&last[0]], &into_folder("one more")).await,
        1
    );
}

pub(crate) async fn marks_made_at_once_add_up(stores: Stores) {
    let ids: Vec<String> = (0..20).map(|id| format!("{id:02}")).collect();
    for id in &ids {
        made(&stores, id, "ada", "a boat").await;
    }
    let marking = (0..20).map(|turn| {
        let (collection, ids) = (stores.collection.clone(), ids.clone());
        let marking = match turn % 4 {
            0 => favourite(true),
            1 => into_folder("A"),
            2 => into_folder("B"),
            _ => into_folder("A"),
        };
        tokio::spawn(async move { collection.mark("ada", &ids, &marking).await })
    });
    let marking: Vec<_> = marking.collect();
    let deleting = stores.queue.delete("05");
    deleting.await.unwrap();
    for marked in marking {
        assert!(marked.await.unwrap().unwrap() >= 19);
    }
    let folders = folders(&*stores.collection, "ada").await;
    let all: u64 = folders.iter().map(|(_, jobs)| jobs).sum();
    assert_eq!(all, 19, "{folders:?}");
    assert_eq!(
        found(&*stores.collection, "ada", &favourites()).await.len(),
        19
    );
}
