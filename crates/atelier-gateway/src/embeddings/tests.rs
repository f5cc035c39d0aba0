use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn the_client_says_how_it_wants_its_vectors() {
    for (format, expected) in [
        (json!(null), Some(Encoding::Float)),
        (json!("float"), Some(Encoding::Float)),
        (json!("base64"), Some(Encoding::Base64)),
        (json!("int8"), None),
    ] {
        let body = json!({ "model": "m", "input": "x", "encoding_format": format }).to_string();
        let call = Call::read(Endpoint::Embeddings, None, Bytes::from(body)).unwrap();
        assert_eq!(call.encoding(), expected, "{format}");
    }
}

#[test]
fn one_answer_serves_both() {
    let floats = json!({ "data": [{ "index": 0, "embedding": [0.5, -2.0, 0] }], "model": "m" });
    let mut answer = floats.clone();
    encode(&mut answer, Encoding::Base64);
    // Little-endian, as the clients read it.
    assert_eq!(answer["data"][0]["embedding"], "AAAAPwAAAMAAAAAA");
    let base64 = answer.clone();
    encode(&mut answer, Encoding::Base64);
    assert_eq!(answer, base64);
    encode(&mut answer, Encoding::Float);
    assert_eq!(answer["data"][0]["embedding"], json!([0.5, -2.0, 0.0]));
    assert_eq!(answer["model"], "m");
}

#[test]
fn what_is_no_vector_stays() {
    for odd in [
        json!({ "data": [{ "embedding": "AAA=" }, { "embedding": "###" }, {}, 3] }),
        json!({ "data": [{ "embedding": ["x"] }, { "embedding": [1e300] }, { "embedding": null }] }),
        json!({ "data": "x" }),
        json!([]),
        json!(null),
    ] {
        for encoding in [Encoding::Float, Encoding::Base64] {
            let mut answer = odd.clone();
            encode(&mut answer, encoding);
            assert_eq!(answer, odd);
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_on_the_way(numbers in prop::collection::vec(-1e30_f32..1e30, 0..20)) {
        let mut answer = json!({ "data": [{ "embedding": numbers }] });
        encode(&mut answer, Encoding::Base64);
        encode(&mut answer, Encoding::Float);
        let back = answer["data"][0]["embedding"].as_array().unwrap().iter();
        let back: Vec<_> = back.map(|number| number.as_f64().unwrap() as f32).collect();
        prop_assert_eq!(back, numbers);
    }
}
