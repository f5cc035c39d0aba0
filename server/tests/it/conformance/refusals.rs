use std::{sync::Arc, time::Duration};

use atelier::{
    limit::{Policy, Receipt},
    policies::Refusals,
};

use super::{Stores, at};

/// The test's time begins on a full minute.
const MINUTE: i64 = 60_000;

pub(crate) fn policy(name: &str, algorithm: &str, rest: &str) -> Arc<Policy> {
    let text = format!(
        "name = '{name}'\nscope = 'ip'\nunit = 'requests'\nalgorithm = '{algorithm}'\n{rest}"
    );
    Arc::new(toml::from_str(&text).unwrap())
}

pub(super) async fn who_has_had_too_much_refused_is_held(stores: Stores) {
    let hour = Duration::from_hours(1);
    let refusals = Refusals::new(stores.limiter, 2, hour).unwrap();
    let both: Vec<_> = refusals.receipts(["key", "address"], at(0)).collect();
    let address = &both[1..];
    for held in [false, false, true, true] {
        assert_eq!(refusals.hold(&both, at(0)).await.unwrap(), held);
        assert_eq!(refusals.hold(address, at(0)).await.unwrap(), held);
        refusals.count(&both, at(0)).await.unwrap();
    }
    let paid = Receipt {
        cost: 1,
        ..both[0].clone()
    };
    assert!(
        !refusals.hold(&[paid], at(0)).await.unwrap(),
        "a receipt of something"
    );
    // Half of the two are back.
    assert!(refusals.hold(&both, at(30 * MINUTE - 1)).await.unwrap());
    assert!(!refusals.hold(&both, at(30 * MINUTE)).await.unwrap());
}
