"""PyPI `openai`, the synchronous client."""

import sys
import time

import openai
from openai import OpenAI
from pydantic import BaseModel

from support import (
    CHAT_KEY, KEY, MOCK, PICTURE, SPENT_KEY, URL, WEATHER, mock, raises, run, status,
)

client = OpenAI(base_url=f"{URL}/v1", api_key=KEY, timeout=30)


def ask(text, client=client, **more):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, **more)


def test_models():
    names = [model.id for model in client.models.list()]
    assert "gpt-4o-mini" in names and "text-embedding-3-small" in names, names
    model = client.models.retrieve("gpt-4o-mini")
    assert model.id == "gpt-4o-mini" and model.object == "model"
    error = raises(openai.NotFoundError, lambda: client.models.retrieve("no-such-model"))
    assert error.code == "model_not_found", error.body


def test_chat():
    answer = ask("good morning")
    assert answer.choices[0].message.content == "You said: good morning"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert answer._request_id


def test_the_provider_sees_neither_the_key_nor_what_identifies_the_client():
    ask("who am I", extra_headers={"cookie": "session=secret", "x-custom": "1"})
    [call] = mock.calls("/v1/chat/completions")
    assert KEY not in str(call), "the key of the client"
    assert "cookie" not in call["headers"]
    assert call["headers"]["authorization"] == "Bearer sk-upstream"


def test_what_no_gateway_knows_arrives():
    ask("hello", extra_body={"a_field_of_tomorrow": {"deep": [1, 2.50]}}, temperature=0.1)
    [call] = mock.calls("/v1/chat/completions")
    assert call["json"]["a_field_of_tomorrow"] == {"deep": [1, 2.5]}
    assert call["json"]["temperature"] == 0.1


def test_several_choices_and_an_answer_that_is_cut():
    answer = ask("one two three", n=3, max_completion_tokens=2)
    assert [choice.message.content for choice in answer.choices] == ["You said: "] * 3
    assert answer.choices[0].finish_reason == "length"


def test_chat_stream():
    pieces, reasons = [], []
    for chunk in ask("good evening", stream=True):
        assert chunk.usage is None, "nobody asked for it"
        assert chunk.choices, "the chunk with the usage is hidden"
        pieces.append(chunk.choices[0].delta.content or "")
        reasons.append(chunk.choices[0].finish_reason)
    assert "".join(pieces) == "You said: good evening"
    assert reasons[-1] == "stop"
    [call] = mock.calls("/v1/chat/completions")
    assert call["json"]["stream_options"]["include_usage"] is True, "it is always asked for"


def test_chat_stream_with_usage():
    chunks = list(ask("good night", stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


def test_chat_stream_helper():
    messages = [{"role": "user", "content": "help"}]
    with client.chat.completions.stream(model="gpt-4o-mini", messages=messages) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert "content.delta" in kinds and "content.done" in kinds, kinds
    assert final.choices[0].message.content == "You said: help"


def test_tool_call():
    tools = [{"type": "function", "function": {**WEATHER, "strict": True}}]
    answer = ask("weather?", tools=tools)
    [call] = answer.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Paris","days":7}')
    assert answer.choices[0].finish_reason == "tool_calls"
    messages = [
        {"role": "user", "content": "weather?"},
        answer.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "rain"},
    ]
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=tools)
    assert answer.choices[0].message.content == "You said: rain"


def test_tool_call_stream():
    arguments = ""
    for chunk in ask("weather?", tools=[{"type": "function", "function": WEATHER}], stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            arguments += call.function.arguments or ""
    assert arguments == '{"city":"Paris","days":7}'


class Trip(BaseModel):
    city: str
    days: int


def test_structured_output():
    messages = [{"role": "user", "content": "a trip"}]
    parsed = client.chat.completions.parse(model="gpt-4o-mini", messages=messages, response_format=Trip)
    assert parsed.choices[0].message.parsed == Trip(city="Paris", days=7)


def test_completions():
    answer = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="once upon")
    assert answer.choices[0].text == "You said: once upon"
    stream = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="a time", stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == "You said: a time"


