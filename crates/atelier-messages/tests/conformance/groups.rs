use atelier_messages::{Endpoint, EndpointKey, Group, MostGroups};
use futures::future::join_all;

use super::{NAMES, Store, at};

fn endpoint(name: Option<&str>, url: &str) -> Endpoint {
    Endpoint {
        name: name.map(Into::into),
        url: url.into(),
    }
}

const MANY: MostGroups = MostGroups {
    groups: 1_000,
    endpoints: 100,
};

async fn add(store: &Store, owner: &str, name: &str, endpoints: &[Endpoint]) -> Group {
    let added = store.add_endpoints(owner, name, endpoints, MANY, at(0));
    added.await.unwrap().unwrap()
}

pub(super) async fn a_group_is_kept_to_the_letter(store: Store) {
    let huge = "x".repeat(100_000);
    for name in NAMES.into_iter().chain([huge.as_str()]) {
        let endpoints = [
            endpoint(Some(name), &format!("https://example.com/{name}")),
            endpoint(None, "https://example.com/\"\\/?a=1&a=2"),
        ];
        let added = add(&store, "owner", name, &endpoints).await;
        assert_eq!(added.endpoints, endpoints);
        let headers = [("X-A".to_owned(), name.to_owned())];
        let later = at(1);
        let set = store.set_group_headers("owner", name, &headers, later);
        assert!(set.await.unwrap());
        let expected = Group {
            name: name.into(),
            created_at: at(0),
            updated_at: later,
            headers: headers.into(),
            endpoints: endpoints.into(),
        };
        let found = store.group("owner", name).await.unwrap();
        assert_eq!(found, Some(expected));
    }
    let all = store.groups("owner").await.unwrap();
    assert!(all.is_sorted_by_key(|group| group.name.clone()));
    assert_eq!(all.len(), NAMES.len() + 1);
    assert!(
        store
            .set_group_headers("owner", "a", &[], at(2))
            .await
            .unwrap()
    );
    let bare = store.group("owner", "a").await.unwrap().unwrap();
    assert_eq!(bare.headers, []);
    add(&store, "owner", "a", &[endpoint(None, "https://c.example")]).await;
    let missing = store.set_group_headers("owner", "none", &[], at(0)).await;
    assert!(!missing.unwrap());
    assert_eq!(store.group("owner", "none").await.unwrap(), None);
}

pub(super) async fn endpoints_replace_those_with_their_url_or_name(store: Store) {
    let [a, b, c] = ["https://a", "https://b", "https://c"];
    let first = [
        endpoint(Some("one"), a),
        endpoint(None, b),
        endpoint(None, c),
    ];
    add(&store, "owner", "g", &first).await;
    for (given, expected) in [
        // The same again.
        (
            &first[1],
            [first[0].clone(), first[1].clone(), first[2].clone()].to_vec(),
        ),
        // A name for a URL.
        (
            &endpoint(Some("two"), b),
            vec![first[0].clone(), endpoint(Some("two"), b), first[2].clone()],
        ),
        // Another URL for a name.
        (
            &endpoint(Some("two"), "https://d"),
            vec![
                first[0].clone(),
                endpoint(Some("two"), "https://d"),
                first[2].clone(),
            ],
        ),
        // The name of one and the URL of another: it replaces both.
        (
            &endpoint(Some("one"), "https://c"),
            vec![endpoint(Some("one"), c), endpoint(Some("two"), "https://d")],
        ),
        // One that has no name any more.
        (
            &endpoint(None, "https://d"),
            vec![endpoint(Some("one"), c), endpoint(None, "https://d")],
        ),
    ] {
        let group = add(&store, "owner", "g", std::slice::from_ref(given)).await;
        assert_eq!(group.endpoints, expected);
        assert_eq!(store.group("owner", "g").await.unwrap(), Some(group));
    }
}

