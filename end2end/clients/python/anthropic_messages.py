"""PyPI `anthropic`, both clients."""

import json
import sys
import urllib.request

import anthropic
from anthropic import Anthropic, AsyncAnthropic

from support import KEY, URL, WEATHER, mock, raises, run, status

MODEL = "claude-sonnet-5"

client = Anthropic(base_url=URL, api_key=KEY, timeout=30)


def ask(text, client=client, **more):
    messages = [{"role": "user", "content": text}]
    return client.messages.create(model=MODEL, max_tokens=100, messages=messages, **more)


def test_message():
    message = ask("good morning")
    assert message.content[0].text == "You said: good morning"
    assert message.stop_reason == "end_turn" and message.usage.output_tokens > 0
    [call] = mock.calls("/v1/messages")
    keys = [call["headers"].get("x-api-key"), call["headers"].get("authorization")]
    assert "sk-upstream" in keys or "Bearer sk-upstream" in keys, keys
    assert call["headers"]["anthropic-version"]
    assert KEY not in str(call), "the key of the client"


def test_by_either_header():
    body = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
    for name, value in [("x-api-key", KEY), ("authorization", f"Bearer {KEY}")]:
        headers = {name: value, "content-type": "application/json", "anthropic-version": "2023-06-01"}
        request = urllib.request.Request(f"{URL}/v1/messages", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["content"][0]["text"] == "You said: hello"


def test_stream():
    messages = [{"role": "user", "content": "good evening"}]
    with client.messages.stream(model=MODEL, max_tokens=100, messages=messages) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == final.content[0].text == "You said: good evening"
    assert final.stop_reason == "end_turn" and final.usage.output_tokens > 0


async def test_stream_asynchronously():
    messages = [{"role": "user", "content": "good night"}]
    async with AsyncAnthropic(base_url=URL, api_key=KEY, timeout=30) as client:
        async with client.messages.stream(model=MODEL, max_tokens=100, messages=messages) as stream:
            text = "".join([piece async for piece in stream.text_stream])
    assert text == "You said: good night"


def test_tool_use():
    tool = {"name": "weather", "input_schema": WEATHER["parameters"]}
    message = ask("weather?", tools=[tool])
    assert message.stop_reason == "tool_use"
    assert message.content[0].input == {"city": "Paris", "days": 7}
    messages = [{"role": "user", "content": "weather?"}]
    with client.messages.stream(
        model=MODEL, max_tokens=100, messages=messages, tools=[tool]
    ) as stream:
        final = stream.get_final_message()
    assert final.content[0].input == {"city": "Paris", "days": 7}


def test_count_tokens():
    messages = [{"role": "user", "content": "one two three"}]
    assert client.messages.count_tokens(model=MODEL, messages=messages).input_tokens == 6


def test_error_classes():
    once = client.with_options(max_retries=0)
    error = raises(anthropic.AuthenticationError, lambda: ask("x", once.with_options(api_key="sk-wrong")))
    assert error.body["type"] == "error" and error.body["error"]["type"] == "authentication_error"
    error = raises(
        anthropic.BadRequestError,
        lambda: once.messages.create(model=MODEL, max_tokens=10, messages=[{"role": "robot", "content": "x"}]),
    )
    assert error.body["error"]["type"] == "invalid_request_error", error.body
    error = raises(
        anthropic.NotFoundError,
        lambda: once.messages.create(model="claude-none", max_tokens=10, messages=[{"role": "user", "content": "x"}]),
    )
    assert error.body["error"]["type"] == "not_found_error", error.body


def test_a_failure_is_repeated_until_it_is_answered():
    mock.then(status(529), status(429, {"retry-after": "0"}))
    assert ask("be patient").content[0].text == "You said: be patient"


def test_an_error_in_the_stream_is_an_error():
    mock.then("error_inside")
    messages = [{"role": "user", "content": "broken"}]
    def read():
        return list(client.messages.create(model=MODEL, max_tokens=10, messages=messages, stream=True))
    raises(anthropic.APIError, read)


def test_time_out():
    mock.then(*["hang"] * 3)
    hasty = client.with_options(timeout=0.5, max_retries=0)
    raises(anthropic.APITimeoutError, lambda: ask("hurry", hasty))


if __name__ == "__main__":
    run(sys.modules[__name__])
