//! `atelier upstreams check`.

use atelier_upstream_mock::{KEY, Kind, Upstream};
use serde_json::Value;

use super::{settings, setup};
use crate::support::Setup;

/// Runs a check; whether all is well, and what it says of each.
fn checked(setup: &Setup, arguments: &[&str]) -> (bool, Vec<Value>) {
    let arguments = [&["upstreams", "check", "--json"], arguments].concat();
    let output = setup.run(&arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains(KEY), "{text}");
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (output.status.success(), lines.collect())
}

fn advice(checked: &Value) -> String {
    checked["advice"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_well_is_said_to_be_and_nothing_is_spent() {
    for kind in Kind::ALL {
        let upstream = Upstream::start_as(kind).await.unwrap();
        let setup = setup(kind, &upstream);
        let (is_well, told) = checked(&setup, &[]);
        let told = &told[0];
        assert!(is_well, "{kind:?}: {told}");
        assert_eq!(
            (&told["name"], &told["kind"]),
            (&"it".into(), &kind.name().into())
        );
        assert_eq!(
            (&told["reachable"], &told["spent"]),
            (&true.into(), &Value::Null)
        );
        let has_key = !matches!(kind, Kind::LlamaCpp | Kind::SdCpp);
        assert_eq!(
            told["key_accepted"],
            if has_key { true.into() } else { Value::Null }
        );
        let lists = !matches!(kind, Kind::Azure | Kind::Vertex);
        assert_eq!(told["models"].is_u64(), lists, "{kind:?}: {told}");
        assert!(
            told["clock_ahead_seconds"].as_f64().unwrap().abs() < 10.0,
            "{told}"
        );
        let calls = upstream.calls();
        let is_free = |call: &atelier_upstream_mock::Call| {
            call.method == "GET" || call.path().ends_with("/token")
        };
        assert!(calls.iter().all(is_free), "{kind:?}");
        if kind == Kind::SdCpp {
            continue;
        }
        let (is_well, told) = checked(&setup, &["it", "--spend"]);
        assert!(is_well, "{kind:?}: {told:?}");
        assert!(
            told[0]["spent"]["input_tokens"].as_u64() > Some(0),
            "{kind:?}: {told:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_with_how_to_mend_it() {
    for kind in Kind::ALL {
        if matches!(
            kind,
            Kind::LlamaCpp | Kind::SdCpp | Kind::Vertex | Kind::Ollama | Kind::LmStudio
        ) {
            continue;
        }
        let upstream = Upstream::start_as(kind).await.unwrap();
        let setup = setup(kind, &upstream).set("A_KEY", "sk-of-another");
        let (is_well, told) = checked(&setup, &[]);
        assert!(
            !is_well && told[0]["key_accepted"] == false,
            "{kind:?}: {told:?}"
        );
        let advice = advice(&told[0]);
        assert!(
            advice.contains("A_KEY") && !advice.contains("sk-of-another"),
            "{advice}"
        );
    }
    let upstream = Upstream::start_as(Kind::Mistral).await.unwrap();
    let setup_of = |more: &str| {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(Kind::Mistral, &upstream, folder.path());
        let file = format!("limits = []\n[[upstreams]]\n{settings}{more}");
        Setup::with_file(&file).set("A_KEY", KEY)
    };
    let (is_well, told) = checked(&setup_of("models = ['no-such']"), &[]);
    assert!(!is_well && advice(&told[0]).contains("no-such"), "{told:?}");
    upstream.clock_is_ahead(120);
    let (is_well, told) = checked(&setup_of(""), &[]);
    assert!(is_well && advice(&told[0]).contains("clock"), "{told:?}");
    upstream.clock_is_ahead(-4_000);
    let (is_well, told) = checked(&setup_of(""), &[]);
    assert!(
        !is_well && advice(&told[0]).contains("ahead of"),
        "{told:?}"
    );
    upstream.clock_is_ahead(0);
    let elsewhere = setup_of("").file(&format!(
        "[[upstreams]]\nname = 'it'\nkind = 'mistral'\nbase_url = '{}/v7'\napi_key_env = 'A_KEY'",
        upstream.address()
    ));
    let (is_well, told) = checked(&elsewhere, &[]);
    assert!(
        !is_well && advice(&told[0]).contains("base_url"),
        "{told:?}"
    );
    let setup = setup_of("");
    drop(upstream);
    let (is_well, told) = checked(&setup, &[]);
    assert!(!is_well && told[0]["reachable"] == false, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_and_the_exit_code_say_the_same() {
    let upstream = Upstream::start_as(Kind::Groq).await.unwrap();
    let setup = setup(Kind::Groq, &upstream);
    let output = setup.run(&["upstreams", "check"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.starts_with("NAME "),
        "{text}"
    );
    assert!(text.contains("accepted"), "{text}");
    let said = setup.refusal_of(&["upstreams", "check", "other"]);
    assert!(said.contains("other"), "{said}");
    drop(upstream);
    let output = setup.run(&["upstreams", "check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("Nothing answers")
    );
}
