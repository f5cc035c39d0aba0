"""PyPI `openai-agents`: an agent with a tool, by responses and by chat."""

import sys

from agents import (
    Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

from support import KEY, URL, run

set_tracing_disabled(True)


@function_tool
def weather(city: str, days: int) -> str:
    """The weather in a city."""
    return f"rain in {city}"


def agent(kind, model):
    client = AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY)
    return Agent(name="Forecaster", model=kind(model=model, openai_client=client), tools=[weather])


async def test_by_responses():
    result = await Runner.run(agent(OpenAIResponsesModel, "gpt-5-mini"), "weather?")
    assert result.final_output == "You said: rain in Paris", result.final_output


async def test_by_chat():
    result = await Runner.run(agent(OpenAIChatCompletionsModel, "gpt-4o-mini"), "weather?")
    assert result.final_output == "You said: rain in Paris", result.final_output


async def test_streamed():
    result = Runner.run_streamed(agent(OpenAIResponsesModel, "gpt-5-mini"), "weather?")
    kinds = {event.type async for event in result.stream_events()}
    assert "raw_response_event" in kinds
    assert result.final_output == "You said: rain in Paris", result.final_output


if __name__ == "__main__":
    run(sys.modules[__name__])
