//! The vectors are those that candle and Hugging Face's tokenizers made of the same
//! weights: `data/texts.jsonl` holds texts, their tokens and their vectors.

use serde::Deserialize;

use crate::{DIMENSIONS, Encoder, Error, MAX_BYTES};

#[derive(Deserialize)]
struct Known {
    text: String,
    vector: Vec<f32>,
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn vectors_are_those_of_the_reference() {
    let encoder = Encoder::new().unwrap();
    for line in include_str!("../data/texts.jsonl").lines() {
        let known: Known = serde_json::from_str(line).unwrap();
        let vector = encoder.encode(&known.text).unwrap();
        assert_eq!(vector.len(), DIMENSIONS);
        let pairs = vector.iter().zip(&known.vector);
        let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let similarity = dot(&vector, &known.vector);
        assert!(most < 1e-5, "{:?}: off by {most}", known.text);
        assert!(similarity > 0.999_99, "{:?}: {similarity}", known.text);
    }
}

#[test]
fn vectors_are_of_unit_length() {
    let encoder = Encoder::new().unwrap();
    for text in ["a", "a red fox in the snow", &"word ".repeat(2000)] {
        let vector = encoder.encode(text).unwrap();
        assert!((dot(&vector, &vector) - 1.0).abs() < 1e-5);
    }
}

#[test]
fn a_text_has_the_same_vector_from_every_thread() {
    let encoder = Encoder::new().unwrap();
    let alone = encoder.encode("a red fox in the snow").unwrap();
    std::thread::scope(|scope| {
        let encode = || encoder.encode("a red fox in the snow").unwrap();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(encode)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), alone);
        }
    });
}

#[test]
fn what_comes_after_the_last_token_is_not_read() {
    let encoder = Encoder::new().unwrap();
    let read = "fox ".repeat(126);
    let longer = format!("{read} and a lighthouse");
    assert_eq!(encoder.encode(&read), encoder.encode(&longer));
    let shorter = "fox ".repeat(125);
    assert_ne!(encoder.encode(&read), encoder.encode(&shorter));
}

#[test]
fn a_text_without_words_or_without_end_has_no_vector() {
    let encoder = Encoder::new().unwrap();
    for blank in ["", " ", "\n\t\u{a0}\u{3000}"] {
        assert_eq!(encoder.encode(blank), Err(Error::Empty));
    }
    let longest = "x".repeat(MAX_BYTES);
    assert!(encoder.encode(&longest).is_ok());
    assert_eq!(encoder.encode(&(longest + "x")), Err(Error::TooLong));
}

#[test]
fn a_text_of_nothing_that_is_read_still_has_a_vector() {
    let encoder = Encoder::new().unwrap();
    assert_eq!(encoder.encode("\u{0}\u{200b}"), encoder.encode("\u{301}"));
}