def test_responses():
    answer = client.responses.create(model="gpt-5-mini", input="good day")
    assert answer.output_text == "You said: good day" and answer.status == "completed"
    stored = client.responses.retrieve(answer.id)
    assert stored.id == answer.id and stored.output_text == answer.output_text
    [item] = client.responses.input_items.list(answer.id).data
    assert item.content[0].text == "good day"
    following = client.responses.create(
        model="gpt-5-mini", input="and then", previous_response_id=answer.id
    )
    assert following.output_text == "You said: and then"
    client.responses.delete(answer.id)
    raises(openai.NotFoundError, lambda: client.responses.retrieve(answer.id))


def test_response_in_the_background():
    begun = client.responses.create(model="gpt-5-mini", input="long", background=True)
    assert begun.status == "in_progress"
    assert client.responses.cancel(begun.id).status == "cancelled"


def test_responses_stream():
    kinds, text = [], ""
    for event in client.responses.create(model="gpt-5-mini", input="and so on", stream=True):
        kinds.append(event.type)
        if event.type == "response.output_text.delta":
            text += event.delta
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed", kinds
    assert text == "You said: and so on"
    with client.responses.stream(model="gpt-5-mini", input="help") as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text == "You said: help"


def test_responses_tool_call_and_structured_output():
    tools = [{"type": "function", "strict": True, **WEATHER}]
    answer = client.responses.create(model="gpt-5-mini", input="weather?", tools=tools)
    assert answer.output[0].type == "function_call"
    assert answer.output[0].arguments == '{"city":"Paris","days":7}'
    parsed = client.responses.parse(model="gpt-5-mini", input="a trip", text_format=Trip)
    assert parsed.output_parsed == Trip(city="Paris", days=7)


def test_embeddings():
    model = "text-embedding-3-small"
    answer = client.embeddings.create(model=model, input=["red", "green"])
    call = mock.calls("/v1/embeddings")[-1]
    assert call["json"]["encoding_format"] == "base64", "the client's own default"
    vectors = [item.embedding for item in answer.data]
    assert [len(vector) for vector in vectors] == [1536, 1536]
    floats = client.embeddings.create(model=model, input=["red", "green"], encoding_format="float")
    difference = max(abs(a - b) for a, b in zip(vectors[0], floats.data[0].embedding))
    assert difference < 1e-6, difference
    assert answer.usage.total_tokens == floats.usage.total_tokens > 0
    short = client.embeddings.create(model=model, input="red", dimensions=8)
    assert len(short.data[0].embedding) == 8
    tokens = client.embeddings.create(model=model, input=[[1, 2, 3]])
    assert len(tokens.data) == 1


def test_moderations():
    results = client.moderations.create(input=["peace", "violence"]).results
    assert [result.flagged for result in results] == [False, True]


def test_images():
    answer = client.images.generate(model="gpt-image-2", prompt="a boat", n=2, size="1024x1024")
    assert len(answer.data) == 2 and answer.data[0].b64_json
    assert answer.usage.output_tokens > 0
    edited = client.images.edit(
        model="gpt-image-2",
        image=[("a.png", PICTURE, "image/png"), ("b.png", PICTURE, "image/png")],
        mask=("mask.png", PICTURE, "image/png"),
        prompt="a red boat",
    )
    assert edited.data[0].b64_json


def test_images_stream():
    kinds = [
        event.type
        for event in client.images.generate(
            model="gpt-image-2", prompt="a boat", stream=True, partial_images=2
        )
    ]
    partial = "image_generation.partial_image"
    assert kinds == [partial, partial, "image_generation.completed"], kinds
    picture = ("a.png", PICTURE, "image/png")
    edited = client.images.edit(
        model="gpt-image-2", image=picture, prompt="red", stream=True, partial_images=1
    )
    assert [event.type for event in edited] == ["image_edit.partial_image", "image_edit.completed"]


