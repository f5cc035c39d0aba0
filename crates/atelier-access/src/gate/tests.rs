use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use tokio::{task::yield_now, time::timeout};

use super::*;
use crate::{Key, Terms};

/// One key and one denial, in a store that can be away.
#[derive(Default)]
struct One {
    key: Option<(String, Key)>,
    denial: Option<Denial>,
    away: AtomicBool,
    reads: AtomicU32,
    lookups: AtomicU32,
}

impl One {
    fn answer<T>(&self, value: T) -> Result<T, Error> {
        if self.away.load(Ordering::SeqCst) {
            return Err(atelier_store::Error::silent(RENEWAL).into());
        }
        Ok(value)
    }
}

#[async_trait]
impl AccessStore for One {
    async fn keys(&self) -> Result<Vec<(String, Key)>, Error> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.answer(Vec::new())
    }

    async fn find(&self, digest: &str) -> Result<Option<Key>, Error> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        yield_now().await;
        let known = self.key.as_ref().filter(|(known, _)| known == digest);
        self.answer(known.map(|(_, key)| key.clone()))
    }

    async fn put(&self, _: &str, _: &Key) -> Result<(), Error> {
        self.answer(())
    }

    async fn denials(&self) -> Result<Vec<Denial>, Error> {
        self.answer(self.denial.iter().cloned().collect())
    }

    async fn deny(&self, _: &Denial) -> Result<(), Error> {
        self.answer(())
    }

    async fn allow(&self, _: &Subject) -> Result<bool, Error> {
        self.answer(false)
    }

    async fn withhold(&self, _: &str, _: bool) -> Result<(), Error> {
        self.answer(())
    }

    async fn withheld(&self, _: &str) -> Result<bool, Error> {
        self.answer(false)
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

const NETWORK: &str = "203.0.113.7";

#[tokio::test]
async fn a_new_key_is_looked_up_once_however_many_come_with_it() {
    let (key, text) = Key::new(None, Terms::default(), at(0));
    let store = Arc::new(One {
        key: Some((digest(&text), key.clone())),
        ..One::default()
    });
    let gate = Gate::new(store.clone(), vec![]);
    let admit = || gate.admit(&text, NETWORK, at(0));
    let admitted = tokio::join!(admit(), admit(), admit(), admit());
    for holder in [admitted.0, admitted.1, admitted.2, admitted.3] {
        assert_eq!(holder.unwrap().id, key.id);
    }
    admit().await.unwrap();
    assert_eq!(store.lookups.load(Ordering::SeqCst), 1);
    // Nor does it count against those who guess.
    for _guess in 0..10 {
        let guess = gate.admit("atl_guess", NETWORK, at(0)).await;
        assert!(matches!(guess, Err(NotAdmitted::Unknown)));
    }
    let guess = gate.admit("atl_guess", NETWORK, at(0)).await;
    assert!(matches!(guess, Err(NotAdmitted::TooMany(_))));
}

#[tokio::test]
async fn a_key_that_cannot_be_looked_up_is_not_called_unknown() {
    let store = Arc::new(One::default());
    store.away.store(true, Ordering::SeqCst);
    let gate = Gate::new(store.clone(), vec![]);
    // However often it comes meanwhile, it does not count as a wrong one.
    for _again in 0..30 {
        let refused = gate.admit("atl_guess", NETWORK, at(0)).await;
        assert!(matches!(refused, Err(NotAdmitted::Away(error)) if error.is_away()));
    }
    store.away.store(false, Ordering::SeqCst);
    let guess = gate.admit("atl_guess", NETWORK, at(0)).await;
    assert!(matches!(guess, Err(NotAdmitted::Unknown)));
}

#[tokio::test]
async fn a_gate_is_renewed_again_and_again_also_after_its_store_was_away() {
    let store = Arc::new(One {
        denial: Some(Denial {
            subject: Subject::guess(NETWORK).unwrap(),
            until: None,
        }),
        ..One::default()
    });
    store.away.store(true, Ordering::SeqCst);
    let gate = Gate::new(store.clone(), vec![]);
    let denied = async || {
        let mut there = true;
        while !gate.denies(NETWORK.parse().unwrap(), "", at(0)) {
            // It is seen to have failed more than once before it is there.
            if store.reads.load(Ordering::SeqCst) > 2 && there {
                store.away.store(false, Ordering::SeqCst);
                there = false;
            }
            sleep(Duration::from_millis(1)).await;
        }
        assert!(!there);
    };
    tokio::select! {
        () = gate.renew_every(Duration::from_millis(1)) => unreachable!("it never ends"),
        found = timeout(Duration::from_secs(20), denied()) => found.unwrap(),
    }
    // The interval that everybody has.
    let first = timeout(Duration::from_millis(1), gate.keep_renewing()).await;
    first.unwrap_err();
}

#[test]
fn guesses_are_counted_for_so_many_networks_and_no_more() {
    let gate = Gate::new(Arc::new(One::default()), vec![]);
    let counted = || gate.wrong.lock().unwrap().len();
    for number in 0..MAX_ADDRESSES {
        let now = if number % 2 == 0 { 0 } else { 6 };
        gate.attempt(&number.to_string(), at(now)).unwrap();
    }
    assert_eq!(counted(), MAX_ADDRESSES);
    // What counts no longer makes room: one guess is forgiven after six seconds.
    gate.attempt("late", at(6)).unwrap();
    assert_eq!(counted(), MAX_ADDRESSES / 2 + 1);
    for number in 0..MAX_ADDRESSES {
        gate.attempt(&format!("more {number}"), at(6)).unwrap();
    }
    assert!(counted() <= MAX_ADDRESSES);
    for _guess in 0..9 {
        gate.attempt("late again", at(6)).unwrap();
    }
    gate.attempt("late again", at(6)).unwrap();
    assert_eq!(
        gate.attempt("late again", at(6)).unwrap_err(),
        Duration::from_secs(6)
    );
}

#[test]
fn what_is_denied_ends_on_time() {
    let until = |subject: &str| Denial {
        subject: Subject::guess(subject).unwrap(),
        until: Some(at(9)),
    };
    let mut copy = Copied::default();
    for subject in ["203.0.113.0/24", "2001:db8::/32", "badbot"] {
        copy.deny(until(subject));
    }
    for (second, denied) in [(8, true), (9, false), (10, false)] {
        let denies = |ip: &str| copy.denies_ip(ip.parse().unwrap(), at(second));
        assert_eq!(denies("203.0.113.200"), denied);
        assert_eq!(denies("2001:db8:1::1"), denied);
        assert!(!denies("203.0.112.200") && !denies("2001:db9::"));
        assert_eq!(copy.denies_program("A BadBot/1", at(second)), denied);
        assert!(!copy.denies_program("another", at(second)));
    }
}

#[tokio::test]
async fn another_holder_is_found_among_those_that_are_valid() {
    let terms = Terms {
        expires_at: Some(at(10)),
        ..Terms::default()
    };
    let (key, text) = Key::new(Some("Ada"), terms, at(0));
    let store = One {
        key: Some((digest(&text), key)),
        ..One::default()
    };
    let gate = Gate::new(Arc::new(store), Vec::new());
    gate.admit(&text, NETWORK, at(0)).await.unwrap();
    let is_ada = |holder: &Holder| holder.name == "Ada";
    assert!(gate.find(at(9), is_ada).is_some());
    assert!(gate.find(at(10), is_ada).is_none());
    assert!(gate.find(at(9), |holder| holder.name == "Ben").is_none());
}
