use proptest::prelude::*;

use super::*;
use crate::Flow;

fn message() -> Message {
    Message {
        url: "https://Example.com:8443/a/b?c=1".to_owned(),
        queue: Some("q".to_owned()),
        labels: vec!["one".to_owned(), "two".to_owned()],
        flow: Some(Flow {
            key: "k".to_owned(),
            ..Flow::default()
        }),
        caller_ip: "10.0.0.1".to_owned(),
        ..Message::default()
    }
}

fn matches_facts(filter: &Filter) -> bool {
    filter.matches(&Facts {
        id: "msg_1",
        dead_letter: Some("5-msg_1"),
        message: &message(),
        state: Some(State::Retry),
        status: Some(404),
        time: 1000,
    })
}

fn matches(of: Of, query: &str) -> bool {
    matches_facts(&Filter::read(of, Some(query), b"").unwrap())
}

#[test]
fn values_of_a_name_are_alternatives_and_names_are_conditions() {
    for (query, expected) in [
        ("", true),
        ("label=two", true),
        ("label=three&label=two", true),
        ("label=three", false),
        ("label=one&queueName=q", true),
        ("label=one&queueName=r", false),
        ("url=https%3A%2F%2FExample.com%3A8443%2Fa%2Fb%3Fc%3D1", true),
        ("url=https://example.com", false),
        ("host=example.com", true),
        ("host=EXAMPLE.com:8443", true),
        ("host=example.com:443", false),
        ("path=/a/b", true),
        ("path=/a", false),
        ("flowControlKey=k", true),
        ("topicName=g", false),
        ("callerIp=10.0.0.1", true),
        ("callerIP=10.0.0.1", true),
        ("callerIp=10.0.0.2&callerIP=10.0.0.1", true),
        ("messageIds=msg_0&messageIds=msg_1", true),
        ("messageIds=msg_0", false),
        ("fromDate=1000&toDate=1000", true),
        ("fromDate=1001", false),
        ("toDate=999", false),
    ] {
        assert_eq!(matches(Of::Messages, query), expected, "{query}");
        assert_eq!(matches(Of::Events, query), expected, "{query}");
    }
}

#[test]
fn dead_letters_and_events_have_filters_of_their_own() {
    assert!(matches(
        Of::DeadLetters,
        "responseStatus=500&responseStatus=404"
    ));
    assert!(!matches(Of::DeadLetters, "responseStatus=500"));
    assert!(matches(Of::DeadLetters, "dlqIds=5-msg_1&messageId=msg_1"));
    assert!(!matches(Of::DeadLetters, "dlqIds=6-msg_1"));
    assert!(matches(Of::Events, "state=RETRY") && matches(Of::Events, "state=IN_PROGRESS"));
    assert!(!matches(Of::Events, "state=DELIVERED") && !matches(Of::Events, "state=CANCELED"));
    for (of, name) in [
        (Of::DeadLetters, "labeel"),
        (Of::DeadLetters, "host"),
        (Of::DeadLetters, "state"),
        (Of::Messages, "responseStatus"),
        (Of::Messages, "messageId"),
        (Of::Events, "dlqIds"),
        (Of::Messages, "Label"),
        (Of::Messages, ""),
    ] {
        let read = Filter::read(of, Some(&format!("{name}=1")), b"");
        assert_eq!(read, Err(InvalidFilter::Unknown(name.to_owned())), "{name}");
    }
}

#[test]
fn ids_come_in_the_body_as_well_and_an_empty_list_is_nothing() {
    let read = |of, body: &str| Filter::read(of, None, body.as_bytes());
    let ids = read(Of::Messages, r#"{"messageIds":["msg_1","msg_2"]}"#).unwrap();
    assert_eq!(ids.messages.as_ref().unwrap().len(), 2);
    assert!(matches_facts(&ids));
    assert!(matches_facts(
        &read(
            Of::DeadLetters,
            r#"{"dlqIds":["5-msg_1"],"label":"one","responseStatus":404}"#
        )
        .unwrap()
    ));
    for (of, body) in [
        (Of::Messages, r#"{"messageIds":[]}"#),
        (Of::DeadLetters, r#"{"dlqIds":[]}"#),
    ] {
        let none = read(of, body).unwrap();
        assert!(!matches_facts(&none) && !none.is_everything());
    }
    for body in ["", " \n", "{}", r#"{"label":null,"messageIds":null}"#] {
        assert!(read(Of::Messages, body).unwrap().is_everything(), "{body}");
    }
    for body in [
        "[]",
        "1",
        "{",
        r#"{"label":{}}"#,
        r#"{"label":[[]]}"#,
        "\u{0}",
    ] {
        assert_eq!(read(Of::Messages, body), Err(InvalidFilter::Body), "{body}");
    }
    assert!(read(Of::Messages, r#"{"dlqIds":[]}"#).is_err());
}

#[test]
fn counts_and_cursors_are_bounded() {
    let read = |query: &str| Filter::read(Of::Events, Some(query), b"");
    assert_eq!(read("").unwrap().count(), DEFAULT_COUNT);
    assert_eq!(read("count=7").unwrap().count(), 7);
    assert_eq!(
        read("count=18446744073709551615").unwrap().count(),
        MAX_COUNT
    );
    for query in [
        "count=0",
        "count=-1",
        "count=x",
        "count=",
        "fromDate=soon",
        "toDate=1.5",
        "state=DONE",
    ] {
        assert!(
            matches!(read(query), Err(InvalidFilter::Value(..))),
            "{query}"
        );
    }
    assert_eq!(read("cursor=").unwrap().cursor, None);
    assert_eq!(read("cursor=abc").unwrap().cursor.as_deref(), Some("abc"));
    assert!(
        read("cursor=abc&count=7&qstash_token=x&upstash-retries=1")
            .unwrap()
            .is_everything()
    );
    assert!(!read("label=a").unwrap().is_everything());
    assert_eq!(
        read(&"label=a&".repeat(MAX_VALUES + 1)),
        Err(InvalidFilter::TooMany)
    );
}

proptest! {
    #[test]
    fn any_filter_is_answered(query in ".*", body: Vec<u8>, text in ".*") {
        for of in [Of::Messages, Of::DeadLetters, Of::Events] {
            let _ = Filter::read(of, Some(&query), &body);
            let _ = Filter::read(of, None, text.as_bytes());
        }
    }
}
