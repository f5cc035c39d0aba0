"""PyPI `google-genai` before the stand-in for Google AI Studio, whose own API draws pictures; and PyPI `openai`,
whose pictures come from there through Atelier."""

import base64
import sys

import openai
from google import genai
from google.genai import errors, types

from support import KEY, MOCK, PICTURE, SPENT_KEY, UPSTREAM_KEY, URL, mock, raises, run

WORDS, PICTURES, VECTORS = "gemini-3.8-flash", "gemini-3-pro-image", "gemini-embedding-001"


def connected(key=UPSTREAM_KEY, **more):
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=MOCK, timeout=30_000, **more))


client = connected()


def test_words_and_their_usage():
    answer = client.models.generate_content(model=WORDS, contents="good morning")
    assert answer.text == "You said: good morning"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    used = answer.usage_metadata
    parts = used.prompt_token_count + used.candidates_token_count + used.thoughts_token_count
    assert used.total_token_count == parts > used.thoughts_token_count > 0
    assert answer.model_version == WORDS and answer.response_id


def test_an_answer_that_is_cut():
    config = types.GenerateContentConfig(max_output_tokens=2, temperature=0.5, system_instruction="Be brief.")
    answer = client.models.generate_content(model=WORDS, contents="one two", config=config)
    assert answer.text == "You said: "
    assert answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


def test_stream():
    events = list(client.models.generate_content_stream(model=WORDS, contents="good evening"))
    assert "".join(event.text for event in events) == "You said: good evening"
    counts = [event.usage_metadata.candidates_token_count for event in events]
    assert counts == sorted(counts) and counts[-1] == 4, "the total so far"


def test_a_conversation():
    chat = client.chats.create(model=WORDS)
    assert chat.send_message("one").text == "You said: one"
    assert chat.send_message("two").text == "You said: two"
    assert len(chat.get_history()) == 4


def test_a_picture():
    config = types.GenerateContentConfig(
        response_modalities=["IMAGE"],
        image_config=types.ImageConfig(aspect_ratio="3:2", image_size="2K"),
    )
    answer = client.models.generate_content(model=PICTURES, contents="a boat", config=config)
    parts = answer.parts
    drawn = [part for part in parts if part.inline_data and not part.thought]
    [picture] = drawn
    assert picture.inline_data.mime_type == "image/png"
    assert picture.as_image().image_bytes.startswith(b"\x89PNG")
    assert answer.usage_metadata.candidates_tokens_details[0].modality == types.MediaModality.IMAGE


def test_a_picture_from_another():
    config = types.GenerateContentConfig(response_modalities=["TEXT", "IMAGE"])
    contents = ["make it snow", types.Part.from_bytes(data=PICTURE, mime_type="image/png")]
    answer = client.models.generate_content(model=PICTURES, contents=contents, config=config)
    assert any(part.inline_data for part in answer.parts if not part.thought)


def test_what_is_refused_as_unsafe():
    mock.then({"trouble": "unsafe"})
    answer = client.models.generate_content(model=PICTURES, contents="a duel")
    assert answer.candidates is None
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


def test_vectors():
    config = types.EmbedContentConfig(output_dimensionality=64)
    answer = client.models.embed_content(model=VECTORS, contents=["one", "two"], config=config)
    assert [len(one.values) for one in answer.embeddings] == [64, 64]


def test_models():
    error = raises(
        errors.ClientError,
        lambda: client.models.generate_content(model="gemini-none", contents="x"),
    )
    assert (error.code, error.status) == (404, "NOT_FOUND")


def test_a_wrong_key():
    strange = connected("sk-wrong")
    error = raises(errors.ClientError, lambda: strange.models.generate_content(model=WORDS, contents="x"))
    assert (error.code, error.status) == (400, "INVALID_ARGUMENT")
    assert error.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_what_the_model_does_not_do():
    config = types.GenerateContentConfig(response_modalities=["IMAGE"])
    error = raises(
        errors.ClientError,
        lambda: client.models.generate_content(model=WORDS, contents="x", config=config),
    )
    assert (error.code, error.status) == (400, "INVALID_ARGUMENT")


def test_a_quota_and_a_failure():
    for trouble, kind, code, status in [
        ("spent", errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        ({"busy": {"milliseconds": 10}}, errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        ("failing", errors.ServerError, 500, "INTERNAL"),
    ]:
        mock.then({"trouble": trouble})
        error = raises(kind, lambda: client.models.generate_content(model=WORDS, contents="x"))
        assert (error.code, error.status) == (code, status)


def test_a_failure_is_repeated_until_it_is_answered():
    mock.then({"trouble": "failing"}, {"trouble": {"busy": {"milliseconds": 1}}})
    retry = types.HttpRetryOptions(attempts=3, initial_delay=0.01, jitter=0.01)
    patient = connected(retry_options=retry)
    assert patient.models.generate_content(model=WORDS, contents="again").text == "You said: again"


through = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, timeout=30)


def test_pictures_through_atelier():
    made = through.images.generate(model=PICTURES, prompt="a boat", n=2, size="1536x1024")
    assert [base64.b64decode(one.b64_json)[:4] for one in made.data] == [b"\x89PNG"] * 2
    assert made.output_format == "png" and made.created
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens > 2_000
    [one, other] = mock.calls(f"/v1beta/models/{PICTURES}:generateContent")
    assert one["json"] == other["json"] and KEY not in str(one)
    assert one["headers"]["x-goog-api-key"] == UPSTREAM_KEY and "authorization" not in one["headers"]


def test_a_picture_from_others_through_atelier():
    photos = [("a.png", PICTURE, "image/png"), ("b.png", PICTURE, "image/png")]
    made = through.images.edit(model=PICTURES, image=photos, prompt="make it snow")
    assert made.data[0].b64_json
    [call] = mock.calls(f"/v1beta/models/{PICTURES}:generateContent")
    assert len(call["json"]["contents"][0]["parts"]) == 3


def test_a_stream_through_atelier():
    events = list(through.images.generate(model=PICTURES, prompt="a boat", stream=True))
    assert [event.type for event in events] == ["image_generation.completed"]
    assert events[0].b64_json and events[0].usage.output_tokens > 1_000


def test_refusals_through_atelier():
    mock.then({"trouble": "unsafe"})
    error = raises(openai.BadRequestError, lambda: through.images.generate(model=PICTURES, prompt="a duel"))
    assert (error.code, error.type) == ("content_policy_violation", "image_generation_user_error")
    assert len(mock.calls(f"/v1beta/models/{PICTURES}:generateContent")) == 1, "asked for once"
    poor = through.with_options(api_key=SPENT_KEY, max_retries=0)
    error = raises(openai.RateLimitError, lambda: poor.images.generate(model=PICTURES, prompt="a boat"))
    assert error.code == "request_too_large", "more than the key may spend at all"


run(sys.modules[__name__])
