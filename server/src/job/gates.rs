//! The names of the queue's gates that messages pass. Owners choose only the last part of one.

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
