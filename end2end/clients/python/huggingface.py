"""PyPI `huggingface_hub` before the stand-in for Hugging Face's router, and chatting through Atelier."""

import sys

import httpx2
from huggingface_hub import InferenceClient, set_client_factory
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.hf_api import InferenceProviderMapping
from huggingface_hub.inference._providers._common import HARDCODED_MODEL_INFERENCE_MAPPING

from support import KEY, MOCK, UPSTREAM_KEY, URL, WEATHER, mock, raises, run, sent_here

CHATS, DRAWS = "openai/gpt-oss-120b:cheapest", "maker/fast"

#: Those behind the router are called at addresses of their own with keys of their own.
HOSTS = {"inference.api.nscale.com": b"/nscale", "api.together.xyz": b"/together"}

set_client_factory(lambda: httpx2.Client(transport=sent_here(httpx2.HTTPTransport, HOSTS)))


def connected(key=UPSTREAM_KEY):
    return InferenceClient(base_url=f"{MOCK}/v1", api_key=key, timeout=30)


client = connected()


def ask(client, text, **more):
    messages = [{"role": "user", "content": text}]
    return client.chat_completion(messages, model=CHATS, **more)


def test_chat_and_its_usage():
    answer = ask(client, "good morning", max_tokens=100)
    assert answer.choices[0].message.content == "You said: good morning"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_stream():
    options = {"include_usage": True}
    events = list(ask(client, "good evening", stream=True, stream_options=options))
    text = "".join(event.choices[0].delta.content or "" for event in events if event.choices)
    assert text == "You said: good evening" and events[-1].usage.completion_tokens == 4


def test_tools():
    answer = ask(client, "weather?", tools=[{"type": "function", "function": WEATHER}])
    [call] = answer.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Paris","days":7}')


def test_a_picture_in_bytes():
    model = f"https://router.huggingface.co/hf-inference/models/{DRAWS}"
    drawing = InferenceClient(provider="hf-inference", api_key=UPSTREAM_KEY)
    picture = drawing.text_to_image("a boat", model=model, width=1536, height=1024)
    assert (picture.format, picture.size) == ("PNG", (1, 1))
    [call] = mock.calls(f"/hf-inference/models/{DRAWS}")
    assert call["json"] == {"inputs": "a boat", "parameters": {"width": 1536, "height": 1024}}


def test_a_picture_of_those_behind_the_router():
    for provider in ["nscale", "together"]:
        HARDCODED_MODEL_INFERENCE_MAPPING[provider][DRAWS] = InferenceProviderMapping(
            provider=provider, hf_model_id=DRAWS, providerId=DRAWS, task="text-to-image", status="live"
        )
        drawing = InferenceClient(provider=provider, api_key=UPSTREAM_KEY)
        picture = drawing.text_to_image("a boat", model=DRAWS, width=1536, height=1024)
        assert (picture.format, picture.size) == ("PNG", (1, 1)), provider
        assert len(mock.calls(f"/{provider}/v1/images/generations")) == 1


def test_errors():
    error = raises(HfHubHTTPError, lambda: ask(connected("hf_wrong"), "x"))
    assert error.response.status_code == 401
    error = raises(HfHubHTTPError, lambda: client.chat_completion([{"role": "user", "content": "x"}], model="a/b"))
    assert error.response.status_code == 404
    mock.then({"trouble": "spent"})
    error = raises(HfHubHTTPError, lambda: ask(client, "x"))
    assert error.response.status_code == 402 and "credit" in str(error)
    mock.then({"trouble": "failing"})
    error = raises(HfHubHTTPError, lambda: ask(client, "x"))
    assert error.response.status_code == 500


def test_through_atelier():
    through = InferenceClient(base_url=f"{URL}/v1", api_key=KEY, timeout=30)
    assert ask(through, "good night").choices[0].message.content == "You said: good night"
    events = ask(through, "once more", stream=True)
    text = "".join(event.choices[0].delta.content or "" for event in events if event.choices)
    assert text == "You said: once more"
    for call in mock.calls("/v1/chat/completions"):
        assert KEY not in str(call) and call["headers"]["authorization"] == f"Bearer {UPSTREAM_KEY}"
    strange = InferenceClient(base_url=f"{URL}/v1", api_key="sk-wrong")
    error = raises(HfHubHTTPError, lambda: ask(strange, "x"))
    assert error.response.status_code == 401


run(sys.modules[__name__])
