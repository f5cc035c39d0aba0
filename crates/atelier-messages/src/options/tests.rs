use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

fn read(fields: &[(&str, &str)]) -> Result<Options, InvalidOption> {
    let fields = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Options::of_fields(fields, now(), &Limits::default())
}

fn refused(name: &str, value: &str) -> Reason {
    let url = ("Upstash-Callback", "https://e.com");
    let error = read(&[url, (name, value)]).unwrap_err();
    assert_eq!(error.name, name, "{error}");
    error.reason
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn a_request_that_asks_for_nothing_is_posted_and_repeated_three_times() {
    let message = read(&[])
        .unwrap()
        .message("https://e.com", "::1", now(), &Limits::default());
    assert_eq!((message.method.as_str(), message.retries), ("POST", 3));
    assert_eq!(message.not_before, message.created_at);
    assert_eq!(message.url, "https://e.com");
    assert!(message.headers.is_empty() && message.callback.is_none() && message.flow.is_none());
}

#[test]
fn every_option_is_read() {
    let options = read(&[
        ("Upstash-Method", "patch"),
        ("Upstash-Delay", "1d10h30m"),
        ("Upstash-Retries", "5"),
        ("Upstash-Retry-Delay", " pow(2, retried) * 1000"),
        ("Upstash-Timeout", "30"),
        ("Upstash-Deduplication-Id", "order 7"),
        ("Upstash-Content-Based-Deduplication", "True"),
        ("Upstash-Flow-Control-Key", "k"),
        (
            "Upstash-Flow-Control-Value",
            "parallelism=3, rate=5, period=1m",
        ),
        ("Upstash-Label", "a, b,,a"),
        ("Upstash-Redact-Fields", "body,header[authorization]"),
        ("Upstash-Cron", " CRON_TZ=Europe/Berlin 0 7 * * * "),
        ("Upstash-Schedule-Id", "daily_1"),
        ("Upstash-Queue-Name", "my-queue.1"),
        ("Upstash-Telemetry-Sdk", "x"),
        ("Upstash-Workflow-RunId", "x"),
    ])
    .unwrap();
    let flow = Flow {
        key: "k".to_owned(),
        parallelism: Some(3),
        rate: Some(5),
        period: 60,
    };
    assert_eq!(
        options.cron.as_ref().unwrap().to_string(),
        "CRON_TZ=Europe/Berlin 0 7 * * *"
    );
    assert_eq!(options.schedule_id.as_deref(), Some("daily_1"));
    assert_eq!(options.deduplication_id.as_deref(), Some("order 7"));
    assert!(options.content_based_deduplication);

    let message = options.message("https://e.com", "::1", now(), &Limits::default());
    assert_eq!((message.method.as_str(), message.retries), ("PATCH", 5));
    assert_eq!(
        message.retry_delay.as_deref(),
        Some("pow(2, retried) * 1000")
    );
    assert_eq!(message.timeout, Some(30_000));
    assert_eq!(message.not_before - message.created_at, 124_200_000);
    assert_eq!(message.flow, Some(flow));
    assert_eq!(message.labels, ["a", "b"]);
    assert!(message.redact.body && message.redact.names == ["Authorization"]);
    assert_eq!(message.queue.as_deref(), Some("my-queue.1"));
}

#[test]
fn header_fields_go_before_the_query() {
    let mut headers = HeaderMap::new();
    headers.insert("upstash-retries", "5".parse().unwrap());
    let query = Some("a=1&upstash-retries=1&Upstash-Delay=10s&upstash-forward-x-a=b%20c");
    let options = Options::of_request(&headers, query, now(), &Limits::default()).unwrap();
    assert_eq!(options.retries, Some(5));
    assert_eq!(options.delay, Some(Duration::from_secs(10)));
    assert_eq!(options.headers, [field("X-A", "b c")]);
}

#[test]
fn not_before_wins_over_a_delay_and_the_past_is_now() {
    let due =
        |fields: &[(&str, &str)]| read(fields).unwrap().due(now()).as_second() - now().as_second();
    assert_eq!(
        due(&[
            ("upstash-not-before", "1795000060"),
            ("upstash-delay", "10s")
        ]),
        60
    );
    assert_eq!(
        due(&[("upstash-not-before", "5"), ("upstash-delay", "10s")]),
        0
    );
    assert_eq!(due(&[("upstash-not-before", "0")]), 0);
    assert_eq!(due(&[("upstash-delay", "")]), 0);
}

#[test]
fn forwarded_fields_and_the_content_type_go_on() {
    let options = read(&[
        ("upstash-forward-authorization", "Bearer x"),
        ("upstash-forward-x-a", "1"),
        ("upstash-forward-x-a", "2"),
        ("upstash-forward-host", "evil"),
        ("upstash-forward-upstash-signature", "forged"),
        ("upstash-forward-upstash-callback-forward-x", "3"),
        ("content-type", "application/json"),
        ("authorization", "Bearer token"),
        ("x-b", "4"),
    ]);
    let expected = [
        field("Authorization", "Bearer x"),
        field("X-A", "1"),
        field("X-A", "2"),
        field("Upstash-Callback-Forward-X", "3"),
        field("Content-Type", "application/json"),
    ];
    assert_eq!(options.unwrap().headers, expected);
    let both = read(&[
        ("content-type", "a/b"),
        ("upstash-forward-content-type", "c/d"),
    ]);
    assert_eq!(both.unwrap().headers, [field("Content-Type", "c/d")]);
}

#[test]
fn all_fields_go_on_if_asked_for_but_those_meant_for_this_server() {
    let options = read(&[
        ("Upstash-Header-Forward", "true"),
        ("upstash-forward-x-a", "1"),
        ("x-a", "2"),
        ("x-b", "3"),
        ("authorization", "Bearer token"),
        ("cookie", "session=1"),
        ("host", "here"),
        ("connection", "close"),
        ("content-length", "3"),
        ("upstash-retries", "1"),
    ]);
    assert_eq!(
        options.unwrap().headers,
        [field("X-A", "1"), field("X-B", "3")]
    );
}

#[test]
fn callbacks_have_their_own_settings() {
    let options = read(&[
        ("Upstash-Retries", "9"),
        ("Upstash-Callback", "https://e.com/a"),
        ("Upstash-Callback-Method", "PUT"),
        ("Upstash-Callback-Retries", "1"),
        ("Upstash-Callback-Retry-Delay", "1000 - 500 * retried"),
        ("Upstash-Callback-Timeout", "5s"),
        ("Upstash-Callback-Flow-Control-Key", "c"),
        ("Upstash-Callback-Flow-Control-Value", "rate=1"),
        ("Upstash-Callback-Forward-X-A", "1"),
        ("Upstash-Callback-Forward-Upstash-Workflow-RunId", "2"),
        ("Upstash-Callback-Workflow-RunId", "3"),
        ("Upstash-Failure-Callback", "https://e.com/b"),
        ("Upstash-Failure-Callback-Forward-X-B", "4"),
        ("Upstash-Failure-Callback-Callback-Forward-X-C", "5"),
    ])
    .unwrap();
    assert!(options.headers.is_empty() && options.flow.is_none());
    let callback = options.callback.unwrap();
    assert_eq!(
        (callback.url.as_str(), callback.method.as_str()),
        ("https://e.com/a", "PUT")
    );
    assert_eq!((callback.retries, callback.timeout), (Some(1), Some(5000)));
    assert_eq!(callback.flow.unwrap().key, "c");
    assert_eq!(
        callback.headers,
        [field("X-A", "1"), field("Upstash-Workflow-Runid", "2")]
    );
    let failure = options.failure_callback.unwrap();
    assert_eq!(
        (failure.url.as_str(), failure.retries),
        ("https://e.com/b", None)
    );
    assert_eq!(failure.headers, [field("X-B", "4")]);
}

#[test]
fn a_callback_is_repeated_as_often_as_its_message_so_its_pauses_are_checked_for_that() {
    let url = ("Upstash-Callback", "https://e.com");
    let falling = ("Upstash-Callback-Retry-Delay", "1000 - 500 * retried");
    assert!(read(&[url, falling]).is_ok());
    let error = read(&[url, falling, ("Upstash-Retries", "4")]).unwrap_err();
    assert_eq!(error.reason, Reason::Pause(InvalidPause::Negative(3)));
    // Without a callback there is nothing to be said about its settings.
    assert!(read(&[falling, ("Upstash-Retries", "4")]).is_ok());
}

#[test]
fn what_cannot_be_used_is_told_with_its_name() {
    use Reason::{
        CallbackDelay, Cron, Duration, Expression, Labels, Method, Name, NotBefore, Pause, Retries,
        Switch,
    };

    let enormous = format!("1{}", "0".repeat(30));
    for value in ["-1", "1.5", "101", "many", &enormous] {
        assert_eq!(refused("Upstash-Retries", value), Retries(100), "{value}");
    }
    assert_eq!(
        refused("Upstash-Delay", "1y"),
        Duration(InvalidDuration::Malformed)
    );
    assert_eq!(
        refused("Upstash-Delay", &enormous),
        Duration(InvalidDuration::TooLong)
    );
    assert_eq!(
        refused("Upstash-Delay", "-5s"),
        Duration(InvalidDuration::Negative)
    );
    assert_eq!(
        refused("Upstash-Timeout", "soon"),
        Duration(InvalidDuration::Malformed)
    );
    for value in ["-1", "soon", "1795000000000", "9999999999", &enormous] {
        assert_eq!(refused("Upstash-Not-Before", value), NotBefore, "{value}");
    }
    for value in ["TRACE", "CONNECT", "HEAD", "PO ST", "é"] {
        assert_eq!(refused("Upstash-Method", value), Method, "{value}");
    }
    assert_eq!(
        refused("Upstash-Retry-Delay", "1/retried"),
        Pause(InvalidPause::DividesByZero(0))
    );
    assert!(matches!(
        refused("Upstash-Retry-Delay", "sin(1)"),
        Expression(_)
    ));
    assert!(matches!(
        refused("Upstash-Callback-Retry-Delay", "("),
        Expression(_)
    ));
    assert_eq!(refused("Upstash-Callback-Delay", "5s"), CallbackDelay);
    assert_eq!(refused("Upstash-Callback-Method", "HEAD"), Method);
    assert!(matches!(
        refused("Upstash-Failure-Callback", "ftp://e.com"),
        Reason::Destination(_)
    ));
    assert_eq!(
        refused("Upstash-Schedule-Id", "a/b"),
        Name(InvalidName::Word)
    );
    assert_eq!(
        refused("Upstash-Queue-Name", "a b"),
        Name(InvalidName::Word)
    );
    assert_eq!(
        refused("Upstash-Deduplication-Id", &"a".repeat(300)),
        Name(InvalidName::Key)
    );
    assert_eq!(
        refused("Upstash-Content-Based-Deduplication", "maybe"),
        Switch
    );
    assert!(matches!(
        refused("Upstash-Redact-Fields", "url"),
        Reason::Redact(_)
    ));
    assert_eq!(
        refused("Upstash-Flow-Control-Value", "rate=1"),
        Reason::Flow(InvalidFlow::NoKey)
    );
    assert_eq!(
        refused("Upstash-Cron", "0 0 30 2 *"),
        Cron(InvalidCron::Never)
    );
    assert_eq!(refused("Upstash-Label", &"a".repeat(300)), Labels);
    let many: Vec<String> = (0..=MAX_LABELS).map(|label| label.to_string()).collect();
    assert_eq!(refused("Upstash-Label", &many.join(",")), Labels);
    assert_eq!(
        refused("Upstash-Forward-X-A", "1\r\nX-B: 2"),
        Name(InvalidName::Value)
    );

    let error = read(&[("upstash-delay", "1y")]).unwrap_err().to_string();
    assert!(error.starts_with("Upstash-Delay: a duration is"), "{error}");
}

#[test]
fn header_fields_are_bounded() {
    let limits = Limits::default();
    let many: Vec<_> = (0..1000)
        .map(|n| (format!("upstash-forward-x-{n}"), n.to_string()))
        .collect();
    let error = Options::of_fields(many.clone(), now(), &limits).unwrap_err();
    assert_eq!(error.reason, Reason::TooMany(100));
    assert!(Options::of_fields(many.into_iter().take(100), now(), &limits).is_ok());
    let long = ("upstash-forward-x".to_owned(), "a".repeat(40_000));
    let error = Options::of_fields([long], now(), &limits).unwrap_err();
    assert_eq!(error.reason, Reason::TooLong(limits.header_bytes));
}

#[test]
fn values_that_are_no_text_are_refused_where_they_matter() {
    let latin = http::HeaderValue::from_bytes(b"caf\xe9").unwrap();
    let read = |name: &'static str| {
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static(name), latin.clone())]);
        Options::of_request(&headers, None, now(), &Limits::default())
    };
    assert!(read("x-other").is_ok());
    assert!(read("cookie").is_ok());
    for name in ["upstash-forward-x", "content-type", "upstash-label"] {
        assert_eq!(read(name).unwrap_err().reason, Reason::Encoding, "{name}");
    }
}

proptest! {
    #[test]
    fn any_fields_are_answered(
        fields in proptest::collection::vec(("(upstash-[a-z-]{0,40}|content-type|upstash-(callback-|forward-)?(delay|retries|x))", ".{0,40}"), 0..8),
        query in proptest::option::of(".{0,60}"),
    ) {
        let read = Options::of_fields(fields.clone(), now(), &Limits::default());
        if let Ok(options) = read {
            let message = options.message("https://e.com", "", now(), &Limits::default());
            prop_assert!(message.not_before >= message.created_at);
        }
        let headers = fields.iter().filter_map(|(name, value)| {
            Some((http::HeaderName::try_from(name).ok()?, http::HeaderValue::try_from(value).ok()?))
        });
        let _ = Options::of_request(&headers.collect(), query.as_deref(), now(), &Limits::default());
    }
}
