"""A real HTTP server on the loopback address that answers by a script: what servers do when they are not well."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, cast

Act = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Does what the script says next; the last act is repeated."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        house = cast("FaultServer", self.server)
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        house.seen.append(self.body)
        house.keys.append(self.headers.get("Authorization", ""))
        act = house.script.pop(0) if len(house.script) > 1 else house.script[0]
        try:
            act(self)
        except OSError:
            self.close_connection = True

    def send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


class FaultServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Act] = []
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def policy(self, *script: Act, **options: object) -> str:
        """Play this script; its name as a policy."""
        self.script = list(script)
        chosen = "&".join(f"{k}={v}" for k, v in options.items())
        return f"openai:some/model:7b@http://127.0.0.1:{self.server_address[1]}/v1" + (f"?{chosen}" if chosen else "")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


def says(*texts: str | None, finish: str = "stop", usage: int = 100, **message: Any) -> Act:
    """A chat completion with these answers, one for each that was asked for, if there are as many."""

    def act(handler: Handler) -> None:
        wanted = texts[: handler.body.get("n", 1)]
        choices = [
            {"index": n, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
            for n, text in enumerate(wanted)
        ]
        body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": choices}
        handler.send(200, json.dumps({**body, "usage": {"total_tokens": usage}}).encode())

    return act


def raw(body: bytes, status: int = 200, kind: str = "application/json") -> Act:
    """Just these bytes."""
    return lambda handler: handler.send(status, body, kind)


def error(status: int, message: str) -> Act:
    """An error as the protocol has it."""
    return raw(json.dumps({"error": {"message": message, "type": "x"}}).encode(), status)


def hang(handler: Handler) -> None:
    """Say nothing until the test ends."""
    cast("FaultServer", handler.server).over.wait(30)


def garbage(handler: Handler) -> None:
    """Stream noise, for as long as anybody listens."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()
    while not cast("FaultServer", handler.server).over.is_set():
        handler.wfile.write(b"data: \xff\xfe{{{ \x00\n\n" * 4096)
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Stream spaces, slowly enough to last for ever and fast enough never to be silent."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    over = cast("FaultServer", handler.server).over
    while not over.wait(0.02):
        handler.wfile.write(b" ")
    handler.close_connection = True


def cut(handler: Handler) -> None:
    """Promise more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True
