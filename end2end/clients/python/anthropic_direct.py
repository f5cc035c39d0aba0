"""PyPI `anthropic` before the stand-in for Anthropic alone, and through Atelier: both answer alike."""

import sys

import anthropic
from anthropic import Anthropic

from support import KEY, MOCK, UPSTREAM_KEY, URL, WEATHER, mock, raises, run

MODEL = "claude-sonnet-5"

direct = Anthropic(base_url=MOCK, api_key=UPSTREAM_KEY, timeout=30, max_retries=0)
through = Anthropic(base_url=URL, api_key=KEY, timeout=30, max_retries=0)


def question(text, **more):
    return {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}


def test_message_and_its_usage():
    answers = [client.messages.create(**question("good morning")) for client in (direct, through)]
    for answer in answers:
        assert answer.content[0].text == "You said: good morning" and answer.stop_reason == "end_turn"
    assert answers[0].usage == answers[1].usage and answers[0].usage.output_tokens == 4


def test_stream():
    seen = []
    for client in (direct, through):
        with client.messages.stream(**question("good evening")) as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_message()
        assert final.content[0].text == "You said: good evening"
        seen.append(([kind for kind in kinds if kind != "ping"], final.usage))
    assert seen[0] == seen[1]


def test_tools():
    tool = {"name": "weather", "input_schema": WEATHER["parameters"]}
    for client in (direct, through):
        answer = client.messages.create(**question("weather?", tools=[tool]))
        assert answer.content[0].input == {"city": "Paris", "days": 7}


def test_the_version_and_the_betas_are_the_clients():
    for client in (direct, through):
        client.messages.create(**question("hello"), extra_headers={"anthropic-beta": "of-tomorrow"})
    told = [(call["headers"]["anthropic-version"], call["headers"]["anthropic-beta"]) for call in mock.calls()
            if call["method"] == "POST"]
    assert len(told) == 2 and told[0] == told[1], told


def test_errors():
    for client in (direct, through):
        strange = client.with_options(api_key="sk-wrong")
        error = raises(anthropic.AuthenticationError, lambda: strange.messages.create(**question("x")))
        assert error.body["error"]["type"] == "authentication_error"
        wrong = {**question("x"), "messages": [{"role": "robot", "content": "x"}]}
        error = raises(anthropic.BadRequestError, lambda: client.messages.create(**wrong))
        assert error.body["error"]["type"] == "invalid_request_error"
        unknown = {**question("x"), "model": "claude-none"}
        raises(anthropic.NotFoundError, lambda: client.messages.create(**unknown))
        # Through Atelier a failure is tried again.
        mock.then(*[{"trouble": "failing"}] * (1 if client is direct else 2))
        raises(anthropic.InternalServerError, lambda: client.messages.create(**question("x")))
        mock.then({"trouble": "spent"})
        error = raises(anthropic.RateLimitError, lambda: client.messages.create(**question("x")))
        assert "spend limit" in str(error), error


run(sys.modules[__name__])
