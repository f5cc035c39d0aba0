"""A receiver of messages on this machine: each path answers as it is told, and remembers its calls."""

import json
import base64
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Call:
    method: str
    url: str
    headers: dict
    body: bytes

    def told(self):
        """What a callback tells, with its bodies in the clear."""
        report = json.loads(self.body)
        for name in ("body", "sourceBody"):
            report[name] = base64.b64decode(report[name]).decode()
        return report


@dataclass
class Receiver:
    """A path of its own that answers the next calls like this, and then with 200."""

    url: str
    answers: list
    calls: list = field(default_factory=list)

    def arrived(self, count):
        """The calls, once there are so many."""
        eventually(lambda: len(self.calls) >= count, f"{count} calls of {self.url}")
        return self.calls


paths = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = paths.get(self.path.split("/")[1].split("?")[0])
        if path is None:
            return self.reply(404, {}, "nobody")
        headers = {name.lower(): value for name, value in self.headers.items()}
        path.calls.append(Call(self.command, origin + self.path, headers, body))
        self.reply(*(path.answers.pop(0) if path.answers else (200, {}, "taken")))

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
origin = f"http://127.0.0.1:{server.server_port}"
threading.Thread(target=server.serve_forever, daemon=True).start()


def receiver(*answers):
    """Each answer is (status, headers, body)."""
    name = f"r{len(paths)}"
    paths[name] = Receiver(f"{origin}/{name}", list(answers))
    return paths[name]


def eventually(look, what, seconds=20):
    """What the function returns once that is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        seen = look()
        if seen:
            return seen
        time.sleep(0.05)
    raise AssertionError(f"in vain: {what}")