pub(super) async fn a_group_goes_with_its_last_endpoint(store: Store) {
    let all = [
        endpoint(Some("one"), "https://a"),
        endpoint(Some("two"), "https://b"),
        endpoint(None, "https://c"),
    ];
    let remove = async |which: &[EndpointKey]| {
        let removed = store.remove_endpoints("owner", "g", which, at(9)).await;
        removed.unwrap()
    };
    let url = |url: &str| EndpointKey::Url(url.into());
    let name = |name: &str| EndpointKey::Name(name.into());
    assert!(!remove(&[url("https://a")]).await);
    add(&store, "owner", "g", &all).await;
    // A name is no URL, and the other way round.
    assert!(remove(&[name("https://a"), url("one"), name("none")]).await);
    assert!(remove(&[name("one"), url("https://c")]).await);
    let left = store.group("owner", "g").await.unwrap().unwrap();
    assert_eq!(
        (left.endpoints.as_slice(), left.updated_at),
        (&all[1..2], at(9))
    );
    assert!(remove(&[name("two"), url("https://b")]).await);
    assert_eq!(store.group("owner", "g").await.unwrap(), None);
    assert_eq!(store.groups("owner").await.unwrap(), []);
    assert!(!remove(&[name("two")]).await);
    add(&store, "owner", "g", &all).await;
    for removed in [true, false] {
        let done = store.remove_group("owner", "g").await.unwrap();
        assert_eq!(done, removed);
    }
    let nothing = add(&store, "owner", "g", &[]).await;
    assert_eq!(nothing.endpoints, []);
    assert_eq!(store.group("owner", "g").await.unwrap(), None);
}

pub(super) async fn a_group_has_so_many_endpoints_at_most(store: Store) {
    let some = |from: usize, count: usize| -> Vec<_> {
        let numbers = from..from + count;
        let urls = numbers.map(|number| endpoint(None, &format!("https://{number}")));
        urls.collect()
    };
    let add = async |endpoints: &[Endpoint]| {
        let most = MostGroups {
            endpoints: 3,
            ..MANY
        };
        let added = store
            .add_endpoints("owner", "g", endpoints, most, at(0))
            .await;
        added.unwrap().map(|group| group.endpoints.len())
    };
    assert_eq!(add(&some(0, 4)).await, None);
    assert_eq!(store.group("owner", "g").await.unwrap(), None);
    assert_eq!(add(&some(0, 3)).await, Some(3));
    assert_eq!(add(&some(0, 3)).await, Some(3));
    assert_eq!(add(&some(2, 2)).await, None);
    let kept = store.group("owner", "g").await.unwrap().unwrap();
    assert_eq!(kept.endpoints, some(0, 3));
}

pub(super) async fn an_owner_has_so_many_groups_at_most(store: Store) {
    let most = MostGroups { groups: 3, ..MANY };
    let endpoints = [endpoint(None, "https://example.com")];
    let add = async |owner: &str, name: String, endpoints: &[Endpoint]| {
        let added = store.add_endpoints(owner, &name, endpoints, most, at(0));
        added.await.unwrap().is_some()
    };
    let adding = (0..20).map(|number| add("owner", format!("g{number}"), &endpoints));
    let added = join_all(adding).await;
    assert_eq!(added.iter().filter(|added| **added).count(), 3);
    let groups = store.groups("owner").await.unwrap();
    assert_eq!(groups.len(), 3);
    // Those that are there can be changed, and others have their own.
    assert!(add("owner", groups[0].name.clone(), &endpoints).await);
    assert!(add("owner", "none".into(), &[]).await);
    assert!(add("other", "g".into(), &endpoints).await);
}

pub(super) async fn fifty_at_once_add_fifty_endpoints(store: Store) {
    let store = &store;
    let adding = (0..50).map(async |number| {
        let one = [endpoint(None, &format!("https://{number}"))];
        add(store, "owner", "g", &one).await
    });
    join_all(adding).await;
    let group = store.group("owner", "g").await.unwrap().unwrap();
    assert_eq!(group.endpoints.len(), 50);
}

pub(super) async fn owners_do_not_share_groups(store: Store) {
    for owner in NAMES {
        for name in NAMES {
            let own = [endpoint(None, &format!("https://{owner}/{name}"))];
            add(&store, owner, name, &own).await;
        }
    }
    store.remove_group("a", "a").await.unwrap();
    for owner in NAMES {
        let groups = store.groups(owner).await.unwrap();
        let expected = NAMES.len() - usize::from(owner == "a");
        assert_eq!(groups.len(), expected);
        for group in groups {
            let url = format!("https://{owner}/{}", group.name);
            assert_eq!(group.endpoints, [endpoint(None, &url)]);
        }
    }
}
