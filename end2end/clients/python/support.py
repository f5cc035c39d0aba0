"""What the programs share: where everything is, the stand-in's controls, and running the checks."""

import asyncio
import base64
import inspect
import json
import os
import sys
import time
import traceback
import urllib.parse
import urllib.request

URL = os.environ["ATELIER_URL"]
KEY = os.environ["ATELIER_KEY"]
CHAT_KEY = os.environ["ATELIER_CHAT_KEY"]
SPENT_KEY = os.environ["ATELIER_SPENT_KEY"]
MOCK = os.environ["MOCK_URL"]
#: The only key that the stand-in takes.
UPSTREAM_KEY = "sk-upstream"

#: A PNG of one pixel.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR4nGNoAAIABQUCAaxTIjoAAAAASUVORK5CYII="
)

WEATHER = {
    "name": "weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
}


class Mock:
    """The stand-in behind Atelier."""

    def then(self, *behaviours):
        """What becomes of the next calls."""
        self._send("POST", "/_mock/next", json.dumps(behaviours))

    def calls(self, path=None):
        """The requests that have arrived, or those to one path."""
        calls = json.loads(self._send("GET", "/_mock/calls"))
        return [call for call in calls if path is None or call["path"] == path]

    def account(self):
        """The file of a Google service account that gets tokens here."""
        return json.loads(self._send("GET", "/_mock/account"))

    def forget(self):
        self._send("DELETE", "/_mock")

    def _send(self, method, path, body=None):
        data = body.encode() if body is not None else None
        request = urllib.request.Request(MOCK + path, data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


mock = Mock()


def status(code, headers=None, message="not now"):
    """A refusal by the stand-in."""
    kind = "server_error" if code >= 500 else "invalid_request_error"
    error = {"message": message, "type": kind, "param": None, "code": None}
    return {"status": {"status": code, "headers": headers or {}, "body": {"error": error}}}


def raises(kind, call):
    """The error that a call must end with."""
    try:
        result = call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected, not {result!r}")


def sent_here(transport, prefixes=None):
    """A transport, of `httpx` or its like, that sends to the stand-in what is meant for hosts of the internet;
    `prefixes` has what stands there before the paths of single hosts."""
    here = urllib.parse.urlsplit(MOCK)

    class SentHere(transport):
        def handle_request(self, request):
            url = request.url
            if url.host != here.hostname:
                path = (prefixes or {}).get(url.host, b"") + url.raw_path
                request.url = url.copy_with(scheme="http", host=here.hostname, port=here.port, raw_path=path)
                request.headers["host"] = here.netloc
            return super().handle_request(request)

    return SentHere()


def run(module):
    """Runs what is called test_… in the order of the file, or what has a word of the command line
    in its name; the last line says how many passed."""
    words = sys.argv[1:] or [""]
    checks = [
        (name, check)
        for name, check in vars(module).items()
        if name.startswith("test_") and any(word in name for word in words)
    ]
    failed = 0
    for name, check in checks:
        mock.forget()
        started = time.monotonic()
        try:
            if inspect.iscoroutinefunction(check):
                asyncio.run(check())
            else:
                check()
        except Exception:
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)
        else:
            print(f"ok     {name} ({time.monotonic() - started:.2f} s)")
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
