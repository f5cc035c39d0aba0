use super::*;

fn upstream(base: &str) -> Arc<Upstream> {
    let config = UpstreamConfig {
        parallel: Some(1),
        api_key: Some(ApiKey::new("sk-secret".into())),
        ..UpstreamConfig::new("acme", base.parse().unwrap())
    };
    Arc::new(Upstream::new(config).unwrap())
}

#[test]
fn an_address_keeps_the_path_and_the_query_of_its_base() {
    for (base, query, url) in [
        ("http://a.example/v1", None, "http://a.example/v1/models"),
        ("http://a.example/v1/", None, "http://a.example/v1/models"),
        (
            "http://a.example",
            Some("a=b"),
            "http://a.example/models?a=b",
        ),
        (
            "http://a.example/x?api-version=1",
            Some("a=b"),
            "http://a.example/x/models?api-version=1&a=b",
        ),
    ] {
        assert_eq!(upstream(base).url("/models", query).as_str(), url);
    }
}

#[tokio::test]
async fn a_key_is_sent_and_never_shown() {
    let upstream = upstream("http://a.example/v1");
    assert!(!format!("{upstream:?}").contains("sk-secret"));
    let mut headers = HeaderMap::new();
    // Another test may have installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().unwrap();
    let added = upstream.authorize(&client, "/models", &mut headers).await;
    assert_eq!(added, Ok(None));
    assert_eq!(headers[http::header::AUTHORIZATION], "Bearer sk-secret");
    assert!(!format!("{headers:?}").contains("sk-secret"));
    let config = UpstreamConfig {
        api_key: Some(ApiKey::new("a\nb".into())),
        ..UpstreamConfig::new("acme", "http://a.example".parse().unwrap())
    };
    assert!(Upstream::new(config).is_err());
}

#[test]
fn a_place_is_free_again_when_its_call_ends() {
    let upstream = upstream("http://a.example/v1");
    let place = upstream.free_place();
    assert!(place.is_some() && upstream.free_place().is_none());
    assert!((upstream.load() - 1.0).abs() < f64::EPSILON);
    drop(place);
    assert!(upstream.free_place().is_some());
    assert!(upstream.load().abs() < f64::EPSILON);
}

#[test]
fn a_pause_is_kept_and_the_longer_one_counts() {
    let (upstream, now) = (upstream("http://a.example/v1"), Instant::now());
    let seconds = Duration::from_secs;
    assert_eq!(upstream.rest(now), None);
    upstream.pause(now, seconds(9));
    upstream.pause(now, seconds(2));
    assert_eq!(upstream.rest(now), Some(seconds(9)));
    assert_eq!(upstream.rest(now + seconds(9)), None);
}
