use super::*;
use crate::{Endpoint, Fired, Flow, NewSchedule, State};

fn headers(fields: &[(&str, &str)]) -> Headers {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    fields.iter().map(owned).collect()
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap()
}

fn small() -> Message {
    Message {
        url: "https://e.com/".to_owned(),
        method: "POST".to_owned(),
        retries: 3,
        not_before: 6,
        created_at: 5,
        ..Message::default()
    }
}

fn full() -> Message {
    Message {
        headers: headers(&[("X-A", "1"), ("Content-Type", "text/plain"), ("X-A", "2")]),
        group: Some("g".to_owned()),
        endpoint: Some("e".to_owned()),
        queue: Some("q".to_owned()),
        schedule: Some("scd_1".to_owned()),
        retry_delay: Some("1000".to_owned()),
        timeout: Some(5000),
        callback: Some(Callback {
            url: "https://e.com/c".to_owned(),
            headers: headers(&[("X-C", "3")]),
            ..Callback::default()
        }),
        failure_callback: Some(Callback {
            url: "https://e.com/f".to_owned(),
            ..Callback::default()
        }),
        flow: Some(Flow {
            key: "k".to_owned(),
            parallelism: Some(2),
            rate: None,
            period: 1,
        }),
        labels: vec!["a".to_owned(), "b".to_owned()],
        caller_ip: "::1".to_owned(),
        ..small()
    }
}

#[test]
fn absent_members_are_left_out() {
    let expected = json!({
        "messageId": "msg_1", "url": "https://e.com/", "method": "POST", "maxRetries": 3, "notBefore": 6,
        "createdAt": 5, "header": {},
    });
    assert_eq!(message("msg_1", &small(), b""), expected);
}

#[test]
fn a_message_is_shown_whole() {
    let expected = json!({
        "messageId": "msg_1", "url": "https://e.com/", "method": "POST", "maxRetries": 3, "notBefore": 6,
        "createdAt": 5, "header": {"X-A": ["1", "2"], "Content-Type": ["text/plain"]}, "body": "Grüße",
        "topicName": "g", "endpointName": "e", "queueName": "q", "scheduleId": "scd_1",
        "retryDelayExpression": "1000", "callback": "https://e.com/c", "callbackHeader": {"X-C": ["3"]},
        "failureCallback": "https://e.com/f", "flowControlKey": "k", "parallelism": 2, "period": 1,
        "label": "a", "labels": ["a", "b"], "callerIP": "::1", "callerIp": "::1",
    });
    assert_eq!(message("msg_1", &full(), "Grüße".as_bytes()), expected);
}

#[test]
fn binary_is_base64_and_what_is_redacted_is_hidden_in_every_place() {
    let shown = message("msg_1", &small(), b"\xff\x00");
    assert_eq!(
        (&shown["bodyBase64"], shown.get("body")),
        (&json!("/wA="), None)
    );

    let mut secret = full();
    secret.redact = Redact::parse("body,header").unwrap();
    let no_answer = Answer {
        status: 500,
        headers: &Headers::new(),
        body: b"",
    };
    for shown in [
        message("m", &secret, b"\xff"),
        dead_letter("1-m", "m", &secret, b"\xff", no_answer),
    ] {
        let is_hidden = |value: &Value| value.as_str().unwrap().starts_with("REDACTED:");
        assert!(is_hidden(&shown["body"]) && is_hidden(&shown["header"]["X-A"][0]));
        assert!(is_hidden(&shown["callbackHeader"]["X-C"][0]));
        assert_eq!(shown.get("bodyBase64"), None);
    }
}

#[test]
fn a_dead_letter_tells_the_answer() {
    let answer_headers = headers(&[("content-type", "text/plain")]);
    let answer = Answer {
        status: 404,
        headers: &answer_headers,
        body: b"404 Not Found",
    };
    let shown = dead_letter("7-msg_1", "msg_1", &small(), b"x", answer);
    assert_eq!(shown["dlqId"], "7-msg_1");
    assert_eq!(shown["responseStatus"], 404);
    assert_eq!(
        shown["responseHeader"],
        json!({"Content-Type": ["text/plain"]})
    );
    assert_eq!(shown["responseBody"], "404 Not Found");
    let binary = Answer {
        status: 0,
        headers: &Headers::new(),
        body: b"\xff",
    };
    let shown = dead_letter("7-msg_1", "msg_1", &small(), b"x", binary);
    assert_eq!(
        (&shown["responseStatus"], &shown["responseBodyBase64"]),
        (&json!(0), &json!("/w=="))
    );
}

