//! The queue's gates that messages pass, and their names. Owners choose only the last part of
//! one.

use std::time::Duration;

use atelier_messages::Flow;
use atelier_queue::{GateRef, Hold, Rate, Terms};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

/// What must not stand in an owner's part of a name, so that no owner's name continues
/// another's.
const REST: &AsciiSet = &CONTROLS.add(b'%').add(b':');

/// The gate of a queue. Its messages pass in their order, one after the other if it admits
/// one at a time.
pub fn queue(owner: &str, name: &str) -> String {
    queues(owner) + name
}

/// What the names of the gates of an owner's queues begin with.
pub fn queues(owner: &str) -> String {
    of("queue", owner)
}

/// The gate of a flow control key.
pub fn flow(owner: &str, key: &str) -> String {
    flows(owner) + key
}

/// What the names of the gates of an owner's flow control keys begin with.
pub fn flows(owner: &str) -> String {
    of("flow", owner)
}

/// The gate of an owner's calls to the host of this URL.
pub fn host(owner: &str, url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}{host}:{port}", hosts(owner))
}

/// What the names of the gates of an owner's hosts begin with.
pub fn hosts(owner: &str) -> String {
    of("host", owner)
}

/// The gate of a queue, for a message: one at a time, unless somebody has set another number.
pub fn by_queue(owner: &str, name: &str) -> GateRef {
    GateRef {
        name: queue(owner, name),
        terms: Some(Terms {
            parallel: Some(1),
            rate: None,
        }),
        hold: Hold::End,
    }
}

/// How messages with a flow control key pass its gate.
pub fn by_flow(owner: &str, control: &Flow) -> GateRef {
    let limited = control.parallelism.is_some() || control.rate.is_some();
    GateRef {
        name: flow(owner, &control.key),
        terms: limited.then(|| Terms {
            parallel: control.parallelism,
            rate: control.rate.map(|count| rate(count, control.period)),
        }),
        hold: Hold::Attempt,
    }
}

/// How an owner's calls to the host of this URL pass its gate, so many at a time.
pub fn by_host(owner: &str, url: &Url, parallel: u32) -> GateRef {
    GateRef {
        name: host(owner, url),
        terms: Some(Terms {
            parallel: Some(parallel),
            rate: None,
        }),
        hold: Hold::Attempt,
    }
}

/// So many calls in a period of so many seconds.
pub const fn rate(count: u32, period: u64) -> Rate {
    Rate {
        count,
        period: Duration::from_secs(period),
    }
}

fn of(kind: &str, owner: &str) -> String {
    format!("{kind}:{}:", utf8_percent_encode(owner, REST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_owner_has_the_gates_of_another() {
        assert_eq!(flow("key_1", "a:b"), "flow:key_1:a:b");
        assert!(!flow("owner:a", "b:c").starts_with(&flows("owner")));
        assert!(!flow("owner:a:b", "c").starts_with(&flows("owner:a")));
        assert_ne!(queues("a:b"), queues("a%3Ab"));
    }

    #[test]
    fn a_host_is_the_same_however_it_is_written() {
        let gate = |url: &str| host("key_1", &Url::parse(url).unwrap());
        assert_eq!(
            gate("https://example.com/a"),
            gate("HTTPS://Example.com.:443")
        );
        assert_eq!(gate("http://example.com"), "host:key_1:example.com:80");
    }
}
