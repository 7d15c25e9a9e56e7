"""A small HTTP server for one local model: ``/v1/chat/completions``, ``/v1/models``, ``/health``."""

from __future__ import annotations

import hmac
import json
import logging
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, cast

from secloop_ai.contracts import PolicyError

from .model import LocalModel
from .protocol import ChatRequest, RequestError, completion, failure, models, request_of

LOG = logging.getLogger(__name__)
MAX_BODY = 4 * 1024 * 1024
"""Bytes of a request."""
IDLE_S = 60.0
"""Seconds a client may take to send a request, and that a connection is kept without one."""


class Terms(NamedTuple):
    """How a model is served.

    Attributes:
        name: the model's, in requests and answers.
        key: what a client must show as a bearer token; empty: nothing.
        waiting: requests at once, the one in hand included; one more is told to come back (503).
        limit_s: seconds for one request's answers, which are cut off then.
    """

    name: str
    key: str = ""
    waiting: int = 8
    limit_s: float = 300.0


class ChatServer(ThreadingHTTPServer):
    """One model behind one address; requests are answered one after the other.

    Args:
        address: host and port; port 0: one that is free.
        model: what answers.
        terms: how.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], model: LocalModel, terms: Terms) -> None:
        super().__init__(address, _Handler)
        self.model, self.terms, self.started = model, terms, int(time.time())
        self.room = threading.BoundedSemaphore(terms.waiting)


class _Refused(Exception):  # noqa: N818 - what is sent instead of an answer
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "secloop"
    sys_version = ""
    timeout = IDLE_S

    @property
    def _house(self) -> ChatServer:
        return cast("ChatServer", self.server)

    def do_GET(self) -> None:
        """The list of models, or a sign of life."""
        routes: dict[str, Any] = {
            "/v1/models": models(self._house.terms.name, self._house.started),
            "/health": {"status": "ok"},
        }
        self._within(lambda: routes[self.path] if self.path in routes else _lost(self.path))

    def do_POST(self) -> None:
        """A chat completion."""
        self._within(lambda: self._chat() if self.path == "/v1/chat/completions" else _lost(self.path))

    def _within(self, work: Any) -> None:
        """Answer with what the work gives, or with what went wrong with it."""
        try:
            if self.path != "/health":
                self._admit()
            self._send(HTTPStatus.OK, work())
        except _Refused as refused:
            self._fail(refused.status, str(refused))
        except PolicyError as error:
            self._fail(HTTPStatus.BAD_REQUEST, str(error))
        except OSError:
            self.close_connection = True  # the client is gone, or never sent what it announced
        except Exception:
            LOG.exception("request failed")
            self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, "the model failed; the server's log says how")

    def _admit(self) -> None:
        key = self._house.terms.key
        shown = self.headers.get("Authorization", "")
        if key and not hmac.compare_digest(shown.encode(), f"Bearer {key}".encode()):
            raise _Refused(HTTPStatus.UNAUTHORIZED, "a key is needed, as a bearer token")

    def _chat(self) -> dict[str, Any]:
        request = request_of(self._body())
        if request.model != self._house.terms.name:
            raise _Refused(
                HTTPStatus.NOT_FOUND, f"no model {request.model[:80]!r}; there is {self._house.terms.name!r}"
            )
        if not self._house.room.acquire(blocking=False):
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests are waiting")
        try:
            return self._answer(request)
        finally:
            self._house.room.release()

    def _answer(self, request: ChatRequest) -> dict[str, Any]:
        answers = self._house.model.answer(
            [m.plain() for m in request.messages],
            schema=request.response_format.schema_of,
            n=request.n,
            seed=request.drawn_seed,
            temperature=request.temperature,
            max_tokens=request.answer_tokens,
            limit_s=self._house.terms.limit_s,
        )
        return completion(request, answers)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "Content-Length is needed")
        if int(length) > MAX_BODY:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request may have {MAX_BODY} bytes")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise RequestError("body: cut off")
        return body

    def _fail(self, status: HTTPStatus, message: str) -> None:
        self.close_connection = True  # what is left of the request was not read
        kind = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
        try:
            self._send(status, failure(message, kind))
        except OSError:
            return

    def _send(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name for it
        """Into the log, not onto the screen."""
        LOG.info(format, *args)


def _lost(path: str) -> dict[str, Any]:
    raise _Refused(HTTPStatus.NOT_FOUND, f"nothing at {path[:80]!r}")