def test_audio():
    speech = client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="hello")
    assert speech.read().startswith(b"ID3")
    heard = client.audio.transcriptions.create(model="whisper-1", file=("a.mp3", b"ID3 hello"))
    assert heard.text == "9 bytes of silence"
    plain = client.audio.translations.create(
        model="whisper-1", file=("a.mp3", b"ID3"), response_format="text"
    )
    assert "3 bytes of silence" in str(plain)


def test_an_answer_comes_from_the_cache():
    first = ask("what is cached", temperature=0)
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", temperature=0, messages=[{"role": "user", "content": "what is cached"}]
    )
    assert raw.headers["x-atelier-cache"] == "hit", dict(raw.headers)
    assert raw.parse().choices[0].message == first.choices[0].message
    assert raw.parse().usage == first.usage
    streamed = ask("what is cached", temperature=0, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == "You said: what is cached"
    assert len(mock.calls("/v1/chat/completions")) == 1


def test_error_classes():
    once = client.with_options(max_retries=0)
    error = raises(openai.AuthenticationError, lambda: ask("x", once.with_options(api_key="sk-wrong")))
    assert error.request_id and error.body["message"], error.body
    error = raises(openai.BadRequestError, lambda: ask("x", once, temperature=3))
    assert error.param == "temperature", error.body
    error = raises(openai.BadRequestError, lambda: once.chat.completions.create(model="gpt-4o-mini", messages=[]))
    raises(
        openai.NotFoundError,
        lambda: once.chat.completions.create(model="gpt-none", messages=[{"role": "user", "content": "x"}]),
    )
    allowed = once.with_options(api_key=CHAT_KEY)
    assert ask("x", allowed).choices
    messages = [{"role": "user", "content": "x"}]
    error = raises(
        openai.APIStatusError,
        lambda: allowed.chat.completions.create(model="gpt-5-mini", messages=messages),
    )
    assert error.status_code in (403, 404), error


def test_a_spent_budget_is_told_once():
    spent = client.with_options(api_key=SPENT_KEY)
    # Each reserves what ten tokens cost at most, and is charged what it took.
    raises(openai.RateLimitError, lambda: [ask(f"number {turn}", spent, max_tokens=10) for turn in range(20)])
    mock.forget()
    raw = raises(openai.RateLimitError, lambda: ask("once more", spent, max_tokens=10))
    assert raw.code == "insufficient_quota", raw.body
    assert raw.response.headers["x-should-retry"] == "false"
    assert raw.response.request.headers["x-stainless-retry-count"] == "0"
    assert mock.calls("/v1/chat/completions") == []


def test_a_failure_is_repeated_until_it_is_answered():
    mock.then(status(500), status(429, {"retry-after": "0"}))
    assert ask("be patient").choices[0].message.content == "You said: be patient"
    assert len(mock.calls("/v1/chat/completions")) == 3


def test_time_out():
    mock.then(*["hang"] * 3)
    started = time.monotonic()
    raises(openai.APITimeoutError, lambda: ask("hurry", client.with_options(timeout=0.5, max_retries=0)))
    assert time.monotonic() - started < 10


def test_a_stream_that_breaks_is_no_answer():
    mock.then("close_midway")
    def read():
        return [chunk for chunk in ask("broken", stream=True)]
    raises(openai.APIError, read)


def test_failing_upstreams_are_server_errors():
    once = client.with_options(max_retries=0)
    for behaviour in ["html", "half_json", "error_inside"]:
        mock.forget()
        mock.then(*[behaviour] * 20)
        error = raises(openai.APIStatusError, lambda: ask(behaviour, once))
        assert error.status_code >= 500, error


if __name__ == "__main__":
    run(sys.modules[__name__])
