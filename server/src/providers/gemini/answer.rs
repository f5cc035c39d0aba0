//! What Google's models answer: pictures among other parts, refusals with status 200, and what it has taken.
//! Both spellings of names are read, as in the forms that JSON of Google's protocol buffers may have.

use bytes::Bytes;
use serde_json::Value;

use super::super::{
    Answer, Error, Tokens,
    encoded::decode,
    http::{garbage, shorten},
    refused::unsafe_content,
};
use crate::config::Prices;

/// How a candidate ends whose content is refused. (Every reason to block a prompt is a refusal.)
const REFUSED: [&str; 9] = [
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "ESCALATION",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
];

/// Reads the body of a successful response.
pub(super) fn read(body: &[u8], prices: Option<Prices>) -> Result<Answer, Error> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| garbage())?;
    let answer = answer.get(0).unwrap_or(&answer);
    let cost_usd = prices.and_then(|prices| cost(field(answer, "usageMetadata"), prices));
    let pictures: Vec<Bytes> = parts(answer).filter_map(picture).collect();
    if pictures.is_empty() {
        return Err(nothing(answer).charged(cost_usd));
    }
    Ok(Answer {
        tokens: tokens(field(answer, "usageMetadata")),
        ..Answer::of(pictures, cost_usd)
    })
}

/// Why there is no picture.
fn nothing(answer: &Value) -> Error {
    let feedback = field(answer, "promptFeedback");
    let blocked = field(feedback, "blockReason").as_str();
    let ends: Vec<_> = list(&answer["candidates"])
        .filter_map(|candidate| field(candidate, "finishReason").as_str())
        .collect();
    tracing::warn!(?blocked, ?ends, "an answer has no picture");
    let is_blocked = blocked.is_some_and(|reason| !reason.ends_with("_UNSPECIFIED"));
    if is_blocked || ends.iter().any(|end| REFUSED.contains(end)) {
        return unsafe_content();
    }
    let said: String = parts(answer)
        .filter_map(|part| part["text"].as_str())
        .collect();
    if said.is_empty() {
        return garbage();
    }
    let said = shorten(&said);
    Error {
        message: format!("The image service answered with words and no picture: {said}"),
        ..garbage()
    }
}

/// The parts of all candidates that are no thoughts: those may hold pictures on the way.
fn parts(answer: &Value) -> impl Iterator<Item = &Value> {
    list(&answer["candidates"])
        .flat_map(|candidate| list(&candidate["content"]["parts"]))
        .filter(|part| part["thought"] != true)
}

fn picture(part: &Value) -> Option<Bytes> {
    let inline = field(part, "inlineData");
    let media_type = field(inline, "mimeType").as_str();
    let is_picture = media_type.is_none_or(|kind| kind.starts_with("image/"));
    inline["data"]
        .as_str()
        .filter(|_| is_picture)
        .and_then(decode)
}

/// US dollars; `None` if the answer tells no usage.
fn cost(usage: &Value, prices: Prices) -> Option<f64> {
    let count = |name| field(usage, name).as_u64();
    let (prompt, made) = (count("promptTokenCount")?, count("candidatesTokenCount"));
    let made = made.unwrap_or_default();
    let seen = of_pictures(usage, "promptTokensDetails")
        .unwrap_or(0)
        .min(prompt);
    // Without details, all of it is the picture, the dearest.
    let drawn = of_pictures(usage, "candidatesTokensDetails")
        .unwrap_or(made)
        .min(made);
    // Thoughts are no part of the candidates, and are paid for.
    let thoughts = count("thoughtsTokenCount").unwrap_or_default();
    let tools = count("toolUsePromptTokenCount").unwrap_or_default();
    let words = prices.text_output.unwrap_or(prices.image_output);
    let millionths = (prompt - seen + tools) as f64 * prices.text_input
        + seen as f64 * prices.image_input
        + drawn as f64 * prices.image_output
        + (made - drawn + thoughts) as f64 * words;
    Some(millionths / 1e6)
}

/// As OpenAI counts them: what was thought is a part of what was made.
fn tokens(usage: &Value) -> Option<Tokens> {
    let count = |name| field(usage, name).as_u64();
    let thoughts = count("thoughtsTokenCount").unwrap_or_default();
    let tools = count("toolUsePromptTokenCount").unwrap_or_default();
    Some(Tokens {
        input: count("promptTokenCount")? + tools,
        image_input: of_pictures(usage, "promptTokensDetails").unwrap_or(0),
        output: count("candidatesTokenCount").unwrap_or_default() + thoughts,
    })
}

/// The tokens of pictures, if details are told.
fn of_pictures(usage: &Value, name: &str) -> Option<u64> {
    let details = field(usage, name).as_array()?;
    let pictures = details.iter().filter(|one| one["modality"] == "IMAGE");
    let counts = pictures.map(|one| field(one, "tokenCount").as_u64().unwrap_or_default());
    (!details.is_empty()).then(|| counts.sum())
}

