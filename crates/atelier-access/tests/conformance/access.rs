use std::{sync::Arc, time::Duration};

use atelier_access::{AccessStore, Denial, Gate, Key, NotAdmitted, Scope, Subject, Terms, digest};
use atelier_limit::{Algorithm, Policy, Unit, Window};

use super::{Store, at};

async fn add(store: &Arc<dyn AccessStore>, name: &str) -> (Key, String) {
    let (key, text) = Key::new(Some(name), Terms::default(), at(0));
    store.put(&digest(&text), &key).await.unwrap();
    (key, text)
}

fn denial(text: &str) -> Denial {
    Denial {
        subject: Subject::guess(text).unwrap(),
        until: None,
    }
}

pub(super) async fn a_key_is_kept_to_the_letter(store: Store) {
    let policy = |unit, quota, window: Window| {
        let (scope, fixed) = (atelier_limit::Scope::User, Algorithm::FixedWindow);
        Policy::new("own", scope, unit, fixed, quota, window).unwrap()
    };
    let minute = Duration::from_secs(60).into();
    let terms = Terms {
        scopes: [Scope::Gateway, Scope::Blocks].into(),
        models: vec!["gpt-*".parse().unwrap(), "small".parse().unwrap()],
        policies: vec![
            policy(Unit::Usd, 2.5, Window::Month),
            policy(Unit::Tokens, 10_000.0, minute),
        ],
        expires_at: Some(at(1)),
        tags: [("team".into(), "a b".into())].into(),
    };
    let (key, text) = Key::new(Some("Ada & \"Co\""), terms, at(0));
    store.put(&digest(&text), &key).await.unwrap();
    assert_eq!(store.find(&digest(&text)).await.unwrap(), Some(key.clone()));
    assert_eq!(store.find(&digest("atl_other")).await.unwrap(), None);
    assert_eq!(store.keys().await.unwrap(), [(digest(&text), key)]);
}

pub(super) async fn a_key_can_be_revoked(store: Store) {
    let (key, text) = add(&store, "a").await;
    add(&store, "b").await;
    let revoked = Key {
        revoked_at: Some(at(1)),
        ..key
    };
    store.put(&digest(&text), &revoked).await.unwrap();
    assert_eq!(store.find(&digest(&text)).await.unwrap(), Some(revoked));
    assert_eq!(store.keys().await.unwrap().len(), 2);
}

pub(super) async fn the_deny_list_has_each_subject_once(store: Store) {
    for text in ["203.0.113.0/24", "203.0.113.9/24", "BadBot"] {
        store.deny(&denial(text)).await.unwrap();
    }
    let ends = Denial {
        until: Some(at(9)),
        ..denial("badbot")
    };
    store.deny(&ends).await.unwrap();
    let mut denials = store.denials().await.unwrap();
    denials.sort_by_key(|denial| denial.subject.to_string());
    assert_eq!(denials, [denial("203.0.113.0/24"), ends]);
    let subject = Subject::guess("203.0.113.1/24").unwrap();
    assert!(store.allow(&subject).await.unwrap());
    assert!(!store.allow(&subject).await.unwrap());
    assert_eq!(store.denials().await.unwrap().len(), 1);
}

pub(super) async fn a_job_is_withheld_until_it_is_shared_again(store: Store) {
    let withheld = async |job: &str| store.withheld(job).await.unwrap();
    for _twice in 0..2 {
        store.withhold("a", true).await.unwrap();
    }
    assert!(withheld("a").await && !withheld("b").await);
    for _twice in 0..2 {
        store.withhold("a", false).await.unwrap();
    }
    assert!(!withheld("a").await);
}

