//! The operations' texts: a shared part, then what is the operation's own.

use std::sync::LazyLock;

use crate::store::redis::Script;

macro_rules! script {
    ($name:ident: $($part:literal),+) => {
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("lua/prelude.lua"), $(include_str!(concat!("lua/", $part, ".lua"))),+))
        });
    };
}

script!(ENQUEUE: "flight", "enqueue");
script!(GET: "get");
script!(NEWEST: "newest");
script!(CLAIM: "claim");
script!(EXTEND: "extend");
script!(SETTLE: "settle");
script!(COMPLETE: "complete");
script!(THROTTLE: "throttle");
script!(CANCEL: "cancel");
script!(DELETE: "delete");
script!(REVIVE: "flight", "revive");
script!(FINISHED: "finished");
