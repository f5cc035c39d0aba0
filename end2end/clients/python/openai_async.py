"""PyPI `openai`, the asynchronous client."""

import asyncio
import sys

import openai
from openai import AsyncOpenAI

from support import KEY, PICTURE, URL, WEATHER, mock, run


def connect():
    return AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY, timeout=30)


def user(text):
    return [{"role": "user", "content": text}]


async def test_models():
    async with connect() as client:
        names = [model.id async for model in client.models.list()]
        assert "gpt-4o-mini" in names, names


async def test_fifty_chats_at_once():
    async with connect() as client:
        async def ask(number):
            answer = await client.chat.completions.create(
                model="gpt-4o-mini", messages=user(f"number {number}")
            )
            return answer.choices[0].message.content
        answers = await asyncio.gather(*(ask(number) for number in range(50)))
        assert answers == [f"You said: number {number}" for number in range(50)]


async def test_chat_stream():
    async with connect() as client:
        stream = await client.chat.completions.create(
            model="gpt-4o-mini", messages=user("good evening"), stream=True
        )
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        assert text == "You said: good evening"


async def test_identical_calls_share_one():
    mock.then({"slow_first_byte": {"milliseconds": 500}})
    async with connect() as client:
        calls = [
            client.chat.completions.create(
                model="gpt-4o-mini", messages=user("together"), temperature=0
            )
            for _ in range(10)
        ]
        answers = await asyncio.gather(*calls)
        assert {answer.choices[0].message.content for answer in answers} == {"You said: together"}
    assert len(mock.calls("/v1/chat/completions")) == 1


async def test_tool_call():
    async with connect() as client:
        tools = [{"type": "function", "function": WEATHER}]
        answer = await client.chat.completions.create(
            model="gpt-4o-mini", messages=user("weather?"), tools=tools
        )
        assert answer.choices[0].message.tool_calls[0].function.name == "weather"


async def test_responses_stream():
    async with connect() as client:
        async with client.responses.stream(model="gpt-5-mini", input="and so on") as stream:
            kinds = [event.type async for event in stream]
            final = await stream.get_final_response()
        assert kinds[0] == "response.created", kinds
        assert final.output_text == "You said: and so on"


async def test_embeddings():
    async with connect() as client:
        answer = await client.embeddings.create(model="text-embedding-3-small", input="red")
        assert len(answer.data[0].embedding) == 1536


async def test_images():
    async with connect() as client:
        answer = await client.images.generate(model="gpt-image-2", prompt="a boat")
        assert answer.data[0].b64_json
        stream = await client.images.edit(
            model="gpt-image-2", image=("a.png", PICTURE, "image/png"), prompt="red",
            stream=True, partial_images=1,
        )
        kinds = [event.type async for event in stream]
        assert kinds == ["image_edit.partial_image", "image_edit.completed"], kinds


async def test_a_stream_can_be_left():
    mock.then("hang_midway")
    async with connect() as client:
        stream = await client.chat.completions.create(
            model="gpt-4o-mini", messages=user("a long story"), stream=True
        )
        async for _ in stream:
            break
        await stream.close()


async def test_time_out():
    mock.then(*["hang"] * 3)
    async with connect() as client:
        hasty = client.with_options(timeout=0.5, max_retries=0)
        try:
            await hasty.chat.completions.create(model="gpt-4o-mini", messages=user("hurry"))
        except openai.APITimeoutError:
            return
        raise AssertionError("it should take too long")


if __name__ == "__main__":
    run(sys.modules[__name__])
