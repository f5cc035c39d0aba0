"""PyPI `ibm-watsonx-ai` before the stand-in for watsonx.ai and the IAM that gives tokens for it. The client
insists on IBM's addresses, which are answered here."""

import sys

import httpx
from ibm_watsonx_ai import APIClient, Credentials
from ibm_watsonx_ai.foundation_models import Embeddings, ModelInference
from ibm_watsonx_ai.wml_client_error import ApiRequestFailure, WMLClientError

from support import UPSTREAM_KEY, WEATHER, mock, raises, run, sent_here

MODEL = "ibm/granite-4-h-small"
HOST = "https://us-south.ml.cloud.ibm.com"


def connected(key=UPSTREAM_KEY):
    here = httpx.Client(transport=sent_here(httpx.HTTPTransport))
    credentials = Credentials(url=HOST, api_key=key)
    # The project is of IBM's platform, for which nothing stands in.
    return APIClient(credentials, project_id="ours", httpx_client=here, scope_validation=False)


def model(**more):
    return ModelInference(model_id=MODEL, api_client=connected(), **more)


def said(text):
    return [{"role": "user", "content": text}]


def test_chat_and_its_usage():
    answer = model().chat(said("good morning"), params={"max_tokens": 100, "temperature": 0.5})
    assert answer["choices"][0]["message"]["content"] == "You said: good morning"
    used = answer["usage"]
    assert used["total_tokens"] == used["prompt_tokens"] + used["completion_tokens"] > 0
    [call] = mock.calls("/ml/v1/text/chat")
    assert call["query"].startswith("version=") and call["json"]["project_id"] == "ours"


def test_stream():
    events = list(model().chat_stream(said("good evening")))
    pieces = [event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"]]
    assert "".join(pieces) == "You said: good evening"
    assert events[-1]["usage"]["completion_tokens"] == 4


def test_tools():
    parameters = {name: value for name, value in WEATHER["parameters"].items() if name != "additionalProperties"}
    tool = {"type": "function", "function": {**WEATHER, "parameters": parameters}}
    answer = model().chat(said("weather?"), tools=[tool], tool_choice_option="auto")
    [call] = answer["choices"][0]["message"]["tool_calls"]
    assert call["function"]["arguments"] == '{"city":"Paris","days":7}'


def test_vectors():
    vectors = Embeddings(model_id=MODEL, api_client=connected())
    answer = vectors.generate(["one", "two words"])
    assert len(answer["results"]) == 2 and answer["input_token_count"] == 3
    assert len(vectors.embed_query("one")) == len(answer["results"][0]["embedding"])


def test_one_token_for_several_calls():
    ours = model()
    for _ in range(2):
        ours.chat(said("x"))
    assert len(mock.calls("/identity/token")) == 1


def test_a_wrong_key():
    error = raises(WMLClientError, lambda: connected("sk-wrong"))
    assert "not known" in str(error), error


def test_refusals():
    patient = {"max_retries": 0}
    for trouble, status, code in [
        ("spent", 403, "token_quota_reached"),
        ("failing", 500, "INTERNAL"),
    ]:
        ours = model(**patient)
        mock.then({"trouble": trouble})
        error = raises(ApiRequestFailure, lambda: ours.chat(said("x")))
        assert error.response.status_code == status, error
        assert error.response.json()["errors"][0]["code"] == code
    ours = model(validate=False)
    ours.model_id = "ibm/none"
    error = raises(ApiRequestFailure, lambda: ours.chat(said("x")))
    assert error.response.status_code == 404


run(sys.modules[__name__])
