//! The operations' sources, assembled from `lua/`: the shared part, then the
//! operation's own.

use std::sync::LazyLock;

use atelier_store::redis::Script;

/// What every operation begins with.
macro_rules! base {
    () => {
        concat!(include_str!("lua/base.lua"), include_str!("lua/gate.lua"))
    };
}

/// Everything that can happen to a job.
macro_rules! rows {
    () => {
        concat!(
            include_str!("lua/way.lua"),
            include_str!("lua/rows.lua"),
            include_str!("lua/lanes.lua"),
            include_str!("lua/pass.lua"),
            include_str!("lua/line.lua"),
            include_str!("lua/gates.lua"),
            include_str!("lua/changes.lua"),
            include_str!("lua/outbox.lua"),
            include_str!("lua/answers.lua")
        )
    };
}

/// A script of these files, of a [kind](Script). Accepted jobs are finished, cancelled
/// and deleted even when Redis is full; only [`ENQUEUE`] is refused then. Of late
/// scripts, only those run that end a claim or report that it is still needed. It is a
/// function, as Lua has no more than 200 local variables in one.
macro_rules! script {
    ($name:ident, $kind:ident: $($file:literal),+) => {
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::$kind(concat!(
                base!(),
                "return (function()\n",
                rows!(),
                $(include_str!(concat!("lua/", $file, ".lua")),)+
                "end)()\n"
            ))
        });
    };
}

/// A script that processes simple jobs itself, with the files in brackets, and has
/// `slow_path` for others, made of the file of the same name (and others that it needs).
macro_rules! quick_script {
    ($name:ident, $kind:ident: [$($tool:literal),*] $file:literal $(, $needed:literal)*) => {
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::$kind(concat!(
                base!(),
                $(include_str!(concat!("lua/", $tool, ".lua")),)*
                "local function slow_path()\n",
                rows!(),
                $(include_str!(concat!("lua/", $needed, ".lua")),)*
                include_str!(concat!("lua/slow_path/", $file, ".lua")),
                "end\n",
                include_str!(concat!("lua/", $file, ".lua"))
            ))
        });
    };
}

quick_script!(ENQUEUE, new: ["single", "turns"] "enqueue", "flight");
quick_script!(GET, reading: [] "get");
quick_script!(CLAIM, always: ["single"] "claim");
quick_script!(EXTEND, finishing: [] "extend");
quick_script!(SETTLE, finishing: [] "settle");
quick_script!(COMPLETE, finishing: [] "complete");
quick_script!(ACKNOWLEDGE, finishing: [] "acknowledge");
/// Both steps of an end, whose slow paths need the same rows.
pub(super) static FINISH: LazyLock<Script> = LazyLock::new(|| {
    Script::finishing(concat!(
        base!(),
        include_str!("lua/single.lua"),
        include_str!("lua/turns.lua"),
        "local function slow_path()\n",
        rows!(),
        "local settling = (function()\n",
        include_str!("lua/slow_path/settle.lua"),
        "end)()\nlocal completing = (function()\n",
        include_str!("lua/slow_path/complete.lua"),
        "end)()\n",
        include_str!("lua/slow_path/finish.lua"),
        "end\n",
        include_str!("lua/finish.lua")
    ))
});
script!(NEWEST, reading: "newest");
script!(SEARCH, reading: "search");
script!(INDEX, always: "index");
script!(MARK, new: "mark");
script!(FINISHED, reading: "finished");
script!(THROTTLE, always: "throttle");
script!(CANCEL, always: "cancel");
script!(DELETE, always: "delete");
script!(RETRY, always: "flight", "retry");
script!(OUTBOX_PAGE, reading: "outbox_page");
script!(SECLUDE, always: "seclude");
script!(ADVANCE, finishing: "advance");
script!(SET_GATE, always: "set_gate");
script!(REMOVE_GATE, always: "remove_gate");
script!(REMOVE_IDLE_GATES, always: "remove_idle_gates");

#[test]
fn scripts_use_only_what_they_declare() {
    for (name, script) in [
        ("enqueue", &ENQUEUE),
        ("get", &GET),
        ("claim", &CLAIM),
        ("extend", &EXTEND),
        ("settle", &SETTLE),
        ("complete", &COMPLETE),
        ("finish", &FINISH),
        ("newest", &NEWEST),
        ("search", &SEARCH),
        ("index", &INDEX),
        ("mark", &MARK),
        ("finished", &FINISHED),
        ("throttle", &THROTTLE),
        ("cancel", &CANCEL),
        ("delete", &DELETE),
        ("retry", &RETRY),
        ("outbox_page", &OUTBOX_PAGE),
        ("acknowledge", &ACKNOWLEDGE),
        ("seclude", &SECLUDE),
        ("advance", &ADVANCE),
        ("set_gate", &SET_GATE),
        ("remove_gate", &REMOVE_GATE),
        ("remove_idle_gates", &REMOVE_IDLE_GATES),
    ] {
        assert_eq!(script.undeclared(), [""; 0], "{name}");
    }
}
