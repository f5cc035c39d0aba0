//! Tokens that are given for keys.

use atelier_upstream_mock::{KEY, Kind, Upstream};
use futures::future::join_all;

use super::{before, chat, setup};
use crate::gateway::{TOKEN, error, started};

const MINTED: [Kind; 3] = [Kind::Watsonx, Kind::WatsonxGateway, Kind::Vertex];

#[tokio::test]
async fn one_token_serves_all_calls_until_it_is_refused() {
    for kind in MINTED {
        let site = before(kind).await;
        let bodies: Vec<_> = (0..10)
            .map(|number| chat(kind, &format!("number {number}")))
            .collect();
        let answers = join_all(
            bodies
                .iter()
                .map(|body| site.ask("/chat/completions", body)),
        )
        .await;
        assert!(
            answers.iter().all(|answer| answer.status() == 200),
            "{kind:?}"
        );
        assert_eq!(site.upstream.tokens(), 1, "{kind:?}");
        site.upstream.revoke();
        let answers = join_all(
            bodies
                .iter()
                .map(|body| site.ask("/chat/completions", body)),
        )
        .await;
        assert!(
            answers.iter().all(|answer| answer.status() == 200),
            "{kind:?}"
        );
        assert_eq!(site.upstream.tokens(), 2, "{kind:?}");
    }
}

#[tokio::test]
async fn a_token_that_stays_refused_is_replaced_once_for_a_call() {
    use atelier_upstream_mock::Behaviour;
    let site = before(Kind::Watsonx).await;
    let refused = || Behaviour::Status {
        status: 401,
        headers: Default::default(),
        body: serde_json::json!({ "errors": [{ "code": "authentication_token_not_valid", "message": "No." }] }),
    };
    site.upstream.then([refused(), refused()]);
    let tokens = site.upstream.tokens();
    let answer = site
        .ask("/chat/completions", &chat(Kind::Watsonx, "Hi"))
        .await;
    let (status, told) = error(answer).await;
    assert_eq!(status, 502, "{told}");
    // The list of models may have fetched the first.
    let fetched = site.upstream.tokens() - tokens;
    assert!((1..=2).contains(&fetched), "{fetched}");
    assert_eq!(super::calls(&site), 2);
    let answer = site
        .ask("/chat/completions", &chat(Kind::Watsonx, "Hi"))
        .await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_keys_nor_tokens_are_logged_or_printed() {
    for kind in MINTED {
        let upstream = Upstream::start_as(kind).await.unwrap();
        let private = serde_json::from_str::<serde_json::Value>(&upstream.service_account());
        let private = private.unwrap()["private_key"].as_str().unwrap()[40..80].to_owned();
        let setup = setup(kind, &upstream).set("RUST_LOG", "trace");
        let again = setup.again();
        let mut seen = again.run(&["config"]).stdout;
        let site = started(setup, upstream, &[]);
        let answer = site.ask("/chat/completions", &chat(kind, "Hi")).await;
        assert_eq!(answer.status(), 200);
        let ask = site.server.get("/api/admin/calls").bearer_auth(TOKEN);
        seen.extend(ask.send().await.unwrap().bytes().await.unwrap());
        seen.extend(site._setup.run(&["upstreams", "check"]).stdout);
        let (upstream, log) = (site.upstream, site.server.whole_log());
        let seen = String::from_utf8(seen).unwrap() + &log;
        let token = upstream.token().unwrap();
        for secret in [KEY, token.as_str(), private.as_str(), "assertion"] {
            assert!(!seen.contains(secret), "{kind:?} shows {secret}");
        }
    }
}

#[tokio::test]
async fn a_server_without_what_its_upstream_needs_does_not_start() {
    let refusal = |settings: &str| {
        let file = format!("[[upstreams]]\nname = 'it'\n{settings}");
        crate::support::Setup::with_file(&file).refusal()
    };
    for (settings, named) in [
        ("kind = 'watsonx'\nproject_id = 'p'", "region"),
        ("kind = 'watsonx'\nregion = 'eu-de'", "project_id"),
        (
            "kind = 'watsonx'\nregion = 'eu-de'\nproject_id = 'p'",
            "api_key_env",
        ),
        (
            "kind = 'vertex'\nproject_id = 'p'\nmodels = ['m']",
            "credentials_file",
        ),
        ("kind = 'vertex'\nproject_id = 'p'", "models"),
        ("kind = 'azure'\nmodels = ['m']", "resource"),
        ("kind = 'azure'\nresource = 'r'", "models"),
        (
            "kind = 'vertex'\nproject_id = 'p'\nmodels = ['m']\ncredentials_file = '/no/such'",
            "/no/such",
        ),
        ("kind = 'bard'", "bard"),
    ] {
        let said = refusal(settings);
        assert!(said.contains(named), "{settings}: {said}");
    }
}
