"""PyPI `google-genai` with `google-auth` before the stand-in for Vertex AI: what a service account signs is
taken, and nothing else."""

import sys

from google import genai
from google.auth.exceptions import RefreshError
from google.genai import errors, types
from google.oauth2.credentials import Credentials
from google.oauth2.service_account import Credentials as ServiceAccount

from support import MOCK, mock, raises, run

WORDS, PICTURES = "gemini-3.5-flash", "gemini-3-pro-image"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def account(info):
    return ServiceAccount.from_service_account_info(info, scopes=[SCOPE])


def connected(credentials):
    options = types.HttpOptions(base_url=MOCK, api_version="v1", timeout=30_000)
    return genai.Client(
        vertexai=True, project="ours", location="global", credentials=credentials, http_options=options
    )


client = connected(account(mock.account()))


def test_words_and_one_token_for_two_calls():
    for text in ["one", "two"]:
        answer = client.models.generate_content(model=WORDS, contents=text)
        assert answer.text == f"You said: {text}" and answer.usage_metadata.thoughts_token_count > 0
    assert len(mock.calls("/token")) == 1


def test_stream():
    events = client.models.generate_content_stream(model=WORDS, contents="good evening")
    assert "".join(event.text for event in events) == "You said: good evening"


def test_a_picture():
    config = types.GenerateContentConfig(
        response_modalities=["IMAGE"], image_config=types.ImageConfig(aspect_ratio="3:2")
    )
    answer = client.models.generate_content(model=PICTURES, contents="a boat", config=config)
    [picture] = [part for part in answer.parts if part.inline_data and not part.thought]
    assert picture.inline_data.data.startswith(b"\x89PNG")


def test_what_another_has_signed_gets_no_token():
    email = "stranger@ours.iam.gserviceaccount.com"
    stranger = connected(account({**mock.account(), "client_email": email}))
    raises(RefreshError, lambda: stranger.models.generate_content(model=WORDS, contents="x"))


def test_a_token_of_nobody():
    nobody = connected(Credentials("a-token-of-nobody"))
    error = raises(errors.ClientError, lambda: nobody.models.generate_content(model=WORDS, contents="x"))
    assert (error.code, error.status) == (401, "UNAUTHENTICATED")


run(sys.modules[__name__])
