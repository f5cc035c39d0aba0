"""PyPI `litellm`, as a client."""

import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm

from support import KEY, URL, WEATHER, run

to = {"api_base": f"{URL}/v1", "api_key": KEY}


def user(text):
    return [{"role": "user", "content": text}]


def test_chat():
    answer = litellm.completion(model="openai/gpt-4o-mini", messages=user("good morning"), **to)
    assert answer.choices[0].message.content == "You said: good morning"
    assert answer.usage.total_tokens > 0


def test_stream():
    stream = litellm.completion(
        model="openai/gpt-4o-mini", messages=user("good evening"), stream=True, **to
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == "You said: good evening"


def test_tool_call():
    tools = [{"type": "function", "function": WEATHER}]
    answer = litellm.completion(
        model="openai/gpt-4o-mini", messages=user("weather?"), tools=tools, **to
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "weather"


def test_embeddings():
    answer = litellm.embedding(model="openai/text-embedding-3-small", input=["red"], **to)
    assert len(answer.data[0]["embedding"]) == 1536


def test_messages():
    answer = litellm.completion(
        model="anthropic/claude-sonnet-5", messages=user("hello"), max_tokens=50,
        api_base=URL, api_key=KEY,
    )
    assert answer.choices[0].message.content == "You said: hello"


if __name__ == "__main__":
    run(sys.modules[__name__])