#[test]
fn a_schedule_is_shown_with_its_last_and_next_runs() {
    let fired = Fired {
        message: Some("msg_1".to_owned()),
        at: at(60_000),
        error: None,
    };
    let mut kept = Schedule {
        owner: "o".to_owned(),
        given: NewSchedule {
            id: "scd_1".to_owned(),
            cron: "* * * * *".to_owned(),
            destination: "g".to_owned(),
            message: Message {
                schedule: None,
                group: None,
                endpoint: None,
                ..full()
            },
            delay: 90_000,
            body: Value::Null,
            next: Some(at(120_000)),
        },
        revision: 1,
        created_at: at(5),
        paused: false,
        fired: vec![fired],
    };
    let states = [
        ("msg_1".to_owned(), RunState::Success),
        ("msg_2".to_owned(), RunState::InProgress),
    ];
    let expected = json!({
        "scheduleId": "scd_1", "cron": "* * * * *", "destination": "g", "createdAt": 5, "method": "POST",
        "header": {"X-A": ["1", "2"], "Content-Type": ["text/plain"]}, "body": "x", "retries": 3,
        "retryDelayExpression": "1000", "delay": 90, "timeout": 5, "callback": "https://e.com/c",
        "callbackHeader": {"X-C": ["3"]}, "failureCallback": "https://e.com/f", "queueName": "q",
        "callerIP": "::1", "callerIp": "::1", "flowControlKey": "k", "parallelism": 2, "period": 1, "label": "a",
        "labels": ["a", "b"], "isPaused": false, "lastScheduleTime": 60_000, "nextScheduleTime": 120_000,
        "lastScheduleStates": {"msg_1": "SUCCESS", "msg_2": "IN_PROGRESS"},
    });
    assert_eq!(schedule(&kept, b"x", &states), expected);

    kept.paused = true;
    kept.fired[0].error = Some("there is no group g".to_owned());
    let shown = schedule(&kept, b"", &[]);
    assert_eq!(
        (&shown["isPaused"], &shown["error"]),
        (&json!(true), &json!("there is no group g"))
    );
    for absent in ["nextScheduleTime", "lastScheduleStates", "body"] {
        assert_eq!(shown.get(absent), None, "{absent}");
    }
}

#[test]
fn a_log_has_both_spellings() {
    let event = Event {
        time: 9,
        message: "msg_1".to_owned(),
        state: State::CancelRequested,
        about: Box::new(full().without_headers()),
        next: Some(10),
        status: Some(500),
        headers: headers(&[("x-b", "1")]),
        body: Some("no".to_owned()),
        error: Some("refused".to_owned()),
    };
    let expected = json!({
        "time": 9, "messageId": "msg_1", "state": "CANCEL_REQUESTED", "url": "https://e.com/", "method": "POST",
        "maxRetries": 3, "nextDeliveryTime": 10, "error": "refused", "responseStatus": 500, "responseBody": "no",
        "responseHeader": {"X-B": ["1"]}, "responseHeaders": {"X-B": ["1"]}, "timeout": 5, "topicName": "g",
        "endpointName": "e", "queueName": "q", "scheduleId": "scd_1", "retryDelayExpr": "1000",
        "retryDelayExpression": "1000", "callback": "https://e.com/c", "failureCallback": "https://e.com/f",
        "flowControlKey": "k", "parallelism": 2, "period": 1, "label": "a", "labels": ["a", "b"],
        "callerIP": "::1", "callerIp": "::1",
    });
    assert_eq!(log(&event), expected);
}

#[test]
fn a_callback_is_told_everything_as_it_was() {
    let answer_headers = headers(&[("x-b", "1")]);
    let mut secret = full();
    secret.redact = Redact::parse("body,header").unwrap();
    let told = Told {
        id: "msg_1",
        message: &secret,
        body: b"x",
        retried: 2,
        answer: Answer {
            status: 200,
            headers: &answer_headers,
            body: b"ok",
        },
        dead_letter: None,
    };
    let mut expected = json!({
        "status": 200, "header": {"X-B": ["1"]}, "body": "b2s=", "retried": 2, "maxRetries": 3,
        "sourceMessageId": "msg_1", "topicName": "g", "endpointName": "e", "url": "https://e.com/",
        "method": "POST", "sourceHeader": {"X-A": ["1", "2"], "Content-Type": ["text/plain"]},
        "sourceBody": "eA==", "notBefore": "6", "createdAt": "5", "scheduleId": "scd_1", "callerIP": "::1",
    });
    assert_eq!(callback(&told), expected);
    expected["dlqId"] = json!("7-msg_1");
    assert_eq!(
        callback(&Told {
            dead_letter: Some("7-msg_1"),
            ..told
        }),
        expected
    );
}

#[test]
fn groups_queues_and_keys_are_shown() {
    let endpoint = |name: Option<&str>| Endpoint {
        name: name.map(str::to_owned),
        url: "https://e.com".to_owned(),
    };
    let endpoints = vec![endpoint(Some("a")), endpoint(None)];
    let kept = Group {
        name: "g".to_owned(),
        created_at: at(1),
        updated_at: at(2),
        headers: Headers::new(),
        endpoints,
    };
    let expected = json!({
        "name": "g", "createdAt": 1, "updatedAt": 2,
        "endpoints": [{"name": "a", "url": "https://e.com"}, {"url": "https://e.com"}],
    });
    assert_eq!(group(&kept), expected);

    let facts = QueueFacts {
        name: "q",
        parallelism: 1,
        lag: 4,
        paused: true,
        created_at: at(1),
        updated_at: at(2),
    };
    let expected = json!({"name": "q", "parallelism": 1, "createdAt": 1, "updatedAt": 2, "lag": 4, "paused": true});
    assert_eq!(queue(&facts), expected);

    let facts = FlowFacts {
        key: "k",
        waiting: 3,
        parallelism: None,
        active: 1,
        rate: Some(5),
        started: 2,
        period: 60,
        period_start: Some(at(61_000)),
        paused: false,
        pinned_parallelism: false,
        pinned_rate: true,
    };
    let expected = json!({
        "flowControlKey": "k", "waitListSize": 3, "parallelismCount": 1, "rateMax": 5, "rateCount": 2,
        "ratePeriod": 60, "ratePeriodStart": 61, "isPaused": false, "isPinnedParallelism": false, "isPinnedRate": true,
    });
    assert_eq!(flow_control(&facts), expected);
}

#[test]
fn what_was_published_is_told() {
    assert_eq!(
        published("msg_1", None, false),
        json!({"messageId": "msg_1"})
    );
    let expected = json!({"messageId": "msg_1", "url": "https://e.com", "deduplicated": true});
    assert_eq!(published("msg_1", Some("https://e.com"), true), expected);
}
