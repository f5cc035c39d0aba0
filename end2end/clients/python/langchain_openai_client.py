"""PyPI `langchain-openai`."""

import sys

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from support import KEY, URL, run

chat = ChatOpenAI(model="gpt-4o-mini", base_url=f"{URL}/v1", api_key=KEY)


@tool
def weather(city: str, days: int) -> str:
    """The weather in a city."""
    return f"rain in {city}"


def test_chat():
    answer = chat.invoke("good morning")
    assert answer.content == "You said: good morning"
    assert answer.usage_metadata["total_tokens"] > 0


def test_stream():
    assert "".join(chunk.content for chunk in chat.stream("good evening")) == "You said: good evening"


def test_tool_call():
    [call] = chat.bind_tools([weather]).invoke("weather?").tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Paris", "days": 7})


def test_responses():
    responses = ChatOpenAI(
        model="gpt-5-mini", base_url=f"{URL}/v1", api_key=KEY, use_responses_api=True
    )
    assert responses.invoke("good day").text == "You said: good day"


def test_embeddings():
    # Without tiktoken's tables, which would be downloaded, texts go as they are.
    embeddings = OpenAIEmbeddings(
        model="text-embedding-3-small", base_url=f"{URL}/v1", api_key=KEY,
        check_embedding_ctx_length=False,
    )
    assert len(embeddings.embed_query("red")) == 1536


if __name__ == "__main__":
    run(sys.modules[__name__])