/// A member by its name, in camel case or in snake case.
fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    let snake = || {
        let letters = name.chars().map(|letter| match letter {
            'A'..='Z' => format!("_{}", letter.to_ascii_lowercase()),
            letter => letter.to_string(),
        });
        letters.collect::<String>()
    };
    let found = value.get(name).or_else(|| value.get(snake()));
    found.unwrap_or(&Value::Null)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        job::Cost,
        providers::{CONTENT_REFUSED, Remedy},
    };

    const PRICES: Prices = Prices {
        text_input: 1.0,
        image_input: 2.0,
        image_output: 100.0,
        text_output: Some(10.0),
    };

    fn answer(value: &Value) -> Result<Answer, Error> {
        read(value.to_string().as_bytes(), Some(PRICES))
    }

    fn candidate(parts: &Value, end: &str) -> Value {
        json!({ "content": { "role": "model", "parts": parts }, "finishReason": end })
    }

    #[test]
    fn pictures_are_found_among_words_and_thoughts() {
        let thought =
            json!({ "thought": true, "inlineData": { "mimeType": "image/png", "data": "AAAA" } });
        let words = json!({ "text": "Here it is." });
        let camel = json!({ "inlineData": { "mimeType": "image/png", "data": "AAEC" } });
        let snake = json!({ "inline_data": { "mime_type": "image/jpeg", "data": "AAED" } });
        let sound = json!({ "inlineData": { "mimeType": "audio/wav", "data": "AAEE" } });
        let made = answer(&json!({ "candidates": [
            candidate(&json!([thought, words, camel, sound]), "STOP"),
            candidate(&json!([snake]), "STOP"),
        ]}));
        let made = made.unwrap();
        assert_eq!(made.pictures, [&[0u8, 1, 2][..], &[0, 1, 3]]);
        assert_eq!(
            (made.cost_usd, made.tokens),
            (None, None),
            "nothing is told"
        );
        // A list of one, as streams and errors have it.
        let listed = answer(&json!([{ "candidates": [candidate(&json!([camel]), "STOP")] }]));
        assert_eq!(listed.unwrap().pictures.len(), 1);
    }

    #[test]
    fn a_refusal_with_status_200_is_one() {
        let usage = json!({ "promptTokenCount": 100, "totalTokenCount": 100 });
        let mut refusals =
            vec![json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" } })];
        refusals.push(json!({ "prompt_feedback": { "block_reason": "SOMETHING_NEW" } }));
        refusals.extend(REFUSED.map(|end| json!({ "candidates": [{ "finishReason": end }] })));
        for mut refusal in refusals {
            refusal["usageMetadata"] = usage.clone();
            let error = answer(&refusal).unwrap_err();
            assert_eq!(
                (error.code, error.remedy),
                (CONTENT_REFUSED, Remedy::Nothing),
                "{refusal}"
            );
            assert_eq!(error.cost, Cost::Usd(0.0001));
        }
    }

    #[test]
    fn an_answer_without_a_picture_is_tried_again() {
        let words = json!([{ "text": "Which colour?" }]);
        for (value, message) in [
            (
                json!({ "candidates": [candidate(&words, "STOP")] }),
                "Which colour?",
            ),
            (
                json!({ "candidates": [{ "finishReason": "NO_IMAGE" }] }),
                "understood",
            ),
            (
                json!({ "candidates": [{ "finish_reason": "IMAGE_OTHER" }] }),
                "understood",
            ),
            (
                json!({ "candidates": [candidate(&json!([]), "MALFORMED_RESPONSE")] }),
                "understood",
            ),
            (json!({ "candidates": [] }), "understood"),
            (
                json!({ "candidates": [candidate(&json!([{ "inlineData": { "data": "!" } }]), "STOP")] }),
                "understood",
            ),
            (json!("text"), "understood"),
        ] {
            let error = answer(&value).unwrap_err();
            assert_eq!(
                (error.code, error.remedy),
                ("bad_answer", Remedy::Retry(None)),
                "{value}"
            );
            assert!(
                error.message.contains(message),
                "{value}: {}",
                error.message
            );
        }
        assert_eq!(read(b"<html>", None).unwrap_err().cost, Cost::Estimate);
    }

    #[test]
    fn thoughts_are_paid_for() {
        let picture = json!([{ "inlineData": { "mimeType": "image/png", "data": "AAEC" } }]);
        let cost = |usage: Value| {
            let body =
                json!({ "candidates": [candidate(&picture, "STOP")], "usageMetadata": usage });
            answer(&body).unwrap().cost_usd.unwrap() * 1e6
        };
        let told = cost(json!({
            "promptTokenCount": 300, "candidatesTokenCount": 1100, "thoughtsTokenCount": 50,
            "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": 40 }, { "modality": "IMAGE", "tokenCount": 260 }],
            "candidatesTokensDetails": [{ "modality": "IMAGE", "tokenCount": 1000 }],
        }));
        assert!(
            (told - (40.0 + 260.0 * 2.0 + 1000.0 * 100.0 + 150.0 * 10.0)).abs() < 1e-6,
            "{told}"
        );
        let bare = cost(json!({ "prompt_token_count": 40, "candidates_token_count": 1000 }));
        assert!((bare - (40.0 + 100_000.0)).abs() < 1e-6, "{bare}");
    }
}
