use atelier_upstream_mock::{KEY, Kind, Upstream};
use futures::future::join_all;

use super::*;

struct Given {
    upstream: Upstream,
    tokens: Tokens,
    client: Client,
}

/// Tokens of a stand-in, for its key or for another.
async fn given(kind: Kind, key: &str) -> Given {
    // Another test may have installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let upstream = Upstream::start_as(kind).await.unwrap();
    let (means, url) = if kind == Kind::Vertex {
        let file = ApiKey::new(upstream.service_account());
        let (account, url) = Account::read(&file).unwrap();
        (Means::Google(Box::new(account)), url)
    } else {
        let url = format!("{}/identity/token", upstream.address());
        (Means::Ibm(ApiKey::new(key.into())), url.parse().unwrap())
    };
    Given {
        upstream,
        tokens: Tokens::new(means, url),
        client: Client::builder().no_proxy().build().unwrap(),
    }
}

impl Given {
    async fn get(&self, now: Instant) -> Result<u64, NoToken> {
        self.tokens
            .get(&self.client, now)
            .await
            .map(|token| token.number)
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_for_all_who_wait() {
    for kind in [Kind::Watsonx, Kind::Vertex] {
        let given = given(kind, KEY).await;
        let now = Instant::now();
        let all = join_all((0..50).map(|_| given.get(now))).await;
        assert!(all.iter().all(|one| *one == Ok(1)), "{all:?}");
        assert_eq!(given.upstream.tokens(), 1);
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let given = given(Kind::Watsonx, KEY).await;
    let now = Instant::now();
    let at = |seconds| now + Duration::from_secs(seconds);
    for (seconds, number) in [(0, 1), (3_299, 1), (3_301, 2), (3_301 + 3_299, 2)] {
        assert_eq!(
            given.get(at(seconds)).await,
            Ok(number),
            "after {seconds} seconds"
        );
    }
    // A short one has a tenth of its life.
    given.upstream.tokens_live(10);
    let from = 20_000;
    for (seconds, number) in [(0, 3), (8, 3), (9, 4), (30, 5)] {
        assert_eq!(
            given.get(at(from + seconds)).await,
            Ok(number),
            "after {seconds} seconds"
        );
    }
}

#[tokio::test]
async fn a_token_serves_until_its_end_if_there_is_no_other() {
    let given = given(Kind::Watsonx, KEY).await;
    let now = Instant::now();
    assert_eq!(given.get(now).await, Ok(1));
    drop(given.upstream);
    let get = |seconds| {
        given
            .tokens
            .get(&given.client, now + Duration::from_secs(seconds))
    };
    assert_eq!(get(3_500).await.map(|token| token.number), Ok(1));
    assert_eq!(get(3_601).await.map(|_| ()), Err(NoToken::Unreachable));
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_for_all() {
    let given = given(Kind::Watsonx, KEY).await;
    let now = Instant::now();
    assert_eq!(given.get(now).await, Ok(1));
    let others = (0..20).map(|_| given.tokens.other(&given.client, now, 1));
    let others = join_all(others).await;
    assert!(
        others
            .iter()
            .all(|one| one.as_ref().is_ok_and(|token| token.number == 2))
    );
    assert_eq!(given.upstream.tokens(), 2);
}

#[tokio::test]
async fn a_key_that_is_refused_is_not_told() {
    let given = given(Kind::Watsonx, "another-secret").await;
    let error = given.get(Instant::now()).await.unwrap_err();
    assert!(matches!(&error, NoToken::Refused { status, .. } if *status == 400));
    assert!(!format!("{error} {error:?} {:?}", given.tokens).contains("another-secret"));
}

#[tokio::test]
async fn nothing_shows_a_token() {
    let given = given(Kind::Vertex, KEY).await;
    let token = given
        .tokens
        .get(&given.client, Instant::now())
        .await
        .unwrap();
    let text = given.upstream.token().unwrap();
    assert_eq!(token.bearer, format!("Bearer {text}"));
    assert!(!format!("{:?} {:?}", given.tokens, token.bearer).contains(&text));
}

#[test]
fn credentials_that_are_none_are_refused_without_being_told() {
    for (file, what) in [
        ("secret", "no JSON"),
        (r#"{"client_email":"a"}"#, "no JSON"),
        (
            r#"{"client_email":"a","private_key":"!","token_uri":"http://a.example"}"#,
            "no PEM",
        ),
        (
            r#"{"client_email":"a","private_key":"c2VjcmV0","token_uri":"http://a.example"}"#,
            "no RSA key",
        ),
    ] {
        let error = Account::read(&ApiKey::new(file.into()))
            .map(|_| ())
            .unwrap_err();
        assert!(error.contains(what), "{file}: {error}");
    }
}

#[test]
fn lives_are_read_leniently() {
    let life = |life: &Value| {
        read(&serde_json::json!({ "access_token": "t", "expires_in": life })).map(|(_, life)| life)
    };
    for (told, seconds) in [
        (serde_json::json!(3599), Some(3599)),
        (serde_json::json!("60"), Some(60)),
        (serde_json::json!(1e12), Some(86_400)),
        (serde_json::json!(-1), None),
        (serde_json::json!(null), None),
    ] {
        assert_eq!(life(&told), seconds.map(Duration::from_secs), "{told}");
    }
}