pub(super) async fn a_gate_knows_a_new_key_at_once_and_a_revoked_one_after_its_renewal(
    store: Store,
) {
    let gate = Gate::new(Arc::clone(&store), vec![]);
    let (key, text) = add(&store, "a").await;
    let admitted = gate.admit(&text, "203.0.113.1", at(0)).await.unwrap();
    assert_eq!(admitted.id, key.id);
    gate.renew().await.unwrap();
    let revoked = Key {
        revoked_at: Some(at(1)),
        ..key
    };
    store.put(&digest(&text), &revoked).await.unwrap();
    gate.renew().await.unwrap();
    let refused = gate.admit(&text, "203.0.113.1", at(2)).await;
    assert!(matches!(refused, Err(NotAdmitted::Unknown)));
}

pub(super) async fn a_key_ends_when_it_expires(store: Store) {
    let gate = Gate::new(Arc::clone(&store), vec![]);
    let terms = Terms {
        expires_at: Some(at(1000)),
        ..Terms::default()
    };
    let (key, text) = Key::new(None, terms, at(0));
    store.put(&digest(&text), &key).await.unwrap();
    // Both when it is new to the gate and when it is known.
    for _twice in 0..2 {
        let admitted = gate.admit(&text, "203.0.113.1", at(999)).await.unwrap();
        assert_eq!((&admitted.id, &admitted.name), (&key.id, &key.name));
        let late = gate.admit(&text, "203.0.113.1", at(1000)).await;
        assert!(matches!(late, Err(NotAdmitted::Expired)));
        gate.renew().await.unwrap();
    }
}

pub(super) async fn wrong_keys_are_limited_and_right_ones_are_not(store: Store) {
    let gate = Gate::new(Arc::clone(&store), vec![]);
    let (_, known) = add(&store, "a").await;
    gate.renew().await.unwrap();
    let (_, new) = add(&store, "b").await;
    let attempt = async |text: &str, from: &str, now: i64| gate.admit(text, from, at(now)).await;
    for _ in 0..20 {
        attempt(&new, "203.0.113.1", 0).await.unwrap();
    }
    for number in 0..10 {
        let refused = attempt(&format!("atl_{number}"), "203.0.113.1", 0).await;
        assert!(matches!(refused, Err(NotAdmitted::Unknown)), "{number}");
    }
    let refused = attempt("atl_x", "203.0.113.1", 0).await;
    assert!(matches!(refused, Err(NotAdmitted::TooMany(wait)) if wait == Duration::from_secs(6)));
    attempt(&known, "203.0.113.1", 0).await.unwrap();
    let elsewhere = attempt("atl_x", "203.0.113.2", 0).await;
    assert!(matches!(elsewhere, Err(NotAdmitted::Unknown)));
    let later = attempt("atl_x", "203.0.113.1", 6_000).await;
    assert!(matches!(later, Err(NotAdmitted::Unknown)));
}

pub(super) async fn a_gate_denies_until_the_end(store: Store) {
    let configured = vec![Subject::guess("2001:db8::/32").unwrap()];
    let gate = Gate::new(Arc::clone(&store), configured);
    let (key, text) = add(&store, "a").await;
    for text in ["198.51.100.0/24", "curl/8", &key.id] {
        let denial = Denial {
            until: Some(at(1000)),
            ..denial(text)
        };
        store.deny(&denial).await.unwrap();
    }
    gate.renew().await.unwrap();
    let denies = |ip: &str, agent: &str, now: i64| gate.denies(ip.parse().unwrap(), agent, at(now));
    for ip in ["198.51.100.7", "::ffff:198.51.100.7", "2001:db8:5::1"] {
        assert!(denies(ip, "", 999), "{ip}");
    }
    assert!(denies("203.0.113.1", "CURL/8.1", 999));
    assert!(!denies("203.0.113.1", "Mozilla", 999));
    let refused = gate.admit(&text, "203.0.113.1", at(999)).await;
    assert!(matches!(refused, Err(NotAdmitted::Denied)));
    assert!(!denies("198.51.100.7", "curl/8", 1000));
    assert!(denies("2001:db8::", "", 1000));
    gate.admit(&text, "203.0.113.1", at(1000)).await.unwrap();
}
