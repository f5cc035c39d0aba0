use proptest::prelude::*;

use super::*;

fn split(chunks: &[&[u8]]) -> (Vec<Event>, Option<Event>) {
    let mut splitter = Splitter::new(1 << 20);
    let mut events = Vec::new();
    for chunk in chunks {
        splitter.push(chunk);
        while let Some(event) = splitter.next_event().unwrap() {
            events.push(event);
        }
    }
    (events, splitter.finish())
}

fn data(events: &[Event]) -> Vec<String> {
    let data = events.iter().filter_map(|event| event.data.as_ref());
    data.map(|data| String::from_utf8_lossy(data).into_owned())
        .collect()
}

#[test]
fn events_are_read_with_every_line_break() {
    for text in [
        "event: x\ndata: {\"a\":\ndata:1}\nid: 7\n\ndata\n\n: ping\n\ndata:  y\n\n",
        "\u{feff}event: x\ndata: {\"a\":\ndata:1}\n\ndata\n\n: ping\n\ndata:  y\n\n",
    ] {
        for line_break in ["\n", "\r\n", "\r"] {
            let text = text.replace('\n', line_break);
            let (events, rest) = split(&[text.as_bytes()]);
            assert_eq!(data(&events), ["{\"a\":\n1}", "", " y"], "{text:?}");
            assert_eq!(events[0].name.as_deref(), Some("x"));
            let raw: Vec<u8> = events.iter().flat_map(|event| event.raw.to_vec()).collect();
            let rest = rest.map(|event| event.raw).unwrap_or_default();
            assert_eq!([&raw[..], &rest].concat(), text.as_bytes());
        }
    }
}

#[test]
fn an_event_ends_before_the_line_feed_of_its_last_line_arrives() {
    let mut splitter = Splitter::new(100);
    splitter.push(b"data: a\r\n\r");
    assert_eq!(splitter.next_event().unwrap().unwrap().raw, "data: a\r\n\r");
    assert_eq!(splitter.pending(), 0);
    splitter.push(b"\ndata: b\r\n\r\n");
    let event = splitter.next_event().unwrap().unwrap();
    assert_eq!(
        (&event.raw[..], event.data.as_deref()),
        (&b"\ndata: b\r\n\r"[..], Some(&b"b"[..]))
    );
}

#[test]
fn what_an_open_end_leaves_is_given_out_at_the_end() {
    let (events, rest) = split(&[b"data: a\n\nda", b"ta: [DONE]"]);
    assert_eq!(data(&events), ["a"]);
    assert!(rest.unwrap().is_done());
    assert_eq!(split(&[b"data: a\n\n"]).1, None);
}

#[test]
fn events_are_bounded() {
    let mut splitter = Splitter::new(16);
    splitter.push(b"data: 12345678\n\n");
    assert!(splitter.next_event().unwrap().is_some());
    splitter.push(b"data: 123456789\n\n");
    assert_eq!(splitter.next_event(), Err(TooLarge { limit: 16 }));
    let mut splitter = Splitter::new(16);
    splitter.push(&[b'x'; 17]);
    assert_eq!(splitter.next_event(), Err(TooLarge { limit: 16 }));
}

#[test]
fn names_and_data_that_are_no_text_do_no_harm() {
    let (events, _) = split(&[b"event: \xff\ndata: \xff\x00\n\nevent\n:\n\n"]);
    assert_eq!(
        (&events[0].name, events[0].data.as_deref()),
        (&None, Some(&b"\xff\x00"[..]))
    );
    assert_eq!(
        (events[1].name.as_deref(), &events[1].data),
        (Some(""), &None)
    );
}

/// Streams made of what matters in them.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&[u8]> = vec![
        b"\n",
        b"\r",
        b"\r\n",
        b"data",
        b":",
        b" ",
        b"event",
        b"x",
        b"\xff",
        b"\xef\xbb\xbf",
    ];
    let word = proptest::sample::select(words);
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_stream_is_split_alike_however_it_arrives(text in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let chunks: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        let (events, rest) = split(&chunks);
        prop_assert_eq!((&events, &rest), (&split(&[&text]).0, &split(&[&text]).1));
        // No byte is lost.
        let raw = events.iter().chain(&rest).flat_map(|event| event.raw.to_vec());
        prop_assert_eq!(raw.collect::<Vec<_>>(), text);
    }

    #[test]
    fn any_event_is_read_as_the_standard_says(lines in prop::collection::vec("(data|event|id|)(:| |: |)[a-z: ]{0,4}", 0..6)) {
        let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>() + "\n";
        let mut expected = Vec::new();
        for line in lines.iter().take_while(|line| !line.is_empty()) {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            if field == "data" {
                expected.push(value.strip_prefix(' ').unwrap_or(value));
            }
        }
        let (events, _) = split(&[text.as_bytes()]);
        let data = events[0].data.as_deref().map(<[u8]>::to_vec);
        let expected = (!expected.is_empty()).then(|| expected.join("\n").into_bytes());
        prop_assert_eq!(data, expected);
    }
}
