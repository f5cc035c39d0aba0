"""PyPI `google-genai` before the stand-in for Google AI Studio, whose own API draws the studio's pictures."""

import sys

from google import genai
from google.genai import errors, types

from support import MOCK, PICTURE, UPSTREAM_KEY, mock, raises, run

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


run(sys.modules[__name__])
